//! What a fit costs besides its work: many processes, tiny fits. The chapter `database` of the guide has the figures.
//!
//! `cargo test --release --features postgres --test postgres -- --ignored contention --nocapture --test-threads 1`

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::program::{Orders, TINY, alone};
use crate::server::Server;

/// A server that waits for its disk, as one in use does.
fn server() -> Option<Server> {
    Server::with("-c fsync=on", |_| {})
}

fn orders(server: &Server, folder: &std::path::Path, study: String) -> Orders {
    Orders { threads: 1, study, ..Orders::new(server.url(), "tiny", folder) }
}

#[test]
#[ignore = "it measures, and takes its time"]
fn eight_processes_share_two_thousand_tiny_fits() {
    let Some(server) = server() else { return };
    let begin = Instant::now();
    let expected = alone("tiny");
    println!("in one process, on all threads, without a database: {:.2} s", begin.elapsed().as_secs_f64());
    let transactions = || {
        // The server counts once a session is idle or over.
        sleep(Duration::from_secs(2));
        server.count("SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'")
    };
    for processes in [1, 2, 4, 8] {
        let folder = tempfile::tempdir().unwrap();
        let orders = orders(&server, folder.path(), format!("tiny {processes}"));
        let (before, cpu) = (transactions(), server.cpu_seconds());
        let begin = Instant::now();
        let workers: Vec<_> = (0..processes).map(|number| orders.start(&number.to_string())).collect();
        workers.into_iter().for_each(|worker| assert!(worker.found() == expected));
        let seconds = begin.elapsed().as_secs_f64();
        let cpu = server.cpu_seconds() - cpu;
        let fits = TINY as f64;
        println!(
            "{processes} processes: {seconds:.2} s, {:.0} fits a second, {:.2} ms a fit and process, of the server {:.2} \
             transactions and {:.2} ms CPU a fit",
            fits / seconds,
            1e3 * seconds * f64::from(processes) / fits,
            (transactions() - before) as f64 / fits,
            1e3 * cpu / fits,
        );
    }
}

/// Whoever takes a fit passes by all that others have taken before it.
#[test]
#[ignore = "it measures, and takes its time"]
fn a_fit_is_taken_behind_a_thousand_others() {
    let Some(server) = server() else { return };
    let of_slot = TINY / 2;
    for taken in [0, 100, 300, of_slot * 8 / 10] {
        let folder = tempfile::tempdir().unwrap();
        let study = format!("taken {taken}");
        let of_study = format!("study = (SELECT id FROM mlp_study WHERE name = '{study}')");
        let orders = orders(&server, folder.path(), study);
        // The first process writes the fits and is killed, so that others can be at work before the second comes.
        let first = orders.start("first");
        server.wait_for_rows(1);
        first.kill();
        let open = format!(
            "SELECT id FROM mlp_fit WHERE {of_study} AND row IS NULL AND slot = 0 ORDER BY id LIMIT {taken}"
        );
        let mut others = server.client();
        let mut others = others.transaction().unwrap();
        let locked = others.query(&format!("{open} FOR NO KEY UPDATE"), &[]).unwrap().len();
        assert_eq!(locked, taken);
        let mut eye = server.client();
        let sql = format!("SELECT count(*) FROM mlp_fit WHERE {of_study} AND row IS NOT NULL");
        let mut done = || eye.query_one(&sql, &[]).unwrap().get::<_, i64>(0);
        let begun = done();
        let second = orders.start("second");
        while done() == begun {
            sleep(Duration::from_millis(5));
        }
        let (begin, before, cpu) = (Instant::now(), done(), server.cpu_seconds());
        sleep(Duration::from_secs(3));
        let fits = (done() - before) as f64;
        println!(
            "{taken} fits of the fold are taken: {:.2} ms a fit, {:.2} ms CPU of the server",
            1e3 * begin.elapsed().as_secs_f64() / fits,
            1e3 * (server.cpu_seconds() - cpu) / fits
        );
        second.kill();
        others.rollback().unwrap();
        server.sql(&format!("DELETE FROM mlp_fit WHERE {of_study}"));
    }
}
