//! What each kind of model gives.

use std::borrow::Cow;
use std::path::Path;

use linfa::Label;

use super::{Onnx, ToOnnx};
use crate::error::Result;
use crate::estimator::{MlpClassifier, MlpMultilabelClassifier, MlpRegressor, YesNo};
use crate::float::Float;
use crate::model_selection::Pipeline;
use crate::network::Network;
use crate::network::graph::{Attribute, Graph, Precision, Value};
use crate::train::{Model, label_text};

impl<F: Float> ToOnnx<F> for Network<F> {
    fn result(&self) -> Cow<'_, Network<F>> {
        Cow::Borrowed(self)
    }

    fn outputs(&self, graph: &mut Graph<'_, F>, y: Value) {
        graph.output("y", y, self.n_outputs());
    }

    fn gives_numbers(&self) -> bool {
        true
    }
}

impl<F: Float> ToOnnx<F> for Model<F> {
    fn result(&self) -> Cow<'_, Network<F>> {
        Cow::Owned(self.run().result())
    }

    fn outputs(&self, graph: &mut Graph<'_, F>, y: Value) {
        self.network().outputs(graph, y);
    }

    fn gives_numbers(&self) -> bool {
        true
    }
}

impl<F: Float, I> ToOnnx<F> for MlpRegressor<F, I>
where
    I: linfa::dataset::TargetDim,
{
    fn result(&self) -> Cow<'_, Network<F>> {
        Cow::Borrowed(self.network())
    }

    fn outputs(&self, graph: &mut Graph<'_, F>, y: Value) {
        self.network().outputs(graph, y);
    }

    fn gives_numbers(&self) -> bool {
        true
    }
}

impl<F: Float, L: Label> ToOnnx<F> for MlpClassifier<F, L> {
    fn result(&self) -> Cow<'_, Network<F>> {
        Cow::Borrowed(self.network())
    }

    fn outputs(&self, graph: &mut Graph<'_, F>, y: Value) {
        let n_classes = self.classes().len();
        // The probability of the second of two classes, where a threshold decides.
        let mut second = self.network().n_outputs() == 1;
        let (mut proba, mut decides) = (y, y);
        if second {
            let one = graph.scalar(1.0);
            let first = graph.apply("Sub", &[one, y]);
            proba = graph.apply_with("Concat", &[first, y], vec![("axis", Attribute::Int(1))]);
        } else if self.has_threshold() {
            let place = graph.integers("second", vec![1]);
            decides = graph.apply_with("Gather", &[y, place], vec![("axis", Attribute::Int(1))]);
            second = true;
        }
        let class = if second {
            let threshold = self.threshold().unwrap_or(0.5);
            let class = is_above(graph, decides, &[threshold]);
            let axes = graph.integers("axes", vec![1]);
            graph.apply("Squeeze", &[class, axes])
        } else {
            let settings = vec![("axis", Attribute::Int(1)), ("keepdims", Attribute::Int(0))];
            graph.apply_with("ArgMax", &[proba], settings)
        };
        let label = match whole_numbers(self.classes()) {
            Some(classes) if !classes.iter().copied().eq(0..n_classes as i64) => {
                let table = graph.integers("classes", classes);
                graph.apply_with("Gather", &[table, class], vec![("axis", Attribute::Int(0))])
            }
            _ => class,
        };
        graph.output_integers("label", label, None);
        graph.output("probabilities", proba, n_classes);
    }

    fn gives_numbers(&self) -> bool {
        false
    }

    fn metadata(&self) -> Vec<(String, String)> {
        let texts: Vec<String> = self.classes().iter().map(label_text).collect();
        vec![("classes".into(), serde_json::Value::from(texts).to_string())]
    }
}

impl<F: Float, L: YesNo> ToOnnx<F> for MlpMultilabelClassifier<F, L> {
    fn result(&self) -> Cow<'_, Network<F>> {
        Cow::Borrowed(self.network())
    }

    fn outputs(&self, graph: &mut Graph<'_, F>, y: Value) {
        let labels = is_above(graph, y, self.thresholds());
        graph.output_integers("labels", labels, Some(self.n_labels()));
        graph.output("probabilities", y, self.n_labels());
    }

    fn gives_numbers(&self) -> bool {
        false
    }
}

/// 1 where a probability is above its threshold, else 0.
fn is_above<F: Float>(graph: &mut Graph<'_, F>, proba: Value, thresholds: &[f64]) -> Value {
    let single = graph.precision() == Precision::Single;
    let thresholds = thresholds.iter().map(|&t| if single { rounded_down(t) } else { t }).collect();
    let thresholds = graph.vector("thresholds", thresholds);
    let above = graph.apply("Greater", &[proba, thresholds]);
    graph.apply_with("Cast", &[above], vec![("to", Attribute::Int(INT64))])
}

/// `TensorProto.DataType`, as a setting.
const INT64: i64 = super::message::INT64 as i64;

/// The greatest `f32` that is not above a number: an `f32` is above the one exactly when it is above the other.
fn rounded_down(number: f64) -> f64 {
    let rounded = number as f32;
    f64::from(if f64::from(rounded) > number { rounded.next_down() } else { rounded })
}

/// The classes, if all of them are whole numbers, and written as numbers are: `03` is a text.
fn whole_numbers<L: Label>(classes: &[L]) -> Option<Vec<i64>> {
    let number = |text: String| text.parse().ok().filter(|number: &i64| number.to_string() == text);
    classes.iter().map(|class| number(label_text(class))).collect()
}

macro_rules! export_onnx {
    ($($model:ty, [$($of:tt)*];)*) => {$(
        impl<$($of)*> $model {
            /// Writes the model as an ONNX file, for any ONNX runtime: see [`Onnx`] for what is in it, and for settings.
            ///
            /// # Errors
            ///
            /// As [`Onnx::export`].
            pub fn export_onnx(&self, path: impl AsRef<Path>) -> Result<()> {
                Onnx::new().export(self, path)
            }
        }
    )*};
}

export_onnx! {
    Network<F>, [F: Float];
    Model<F>, [F: Float];
    MlpRegressor<F, I>, [F: Float, I: linfa::dataset::TargetDim];
    MlpClassifier<F, L>, [F: Float, L: Label];
    MlpMultilabelClassifier<F, L>, [F: Float, L: YesNo];
    Pipeline<M, F, T>, [M: ToOnnx<F>, F: Float, T];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_in_f32_parts_the_same_numbers() {
        for threshold in [0.0, 0.1, 0.3, 0.5, 0.7, 1.0] {
            let down = rounded_down(threshold);
            let near = threshold as f32;
            for p in [near.next_down(), near, near.next_up()] {
                assert_eq!(f64::from(p) > threshold, f64::from(p) > down, "{p} {threshold}");
            }
        }
    }

    #[test]
    fn labels_are_numbers_only_when_all_of_them_are() {
        assert_eq!(whole_numbers(&[3_usize, 7]), Some(vec![3, 7]));
        assert_eq!(whole_numbers(&["3", "-7"]), Some(vec![3, -7]));
        assert_eq!(whole_numbers(&["3", "seven"]), None);
        assert_eq!(whole_numbers(&["03", "3"]), None);
        assert_eq!(whole_numbers(&["+3", "-0"]), None);
        assert_eq!(whole_numbers(&[false, true]), None);
    }
}
