//! Where the rows come from that a run is validated on.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, check};
use crate::float::Float;
use crate::rng::Stream;

use super::{Data, Rows};

/// Which rows of a data set are held out for validation. They are never trained on.
///
/// | | rows held out | of n rows |
/// | --- | --- | --- |
/// | [`none`](Self::none) | none (default) | 0 |
/// | [`last`](Self::last) | the last ones, before any shuffling: Keras' `validation_split` | n · share, rounded up |
/// | [`random`](Self::random) | drawn by the seed of the fit | n · share, rounded up |
/// | [`stratified`](Self::stratified) | drawn by the seed of the fit, each class with its share of the rows | n · share, rounded up |
/// | [`rows`](Self::rows) | those named | as many as are named |
///
/// Shares lie in 0 ≤ share < 1; 0 holds nothing out. A product n · share that misses a whole number by a rounding error
/// counts as that number (Keras takes 10 rows of 10 at a share of 0.9). A share above 0 must leave a row on both sides.
/// How many rows there were is in the history: [`History::n_training_rows`](crate::history::History::n_training_rows),
/// [`History::n_validation_rows`](crate::history::History::n_validation_rows).
///
/// Rows are counted in the data set that the fit is given: in cross-validation, in the training rows of a fold.
///
/// # Examples
///
/// ```
/// use linfa::prelude::*;
/// use linfa_mlp::MlpClassifier;
/// use linfa_mlp::train::Validation;
///
/// // The rows are sorted by class: the last 30 are all of one.
/// let iris = linfa_datasets::iris();
/// let params = MlpClassifier::params().hidden_layer_sizes([8]).epochs(20);
/// let model = params.validation(Validation::stratified(0.2)).fit(&iris)?;
/// assert_eq!((model.history().n_training_rows(), model.history().n_validation_rows()), (120, 30));
/// assert_eq!(model.history()["val_loss"].len(), 20);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Validation(Source);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    #[default]
    None,
    Last(f64),
    Random(f64),
    Stratified(f64),
    Rows(Vec<usize>),
}

impl Validation {
    /// No row is held out.
    #[must_use]
    pub fn none() -> Self {
        Validation(Source::None)
    }

    /// The last rows, before any shuffling.
    #[must_use]
    #[doc(alias = "validation_split")]
    pub fn last(share: f64) -> Self {
        Validation(Source::Last(share))
    }

    /// Rows drawn by the seed of the fit.
    #[must_use]
    #[doc(alias = "validation_fraction")]
    pub fn random(share: f64) -> Self {
        Validation(Source::Random(share))
    }

    /// Rows drawn by the seed of the fit so that each class has its share of them, and at least one row on both sides.
    /// Rows of the same targets form a class.
    #[must_use]
    pub fn stratified(share: f64) -> Self {
        Validation(Source::Stratified(share))
    }

    /// The rows of those indices, from 0; all others are trained on.
    #[must_use]
    pub fn rows(rows: impl Into<Vec<usize>>) -> Self {
        Validation(Source::Rows(rows.into()))
    }

    /// Whether nothing is asked for.
    pub(crate) fn is_none(&self) -> bool {
        self.0 == Source::None
    }

    /// How many of `n` rows are held out.
    pub(crate) fn held_out(&self, n: usize) -> Result<usize> {
        match &self.0 {
            Source::None => Ok(0),
            &(Source::Last(share) | Source::Random(share) | Source::Stratified(share)) => {
                self.count(n, share)
            }
            Source::Rows(list) => Ok(list.len().min(n)),
        }
    }

