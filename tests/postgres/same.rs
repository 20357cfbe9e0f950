//! However many processes: the same bytes.

use std::sync::Arc;
use std::time::Duration;

use linfa::traits::Fit;
use linfa_elasticnet::ElasticNet;
use linfa_mlp::model_selection::{Budget, GridSearch, KFold, Postgres};

use crate::program::{Fits, GRID, KINDS, Orders, Setting, alone, data, run};
use crate::server::Server;

#[test]
fn one_two_and_four_processes_find_what_one_search_finds_and_do_every_fit_once() {
    let Some(server) = Server::start() else { return };
    for kind in KINDS {
        let expected = alone(kind);
        for processes in [1, 2, 4] {
            let folder = tempfile::tempdir().unwrap();
            let orders = Orders {
                study: format!("{kind} {processes}"),
                ..Orders::new(server.url(), kind, folder.path())
            };
            let before = server.rows();
            let workers: Vec<_> = (0..processes).map(|number| orders.start(&number.to_string())).collect();
            for worker in workers {
                assert!(worker.found() == expected, "{kind} with {processes} processes");
            }
            assert_eq!(orders.started(), server.rows() - before, "{kind} with {processes} processes");
        }
    }
    let open = "SELECT count(*) FROM mlp_attempt WHERE ended IS NULL";
    assert_eq!(server.count(open), 0, "every attempt has an end");
    assert_eq!(server.count("SELECT count(*) FROM mlp_state"), 0, "no state is left");
}

#[test]
fn a_study_is_shown_goes_on_and_is_forgotten() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let database = Postgres::connect(server.url()).unwrap().study("grid");
    assert_eq!(database.status().unwrap(), None);
    let orders = Orders { time: 100, ..Orders::new(server.url(), "grid", folder.path()) };
    let worker = orders.start("a");
    server.wait_for_rows(2);
    let status = database.status().unwrap().expect("the study has begun");
    let (fits, done) = status.fits();
    assert!(fits == 18 && done >= 2 && status.candidates.len() == 6, "{status}");
    let running: i64 = status.candidates.iter().map(|one| one.running).sum();
    assert!((1..=2).contains(&running) || done == 18, "{status}");
    assert!(worker.found() == alone("grid"));
    let status = database.status().unwrap().expect("the study is there");
    assert_eq!(status.fits(), (18, 18));
    assert!(status.to_string().contains("18 of 18 fits are done") && status.to_string().contains("rate"));
    // Whoever comes later finds everything done, and so does the program itself, without a process of its own.
    assert_eq!(orders.started(), GRID);
    assert!(orders.start("b").found() == alone("grid"));
    let setting = Setting { executor: Some(database.clone()), fits: None };
    assert!(run("grid", &setting).unwrap() == alone("grid"));
    assert_eq!(orders.started(), GRID);
    assert!(database.forget().unwrap() && !database.forget().unwrap());
    assert_eq!(server.rows() + server.count("SELECT count(*) FROM mlp_attempt"), 0);
}

#[test]
fn whoever_may_spend_less_does_its_share_and_leaves_the_rest_to_others() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let search = |budget: Budget| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let fits = Fits { file: folder.path().join("fits"), time: Duration::from_millis(50), abort: None };
        let search = GridSearch::new(ElasticNet::params())
            .axis("penalty", (1..=20).map(f64::from).collect::<Vec<_>>(), |p, v| p.penalty(v))
            .cv(KFold::new(2))
            .budget(budget)
            .observer(fits)
            .executor(Postgres::connect(server.url()).unwrap().pool(Arc::new(pool)));
        let rows = search.fit(&data(12)).unwrap().results().rows().to_vec();
        rows.iter().filter(|row| row.status.is_fitted()).count()
    };
    std::thread::scope(|scope| {
        let little = scope.spawn(|| search(Budget::fits(10)));
        server.wait_for_rows(1);
        let all = scope.spawn(|| search(Budget::default()));
        assert_eq!((little.join().unwrap(), all.join().unwrap()), (10, 40));
    });
}

#[test]
fn a_search_runs_where_tasks_are_asynchronous() {
    let Some(server) = Server::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let found = runtime.block_on(async {
        let database = Postgres::connect(server.url()).unwrap().study("grid");
        let found = run("grid", &Setting { executor: Some(database.clone()), fits: None }).unwrap();
        assert!(database.status().unwrap().is_some() && database.forget().unwrap());
        found
    });
    assert!(found == alone("grid"));
}
