//! The classifier.

use std::path::Path;

use linfa::dataset::AsSingleTargets;
use linfa::traits::{Fit, FitWith, PredictInplace};
use linfa::{DatasetBase, Label};
use ndarray::{Array1, Array2, ArrayBase, ArrayView1, ArrayView2, Data as ArrayData, Ix2};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::fitting::{Outcome, Views, fit_run, of_validation, score_weights};
use super::hyperparams::{MlpClassifierParams, MlpParams, MlpValidParams};
use super::labels;
use super::log_proba::{log_proba, log_sigmoid};
use super::task::{Classification, check_threshold};
use crate::error::{Error, Result, check};
use crate::float::Float;
use crate::history::History;
use crate::loss::{AnyLoss, BinaryCrossEntropy, SparseCategoricalCrossEntropy};
use crate::metric::Accuracy;
use crate::network::{Dense, Network, Sigmoid, Softmax, Summary};
use crate::persistence::{self, Kind};
use crate::train::{Data, Plan, Rows, Run, RunV1, label_text};

/// A fitted classifier.
///
/// The output layer is one sigmoid unit for two classes, trained by binary cross-entropy; for more, or
/// [on request](MlpParams::binary_softmax), a softmax trained by cross-entropy. Labels are of any linfa [`Label`] type; classes are kept in ascending order.
///
/// ```
/// use linfa::prelude::*;
/// use linfa_mlp::{MlpClassifier, optimizer::Adam};
///
/// let iris = linfa_datasets::iris();
/// let model = MlpClassifier::params()
///     .hidden_layer_sizes([16])
///     .optimizer(Adam::new(0.01))
///     .epochs(60)
///     .seed(42)
///     .fit(&iris)?;
/// assert_eq!(model.classes(), [0, 1, 2]);
/// assert!(model.score(&iris)? > 0.95);
///
/// let proba = model.predict_proba(iris.records())?;
/// assert!((proba.row(0).sum() - 1.0).abs() < 1e-12);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MlpClassifier<F: Float = f64, L = usize> {
    run: Run<F>,
    network: Network<F>,
    classes: Vec<L>,
    threshold: Option<f64>,
}

impl MlpClassifier {
    /// Hyper-parameters with their defaults. The number type and the label type are those of the data, at the fit.
    #[must_use]
    pub fn params() -> MlpClassifierParams {
        MlpParams::new(Classification::default(), vec![Accuracy.into()])
    }
}

/// A data set ready for training: labels encoded, everything checked.
#[derive(Debug)]
pub struct Encoded<F, L> {
    pub(crate) classes: Vec<L>,
    pub(crate) y: Array2<F>,
}

impl MlpValidParams<Classification> {
    pub(crate) fn plan_for(&self, n_classes: usize, n_training_rows: usize) -> Plan {
        let (output, loss): (Dense, AnyLoss) = if n_classes == 2 && !self.settings.task.binary_softmax {
            (Dense::new(1).activation(Sigmoid), BinaryCrossEntropy::default().into())
        } else {
            (Dense::new(n_classes).activation(Softmax), SparseCategoricalCrossEntropy.into())
        };
        self.plan(output, loss, n_training_rows)
    }

    /// Whether the settings of the task are for that many classes.
    pub(crate) fn check_classes(&self, n_classes: usize) -> Result<()> {
        let Some(threshold) = self.settings.task.threshold else { return Ok(()) };
        let found = format!("{threshold} for {n_classes} classes");
        check("threshold", found, n_classes == 2, "none for more than 2 classes")
    }

