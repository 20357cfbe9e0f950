//! `Sequential` of Keras.

use serde_json::{Value, json};

use super::Imported;
use super::settings::{Settings, brief};
use super::stack::Stack;
use crate::error::{Error, Result};
use crate::exchange::SafeTensors;
use crate::float::Float;
use crate::network::activation::AnyActivation;
use crate::network::regularizer::AnyRegularizer;
use crate::network::{
    AlphaDropout, BatchNorm, Dropout, Elu, GaussianNoise, L1, L1L2, L2, LayerNorm, LeakyRelu, Relu, Softmax,
};

pub(super) fn read<F: Float>(file: &SafeTensors) -> Result<Imported<F>> {
    let Some(text) = file.metadata("keras") else {
        return Err(Error::parameter("metadata keras", "missing", "in the file"));
    };
    let mut model = Settings::of("keras", Settings::of_text("keras", text)?)?;
    model.only("class_name", &json!("Sequential"))?;
    let mut config = Settings::of("keras: config", model.take("config"))?;
    let layers = match config.take("layers") {
        Value::Array(layers) => layers,
        other => return Err(config.wrong("layers", &other, "a list of layers")),
    };
    let mut stack = Stack::new(file);
    for (place, layer) in layers.into_iter().enumerate() {
        read_layer(&mut stack, &format!("keras: layer {}", place + 1), layer)?;
    }
    stack.finish(None)
}

fn read_layer(stack: &mut Stack<'_>, place: &str, layer: Value) -> Result<()> {
    let mut outer = Settings::of(place, layer)?;
    let class = outer.text("class_name")?;
    let place = format!("{place} ({class})");
    let mut config = Settings::of(place.as_str(), outer.take("config"))?;
    // What other tools than training look at.
    config.without(&[
        "dtype",
        "ragged",
        "sparse",
        "quantization_config",
        "lora_rank",
        "lora_alpha",
        "optional",
    ]);
    if class != "InputLayer" {
        let shape = config.take("batch_input_shape");
        read_shape(stack, &place, &shape)?;
    }
    let name = config.take("name");
    let named = |tensor: &str| format!("{}/{tensor}", brief(&name));
    let trainable = config.flag("trainable", true)?;
    match class.as_str() {
        "InputLayer" => {
            let shapes = [config.take("batch_shape"), config.take("batch_input_shape")];
            shapes.iter().try_for_each(|shape| read_shape(stack, &place, shape))?;
        }
        "Dense" => {
            let units = config.number("units", 0.0)?;
            let activation = activation(&mut config)?;
            let bias = config.flag("use_bias", true)?.then(|| named("bias"));
            config.without(&["kernel_initializer", "bias_initializer"]);
            let penalties = ["kernel_regularizer", "bias_regularizer", "activity_regularizer"];
            let [kernel, of_bias, activity] = penalties.map(|key| regularizer(&mut config, key));
            let (kernel, of_bias, activity) = (kernel?, of_bias?, activity?);
            let found = stack.dense(named("kernel"), false, bias, |mut dense| {
                if let Some(penalty) = kernel {
                    dense = dense.kernel_regularizer(penalty);
                }
                if let Some(penalty) = of_bias {
                    dense = dense.bias_regularizer(penalty);
                }
                if let Some(penalty) = activity {
                    dense = dense.activity_regularizer(penalty);
                }
                dense.activation(activation).trainable(trainable)
            })?;
            crate::error::check(
                &format!("{place}: units"),
                units,
                units.total_cmp(&(found as f64)).is_eq(),
                &found.to_string(),
            )?;
        }
        "BatchNormalization" | "LayerNormalization" => {
            let (epsilon, center, scale) =
                (config.number("epsilon", 1e-3)?, config.flag("center", true)?, config.flag("scale", true)?);
            config.without(&[
                "beta_initializer",
                "gamma_initializer",
                "moving_mean_initializer",
                "moving_variance_initializer",
            ]);
            let (gamma, beta) = (
                regularizer(&mut config, "gamma_regularizer")?,
                regularizer(&mut config, "beta_regularizer")?,
            );
            one_axis(&mut config)?;
            let mut vectors = Vec::new();
            vectors.extend(scale.then(|| named("gamma")));
            vectors.extend(center.then(|| named("beta")));
            if class == "LayerNormalization" {
                config.only("rms_scaling", &json!(false))?;
                let mut layer =
                    LayerNorm::new().epsilon(epsilon).center(center).scale(scale).trainable(trainable);
                layer = gamma.into_iter().fold(layer, LayerNorm::gamma_regularizer);
                layer = beta.into_iter().fold(layer, LayerNorm::beta_regularizer);
                stack.layer(layer, vectors)?;
            } else {
                config.only("synchronized", &json!(false))?;
                config.only("renorm", &json!(false))?;
                config.without(&["renorm_momentum", "renorm_clipping"]);
                let momentum = config.number("momentum", 0.99)?;
                let mut layer = BatchNorm::new().momentum(momentum).epsilon(epsilon);
                layer = layer.center(center).scale(scale).trainable(trainable);
                layer = gamma.into_iter().fold(layer, BatchNorm::gamma_regularizer);
                layer = beta.into_iter().fold(layer, BatchNorm::beta_regularizer);
                vectors.extend([named("moving_mean"), named("moving_variance")]);
                stack.layer(layer, vectors)?;
            }
        }
        "Dropout" => {
            config.only("noise_shape", &Value::Null)?;
            let rate = config.number("rate", 0.5)?;
            stack.layer(Dropout::new(rate), Vec::new())?;
        }
        "AlphaDropout" => {
            config.only("noise_shape", &Value::Null)?;
            let rate = config.number("rate", 0.5)?;
            stack.layer(AlphaDropout::new(rate), Vec::new())?;
        }
        "GaussianNoise" => {
            let stddev = config.number("stddev", 0.0)?;
            stack.layer(GaussianNoise::new(stddev), Vec::new())?;
        }
        "Activation" => {
            let activation = activation(&mut config)?;
            stack.activation(activation);
        }
        "Flatten" => config.only("data_format", &json!("channels_last"))?,
        _ => {
            let Some(activation) = layer_of_activation(&class, &mut config)? else {
                let known = "Dense, Activation, Dropout, AlphaDropout, GaussianNoise, BatchNormalization, \
                             LayerNormalization, ReLU, LeakyReLU, ELU, Softmax, Flatten or InputLayer";
                return Err(Error::parameter(outer.place(), class, known));
            };
            stack.activation(activation);
        }
    }
    config.without(&["seed"]);
    config.finish()
}

