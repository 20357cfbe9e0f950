//! Tables of text.

use std::path::PathBuf;

use csv::{ErrorKind, ReaderBuilder, StringRecord};
use linfa::Dataset;
use ndarray::{Array1, Array2, Ix1};

use super::content::Content;
use crate::error::{Error, Result, check};
use crate::float::Float;

/// A CSV file with a target and features that are numbers.
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | [`separator`](Self::separator) | `,` | one ASCII character |
/// | [`header`](Self::header) | true | whether the first line has the names of the columns; else they are `1`, `2` … |
/// | [`target`](Self::target) | the last column | the column to predict, by its name |
///
/// Cells may be quoted, and have blanks around them. An empty cell, NaN or an infinity is no number here: what is missing
/// must be filled in or left out before.
///
/// # Examples
///
/// ```
/// use linfa_mlp::datasets::Csv;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("flowers.csv");
/// std::fs::write(&path, "petal;kind;sepal\n1.4;setosa;5.1\n4.7;\"versicolor\";7.0\n")?;
/// let flowers = Csv::file(&path).separator(';').target("kind").classification::<f32>()?;
/// assert_eq!(flowers.feature_names(), ["petal", "sepal"]);
/// assert_eq!(flowers.targets.to_vec(), ["setosa", "versicolor"]);
///
/// let error = Csv::file(&path).separator(';').regression::<f32>().unwrap_err(); // the last column: sepal
/// assert!(error.to_string().contains("line 2, column kind"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Csv {
    path: PathBuf,
    separator: char,
    header: bool,
    target: Option<String>,
}

impl Csv {
    /// A file, also a gzipped one (feature `gzip`); it is read when a data set is asked for.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Csv { path: path.into(), separator: ',', header: true, target: None }
    }

    /// What stands between two cells.
    pub fn separator(mut self, separator: char) -> Self {
        self.separator = separator;
        self
    }

    /// Whether the first line has the names of the columns.
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// The column to predict, by its name.
    pub fn target(mut self, name: impl Into<String>) -> Self {
        self.target = Some(name.into());
        self
    }

    /// Reads a data set whose target is a number.
    ///
    /// # Errors
    ///
    /// - [`Error::Parameter`]: a separator that cannot be one; a target that is no column.
    /// - [`Error::File`]: the file cannot be read.
    /// - [`Error::DataFile`]: lines of different lengths, text that is not UTF-8, no rows, no features.
    /// - [`Error::Cell`]: a cell that is no finite number.
    pub fn regression<F: Float>(&self) -> Result<Dataset<F, F, Ix1>> {
        self.read(|cell| number(cell).ok_or(NUMBER))
    }

    /// Reads a data set whose target is a label; blanks around it are left out.
    ///
    /// # Errors
    ///
    /// As [`regression`](Self::regression), and [`Error::Cell`] for a label that is empty.
    pub fn classification<F: Float>(&self) -> Result<Dataset<F, String, Ix1>> {
        self.read(|cell| if cell.is_empty() { Err("a label") } else { Ok(cell.to_owned()) })
    }

    fn read<F: Float, T>(
        &self,
        target_of: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Result<Dataset<F, T, Ix1>> {
        let apart = self.separator.is_ascii() && !"\"\r\n".contains(self.separator);
        let separator = u8::try_from(self.separator).ok().filter(|_| apart);
        check("separator", format!("{:?}", self.separator), apart, "an ASCII character that is no quote")?;
        let content = Content::open("CSV", &self.path)?;
        let mut reader = ReaderBuilder::new()
            .delimiter(separator.unwrap_or(b','))
            .has_headers(self.header)
            .trim(csv::Trim::All)
            .from_reader(content.into_reader());
        let names = self.names(reader.headers().map_err(|error| self.error(&error))?);
        let target = self.place_of_target(&names)?;
        let (mut x, mut y) = (Vec::new(), Vec::new());
        let mut cells = StringRecord::new();
        while reader.read_record(&mut cells).map_err(|error| self.error(&error))? {
            for (place, cell) in cells.iter().enumerate() {
                let wrong = if place == target {
                    target_of(cell).map(|value| y.push(value)).err()
                } else {
                    number(cell).map(|value| x.push(value)).is_none().then_some(NUMBER)
                };
                if let Some(allowed) = wrong {
                    let line = cells.position().map_or(0, csv::Position::line);
                    let (column, found) = (names[place].clone(), cell.to_owned());
                    return Err(Error::Cell { path: self.path.clone(), line, column, found, allowed });
                }
            }
        }
        if y.is_empty() {
            return Err(self.fail("it has no rows".into()));
        }
        let shape = (y.len(), names.len() - 1);
        let x = Array2::from_shape_vec(shape, x).map_err(|error| self.fail(error.to_string()))?;
        let mut features = names;
        let target = features.remove(target);
        Ok(Dataset::new(x, Array1::from(y)).with_feature_names(features).with_target_names(vec![target]))
    }

    /// The names of the columns; without a header, their numbers from 1.
    fn names(&self, first: &StringRecord) -> Vec<String> {
        let numbered = |place: usize| (place + 1).to_string();
        first
            .iter()
            .enumerate()
            .map(|(place, name)| if self.header { name.to_owned() } else { numbered(place) })
            .collect()
    }

    fn place_of_target(&self, names: &[String]) -> Result<usize> {
        if names.len() < 2 {
            let found = format!("its first line has {} cells, not a target and a feature", names.len());
            return Err(self.fail(found));
        }
        match &self.target {
            None => Ok(names.len() - 1),
            Some(target) => names.iter().position(|name| name == target).ok_or_else(|| {
                Error::parameter("target", format!("{target:?}"), format!("one of {}", names.join(", ")))
            }),
        }
    }

    fn fail(&self, problem: String) -> Error {
        Error::DataFile { kind: "CSV", path: self.path.clone(), problem }
    }

    fn error(&self, error: &csv::Error) -> Error {
        let line = error.position().map_or(0, csv::Position::line);
        match error.kind() {
            ErrorKind::UnequalLengths { expected_len, len, .. } => {
                self.fail(format!("line {line} has {len} cells, not {expected_len} as the first one"))
            }
            ErrorKind::Utf8 { .. } => self.fail(format!("line {line} is not UTF-8")),
            _ => self.fail(error.to_string()),
        }
    }
}

