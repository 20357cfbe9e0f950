//! The functions of [`math`] over whole slices, in vector code.

use super::{Scalar, dispatch, math};

macro_rules! slice_functions {
    ($($(#[$doc:meta])* $name:ident = $function:path;)*) => {$(
        $(#[$doc])*
        pub fn $name<S: Scalar>(values: &mut [S]) {
            dispatch(
                #[inline(always)]
                || {
                    for value in values.iter_mut() {
                        *value = $function(*value);
                    }
                },
            );
        }
    )*};
}

slice_functions! {
    /// Replaces every `v` by [`math::exp`] of it.
    exp_slice = math::exp;
    /// Replaces every `v` by [`math::ln`] of it.
    ln_slice = math::ln;
    /// Replaces every `v` by [`math::tanh`] of it.
    tanh_slice = math::tanh;
    /// Replaces every `v` by [`math::sigmoid`] of it.
    sigmoid_slice = math::sigmoid;
    /// Replaces every `v` by [`math::softplus`] of it.
    softplus_slice = math::softplus;
    /// Replaces every `v` by [`math::erf`] of it.
    erf_slice = math::erf;
}
