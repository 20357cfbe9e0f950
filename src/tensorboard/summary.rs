//! One value as TensorFlow 2 writes it: a tag, a tensor, and the name of the TensorBoard plugin that shows it.

use super::histogram::{DEFAULT_BUCKETS, buckets};
use super::message::{DataClass, DataType, Metadata, PluginData, Shape, Tensor, Value};

const SCALARS: &str = "scalars";
const HISTOGRAMS: &str = "histograms";
const TEXT: &str = "text";

/// A tagged value for [`EventWriter::write`](super::EventWriter::write).
///
/// Summaries are written as Keras writes them, as tensors. Python's `EventAccumulator` therefore lists them under
/// `Tensors()`, not under `Scalars()`.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary(Value);

impl Summary {
    /// A number, shown as a point of the curve `tag`. It is stored as `f32`; NaN and infinities are shown as such.
    ///
    /// # Examples
    ///
    /// ```
    /// use linfa_mlp::tensorboard::Summary;
    ///
    /// let summary = Summary::scalar("epoch_loss", 0.5);
    /// assert_eq!((summary.tag(), summary.as_scalar()), ("epoch_loss", Some(0.5)));
    /// ```
    pub fn scalar(tag: impl Into<String>, value: f64) -> Self {
        let tensor = Tensor {
            dtype: DataType::Float.into(),
            shape: Shape::of(&[]),
            floats: vec![value as f32],
            ..Tensor::default()
        };
        Self::new(tag.into(), SCALARS, Vec::new(), DataClass::Scalar, tensor)
    }

    /// How `values` are distributed over 30 equal buckets between the least and the greatest; NaN and infinities are
    /// left out. Without values the rows are zeros; equal values are all counted in the last row.
    ///
    /// # Examples
    ///
    /// ```
    /// use linfa_mlp::tensorboard::Summary;
    ///
    /// let summary = Summary::histogram("dense/kernel/histogram", (0..=30).map(f64::from));
    /// let rows = summary.as_histogram().expect("a histogram");
    /// assert_eq!((rows.len(), rows[0], rows[29]), (30, [0.0, 1.0, 1.0], [29.0, 30.0, 2.0]));
    /// ```
    ///
    /// # References
    ///
    /// TensorBoard 2.21, `tensorboard/plugins/histogram/summary_v2.py`, `_buckets`. It has no rule for NaN and infinities.
    pub fn histogram(tag: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        Self::histogram_with_buckets(tag, values, DEFAULT_BUCKETS)
    }

    /// [`histogram`](Self::histogram) with `n_buckets` instead of 30; with 0 it has no rows.
    pub fn histogram_with_buckets(
        tag: impl Into<String>,
        values: impl IntoIterator<Item = f64>,
        n_buckets: usize,
    ) -> Self {
        let rows = buckets(values, n_buckets);
        let tensor = Tensor {
            dtype: DataType::Double.into(),
            shape: Shape::of(&[rows.len(), 3]),
            content: rows.iter().flatten().flat_map(|value| value.to_le_bytes()).collect(),
            ..Tensor::default()
        };
        Self::new(tag.into(), HISTOGRAMS, Vec::new(), DataClass::Tensor, tensor)
    }

    /// A text in Markdown, tables included.
    ///
    /// # Examples
    ///
    /// ```
    /// use linfa_mlp::tensorboard::Summary;
    ///
    /// let summary = Summary::text("model", "| layer | shape |\n|---|---|\n| dense | (64, 10) |");
    /// assert!(summary.as_text().is_some_and(|text| text.contains("dense")));
    /// ```
    pub fn text(tag: impl Into<String>, markdown: impl Into<String>) -> Self {
        let tensor = Tensor {
            dtype: DataType::String.into(),
            shape: Shape::of(&[]),
            strings: vec![markdown.into().into_bytes()],
            ..Tensor::default()
        };
        Self::new(tag.into(), TEXT, Vec::new(), DataClass::Tensor, tensor)
    }

    /// A summary that is all metadata: `content` for the plugin `plugin`, and an empty tensor.
    pub(super) fn metadata_only(tag: &str, plugin: &str, content: Vec<u8>) -> Self {
        let tensor = Tensor { dtype: DataType::Float.into(), shape: Shape::of(&[0]), ..Tensor::default() };
        Self::new(tag.to_owned(), plugin, content, DataClass::Tensor, tensor)
    }

