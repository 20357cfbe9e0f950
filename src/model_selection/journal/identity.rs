//! What a journal or a shared store belongs to, and which fit a row is of.
//!
//! The **study** is everything that all fits share. It is written down once, and a search with another study is refused.
//! A **task** is one fit: the candidate by its content, the fold, and how far it was trained. A candidate's number is
//! no part of it, so that a wider grid finds what a narrower one has done.

use std::any::type_name;
use std::fmt::Debug;

use linfa::Float;
use linfa::dataset::TargetDim;
use serde::{Deserialize, Serialize};

use super::Journal;
use super::digest::{Digest, Digester};
use crate::error::{Error, Result};
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::fit::continue_rows::Goal;
use crate::model_selection::fit::data_view::{DataView, columns};
use crate::model_selection::fit::target::Target;
use crate::model_selection::results::Params;

/// Stands for code that has no settings, and says whose it is: `journal` …
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag<'a> {
    pub of: &'static str,
    pub text: Option<&'a str>,
}

impl<'a> From<&'a Journal> for Tag<'a> {
    fn from(journal: &'a Journal) -> Self {
        Tag { of: "journal", text: journal.tag.as_deref() }
    }
}

/// What all fits of a search share: names and short texts, with digests where the thing itself is long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Study(Vec<(String, String)>);

impl Study {
    /// The study of a search with this tag, by this version of the crate.
    pub(crate) fn new<'t>(tag: impl Into<Tag<'t>>) -> Self {
        Study::default()
            .with("version of linfa-mlp", env!("CARGO_PKG_VERSION"))
            .with("tag", tag.into().text.unwrap_or("none"))
    }

    /// What belongs to the study, by its name: `records`, `folds`, `scorers` …
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Adds something that every fit depends on.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// Adds records, targets, weights and names of the data set.
    pub(crate) fn data<F: Float, Y: Target, I: TargetDim>(self, data: &DataView<'_, F, Y, I>) -> Self {
        let mut records = Digester::new();
        data.records().rows().into_iter().flatten().for_each(|value| number(&mut records, value));
        data.feature_names().iter().for_each(|name| records.text(name));
        let columns = columns(data.targets());
        let mut targets = Digester::new();
        columns.rows().into_iter().flatten().for_each(|value| target(&mut targets, value));
        data.target_names().iter().for_each(|name| targets.text(name));
        let shape = |(rows, columns): (usize, usize), of: &str, digest: Digester| {
            format!("{rows} × {columns} of {of}, {}", digest.digest())
        };
        let weights = data.weights().map_or("none".into(), |weights| {
            let mut digester = Digester::new();
            weights.iter().for_each(|&weight| digester.number(f64::from(weight)));
            format!("{}, {}", weights.len(), digester.digest())
        });
        self.with("records", shape(data.records().dim(), type_name::<F>(), records))
            .with("targets", shape(columns.dim(), type_name::<Y>(), targets))
            .with("sample weights", weights)
    }

    /// Adds the folds' rows.
    pub(crate) fn folds(self, folds: &[FoldRows<'_>]) -> Self {
        let mut digester = Digester::new();
        for rows in folds {
            [&rows.train, &*rows.stopping, rows.test].iter().for_each(|rows| digester.words(rows));
        }
        self.with("folds", format!("{}, {}", folds.len(), digester.digest()))
    }

    /// The first thing in which this study differs from the one that was written down: its name, what is written there, and
    /// what it is here.
    #[must_use]
    pub fn difference(&self, journal: &Study) -> Option<(String, String, String)> {
        let of = |study: &Study, name: &str| {
            let value = study.0.iter().find(|(key, _)| key == name);
            value.map_or_else(|| "not there".to_string(), |(_, value)| value.clone())
        };
        let mut names = self.0.iter().chain(&journal.0).map(|(name, _)| name);
        let name = names.find(|name| of(self, name) != of(journal, name))?;
        Some((name.clone(), of(journal, name), of(self, name)))
    }
}

/// A value of the records.
pub(crate) fn number<F: Float>(digester: &mut Digester, value: &F) {
    // Every type that linfa calls a float is an f64 or fits into one.
    digester.number(value.to_f64().unwrap_or(f64::NAN));
}

/// A value of the targets: a number, or a label by its `Debug` text.
pub(crate) fn target<Y: Target>(digester: &mut Digester, value: &Y) {
    match value.to_number() {
        Some(number) => digester.number(number),
        None => digester.text(format_args!("{value:?}")),
    }
}

