//! A run as bytes.
//!
//! What is written are mirror structs of one format version each, never the public types, so that these can change
//! without making files unreadable. Times of day and of work are left out: equal runs give equal bytes.

use serde::{Deserialize, Serialize};

use crate::callback::AnyCallback;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::history::History;
use crate::kernel::Buffer;
use crate::metric::{AnyMetric, Batch, Metrics};
use crate::part::Room;
use crate::persistence::{self, Kind, contradiction};

use super::run::{Position, Totals};
use super::{Plan, Run};

/// The newest format version of a run.
pub(crate) const VERSION: u16 = 1;

/// More updates than any machine makes, and far from the end of the counter.
const MAX_STEPS: u64 = 1 << 62;

/// Format version 1.
#[derive(Serialize, Deserialize)]
#[serde(bound = "F: Float")]
pub(crate) struct RunV1<F> {
    dtype: String,
    plan: Plan,
    n_features: u64,
    /// The tensors in order, without the gaps between them.
    weights: Vec<F>,
    /// An empty list stands for zeros.
    slots: Vec<Vec<F>>,
    scalars: Vec<f64>,
    gathered: Option<Vec<F>>,
    average: Option<Vec<F>>,
    position: Position,
    totals: Totals,
    learning_rate_factor: f64,
    history: History,
    best: Option<Vec<F>>,
    restore_best: bool,
    begun: bool,
    /// Name and settings, which hold the state.
    callbacks: Vec<(String, String)>,
}

/// Whether every value is +0, as bits.
fn is_zero<F: Float>(values: &[F]) -> bool {
    values.iter().all(|value| value.wide().to_bits() == 0)
}