/// The columns of rows: `[null, 5]`.
fn read_shape(stack: &mut Stack<'_>, place: &str, shape: &Value) -> Result<()> {
    match shape {
        Value::Null => Ok(()),
        Value::Array(sizes) => match &sizes[..] {
            [_, Value::Number(width)] if width.as_u64().is_some_and(|width| width <= 1 << 31) => {
                stack.input(place, width.as_u64().unwrap_or_default() as usize)
            }
            _ => Err(Error::parameter(format!("{place}: batch_shape"), brief(shape), "[null, columns]")),
        },
        other => Err(Error::parameter(format!("{place}: batch_shape"), brief(other), "[null, columns]")),
    }
}

/// A normalisation goes over the columns: axis −1, or 1.
fn one_axis(config: &mut Settings) -> Result<()> {
    let axis = match config.take("axis") {
        Value::Array(axes) if axes.len() == 1 => axes[0].clone(),
        other => other,
    };
    match axis.as_i64() {
        None if axis.is_null() => Ok(()),
        Some(-1 | 1) => Ok(()),
        _ => Err(config.wrong("axis", &axis, "-1 or 1")),
    }
}

/// The activation that a layer is, if it is one.
fn layer_of_activation(class: &str, config: &mut Settings) -> Result<Option<AnyActivation>> {
    Ok(Some(match class {
        "ReLU" => {
            config.only("max_value", &Value::Null)?;
            config.only("threshold", &json!(0.0))?;
            let slope = config.number("negative_slope", 0.0)?;
            if slope == 0.0 { Relu.into() } else { LeakyRelu { negative_slope: slope }.into() }
        }
        "LeakyReLU" => LeakyRelu { negative_slope: config.number("negative_slope", 0.3)? }.into(),
        "ELU" => Elu { alpha: config.number("alpha", 1.0)? }.into(),
        "Softmax" => {
            config.only("axis", &json!(-1))?;
            Softmax.into()
        }
        _ => return Ok(None),
    }))
}

