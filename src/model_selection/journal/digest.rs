//! Digests: a few bytes that stand for many.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::rng::Stream;

/// 128 bits that stand for a sequence of words, written as 32 hexadecimal digits. Two sequences that differ by accident
/// have different digests; it is no protection against somebody who looks for two that have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(u128);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digest = u128::from_str_radix(&text, 16).map(Digest).map_err(de::Error::custom)?;
        // Signs, capitals and missing zeros are nothing that was ever written.
        if digest.to_string() == text { Ok(digest) } else { Err(de::Error::custom("no digest")) }
    }
}

/// Takes words one after the other; their order counts.
///
/// Each of two streams moves on to the one below it with the word as its index. A stream's key is 64 bits wide, and both
/// would have to meet at the same word.
#[derive(Clone)]
pub(crate) struct Digester([Stream; 2]);

impl Digester {
    pub(crate) fn new() -> Self {
        Digester([Stream::new(0).named("digest"), Stream::new(1).named("digest")])
    }

    pub(crate) fn word(&mut self, word: u64) {
        self.0 = self.0.map(|stream| stream.at(word));
    }

    pub(crate) fn words(&mut self, words: &[usize]) {
        self.word(words.len() as u64);
        words.iter().for_each(|&word| self.word(word as u64));
    }

    /// A number by its bits: 0 and -0 differ, all NaN are one.
    pub(crate) fn number(&mut self, number: f64) {
        self.word(if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() });
    }

    /// A text and its end, so that "ab", "c" is not "a", "bc".
    pub(crate) fn text(&mut self, text: impl fmt::Display) {
        let mut letters = Letters { digester: self, word: 0, bytes: 0 };
        // A digester never fails, so the only errors are those of a foreign `Display`: what came before it counts.
        let _ = fmt::Write::write_fmt(&mut letters, format_args!("{text}"));
        let (rest, bytes) = (letters.word, letters.bytes);
        self.word(rest);
        self.word(bytes);
    }

    pub(crate) fn digest(&self) -> Digest {
        let [high, low] = self.0.map(|stream| u128::from(stream.value(0)));
        Digest((high << 64) | low)
    }
}

/// Packs a text's bytes eight to a word, as they come and without keeping them.
struct Letters<'a> {
    digester: &'a mut Digester,
    word: u64,
    bytes: u64,
}

impl fmt::Write for Letters<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            self.word = (self.word << 8) | u64::from(byte);
            self.bytes += 1;
            if self.bytes.is_multiple_of(8) {
                self.digester.word(self.word);
                self.word = 0;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(take: impl FnOnce(&mut Digester)) -> String {
        let mut digester = Digester::new();
        take(&mut digester);
        digester.digest().to_string()
    }

    #[test]
    fn every_bit_of_every_word_counts_and_so_does_the_order() {
        let words = [3_u64, 0, u64::MAX, 0];
        let all = |words: &[u64]| of(|digester| words.iter().for_each(|&word| digester.word(word)));
        let mut seen = std::collections::BTreeSet::from([all(&words), all(&words[..3]), all(&[0, 3])]);
        for bit in 0..256 {
            let mut other = words;
            other[bit / 64] ^= 1 << (bit % 64);
            assert!(seen.insert(all(&other)), "bit {bit}");
        }
        assert_ne!(all(&[1, 2]), all(&[2, 1]));
    }

    #[test]
    fn texts_end_and_numbers_are_their_bits() {
        let texts = |texts: &[&str]| of(|digester| texts.iter().for_each(|text| digester.text(text)));
        assert_ne!(texts(&["ab", "c"]), texts(&["a", "bc"]));
        assert_ne!(texts(&["12345678"]), texts(&["12345678", ""]));
        // In one piece or in many: only the bytes count.
        assert_eq!(texts(&["1.5 and 2"]), of(|digester| digester.text(format_args!("{} and {}", 1.5, 2))));
        let number = |number| of(|digester| digester.number(number));
        assert_ne!(number(0.0), number(-0.0));
        assert_eq!(number(f64::NAN), number(-f64::NAN));
    }

    #[test]
    fn digests_keep_their_values_and_read_back() {
        // Journals depend on it: another value here is another format version.
        let digest = of(|digester| digester.text("linfa"));
        assert_eq!(digest, LINFA);
        let read = |text: &str| serde_json::from_str::<Digest>(&format!("\"{text}\"")).map(|d| d.to_string());
        assert_eq!(read(&digest).unwrap(), digest);
        for wrong in ["", "12", &digest[1..], &digest.to_uppercase(), &format!("+{}", &digest[1..])] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    const LINFA: &str = "48b3cfdcd5cb6326a3b8b15c0a555f17";
}
