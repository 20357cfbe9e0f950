//! What is asked of every reader.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use linfa_mlp::rng::Stream;

use crate::allocator::peak;
use crate::mutate::mutated;

/// A reader under test.
pub struct Reader {
    pub name: &'static str,
    /// Whole files that it reads.
    pub seeds: Vec<Vec<u8>>,
    /// Reads bytes; what it has read, in a form that tells it from anything else, or none for an error. What it does with
    /// what was read, such as a step of training, belongs to the case, too.
    pub read: Box<dyn Fn(&[u8]) -> Option<Vec<u8>>>,
    /// Makes checksums right again, where the format has any. Without these damage has to be seen: what is read
    /// then is one of the seeds.
    pub repair: Option<fn(&mut Vec<u8>)>,
    /// Bytes that may be held at once for each byte of the file, beside [`BASE`]. Also for what is done with what was read.
    pub factor: u64,
    /// One case in so many is tried: readers that make a whole search take their time.
    pub slowness: u64,
}

/// What came of the cases.
#[derive(Default)]
pub struct Tally {
    pub cases: u64,
    pub accepted: u64,
    pub refused: u64,
    /// The most bytes held at once beyond [`BASE`], for each byte of the file.
    most: f64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { cases, accepted, refused, most } = self;
        write!(f, "{cases:8} cases: {accepted:8} read, {refused:8} refused, {most:8.1} bytes for a byte")
    }
}

/// What may be held whatever the file's length: serde takes up to a mebibyte for a list before it sees the elements, and there
/// are lists of lists.
const BASE: u64 = 4 << 20;

impl Reader {
    /// A reader of files without checksums, of which every byte may be another value.
    pub fn new(
        name: &'static str,
        seeds: Vec<Vec<u8>>,
        read: impl Fn(&[u8]) -> Option<Vec<u8>> + 'static,
    ) -> Self {
        Reader { name, seeds, read: Box::new(read), repair: None, factor: 64, slowness: 1 }
    }

    pub fn sealed_by(self, repair: fn(&mut Vec<u8>)) -> Self {
        Reader { repair: Some(repair), ..self }
    }

    pub fn factor(self, factor: u64) -> Self {
        Reader { factor, ..self }
    }

    pub fn slow(self, slowness: u64) -> Self {
        Reader { slowness, ..self }
    }

    /// Tries so many cases, and the seeds themselves.
    ///
    /// # Panics
    ///
    /// At the first case that breaks a promise, with what is needed to try it again.
    pub fn fuzz(&self, seed: u64, cases: u64) -> Tally {
        let whole: Vec<Vec<u8>> = self
            .seeds
            .iter()
            .map(|seed| (self.read)(seed).unwrap_or_else(|| panic!("{} cannot read its seed", self.name)))
            .collect();
        let mut tally = Tally { cases, ..Tally::default() };
        for case in 0..cases {
            let mut stream = Stream::new(seed).named(self.name).at(case);
            let mut bytes = mutated(&mut stream, &self.seeds);
            let repaired = self.repair.filter(|_| stream.below(3) > 0);
            if let Some(repair) = repaired {
                repair(&mut bytes);
            }
            let place = || format!("{}, case {case} of seed {seed}", self.name);
            let (read, held) = peak(|| catch_unwind(AssertUnwindSafe(|| (self.read)(&bytes))));
            let Ok(read) = read else { panic!("{}: a panic", place()) };
            let length = bytes.len() as u64;
            assert!(
                held <= self.factor * length + BASE,
                "{}: {held} bytes held for a file of {length}, and {} allowed for each",
                place(),
                self.factor
            );
            tally.most = tally.most.max(held.saturating_sub(BASE) as f64 / length.max(1) as f64);
            match read {
                Some(read) => {
                    tally.accepted += 1;
                    let damaged = self.repair.is_some() && repaired.is_none();
                    assert!(!damaged || whole.contains(&read), "{}: a damaged file is believed", place());
                }
                None => tally.refused += 1,
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(read: impl Fn(&[u8]) -> Option<Vec<u8>> + 'static) -> Reader {
        Reader::new("broken", vec![vec![9; 64]], read)
    }

    fn complaint(reader: &Reader) -> String {
        let caught = catch_unwind(AssertUnwindSafe(|| reader.fuzz(0, 200))).err().expect("it is found");
        *caught.downcast::<String>().expect("a text")
    }

    #[test]
    fn a_reader_that_panics_takes_too_much_or_believes_is_found() {
        let panics = broken(|bytes| {
            assert!(bytes.len() >= 60, "as a careless reader does");
            Some(vec![])
        });
        assert!(complaint(&panics).ends_with("a panic"));
        let takes = broken(|bytes| {
            let length = if bytes.starts_with(&[9; 8]) { 1 } else { 9 << 20 };
            Some(vec![1; std::hint::black_box(length)][..1].to_vec())
        });
        assert!(complaint(&takes).contains("bytes held for a file of"));
        let believes = broken(|bytes| Some(bytes.to_vec())).sealed_by(|_| ());
        assert!(complaint(&believes).ends_with("a damaged file is believed"));
    }
}
