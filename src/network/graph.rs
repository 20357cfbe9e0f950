//! What a network computes in a prediction, as a graph of operators for other tools.
//!
//! Operators have the names and meanings that ONNX gives them in its set 17; what a graph is written as is the concern of
//! [`exchange`](crate::exchange). Layers and activations say their own part of it, in [`Layer::express`] and
//! [`Activation::express`].
//!
//! [`Layer::express`]: super::layer::Layer::express
//! [`Activation::express`]: super::activation::Activation::express

use std::borrow::Cow;
use std::collections::HashMap;

use super::Network;
use super::layer::{Express, Tensors};
use crate::error::{Error, Result};
use crate::float::Float;

/// The number type in which other tools shall compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// `f32`, which every runtime has for every operator.
    #[default]
    Single,
    /// `f64`.
    Double,
}

/// A value in a [`Graph`]: its input, a constant, or what an operator gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value(usize);

/// A setting of an operator.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// A whole number.
    Int(i64),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// A number, which ONNX keeps in `f32`.
    Float(f32),
}

/// The numbers of a constant, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers<'a, F: Clone> {
    /// Of the network's own type: its weights.
    Weights(Cow<'a, [F]>),
    /// Computed for the graph.
    Floats(Vec<f64>),
    /// Whole numbers, whatever the precision.
    Integers(Vec<i64>),
}

/// A constant of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant<'a, F: Clone> {
    value: Value,
    /// Empty for a single number.
    pub(crate) shape: Vec<usize>,
    pub(crate) numbers: Numbers<'a, F>,
}

/// An operator in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub(crate) operator: &'static str,
    pub(crate) inputs: Vec<Value>,
    pub(crate) output: Value,
    pub(crate) attributes: Vec<(&'static str, Attribute)>,
}

/// An output of a graph: one row for each row of the input.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    pub(crate) value: Value,
    /// None for a vector.
    pub(crate) columns: Option<usize>,
    pub(crate) integers: bool,
}

/// Operators in the order in which they are computed, from one input `x` (n_samples, n_features).
///
/// ```
/// use linfa_mlp::network::graph::Precision;
/// use linfa_mlp::network::{Dense, Relu, Sequential};
///
/// let network = Sequential::new().add(Dense::new(3).activation(Relu)).add(Dense::new(1)).build::<f32>(2, 0)?;
/// let graph = network.graph(Precision::Single)?;
/// assert_eq!(graph.operators().collect::<Vec<_>>(), ["Gemm", "Relu", "Gemm"]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Graph<'a, F: Clone> {
    precision: Precision,
    n_features: usize,
    /// Before the names of what is added: the layer's.
    scope: String,
    /// Of every value.
    names: Vec<String>,
    /// How often each name was asked for.
    asked: HashMap<String, usize>,
    constants: Vec<Constant<'a, F>>,
    nodes: Vec<Node>,
    outputs: Vec<Output>,
}