    /// The name in errors: that of the builder's method.
    fn name(&self) -> &'static str {
        match self.0 {
            Source::None => "validation",
            Source::Last(_) => "validation_split",
            Source::Random(_) => "the random validation share",
            Source::Stratified(_) => "the stratified validation share",
            Source::Rows(_) => "the list of validation rows",
        }
    }

    /// Checks what can be checked without data.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.0 {
            Source::None => Ok(()),
            &(Source::Last(share) | Source::Random(share) | Source::Stratified(share)) => {
                check(self.name(), share, (0.0..1.0).contains(&share), "at least 0 and below 1")
            }
            Source::Rows(rows) => {
                let allowed = "at least 1 row, each named once";
                check(self.name(), "empty", !rows.is_empty(), allowed)?;
                let mut sorted = rows.clone();
                sorted.sort_unstable();
                match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
                    Some(pair) => {
                        let found = format!("one that names row {} twice", pair[0]);
                        Err(Error::parameter(self.name(), found, allowed))
                    }
                    None => Ok(()),
                }
            }
        }
    }

    /// The rows to train on, in their order, and those to validate on.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a share outside its range or one that leaves no row on a side, and for a row that is named
    /// twice; [`Error::RowIndex`] for one that is not there; [`Error::ClassTooSmall`] for a class that cannot be on both
    /// sides.
    pub(crate) fn divide<'a, F: Float>(&self, rows: Rows<'a, F>, seed: u64) -> Result<Data<'a, F>> {
        self.check()?;
        let n = rows.len();
        let held_out = self.held_out(n)?;
        if held_out == 0 {
            return Ok(Data { training: rows, validation: None });
        }
        let stream = Stream::new(seed).named("validation");
        let mut marks = vec![false; n];
        match &self.0 {
            Source::None | Source::Last(_) => marks[n - held_out..].fill(true),
            Source::Random(_) => draw((0..n).collect(), held_out, stream, &mut marks),
            Source::Stratified(share) => {
                for (class, (places, take)) in self.strata(&rows, held_out, *share)?.into_iter().enumerate() {
                    draw(places, take, stream.at(class as u64), &mut marks);
                }
            }
            Source::Rows(list) => {
                if let Some((position, &row)) = list.iter().enumerate().find(|(_, row)| **row >= n) {
                    return Err(Error::RowIndex { position, row, n_samples: n });
                }
                if list.len() == n {
                    let allowed = "one that leaves a row to train on";
                    return Err(Error::parameter(self.name(), format!("all {n} rows"), allowed));
                }
                list.iter().for_each(|&row| marks[row] = true);
            }
        }
        let side = |held_out| -> Vec<usize> {
            (0..n).filter(|&place| marks[place] == held_out).map(|place| rows.row(place)).collect()
        };
        Ok(Data { training: rows.select(side(false))?, validation: Some(rows.select(side(true))?) })
    }

    /// The rows held out of `n`.
    fn count(&self, n: usize, share: f64) -> Result<usize> {
        let held_out = (n as f64 * share * (1.0 - 1e-12)).ceil() as usize;
        if share > 0.0 && (held_out == 0 || held_out >= n) {
            let found = format!("{share}, which puts {held_out} of {n} rows aside");
            return Err(Error::parameter(self.name(), found, "a share that leaves a row on both sides"));
        }
        Ok(held_out)
    }

    /// The places of each class, in the order in which classes appear, and how many of them are held out.
    fn strata<F: Float>(
        &self,
        rows: &Rows<'_, F>,
        held_out: usize,
        share: f64,
    ) -> Result<Vec<(Vec<usize>, usize)>> {
        let mut classes: HashMap<Vec<u64>, usize> = HashMap::new();
        let mut places: Vec<Vec<usize>> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        let mut key = Vec::new();
        let mut place = 0;
        rows.for_each_target(|_, targets| {
            key.clear();
            // −0 is 0.
            key.extend(targets.iter().map(|value| (value.wide() + 0.0).to_bits()));
            let class = match classes.get(&key) {
                Some(&class) => class,
                None => {
                    let text: Vec<String> = targets.iter().map(|value| value.wide().to_string()).collect();
                    names.push(text.join(", "));
                    places.push(Vec::new());
                    classes.insert(key.clone(), places.len() - 1);
                    places.len() - 1
                }
            };
            places[class].push(place);
            place += 1;
        })?;
        let members: Vec<usize> = places.iter().map(Vec::len).collect();
        if let Some(class) = members.iter().position(|&members| members < 2) {
            let (splitter, class) = ("stratified validation".into(), names.swap_remove(class));
            return Err(Error::ClassTooSmall { splitter, class, members: 1, needed: 2 });
        }
        let (n, k) = (rows.len(), members.len());
        if held_out < k || n - held_out < k {
            let found = format!("{share}, which puts {held_out} of {n} rows of {k} classes aside");
            let allowed = "a share that leaves a row of each class on both sides";
            return Err(Error::parameter(self.name(), found, allowed));
        }
        Ok(places.into_iter().zip(apportion(&members, held_out)).collect())
    }
}

