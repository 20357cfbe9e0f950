//! Files that are cut, damaged, foreign, or cannot be written.

use std::fs;

use linfa_mlp::Error;

use crate::program::{Counts, data, finished, in_folder, nets, run_nets};
use linfa::traits::Fit;

#[test]
fn a_search_goes_on_from_a_file_that_was_cut_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let (expected, _) = run_nets(nets(&path)).unwrap();
    let whole = fs::read(&path).unwrap();
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        let rows = finished(&path).len();
        let counts = Counts::default();
        let found = nets(&path).observer(counts.clone()).fit(&data(12)).unwrap();
        assert!(crate::program::table(found.results()) == expected, "cut to {len}");
        assert_eq!((counts.restored(), counts.started()), (rows, 4 - rows), "cut to {len}");
        assert_eq!((counts.announced(), counts.finished()), (rows, 4 - rows), "cut to {len}");
        let at_a_line = len == 0 || (whole[len - 1] == b'\n' && whole[..len].contains(&b'{'));
        assert_eq!(counts.notes().is_empty(), at_a_line, "cut to {len}: {:?}", counts.notes());
        assert!(counts.notes().iter().all(|note| note.contains("cut off") && note.contains("a.journal")));
        assert_eq!(finished(&path).len(), 4);
    }
}

#[test]
fn a_flipped_bit_in_any_byte_gives_the_same_table_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let (expected, _) = run_nets(nets(&path)).unwrap();
    let whole = fs::read(&path).unwrap();
    let (mut same, mut refused) = (0, 0);
    for byte in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[byte] ^= 1 << (byte % 8);
        fs::write(&path, &damaged).unwrap();
        match run_nets(nets(&path)) {
            Ok((table, fits)) => {
                assert!(table == expected && (1..=2).contains(&fits), "byte {byte}, {fits} fits");
                same += 1;
            }
            Err(Error::Journal { path: named, problem, .. }) => {
                assert!(named == path && problem.contains("file"), "{problem}");
                refused += 1;
            }
            Err(error) => panic!("byte {byte}: {error}"),
        }
    }
    assert!(same > 100 && refused > 1000, "{same} {refused}");
}

#[test]
fn a_damaged_line_can_be_removed_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let (expected, _) = run_nets(nets(&path)).unwrap();
    let text = fs::read_to_string(&path).unwrap().replacen("fitted", "fitteD", 1);
    fs::write(&path, &text).unwrap();
    let error = run_nets(nets(&path)).unwrap_err();
    assert!(matches!(error, Error::Journal { line: 3, .. }), "{error}");
    assert!(error.to_string().contains("or remove the line"), "{error}");
    let others: Vec<&str> =
        text.lines().enumerate().filter(|(at, _)| *at != 2).map(|(_, line)| line).collect();
    fs::write(&path, others.join("\n") + "\n").unwrap();
    assert_eq!(run_nets(nets(&path)).unwrap(), (expected, 1));
}

#[test]
fn what_is_no_journal_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    for text in ["candidate,fold\n", "\u{89}MLP\r\n", "x"] {
        fs::write(&path, text).unwrap();
        let error = run_nets(nets(&path)).unwrap_err();
        assert!(matches!(error, Error::Journal { line: 1, .. }), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::write(&path, "").unwrap();
    assert_eq!(run_nets(nets(&path)).unwrap().1, 4, "an empty file is a journal to be");
}

#[test]
fn a_place_that_cannot_be_written_is_named_before_the_first_fit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let mut places = vec![folder.path().to_path_buf(), folder.path().join("no/a"), file.join("a")];
    places.extend(["/sys/a", "/dev/full"].iter().filter(|_| cfg!(target_os = "linux")).map(Into::into));
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    let mut rights = fs::metadata(&closed).unwrap().permissions();
    rights.set_readonly(true);
    fs::set_permissions(&closed, rights).unwrap();
    // The system's administrator may write everywhere.
    if fs::write(closed.join("a"), "").is_err() {
        places.push(closed.join("a"));
    }
    for place in places {
        let counts = Counts::default();
        let error = nets(&place).observer(counts.clone()).fit(&data(12)).unwrap_err();
        assert!(matches!(&error, Error::File { path, .. } if *path == place), "{error}");
        assert_eq!(counts.started(), 0);
    }
    let empty = run_nets(nets("")).unwrap_err();
    assert!(matches!(&empty, Error::Parameter { name, .. } if name == "journal"), "{empty}");
}
