//! The multilabel classifier.

use std::marker::PhantomData;
use std::path::Path;

use linfa::dataset::AsTargets;
use linfa::traits::{Fit, FitWith, PredictInplace};
use linfa::{DatasetBase, Label};
use ndarray::{Array2, ArrayBase, ArrayView, ArrayView2, Data as ArrayData, Ix2};

use super::fitting::{Outcome, Views, fit_run, of_validation, score_weights};
use super::hyperparams::{MlpMultilabelClassifierParams, MlpParams, MlpValidParams};
use super::log_proba::{log_proba, log_sigmoid};
use super::task::{Multilabel, check_thresholds};
use crate::error::{Error, Result, check};
use crate::float::Float;
use crate::history::History;
use crate::loss::BinaryCrossEntropy;
use crate::metric::Accuracy;
use crate::network::{Dense, Network, Sigmoid, Summary};
use crate::persistence::{self, Kind};
use crate::train::{Data, Plan, Run, RunV1};

/// A label that says yes or no: `bool`, or 0 and 1 as `usize`.
pub trait YesNo: Label {
    /// What it says; none for a value that says neither.
    fn to_bool(&self) -> Option<bool>;

    /// The label that says this.
    fn from_bool(yes: bool) -> Self;
}

impl YesNo for bool {
    fn to_bool(&self) -> Option<bool> {
        Some(*self)
    }

    fn from_bool(yes: bool) -> Self {
        yes
    }
}

impl YesNo for usize {
    fn to_bool(&self) -> Option<bool> {
        match self {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn from_bool(yes: bool) -> Self {
        usize::from(yes)
    }
}

/// A fitted multilabel classifier: any number of labels may hold for a row, each a yes-or-no question of its own.
///
/// The output layer is one sigmoid unit for each label, trained by binary cross-entropy (the mean over the labels). Targets have
/// two dimensions, one column for each label.
///
/// ```
/// use linfa::prelude::*;
/// use linfa_mlp::{MlpMultilabelClassifier, optimizer::Adam};
/// use ndarray::Array2;
///
/// // Is the first coordinate positive? Is the second? Are both of one sign?
/// let x = Array2::from_shape_fn((200, 2), |(i, j)| ((i * (j + 3) * 7) % 41) as f64 / 20.0 - 1.0);
/// let y = Array2::from_shape_fn((200, 3), |(i, j)| match j {
///     2 => x[[i, 0]] * x[[i, 1]] > 0.0,
///     j => x[[i, j]] > 0.0,
/// });
/// let dataset = Dataset::new(x, y);
///
/// let params = MlpMultilabelClassifier::params().hidden_layer_sizes([16]).optimizer(Adam::new(0.05)).epochs(100);
/// let model = params.fit(&dataset)?;
/// assert!(model.score(&dataset)? > 0.9);
/// let predicted: Array2<bool> = model.predict(&dataset);
/// assert_eq!(predicted.dim(), (200, 3));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MlpMultilabelClassifier<F: Float = f64, L = bool> {
    run: Run<F>,
    network: Network<F>,
    /// One for each label.
    thresholds: Vec<f64>,
    label: PhantomData<fn() -> L>,
}

impl MlpMultilabelClassifier {
    /// Hyper-parameters with their defaults. The number type and the label type are those of the data, at the fit.
    #[must_use]
    pub fn params() -> MlpMultilabelClassifierParams {
        MlpParams::new(Multilabel::default(), vec![Accuracy.into()])
    }
}

impl MlpValidParams<Multilabel> {
    pub(crate) fn plan_for(&self, n_labels: usize, n_training_rows: usize) -> Plan {
        let output = Dense::new(n_labels).activation(Sigmoid);
        self.plan(output, BinaryCrossEntropy::default().into(), n_training_rows)
    }

    /// Whether the settings of the task are for that many labels.
    pub(crate) fn check_labels(&self, n_labels: usize) -> Result<()> {
        let n = self.settings.task.thresholds.len();
        check(
            "number of thresholds",
            n,
            n == 1 || n == n_labels,
            &format!("1 or {n_labels}, one for each label"),
        )
    }

