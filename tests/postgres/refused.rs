//! What is refused, and what errors do not say.

use std::time::Duration;

use linfa::traits::Fit;
use linfa_elasticnet::ElasticNet;
use linfa_mlp::Error;
use linfa_mlp::model_selection::{CrossValidator, GridSearch, KFold, Postgres};

use crate::program::data;
use crate::server::Server;

fn search(database: &Postgres, penalties: &[f64], n: usize) -> linfa_mlp::Result<usize> {
    let search = GridSearch::new(ElasticNet::params())
        .axis("penalty", penalties.to_vec(), |p, v| p.penalty(v))
        .cv(KFold::new(2))
        .executor(database.clone());
    Ok(search.fit(&data(n))?.results().rows().len())
}

#[test]
fn another_study_is_refused_with_both_values() {
    let Some(server) = Server::start() else { return };
    let database = Postgres::connect(server.url()).unwrap();
    assert_eq!(search(&database, &[0.1, 0.2], 12).unwrap(), 4);
    let what = |error: Error| {
        let text = error.to_string();
        let Error::OtherSharedStudy { what, study, there, search, .. } = error else { panic!("{text}") };
        assert!(study == "default" && there != search, "{text}");
        assert!(text.contains(&there) && text.contains(&search) && text.contains("another name"), "{text}");
        what
    };
    assert_eq!(what(search(&database, &[0.1, 0.2], 13).unwrap_err()), "records");
    assert_eq!(what(search(&database, &[0.1, 0.3], 12).unwrap_err()), "search space");
    assert_eq!(what(search(&database.clone().tag("v2"), &[0.1, 0.2], 12).unwrap_err()), "tag");
    assert_eq!(search(&database.clone().study("other"), &[0.1, 0.3], 13).unwrap(), 4);
    assert_eq!(search(&database, &[0.1, 0.2], 12).unwrap(), 4, "the first study is as it was");
    // The same value twice is one fit, and two rows.
    assert_eq!(search(&database.clone().study("twice"), &[0.3, 0.3], 12).unwrap(), 4);
    assert_eq!(server.rows(), 4 + 4 + 2);
}

#[test]
fn settings_journals_and_kept_folds_are_checked_before_any_fit() {
    let Some(server) = Server::start() else { return };
    let database = Postgres::connect(server.url()).unwrap();
    let name = |error: Error| match error {
        Error::Parameter { name, .. } => name,
        other => panic!("{other}"),
    };
    let of = |database: Postgres| name(search(&database, &[0.1], 12).unwrap_err());
    assert_eq!(of(database.clone().study("")), "study");
    assert_eq!(of(database.clone().tag("")), "tag of the executor");
    assert_eq!(of(database.clone().max_attempts(0)), "max_attempts");
    assert_eq!(of(database.clone().lease(Duration::ZERO)), "lease");
    assert_eq!(of(database.clone().lease(Duration::MAX)), "lease");
    let kept = CrossValidator::new().cv(KFold::new(2)).executor(database.clone());
    let kept = kept.run_keeping(&ElasticNet::params(), &data(12)).map(|_| ());
    assert_eq!(name(kept.unwrap_err()), "executor");
    assert_eq!(server.rows(), 0);
    // Cross-validation of one estimator is a study, too.
    let validated = CrossValidator::new().cv(KFold::new(3)).executor(database.study("one"));
    assert_eq!(validated.run(&ElasticNet::params(), &data(12)).unwrap().rows().len(), 3);
    assert_eq!(server.rows(), 3);
}

#[test]
fn older_tables_are_brought_up_to_date_and_later_ones_are_refused() {
    let Some(server) = Server::start() else { return };
    // Many processes that start at the same time make the tables once.
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| Postgres::connect(server.url()).unwrap());
        }
    });
    let version = || server.sql("SELECT version FROM mlp_schema");
    assert_eq!(version(), ["2"]);
    search(&Postgres::connect(server.url()).unwrap(), &[0.1], 12).unwrap();
    server.sql("DROP VIEW mlp_candidates; UPDATE mlp_schema SET version = 1");
    let database = Postgres::connect(server.url()).unwrap();
    assert_eq!(version(), ["2"]);
    assert_eq!(database.status().unwrap().unwrap().fits(), (2, 2), "the rows are still there");
    server.sql("UPDATE mlp_schema SET version = 9");
    let error = Postgres::connect(server.url()).unwrap_err().to_string();
    assert!(error.starts_with("version of the tables in ") && error.contains("at most 2"), "{error}");
    assert!(error.ends_with("but is 9"), "{error}");
}

#[test]
fn a_worker_needs_few_rights_and_no_error_shows_a_password() {
    let Some(server) = Server::start() else { return };
    drop(Postgres::connect(server.url()).unwrap());
    server.sql(
        "CREATE ROLE worker LOGIN PASSWORD 'hunter2'; \
         GRANT SELECT ON mlp_schema, mlp_candidates TO worker; \
         GRANT SELECT, INSERT, UPDATE ON mlp_study, mlp_fit, mlp_attempt TO worker; \
         GRANT SELECT, INSERT, DELETE ON mlp_state TO worker",
    );
    let url = |password: &str| {
        format!("postgresql://worker:{password}@127.0.0.1:{}/postgres?sslmode=disable", server.port)
    };
    let database = Postgres::connect(url("hunter2")).unwrap();
    assert!(!format!("{database:?}").contains("hunter2"));
    assert_eq!(search(&database, &[0.1], 12).unwrap(), 2);
    assert_eq!(database.status().unwrap().unwrap().fits(), (2, 2));
    let mut errors = vec![Postgres::connect(url("hunter3")).unwrap_err()];
    errors.push(Postgres::connect(url("hunter2").replace(&server.port.to_string(), "1")).unwrap_err());
    errors.push(Postgres::connect(url("hunter2").replace("postgres?", "nowhere?")).unwrap_err());
    errors.push(Postgres::connect(url("hunter2") + "&port=hunter2").unwrap_err());
    errors.push(database.forget().unwrap_err());
    for error in errors {
        let text = format!("{error} {error:?}");
        assert!(!text.contains("hunter"), "{text}");
        assert!(matches!(error, Error::Database { .. } | Error::Parameter { .. }), "{text}");
    }
    let denied = Postgres::connect(url("hunter3")).unwrap_err().to_string();
    assert!(denied.contains("password authentication failed"), "{denied}");
}
