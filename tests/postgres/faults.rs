//! Whatever dies: the same bytes.

use std::time::Duration;

use linfa_mlp::model_selection::Postgres;
use linfa_mlp::rng::Stream;

use crate::program::{GRID, Orders, alone};
use crate::server::Server;

#[test]
fn processes_are_killed_again_and_again_and_the_end_is_the_same() {
    let Some(server) = Server::start() else { return };
    let mut moments = Stream::new(7).named("kill");
    for kind in ["grid", "halving"] {
        let folder = tempfile::tempdir().unwrap();
        let orders = Orders { time: 40, ..Orders::new(server.url(), kind, folder.path()) };
        let mut workers: Vec<_> = (0..3).map(|number| Some(orders.start(&number.to_string()))).collect();
        let mut kills = 0;
        while kills < 6 {
            std::thread::sleep(Duration::from_millis(moments.below(300) as u64));
            let place = moments.below(3);
            if workers[place].take().is_some_and(|mut worker| {
                let under_way = !worker.is_over();
                worker.kill();
                under_way
            }) {
                kills += 1;
            }
            // The last kill takes all of them.
            if kills == 6 {
                workers.iter_mut().filter_map(Option::take).for_each(|worker| worker.kill());
                break;
            }
            workers[place] = Some(orders.start(&place.to_string()));
        }
        let last: Vec<_> = (0..2).map(|number| orders.start(&format!("last {number}"))).collect();
        last.into_iter().for_each(|worker| assert!(worker.found() == alone(kind), "{kind}"));
        let of_study = format!("JOIN mlp_study s ON s.id = f.study WHERE s.name = '{kind}'");
        let twice = format!("SELECT count(*) - count(DISTINCT (stage, key)) FROM mlp_fit f {of_study}");
        assert_eq!(server.count(&twice), 0);
        let open = format!("SELECT count(*) FROM mlp_fit f {of_study} AND row IS NULL");
        assert_eq!(server.count(&open), 0);
    }
}

#[test]
fn the_server_crashes_in_the_middle_and_nobody_gives_up() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    // Whoever outlives the server has not died of a fit.
    let orders = Orders { time: 100, attempts: 1, ..Orders::new(server.url(), "grid", folder.path()) };
    let workers: Vec<_> = (0..2).map(|number| orders.start(&number.to_string())).collect();
    server.wait_for_rows(3);
    server.crash(Duration::from_millis(500));
    server.wait_for_rows(9);
    server.crash(Duration::ZERO);
    workers.into_iter().for_each(|worker| assert!(worker.found() == alone("grid")));
    assert_eq!(server.rows(), GRID);
    // Rows of fits that were under way in a crash are written afterwards, so that few are done twice.
    assert!(orders.started() <= GRID + 8, "{} fits", orders.started());
}

#[test]
fn a_process_that_hangs_loses_its_fits_and_finds_the_same_when_it_wakes() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let orders = Orders { time: 50, lease: 1000, ..Orders::new(server.url(), "halving", folder.path()) };
    let hangs = orders.start("hangs");
    server.wait_for_rows(2);
    hangs.signal("-STOP");
    let goes_on = orders.start("goes on");
    assert!(goes_on.found() == alone("halving"));
    let rows = server.rows();
    hangs.signal("-CONT");
    assert!(hangs.found() == alone("halving"));
    assert_eq!(server.rows(), rows);
}

#[test]
fn fits_that_are_longer_than_the_lease_keep_it() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let orders = Orders { time: 5000, lease: 2000, ..Orders::new(server.url(), "random", folder.path()) };
    let workers: Vec<_> = (0..2).map(|number| orders.start(&number.to_string())).collect();
    workers.into_iter().for_each(|worker| assert!(worker.found() == alone("random")));
    assert_eq!(orders.started(), 10, "no fit is done twice");
}

#[test]
fn a_lease_that_was_lost_is_taken_again() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let orders = Orders { time: 3000, lease: 1000, ..Orders::new(server.url(), "random", folder.path()) };
    let first = orders.start("first");
    while orders.started() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    server.sql("SELECT pg_terminate_backend(backend) FROM mlp_attempt WHERE ended IS NULL");
    std::thread::sleep(Duration::from_secs(1));
    let second = orders.start("second");
    assert!(first.found() == alone("random") && second.found() == alone("random"));
    assert_eq!(orders.started(), 10, "no fit is done twice");
}

#[test]
fn a_candidate_that_ends_its_processes_is_given_up() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let orders = Orders {
        abort: Some(1),
        attempts: 2,
        threads: 1,
        ..Orders::new(server.url(), "grid", folder.path())
    };
    let mut ended = 0;
    let found = loop {
        let mut worker = orders.start("a");
        if worker.ends().success() {
            break worker.found();
        }
        ended += 1;
        assert!(ended < 20, "{}", worker.errors());
    };
    // Two attempts in each of three folds.
    assert_eq!(ended, 6);
    let found = String::from_utf8_lossy(&found);
    assert_eq!(found.matches("given up after 2 attempts that never ended, by ").count(), 3, "{found}");
    let later = orders.start("later");
    assert!(later.found() == found_bytes(folder.path()));
    // Once the reason is gone, what was given up may be tried again.
    let again = Orders { abort: None, attempts: 1, retry_failed: true, ..orders };
    assert!(again.start("again").found() == alone("grid"));
}

#[test]
fn a_study_that_is_removed_ends_those_who_are_at_it() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let orders = Orders { time: 100, lease: 2000, ..Orders::new(server.url(), "grid", folder.path()) };
    let mut at_it = orders.start("at it");
    server.wait_for_rows(2);
    let database = Postgres::connect(server.url()).unwrap().study("grid");
    assert!(database.forget().unwrap());
    assert!(!at_it.ends().success());
    assert!(at_it.errors().contains("somebody has removed it"), "{}", at_it.errors());
    assert!(!database.forget().unwrap(), "there is none");
    assert_eq!(server.count("SELECT (SELECT count(*) FROM mlp_fit) + (SELECT count(*) FROM mlp_attempt)"), 0);
    // The name is free.
    assert!(orders.start("later").found() == alone("grid"));
}

fn found_bytes(folder: &std::path::Path) -> Vec<u8> {
    std::fs::read(folder.join("a")).unwrap()
}
