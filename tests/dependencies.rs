//! What the crate stands on: licences that may be used, sources that everybody has, one exception with its reason.
//!
//! `cargo deny check` asks more (`deny.toml`, the step in `.ci/run`); this asks what cargo alone can say, offline.

use std::fs;
use std::path::Path;
use std::process::Command;

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("it is in the repository")
}

/// The licences that `deny.toml` allows.
fn allowed() -> Vec<String> {
    let text = file("deny.toml");
    let list =
        text.split_once("allow = [").expect("a list of licences").1.split_once(']').expect("its end").0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an expression such as `(MIT OR Apache-2.0) AND Unicode-3.0` can be met.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.replace('/', " OR ");
    let all =
        |part: &str| part.split(" AND ").all(|name| allowed.iter().any(|allowed| allowed == name.trim()));
    // A bracket is a choice of its own, met first.
    match (expression.find('('), expression.find(')')) {
        (Some(open), Some(close)) if open < close => {
            let (before, inside, after) =
                (&expression[..open], &expression[open + 1..close], &expression[close + 1..]);
            is_met(inside, allowed) && is_met(&format!("{before}MIT{after}"), allowed)
        }
        _ => expression.split(" OR ").any(all),
    }
}

/// Each dependency on this machine with its licence and, unless it is from the registry, where it comes from.
fn dependencies(features: &[&str]) -> Option<Vec<(String, String)>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--edges", "normal,build", "--prefix", "none", "--format", "{p}|{l}"]);
    let output = cargo.args(features).current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = |line: &str| {
        let (package, licence) = line.trim_end_matches(" (*)").split_once('|').expect("as it was asked for");
        (package.to_owned(), licence.to_owned())
    };
    output.status.success().then(|| text.lines().map(line).collect())
}

#[test]
fn every_dependency_has_a_licence_that_is_allowed_and_comes_from_the_registry() {
    let allowed = allowed();
    let default = dependencies(&[]).expect("what was built can be listed");
    let all = dependencies(&["--all-features"]);
    if all.is_none() {
        println!("not looked at: what features beyond the default ones need, for it is not on this machine");
    }
    let all = all.unwrap_or(default);
    assert!(all.len() > 30, "{}", all.len());
    for (package, licence) in &all {
        assert!(is_met(licence, &allowed), "{package}: {licence:?}");
        let local = package.contains('(') && !package.contains("(proc-macro)");
        assert!(!local || package.starts_with("linfa-mlp "), "{package} is not from the registry");
    }
}

#[test]
fn the_one_exception_is_the_one_that_is_explained() {
    let text = file("deny.toml");
    let advisories: Vec<&str> = text.lines().filter(|line| line.trim().starts_with("\"RUSTSEC-")).collect();
    assert_eq!(advisories, ["    \"RUSTSEC-2025-0141\","]);
    // 3.0.0 is no program; a requirement without bounds would take it.
    assert!(file("Cargo.toml").contains("bincode = { version = \"2.0.1\""));
}

#[test]
fn expressions_of_licences_are_read_as_they_are_meant() {
    let allowed = ["MIT", "ISC", "Zlib"].map(str::to_owned);
    for met in ["MIT", "GPL-3.0 OR MIT", "MIT/Apache-2.0", "MIT AND ISC", "(GPL-3.0 OR MIT) AND Zlib"] {
        assert!(is_met(met, &allowed), "{met}");
    }
    for not in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "(MIT OR ISC) AND GPL-3.0",
        "(GPL-3.0 OR AGPL-3.0) AND MIT",
        "MITX",
    ] {
        assert!(!is_met(not, &allowed), "{not}");
    }
}