impl<F: Float> Run<F> {
    /// The run as the bytes of a file.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) when a part of the user's cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        persistence::encode(Kind::Run, VERSION, &self.to_mirror())
    }

    /// The run that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// Parts of the user's own are found by their name, when they have been [registered](crate::part::register).
    ///
    /// Reading writes nothing. But a run has its callbacks in its file, and some write where their settings say: before a
    /// file of strangers is advanced, look at its [`plan`](Run::plan). Models go on with the callbacks of the new fit, and
    /// never with those of a file.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) for bytes that are no run of this number type, are damaged, or hold
    /// contradictions or values that are not finite.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (_, payload) = persistence::open(Kind::Run, VERSION, bytes)?;
        Self::from_mirror(persistence::decode(Kind::Run, payload)?)
    }

    /// The bytes of a run at its beginning that has these weights.
    pub(super) fn weights_to_bytes(&self) -> Result<Vec<u8>> {
        let mut run = Run::assemble(self.plan.clone(), self.network.clone());
        // Later fits may have had other callbacks than the one that made the run.
        run.callbacks.clear();
        run.plan.callbacks.clear();
        run.to_bytes()
    }

    pub(crate) fn to_mirror(&self) -> RunV1<F> {
        let packed = |buffer: &Buffer<F>| -> Vec<F> {
            let places = self.network.stages().iter().flat_map(|stage| &stage.places);
            places.flat_map(|&(start, size)| buffer[start..start + size].iter().copied()).collect()
        };
        let kept = |buffer: &Buffer<F>| (!buffer.is_empty()).then(|| packed(buffer));
        RunV1 {
            dtype: F::DTYPE.into(),
            plan: self.plan.clone(),
            n_features: self.network.n_features() as u64,
            weights: packed(self.network.weights()),
            slots: self
                .moments
                .slots
                .iter()
                .map(|slot| if is_zero(slot) { Vec::new() } else { packed(slot) })
                .collect(),
            scalars: self.moments.scalars.clone(),
            gathered: kept(&self.moments.gathered),
            average: kept(&self.moments.average),
            position: self.position,
            totals: self.totals.clone(),
            learning_rate_factor: self.learning_rate_factor,
            history: self.history.clone(),
            best: self.best.as_ref().map(packed),
            restore_best: self.restore_best,
            begun: self.begun,
            callbacks: self
                .callbacks
                .iter()
                .filter(|callback| callback.is_saved())
                .map(|callback| (callback.name().to_owned(), callback.state().to_string()))
                .collect(),
        }
    }

    pub(crate) fn from_mirror(mirror: RunV1<F>) -> Result<Self> {
        let fail = |problem: &str| contradiction(Kind::Run, problem);
        if mirror.dtype != F::DTYPE {
            return Err(fail(&format!("its numbers are {}, and {} is asked for", mirror.dtype, F::DTYPE)));
        }
        let n_features = usize::try_from(mirror.n_features).map_err(|_| fail("it has too many features"))?;
        // A setting out of its range is here a damage of the file.
        let refused = |error: Error| fail(&error.to_string());
        // Before anything of that size is allocated: the weights in the file are as many as the plan needs.
        let plan_params = mirror.plan.network.count_params(n_features).map_err(refused)?;
        if plan_params != mirror.weights.len() {
            return Err(fail("its weights do not fit its network"));
        }
        mirror.plan.check().map_err(refused)?;
        // Weights that are replaced need not be drawn: an orthogonal matrix takes far longer than its file.
        let network = mirror.plan.network.build_empty::<F>(n_features)?;
        if mirror.slots.len() != mirror.plan.optimizer.ops::<F>().slots().len() {
            return Err(fail("its moments do not fit its optimizer"));
        }
        let mut run = Run::assemble(mirror.plan, network);
        let stages: Vec<(usize, usize)> =
            run.network.stages().iter().flat_map(|stage| stage.places.iter().copied()).collect();
        let unpack = |values: &[F], buffer: &mut Buffer<F>| -> Result<()> {
            if values.len() != plan_params {
                return Err(fail("a list of values does not fit its network"));
            }
            if values.iter().any(|value| !value.is_finite()) {
                return Err(fail("a value is not finite"));
            }
            let mut from = 0;
            for &(start, size) in &stages {
                buffer[start..start + size].copy_from_slice(&values[from..from + size]);
                from += size;
            }
            Ok(())
        };
        unpack(&mirror.weights, run.network.weights_mut())?;
        let moments = &mut run.moments;
        if mirror.scalars.len() != moments.scalars.len() {
            return Err(fail("its moments do not fit its optimizer"));
        }
        if mirror.scalars.iter().any(|value| !value.is_finite()) {
            return Err(fail("a value is not finite"));
        }
        moments.scalars = mirror.scalars;
        for (values, slot) in mirror.slots.iter().zip(&mut moments.slots) {
            if values.is_empty() {
                slot.fill(F::zero());
            } else {
                unpack(values, slot)?;
            }
        }
        let kept = [(&mirror.gathered, &mut moments.gathered), (&mirror.average, &mut moments.average)];
        for (values, buffer) in kept {
            match values {
                Some(values) if !buffer.is_empty() => unpack(values, buffer)?,
                None if buffer.is_empty() => (),
                _ => return Err(fail("its moments do not fit its optimizer")),
            }
        }
        if let Some(best) = &mirror.best {
            let mut buffer = Buffer::zeros(run.network.weights().len());
            unpack(best, &mut buffer)?;
            run.best = Some(buffer);
        }
        for weights in [run.network.weights(), &run.moments.average].into_iter().chain(&run.best) {
            // An average that is not kept has no values.
            if !weights.is_empty() {
                run.network.check_range(weights).map_err(|error| fail(&error.to_string()))?;
            }
        }
        let factor = mirror.learning_rate_factor;
        let Position { epoch, batch, step } = mirror.position;
        // Each epoch has a batch, and each batch is a step.
        let counted = step <= MAX_STEPS && epoch <= step && batch <= step - epoch;
        let Totals { first_loss, loss, mass, metrics } = &mirror.totals;
        let summed = first_loss.is_none_or(f64::is_finite)
            && !loss.is_nan()
            && mass.is_finite()
            && if batch > 0 { *mass > 0.0 } else { *mass >= 0.0 };
        if !(factor.is_finite() && factor >= 0.0 && counted && summed)
            || metrics.len() != run.plan.metrics.len()
        {
            return Err(fail("its counters contradict each other"));
        }
        if !metrics.is_empty() {
            let n_outputs = run.network.n_outputs();
            let target_width = run.plan.loss.ops::<F>().target_width(n_outputs);
            let (targets, outputs) = (vec![F::zero(); target_width], vec![F::zero(); n_outputs]);
            let mut row = Batch::new(&targets, target_width, &outputs, n_outputs);
            row.multilabel = run.plan.is_multilabel(n_outputs);
            let mut sums = run.plan.metrics.iter().zip(metrics);
            if !sums.all(|(metric, state)| could_be_left_by(metric, &row, state)) {
                return Err(fail("the sums of a metric do not fit it"));
            }
        }
        if !mirror.history.is_consistent() || mirror.history.len() as u64 != mirror.position.epoch {
            return Err(fail("its history contradicts its counters"));
        }
        let planned = run.plan.callbacks.iter().map(AnyCallback::name);
        if !planned.eq(mirror.callbacks.iter().map(|(name, _)| name)) {
            return Err(fail("its callbacks are not those of its plan"));
        }
        run.callbacks = mirror
            .callbacks
            .iter()
            .map(|(name, state)| {
                let state = serde_json::from_str(state).map_err(|error| fail(&error.to_string()))?;
                Ok(AnyCallback::build(name, state).map_err(refused)?.start())
            })
            .collect::<Result<_>>()?;
        run.position = mirror.position;
        run.totals = mirror.totals;
        run.learning_rate_factor = factor;
        run.history = mirror.history;
        run.restore_best = mirror.restore_best;
        run.begun = mirror.begun;
        Ok(run)
    }
}

