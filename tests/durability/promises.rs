//! The table of promises names tests that there are.

use std::fs;
use std::path::Path;

/// A test as the table names it: `tests/durability/disk.rs::a_sentence`.
fn exists(root: &Path, name: &str) -> bool {
    let Some((file, test)) = name.split_once("::") else { return root.join(name).exists() };
    let text = fs::read_to_string(root.join(file)).unwrap_or_default();
    text.contains(&format!("fn {test}("))
}

#[test]
fn every_promise_of_the_guide_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("src/guide/promises.md")).unwrap();
    let rows: Vec<&str> =
        page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise")).collect();
    let rows: Vec<&str> = rows.into_iter().filter(|line| !line.starts_with("| ---")).collect();
    assert!(rows.len() >= 20, "{}", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 3, "promise, proof, figure: {row}");
        let proofs: Vec<&str> = cells[1].split('`').skip(1).step_by(2).collect();
        assert!(!proofs.is_empty(), "no proof: {row}");
        for proof in proofs {
            assert!(exists(root, proof), "{proof} is not there: {row}");
        }
        assert!(!cells[2].is_empty(), "no figure: {row}");
    }
    assert!(!exists(root, "tests/durability/disk.rs::a_test_that_nobody_wrote"));
    assert!(!exists(root, "tests/no_such_file.rs"));
}

/// The sources below a folder.
fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[test]
fn unsafe_code_is_in_the_kernel_room_alone_and_each_block_says_why_it_is_sound() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut blocks = 0;
    for path in sources(&root.join("src")) {
        let name = path.strip_prefix(root).expect("it is below").to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(&path).expect("it can be read");
        let lines: Vec<&str> = text.lines().collect();
        for (place, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let words = || code.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
            if !words().any(|word| word == "unsafe") {
                continue;
            }
            assert!(
                name.starts_with("src/kernel/"),
                "{name}:{}: unsafe outside of the kernel room",
                place + 1
            );
            blocks += usize::from(code.contains("unsafe {") || code.contains("unsafe impl"));
        }
        let allows =
            text.lines().any(|line| line.trim().starts_with("#") && line.contains("allow(unsafe_code"));
        assert!(!allows || name.starts_with("src/kernel/"), "{name} allows unsafe code");
    }
    assert!(blocks > 10, "{blocks} blocks: this test looks at the wrong files");
    // That each of them has its comment is clippy's to see.
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
    for lint in ["unsafe_code = \"deny\"", "undocumented_unsafe_blocks = \"deny\""] {
        assert!(manifest.contains(lint), "{lint}");
    }
}
