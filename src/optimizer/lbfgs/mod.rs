//! L-BFGS: quasi-Newton steps over all rows.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{MAX_SLOTS, Memory, Minimizer, Objective, Optimizer, Point, Step, Tuning};
use crate::error::{Result, check};
use crate::float::Float;
use crate::history::Ending;
use crate::kernel::{self, Buffer};
use crate::part::Configured;

mod line_search;

use line_search::{Line, Trial, search};

/// The most pairs that are remembered.
const MAX_MEMORY: usize = 100;
/// Trials of one line search (SciPy's `maxls`).
const TRIALS: u64 = 20;

/// L-BFGS: steps along `−H g`, where `H` is what the last `m` steps tell of the inverse curvature.
///
/// ```text
/// sₖ = wₖ₊₁ − wₖ      yₖ = gₖ₊₁ − gₖ      ρₖ = 1 / sₖᵀyₖ
/// Hₖ₊₁ = (I − ρₖ sₖ yₖᵀ) Hₖ (I − ρₖ yₖ sₖᵀ) + ρₖ sₖ sₖᵀ      of the last m pairs, from (sᵀy / yᵀy) I of the newest
/// wₖ₊₁ = wₖ − t Hₖ gₖ      t by a search for the strong Wolfe conditions, from t = 1
/// ```
///
/// For small data: it reads **all rows** for each evaluation of loss and gradient. An epoch is one iteration, with one
/// evaluation as a rule; a search has 20 at most, and is tried once more along `−g` before it is given up. The loss of an epoch
/// is that of the weights it leaves. So `epochs` is scikit-learn's `max_iter`. The run ends by itself, with an [`Ending`], when there is nothing left to gain.
///
/// | setting | default (scikit-learn's, SciPy's) | range |
/// | --- | --- | --- |
/// | `memory` m | 10 | 1 to 100 |
/// | `gradient_tolerance`: stop when max \|g\| is not above it | 10⁻⁴ | finite, ≥ 0 |
/// | `loss_tolerance`: stop when an iteration lowers the loss by no more than this share of max(\|loss\|, 1) | 2.2·10⁻⁹ | finite, ≥ 0 |
/// | `max_evaluations`, of the whole run | 15 000 | ≥ 1 |
///
/// What has no meaning without batches is an error: a batch size, layers that are random or look at the batch (dropout, noise,
/// batch normalisation), constraints on weights. There is no learning rate either: a callback that scales it scales the
/// step that is tried first. Rows are read in their order, whatever `shuffle` says. An L1 penalty has kinks, at which the search
/// may end early.
///
/// ```
/// use linfa_mlp::optimizer::Lbfgs;
/// use linfa_mlp::prelude::*;
/// use ndarray::array;
///
/// let (x, y) = (array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]]);
/// let mut model = Sequential::new().add(Dense::new(1)).compile(1, Lbfgs::default(), MeanSquaredError, ())?;
/// let history = model.fit(&x, &y, &Training::epochs(200))?;
/// assert!(history.len() < 20 && history["loss"].last().is_some_and(|loss| *loss < 1e-6));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// # References
///
/// - J. Nocedal, S. J. Wright, *Numerical Optimization*, 2nd edition, 2006, algorithms 7.4 and 7.5, eq. 7.20.
/// - D. C. Liu, J. Nocedal, *On the limited memory BFGS method for large scale optimization*, Math. Programming 45, 1989.
#[doc(alias = "L-BFGS-B")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lbfgs {
    memory: usize,
    gradient_tolerance: f64,
    loss_tolerance: f64,
    max_evaluations: u64,
}

impl Lbfgs {
    /// With those settings of scikit-learn and SciPy.
    #[must_use]
    pub fn new() -> Self {
        Lbfgs {
            memory: 10,
            gradient_tolerance: 1e-4,
            loss_tolerance: 2.220446049250313e-9,
            max_evaluations: 15_000,
        }
    }

    /// Steps that are remembered.
    #[must_use]
    #[doc(alias = "maxcor")]
    pub fn memory(mut self, pairs: usize) -> Self {
        self.memory = pairs;
        self
    }

    /// The largest element of a gradient that counts as none.
    #[must_use]
    #[doc(alias = "tol")]
    #[doc(alias = "gtol")]
    pub fn gradient_tolerance(mut self, tolerance: f64) -> Self {
        self.gradient_tolerance = tolerance;
        self
    }

    /// The relative decrease of the loss that counts as none.
    #[must_use]
    #[doc(alias = "ftol")]
    pub fn loss_tolerance(mut self, tolerance: f64) -> Self {
        self.loss_tolerance = tolerance;
        self
    }

    /// Evaluations of loss and gradient, counted from the beginning of the run.
    #[must_use]
    #[doc(alias = "max_fun")]
    pub fn max_evaluations(mut self, evaluations: u64) -> Self {
        self.max_evaluations = evaluations;
        self
    }
}

