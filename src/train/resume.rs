//! Going on from a run that a callback knows of, such as a backup.

use crate::callback::{AnyCallback, Requests, View};
use crate::error::Result;
use crate::float::Float;
use crate::metric::Direction;
use crate::persistence;

use super::inside::Parts;
use super::telling::failed;
use super::{Data, Run, Until};

impl<F: Float> Run<F> {
    /// Goes on from the run with the most steps that a callback knows of, if there is one.
    ///
    /// Bytes that are damaged count for nothing as long as others of the same callback are whole: a run that begins
    /// somewhere ends with the same bytes. With nothing but damaged ones, hours of work would be lost without a word; that is
    /// an error.
    pub(super) fn resume(
        &mut self,
        data: &Data<'_, F>,
        until: Until,
        names: &[String],
        directions: &[Direction],
    ) -> Result<bool> {
        let scheduled_rate = self.plan.optimizer.ops::<F>().tuning().learning_rate.rate(self.position.step);
        let Run {
            plan, network, moments, position, totals, learning_rate_factor, history, callbacks, ..
        } = self;
        let (position, rate_factor) = (*position, *learning_rate_factor);
        let inside = Parts { plan, network, moments, position, rate_factor, gradient: &[], totals, data };
        let mut best: Option<Run<F>> = None;
        for callback in callbacks {
            let mut requests = Requests::default();
            let mut view = View {
                epoch: position.epoch as usize,
                epochs: until.epochs,
                batch: 0,
                batches: plan.batches(data.training.n_weighted()),
                step: position.step,
                seconds: 0.0,
                names,
                directions,
                values: &[],
                running: None,
                history,
                inside: &inside,
                scheduled_rate,
                rate_factor,
                requests: &mut requests,
            };
            let found =
                callback.resume(&mut view).map_err(|error| failed(error, callback.name(), &position))?;
            let mut damage = None;
            let mut whole = Vec::with_capacity(found.len());
            for bytes in found {
                match Run::from_bytes(&bytes) {
                    Ok(run) => whole.push(run),
                    Err(error) => damage = Some(error),
                }
            }
            if let (true, Some(error)) = (whole.is_empty(), damage) {
                return Err(failed(error, callback.name(), &position));
            }
            for run in whole {
                if run.network.n_features() != network.n_features() || !run.plan.is_same_fit(plan) {
                    let error = persistence::contradiction(persistence::Kind::Run, "it is of another plan");
                    return Err(failed(error, callback.name(), &position));
                }
                if run.steps() >= best.as_ref().map_or(position.step, Run::steps) {
                    best = Some(run);
                }
            }
        }
        let Some(run) = best else { return Ok(false) };
        *self = run.with_unsaved(&self.plan.callbacks);
        Ok(true)
    }

    /// With the callbacks that cannot be saved, which go on from their prototypes.
    pub(crate) fn with_unsaved(mut self, prototypes: &[AnyCallback]) -> Self {
        let unsaved = prototypes.iter().map(AnyCallback::start).enumerate();
        for (place, callback) in unsaved.filter(|(_, callback)| !callback.is_saved()) {
            self.callbacks.insert(place.min(self.callbacks.len()), callback);
        }
        self.plan.callbacks = prototypes.to_vec();
        self
    }
}
