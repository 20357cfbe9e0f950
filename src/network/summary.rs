//! The table of layers, output shapes and parameters.

use std::collections::HashMap;
use std::fmt;

use super::Stage;
use super::layer::{AnyLayer, Tensor};
use super::sequential::{Unfolded, unfolded};

/// A network at a glance. Prints as a table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Columns of the input.
    pub n_features: usize,
    /// One row a layer; those of a branch stand before the layer that merges it, and bear its name before theirs.
    pub layers: Vec<SummaryRow>,
}

/// One layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SummaryRow {
    /// Name of the layer in its network: its kind and number, `dense_2`.
    pub name: String,
    /// The activation at its end, if it has one.
    pub activation: Option<String>,
    /// Columns of the output.
    pub n_outputs: usize,
    /// Number of parameters.
    pub params: usize,
    /// How many of them training does not move: those of a frozen layer, and moving averages.
    pub non_trainable_params: usize,
}

impl Summary {
    pub(super) fn of(layers: &[AnyLayer], n_features: usize) -> Self {
        let rows = unfolded(layers, n_features).into_iter().map(
            |Unfolded { layer, name, n_inputs, n_outputs, .. }| {
                SummaryRow::new(layer, name, n_outputs, &layer.ops::<f32>().tensors(n_inputs))
            },
        );
        Summary { layers: rows.collect(), n_features }
    }

    /// Number of parameters.
    #[must_use]
    pub fn count_params(&self) -> usize {
        self.layers.iter().map(|layer| layer.params).sum()
    }

    /// How many of them training does not move.
    #[must_use]
    pub fn count_non_trainable_params(&self) -> usize {
        self.layers.iter().map(|layer| layer.non_trainable_params).sum()
    }
}

impl SummaryRow {
    fn new(layer: &AnyLayer, name: String, n_outputs: usize, tensors: &[Tensor]) -> Self {
        let size = |tensor: &Tensor| tensor.rows * tensor.columns;
        SummaryRow {
            name,
            activation: layer.ops::<f32>().activation().map(ToString::to_string),
            n_outputs,
            params: tensors.iter().map(size).sum(),
            non_trainable_params: tensors.iter().filter(|tensor| !tensor.trainable).map(size).sum(),
        }
    }

    pub(super) fn of(stage: &Stage) -> Self {
        SummaryRow::new(&stage.layer, stage.name.clone(), stage.n_outputs, &stage.tensors)
    }
}

/// Names of layers inside a network: kind and number among its kind, from 1.
pub(super) fn layer_names(layers: &[AnyLayer]) -> Vec<String> {
    let mut numbers = HashMap::new();
    let name = |layer: &AnyLayer| {
        let number =
            numbers.entry(layer.name().to_owned()).and_modify(|number| *number += 1).or_insert(1_usize);
        format!("{}_{number}", layer.name())
    };
    layers.iter().map(name).collect()
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = |width: usize| format!("(n, {width})");
        let mut rows = vec![["layer", "activation", "output shape", "parameters"].map(String::from)];
        rows.push(["input".into(), String::new(), shape(self.n_features), "0".into()]);
        for layer in &self.layers {
            let activation = layer.activation.clone().unwrap_or_default();
            rows.push([layer.name.clone(), activation, shape(layer.n_outputs), grouped(layer.params)]);
        }
        let (all, fixed) = (self.count_params(), self.count_non_trainable_params());
        rows.push(["total".into(), String::new(), String::new(), grouped(all)]);
        let last = rows.len() - 1;
        if fixed > 0 {
            rows.push(["trainable".into(), String::new(), String::new(), grouped(all - fixed)]);
            rows.push(["non-trainable".into(), String::new(), String::new(), grouped(fixed)]);
        }
        let width = |c: usize| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2), width(3)];
        let line: usize = widths.iter().sum::<usize>() + 6;
        for (i, row) in rows.iter().enumerate() {
            if i == 1 || i == last {
                writeln!(f, "{}", "─".repeat(line))?;
            }
            let [name, activation, shape, params] = row;
            let [a, b, c, d] = widths;
            let end = if i + 1 == rows.len() { "" } else { "\n" };
            write!(f, "{name:<a$}  {activation:<b$}  {shape:<c$}  {params:>d$}{end}")?;
        }
        Ok(())
    }
}

/// A number with its digits in groups of three.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