    /// The fitted model of a run.
    pub(crate) fn model<F: Float, L: YesNo>(&self, run: Run<F>) -> MlpMultilabelClassifier<F, L> {
        let mut thresholds = self.settings.task.thresholds.clone();
        let last = thresholds.last().copied().unwrap_or(0.5);
        thresholds.resize(run.network().n_outputs(), last);
        MlpMultilabelClassifier { network: run.result(), run, thresholds, label: PhantomData }
    }

    pub(super) fn run_to_end<F: Float, L: YesNo>(
        &self,
        model: Option<MlpMultilabelClassifier<F, L>>,
        data: Data<'_, F>,
    ) -> Result<(MlpMultilabelClassifier<F, L>, Outcome)> {
        let n_labels = data.training.target_width();
        self.check_labels(n_labels)?;
        let plan = |n| self.plan_for(n_labels, n);
        let (run, outcome) = fit_run(self, plan, model.map(|model| model.run), data, Ok)?;
        Ok((self.model(run), outcome))
    }

    /// Trains on one data set and validates on another, if there is one.
    pub(super) fn fit_views<F: Float, L: YesNo>(
        &self,
        model: Option<MlpMultilabelClassifier<F, L>>,
        training: &Views<'_, F, ArrayView2<'_, L>>,
        validation: Option<&Views<'_, F, ArrayView2<'_, L>>>,
    ) -> Result<(MlpMultilabelClassifier<F, L>, Outcome)> {
        let y = encode_labels(training.x.nrows(), training.y.view())?;
        let held_out = validation
            .map(|views| encode_labels(views.x.nrows(), views.y.view()).map_err(of_validation))
            .transpose()?;
        let mut data = Data::from(training.rows(y.view())?);
        if let (Some(views), Some(y)) = (validation, &held_out) {
            data.validation = Some(views.rows(y.view()).map_err(of_validation)?);
        }
        self.run_to_end(model, data)
    }

    fn fit_from<F, D, T>(
        &self,
        model: Option<MlpMultilabelClassifier<F, T::Elem>>,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<(MlpMultilabelClassifier<F, T::Elem>, Outcome)>
    where
        F: Float,
        D: ArrayData<Elem = F>,
        T: AsTargets<Ix = Ix2>,
        T::Elem: YesNo,
    {
        let targets = dataset.as_targets();
        self.fit_views(model, &Views::of(dataset, label_columns(&targets)), None)
    }
}

/// A view of labels under the borrow of a view.
pub(super) fn label_columns<'a, L>(targets: &'a ArrayView<'_, L, Ix2>) -> ArrayView2<'a, L> {
    targets.view()
}

/// Labels as 0 and 1.
///
/// # Errors
///
/// [`Error::NoRows`], [`Error::RowCount`]; [`Error::UnknownLabel`] names the first row with a label that says neither yes nor
/// no.
pub(super) fn encode_labels<F: Float, L: YesNo>(n_rows: usize, y: ArrayView2<'_, L>) -> Result<Array2<F>> {
    if n_rows == 0 {
        return Err(Error::NoRows { array: "x" });
    }
    if y.nrows() != n_rows {
        return Err(Error::RowCount { array: "y", expected: n_rows, found: y.nrows() });
    }
    let mut numbers = Array2::zeros(y.dim());
    for (((row, _), label), number) in y.indexed_iter().zip(&mut numbers) {
        let Some(yes) = label.to_bool() else {
            let known = format!("{:?}, {:?}", L::from_bool(false), L::from_bool(true));
            return Err(Error::UnknownLabel { label: format!("{label:?}"), row, known });
        };
        *number = if yes { F::one() } else { F::zero() };
    }
    Ok(numbers)
}

impl MlpMultilabelClassifierParams {
    /// Trains from fresh weights as `fit` does, and gives the model as it is when training ends, whatever ends it: its epochs,
    /// a callback, a failure of a callback or a divergence. After a divergence it has the weights before the batch whose loss
    /// was not finite.
    ///
    /// # Errors
    ///
    /// What is seen before the first step: settings, shapes and values. [`Error::Diverged`] and [`Error::Callback`] are
    /// part of the outcome.
    pub fn fit_with_outcome<F, D, T>(
        &self,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<(MlpMultilabelClassifier<F, T::Elem>, Outcome)>
    where
        F: Float,
        D: ArrayData<Elem = F>,
        T: AsTargets<Ix = Ix2>,
        T::Elem: YesNo,
    {
        linfa::ParamGuard::check_ref(self)?.fit_from(None, dataset)
    }
}

/// Trains from fresh weights.
impl<F, D, T> Fit<ArrayBase<D, Ix2>, T, Error> for MlpValidParams<Multilabel>
where
    F: Float,
    D: ArrayData<Elem = F>,
    T: AsTargets<Ix = Ix2>,
    T::Elem: YesNo,
{
    type Object = MlpMultilabelClassifier<F, T::Elem>;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Self::Object> {
        let (model, outcome) = self.fit_from(None, dataset)?;
        outcome.map(|_| model)
    }
}

/// Goes on from a model until `epochs` are done in all: 10 epochs, then `fit_with` to 20, are 20 epochs in one go.
impl<'a, F, D, T> FitWith<'a, ArrayBase<D, Ix2>, T, Error> for MlpValidParams<Multilabel>
where
    F: Float,
    D: ArrayData<Elem = F>,
    T: AsTargets<Ix = Ix2>,
    T::Elem: YesNo + 'a,
{
    type ObjectIn = Option<MlpMultilabelClassifier<F, T::Elem>>;
    type ObjectOut = MlpMultilabelClassifier<F, T::Elem>;

    fn fit_with(
        &self,
        model: Self::ObjectIn,
        dataset: &'a DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<Self::ObjectOut> {
        let (model, outcome) = self.fit_from(model, dataset)?;
        outcome.map(|_| model)
    }
}

impl<F: Float, L: YesNo> MlpMultilabelClassifier<F, L> {
    /// The classifier over a run, such as a file of a [`ModelCheckpoint`](crate::callback::ModelCheckpoint) holds, with
    /// thresholds of ½.
    #[must_use]
    pub fn from_run(run: Run<F>) -> Self {
        let thresholds = vec![0.5; run.network().n_outputs()];
        MlpMultilabelClassifier { network: run.result(), run, thresholds, label: PhantomData }
    }

