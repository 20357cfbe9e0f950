//! Preparation: what happens to the data inside a fold, before the estimator sees it.
//!
//! Transformers of the records and the scaling of the targets are fitted on the training rows of a fold alone. They are
//! fitted once for each fold and shared by all candidates that have the same ones; no row that is scored ever moves them.

mod choice;
mod target_scaling;
mod transform;

pub(crate) use choice::Prefixes;
pub use choice::Preprocess;
pub use target_scaling::{FittedTargetScaling, TargetScaling};
pub use transform::Transform;

use std::sync::Arc;

use linfa::Float;
use linfa::dataset::TargetDim;
use linfa::traits::{Fit, Transformer};
use ndarray::{Array, Array1, Array2, ArrayView, ArrayView2};

use crate::error::Result;
use crate::model_selection::fit::target::Target;
use crate::model_selection::results::Params;
use choice::Place;
use transform::Foreign;

/// The steps of a fold: transformers of the records, in order, and the scaling of the targets.
pub struct Preparation<F> {
    steps: Vec<Place<F>>,
    scaling: Option<TargetScaling>,
}

impl<F> Default for Preparation<F> {
    fn default() -> Self {
        Preparation { steps: Vec::new(), scaling: None }
    }
}

impl<F> Clone for Preparation<F> {
    fn clone(&self) -> Self {
        Preparation { steps: self.steps.clone(), scaling: self.scaling }
    }
}

impl<F> std::fmt::Debug for Preparation<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Preparation")
            .field("steps", &self.steps.len())
            .field("scaling", &self.scaling)
            .finish()
    }
}

impl<F: Float> Preparation<F> {
    pub(crate) fn push<T, E>(&mut self, transformer: T)
    where
        T: Fit<Array2<F>, Array1<()>, E> + Send + Sync + 'static,
        T::Object: Transformer<Array2<F>, Array2<F>> + Send + Sync + 'static,
        E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
    {
        self.steps.push(Place::Always(Arc::new(Foreign::new(transformer))));
    }

    /// Adds a step that each candidate chooses by its label on an axis.
    pub(crate) fn push_chosen(&mut self, axis: String, steps: Vec<(String, Preprocess<F>)>) {
        self.steps.push(Place::Chosen { axis, steps });
    }

    /// Whether candidates choose a step.
    pub(crate) fn has_choices(&self) -> bool {
        self.steps.iter().any(|place| matches!(place, Place::Chosen { .. }))
    }

    /// What a candidate chooses, in the order of the steps.
    fn choices(&self, params: &Params) -> Vec<Option<usize>> {
        let chosen = |place: &Place<F>| match place {
            Place::Always(_) => None,
            Place::Chosen { axis, steps } => {
                let label = params.get(axis)?.text();
                steps.iter().position(|(other, _)| other == label)
            }
        };
        self.steps.iter().map(chosen).collect()
    }

    /// The preparation of a candidate, in which nothing is left to choose.
    pub(crate) fn chosen_by(&self, params: &Params) -> Self {
        let steps = self.steps.iter().zip(self.choices(params)).filter_map(|(place, choice)| match place {
            Place::Always(_) => Some(place.clone()),
            Place::Chosen { steps, .. } => steps[choice?].1.0.clone().map(Place::Always),
        });
        Preparation { steps: steps.collect(), scaling: self.scaling }
    }

    pub(crate) fn scale_targets(&mut self, scaling: TargetScaling) {
        self.scaling = Some(scaling);
    }

    /// Whether the records reach the estimator as they are.
    pub(crate) fn keeps_records(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether the targets reach the estimator as they are.
    pub(crate) fn keeps_targets(&self) -> bool {
        self.scaling.is_none()
    }

    /// Checks that labels tell steps apart, and that the targets can be scaled when they shall be.
    pub(crate) fn check<Y: Target>(&self) -> Result<()> {
        for place in &self.steps {
            let Place::Chosen { axis, steps } = place else { continue };
            for (at, (label, _)) in steps.iter().enumerate() {
                let again = steps[..at].iter().any(|(other, _)| other == label);
                let name = format!("preprocess_axis {axis}");
                crate::error::check(&name, label, !again, "a label that no other step has")?;
            }
        }
        let ok = self.scaling.is_none() || Y::from_number(0.0).is_some();
        crate::error::check("scale_targets", "on", ok, "off for targets that are labels")
    }

    /// Fits every transformer on the training rows, each on what the ones before it give.
    pub(crate) fn fit_records(
        &self,
        mut train: Array2<F>,
        weights: Option<&[f32]>,
    ) -> Result<(FittedSteps<F>, Array2<F>)> {
        let mut fitted = Vec::with_capacity(self.steps.len());
        for place in &self.steps {
            let Place::Always(step) = place else { unreachable!("folds are opened with what was chosen") };
            let transform;
            (transform, train) = step.fit_transform(train, weights)?;
            fitted.push(transform);
        }
        Ok((FittedSteps(fitted), train))
    }

    /// Fits the scaling on the training rows' targets.
    pub(crate) fn fit_targets<Y: Target, I: TargetDim>(
        &self,
        train: ArrayView<'_, Y, I>,
    ) -> Option<FittedTargetScaling> {
        self.scaling.map(|scaling| scaling.fit(train))
    }
}

/// The fitted transformers of a fold, in order.
pub struct FittedSteps<F>(Vec<Arc<dyn Transform<F>>>);

impl<F> Clone for FittedSteps<F> {
    fn clone(&self) -> Self {
        FittedSteps(self.0.clone())
    }
}

impl<F> std::fmt::Debug for FittedSteps<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FittedSteps").field(&self.0.len()).finish()
    }
}

impl<F: Float> FittedSteps<F> {
    pub(crate) fn none() -> Self {
        FittedSteps(Vec::new())
    }

    /// The number of transformers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The transformers, in order.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Transform<F>> {
        self.0.iter().map(|step| &**step)
    }

    /// The records as the estimator sees them.
    #[must_use]
    pub fn apply(&self, records: ArrayView2<'_, F>) -> Array2<F> {
        self.apply_owned(records.to_owned())
    }

    pub(crate) fn apply_owned(&self, records: Array2<F>) -> Array2<F> {
        self.0.iter().fold(records, |records, step| step.transform(records))
    }
}

/// The scaled targets of all rows.
pub(crate) fn scaled<Y: Target, I: TargetDim>(
    scaling: &FittedTargetScaling,
    targets: ArrayView<'_, Y, I>,
) -> Array<Y, I> {
    let mut targets = targets.to_owned();
    scaling.apply(&mut targets);
    targets
}