    /// Training rows with the weights of their classes.
    pub(super) fn weigh<'a, F: Float, L: Label>(
        &self,
        classes: &[L],
        rows: Rows<'a, F>,
    ) -> Result<Rows<'a, F>> {
        let Some(weight) = &self.settings.task.class_weight else { return Ok(rows) };
        weight.weigh(&classes.iter().map(label_text).collect::<Vec<_>>(), rows)
    }

    /// The fitted model of a run.
    pub(crate) fn model<F: Float, L: Label>(&self, run: Run<F>, classes: &[L]) -> MlpClassifier<F, L> {
        let threshold = self.settings.task.threshold;
        MlpClassifier { network: run.result(), run, classes: classes.to_vec(), threshold }
    }

    pub(super) fn run_to_end<F: Float, L: Label>(
        &self,
        model: Option<MlpClassifier<F, L>>,
        classes: &[L],
        data: Data<'_, F>,
    ) -> Result<(MlpClassifier<F, L>, Outcome)> {
        self.check_classes(classes.len())?;
        let plan = |n| self.plan_for(classes.len(), n);
        let weigh = |rows| self.weigh(classes, rows);
        let fitted = fit_run(self, plan, model.map(|model| model.run), data, weigh);
        let (run, outcome) = fitted.map_err(|error| labels::with_label(error, classes))?;
        Ok((self.model(run, classes), outcome))
    }

    /// Trains on one data set and validates on another, if there is one.
    pub(super) fn fit_views<F: Float, L: Label>(
        &self,
        model: Option<MlpClassifier<F, L>>,
        training: &Views<'_, F, ArrayView1<'_, L>>,
        validation: Option<&Views<'_, F, ArrayView1<'_, L>>>,
    ) -> Result<(MlpClassifier<F, L>, Outcome)> {
        if let Some(model) = &model {
            labels::check_known(&model.classes, training.y.view())?;
        }
        let known = model.as_ref().map(|model| &model.classes[..]);
        let encoded = encode(known, training.x.view(), training.y.view())?;
        let classes = &encoded.classes;
        let held_out = validation
            .map(|views| encode(Some(classes), views.x.view(), views.y.view()).map_err(of_validation))
            .transpose()?;
        let mut data = Data::from(training.rows(encoded.y.view())?);
        if let (Some(views), Some(encoded)) = (validation, &held_out) {
            data.validation = Some(views.rows(encoded.y.view()).map_err(of_validation)?);
        }
        self.run_to_end(model, classes, data)
    }

    fn fit_from<F, D, T>(
        &self,
        model: Option<MlpClassifier<F, T::Elem>>,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<(MlpClassifier<F, T::Elem>, Outcome)>
    where
        F: Float,
        D: ArrayData<Elem = F>,
        T: AsSingleTargets,
        T::Elem: Label,
    {
        self.fit_views(model, &Views::of(dataset, dataset.as_single_targets()), None)
    }
}

impl MlpClassifierParams {
    /// Trains from fresh weights as `fit` does, and gives the model as it is when training ends, whatever ends it: its epochs,
    /// a callback, a failure of a callback or a divergence. After a divergence it has the weights before the batch whose loss
    /// was not finite.
    ///
    /// ```
    /// use linfa_mlp::{Error, MlpClassifier, optimizer::Sgd};
    ///
    /// let iris = linfa_datasets::iris();
    /// let params = MlpClassifier::params().optimizer(Sgd::new(1e200)).epochs(5);
    /// let (model, outcome) = params.fit_with_outcome(&iris)?;
    /// assert!(matches!(outcome, Err(Error::Diverged { epoch: 1.., .. })));
    /// assert!(model.network().tensors().all(|(_, values)| values.iter().all(|value| value.is_finite())));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What is seen before the first step: settings, shapes and values. [`Error::Diverged`] and [`Error::Callback`] are
    /// part of the outcome.
    pub fn fit_with_outcome<F, D, T>(
        &self,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<(MlpClassifier<F, T::Elem>, Outcome)>
    where
        F: Float,
        D: ArrayData<Elem = F>,
        T: AsSingleTargets,
        T::Elem: Label,
    {
        linfa::ParamGuard::check_ref(self)?.fit_from(None, dataset)
    }
}

/// Encodes the labels of a data set, by the classes of a model if there is one.
pub(crate) fn encode<F: Float, L: Label>(
    known: Option<&[L]>,
    x: ArrayView2<'_, F>,
    y: ArrayView1<'_, L>,
) -> Result<Encoded<F, L>> {
    if x.nrows() == 0 {
        return Err(Error::NoRows { array: "x" });
    }
    if y.len() != x.nrows() {
        return Err(Error::RowCount { array: "y", expected: x.nrows(), found: y.len() });
    }
    let classes = known.map_or_else(|| labels::classes_of(y), |classes| Ok(classes.to_vec()))?;
    let y = labels::encode(&classes, y)?;
    Ok(Encoded { classes, y })
}

/// Trains from fresh weights.
impl<F, D, T> Fit<ArrayBase<D, Ix2>, T, Error> for MlpValidParams<Classification>
where
    F: Float,
    D: ArrayData<Elem = F>,
    T: AsSingleTargets,
    T::Elem: Label,
{
    type Object = MlpClassifier<F, T::Elem>;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Self::Object> {
        let (model, outcome) = self.fit_from(None, dataset)?;
        outcome.map(|_| model)
    }
}

/// Goes on from a model until `epochs` are done in all: 10 epochs, then `fit_with` to 20, are 20 epochs in one go.
impl<'a, F, D, T> FitWith<'a, ArrayBase<D, Ix2>, T, Error> for MlpValidParams<Classification>
where
    F: Float,
    D: ArrayData<Elem = F>,
    T: AsSingleTargets,
    T::Elem: Label + 'a,
{
    type ObjectIn = Option<MlpClassifier<F, T::Elem>>;
    type ObjectOut = MlpClassifier<F, T::Elem>;

    fn fit_with(
        &self,
        model: Self::ObjectIn,
        dataset: &'a DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<Self::ObjectOut> {
        let (model, outcome) = self.fit_from(model, dataset)?;
        outcome.map(|_| model)
    }
}

impl<F: Float, L: Label> MlpClassifier<F, L> {
    /// The classifier over a run, such as a file of a [`ModelCheckpoint`](crate::callback::ModelCheckpoint) holds.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] for classes that are not in ascending order or not as many as the run's network tells apart.
    pub fn from_run(run: Run<F>, classes: Vec<L>) -> Result<Self> {
        let (n_outputs, n_classes) = (run.network().n_outputs(), classes.len());
        let fits = n_classes >= 2 && (n_outputs == n_classes || (n_outputs, n_classes) == (1, 2));
        if !fits || !classes.is_sorted_by(|a, b| a < b) {
            return Err(persistence::contradiction(Kind::Classifier, "its classes do not fit its network"));
        }
        Ok(MlpClassifier { network: run.result(), run, classes, threshold: None })
    }

