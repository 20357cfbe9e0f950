//! The two number types a network computes in.

use crate::part::{Part, Room};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`: linfa's own `Float`, plus what the kernels need to choose code for it.
///
/// Parameters, activations and predictions have the type of the data; losses and metrics are reported in `f64`.
pub trait Float:
    linfa::Float + crate::kernel::Scalar + serde::Serialize + serde::de::DeserializeOwned + sealed::Sealed
{
    /// Name as NumPy spells it: `"float32"` or `"float64"`.
    const DTYPE: &'static str;

    /// From `f64`, rounded to the nearest value.
    fn of(value: f64) -> Self;

    /// To `f64`, exact.
    fn wide(self) -> f64;

    /// The operations of a part for this number type.
    #[doc(hidden)]
    fn ops<R: Room>(part: &Part<R>) -> &R::Ops<Self>;
}

impl Float for f32 {
    const DTYPE: &'static str = "float32";

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    fn ops<R: Room>(part: &Part<R>) -> &R::Ops<f32> {
        part.single()
    }
}

impl Float for f64 {
    const DTYPE: &'static str = "float64";

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    fn ops<R: Room>(part: &Part<R>) -> &R::Ops<f64> {
        part.double()
    }
}
