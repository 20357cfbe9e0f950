//! Schedules: the learning rate over the steps.
//!
//! Wherever a learning rate is asked for, a plain number stands for the constant schedule, also in files. A schedule is
//! a pure function of the step, counted from 0 (Keras' `iterations` before the update): nothing of it needs saving.
//! Steps are batches; `decay_steps` of an epoch is therefore the number of its batches.
//!
//! Rates have the same bits on every machine: powers go by squaring, and what is left by the functions of
//! [`kernel::math`](crate::kernel::math), never by the platform's `pow` or `cos`.
//!
//! ```
//! use linfa_mlp::optimizer::{Adam, schedule::Cosine};
//!
//! let schedule = Cosine::new(0.0, 10_000).warmup(0.01, 500);
//! let adam = Adam::new(schedule);
//! # let _ = adam;
//! ```

use std::sync::Arc;

use crate::error::{Result, check};
use crate::float::Float;
use crate::part::{Configured, Member, Part, Room};

mod constant;
mod cosine;
mod cosine_restarts;
mod exponential;
mod half_cosine;
mod inverse_scaling;
mod inverse_time;
mod one_cycle;
mod piecewise_constant;
mod polynomial;

pub use constant::Constant;
pub use cosine::Cosine;
pub use cosine_restarts::CosineRestarts;
pub use exponential::Exponential;
pub use inverse_scaling::InverseScaling;
pub use inverse_time::InverseTime;
pub use one_cycle::OneCycle;
pub use piecewise_constant::PiecewiseConstant;
pub use polynomial::Polynomial;

/// The learning rate of a step.
pub trait Schedule: Send + Sync {
    /// The rate of that step, counted from 0.
    fn rate(&self, step: u64) -> f64;
}

/// The room of schedules.
#[derive(Debug)]
pub enum Schedules {}

/// Any schedule: a number, a schedule by value, or by name.
pub type AnySchedule = Part<Schedules>;

impl Room for Schedules {
    type Ops<F: Float> = dyn Schedule;
    const KIND: &'static str = "schedule";

    fn members() -> &'static [Member<Self>] {
        const MEMBERS: &[Member<Schedules>] = &[
            Member::of::<Constant>(),
            Member::of::<Exponential>(),
            Member::of::<PiecewiseConstant>(),
            Member::of::<Polynomial>(),
            Member::of::<InverseTime>(),
            Member::of::<InverseScaling>(),
            Member::of::<Cosine>(),
            Member::of::<CosineRestarts>(),
            Member::of::<OneCycle>(),
        ];
        MEMBERS
    }
}

impl<S: Configured + Schedule> From<S> for AnySchedule {
    fn from(schedule: S) -> Self {
        let part = Arc::new(schedule);
        let single: Arc<dyn Schedule> = part.clone();
        Part::assemble(part, single.clone(), single)
    }
}

impl From<f64> for AnySchedule {
    fn from(rate: f64) -> Self {
        Constant { rate }.into()
    }
}

impl AnySchedule {
    /// The rate of that step, counted from 0.
    #[must_use]
    pub fn rate(&self, step: u64) -> f64 {
        self.ops::<f64>().rate(step)
    }
}

/// Checks a learning rate, or a factor of one.
fn check_positive(name: &str, value: f64) -> Result<()> {
    check(name, value, value.is_finite() && value > 0.0, "finite and above 0")
}

/// Checks a number that may be 0.
fn check_not_negative(name: &str, value: f64) -> Result<()> {
    check(name, value, value.is_finite() && value >= 0.0, "finite and at least 0")
}

/// Checks the share of the first rate that is left at the end.
fn check_share(name: &str, value: f64) -> Result<()> {
    check(name, value, (0.0..=1.0).contains(&value), "between 0 and 1")
}

/// Checks a number of steps.
fn check_steps(name: &str, value: u64) -> Result<()> {
    check(name, value, value >= 1, "at least 1")
}

/// In files for people a constant rate is a number: `"learning_rate": 0.01`.
pub(crate) mod as_number {
    use super::{AnySchedule, Constant};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
    use serde_json::Value;

    pub(crate) fn serialize<S: Serializer>(
        schedule: &AnySchedule,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        match schedule.downcast_ref::<Constant>() {
            Some(constant) => constant.rate.serialize(serializer),
            None => schedule.serialize(serializer),
        }
    }

    // Settings of parts are always read from JSON, in binary files too.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<AnySchedule, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Number(rate) => {
                rate.as_f64().map(AnySchedule::from).ok_or_else(|| D::Error::custom("a rate is a number"))
            }
            schedule => serde_json::from_value(schedule).map_err(D::Error::custom),
        }
    }
}
