//! The knobs that every optimizer has.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::schedule::{AnySchedule, as_number};
use crate::error::{Error, Result, check};

/// What every optimizer has besides its rule: the learning rate, weight decay, clipping, averaging and accumulation.
///
/// A step does this, in Keras' order:
///
/// ```text
/// g ← (g₁ + … + gₖ) / k                 of the last k batches; in the batches between nothing moves
/// g ← clipped g                         g/‖g‖ · min(‖g‖, c), or every element into [−c, c]
/// w ← w − η λ w                         decoupled decay, of biases too
/// w ← rule(w, g, η)                     g is the gradient before the decay
/// a ← μ a + (1 − μ) w                   after every batch; a copy of w up to the first update
/// ```
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `learning_rate` η | 0.001 here; each optimizer has its own | finite, > 0, or a schedule |
/// | `weight_decay` λ | none (AdamW: 0.004) | finite, ≥ 0 |
/// | `clip_value` c: every element | none | finite, > 0 |
/// | `clip_norm` c: ‖·‖ of each kernel and each bias by itself | none | finite, > 0 |
/// | `global_clip_norm` c: ‖·‖ of all of them together | none | finite, > 0 |
/// | `ema` μ | none (Keras' `ema_momentum`, once on: 0.99) | 0 ≤ μ < 1 |
/// | `accumulate` k | 1 | ≥ 1 |
///
/// At most one of the three ways of clipping. The rate follows the batches, the rule's own counter the updates. With
/// `ema`, predictions and validation use the averaged weights and training goes on with the raw ones.
///
/// The setters are methods of every optimizer, and in files the settings stand beside those of its rule.
///
/// ```
/// use linfa_mlp::optimizer::{Adam, AnyOptimizer};
///
/// let adam: AnyOptimizer = Adam::new(0.01).weight_decay(0.004).global_clip_norm(1.0).into();
/// assert_eq!(adam.to_string(), "adam(global_clip_norm=1.0, learning_rate=0.01, weight_decay=0.004)");
/// assert!(AnyOptimizer::from(Adam::default().clip_norm(1.0).clip_value(0.5)).check().is_err());
/// ```
///
/// # References
///
/// - I. Loshchilov, F. Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019, algorithm 2.
/// - R. Pascanu, T. Mikolov, Y. Bengio, *On the difficulty of training recurrent neural networks*, ICML 2013,
///   algorithm 1 (clipping by norm).
/// - B. T. Polyak, A. B. Juditsky, *Acceleration of Stochastic Approximation by Averaging*, SIAM J. Control Optim.
///   30(4), 1992 (averaging; the exponential form is Keras').
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tuning {
    /// The learning rate η over the batches.
    #[serde(with = "as_number")]
    pub learning_rate: AnySchedule,
    /// The decay λ of weights, apart from the gradient.
    pub weight_decay: Option<f64>,
    /// The largest size of an element of the gradient.
    pub clip_value: Option<f64>,
    /// The largest norm of the gradient of one tensor.
    pub clip_norm: Option<f64>,
    /// The largest norm of the whole gradient.
    pub global_clip_norm: Option<f64>,
    /// The factor μ of the moving average of the weights.
    pub ema: Option<f64>,
    /// Batches whose mean gradient makes one update.
    pub accumulate: u64,
}

impl Tuning {
    /// That learning rate, and every other knob off.
    #[must_use]
    pub fn new(learning_rate: impl Into<AnySchedule>) -> Self {
        Tuning {
            learning_rate: learning_rate.into(),
            weight_decay: None,
            clip_value: None,
            clip_norm: None,
            global_clip_norm: None,
            ema: None,
            accumulate: 1,
        }
    }