    fn new(tag: String, plugin: &str, content: Vec<u8>, class: DataClass, tensor: Tensor) -> Self {
        let plugin_data = Some(PluginData { plugin_name: plugin.to_owned(), content });
        let metadata = Some(Metadata { plugin_data, data_class: class.into() });
        Self(Value { tag, tensor: Some(tensor), metadata })
    }

    pub(super) fn from_value(value: Value) -> Self {
        Self(value)
    }

    pub(super) fn into_value(self) -> Value {
        self.0
    }

    /// The name under which TensorBoard shows the value.
    pub fn tag(&self) -> &str {
        &self.0.tag
    }

    /// The plugin that shows the value: `scalars`, `histograms`, `text`, `hparams`; empty when a foreign file names none.
    pub fn plugin(&self) -> &str {
        self.plugin_data().map_or("", |plugin| &plugin.plugin_name)
    }

    pub(super) fn plugin_data(&self) -> Option<&PluginData> {
        self.0.metadata.as_ref()?.plugin_data.as_ref()
    }

    /// The number, if this is a [`scalar`](Self::scalar).
    pub fn as_scalar(&self) -> Option<f32> {
        self.tensor(SCALARS, DataType::Float)?.floats.first().copied()
    }

    /// The rows (left edge, right edge, count), if this is a [`histogram`](Self::histogram).
    pub fn as_histogram(&self) -> Option<Vec<[f64; 3]>> {
        let content = &self.tensor(HISTOGRAMS, DataType::Double)?.content;
        let (rows, rest) = content.as_chunks::<{ 3 * size_of::<f64>() }>();
        rest.is_empty().then(|| rows.iter().map(row).collect())
    }

    /// The Markdown, if this is a [`text`](Self::text).
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(self.tensor(TEXT, DataType::String)?.strings.first()?).ok()
    }

    fn tensor(&self, plugin: &str, dtype: DataType) -> Option<&Tensor> {
        self.0.tensor.as_ref().filter(|tensor| self.plugin() == plugin && tensor.dtype == i32::from(dtype))
    }
}

fn row(bytes: &[u8; 24]) -> [f64; 3] {
    let (values, _) = bytes.as_chunks();
    std::array::from_fn(|i| f64::from_le_bytes(values[i]))
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn a_scalar_has_the_bytes_tensorboard_expects() {
        // Made with TensorBoard 2.21's own message classes: Summary.Value(tag="t", tensor=make_tensor_proto(0.5,
        // dtype=float32), metadata with data_class 1), SerializeToString(deterministic=True).
        let bytes = Summary::scalar("t", 0.5).into_value().encode_to_vec();
        let golden =
            b"\x0a\x01t\x42\x0a\x08\x01\x12\0\x2a\x04\0\0\0\x3f\x4a\x0d\x0a\x09\x0a\x07scalars\x20\x01";
        assert_eq!(bytes, golden);
    }

    #[test]
    fn each_kind_reads_back_as_itself_and_as_no_other() {
        let scalar = Summary::scalar("loss", 1.0 / 3.0);
        assert_eq!(scalar.as_scalar(), Some(1.0 / 3.0));
        assert!(scalar.as_histogram().is_none() && scalar.as_text().is_none());

        let histogram = Summary::histogram_with_buckets("kernel", [0.0, 1.0, 1.0], 2);
        assert_eq!(histogram.as_histogram(), Some(vec![[0.0, 0.5, 1.0], [0.5, 1.0, 2.0]]));
        assert!(histogram.as_scalar().is_none() && histogram.as_text().is_none());

        let text = Summary::text("model", "größe **64**");
        assert_eq!(text.as_text(), Some("größe **64**"));
        assert!(text.as_scalar().is_none() && text.as_histogram().is_none());
    }

    #[test]
    fn plugins_are_named_as_tensorboard_names_them() {
        let plugins = [Summary::scalar("t", 0.0), Summary::histogram("t", []), Summary::text("t", "")];
        assert_eq!(plugins.each_ref().map(Summary::plugin), ["scalars", "histograms", "text"]);
    }

    #[test]
    fn not_a_number_stays_a_point() {
        assert!(Summary::scalar("loss", f64::NAN).as_scalar().is_some_and(f32::is_nan));
        assert_eq!(Summary::scalar("loss", f64::INFINITY).as_scalar(), Some(f32::INFINITY));
    }
}
