//! Scores by the number of training rows.

use linfa::Float;
use linfa::dataset::{DatasetBase, TargetDim};
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array, Array2, ArrayBase, Data, Ix2};

use crate::error::{Error, Result, check};
use crate::model_selection::engine::known_rows::KnownRows;
use crate::model_selection::engine::trainer::{ByDataset, ByRows, Trainer};
use crate::model_selection::evaluate::cross_validate::CrossValidator;
use crate::model_selection::evaluate::score_curve::ScoreCurve;
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_rows::FitRows;
use crate::model_selection::fit::target::{Classes, Target};
use crate::model_selection::results::{FitRow, ParamValue, Params, SearchResults};
use crate::model_selection::scorer::Scorer;
use crate::model_selection::split::{Share, Split, Splitter};
use crate::rng::Stream;

/// The numbers of training rows of a [`learning_curve`], and which rows they are.
///
/// A size is a number of rows, or a fraction of the smallest fold's training rows. In every fold the rows of a size are among
/// those of each larger size, and come in the fold's own order.
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `sizes` | 10 %, 32.5 %, 55 %, 77.5 %, 100 % (scikit-learn) | what is tried; sizes that come to the same number of rows are one |
/// | `seed` | 0 | the rows are drawn by this seed, and have every class in its share where targets are labels |
/// | `in_order` | off | the first rows of each fold instead, as scikit-learn does unless told otherwise |
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TrainSizes {
    sizes: Vec<Share>,
    seed: Option<u64>,
}

impl Default for TrainSizes {
    fn default() -> Self {
        TrainSizes::new([0.1, 0.325, 0.55, 0.775, 1.0])
    }
}

impl TrainSizes {
    /// These sizes: numbers such as `[10, 100]` or fractions such as `[0.1, 1.0]`.
    #[must_use]
    pub fn new(sizes: impl IntoIterator<Item = impl Into<Share>>) -> Self {
        TrainSizes { sizes: sizes.into_iter().map(Into::into).collect(), seed: Some(0) }
    }

    /// Where the random numbers start that choose the rows.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Takes the first training rows of each fold.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.seed = None;
        self
    }

    /// The numbers of rows, ascending.
    fn rows(&self, most: usize) -> Result<Vec<usize>> {
        check("train sizes", "an empty list", !self.sizes.is_empty(), "at least one")?;
        let rows = self.sizes.iter().map(|size| size.up_to("train size", most));
        let mut rows: Vec<usize> = rows.collect::<Result<_>>()?;
        rows.sort_unstable();
        rows.dedup();
        Ok(rows)
    }

    /// The places of a fold's training rows in the order in which sizes take them.
    fn order(&self, fold: usize, train: &[usize], classes: Option<&Classes>) -> Vec<usize> {
        let mut order: Vec<usize> = (0..train.len()).collect();
        let Some(seed) = self.seed else { return order };
        Stream::new(seed).named("split").named("train size").at(fold as u64).shuffle(&mut order);
        let Some(classes) = classes else { return order };
        let class = |place: usize| classes.indices[train[place]];
        let mut members = vec![0_u128; classes.names.len()];
        order.iter().for_each(|&place| members[class(place)] += 1);
        // Member j of a class with m rows stands at (2j + 1) / 2m of the way, so that any beginning has the classes' shares.
        let mut seen = vec![0_u128; members.len()];
        let mut placed: Vec<(u128, u128, usize)> = Vec::with_capacity(order.len());
        for &place in &order {
            let class = class(place);
            placed.push((2 * seen[class] + 1, members[class], place));
            seen[class] += 1;
        }
        placed.sort_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1)));
        placed.into_iter().map(|(.., place)| place).collect()
    }
}

impl<F: Float, Y: Target> CrossValidator<F, Y> {
    /// The scores by the number of training rows; [`learning_curve`] is the short form. Training rows are scored too.
    ///
    /// There is no journal for it: one belongs to one list of folds, and every number of rows has its own.
    ///
    /// # Errors
    ///
    /// As [`learning_curve`], and [`Error::Parameter`] for a journal.
    pub fn learning_curve<P, D, S, I, E>(
        &self,
        estimator: &P,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
        sizes: &TrainSizes,
    ) -> Result<ScoreCurve>
    where
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        I: TargetDim + 'static,
        P: Fit<Array2<F>, Array<Y, I>, E> + Sync,
        P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
        E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
    {
        self.curve(&ByDataset::new(), estimator, &DataView::of(dataset)?, None, sizes)
    }

