//! linfa's transformers behind one interface.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use linfa::DatasetBase;
use linfa::Float;
use linfa::traits::{Fit, Transformer};
use ndarray::{Array1, Array2};

use crate::error::{Error, Result};

/// A fitted transformer of records, `(n_samples, n_features)` to `(n_samples, n_features')`.
pub trait Transform<F>: Send + Sync {
    /// The transformed records.
    fn transform(&self, records: Array2<F>) -> Array2<F>;

    /// The transformer itself, to look for a type that is known.
    fn as_any(&self) -> &dyn Any;
}

impl<F, T: Transformer<Array2<F>, Array2<F>> + Send + Sync + 'static> Transform<F> for T {
    fn transform(&self, records: Array2<F>) -> Array2<F> {
        Transformer::transform(self, records)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A transformer before it is fitted.
pub(super) trait Step<F>: Send + Sync {
    /// Fits on the training records and gives them back transformed.
    fn fit_transform(
        &self,
        train: Array2<F>,
        weights: Option<&[f32]>,
    ) -> Result<(Arc<dyn Transform<F>>, Array2<F>)>;
}

/// A transformer of linfa, with the error type its `Fit` has.
pub(super) struct Foreign<T, E> {
    transformer: T,
    error: PhantomData<fn() -> E>,
}

impl<T, E> Foreign<T, E> {
    pub(super) fn new(transformer: T) -> Self {
        Foreign { transformer, error: PhantomData }
    }
}

impl<F, T, E> Step<F> for Foreign<T, E>
where
    F: Float,
    T: Fit<Array2<F>, Array1<()>, E> + Send + Sync,
    T::Object: Transformer<Array2<F>, Array2<F>> + Send + Sync + 'static,
    E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
{
    fn fit_transform(
        &self,
        train: Array2<F>,
        weights: Option<&[f32]>,
    ) -> Result<(Arc<dyn Transform<F>>, Array2<F>)> {
        let mut records = DatasetBase::from(train);
        if let Some(weights) = weights {
            records = records.with_weights(Array1::from(weights.to_vec()));
        }
        let fitted = self
            .transformer
            .fit(&records)
            .map_err(|source| Error::Preprocessing { source: Box::new(source) })?;
        let train = Transformer::transform(&fitted, records.records);
        Ok((Arc::new(fitted), train))
    }
}