/// One fit, by what every process calls it. Fields added later get a serde default, which stands for what there was before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskKey {
    /// The candidate's content.
    pub candidate: Digest,
    /// The fold, from 0.
    pub fold: usize,
    /// The replicate with a seed of its own, from 0.
    #[serde(default)]
    pub replicate: usize,
    /// How far it was trained, when not to the candidate's own end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// How far, as the search counts: rows, where they are what a search gives more of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<u64>,
    /// The epochs that it was trained for in place of the candidate's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// The outer fold of a search inside a cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outer: Option<usize>,
}

impl TaskKey {
    /// A candidate that is trained to its own end in that fold.
    #[cfg(test)]
    pub(super) fn whole(candidate: Digest, fold: usize) -> Self {
        TaskKey { candidate, fold, replicate: 0, goal: None, resource: None, epochs: None, outer: None }
    }
}

/// A candidate as a journal knows it: by what it is, not by its number.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub digest: Digest,
    /// Shown beside each row, for those who read the file.
    pub params: Params,
}

impl Content {
    /// The content of a builder: its type, its `Debug` form, and the values of the axes.
    ///
    /// `Debug` is what all of linfa's builders have, and a derived one shows every field. The values of the axes are in it
    /// already, but for a builder whose `Debug` form leaves something out.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] when the form says that it leaves something out, or shows an address, which is another one
    /// in every process; with a tag, both are taken to be covered by it.
    pub(crate) fn of<'t, P: Debug>(builder: &P, params: &Params, tag: impl Into<Tag<'t>>) -> Result<Self> {
        let tag = tag.into();
        // The alternate form: ndarray leaves out elements of large arrays in the plain one.
        let form = format!("{builder:#?}");
        let hidden = form.lines().find(|line| leaves_out(line) || addresses(line).next().is_some());
        if let (Some(line), None) = (hidden, tag.text) {
            let found = format!("without one, though {:?} does not show all it holds", line.trim());
            return Err(Error::parameter(
                format!("tag of the {}", tag.of),
                found,
                "a text that changes with what the estimator's Debug form leaves out",
            ));
        }
        let mut digester = Digester::new();
        digester.text(type_name::<P>());
        for line in form.lines() {
            digester
                .text(addresses(line).fold(line.to_string(), |line, address| line.replace(address, "0x")));
        }
        digester.text(serde_json::to_string(params)?);
        Ok(Content { digest: digester.digest(), params: params.clone() })
    }

    /// The content behind steps that make this of the first fold.
    pub(crate) fn behind(&mut self, steps: Digest) {
        let mut digester = Digester::new();
        digester.text(self.digest);
        digester.text(steps);
        self.digest = digester.digest();
    }
}

/// Whether a line of an alternate `Debug` form says that something is left out, as `finish_non_exhaustive` writes it.
fn leaves_out(line: &str) -> bool {
    let code = unquoted(line);
    code.trim() == ".." || code.contains("{ .. }") || code.contains("(..)")
}

