//! What a program imports: `use linfa_mlp::prelude::*;`
//!
//! It leaves out `Error` and `Result`, which linfa's prelude exports.

#[cfg(feature = "progress")]
pub use crate::callback::ProgressBar;
#[cfg(feature = "tensorboard")]
pub use crate::callback::TensorBoard;
pub use crate::callback::{
    AdaptiveLearningRate, Backup, BatchLog, Callback, CsvLogger, EarlyStopping, LearningRateSchedule,
    ModelCheckpoint, OnBatchEnd, OnEpochEnd, ReduceLrOnPlateau, TerminateOnNan, TimeBudget, UpdateBudget,
    Val, ValLoss, Verbose,
};
pub use crate::estimator::{MlpClassifier, MlpMultilabelClassifier, MlpRegressor};
pub use crate::history::History;
pub use crate::loss::{
    BinaryCrossEntropy, CategoricalCrossEntropy, Huber, LogCosh, MeanAbsoluteError, MeanSquaredError,
    Poisson, SparseCategoricalCrossEntropy,
};
pub use crate::metric::{Accuracy, Mae, Metric, Mse, R2, Rmse};
pub use crate::network::{
    ActivationLayer, AlphaDropout, BatchNorm, Dense, Dropout, Elu, Exponential, GaussianNoise, Gelu,
    HardSigmoid, Identity, L1, L1L2, L2, LayerNorm, LeakyRelu, MaxNorm, MinMaxNorm, NonNeg, Relu, Residual,
    Selu, Sequential, Sigmoid, Silu, Softmax, Softplus, Softsign, Tanh, UnitNorm,
};
pub use crate::optimizer::{Adadelta, Adagrad, Adam, AdamW, Adamax, Lbfgs, Lion, Nadam, RmsProp, Sgd};
pub use crate::train::{ClassWeight, Model, Training, Validation};
