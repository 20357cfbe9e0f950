//! Every combination of typed axes.

use linfa::ParamGuard;

use super::builder::Search;
use super::strategy::Exhaustive;
use crate::error::Error;

/// Tries every combination of typed axes over an estimator's builder, by cross-validation, and refits the best one.
///
/// All settings are those of [`Search`]. The whole grid is checked before the first fit, and one candidate that cannot run is
/// an error that names it.
///
/// # Examples
///
/// ```
/// use linfa::traits::{Fit, Predict};
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{GridSearch, KFold, Scorer};
/// use linfa_preprocessing::linear_scaling::LinearScaler;
///
/// let diabetes = linfa_datasets::diabetes();
/// let search = GridSearch::new(ElasticNet::params())
///     .axis("penalty", [0.01, 0.1, 1.0], |p, v| p.penalty(v))
///     .axis("l1_ratio", [0.2, 0.8], |p, v| p.l1_ratio(v))
///     .preprocess(LinearScaler::standard())
///     .cv(KFold::new(5).shuffle(1))
///     .scorers([Scorer::r2(), Scorer::neg_root_mean_squared_error()])
///     .fit(&diabetes)?;
///
/// println!("{}", search.results());
/// assert!(search.best_score().is_some_and(|r2| r2 > 0.4));
/// let prediction = search.best_model()?.predict(&diabetes);
/// assert_eq!(prediction.len(), 441);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub type GridSearch<P, F = f64, Y = f64, E = Error> = Search<Exhaustive, P, F, Y, E>;

impl<P, F, Y, E> Search<Exhaustive, P, F, Y, E> {
    /// A search over the settings of this builder. Each candidate is checked by its `ParamGuard` before the first fit.
    #[must_use]
    pub fn new(prototype: P) -> Self
    where
        P: ParamGuard,
        P::Error: Send + Sync + 'static,
    {
        Search::by(Exhaustive, prototype)
    }

    /// A search over the settings of an estimator that has no `ParamGuard`, such as `LinearRegression`.
    #[must_use]
    pub fn unguarded(prototype: P) -> Self {
        Search::unguarded_by(Exhaustive, prototype)
    }
}

#[cfg(test)]
mod tests {
    use linfa::dataset::DatasetBase;
    use linfa::traits::{Predict, PredictInplace};
    use linfa::{Dataset, Float};
    use ndarray::{Array1, Array2, ArrayBase, Data, Ix1, Ix2, array};

    use super::*;
    use crate::error::Result;
    use crate::model_selection::data_view::DataView;
    use crate::model_selection::fit_rows::{FitContext, FitRows};
    use crate::model_selection::search::fitted::FittedSearch;
    use crate::model_selection::search::strategy::Strategy;
    use crate::model_selection::split::KFold;
    use crate::model_selection::target::Target;

    /// An estimator of this crate, with a search whose `fit` is its own.
    #[derive(Clone, Debug)]
    struct Constant<F>(F);

    struct Model<F>(F);

    impl<F: Float> ParamGuard for Constant<F> {
        type Checked = Self;
        type Error = Error;

        fn check_ref(&self) -> Result<&Self> {
            Ok(self)
        }

        fn check(self) -> Result<Self> {
            Ok(self)
        }
    }

    impl<F: Float> PredictInplace<Array2<F>, Array1<F>> for Model<F> {
        fn predict_inplace<'a>(&'a self, _: &'a Array2<F>, y: &mut Array1<F>) {
            y.fill(self.0);
        }

        fn default_target(&self, x: &Array2<F>) -> Array1<F> {
            Array1::zeros(x.nrows())
        }
    }

    impl<F: Float + Target> FitRows<F, F, Ix1> for Constant<F> {
        type Object = Model<F>;
        type Prepared = ();

        fn check(&self) -> Result<()> {
            Ok(())
        }

        fn prepare(_: &DataView<'_, F, F, Ix1>) -> Result<()> {
            Ok(())
        }

        fn fit_rows(
            &self,
            _: &DataView<'_, F, F, Ix1>,
            (): &(),
            _: &[usize],
            _: &FitContext<'_>,
        ) -> Result<Model<F>> {
            Ok(Model(self.0))
        }

        fn predict_rows(
            &self,
            model: &Model<F>,
            _: &DataView<'_, F, F, Ix1>,
            rows: &[usize],
        ) -> Result<Array1<F>> {
            Ok(Array1::from_elem(rows.len(), model.0))
        }
    }

    impl<S: Strategy, F: Float + Target> Search<S, Constant<F>, F, F, Error> {
        fn fit<D: Data<Elem = F>, T: Data<Elem = F>>(
            &self,
            dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<T, Ix1>>,
        ) -> Result<FittedSearch<Model<F>, F, Array1<F>>> {
            self.fit_by_rows(dataset)
        }
    }

    #[test]
    fn an_estimator_of_this_crate_can_give_its_search_a_fit_of_its_own() {
        // No type is named, and linfa's `Fit` is in scope: the inherent method wins.
        let dataset = Dataset::new(array![[1.0_f32], [2.0], [3.0], [4.0]], array![1.0, 2.0, 3.0, 6.0]);
        let fitted = GridSearch::new(Constant(0.0))
            .axis("value", [9.0_f32, 3.0], |_, value| Constant(value))
            .cv(KFold::new(2))
            .fit(&dataset)
            .expect("two candidates that cannot fail");
        assert_eq!(fitted.best_index(), Some(1));
        assert_eq!(fitted.predict(&dataset), array![3.0_f32, 3.0, 3.0, 3.0]);
    }
}