    /// The same model with other thresholds, one for each label.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a threshold outside [0, 1], and for another number of them than there are labels.
    pub fn with_thresholds(self, thresholds: impl Into<Vec<f64>>) -> Result<Self> {
        let (thresholds, n) = (thresholds.into(), self.n_labels());
        check(
            "number of thresholds",
            thresholds.len(),
            thresholds.len() == n,
            &format!("{n}, one for each label"),
        )?;
        check_thresholds(&thresholds)?;
        Ok(MlpMultilabelClassifier { thresholds, ..self })
    }

    /// The probability of each label above which it is predicted.
    #[must_use]
    pub fn thresholds(&self) -> &[f64] {
        &self.thresholds
    }

    /// Number of labels: columns of the targets.
    #[must_use]
    pub fn n_labels(&self) -> usize {
        self.network.n_outputs()
    }

    /// Probability that each label holds. Rows need not sum to 1.
    ///
    /// # Shapes
    ///
    /// `x` (n_samples, n_features) → (n_samples, n_labels)
    ///
    /// # Errors
    ///
    /// [`Error::Width`] and [`Error::NotFinite`].
    pub fn predict_proba<D: ArrayData<Elem = F>>(&self, x: &ArrayBase<D, Ix2>) -> Result<Array2<F>> {
        self.network.predict(x.view())
    }

    /// Natural logarithm of the probability that each label holds, computed from the sums before the sigmoid: it is finite and
    /// has all its digits where the probability itself is rounded to 0 or 1.
    ///
    /// # Shapes
    ///
    /// `x` (n_samples, n_features) → (n_samples, n_labels)
    ///
    /// # Errors
    ///
    /// [`Error::Width`] and [`Error::NotFinite`].
    pub fn predict_log_proba<D: ArrayData<Elem = F>>(&self, x: &ArrayBase<D, Ix2>) -> Result<Array2<F>> {
        log_proba(&self.network, x.view(), |proba| proba, |z| z.mapv(log_sigmoid))
    }

    /// The labels of each row: linfa's `predict` with an error in place of a panic.
    ///
    /// # Shapes
    ///
    /// `x` (n_samples, n_features) → (n_samples, n_labels)
    ///
    /// # Errors
    ///
    /// [`Error::Width`] and [`Error::NotFinite`].
    pub fn try_predict<D: ArrayData<Elem = F>>(&self, x: &ArrayBase<D, Ix2>) -> Result<Array2<L>> {
        Ok(self.labels_of(&self.network.predict(x.view())?))
    }

