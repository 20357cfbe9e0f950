//! Matrix products and fused loops, chosen for the CPU at run time.

/// Number types the kernels have code for.
pub trait Scalar: Copy + 'static {}
impl Scalar for f32 {}
impl Scalar for f64 {}
