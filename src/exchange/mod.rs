//! Models for other tools, and from them.
//!
//! | to | write |
//! | --- | --- |
//! | run a model elsewhere, with any ONNX runtime | `model.export_onnx("model.onnx")` |
//!
//! A model leaves as what it predicts with: the best or the averaged weights where training keeps such. See the
//! [chapter of the guide](crate::guide::exchange) for whole programs, on both sides.

#[cfg(feature = "onnx")]
mod onnx;
mod scaling;

#[cfg(feature = "onnx")]
pub use onnx::{Onnx, ToOnnx};
pub use scaling::Scaling;
