//! The guide's pictures are SVG files, and a photograph of TensorBoard's page; they are shown where its chapters are read as files. The pages
//! of rustdoc are one file each, so `pictures.md` has the same pictures as text: this test keeps the two equal.
//! It also follows the links from chapter to chapter.
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

struct Picture {
    /// `svg` or `png`.
    kind: String,
    bytes: Vec<u8>,
}

/// The pictures by their names.
fn pictures() -> BTreeMap<String, Picture> {
    let files = fs::read_dir(guide().join("pictures")).expect("the folder of pictures");
    let paths = files.map(|file| file.expect("a file").path());
    let pictures = paths.filter_map(|path| {
        let name = path.file_stem()?.to_string_lossy().into_owned();
        let kind = path.extension()?.to_string_lossy().into_owned();
        let bytes = fs::read(&path).expect("a picture can be read");
        ["svg", "png"].contains(&&*kind).then_some((name, Picture { kind, bytes }))
    });
    pictures.collect()
}

#[test]
fn pages_show_the_pictures_of_the_files() {
    let path = guide().join("pictures/pictures.md");
    let expected: String = pictures()
        .iter()
        .map(|(name, Picture { kind, bytes })| {
            let medium = if kind == "svg" { "svg+xml" } else { kind };
            format!("[{name}]: data:image/{medium};base64,{}\n", base64(bytes))
        })
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
    for (name, Picture { kind, bytes }) in &pictures {
        let begins: &[u8] = if kind == "svg" { b"<svg" } else { b"\x89PNG" };
        assert!(bytes.starts_with(begins) && bytes.len() < 60_000, "{name}: {} bytes", bytes.len());
        assert!(chapters.contains(&format!("][{name}]")), "{name} is shown nowhere");
        assert!(
            chapters.contains(&format!("[{name}]: pictures/{name}.{kind}\n")),
            "{name} has no file beside its page"
        );
    }
    let shown = chapters.lines().filter(|line| line.starts_with("![")).count();
    assert_eq!(shown, pictures.len(), "a picture is shown that is not there");
}

/// The chapters in their order, as `links.md` has them for the pages of rustdoc.
fn chapters() -> Vec<String> {
    let links = fs::read_to_string(guide().join("links.md")).expect("links.md");
    let chapter = |line: &str| Some(line.split_once("]: crate::guide::")?.1.to_owned());
    links.lines().filter_map(chapter).collect()
}

#[test]
fn every_chapter_leads_to_its_neighbours_as_page_and_as_file() {
    let chapters = chapters();
    let page = fs::read_to_string(guide().join("mod.rs")).expect("mod.rs");
    let order: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("pub mod ")?.split(' ').next()).collect();
    assert_eq!(order[..chapters.len()], chapters, "chapters stand in the order of links.md");
    for (place, name) in chapters.iter().enumerate() {
        let text = fs::read_to_string(guide().join(format!("{name}.md"))).expect("a chapter");
        let (_, foot) = text.rsplit_once("\n---\n").expect("the foot of a chapter");
        let neighbours = [place.checked_sub(1), Some(place + 1)];
        for neighbour in neighbours.into_iter().flatten().filter_map(|place| chapters.get(place)) {
            assert!(foot.contains(&format!("][{neighbour}]")), "{name} does not lead to {neighbour}");
        }
        let (mut links, mut own) = (Vec::new(), Vec::new());
        for line in text.lines() {
            match line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
                Some((label, file)) => own.push((label, file)),
                None => {
                    links.extend(chapters.iter().filter(|chapter| line.contains(&format!("[{chapter}]"))))
                }
            }
        }
        for link in links {
            assert!(own.contains(&(link, &*format!("{link}.md"))), "{name}: [{link}] leads to no file");
        }
        assert!(!text.contains("(crate::guide::"), "{name}: a file has no such link");
    }
}

#[test]
fn base64_is_that_of_the_standard() {
    // RFC 4648, section 10.
    for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
        assert_eq!(base64(bytes.as_bytes()), text);
    }
}
