//! Callbacks are told, and what they ask for is done.

use std::cell::OnceCell;

use crate::callback::{Requests, Save, View};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::history::StopReason;
use crate::kernel::Buffer;
use crate::persistence;

use super::Run;
use super::inside::Parts;
use super::passage::Passage;
use super::run::Position;

/// The moments at which callbacks are told.
#[derive(Clone, Copy)]
pub(super) enum Moment {
    TrainBegin,
    EpochBegin,
    BatchEnd,
    EpochEnd,
    TrainEnd,
}
impl<F: Float> Passage<'_, '_, F> {
    /// Tells every callback, in order, and does what they ask for; gives the reason if one of them stops the run.
    pub(super) fn tell(&mut self, moment: Moment) -> Result<Option<StopReason>> {
        if self.run.callbacks.is_empty() {
            return Ok(None);
        }
        // A metric may need the order of all rows so far: after a batch its value is computed when somebody asks for it.
        let running = OnceCell::new();
        let running = matches!(moment, Moment::BatchEnd).then_some(&running);
        let Passage { run, data, workspace, names, directions, batches, until, epoch_start, saves, .. } =
            self;
        let Run {
            plan,
            network,
            moments,
            position,
            totals,
            learning_rate_factor,
            history,
            best,
            restore_best,
            callbacks,
            ..
        } = &mut **run;
        let position = *position;
        let epochs_done = position.epoch as usize;
        let epoch = match moment {
            Moment::EpochBegin | Moment::BatchEnd => epochs_done + 1,
            Moment::TrainBegin | Moment::EpochEnd | Moment::TrainEnd => epochs_done,
        };
        let scheduled_rate = plan.optimizer.ops::<F>().tuning().learning_rate.rate(position.step);
        let mut reason = None;
        let mut log_batch = false;
        for (place, callback) in callbacks.iter_mut().enumerate() {
            let mut requests = Requests::default();
            let inside = Parts {
                plan,
                network,
                moments,
                position,
                rate_factor: *learning_rate_factor,
                gradient: &workspace.gradient,
                totals,
                data,
            };
            let mut view = View {
                epoch,
                epochs: until.epochs,
                batch: position.batch as usize,
                batches: *batches,
                step: position.step,
                seconds: epoch_start.elapsed().as_secs_f64(),
                names,
                directions,
                values: &workspace.values,
                running,
                history,
                inside: &inside,
                scheduled_rate,
                rate_factor: *learning_rate_factor,
                requests: &mut requests,
            };
            let told = match moment {
                Moment::TrainBegin => callback.on_train_begin(&mut view),
                Moment::EpochBegin => callback.on_epoch_begin(&mut view),
                Moment::BatchEnd => callback.on_batch_end(&mut view),
                Moment::EpochEnd => callback.on_epoch_end(&mut view),
                Moment::TrainEnd => callback.on_train_end(&mut view),
            };
            let name = callback.name();
            if let Err(error) = told {
                let error = failed(error, name, &position);
                saves.drain(..).for_each(|(place, _)| callbacks[place].on_save_failed());
                return Err(error);
            }
            if requests.keep_best {
                let best = best.get_or_insert_with(|| Buffer::zeros(network.weights().len()));
                best.copy_from_slice(moments.predicting(network.weights(), position.step));
            }
            *restore_best |= requests.restore_best;
            *learning_rate_factor = requests.rate_factor.unwrap_or(*learning_rate_factor);
            log_batch |= requests.log_batch;
            saves.extend(requests.saves.into_iter().map(|save| (place, save)));
            if let (Some(why), None) = (requests.stop, &reason) {
                reason = Some(StopReason::Callback { name: name.into(), reason: why });
            }
        }
        if let (true, Some(running)) = (log_batch, running) {
            let values = running.get_or_init(|| totals.values::<F>(plan));
            history.push_batch(epoch, position.batch, position.step, names, values);
        }
        Ok(reason)
    }

    /// Writes the files that callbacks have asked for. When one of them has stopped the run, the files say so.
    pub(super) fn save(&mut self, stop: Option<&StopReason>) -> Result<()> {
        if self.saves.is_empty() {
            return Ok(());
        }
        let before = self.run.history.stop_reason().cloned();
        if stop.is_some() {
            self.run.history.stop(stop.cloned());
        }
        let mut saves = std::mem::take(&mut self.saves);
        // A backup says what the other files hold: killed between the two, the fit writes those once more.
        saves.sort_by_key(|(_, save)| save.is_backup);
        let (mut whole, mut weights) = (None, None);
        for (done, (place, save)) in saves.iter().enumerate() {
            if let Err(error) = write(self.run, save, &mut whole, &mut weights) {
                self.run.history.stop(before);
                saves[done..].iter().for_each(|(place, _)| self.run.callbacks[*place].on_save_failed());
                return Err(failed(error, self.run.callbacks[*place].name(), &self.run.position));
            }
        }
        Ok(())
    }
}

/// The error of a callback.
pub(super) fn failed(error: Error, name: &str, position: &Position) -> Error {
    match error {
        // A setting that does not fit the run is the user's to mend, not a failure of the callback.
        error @ Error::Parameter { .. } => error.within(name),
        error => {
            Error::Callback { name: name.into(), epoch: position.epoch as usize, source: Box::new(error) }
        }
    }
}
/// Writes one file, and removes those it takes the place of.
fn write<F: Float>(
    run: &Run<F>,
    save: &Save,
    whole: &mut Option<Vec<u8>>,
    weights: &mut Option<Vec<u8>>,
) -> Result<()> {
    let bytes = if save.weights_only { weights } else { whole };
    let bytes = match bytes {
        Some(bytes) => bytes,
        None if save.weights_only => bytes.insert(run.weights_to_bytes()?),
        None => bytes.insert(run.to_bytes()?),
    };
    if let Some(folder) = save.path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| Error::File {
            action: "cannot make the folder",
            path: folder.into(),
            source,
        })?;
    }
    persistence::write_atomically(&save.path, bytes)?;
    save.then_remove.iter().filter(|path| **path != save.path).try_for_each(persistence::remove)
}