/// Whether a metric of this crate can have left a state: the length and the beginning are those after some rows. Of a
/// user's own metric nothing is known.
fn could_be_left_by<F: Float>(metric: &AnyMetric, row: &Batch<'_, F>, state: &[f64]) -> bool {
    if state.is_empty() || !Metrics::members().iter().any(|member| member.name() == metric.name()) {
        return true;
    }
    let mut after_one = Vec::new();
    metric.ops::<F>().update(&mut after_one, row);
    let mut after_two = after_one.clone();
    metric.ops::<F>().update(&mut after_two, row);
    let len_of_row = after_two.len() - after_one.len();
    if len_of_row == 0 {
        return state.len() == after_one.len();
    }
    let header = &after_one[..after_one.len() - len_of_row];
    state.starts_with(header) && (state.len() - header.len()).is_multiple_of(len_of_row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::MeanSquaredError;
    use crate::network::{BatchNorm, Dense, Dropout, Sequential};
    use crate::optimizer::Nadam;

    /// A run with every kind of state an optimizer can have, whose mirror a test may spoil.
    fn mirror() -> RunV1<f64> {
        let plan = Plan {
            network: Sequential::new().add(Dense::new(1)),
            loss: MeanSquaredError.into(),
            optimizer: Nadam::default().ema(0.9).accumulate(2).into(),
            metrics: vec![],
            batch_size: 1,
            shuffle: false,
            seed: 0,
            callbacks: vec![],
        };
        Run::new(plan, 2).unwrap().to_mirror()
    }

    #[test]
    fn a_negative_variance_is_refused_wherever_it_stands() {
        let mut plan = mirror().plan;
        plan.network = Sequential::new().add(BatchNorm::new()).add(Dense::new(1));
        let whole = || Run::<f64>::new(plan.clone(), 2).unwrap().to_mirror();
        // Of the batch normalisation: γ, β, mean, variance, each twice.
        let spoilt = |value: f64| [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, value, 0.0, 0.0, 0.0];
        let places: [fn(&mut RunV1<f64>, [f64; 11]); 3] = [
            |run, values| run.weights = values.to_vec(),
            |run, values| run.average = Some(values.to_vec()),
            |run, values| run.best = Some(values.to_vec()),
        ];
        for put in places {
            for (value, allowed) in
                [(0.0, true), (-0.0, true), (5e-324, true), (-5e-324, false), (-1.0, false)]
            {
                let mut mirror = whole();
                put(&mut mirror, spoilt(value));
                match Run::from_mirror(mirror) {
                    Ok(_) => assert!(allowed, "{value}"),
                    Err(error) => {
                        assert!(!allowed && matches!(error, Error::Format { .. }), "{value}: {error}");
                        assert!(
                            error.to_string().contains("batch_norm_1/moving_variance must be >= 0"),
                            "{error}"
                        );
                    }
                }
            }
            for value in [f64::NAN, f64::INFINITY] {
                let mut mirror = whole();
                put(&mut mirror, spoilt(value));
                assert!(matches!(Run::from_mirror(mirror), Err(Error::Format { .. })), "{value}");
            }
        }
    }

    #[test]
    fn an_optimizer_s_state_that_does_not_fit_is_refused() {
        assert!(Run::from_mirror(mirror()).is_ok());
        let spoil: [fn(&mut RunV1<f64>); 10] = [
            |run| run.slots.truncate(1),
            |run| run.slots[1].push(0.0),
            |run| run.slots[1] = vec![f64::NAN; 3],
            |run| run.scalars.clear(),
            |run| run.scalars[0] = f64::INFINITY,
            |run| run.gathered = None,
            |run| run.gathered = Some(vec![]),
            |run| run.average = None,
            |run| run.average = Some(vec![0.0; 4]),
            |run| run.average = Some(vec![f64::NAN; 3]),
        ];
        for (i, spoil) in spoil.iter().enumerate() {
            let mut mirror = mirror();
            spoil(&mut mirror);
            assert!(matches!(Run::from_mirror(mirror), Err(Error::Format { .. })), "{i}");
        }
        let mut wide = mirror();
        wide.plan.network = Sequential::new().add(Dropout::new(0.1));
        (wide.n_features, wide.weights) = (1 << 60, vec![]);
        assert!(matches!(Run::from_mirror(wide), Err(Error::Format { .. })), "a network without a weight");
        let mut eager = mirror();
        eager.plan.batch_size = 0;
        assert!(matches!(Run::from_mirror(eager), Err(Error::Format { .. })), "a setting out of its range");
        let mut plain = mirror();
        plain.plan.optimizer = Nadam::default().into();
        assert!(matches!(Run::from_mirror(plain), Err(Error::Format { .. })), "an average nobody keeps");
    }
}