impl<'a, F: Float> Data<'a, F> {
    /// With validation rows held out of the training rows, unless there are validation rows already.
    ///
    /// # Errors
    ///
    /// As [`Validation::divide`]; [`Error::Parameter`] when there are validation rows and others are asked for.
    pub(crate) fn validated_by(self, validation: &Validation, seed: u64) -> Result<Self> {
        if self.validation.is_none() {
            return validation.divide(self.training, seed);
        }
        let allowed = "none where validation rows are given";
        check("validation", validation, validation.is_none(), allowed)?;
        Ok(self)
    }
}

/// How many of `total` rows each class gives: its share by largest remainders, and at least one row on both sides.
fn apportion(members: &[usize], total: usize) -> Vec<usize> {
    let n: usize = members.iter().sum();
    let exact = |class: usize| (members[class] * total) as f64 / n as f64;
    let mut take: Vec<usize> =
        (0..members.len()).map(|class| (members[class] * total / n).clamp(1, members[class] - 1)).collect();
    let missing = |take: &[usize], class: usize| exact(class) - take[class] as f64;
    while take.iter().sum::<usize>() != total {
        let few = take.iter().sum::<usize>() < total;
        let may = |class: &usize| if few { take[*class] < members[*class] - 1 } else { take[*class] > 1 };
        let need = |class: usize| if few { missing(&take, class) } else { -missing(&take, class) };
        // The first of those in greatest need.
        let class = (0..take.len()).filter(may).reduce(|a, b| if need(b) > need(a) { b } else { a });
        let class = class.expect("every class can have a row on both sides");
        take[class] = if few { take[class] + 1 } else { take[class] - 1 };
    }
    take
}

/// Marks `take` of the places, drawn by the stream.
fn draw(mut places: Vec<usize>, take: usize, mut stream: Stream, marks: &mut [bool]) {
    stream.shuffle(&mut places);
    places[..take].iter().for_each(|&place| marks[place] = true);
}

impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::None => f.write_str("none"),
            Source::Last(share) => write!(f, "the last {share}"),
            Source::Random(share) => write!(f, "a random {share}"),
            Source::Stratified(share) => write!(f, "a stratified {share}"),
            Source::Rows(rows) => write!(f, "{} rows", rows.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    fn last(n: usize, share: f64) -> Result<usize> {
        let validation = Validation::last(share);
        validation.check()?;
        validation.count(n, share)
    }

    /// The rows trained on and held out of `n` rows with these targets.
    fn divided(validation: &Validation, targets: &[f64], seed: u64) -> Result<(Vec<usize>, Vec<usize>)> {
        let x = Array2::<f64>::zeros((targets.len(), 1));
        let y = Array2::from_shape_vec((targets.len(), 1), targets.to_vec()).unwrap();
        let data = validation.divide(Rows::new(x.view(), y.view())?, seed)?;
        let list = |rows: &Rows<'_, f64>| (0..rows.len()).map(|place| rows.row(place)).collect();
        Ok((list(&data.training), data.validation.as_ref().map_or(Vec::new(), list)))
    }

    #[test]
    fn a_split_holds_out_whole_rows_without_float_traps() {
        assert_eq!(last(10, 0.9).unwrap(), 9);
        assert_eq!(last(30, 0.1).unwrap(), 3);
        assert_eq!(last(30, 0.9).unwrap(), 27);
        assert_eq!(last(404, 0.3).unwrap(), 122);
        assert_eq!(last(10, 0.01).unwrap(), 1);
        assert_eq!(last(10, 0.0).unwrap(), 0);
        for share in [1.0, -0.1, f64::NAN, f64::INFINITY, 0.99] {
            assert!(last(10, share).is_err(), "{share}");
        }
    }

    #[test]
    fn every_row_is_on_one_side_in_its_order() {
        let targets: Vec<f64> = (0..20).map(|row| f64::from(row % 2)).collect();
        let of = |validation: Validation| divided(&validation, &targets, 3).unwrap();
        assert_eq!(of(Validation::none()), ((0..20).collect(), vec![]));
        assert_eq!(of(Validation::last(0.1)), ((0..18).collect(), vec![18, 19]));
        assert_eq!(of(Validation::rows([7, 2])).1, [2, 7]);
        for validation in [Validation::random(0.35), Validation::stratified(0.35)] {
            let (train, held_out) = of(validation.clone());
            assert_eq!(held_out.len(), 7);
            assert!(train.is_sorted() && held_out.is_sorted());
            let mut all = [train, held_out].concat();
            all.sort_unstable();
            assert_eq!(all, (0..20).collect::<Vec<_>>());
            assert_eq!(divided(&validation, &targets, 3).unwrap(), of(validation.clone()));
            assert_ne!(divided(&validation, &targets, 4).unwrap(), of(validation));
        }
    }

    #[test]
    fn each_class_has_its_share_and_a_row_on_both_sides() {
        // 12, 6 and 2 rows of 20: exact shares of 5 are 3, 1.5 and 0.5.
        let targets: Vec<f64> =
            (0..20).map(|row| if row < 12 { 5.0 } else { f64::from(u8::from(row < 18)) }).collect();
        let (_, held_out) = divided(&Validation::stratified(0.25), &targets, 0).unwrap();
        let count = |class: f64| held_out.iter().filter(|&&row| targets[row] == class).count();
        assert_eq!([count(5.0), count(1.0), count(0.0)], [3, 1, 1]);
        assert_eq!(apportion(&[2, 2, 96], 4), [1, 1, 2]);
        assert_eq!(apportion(&[2, 2, 96], 96), [1, 1, 94]);
        assert_eq!(apportion(&[10, 10, 10], 10), [4, 3, 3]);
    }

    #[test]
    fn what_cannot_be_divided_is_refused() {
        let message = |validation: Validation, targets: &[f64]| {
            divided(&validation, targets, 0).unwrap_err().to_string()
        };
        let targets = [0.0, 0.0, 1.0, 1.0, 1.0];
        assert_eq!(
            message(Validation::rows([]), &targets),
            "the list of validation rows must be at least 1 row, each named once, but is empty"
        );
        assert_eq!(
            message(Validation::rows([3, 1, 3]), &targets),
            "the list of validation rows must be at least 1 row, each named once, but is one that names row 3 twice"
        );
        assert_eq!(
            message(Validation::rows([0, 5]), &targets),
            "row indices must be below 5, but index 1 is 5"
        );
        assert_eq!(
            message(Validation::rows([0, 1, 2, 3, 4]), &targets),
            "the list of validation rows must be one that leaves a row to train on, but is all 5 rows"
        );
        assert_eq!(
            message(Validation::stratified(0.2), &targets),
            "the stratified validation share must be a share that leaves a row of each class on both sides, but is \
             0.2, which puts 1 of 5 rows of 2 classes aside"
        );
        assert_eq!(
            message(Validation::stratified(0.5), &[0.0, 0.5, 0.5]),
            "stratified validation needs at least 2 rows of every class, but class 0 has 1"
        );
        for validation in [Validation::random(1.0), Validation::stratified(f64::NAN)] {
            assert!(matches!(divided(&validation, &targets, 0), Err(Error::Parameter { .. })));
        }
    }
}
