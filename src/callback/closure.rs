//! Closures as callbacks.

use std::fmt;
use std::sync::Arc;

use super::{Callback, View};
use crate::error::Result;

type Tell = dyn Fn(&mut View<'_>) -> Result<()> + Send + Sync;

/// Calls a closure after every epoch.
///
/// A closure cannot be saved. It is left out where a run, a plan or hyper-parameters are written; after a load it is
/// missing, unless the run is continued by a fit whose params have it (`fit_with`, or a fit that finds a
/// [`Backup`](super::Backup)). All fits of one value of params share the closure: what it counts by itself (in an atomic,
/// behind a lock) is no part of a run.
///
/// ```
/// use linfa_mlp::callback::OnEpochEnd;
/// use linfa_mlp::metric::Mae;
/// use linfa_mlp::prelude::*;
/// use ndarray::array;
///
/// let enough = OnEpochEnd::new(|view| {
///     if view.value("loss").is_some_and(|loss| loss < 0.01) {
///         view.stop("that will do");
///     }
///     Ok(())
/// });
/// let mut model = Sequential::new().add(Dense::new(1)).compile(1, Adam::new(0.1), MeanSquaredError, [Mae])?;
/// model.fit(&array![[0.0], [1.0]], &array![[1.0], [3.0]], &Training::epochs(1000).callback(enough))?;
/// assert!(model.history().stop_reason().is_some_and(|why| why.to_string().contains("that will do")));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[doc(alias = "LambdaCallback")]
#[derive(Clone)]
pub struct OnEpochEnd {
    tell: Arc<Tell>,
}

/// Calls a closure after every batch. It cannot be saved: see [`OnEpochEnd`].
#[doc(alias = "LambdaCallback")]
#[derive(Clone)]
pub struct OnBatchEnd {
    tell: Arc<Tell>,
}

impl OnEpochEnd {
    /// Calls that closure; its error ends the fit.
    #[must_use]
    pub fn new(tell: impl Fn(&mut View<'_>) -> Result<()> + Send + Sync + 'static) -> Self {
        OnEpochEnd { tell: Arc::new(tell) }
    }
}

impl OnBatchEnd {
    /// Calls that closure; its error ends the fit.
    #[must_use]
    pub fn new(tell: impl Fn(&mut View<'_>) -> Result<()> + Send + Sync + 'static) -> Self {
        OnBatchEnd { tell: Arc::new(tell) }
    }
}

impl fmt::Debug for OnEpochEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnEpochEnd").finish_non_exhaustive()
    }
}

impl fmt::Debug for OnBatchEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnBatchEnd").finish_non_exhaustive()
    }
}

/// Makes a type a part that serialises as nothing and is never read: a closure has no settings.
macro_rules! unsaved {
    ($type:ty, $name:literal) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.serialize_unit()
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(_: D) -> std::result::Result<Self, D::Error> {
                Err(serde::de::Error::custom("a closure cannot be read from a file"))
            }
        }

        impl crate::part::Configured for $type {
            const NAME: &'static str = $name;
        }
    };
}
pub(super) use unsaved;

unsaved!(OnEpochEnd, "on_epoch_end");
unsaved!(OnBatchEnd, "on_batch_end");

impl Callback for OnEpochEnd {
    fn on_epoch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        (self.tell)(view)
    }

    fn is_saved(&self) -> bool {
        false
    }
}

impl Callback for OnBatchEnd {
    fn on_batch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        (self.tell)(view)
    }

    fn is_saved(&self) -> bool {
        false
    }
}