    /// As [`learning_curve`](CrossValidator::learning_curve), for an estimator that reads the rows of the borrowed data set.
    ///
    /// # Errors
    ///
    /// As [`learning_curve`], and before the first fit what the estimator's own checks say.
    pub fn learning_curve_by_rows<P, D, S, I>(
        &self,
        estimator: &P,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
        sizes: &TrainSizes,
    ) -> Result<ScoreCurve>
    where
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        I: TargetDim + 'static,
        P: FitRows<F, Y, I>,
    {
        estimator.check()?;
        let data = DataView::of(dataset)?;
        let trainer = ByRows::<P, F, Y, I>::new(&data, &self.protocol.preparation)?;
        self.curve(&trainer, estimator, &data, None, sizes)
    }

    fn curve<T, P, I>(
        &self,
        trainer: &T,
        estimator: &P,
        data: &DataView<'_, F, Y, I>,
        splitter: Option<&dyn Splitter>,
        sizes: &TrainSizes,
    ) -> Result<ScoreCurve>
    where
        T: Trainer<P, F, Y, I>,
        P: Sync,
        I: TargetDim + 'static,
    {
        let known = self.protocol.known(data)?;
        let folds = self.protocol.splits(data, splitter)?;
        let sizes = &CheckedSizes::of(sizes, &folds, &known, self.protocol.missing_classes)?;
        let splits: Vec<Split> = sizes
            .rows
            .iter()
            .flat_map(|&rows| {
                sizes.orders.iter().zip(&folds).map(move |(order, fold)| part(fold, order, rows))
            })
            .collect();
        // One cross-validation over the folds of all sizes, so that all fits are one list.
        let validator = self.clone().train_scores(true);
        let all = validator.evaluate(trainer, estimator, data, Some(&splits), None, None)?;
        let values = ParamValue::of_axis(&sizes.rows)?;
        let params = values.into_iter().map(|value| Params::default().with("train_size", value)).collect();
        let placed = |row: &FitRow| FitRow {
            candidate: row.fold / folds.len(),
            fold: row.fold % folds.len(),
            ..row.clone()
        };
        let rows = all.rows().iter().map(placed).collect();
        Ok(ScoreCurve::new("train_size".into(), SearchResults::new(all.scorers().to_vec(), params, rows)))
    }
}

/// The sizes as numbers of rows, and the order in which each fold's training rows are taken.
struct CheckedSizes {
    rows: Vec<usize>,
    orders: Vec<Vec<usize>>,
}

impl CheckedSizes {
    fn of(sizes: &TrainSizes, folds: &[Split], known: &KnownRows, missing_classes: bool) -> Result<Self> {
        let most = folds.iter().map(|fold| fold.train.len()).min().unwrap_or(0);
        let rows = sizes.rows(most)?;
        let classes = known.classes.as_ref();
        let orders: Vec<Vec<usize>> =
            folds.iter().enumerate().map(|(fold, split)| sizes.order(fold, &split.train, classes)).collect();
        // A larger size has all rows of the smallest, so it has the classes too.
        if let (Some(classes), false) = (classes, missing_classes) {
            for (fold, (order, split)) in orders.iter().zip(folds).enumerate() {
                let mut seen = vec![false; classes.names.len()];
                order[..rows[0]].iter().for_each(|&place| seen[classes.indices[split.train[place]]] = true);
                if let Some(missing) = seen.iter().position(|seen| !seen) {
                    return Err(Error::Split {
                        splitter: "a learning curve".into(),
                        needed: format!("a row of every class among the first {} training rows", rows[0]),
                        found: format!("class {} is missing in fold {fold}", classes.names[missing]),
                    });
                }
            }
        }
        Ok(CheckedSizes { rows, orders })
    }
}

/// The fold with so many of its training rows, which keep their order.
fn part(fold: &Split, order: &[usize], rows: usize) -> Split {
    let mut places = order[..rows].to_vec();
    places.sort_unstable();
    Split { train: places.into_iter().map(|place| fold.train[place]).collect(), test: fold.test.clone() }
}

