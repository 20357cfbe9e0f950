//! A graph as the bytes of an ONNX file.

use prost::Message;

use super::message::{
    ATTRIBUTE_FLOAT, ATTRIBUTE_INT, ATTRIBUTE_INTS, AttributeProto, DOUBLE, Dimension, Entry, FLOAT,
    GraphProto, INT64, ModelProto, NodeProto, OperatorSet, Shape, Size, TensorProto, TensorType, TypeProto,
    ValueInfo,
};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::network::graph::{Attribute, Constant, Graph, Node, Numbers, Output, Precision};

/// The oldest that have all operators we write; every runtime of the last years reads them.
const IR_VERSION: i64 = 8;
const OPERATOR_SET: i64 = 17;

/// The most bytes that readers of protocol buffers take.
const MAX_BYTES: usize = i32::MAX as usize;

/// The bytes of a file.
pub(super) fn encode<F: Float>(
    graph: &Graph<'_, F>,
    doc_string: String,
    metadata: Vec<(String, String)>,
) -> Result<Vec<u8>> {
    // Seen before the weights are copied.
    let size = graph.constants().map(|(_, constant)| bytes_of(constant, graph.precision())).sum::<usize>();
    let limit = |bytes: usize| {
        crate::error::check("bytes of the ONNX file", bytes, bytes <= MAX_BYTES, "at most 2147483647 (2 GiB)")
    };
    limit(size)?;
    let model = model(graph, doc_string, metadata);
    limit(model.encoded_len())?;
    Ok(model.encode_to_vec())
}

fn model<F: Float>(graph: &Graph<'_, F>, doc_string: String, metadata: Vec<(String, String)>) -> ModelProto {
    let precision = graph.precision();
    let floats = float_type(precision);
    let input = info("x", floats, Some(graph.n_features()));
    let output = |output: &Output| {
        let kind = if output.integers { INT64 } else { floats };
        info(graph.name(output.value), kind, output.columns)
    };
    let graph = GraphProto {
        node: graph.nodes().iter().map(|node| of_node(graph, node)).collect(),
        name: "network".into(),
        initializer: graph.constants().map(|(name, constant)| tensor(name, constant, precision)).collect(),
        input: vec![input],
        output: graph.outputs().iter().map(output).collect(),
    };
    ModelProto {
        ir_version: IR_VERSION,
        producer_name: env!("CARGO_PKG_NAME").into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        doc_string,
        graph: Some(graph),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPERATOR_SET }],
        metadata_props: metadata.into_iter().map(|(key, value)| Entry { key, value }).collect(),
    }
}

fn float_type(precision: Precision) -> i32 {
    match precision {
        Precision::Single => FLOAT,
        Precision::Double => DOUBLE,
    }
}

fn of_node<F: Float>(graph: &Graph<'_, F>, node: &Node) -> NodeProto {
    let output = graph.name(node.output).to_owned();
    NodeProto {
        input: node.inputs.iter().map(|&input| graph.name(input).to_owned()).collect(),
        name: output.clone(),
        output: vec![output],
        op_type: node.operator.into(),
        attribute: node.attributes.iter().map(|(name, setting)| attribute(name, setting)).collect(),
    }
}

fn attribute(name: &str, setting: &Attribute) -> AttributeProto {
    let mut attribute = AttributeProto { name: name.into(), ..AttributeProto::default() };
    match setting {
        Attribute::Float(number) => (attribute.f, attribute.kind) = (Some(*number), ATTRIBUTE_FLOAT),
        Attribute::Int(number) => (attribute.i, attribute.kind) = (Some(*number), ATTRIBUTE_INT),
        Attribute::Ints(numbers) => (attribute.ints, attribute.kind) = (numbers.clone(), ATTRIBUTE_INTS),
    }
    attribute
}

fn tensor<F: Float>(name: &str, constant: &Constant<'_, F>, precision: Precision) -> TensorProto {
    let (data_type, raw_data) = match &constant.numbers {
        Numbers::Integers(numbers) => (INT64, numbers.iter().flat_map(|n| n.to_le_bytes()).collect()),
        Numbers::Weights(weights) => {
            (float_type(precision), raw(weights.iter().map(|weight| weight.wide()), precision))
        }
        Numbers::Floats(numbers) => (float_type(precision), raw(numbers.iter().copied(), precision)),
    };
    let dims = constant.shape.iter().map(|&size| size as i64).collect();
    TensorProto { dims, data_type, name: name.into(), raw_data }
}

fn raw(numbers: impl Iterator<Item = f64>, precision: Precision) -> Vec<u8> {
    match precision {
        Precision::Single => numbers.flat_map(|number| (number as f32).to_le_bytes()).collect(),
        Precision::Double => numbers.flat_map(f64::to_le_bytes).collect(),
    }
}

fn bytes_of<F: Float>(constant: &Constant<'_, F>, precision: Precision) -> usize {
    let width = match (&constant.numbers, precision) {
        (Numbers::Integers(_), _) | (_, Precision::Double) => 8,
        (_, Precision::Single) => 4,
    };
    constant.shape.iter().product::<usize>().saturating_mul(width)
}

/// An input or output: as many rows as there are, which are called N.
fn info(name: &str, elem_type: i32, columns: Option<usize>) -> ValueInfo {
    let rows = Dimension { size: Some(Size::Named("N".into())) };
    let columns = columns.map(|columns| Dimension { size: Some(Size::Fixed(columns as i64)) });
    let shape = Shape { dim: std::iter::once(rows).chain(columns).collect() };
    let tensor = TensorType { elem_type, shape: Some(shape) };
    ValueInfo { name: name.into(), kind: Some(TypeProto { tensor: Some(tensor) }) }
}

/// The error of a value that `f32` does not hold: an infinity in the file would not be seen before the first prediction.
pub(super) fn check_range<F: Float>(graph: &Graph<'_, F>) -> Result<()> {
    let fits = |number: f64| graph.precision() == Precision::Double || (number as f32).is_finite();
    for (name, constant) in graph.constants() {
        let misfit = match &constant.numbers {
            Numbers::Weights(weights) => weights.iter().map(|weight| weight.wide()).find(|&n| !fits(n)),
            Numbers::Floats(numbers) => numbers.iter().copied().find(|&n| !fits(n)),
            Numbers::Integers(_) => None,
        };
        if let Some(number) = misfit {
            return Err(Error::parameter(name, number, "within the range of f32, or be exported as f64"));
        }
    }
    Ok(())
}
