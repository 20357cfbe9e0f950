//! Files of other tools: safetensors, and what they say of a network.

use linfa_mlp::exchange::{Imported, SafeTensors};
use linfa_mlp::prelude::*;
use linfa_mlp::{Error, Result};

use crate::harness::Reader;
use crate::models;

const SKLEARN: &[u8] = include_bytes!("../exchange/fixtures/sklearn_classifier.safetensors");
const KERAS: &[u8] = include_bytes!("../exchange/fixtures/keras.safetensors");
const PYTORCH: &[u8] = include_bytes!("../exchange/fixtures/pytorch.safetensors");
const PYTORCH_ACTIVATIONS: &[u8] = include_bytes!("../exchange/fixtures/pytorch_activations.safetensors");

fn model() -> Model<f32> {
    let network = Sequential::new().add(Dense::new(3)).add(BatchNorm::new()).add(Dense::new(1));
    network.compile(2, Adam::default(), MeanSquaredError, ()).expect("legal")
}

/// Weights of a model, taken over by another one.
pub fn weights() -> Reader {
    let own = model().network().to_safetensors().and_then(|file| file.to_bytes()).expect("it is written");
    Reader::new("safetensors", vec![own, SKLEARN.to_vec(), KERAS.to_vec()], |bytes| {
        let file = SafeTensors::from_bytes(bytes).ok()?;
        let again = file.to_bytes().expect("what was read can be written");
        assert_eq!(SafeTensors::from_bytes(&again).expect("what was written can be read"), file);
        let mut model = model();
        if model.set_weights(&file).is_ok() {
            let outputs = model.predict(&models::rows(3, 2)).expect("its weights are finite");
            assert_eq!(outputs.nrows(), 3);
        }
        Some(again)
    })
    .factor(256)
}

/// The header of a file is damaged, its length is right and its numbers are there. What is read predicts, and leaves again as
/// weights.
fn described(
    name: &'static str,
    file: &'static [u8],
    read: fn(&SafeTensors) -> Result<Imported<f64>>,
) -> Reader {
    let (length, rest) = file.split_first_chunk().expect("8 bytes");
    let (header, numbers) = rest.split_at(u64::from_le_bytes(*length) as usize);
    Reader::new(name, vec![header.to_vec()], move |header| {
        let length = (header.len() as u64).to_le_bytes();
        let file = SafeTensors::from_bytes(&[&length, header, numbers].concat()).ok()?;
        match read(&file) {
            Ok(imported) => {
                let n_features = imported.network().n_features();
                // Without a weight, rows may be as wide as a file says.
                if n_features <= 64 {
                    drop(imported.predict(&models::rows(3, n_features)));
                }
                let weights = imported.network().to_safetensors().expect("they are finite");
                Some(weights.to_bytes().expect("what was read can be written"))
            }
            Err(Error::Format { .. } | Error::Parameter { .. }) => None,
            Err(other) => panic!("{other:?}"),
        }
    })
    .factor(512)
}

pub fn sklearn() -> Reader {
    described("scikit-learn's network", SKLEARN, Imported::from_sklearn)
}

pub fn keras() -> Reader {
    described("Keras' network", KERAS, Imported::from_keras)
}

pub fn pytorch() -> Reader {
    described("PyTorch's network", PYTORCH, Imported::from_pytorch)
}

pub fn pytorch_activations() -> Reader {
    described("PyTorch's activations", PYTORCH_ACTIVATIONS, Imported::from_pytorch)
}
