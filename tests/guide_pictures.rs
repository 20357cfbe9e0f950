//! The guide's pictures are SVG files, which are shown where its chapters are read as files. The pages of rustdoc are one file each, so
//! `pictures.md` has the same pictures as text: this test keeps the two equal.
//!
//! ```text
//! LINFA_MLP_WRITE=1 cargo test --test guide_pictures        # after a picture has changed
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn guide() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide")
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let number = (0..3).fold(0_u32, |number, i| number << 8 | u32::from(*chunk.get(i).unwrap_or(&0)));
        for i in 0..4 {
            let digit = ALPHABET[(number >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// The pictures by their names.
fn pictures() -> BTreeMap<String, String> {
    let files = fs::read_dir(guide().join("pictures")).expect("the folder of pictures");
    let paths = files.map(|file| file.expect("a file").path());
    let pictures = paths.filter(|path| path.extension().is_some_and(|extension| extension == "svg"));
    pictures
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("an SVG is text"))
        })
        .collect()
}

#[test]
fn pages_show_the_pictures_of_the_files() {
    let path = guide().join("pictures/pictures.md");
    let expected: String = pictures()
        .iter()
        .map(|(name, svg)| format!("[{name}]: data:image/svg+xml;base64,{}\n", base64(svg.as_bytes())))
        .collect();
    if std::env::var_os("LINFA_MLP_WRITE").is_some() {
        fs::write(&path, &expected).expect("pictures.md can be written");
    }
    let found = fs::read_to_string(path).expect("pictures.md");
    let lines =
        |text: &str| text.lines().map(|line| line[..line.len().min(40)].to_owned()).collect::<Vec<_>>();
    assert!(
        found == expected,
        "LINFA_MLP_WRITE=1 brings {:?} up to date: {:?}",
        lines(&found),
        lines(&expected)
    );
}

#[test]
fn every_picture_is_small_and_is_shown() {
    let chapters: String = ["practical.md", "honest_search.md"]
        .iter()
        .map(|chapter| fs::read_to_string(guide().join(chapter)).expect("a chapter"))
        .collect();
    let pictures = pictures();
    for (name, svg) in &pictures {
        assert!(svg.starts_with("<svg") && svg.len() < 60_000, "{name}: {} bytes", svg.len());
        assert!(chapters.contains(&format!("][{name}]")), "{name} is shown nowhere");
        assert!(
            chapters.contains(&format!("[{name}]: pictures/{name}.svg\n")),
            "{name} has no file beside its page"
        );
    }
    let shown = chapters.lines().filter(|line| line.starts_with("![")).count();
    assert_eq!(shown, pictures.len(), "a picture is shown that is not there");
}

#[test]
fn base64_is_that_of_the_standard() {
    // RFC 4648, section 10.
    for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
        assert_eq!(base64(bytes.as_bytes()), text);
    }
}