/// The scores of an estimator on training and test rows, by the number of training rows.
///
/// It shows whether more rows would help (the test score still rises) or another model would (both scores are poor and close).
/// The fits of all sizes and folds run in parallel; the test rows of a fold are the same for every size.
///
/// # Errors
///
/// - as [`cross_validate`](crate::model_selection::cross_validate)
/// - [`Error::Parameter`] for no sizes, or one that is 0 or above the training rows of the smallest fold
/// - [`Error::Split`] when the smallest size leaves out a class
///
/// # Examples
///
/// ```
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{KFold, Scorer, TrainSizes, learning_curve};
///
/// let (params, diabetes) = (ElasticNet::params().penalty(0.001), linfa_datasets::diabetes());
/// let sizes = TrainSizes::new([20, 80, 320]).seed(1);
/// let curve = learning_curve(&params, &diabetes, &sizes, &KFold::new(5).shuffle(1), &[Scorer::r2()])?;
/// let (test, train) = (curve.test("r2").unwrap(), curve.train("r2").unwrap());
/// assert!(test[2].mean > test[0].mean && train[2].mean < train[0].mean);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub fn learning_curve<P, D, S, F, Y, I, E>(
    estimator: &P,
    dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    sizes: &TrainSizes,
    splitter: &dyn Splitter,
    scorers: &[Scorer<Y>],
) -> Result<ScoreCurve>
where
    F: Float,
    Y: Target,
    D: Data<Elem = F>,
    S: Data<Elem = Y>,
    I: TargetDim + 'static,
    P: Fit<Array2<F>, Array<Y, I>, E> + Sync,
    P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
    E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
{
    let validator = CrossValidator::<F, Y>::new().scorers(scorers.iter().cloned());
    validator.curve(&ByDataset::new(), estimator, &DataView::of(dataset)?, Some(splitter), sizes)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn sizes_are_rounded_down_and_equal_ones_are_one() {
        assert_eq!(TrainSizes::default().rows(40).unwrap(), [4, 13, 22, 31, 40]);
        assert_eq!(TrainSizes::new([0.5, 0.1, 0.11, 1.0]).rows(10).unwrap(), [1, 5, 10]);
        assert_eq!(TrainSizes::new([0.01]).rows(10).unwrap(), [1]);
        assert_eq!(TrainSizes::new([7, 3]).rows(10).unwrap(), [3, 7]);
    }

    #[test]
    fn sizes_outside_the_training_rows_are_refused() {
        for size in [0.0, 1.1, -0.5, f64::NAN, f64::INFINITY] {
            assert!(matches!(TrainSizes::new([size]).rows(10), Err(Error::Parameter { .. })), "{size}");
        }
        for size in [0, 11] {
            assert!(TrainSizes::new([size]).rows(10).is_err());
        }
        assert!(TrainSizes::new(Vec::<usize>::new()).rows(10).is_err());
    }

    #[test]
    fn every_beginning_has_the_classes_in_their_shares() {
        let labels = ndarray::Array1::from_shape_fn(90, |row| usize::from(row >= 60));
        let classes = Classes::of(labels.view());
        let train: Vec<usize> = (0..90).collect();
        let order = TrainSizes::default().seed(4).order(0, &train, Some(&classes));
        for size in 1..=90 {
            let ones = order[..size].iter().filter(|&&place| labels[place] == 1).count() as f64;
            assert!((ones - size as f64 / 3.0).abs() <= 1.0, "{ones} of {size}");
        }
        assert_ne!(order, TrainSizes::default().seed(5).order(0, &train, Some(&classes)));
    }

    #[test]
    fn a_part_keeps_the_order_of_its_rows() {
        let fold = Split { train: vec![9, 2, 7, 4], test: vec![1] };
        assert_eq!(part(&fold, &[3, 0, 1, 2], 2), Split { train: vec![9, 4], test: vec![1] });
        assert_eq!(part(&fold, &[3, 0, 1, 2], 4), fold);
        assert_eq!(TrainSizes::default().in_order().order(0, &fold.train, None), [0, 1, 2, 3]);
        let known = Classes::of(array!["a", "b"].view());
        assert_eq!(TrainSizes::default().in_order().order(0, &[1, 0], Some(&known)), [0, 1]);
    }
}