/// The line without what stands in quotes: that is the value of a setting, whatever it looks like. Line breaks are escaped
/// there, so a quotation ends in its line.
fn unquoted(line: &str) -> String {
    let plain = line.replace(r"\\", "").replace("\\\"", "").replace("'\"'", "");
    plain.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

/// The addresses in a line, such as that of a function. The alternate form writes all their digits.
fn addresses(line: &str) -> impl Iterator<Item = &str> {
    let code = unquoted(line);
    let words = line.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter(move |word| {
        let digits = word.strip_prefix("0x").unwrap_or_default();
        digits.len() == 2 * size_of::<usize>()
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            && code.contains(word)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use linfa::{Dataset, DatasetBase};
    use ndarray::{Array1, Array2, array};

    use super::*;
    use crate::model_selection::results::ParamValue;

    fn study(data: &DatasetBase<Array2<f64>, Array1<f64>>) -> Study {
        Study::new(&Journal::at("x")).data(&DataView::of(data).unwrap())
    }

    fn difference(now: &DatasetBase<Array2<f64>, Array1<f64>>) -> String {
        let before = Dataset::new(array![[1.0, 2.0], [3.0, 4.0]], array![1.0, 2.0]);
        let (name, there, here) = study(now).difference(&study(&before)).unwrap();
        assert_ne!(there, here);
        name
    }

    #[test]
    fn each_value_of_the_data_counts_and_its_layout_does_not() {
        let dataset = Dataset::new(array![[1.0, 2.0], [3.0, 4.0]], array![1.0, 2.0]);
        let turned = DatasetBase::new(array![[1.0, 3.0], [2.0, 4.0]].reversed_axes(), array![1.0, 2.0]);
        assert_eq!(study(&turned).difference(&study(&dataset)), None);
        let other = |x: Array2<f64>, y: Array1<f64>| difference(&Dataset::new(x, y));
        assert_eq!(other(array![[1.0, 2.0], [3.0, 4.0 + 1e-15]], array![1.0, 2.0]), "records");
        assert_eq!(other(array![[1.0, 2.0, 3.0, 4.0]], array![1.0]), "records");
        assert_eq!(other(array![[1.0, 2.0], [3.0, 4.0]], array![1.0, f64::NAN]), "targets");
        assert_eq!(difference(&dataset.clone().with_weights(array![1.0, 1.0])), "sample weights");
        assert_eq!(difference(&dataset.with_feature_names(vec!["a", "b"])), "records");
    }

    #[test]
    fn number_types_labels_and_folds_count() {
        let wide = Dataset::new(array![[1.0_f64]], array!["ab"]);
        let narrow = Dataset::new(array![[1.0_f32]], array!["ab"]);
        let other = Dataset::new(array![[1.0_f32]], array!["a"]);
        let begin = || Study::new(&Journal::at("x"));
        let narrow = begin().data(&DataView::of(&narrow).unwrap());
        let name = |a: &Study, b: &Study| a.difference(b).map(|(name, ..)| name);
        assert_eq!(name(&begin().data(&DataView::of(&wide).unwrap()), &narrow).as_deref(), Some("records"));
        let other = begin().data(&DataView::of(&other).unwrap());
        assert_eq!(name(&other, &narrow).as_deref(), Some("targets"));
        let folds = |train: &[usize], stopping: &[usize], test: &[usize]| {
            begin().folds(&[FoldRows { train: train.into(), stopping: stopping.into(), test }])
        };
        let a = folds(&[0, 1], &[], &[2]);
        for b in [folds(&[0], &[], &[1, 2]), folds(&[0], &[1], &[2]), folds(&[1, 0], &[], &[2])] {
            assert_eq!(name(&a, &b).as_deref(), Some("folds"));
        }
        let (_, there, here) = begin().difference(&a).unwrap();
        assert!(there.starts_with("1, ") && here == "not there", "{there} {here}");
    }

    #[derive(Debug)]
    #[allow(dead_code, reason = "the fields are read by Debug alone")]
    struct Builder<T> {
        path: &'static str,
        rest: T,
    }

    fn content<T: Debug>(rest: T, tag: Option<&str>) -> Result<Digest> {
        let journal = Journal::at("x");
        let journal = tag.map_or(journal.clone(), |tag| journal.tag(tag));
        Content::of(&Builder { path: "a", rest }, &Params::default(), &journal).map(|content| content.digest)
    }

    #[test]
    fn the_content_is_type_settings_and_values_of_the_axes() {
        let of = |rest| content(rest, None).unwrap();
        assert_eq!(of(0.1), of(0.1));
        assert_ne!(of(0.1), of(0.1 + 1e-17 + 1e-16));
        assert_ne!(content(1_u8, None).unwrap(), content(1_u16, None).unwrap());
        // ndarray's plain form leaves out the middle of a long array.
        let long =
            |value| content(Array1::from_shape_fn(2000, |i| if i == 1000 { value } else { 0.0 }), None);
        assert_ne!(long(1.0).unwrap(), long(2.0).unwrap());
        let value = ParamValue::labelled("hidden from Debug");
        let with = Content::of(&1, &Params::default().with("axis", value), &Journal::at("x")).unwrap();
        let without = Content::of(&1, &Params::default(), &Journal::at("x")).unwrap();
        assert_ne!(with.digest, without.digest);
    }

    #[test]
    fn a_form_that_hides_something_needs_a_tag() {
        fn function(x: u8) -> u8 {
            x
        }
        let hidden = || Mutex::new(1);
        let error = content(hidden(), None).unwrap_err().to_string();
        assert!(error.starts_with("tag of the journal must be") && error.contains("\"..\""), "{error}");
        assert!(content(function as fn(u8) -> u8, None).unwrap_err().to_string().contains("0x"));
        assert_eq!(content(hidden(), Some("1")).unwrap(), content(hidden(), Some("1")).unwrap());
        // Two functions differ by their address alone, which is nothing to go by.
        let address = |address| content(std::ptr::without_provenance::<u8>(address), Some("1")).unwrap();
        assert_eq!(address(0x7f00_1234_5678), address(0x7f00_1234_5679));
        // Ranges, and settings that only look like addresses or omissions, are shown in full.
        for harmless in ["0x00007f0012345678", "..", "{ .. }", "(..) \" {", "\\", "\n..\n"] {
            assert!(content(harmless, None).is_ok(), "{harmless}");
            assert_ne!(content(harmless, None).unwrap(), content("", None).unwrap());
        }
        assert!(content((0..3, .., '"', 0xffff_ffff_ffff_u64), None).is_ok());
    }
}