    /// The same model of two classes with another threshold: the second class is predicted when its probability is above it.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a threshold outside [0, 1] and for a model of more classes.
    pub fn with_threshold(self, threshold: f64) -> Result<Self> {
        check_threshold("threshold", threshold)?;
        let found = format!("{threshold} for {} classes", self.classes.len());
        check("threshold", found, self.classes.len() == 2, "none for more than 2 classes")?;
        Ok(MlpClassifier { threshold: Some(threshold), ..self })
    }

    /// The probability above which the second of two classes is predicted; none for more classes.
    #[must_use]
    pub fn threshold(&self) -> Option<f64> {
        (self.classes.len() == 2).then(|| self.threshold.unwrap_or(0.5))
    }

    /// Whether a threshold was asked for.
    #[cfg(feature = "onnx")]
    pub(crate) fn has_threshold(&self) -> bool {
        self.threshold.is_some()
    }

    /// Puts another run in place of the model's own.
    pub(crate) fn set_run(&mut self, run: Run<F>) {
        self.network = run.result();
        self.run = run;
    }

    pub(crate) fn into_run(self) -> Run<F> {
        self.run
    }

    /// The classes, in ascending order: the columns of [`predict_proba`](Self::predict_proba).
    #[must_use]
    pub fn classes(&self) -> &[L] {
        &self.classes
    }

    /// Probability of each class.
    ///
    /// # Shapes
    ///
    /// `x` (n_samples, n_features) → (n_samples, n_classes)
    ///
    /// # Errors
    ///
    /// [`Error::Width`] and [`Error::NotFinite`].
    pub fn predict_proba<D: ArrayData<Elem = F>>(&self, x: &ArrayBase<D, Ix2>) -> Result<Array2<F>> {
        Ok(self.proba_of(self.network.predict(x.view())?))
    }

    /// Natural logarithm of the probability of each class, computed from the sums before the output layer's activation: it is
    /// finite and has all its digits where the probability itself is rounded to 0 or 1.
    ///
    /// # Shapes
    ///
    /// `x` (n_samples, n_features) → (n_samples, n_classes)
    ///
    /// # Errors
    ///
    /// [`Error::Width`] and [`Error::NotFinite`].
    pub fn predict_log_proba<D: ArrayData<Elem = F>>(&self, x: &ArrayBase<D, Ix2>) -> Result<Array2<F>> {
        log_proba(
            &self.network,
            x.view(),
            |proba| self.proba_of(proba),
            |z| {
                let mut pair = Array2::zeros((z.nrows(), 2));
                for (mut row, &z) in pair.rows_mut().into_iter().zip(z) {
                    row[0] = log_sigmoid(-z);
                    row[1] = log_sigmoid(z);
                }
                pair
            },
        )
    }

