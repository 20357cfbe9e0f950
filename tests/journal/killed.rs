//! A process that searches, killed again and again.
//!
//! ```text
//! LINFA_MLP_KILLS=200 cargo test --test journal killed      # 50 kills if it is not set
//! ```

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use linfa_mlp::model_selection::{KFold, NestedCrossValidation, SearchObserver, Task, nested_cross_validate};
use linfa_mlp::persistence::write_atomically;
use linfa_mlp::rng::Stream;

use crate::program::{Counts, NETWORKS, THREADS, data, finished, nets, run_networks, table};

const FOLDER: &str = "JOURNAL_TEST_FOLDER";

/// Adds a letter to a file for every fit that starts.
struct Letters(PathBuf);

impl SearchObserver for Letters {
    fn fit_started(&self, _: Task) {
        let file = OpenOptions::new().create(true).append(true).open(&self.0);
        file.and_then(|mut file| file.write_all(b"x")).expect("a letter can be written");
    }
}

#[test]
#[ignore = "the other tests start it, as a process of its own"]
fn a_search_in_a_process_of_its_own() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("the folder is named"));
    match run_networks(&folder.join("a.journal"), Letters(folder.join("letters"))) {
        Ok(bytes) => write_atomically(folder.join("done"), &bytes).expect("the end is written"),
        Err(error) => panic!("{error}"),
    }
}

fn arguments() -> [&'static str; 4] {
    ["--ignored", "--exact", "killed::a_search_in_a_process_of_its_own", "--nocapture"]
}

fn start(folder: &Path) -> Child {
    let test = std::env::current_exe().expect("a test knows its own path");
    let mut command = Command::new(test);
    command.args(arguments()).env(FOLDER, folder).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the test starts itself")
}

/// What nobody stopped gives.
fn straight() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    run_networks(&folder.path().join("a.journal"), Counts::default()).expect("the search works")
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

