//! `MLPClassifier` and `MLPRegressor` of scikit-learn.

use serde_json::Value;

use super::Imported;
use super::settings::Settings;
use super::stack::Stack;
use crate::error::{Error, Result};
use crate::exchange::SafeTensors;
use crate::float::Float;
use crate::network::activation::AnyActivation;
use crate::network::{Identity, Relu, Sigmoid, Softmax, Tanh};

pub(super) fn read<F: Float>(file: &SafeTensors) -> Result<Imported<F>> {
    let Some(about) = file.metadata("sklearn") else {
        return Err(Error::parameter("metadata sklearn", "missing", "in the file"));
    };
    let mut about = Settings::of("sklearn", Settings::of_text("sklearn", about)?)?;
    let hidden = activation(&mut about, "activation")?;
    let output = activation(&mut about, "out_activation")?;
    let classes = match about.take("classes") {
        Value::Null => None,
        Value::Array(classes) if classes.is_empty() => None,
        Value::Array(classes) => {
            let text = |class: Value| match class {
                Value::String(text) => Ok(text),
                other => Err(about.wrong("classes", &other, "a list of texts")),
            };
            Some(classes.into_iter().map(text).collect::<Result<Vec<_>>>()?)
        }
        other => return Err(about.wrong("classes", &other, "a list of texts")),
    };
    about.finish()?;

    let n_layers = file.names().filter(|name| name.starts_with("coefs_")).count();
    let mut stack = Stack::new(file);
    for layer in 0..n_layers.max(1) {
        let at_end = layer + 1 >= n_layers;
        let activation = if at_end { &output } else { &hidden };
        let (kernel, bias) = (format!("coefs_{layer}"), format!("intercepts_{layer}"));
        stack.dense(kernel, false, Some(bias), |dense| dense.activation(activation.clone()))?;
    }
    stack.finish(classes)
}

fn activation(about: &mut Settings, key: &str) -> Result<AnyActivation> {
    let name = about.text(key)?;
    Ok(match name.as_str() {
        "identity" => Identity.into(),
        "logistic" => Sigmoid.into(),
        "tanh" => Tanh.into(),
        "relu" => Relu.into(),
        "softmax" => Softmax.into(),
        _ => {
            let allowed = "one of identity, logistic, tanh, relu, softmax";
            return Err(about.wrong(key, &Value::String(name), allowed));
        }
    })
}
