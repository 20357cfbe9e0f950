//! Pictures for reports, as SVG: no fonts, no display and no system library are needed. The same numbers give the same bytes.

mod curves;
mod learning_curves;

pub use curves::Curves;
pub use learning_curves::learning_curves;
