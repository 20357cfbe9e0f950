//! What a fit costs besides its work: many processes, tiny fits.

use std::time::Instant;

use crate::program::{Orders, TINY, alone};
use crate::server::Server;

/// Run it by `cargo test --release --features postgres --test postgres -- --ignored contention --nocapture`.
#[test]
#[ignore = "it measures, and takes its time"]
fn eight_processes_share_two_thousand_tiny_fits() {
    let Some(server) = Server::start() else { return };
    let begin = Instant::now();
    let expected = alone("tiny");
    println!("in one process, on all threads: {:.2} s", begin.elapsed().as_secs_f64());
    let transactions = || {
        // The server counts once a session is idle or over.
        std::thread::sleep(std::time::Duration::from_secs(2));
        let sql = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'";
        server.count(sql)
    };
    for processes in [1, 2, 4, 8] {
        let folder = tempfile::tempdir().unwrap();
        let orders = Orders {
            threads: 1,
            study: format!("tiny {processes}"),
            ..Orders::new(server.url(), "tiny", folder.path())
        };
        let before = transactions();
        let begin = Instant::now();
        let workers: Vec<_> = (0..processes).map(|number| orders.start(&number.to_string())).collect();
        workers.into_iter().for_each(|worker| assert!(worker.found() == expected));
        let seconds = begin.elapsed().as_secs_f64();
        let fits = TINY as f64;
        println!(
            "{processes} processes: {seconds:.2} s, {:.0} fits a second, {:.2} ms a fit and process, {:.2} transactions a fit",
            fits / seconds,
            1e3 * seconds * f64::from(processes) / fits,
            (transactions() - before) as f64 / fits,
        );
    }
}