    pub(super) fn labels_of(&self, outputs: &Array2<F>) -> Array2<L> {
        Array2::from_shape_fn(outputs.dim(), |(row, label)| {
            L::from_bool(outputs[[row, label]].wide() > self.thresholds[label])
        })
    }

    /// Subset accuracy on a data set, weighted by its sample weights: the share of rows of which all labels are right.
    ///
    /// # Errors
    ///
    /// As [`try_predict`](Self::try_predict), and for targets or sample weights that do not fit the rows.
    pub fn score<D, T>(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<f64>
    where
        D: ArrayData<Elem = F>,
        T: AsTargets<Elem = L, Ix = Ix2>,
    {
        let truth = dataset.as_targets();
        let predicted = self.try_predict(dataset.records())?;
        if truth.dim() != predicted.dim() {
            return Err(match truth.nrows() == predicted.nrows() {
                true => Error::Width { array: "y", expected: predicted.ncols(), found: truth.ncols() },
                false => Error::RowCount { array: "y", expected: predicted.nrows(), found: truth.nrows() },
            });
        }
        let weights = score_weights(dataset)?;
        let weight = |row: usize| weights.as_ref().map_or(1.0, |weights| weights[row]);
        let total: f64 = (0..truth.nrows()).map(weight).sum();
        let right = (0..truth.nrows()).filter(|&row| truth.row(row) == predicted.row(row)).map(weight);
        Ok(right.sum::<f64>() / total)
    }

    /// The network, with the weights that predictions use.
    #[must_use]
    pub fn network(&self) -> &Network<F> {
        &self.network
    }

    /// What happened in training.
    #[must_use]
    pub fn history(&self) -> &History {
        self.run.history()
    }

    /// The run behind the model, from which training goes on.
    #[must_use]
    pub fn run(&self) -> &Run<F> {
        &self.run
    }

    /// Puts another run in place of the model's own.
    pub(crate) fn set_run(&mut self, run: Run<F>) {
        self.network = run.result();
        self.run = run;
    }

    pub(super) fn into_run(self) -> Run<F> {
        self.run
    }

    /// The table of layers, shapes and parameters.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.network.summary()
    }

    /// Number of parameters.
    #[must_use]
    pub fn count_params(&self) -> usize {
        self.network.count_params()
    }

    /// The model as the bytes of a file, with everything that training needs to go on.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] when a part of the user's cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mirror = (&self.thresholds, self.run.to_mirror());
        persistence::encode(Kind::MultilabelClassifier, VERSION, &mirror)
    }

    /// The model that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] for bytes that are no multilabel classifier of this number type, are damaged, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (_, payload) = persistence::open(Kind::MultilabelClassifier, VERSION, bytes)?;
        let (thresholds, run): (Vec<f64>, RunV1<F>) =
            persistence::decode(Kind::MultilabelClassifier, payload)?;
        Self::from_run(Run::from_mirror(run)?)
            .with_thresholds(thresholds)
            .map_err(|error| persistence::contradiction(Kind::MultilabelClassifier, error.to_string()))
    }

    /// Writes the model to a file.
    ///
    /// # Errors
    ///
    /// [`Error::File`] names the path; a file that was there is left whole.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        persistence::write_atomically(path, &self.to_bytes()?)
    }

    /// Reads a model that [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::File`] and [`Error::Format`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_bytes(&persistence::read_framed(path)?)
    }
}

/// The newest format version; version 1 is the thresholds and a run.
const VERSION: u16 = 1;

/// # Panics
///
/// `predict` and `predict_inplace` panic when `x` has another width than the training data or a value that is not finite;
/// [`MlpMultilabelClassifier::try_predict`] gives an error instead.
impl<F: Float, D: ArrayData<Elem = F>, L: YesNo> PredictInplace<ArrayBase<D, Ix2>, Array2<L>>
    for MlpMultilabelClassifier<F, L>
{
    fn predict_inplace<'a>(&'a self, x: &'a ArrayBase<D, Ix2>, y: &mut Array2<L>) {
        match self.try_predict(x) {
            Ok(predicted) => *y = predicted,
            Err(error) => panic!("{error}"),
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array2<L> {
        Array2::from_elem((x.nrows(), self.n_labels()), L::default())
    }
}
