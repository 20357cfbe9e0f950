//! Values of hyper-parameters.

use std::fmt;

use super::super::message::{Kind, Variant};

/// The value of a hyper-parameter in one session.
///
/// TensorBoard knows no lists: `(64, 32)` is a text.
#[derive(Clone, Debug, PartialEq)]
pub enum HParamValue {
    /// A number. TensorBoard leaves the cell of one that is not finite empty.
    Number(f64),
    /// A text.
    Text(String),
    /// Yes or no.
    Flag(bool),
}

impl HParamValue {
    pub(super) fn kind(&self) -> HParamKind {
        match self {
            Self::Number(_) => HParamKind::Number,
            Self::Text(_) => HParamKind::Text,
            Self::Flag(_) => HParamKind::Flag,
        }
    }

    pub(super) fn into_text(self) -> Self {
        Self::Text(self.to_string())
    }

    pub(super) fn into_variant(self) -> Variant {
        let kind = match self {
            Self::Number(number) => Kind::Number(number),
            Self::Text(text) => Kind::Text(text),
            Self::Flag(flag) => Kind::Flag(flag),
        };
        Variant { kind: Some(kind) }
    }
}

impl fmt::Display for HParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
        }
    }
}

macro_rules! from {
    ($($variant:ident: $($type:ty),+;)+) => {
        $($(impl From<$type> for HParamValue {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        })+)+
    };
}

from! {
    Number: f64, f32, i32, u32;
    Text: String, &str;
    Flag: bool;
}

impl From<usize> for HParamValue {
    /// Exact up to 2⁵³, as TensorBoard has no integers.
    fn from(value: usize) -> Self {
        Self::Number(value as f64)
    }
}

/// What kind of values a hyper-parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HParamKind {
    /// [`HParamValue::Number`].
    Number,
    /// [`HParamValue::Text`].
    Text,
    /// [`HParamValue::Flag`].
    Flag,
}

impl fmt::Display for HParamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "number",
            Self::Text => "text",
            Self::Flag => "flag",
        })
    }
}