    pub(super) fn proba_of(&self, outputs: Array2<F>) -> Array2<F> {
        if outputs.ncols() > 1 {
            return outputs;
        }
        let mut proba = Array2::zeros((outputs.nrows(), 2));
        for (mut row, &p) in proba.rows_mut().into_iter().zip(&outputs) {
            row[0] = F::one() - p;
            row[1] = p;
        }
        proba
    }

    /// The most probable class of each row, the first of equals, or by the [threshold](Self::threshold): linfa's `predict` with
    /// an error in place of a panic.
    ///
    /// # Errors
    ///
    /// [`Error::Width`] and [`Error::NotFinite`].
    pub fn try_predict<D: ArrayData<Elem = F>>(&self, x: &ArrayBase<D, Ix2>) -> Result<Array1<L>> {
        Ok(self.labels_of(&self.network.predict(x.view())?))
    }

    pub(super) fn labels_of(&self, outputs: &Array2<F>) -> Array1<L> {
        let n_outputs = outputs.ncols();
        let class = |row: ArrayView1<'_, F>| match (n_outputs, self.threshold) {
            (1, threshold) => usize::from(row[0].wide() > threshold.unwrap_or(0.5)),
            (2, Some(threshold)) => usize::from(row[1].wide() > threshold),
            _ => (1..n_outputs).fold(0, |best, class| if row[class] > row[best] { class } else { best }),
        };
        outputs.rows().into_iter().map(|row| self.classes[class(row)].clone()).collect()
    }

    /// Accuracy on a data set, weighted by its sample weights: the share of rows whose class is predicted.
    ///
    /// # Errors
    ///
    /// As [`try_predict`](Self::try_predict), and for targets or sample weights that do not fit the rows.
    pub fn score<D, T>(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<f64>
    where
        D: ArrayData<Elem = F>,
        T: AsSingleTargets<Elem = L>,
    {
        let truth = dataset.as_single_targets();
        let predicted = self.try_predict(dataset.records())?;
        if truth.len() != predicted.len() {
            return Err(Error::RowCount { array: "y", expected: predicted.len(), found: truth.len() });
        }
        let weights = score_weights(dataset)?;
        let weight = |row: usize| weights.as_ref().map_or(1.0, |weights| weights[row]);
        let total: f64 = (0..truth.len()).map(weight).sum();
        let right =
            truth.iter().zip(&predicted).enumerate().filter(|(_, (a, b))| a == b).map(|(row, _)| weight(row));
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
}

/// Format version 1: a run, its classes and its threshold.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "F: Float, L: Serialize", deserialize = "F: Float, L: DeserializeOwned"))]
struct ClassifierV1<F, L> {
    run: RunV1<F>,
    classes: Vec<L>,
    threshold: Option<f64>,
}

const VERSION: u16 = 1;

impl<F: Float, L: Label + Serialize + DeserializeOwned> MlpClassifier<F, L> {
    /// The model as the bytes of a file, with everything that training needs to go on.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] when a label or a part of the user's cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let (classes, threshold) = (self.classes.clone(), self.threshold);
        let mirror = ClassifierV1 { run: self.run.to_mirror(), classes, threshold };
        persistence::encode(Kind::Classifier, VERSION, &mirror)
    }

    /// The model that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] for bytes that are no classifier of these types, are damaged, or contradict themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (_, payload) = persistence::open(Kind::Classifier, VERSION, bytes)?;
        let ClassifierV1 { run, classes, threshold } = persistence::decode(Kind::Classifier, payload)?;
        let model = Self::from_run(Run::from_mirror(run)?, classes)?;
        match threshold {
            Some(threshold) => model
                .with_threshold(threshold)
                .map_err(|error| persistence::contradiction(Kind::Classifier, error.to_string())),
            None => Ok(model),
        }
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

/// # Panics
///
/// `predict` and `predict_inplace` panic when `x` has another width than the training data or a value that is not finite;
/// [`MlpClassifier::try_predict`] gives an error instead.
impl<F: Float, D: ArrayData<Elem = F>, L: Label> PredictInplace<ArrayBase<D, Ix2>, Array1<L>>
    for MlpClassifier<F, L>
{
    fn predict_inplace<'a>(&'a self, x: &'a ArrayBase<D, Ix2>, y: &mut Array1<L>) {
        match self.try_predict(x) {
            Ok(predicted) => *y = predicted,
            Err(error) => panic!("{error}"),
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<L> {
        Array1::from_elem(x.nrows(), L::default())
    }
}
