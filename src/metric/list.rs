//! Lists of metrics, as a program writes them.

use super::AnyMetric;

/// What stands for a list of metrics: `[Accuracy]`, `(Accuracy, TopK::new(3))`, a `Vec`, or `()` for none.
pub trait IntoMetrics {
    /// The metrics, in order.
    fn into_metrics(self) -> Vec<AnyMetric>;
}

impl IntoMetrics for () {
    fn into_metrics(self) -> Vec<AnyMetric> {
        Vec::new()
    }
}

impl<M: Into<AnyMetric>, const N: usize> IntoMetrics for [M; N] {
    fn into_metrics(self) -> Vec<AnyMetric> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<M: Into<AnyMetric>> IntoMetrics for Vec<M> {
    fn into_metrics(self) -> Vec<AnyMetric> {
        self.into_iter().map(Into::into).collect()
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: Into<AnyMetric>),+> IntoMetrics for ($($name,)+) {
            #[allow(non_snake_case)]
            fn into_metrics(self) -> Vec<AnyMetric> {
                let ($($name,)+) = self;
                vec![$($name.into()),+]
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E G);
