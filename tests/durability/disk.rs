//! Disks that are full, folders that cannot be written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use linfa::prelude::*;
use linfa_mlp::Error;
use linfa_mlp::persistence::write_atomically;
use linfa_mlp::prelude::*;
use ndarray::{Array1, Array2};

use crate::process::of_test;

fn dataset() -> linfa::Dataset<f64, f64, ndarray::Ix1> {
    let x = Array2::from_shape_fn((20, 4), |(i, j)| ((i * (j + 2)) % 7) as f64 / 7.0);
    linfa::Dataset::new(x, Array1::linspace(0.0, 1.0, 20))
}

/// A model of that many hidden units: 8 bytes for each of 6 numbers, three times over.
fn params(units: usize) -> linfa_mlp::estimator::MlpRegressorParams {
    MlpRegressor::params().hidden_layer_sizes([units]).epochs(2)
}

/// What went wrong, and that it is about this path.
#[track_caller]
fn names(error: &Error, path: &Path) {
    let file = match error {
        Error::Callback { source, .. } => source,
        error => error,
    };
    assert!(matches!(file, Error::File { path: named, .. } if named == path), "{error}");
    assert!(file.to_string().contains(&path.display().to_string()), "{error}");
}

fn listed(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A small file system of its own; none where it cannot be had.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", "size=64k,mode=755", "none"])
            .arg(folder.path())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success()).then_some(Small(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read_only(&self) {
        let mut command = Command::new("mount");
        assert!(command.args(["-o", "remount,ro"]).arg(self.0.path()).status().unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_backup_is_written_after_the_checkpoints_it_knows_of() {
    let folder = tempfile::tempdir().unwrap();
    let third = folder.path().join("3.mlp");
    let fit = || {
        let backup = Backup::to(folder.path().join("backup"));
        let checkpoint = ModelCheckpoint::to(folder.path().join("{epoch}.mlp").to_str().unwrap());
        params(4).epochs(4).callback(backup).callback(checkpoint).fit(&dataset())
    };
    fs::create_dir_all(third.join("in the way")).unwrap();
    names(&fit().unwrap_err(), &third);
    fs::remove_dir_all(&third).unwrap();
    fit().unwrap();
    assert_eq!(listed(folder.path()), ["1.mlp", "2.mlp", "3.mlp", "4.mlp", "backup"]);
}

#[test]
fn a_full_disk_or_a_read_only_one_is_an_error_with_the_path_and_the_old_file_is_whole() {
    let Some(disk) = Small::mount() else {
        println!("skipped: a small tmpfs can be mounted by root on Linux alone");
        return;
    };
    let path = disk.path("model.mlp");
    let small = params(8).fit(&dataset()).unwrap();
    let large = params(2000).fit(&dataset()).unwrap();
    let old = small.to_bytes().unwrap();
    small.save(&path).unwrap();
    let unchanged = || {
        assert!(fs::read(&path).unwrap() == old);
        assert_eq!(listed(disk.0.path()), ["model.mlp"]);
        assert!(MlpRegressor::<f64>::load(&path).unwrap().to_bytes().unwrap() == old);
    };
    names(&large.save(&path).unwrap_err(), &path);
    unchanged();

    // A checkpoint, a backup: the fit ends with the name of the file.
    let checkpoint = ModelCheckpoint::to(path.to_str().unwrap());
    names(&params(2000).callback(checkpoint).fit(&dataset()).unwrap_err(), &path);
    unchanged();
    let error = params(2000).callback(Backup::to(disk.path("backup"))).fit(&dataset()).unwrap_err();
    assert!(error.to_string().contains("backup"), "{error}");
    assert_eq!(listed(&disk.path("backup")), [""; 0]);
    fs::remove_dir(disk.path("backup")).unwrap();
    unchanged();

    disk.read_only();
    names(&small.save(&path).unwrap_err(), &path);
    names(&write_atomically(disk.path("new"), b"x").unwrap_err(), &disk.path("new"));
    let checkpoint = ModelCheckpoint::to(path.to_str().unwrap());
    names(&params(8).callback(checkpoint).fit(&dataset()).unwrap_err(), &path);
    unchanged();
}

#[test]
#[ignore = "the other tests start it, where no file may become longer than 4 blocks"]
fn saving_in_a_process_of_its_own() {
    params(8).fit(&dataset()).unwrap().save("small.mlp").unwrap_or(());
    let large = params(2000).fit(&dataset()).unwrap();
    names(&large.save("model.mlp").unwrap_err(), Path::new("model.mlp"));
    fs::write("failed as it should", "").unwrap();
}

#[test]
#[cfg(unix)]
fn a_file_that_may_not_grow_leaves_the_old_one_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.mlp");
    let old = params(8).fit(&dataset()).unwrap().to_bytes().unwrap();
    fs::write(&path, &old).unwrap();
    // The system says so by an error instead of a signal.
    let test = of_test("disk::saving_in_a_process_of_its_own", folder.path());
    let limited = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$@\"", "sh"])
        .arg(test.get_program())
        .args(test.get_args())
        .current_dir(folder.path())
        .output()
        .expect("there is a shell");
    assert!(limited.status.success(), "{}", String::from_utf8_lossy(&limited.stderr));
    assert!(fs::read(&path).unwrap() == old);
    let left: Vec<String> = listed(folder.path()).into_iter().filter(|name| name != "small.mlp").collect();
    assert_eq!(left, ["failed as it should", "model.mlp"], "no half of a file");
}

#[test]
fn a_folder_that_is_missing_or_closed_and_a_path_that_is_a_folder_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let model = params(3).fit(&dataset()).unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "old").unwrap();
    let mut places =
        vec![folder.path().to_path_buf(), folder.path().join("missing/a"), file.join("a"), "".into()];
    if cfg!(target_os = "linux") {
        // Not even root makes files there.
        places.push("/proc/self/a".into());
    }
    for place in places {
        names(&model.save(&place).unwrap_err(), &place);
        let error = MlpRegressor::<f64>::load(&place).unwrap_err();
        names(&error, &place);
    }
    assert_eq!(listed(folder.path()), ["file"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");
}
