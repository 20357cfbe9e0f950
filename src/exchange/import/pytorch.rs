//! `nn.Sequential` of PyTorch.

use serde_json::{Value, json};

use super::Imported;
use super::settings::Settings;
use super::stack::Stack;
use crate::error::{Error, Result};
use crate::exchange::SafeTensors;
use crate::float::Float;
use crate::network::{
    AlphaDropout, BatchNorm, Dropout, Elu, Gelu, HardSigmoid, LayerNorm, LeakyRelu, Relu, Selu, Sigmoid,
    Silu, Softmax, Softplus, Softsign, Tanh,
};

pub(super) fn read<F: Float>(file: &SafeTensors) -> Result<Imported<F>> {
    let Some(text) = file.metadata("pytorch") else {
        return Err(Error::parameter("metadata pytorch", "missing", "in the file"));
    };
    let modules = match Settings::of_text("pytorch", text)? {
        Value::Array(modules) => modules,
        other => {
            return Err(Error::parameter("pytorch", super::settings::brief(&other), "a list of modules"));
        }
    };
    let mut stack = Stack::new(file);
    for (place, module) in modules.into_iter().enumerate() {
        read_module(&mut stack, place, module)?;
    }
    stack.finish(None)
}

fn read_module(stack: &mut Stack<'_>, number: usize, module: Value) -> Result<()> {
    let mut settings = Settings::of(format!("pytorch: module {number}"), module)?;
    let class = settings.text("class")?;
    let named = |tensor: &str| format!("{number}.{tensor}");
    let there = |stack: &Stack<'_>, tensor: &str| stack.has(&named(tensor)).then(|| named(tensor));
    settings.without(&["training", "inplace", "in_features", "out_features", "num_features"]);
    match class.as_str() {
        "Linear" => {
            let bias = there(stack, "bias");
            stack.dense(named("weight"), true, bias, |dense| dense)?;
        }
        "BatchNorm1d" => {
            settings.only("track_running_stats", &json!(true))?;
            if settings.is_null("momentum") {
                return Err(settings.wrong(
                    "momentum",
                    &json!("None"),
                    "a number: no average is cumulative here",
                ));
            }
            let (epsilon, momentum) = (settings.number("eps", 1e-5)?, settings.number("momentum", 0.1)?);
            let (gamma, beta) = affine(stack, &mut settings, "affine", there)?;
            // PyTorch's momentum is the share of the batch.
            let layer = BatchNorm::new().epsilon(epsilon).momentum(1.0 - momentum);
            let layer = layer.scale(gamma.is_some()).center(beta.is_some());
            let moving = [named("running_mean"), named("running_var")];
            stack.layer(layer, gamma.into_iter().chain(beta).chain(moving).collect())?;
            stack.ignore(named("num_batches_tracked"));
        }
        "LayerNorm" => {
            let epsilon = settings.number("eps", 1e-5)?;
            let (gamma, beta) = affine(stack, &mut settings, "elementwise_affine", there)?;
            let layer = LayerNorm::new().epsilon(epsilon).scale(gamma.is_some()).center(beta.is_some());
            stack.layer(layer, gamma.into_iter().chain(beta).collect())?;
        }
        "Dropout" => {
            let rate = settings.number("p", 0.5)?;
            stack.layer(Dropout::new(rate), Vec::new())?;
        }
        "AlphaDropout" => {
            let rate = settings.number("p", 0.5)?;
            stack.layer(AlphaDropout::new(rate), Vec::new())?;
        }
        "Identity" => (),
        "Flatten" => {
            settings.only("start_dim", &json!(1))?;
            settings.only("end_dim", &json!(-1))?;
        }
        "ReLU" => stack.activation(Relu),
        "LeakyReLU" => {
            let negative_slope = settings.number("negative_slope", 0.01)?;
            stack.activation(LeakyRelu { negative_slope });
        }
        "ELU" => {
            let alpha = settings.number("alpha", 1.0)?;
            stack.activation(Elu { alpha });
        }
        "SELU" => stack.activation(Selu),
        "GELU" => {
            settings.only("approximate", &json!("none"))?;
            stack.activation(Gelu);
        }
        "SiLU" => stack.activation(Silu),
        "Softplus" => {
            settings.only("beta", &json!(1.0))?;
            // Above it PyTorch's is the identity, 2·10⁻⁹ from ours.
            settings.only("threshold", &json!(20.0))?;
            stack.activation(Softplus);
        }
        "Softsign" => stack.activation(Softsign),
        "Sigmoid" => stack.activation(Sigmoid),
        "Hardsigmoid" => stack.activation(HardSigmoid),
        "Tanh" => stack.activation(Tanh),
        "Softmax" => {
            let dim = settings.take("dim");
            if !matches!(dim.as_i64(), Some(-1 | 1)) {
                return Err(settings.wrong("dim", &dim, "-1 or 1"));
            }
            stack.activation(Softmax);
        }
        _ => {
            let known = "Linear, Dropout, AlphaDropout, BatchNorm1d, LayerNorm, Identity, Flatten or an activation of \
                         this crate";
            return Err(Error::parameter(settings.place(), class, known));
        }
    }
    settings.finish()
}

/// The names of γ and β, those there are.
fn affine(
    stack: &Stack<'_>,
    settings: &mut Settings,
    key: &str,
    there: impl Fn(&Stack<'_>, &str) -> Option<String>,
) -> Result<(Option<String>, Option<String>)> {
    let (gamma, beta) = (there(stack, "weight"), there(stack, "bias"));
    let asked = settings.flag(key, gamma.is_some())?;
    if asked == gamma.is_some() {
        return Ok((gamma, beta));
    }
    let allowed = if asked { "false where there is no weight" } else { "true where there is a weight" };
    Err(settings.wrong(key, &Value::Bool(asked), allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cumulative_average_is_refused() {
        let about = json!([{ "class": "BatchNorm1d", "momentum": null }]).to_string();
        let header = json!({ "__metadata__": { "pytorch": about } }).to_string();
        let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
        let Err(error) = read::<f64>(&SafeTensors::from_bytes(&bytes).unwrap()) else { panic!("it is read") };
        assert!(
            matches!(&error, Error::Parameter { .. }) && error.to_string().contains("momentum"),
            "{error}"
        );
    }
}
