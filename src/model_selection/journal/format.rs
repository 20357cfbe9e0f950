//! The lines of a journal.
//!
//! A line is the CRC-32C of its JSON in eight hexadecimal digits, a space, the JSON, a line break. JSON has no line break
//! inside, so a record that was cut has no end, and nothing can be taken for the beginning of the next one.

use std::io::{self, BufRead, Read};

use serde::{Deserialize, Serialize};

use super::identity::{Study, TaskKey};
use crate::model_selection::results::FitRow;

/// How a journal begins, before the format's version.
const MAGIC: &str = "linfa-mlp journal ";

/// The version that this crate writes, the only one so far.
const VERSION: u32 = 1;

/// The longest line that is written or read: a row with the curve of a very long fit has room, and a file that is no journal
/// does not fill the memory.
pub(super) const LONGEST: usize = 64 << 20;

/// What a line holds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    Study(Study),
    Fit(Box<Fit>),
}

/// A finished fit.
#[derive(Debug, Deserialize)]
pub(super) struct Fit {
    pub task: TaskKey,
    pub row: FitRow,
}

/// A record on its way into the file. The candidate's parameters are for those who read it.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Written<'a> {
    Study(&'a Study),
    Fit { task: &'a TaskKey, params: &'a crate::model_selection::results::Params, row: &'a FitRow },
}

/// The first line.
pub(super) fn magic() -> String {
    format!("{MAGIC}{VERSION}\n")
}

/// The line of a record.
pub(super) fn line(record: &Written<'_>) -> serde_json::Result<String> {
    let json = serde_json::to_string(record)?;
    Ok(format!("{:08x} {json}\n", crc32c::crc32c(json.as_bytes())))
}

/// A line as it was read.
pub(super) enum Line {
    /// The file is at its end.
    End,
    /// A line and its line break.
    Whole(Vec<u8>),
    /// The file ends without a line break.
    Cut(Vec<u8>),
    /// There is no line break as far as a line may reach.
    TooLong,
}

pub(super) fn next_line(reader: &mut impl BufRead) -> io::Result<Line> {
    let mut bytes = Vec::new();
    reader.by_ref().take(LONGEST as u64).read_until(b'\n', &mut bytes)?;
    Ok(match bytes.last() {
        None => Line::End,
        Some(b'\n') => Line::Whole(bytes),
        Some(_) if bytes.len() < LONGEST => Line::Cut(bytes),
        Some(_) => Line::TooLong,
    })
}

/// What the first line says.
#[derive(Debug, PartialEq)]
pub(super) enum Opening {
    /// A journal of a version that can be read.
    Journal,
    /// The beginning of one that was cut.
    Cut,
    /// Another version.
    Version(String),
    /// Something else.
    Foreign,
}

pub(super) fn opening(line: &Line) -> Opening {
    let magic = magic();
    match line {
        Line::End => Opening::Cut,
        Line::Cut(bytes) if magic.as_bytes().starts_with(bytes) => Opening::Cut,
        Line::Whole(bytes) if bytes == magic.as_bytes() => Opening::Journal,
        Line::Whole(bytes) => {
            let text = std::str::from_utf8(bytes).ok().and_then(|text| text.strip_prefix(MAGIC));
            let number = text.and_then(|text| text.strip_suffix('\n')?.parse::<u32>().ok());
            number.map_or(Opening::Foreign, |number| Opening::Version(number.to_string()))
        }
        Line::Cut(_) | Line::TooLong => Opening::Foreign,
    }
}

/// Why a whole line is no record.
#[derive(Debug)]
pub(super) enum Problem {
    /// Its bytes are not the ones that were written.
    Damage,
    /// They are, but mean nothing here.
    Unknown(serde_json::Error),
}

/// The record of a whole line.
pub(super) fn record(line: &[u8]) -> Result<Record, Problem> {
    let text = line.strip_suffix(b"\n").ok_or(Problem::Damage)?;
    let (checksum, json) = text.split_at_checked(9).ok_or(Problem::Damage)?;
    if checksum != format!("{:08x} ", crc32c::crc32c(json)).as_bytes() {
        return Err(Problem::Damage);
    }
    serde_json::from_slice(json).map_err(Problem::Unknown)
}

#[cfg(test)]
mod tests {
    use super::super::digest::Digester;
    use super::*;
    use crate::model_selection::observer::Task;
    use crate::model_selection::results::{FitStatus, ParamValue, Params};

    fn example() -> (TaskKey, FitRow, String) {
        let task = TaskKey::whole(Digester::new().digest(), 3);
        let mut row = FitRow::started(Task::new(5, Some(3)), 8, 4, 2);
        row.status = FitStatus::Failed { message: "no\n\"room\"".into() };
        row.test_scores = vec![0.1 + 0.2, -0.0];
        let params = Params::default().with("rate", ParamValue::of_axis(&[0.25]).unwrap().remove(0));
        let line = line(&Written::Fit { task: &task, params: &params, row: &row }).unwrap();
        (task, row, line)
    }

    #[test]
    fn a_record_is_one_line_and_reads_back() {
        let (task, row, line) = example();
        assert!(line.contains(r#""params":{"rate":0.25}"#), "{line}");
        assert_eq!(line.matches('\n').count(), 1);
        let Ok(Record::Fit(fit)) = record(line.as_bytes()) else { panic!("{line}") };
        assert_eq!((fit.task, fit.row), (task, row));
    }

    #[test]
    fn every_cut_and_every_flipped_bit_of_a_line_is_seen() {
        let (_, _, line) = example();
        for len in 0..line.len() {
            assert!(matches!(record(&line.as_bytes()[..len]), Err(Problem::Damage)), "cut to {len}");
        }
        for bit in 0..line.len() * 8 {
            let mut damaged = line.clone().into_bytes();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(record(&damaged), Err(Problem::Damage)), "bit {bit}");
        }
    }

    #[test]
    fn records_of_fits_gain_fields_and_stay_readable() {
        let (task, row, line) = example();
        // A field that a later version knows is left out; one that is missing has its default.
        let json = line[9..].trim_end().replacen(r#""fold":3,"replicate":0"#, r#""fold":3,"later":[1]"#, 1);
        assert!(json.contains("later"), "{json}");
        let longer = format!("{:08x} {json}\n", crc32c::crc32c(json.as_bytes()));
        let Ok(Record::Fit(fit)) = record(longer.as_bytes()) else { panic!("{longer}") };
        assert_eq!((fit.row, fit.task), (row, task));
        let unknown = format!("{:08x} {}\n", crc32c::crc32c(b"{\"rung\":1}"), "{\"rung\":1}");
        assert!(matches!(record(unknown.as_bytes()), Err(Problem::Unknown(_))));
    }

    #[test]
    fn the_first_line_says_whether_it_is_a_journal() {
        let of = |text: &str| opening(&next_line(&mut text.as_bytes()).unwrap());
        assert_eq!(of("linfa-mlp journal 1\n0"), Opening::Journal);
        for cut in 0..magic().len() {
            assert_eq!(of(&magic()[..cut]), Opening::Cut);
        }
        assert_eq!(of("linfa-mlp journal 2\n"), Opening::Version("2".into()));
        for foreign in
            ["candidate,fold\n", "candidate", "\n", "linfa-mlp journal \n", "linfa-mlp journal x\n"]
        {
            assert_eq!(of(foreign), Opening::Foreign, "{foreign:?}");
        }
    }
}
