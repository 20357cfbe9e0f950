//! The Python that stands beside us, if there is one.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The interpreter, when it has these packages; says so when it has not.
pub fn with(packages: &[&str]) -> Option<PathBuf> {
    let Some(python) = std::env::var_os("LINFA_MLP_PYTHON") else {
        println!("skipped: LINFA_MLP_PYTHON names no Python");
        return None;
    };
    let imports = format!("import {}", packages.join(", "));
    let found =
        Command::new(&python).args(["-c", &imports]).output().is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: {} has not all of {}", Path::new(&python).display(), packages.join(", "));
    }
    found.then(|| python.into())
}

/// Runs a script of this folder, and reads what it prints.
pub fn run(python: &Path, script: &str, folder: &Path) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python);
    command.arg(root.join("tests/exchange").join(script)).arg(folder).arg(root.join("src/guide/exchange.md"));
    command.envs([("CUDA_VISIBLE_DEVICES", ""), ("OMP_NUM_THREADS", "1")]);
    let output = command.output().expect("the script starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.lines().last().unwrap_or_default())
        .unwrap_or_else(|_| panic!("{script}: {text}"))
}
