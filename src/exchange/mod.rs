//! Models for other tools, and from them.
//!
//! | to | write |
//! | --- | --- |
//! | run a model elsewhere, with any ONNX runtime | `model.export_onnx("model.onnx")` |
//! | hand weights to Python, and take them back | `model.save_weights("model.safetensors")`, `model.load_weights(…)` |
//! | go on from a model of scikit-learn | [`Imported::from_sklearn`] |
//! | go on from a model of Keras | [`Imported::from_keras`] |
//! | go on from a model of PyTorch | [`Imported::from_pytorch`] |
//!
//! A model leaves as what it predicts with: the best or the averaged weights where training keeps such. What comes in is
//! hostile until it has been checked: names, shapes and numbers of every tensor, and every setting of every layer; what this
//! crate does not know is an error that names it, and is never left out. See the [chapter of the guide](crate::guide::exchange)
//! for whole programs, on both sides.

mod import;
#[cfg(feature = "onnx")]
mod onnx;
mod safetensors;
#[cfg(feature = "onnx")]
mod scaling;
mod weights;

pub use import::Imported;
#[cfg(feature = "onnx")]
pub use onnx::{Onnx, ToOnnx};
pub use safetensors::SafeTensors;
#[cfg(feature = "onnx")]
pub use scaling::Scaling;
