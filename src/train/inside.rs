//! What callbacks see of the parts of a run that have a number type.

use crate::callback::{Inside, TellTensor};
use crate::float::Float;
use crate::network::{Network, Summary};
use crate::rng::Stream;

use super::run::{Position, Totals};
use super::update::Moments;
use super::{Data, Plan, RowSource, Rows};

/// The parts of a run that callbacks may look into.
#[derive(Debug)]
pub(super) struct Parts<'a, 'd, F: Float> {
    pub(super) plan: &'a Plan,
    pub(super) network: &'a Network<F>,
    pub(super) moments: &'a Moments<F>,
    pub(super) position: Position,
    pub(super) rate_factor: f64,
    pub(super) gradient: &'a [F],
    pub(super) totals: &'a Totals,
    pub(super) data: &'a Data<'d, F>,
}

impl<F: Float> Parts<'_, '_, F> {
    fn tensors(&self, values: &[F], tell: &mut TellTensor<'_>) {
        for stage in self.network.stages() {
            for (tensor, &(start, size)) in stage.tensors.iter().zip(&stage.places) {
                let mut values = values[start..start + size].iter().map(|value| value.wide());
                tell(&format!("{}/{}", stage.name, tensor.name), &mut values);
            }
        }
    }
}

impl<F: Float> Inside for Parts<'_, '_, F> {
    fn weights(&self, tell: &mut TellTensor<'_>) {
        self.tensors(self.network.weights(), tell);
    }

    fn gradient(&self, tell: &mut TellTensor<'_>) {
        if self.gradient.iter().any(|value| *value != F::zero()) {
            self.tensors(self.gradient, tell);
        }
    }

    fn running_values(&self) -> Vec<f64> {
        self.totals.values::<F>(self.plan)
    }

    fn summary(&self) -> Summary {
        self.network.summary()
    }

    fn settings(&self) -> serde_json::Value {
        // A plan is structs of numbers, strings and parts: none of them can fail to become JSON.
        serde_json::to_value(self.plan).unwrap_or_default()
    }

    fn fingerprint(&self) -> u64 {
        let Position { epoch, batch, step } = self.position;
        let root = Stream::new(step).named(F::DTYPE).named(&self.settings().to_string());
        let root =
            root.at(self.network.n_features() as u64).at(epoch).at(batch).at(self.rate_factor.to_bits());
        let buffers = std::iter::once(self.network.weights()).chain(&self.moments.slots);
        let root = buffers.fold(root, |print, buffer| {
            buffer.iter().fold(print.at(buffer.len() as u64), |print, value| print.at(value.wide().to_bits()))
        });
        let print = print_rows(root, &self.data.training);
        self.data
            .validation
            .as_ref()
            .map_or(print, |rows| print_rows(print.named("validation"), rows))
            .value(0)
    }
}

/// Goes on with a fingerprint over some rows: their order counts, and for arrays not from where in a larger data set they
/// come. A source is not read for it, but asked.
fn print_rows<F: Float>(print: Stream, rows: &Rows<'_, F>) -> Stream {
    let (mut x, mut y) = (vec![F::zero(); rows.n_features()], vec![F::zero(); rows.target_width()]);
    let mut weight = [F::zero()];
    let print = print.at(rows.len() as u64).at(x.len() as u64).at(y.len() as u64);
    let print = match rows.class_weights() {
        None => print,
        Some(weights) => {
            weights.iter().fold(print.named("class weights"), |print, weight| print.at(weight.to_bits()))
        }
    };
    let source = rows.source().map(RowSource::fingerprint);
    let print = source.map_or(print, |fingerprint| print.named("source").at(fingerprint));
    (0..rows.len()).fold(print, |print, place| {
        let row = [rows.row(place)];
        rows.gather_weights(&row, &mut weight);
        let print = match source {
            Some(_) => print.at(row[0] as u64),
            None => {
                rows.read(&row, &mut x, &mut y).expect("arrays can always be read");
                x.iter().chain(&y).fold(print, |print, value| print.at(value.wide().to_bits()))
            }
        };
        print.at(weight[0].wide().to_bits())
    })
}