impl Default for Lbfgs {
    fn default() -> Self {
        Lbfgs::new()
    }
}

impl Configured for Lbfgs {
    const NAME: &'static str = "lbfgs";
    const ALIASES: &'static [&'static str] = &["l-bfgs", "l_bfgs"];

    fn check(&self) -> Result<()> {
        check("memory", self.memory, (1..=MAX_MEMORY).contains(&self.memory), "between 1 and 100")?;
        for (name, tolerance) in
            [("gradient_tolerance", self.gradient_tolerance), ("loss_tolerance", self.loss_tolerance)]
        {
            check(name, tolerance, tolerance.is_finite() && tolerance >= 0.0, "finite and at least 0")?;
        }
        check("max_evaluations", self.max_evaluations, self.max_evaluations >= 1, "at least 1")
    }
}

/// The vectors of the pairs: `s` and `y` of the place 0, of the place 1 …
const VECTORS: [&str; 2 * MAX_MEMORY] = {
    let mut names = ["step"; 2 * MAX_MEMORY];
    let mut i = 1;
    while i < names.len() {
        names[i] = "gradient_change";
        i += 2;
    }
    names
};

/// A learning rate of 1, and nothing else: L-BFGS has none of the knobs.
static NO_TUNING: LazyLock<Tuning> = LazyLock::new(|| Tuning::new(1.0));

impl<F: Float> Optimizer<F> for Lbfgs {
    fn tuning(&self) -> &Tuning {
        &NO_TUNING
    }

    fn slots(&self) -> &'static [&'static str] {
        &VECTORS[..2 * self.memory]
    }

    fn scalars(&self) -> &'static [(&'static str, f64)] {
        &[("pairs", 0.0), ("evaluations", 0.0)]
    }

    fn minimizer(&self) -> Option<&dyn Minimizer<F>> {
        Some(self)
    }

    /// Steepest descent, which is what is left of L-BFGS where rows come in batches. A run calls the
    /// [`Minimizer`] instead.
    fn update(&self, step: Step<'_>, weights: &mut [F], gradient: &[F], _slots: [&mut [F]; MAX_SLOTS]) {
        add(F::of(-step.learning_rate), gradient, weights);
    }
}

impl<F: Float> Minimizer<F> for Lbfgs {
    /// Direction, weights and gradient of a trial, gradient of the trial that is kept.
    fn scratch(&self) -> usize {
        4
    }

    fn iterate(
        &self,
        objective: &mut dyn Objective<F>,
        point: &mut Point<'_, F>,
        memory: Memory<'_, F>,
    ) -> Option<Ending> {
        let Memory { slots, scalars, scratch, learning_rate } = memory;
        let [direction, trial, gradient, kept, ..] = scratch else { return Some(Ending::NoDescent) };
        let [stored, evaluations, ..] = scalars else { return Some(Ending::NoDescent) };
        let n = point.weights.len();
        let direction = &mut direction[..n];
        let (trial, gradient, kept) = (&mut trial[..n], &mut gradient[..n], &mut kept[..n]);
        let limit = self.max_evaluations as f64;
        if *evaluations < 1.0 {
            // The one at the point where the run begins.
            *evaluations = 1.0;
        }
        if largest(point.gradient) <= self.gradient_tolerance {
            return Some(Ending::SmallGradient);
        }
        let found = loop {
            let pairs = Pairs { slots: &mut *slots, len: n, memory: self.memory, stored: *stored as u64 };
            pairs.direction(point.gradient, direction);
            let slope = kernel::dot(point.gradient, direction);
            // A first step of length 1 at most, as SciPy: of the scale of the loss nothing is known yet.
            let first =
                if pairs.stored == 0 { (1.0 / (-slope).sqrt()).min(1.0) } else { 1.0 } * learning_rate;
            let left = (limit - *evaluations).max(0.0) as u64;
            let mut line = Ray {
                objective: &mut *objective,
                from: point.weights,
                direction,
                trial: &mut *trial,
                gradient: &mut *gradient,
                kept: &mut *kept,
                evaluations: &mut *evaluations,
            };
            let start = Trial { step: 0.0, loss: point.loss, slope };
            let is_downhill = slope < 0.0 && slope.is_finite() && first > 0.0;
            let found = if is_downhill { search(&mut line, start, first, left.min(TRIALS)) } else { None };
            match found {
                Some(found) => break found,
                None if *evaluations >= limit => return Some(Ending::EvaluationsUsedUp),
                // What is remembered may mislead: once more without it.
                None if *stored > 0.0 => *stored = 0.0,
                None => return Some(Ending::NoDescent),
            }
        };
        along(point.weights, F::of(found.step), direction, trial);
        // Direction and gradient have served: they hold the new pair.
        between(point.weights, trial, direction);
        between(point.gradient, kept, gradient);
        let mut pairs = Pairs { slots, len: n, memory: self.memory, stored: *stored as u64 };
        if pairs.remember(direction, gradient) {
            *stored += 1.0;
        }
        point.weights.copy_from_slice(trial);
        point.gradient.copy_from_slice(kept);
        let before = std::mem::replace(&mut point.loss, found.loss);
        let scale = before.abs().max(found.loss.abs()).max(1.0);
        if largest(point.gradient) <= self.gradient_tolerance {
            Some(Ending::SmallGradient)
        } else if before - found.loss <= self.loss_tolerance * scale {
            Some(Ending::SmallDecrease)
        } else if *evaluations >= limit {
            Some(Ending::EvaluationsUsedUp)
        } else {
            None
        }
    }
}