const NUMBER: &str = "a finite number";

fn number<F: Float>(cell: &str) -> Option<F> {
    let value: f64 = cell.parse().ok()?;
    // A number may be finite as f64 and not as f32.
    Some(F::of(value)).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn with<T>(text: impl AsRef<[u8]>, read: impl Fn(Csv) -> T) -> T {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        std::fs::write(&path, text).unwrap();
        read(Csv::file(path))
    }

    fn regression(text: impl AsRef<[u8]>) -> Result<Dataset<f32, f32, Ix1>> {
        with(text, |csv| csv.regression())
    }

    #[test]
    fn quotes_blanks_marks_and_missing_newlines_do_not_matter() {
        let plain = regression("a,b\n1,2\n3,4\n").unwrap();
        for text in [
            "a,b\r\n1,2\r\n3,4\r\n",
            "\"a\",\"b\"\n\"1\",2\n3,\"4\"",
            " a , b \n 1 , 2 \n\n 3,4",
            "\u{FEFF}a,b\n1,2\n3,4",
        ] {
            let found = regression(text).unwrap();
            assert_eq!((&found.records, &found.targets), (&plain.records, &plain.targets), "{text:?}");
            assert_eq!(found.feature_names(), ["a"], "{text:?}");
            assert_eq!(found.target_names(), ["b"], "{text:?}");
        }
    }

    #[test]
    fn a_file_without_header_has_numbered_columns() {
        let found = with("1,2,3\n4,5,6\n", |csv| csv.header(false).target("1").regression::<f64>()).unwrap();
        assert_eq!(found.records, array![[2.0, 3.0], [5.0, 6.0]]);
        assert_eq!(
            (found.targets.to_vec(), found.feature_names().to_vec()),
            (vec![1.0, 4.0], vec!["2".into(), "3".into()])
        );
    }

    #[test]
    fn a_wrong_cell_is_named_by_line_and_column() {
        for cell in ["", "?", "nan", "inf", "-infinity", "1e400", "1e39", "1,5", "0x10"] {
            let text = format!("a,b,y\n1,2,3\n4,\"{cell}\",6\n");
            match regression(&text).unwrap_err() {
                Error::Cell { line: 3, column, found, allowed: "a finite number", .. } => {
                    assert_eq!((column.as_str(), found.as_str()), ("b", cell));
                }
                other => panic!("{cell}: {other}"),
            }
        }
        let label = with("a,y\n1,\n", |csv| csv.classification::<f32>()).unwrap_err();
        assert!(matches!(&label, Error::Cell { line: 2, column, .. } if column == "y"), "{label}");
    }

    #[test]
    fn a_file_that_is_no_table_says_why() {
        let text = |bytes: &[u8]| regression(bytes).unwrap_err().to_string();
        assert!(text(b"").contains("0 cells"), "{}", text(b""));
        assert!(text(b"a,b\n").contains("it has no rows"));
        assert!(text(b"a\n1\n").contains("1 cells, not a target and a feature"));
        assert!(text(b"a,b\n1,2\n3\n").contains("line 3 has 1 cells, not 2"));
        assert!(text(b"a,b\n1,2,3\n").contains("line 2 has 3 cells, not 2"));
        assert!(text(b"a,b\n1,\xFF\n").contains("line 2 is not UTF-8"), "{}", text(b"a,b\n1,\xFF\n"));
        let missing = Csv::file("no such file.csv").regression::<f32>().unwrap_err();
        assert!(matches!(missing, Error::File { .. }), "{missing}");
    }

    #[test]
    fn settings_are_checked() {
        let error = with("a,b\n1,2\n", |csv| csv.target("c").regression::<f32>()).unwrap_err();
        assert_eq!(error.to_string(), "target must be one of a, b, but is \"c\"");
        for separator in ['"', '\n', 'é'] {
            let error = with("a,b\n1,2\n", |csv| csv.separator(separator).regression::<f32>()).unwrap_err();
            assert!(matches!(error, Error::Parameter { .. }), "{error}");
        }
    }
}
