//! This program once more, as a process of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A command that runs one of the ignored tests in a folder, alone.
pub fn of_test(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a test knows its own path"));
    command.args(["--ignored", "--exact", name, "--nocapture"]).current_dir(folder);
    command
}

/// Starts it without a word.
pub fn start(name: &str, folder: &Path) -> Child {
    let mut command = of_test(name, folder);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the test starts itself")
}

/// Waits until the process ends, or the moment to kill it has come. Says whether it was killed.
pub fn killed_when(child: &mut Child, moment: impl Fn() -> bool) -> bool {
    loop {
        if let Some(status) = child.try_wait().expect("the process can be waited for") {
            assert!(status.success(), "the process failed by itself: {status}");
            return false;
        }
        if moment() {
            child.kill().expect("the process can be killed");
            return !child.wait().expect("the process ends").success();
        }
        std::thread::sleep(Duration::from_micros(100));
    }
}