/// An activation by name, by name and settings, or the layer that is one.
fn activation(config: &mut Settings) -> Result<AnyActivation> {
    let mut value = config.take("activation");
    if let Value::Object(object) = &mut value {
        let class = object.remove("class_name").unwrap_or(Value::Null);
        match (object.remove("config"), class) {
            (Some(settings @ Value::Object(_)), Value::String(class)) => {
                let place = format!("{}: activation ({})", config.place(), brief(&json!(class)));
                let mut settings = Settings::of(place.as_str(), settings)?;
                settings.without(&["name", "dtype", "trainable"]);
                if let Some(activation) = layer_of_activation(&class, &mut settings)? {
                    settings.finish()?;
                    return Ok(activation);
                }
                return AnyActivation::build(&class, settings.rest()).map_err(|error| error.within(place));
            }
            // A function: its name is the whole of it.
            (Some(name @ Value::String(_)), _) | (None | Some(Value::Null), name) => value = name,
            (Some(other), _) => return Err(config.wrong("activation", &other, "a name or settings")),
        }
    }
    match value.as_str() {
        None if value.is_null() => Ok(crate::network::Identity.into()),
        Some("linear") => Ok(crate::network::Identity.into()),
        Some(name) => name
            .parse()
            .map_err(|_| config.wrong("activation", &value, "one that this crate has, by its name")),
        None => Err(config.wrong("activation", &value, "a name")),
    }
}

/// A penalty: `{"class_name": "L2", "config": {"l2": 0.01}}`.
fn regularizer(config: &mut Settings, key: &str) -> Result<Option<AnyRegularizer>> {
    let value = config.take(key);
    if value.is_null() {
        return Ok(None);
    }
    let place = format!("{}: {key}", config.place());
    let mut outer = Settings::of(place.as_str(), value)?;
    let class = outer.text("class_name")?;
    let mut inner = Settings::of(place.as_str(), outer.take("config"))?;
    let (l1, l2) = (inner.number("l1", 0.0)?, inner.number("l2", 0.0)?);
    let penalty: AnyRegularizer = match class.as_str() {
        "L1" => L1 { l1 }.into(),
        "L2" => L2 { l2 }.into(),
        "L1L2" => L1L2 { l1, l2 }.into(),
        _ => return Err(Error::parameter(place, class, "L1, L2 or L1L2")),
    };
    inner.finish()?;
    Ok(Some(penalty))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Identity;

    fn read(value: Value) -> Result<AnyActivation> {
        activation(&mut Settings::of("layer", json!({ "activation": value })).unwrap())
    }

    #[test]
    fn an_activation_keeps_its_settings_or_is_refused() {
        let object = |class: &str, config: Value| json!({ "class_name": class, "config": config });
        let leaky = |negative_slope| AnyActivation::from(LeakyRelu { negative_slope });
        let own = json!({ "name": "leaky", "trainable": true, "dtype": "float32", "negative_slope": 0.9 });
        let same: [(Value, AnyActivation); 11] = [
            (Value::Null, Identity.into()),
            (json!("linear"), Identity.into()),
            (json!("relu"), Relu.into()),
            (object("function", json!("relu")), Relu.into()),
            (json!({ "class_name": "relu" }), Relu.into()),
            (object("leaky_relu", json!({ "negative_slope": 0.9, "name": null })), leaky(0.9)),
            (object("LeakyReLU", own), leaky(0.9)),
            (
                object("ReLU", json!({ "max_value": null, "negative_slope": 0.0, "threshold": 0.0 })),
                Relu.into(),
            ),
            (object("elu", json!({ "alpha": 0.5 })), Elu { alpha: 0.5 }.into()),
            (object("ELU", json!({ "alpha": 0.5 })), Elu { alpha: 0.5 }.into()),
            (object("Softmax", json!({ "axis": -1 })), Softmax.into()),
        ];
        for (value, activation) in same {
            assert_eq!(read(value.clone()).unwrap(), activation, "{value}");
        }
        for value in [
            object("ReLU", json!({ "max_value": 6.0 })),
            object("LeakyReLU", json!({ "slope": 0.9 })),
            object("leaky_relu", json!({ "slope": 0.9 })),
            object("leaky_relu", json!({ "negative_slope": "steep" })),
            object("relu", json!({ "negative_slope": 0.9 })),
            object("Softmax", json!({ "axis": 0 })),
            object("PReLU", json!({})),
            object("relu", json!(3)),
            json!("unheard of"),
            json!(3),
        ] {
            let refused = read(value.clone()).expect_err("a setting would be lost");
            let is_typed = matches!(
                refused,
                Error::Parameter { .. } | Error::PartSettings { .. } | Error::UnknownPart { .. }
            );
            assert!(is_typed, "{refused}");
        }
    }
}