    /// Checks the ranges of the settings, one line for each.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] names the first setting that is outside its range.
    pub fn check(&self) -> Result<()> {
        self.learning_rate.check()?;
        optional("weight_decay", self.weight_decay, |v| v.is_finite() && v >= 0.0, "finite and at least 0")?;
        let clips = [
            ("clip_value", self.clip_value),
            ("clip_norm", self.clip_norm),
            ("global_clip_norm", self.global_clip_norm),
        ];
        for (name, limit) in clips {
            optional(name, limit, |v| v.is_finite() && v > 0.0, "finite and above 0")?;
        }
        let given: Vec<&str> =
            clips.iter().filter(|(_, limit)| limit.is_some()).map(|(name, _)| *name).collect();
        if given.len() > 1 {
            let allowed = "one of clip_value, clip_norm and global_clip_norm";
            return Err(Error::parameter("clipping", given.join(" and "), allowed));
        }
        optional("ema", self.ema, |v| (0.0..1.0).contains(&v), "at least 0 and below 1")?;
        check("accumulate", self.accumulate, self.accumulate >= 1, "at least 1")
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning::new(0.001)
    }
}

fn optional(name: &str, value: Option<f64>, allows: impl Fn(f64) -> bool, allowed: &str) -> Result<()> {
    value.map_or(Ok(()), |value| check(name, value, allows(value), allowed))
}

/// The settings that are read, laid over the defaults of `T`: flattening leaves serde unable to do that, or to refuse
/// a setting that `T` does not have.
pub(super) fn over_defaults<'de, T, D>(deserializer: D) -> std::result::Result<Value, D::Error>
where
    T: Default + Serialize,
    D: Deserializer<'de>,
{
    use serde::de::Error as _;
    let given = Map::<String, Value>::deserialize(deserializer)?;
    let mut settings = serde_json::to_value(T::default()).map_err(D::Error::custom)?;
    for (key, value) in given {
        match settings.get_mut(&key) {
            Some(place) => *place = value,
            None => {
                let known =
                    settings.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>().join(", "));
                let known = known.unwrap_or_default();
                return Err(D::Error::custom(format!("unknown setting `{key}`, expected one of {known}")));
            }
        }
    }
    Ok(settings)
}

/// Writes the setters of the knobs for an optimizer, and its place in files: the settings of its rule and of its
/// [`Tuning`] in one object. The struct derives both traits of serde with `remote = "Self"` and flattens the field that
/// is named here.
macro_rules! tuned {
    ($optimizer:ident, $($tuning:ident).+) => {
        impl $optimizer {
            /// The learning rate η: a number or a schedule.
            #[must_use]
            pub fn learning_rate(
                mut self,
                learning_rate: impl Into<$crate::optimizer::schedule::AnySchedule>,
            ) -> Self {
                self.$($tuning).+.learning_rate = learning_rate.into();
                self
            }

            /// The decay λ of weights and biases: `w ← w − η λ w` before the rule, and no part of the gradient.
            #[must_use]
            pub fn weight_decay(mut self, decay: f64) -> Self {
                self.$($tuning).+.weight_decay = Some(decay);
                self
            }

            /// Limits every element of the gradient to `[−limit, limit]`.
            #[must_use]
            #[doc(alias = "clipvalue")]
            pub fn clip_value(mut self, limit: f64) -> Self {
                self.$($tuning).+.clip_value = Some(limit);
                self
            }

            /// Limits the Euclidean norm of the gradient of each kernel and each bias by itself.
            #[must_use]
            #[doc(alias = "clipnorm")]
            pub fn clip_norm(mut self, limit: f64) -> Self {
                self.$($tuning).+.clip_norm = Some(limit);
                self
            }

            /// Limits the Euclidean norm of the gradient of all weights together.
            #[must_use]
            #[doc(alias = "global_clipnorm")]
            pub fn global_clip_norm(mut self, limit: f64) -> Self {
                self.$($tuning).+.global_clip_norm = Some(limit);
                self
            }

            /// Predicts with a moving average of the weights; Keras' `momentum` is 0.99.
            #[must_use]
            #[doc(alias = "use_ema")]
            pub fn ema(mut self, momentum: f64) -> Self {
                self.$($tuning).+.ema = Some(momentum);
                self
            }

            /// Makes one update of the mean gradient of that many batches.
            #[must_use]
            #[doc(alias = "gradient_accumulation_steps")]
            pub fn accumulate(mut self, batches: u64) -> Self {
                self.$($tuning).+.accumulate = batches;
                self
            }
        }

        impl serde::Serialize for $optimizer {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                $optimizer::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $optimizer {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                let settings = $crate::optimizer::tuning::over_defaults::<Self, D>(deserializer)?;
                $optimizer::deserialize(settings).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(super) use tuned;