/// Waits until the process ends, or the moment to kill it has come. Says whether it was killed.
fn killed_when(child: &mut Child, moment: impl Fn() -> bool) -> bool {
    loop {
        if let Some(status) = child.try_wait().expect("the process can be waited for") {
            assert!(status.success(), "the search failed by itself: {status}");
            return false;
        }
        if moment() {
            child.kill().expect("the process can be killed");
            return !child.wait().expect("the process ends").success();
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

#[test]
fn killed_at_fifty_moments_and_started_again_it_gives_the_same_bytes() {
    let expected = straight();
    let measured = tempfile::tempdir().unwrap();
    let begin = Instant::now();
    assert!(!killed_when(&mut start(measured.path()), || false));
    let (whole_time, whole_length) = (begin.elapsed(), length(&measured.path().join("a.journal")));
    assert_eq!(fs::read(measured.path().join("done")).unwrap(), expected);

    let mut moments = Stream::new(7).named("kill");
    let kills_wanted: usize =
        std::env::var("LINFA_MLP_KILLS").map_or(50, |kills| kills.parse().expect("a number"));
    let (mut kills, mut chains, mut in_the_middle) = (0, 0, 0);
    while kills < kills_wanted {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("a.journal");
        let (mut kills_here, mut before) = (0, Vec::new());
        loop {
            let mut child = start(folder.path());
            let begin = Instant::now();
            // Half of the moments are times, half are places in the file: there the process is writing.
            let share = moments.uniform();
            let after = whole_time.mul_f64(share);
            let there = length(&journal);
            let place = there + (share * whole_length.saturating_sub(there) as f64) as u64;
            let by_place = moments.below(2) == 0;
            let killed = killed_when(&mut child, || {
                if by_place { length(&journal) > place } else { begin.elapsed() >= after }
            });
            let now = finished(&journal);
            assert_eq!(now[..before.len()], before, "finished fits stay finished");
            assert_eq!(now.iter().collect::<BTreeSet<_>>().len(), now.len(), "no finished fit is repeated");
            in_the_middle += usize::from(killed && now.len() > before.len() && now.len() < NETWORKS);
            before = now;
            if !killed {
                break;
            }
            kills_here += 1;
        }
        kills += kills_here;
        chains += 1;
        assert!(fs::read(folder.path().join("done")).unwrap() == expected, "after {kills_here} kills");
        assert_eq!(before.len(), NETWORKS);
        let started = length(&folder.path().join("letters")) as usize;
        // The fits that were under way are lost; there cannot be more of them than threads.
        assert!(started <= NETWORKS + kills_here * THREADS, "{started} fits after {kills_here} kills");
    }
    println!("{kills} kills of {chains} searches, {in_the_middle} of them between finished fits");
    assert!(chains >= 2 && in_the_middle >= 10, "{chains} chains, {in_the_middle} kills between fits");
}

#[test]
#[cfg(unix)]
fn a_disk_that_is_full_ends_the_search_with_the_files_name_and_it_goes_on_later() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("a.journal");
    // No file may become longer than four blocks, and the system says so by an error.
    let limited = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(arguments())
        .env(FOLDER, folder.path())
        .output()
        .expect("there is a shell");
    let text = String::from_utf8_lossy(&limited.stderr).into_owned();
    let expected = format!("cannot write the journal {}: ", journal.display());
    assert!(!limited.status.success() && text.contains(&expected), "{text}");
    let before = finished(&journal);
    assert!(!before.is_empty() && before.len() < NETWORKS, "{} rows", before.len());
    assert!(!killed_when(&mut start(folder.path()), || false));
    assert_eq!(finished(&journal)[..before.len()], before);
    assert!(fs::read(folder.path().join("done")).unwrap() == straight());
}

fn nested(journal: &Path) -> linfa_mlp::Result<NestedCrossValidation> {
    nested_cross_validate(&nets(journal), &data(12), &KFold::new(4))
}

#[test]
#[ignore = "another test starts it, as a process of its own"]
fn a_nested_search_in_a_process_of_its_own() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("the folder is named"));
    if let Err(error) = nested(&folder.join("a.journal")) {
        panic!("{error}");
    }
}

#[test]
#[cfg(unix)]
fn a_full_disk_ends_a_nested_search_too_though_some_of_its_folds_are_done() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, other) = (folder.path().join("a.journal"), folder.path().join("straight"));
    let straight = nested(&other).unwrap();
    let name = "killed::a_nested_search_in_a_process_of_its_own";
    for threads in ["1", "2"] {
        let _ = fs::remove_file(&journal);
        let limited = Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\""])
            .arg((length(&other) * 2 / 3 / 512).to_string())
            .arg(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", name, "--nocapture"])
            .env(FOLDER, folder.path())
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .expect("there is a shell");
        let text = String::from_utf8_lossy(&limited.stderr).into_owned();
        let expected = format!("cannot write the journal {}: ", journal.display());
        assert!(!limited.status.success() && text.contains(&expected), "{threads}: {text}");
        let before = finished(&journal);
        assert!(!before.is_empty() && before.len() < finished(&other).len(), "{} rows", before.len());
        let found = nested(&journal).unwrap();
        assert_eq!(table(found.outer().results()), table(straight.outer().results()));
        assert_eq!(finished(&journal)[..before.len()], before);
    }
}

#[test]
fn two_processes_do_not_write_one_journal() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("a.journal");
    let mut child = start(folder.path());
    while length(&journal) == 0 {
        assert!(child.try_wait().unwrap().is_none(), "the process ended too early");
        std::thread::yield_now();
    }
    let refused = run_networks(&journal, Counts::default());
    let ended = !killed_when(&mut child, || false);
    // Where the process was quicker than this test, there is nothing to refuse.
    match refused {
        Ok(bytes) => assert!(bytes == straight()),
        Err(error) => assert!(error.to_string().contains("another search is writing it"), "{error}"),
    }
    assert!(ended && fs::read(folder.path().join("done")).unwrap() == straight());
}