/// The loss along a direction.
struct Ray<'r, F> {
    objective: &'r mut dyn Objective<F>,
    from: &'r [F],
    direction: &'r [F],
    trial: &'r mut [F],
    gradient: &'r mut [F],
    kept: &'r mut [F],
    evaluations: &'r mut f64,
}

impl<F: Float> Line for Ray<'_, F> {
    fn at(&mut self, step: f64) -> Trial {
        *self.evaluations += 1.0;
        along(self.from, F::of(step), self.direction, self.trial);
        let loss = self.objective.evaluate(self.trial, self.gradient);
        let slope = if loss.is_finite() { kernel::dot(self.gradient, self.direction) } else { f64::NAN };
        Trial { step, loss, slope }
    }

    fn keep(&mut self) {
        self.kept.copy_from_slice(self.gradient);
    }
}

/// The last pairs `(s, y)`, in a ring.
struct Pairs<'p, F> {
    slots: &'p mut [Buffer<F>],
    /// Elements of a vector.
    len: usize,
    memory: usize,
    /// Pairs that have been stored since the ring was empty.
    stored: u64,
}

impl<F: Float> Pairs<'_, F> {
    /// The places of the pairs, the newest first.
    fn newest_first(&self) -> impl DoubleEndedIterator<Item = usize> + use<F> {
        let (stored, memory) = (self.stored, self.memory as u64);
        (1..=stored.min(memory)).map(move |back| ((stored - back) % memory) as usize)
    }

    fn pair(&self, place: usize) -> (&[F], &[F]) {
        (&self.slots[2 * place][..self.len], &self.slots[2 * place + 1][..self.len])
    }

    /// `−H g`, by the two loops of algorithm 7.4.
    fn direction(&self, gradient: &[F], to: &mut [F]) {
        let mut alphas = [0.0; MAX_MEMORY];
        to.iter_mut().zip(gradient).for_each(|(to, &g)| *to = -g);
        for place in self.newest_first() {
            let (s, y) = self.pair(place);
            alphas[place] = kernel::dot(s, to) / kernel::dot(s, y);
            add(F::of(-alphas[place]), y, to);
        }
        if let Some(newest) = self.newest_first().next() {
            let (s, y) = self.pair(newest);
            let scale = F::of(kernel::dot(s, y) / kernel::sum_of_squares(y));
            to.iter_mut().for_each(|to| *to *= scale);
        }
        for place in self.newest_first().rev() {
            let (s, y) = self.pair(place);
            let beta = kernel::dot(y, to) / kernel::dot(s, y);
            add(F::of(alphas[place] - beta), s, to);
        }
    }

    /// Takes a pair in place of the oldest one. One along which the slope does not rise would cost `H` its sign, and is left
    /// out.
    fn remember(&mut self, s: &[F], y: &[F]) -> bool {
        let change = kernel::sum_of_squares(y);
        let rises = change.is_finite() && kernel::dot(s, y) > f64::EPSILON * change;
        if rises {
            let place = (self.stored % self.memory as u64) as usize;
            self.slots[2 * place][..self.len].copy_from_slice(s);
            self.slots[2 * place + 1][..self.len].copy_from_slice(y);
        }
        rises
    }
}

/// `to = from + step · direction`.
fn along<F: Float>(from: &[F], step: F, direction: &[F], to: &mut [F]) {
    kernel::dispatch(
        #[inline(always)]
        || {
            for ((to, &from), &direction) in to.iter_mut().zip(from).zip(direction) {
                *to = from + step * direction;
            }
        },
    );
}

/// `to = after − before`.
fn between<F: Float>(before: &[F], after: &[F], to: &mut [F]) {
    for ((to, &before), &after) in to.iter_mut().zip(before).zip(after) {
        *to = after - before;
    }
}

/// `to += factor · values`.
fn add<F: Float>(factor: F, values: &[F], to: &mut [F]) {
    kernel::dispatch(
        #[inline(always)]
        || to.iter_mut().zip(values).for_each(|(to, &value)| *to += factor * value),
    );
}

/// The largest element by its absolute value.
fn largest<F: Float>(values: &[F]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.wide().abs().max(largest))
}