impl<'a, F: Float> Graph<'a, F> {
    /// A graph that computes nothing yet.
    #[must_use]
    pub fn new(n_features: usize, precision: Precision) -> Self {
        Graph {
            precision,
            n_features,
            scope: String::new(),
            names: vec!["x".into()],
            asked: HashMap::from([("x".into(), 1)]),
            constants: Vec::new(),
            nodes: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// The input `x`.
    #[must_use]
    pub fn input(&self) -> Value {
        Value(0)
    }

    /// The number type in which it shall be computed. The settings of an operator are `f32` whatever it is, and some
    /// runtimes have fewer operators in `f64`: a formula then is better written out.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The operators, in order.
    pub fn operators(&self) -> impl Iterator<Item = &'static str> {
        self.nodes.iter().map(|node| node.operator)
    }

    /// Adds an operator: `graph.apply("Add", &[a, b])`.
    pub fn apply(&mut self, operator: &'static str, inputs: &[Value]) -> Value {
        self.apply_with(operator, inputs, Vec::new())
    }

    /// Adds an operator with settings.
    pub fn apply_with(
        &mut self,
        operator: &'static str,
        inputs: &[Value],
        attributes: Vec<(&'static str, Attribute)>,
    ) -> Value {
        let output = self.named(operator);
        self.nodes.push(Node { operator, inputs: inputs.to_vec(), output, attributes });
        output
    }

    /// Adds a number.
    pub fn scalar(&mut self, number: f64) -> Value {
        self.constant("number", &[], Numbers::Floats(vec![number]))
    }

    /// Adds a vector.
    pub fn vector(&mut self, name: &str, numbers: Vec<f64>) -> Value {
        self.constant(name, &[numbers.len()], Numbers::Floats(numbers))
    }

    /// Adds whole numbers: a table of labels, the axes of an operator.
    pub fn integers(&mut self, name: &str, numbers: Vec<i64>) -> Value {
        self.constant(name, &[numbers.len()], Numbers::Integers(numbers))
    }

    /// Adds weights, row-major.
    ///
    /// # Panics
    ///
    /// When there are not as many as the shape says.
    pub fn weights(&mut self, name: &str, shape: &[usize], weights: &'a [F]) -> Value {
        self.constant(name, shape, Numbers::Weights(weights.into()))
    }

    /// Adds an output: a matrix of that many columns.
    pub fn output(&mut self, name: &str, value: Value, columns: usize) {
        self.push_output(name, Output { value, columns: Some(columns), integers: false });
    }

    /// Adds an output of whole numbers: a matrix of that many columns, or a vector.
    pub fn output_integers(&mut self, name: &str, value: Value, columns: Option<usize>) {
        self.push_output(name, Output { value, columns, integers: true });
    }

    /// Begins the part of a layer: names of what is added begin with its own.
    pub(crate) fn begin(&mut self, scope: &str) {
        self.scope = scope.into();
    }

    /// Whether the other one computes the same, whatever the names of its values.
    pub(crate) fn is_same(&self, other: &Graph<'_, F>) -> bool {
        let constants = self.constants.len() == other.constants.len()
            && self
                .constants
                .iter()
                .zip(&other.constants)
                .all(|(a, b)| (a.value, &a.shape) == (b.value, &b.shape) && a.numbers == b.numbers);
        let n_features = self.n_features == other.n_features;
        n_features && constants && self.nodes == other.nodes && self.outputs == other.outputs
    }

    /// Appends a network to a value of this graph.
    ///
    /// # Errors
    ///
    /// [`Error::NoGraph`] names the first layer that does not say what it computes.
    pub(crate) fn network(&mut self, network: &'a Network<F>, x: Value) -> Result<Value> {
        let mut inputs = Vec::with_capacity(network.stages().len());
        let mut value = x;
        for (place, stage) in network.stages().iter().enumerate() {
            inputs.push(value);
            self.begin(&stage.name);
            let (skip, weights) = (stage.branch.map(|first| inputs[first]), network.of_stage(place));
            let pass = Express { graph: self, input: value, skip, n_inputs: stage.n_inputs, weights };
            let expressed = stage.layer.ops::<F>().express(pass);
            value = expressed
                .ok_or_else(|| Error::NoGraph { layer: stage.name.clone(), part: stage.layer.to_string() })?;
        }
        self.begin("");
        Ok(value)
    }

    fn constant(&mut self, name: &str, shape: &[usize], numbers: Numbers<'a, F>) -> Value {
        let found = match &numbers {
            Numbers::Weights(weights) => weights.len(),
            Numbers::Floats(numbers) => numbers.len(),
            Numbers::Integers(numbers) => numbers.len(),
        };
        assert_eq!(found, shape.iter().product::<usize>(), "{name} has other numbers than its shape");
        let value = self.named(name);
        self.constants.push(Constant { value, shape: shape.to_vec(), numbers });
        value
    }

    fn push_output(&mut self, name: &str, mut output: Output) {
        let by_node = self.nodes.iter().any(|node| node.output == output.value);
        let taken = self.outputs.iter().any(|other| other.value == output.value);
        if !by_node || taken {
            // The input, a constant or an output under another name.
            output.value = self.apply("Identity", &[output.value]);
        }
        self.names[output.value.0] = name.into();
        self.outputs.push(output);
    }

    /// A value with a name nothing else has.
    fn named(&mut self, name: &str) -> Value {
        let stem = if self.scope.is_empty() { name.to_owned() } else { format!("{}/{name}", self.scope) };
        let asked = self.asked.entry(stem.clone()).or_insert(0);
        *asked += 1;
        self.names.push(if *asked == 1 { stem } else { format!("{stem}_{asked}") });
        Value(self.names.len() - 1)
    }
}

/// What a file is written from.
#[cfg(feature = "onnx")]
impl<'a, F: Float> Graph<'a, F> {
    pub(crate) fn name(&self, value: Value) -> &str {
        &self.names[value.0]
    }

    pub(crate) fn n_features(&self) -> usize {
        self.n_features
    }

    pub(crate) fn constants(&self) -> impl Iterator<Item = (&str, &Constant<'a, F>)> {
        self.constants.iter().map(|constant| (self.name(constant.value), constant))
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(crate) fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

impl<F: Float> Network<F> {
    /// What it computes in a prediction, with the output `y` (n_samples, n_outputs).
    ///
    /// # Errors
    ///
    /// [`Error::NoGraph`] names the first layer that does not say what it computes.
    pub fn graph(&self, precision: Precision) -> Result<Graph<'_, F>> {
        let mut graph = Graph::new(self.n_features(), precision);
        let y = graph.network(self, graph.input())?;
        graph.output("y", y, self.n_outputs());
        Ok(graph)
    }
}

/// The tensors of a layer that is asked for its part of a graph.
impl<'a, F: Float> Tensors<'a, F> {
    /// A tensor as a constant of the graph.
    pub(super) fn constant(
        self,
        graph: &mut Graph<'a, F>,
        name: &str,
        index: usize,
        shape: &[usize],
    ) -> Value {
        graph.weights(name, shape, self.get(index))
    }
}

#[cfg(all(test, feature = "onnx"))]
mod tests {
    use super::*;
    use crate::network::{Dense, Dropout, Residual, Sequential, Tanh};

    #[test]
    fn values_have_names_of_their_own() {
        let mut graph = Graph::<f32>::new(2, Precision::Single);
        let x = graph.input();
        let twice = graph.apply("Add", &[x, x]);
        let again = graph.apply("Add", &[twice, x]);
        assert_eq!((graph.name(x), graph.name(twice), graph.name(again)), ("x", "Add", "Add_2"));
        graph.begin("dense_1");
        let one = graph.scalar(1.0);
        assert_eq!(graph.name(one), "dense_1/number");
    }

    #[test]
    fn an_output_that_no_operator_gives_gets_one() {
        let network = Sequential::new().add(Dropout::new(0.5)).build::<f64>(3, 0).unwrap();
        let graph = network.graph(Precision::Single).unwrap();
        assert_eq!(graph.operators().collect::<Vec<_>>(), ["Identity"]);
        assert_eq!(graph.name(graph.outputs()[0].value), "y");
    }

    #[test]
    fn a_branch_begins_where_its_skip_does() {
        let inner = Residual::new(Sequential::new().add(Dense::new(3).activation(Tanh)));
        let block = Residual::new(Sequential::new().add(inner).add(Dense::new(3)));
        let network = Sequential::new().add(Dense::new(3)).add(block).build::<f64>(2, 0).unwrap();
        let graph = network.graph(Precision::Single).unwrap();
        assert_eq!(graph.operators().collect::<Vec<_>>(), ["Gemm", "Gemm", "Tanh", "Add", "Gemm", "Add"]);
        let [first, .., inner, _, outer] = graph.nodes() else { panic!("six operators") };
        assert_eq!((inner.inputs[0], outer.inputs[0]), (first.output, first.output));
    }
}
