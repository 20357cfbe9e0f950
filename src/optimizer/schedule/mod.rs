//! Schedules: the learning rate over the steps.
//!
//! Wherever a learning rate is asked for, a plain number stands for the constant schedule, also in files.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Result, check};
use crate::float::Float;
use crate::part::{Configured, Member, Part, Room};

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
        const MEMBERS: &[Member<Schedules>] = &[Member::of::<Constant>()];
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

/// The same rate for ever.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `rate` | 0.001 | finite, > 0 |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constant {
    /// The rate.
    pub rate: f64,
}

impl Default for Constant {
    fn default() -> Self {
        Constant { rate: 0.001 }
    }
}

impl Configured for Constant {
    const NAME: &'static str = "constant";

    fn check(&self) -> Result<()> {
        check("learning_rate", self.rate, self.rate.is_finite() && self.rate > 0.0, "finite and above 0")
    }
}

impl Schedule for Constant {
    fn rate(&self, _step: u64) -> f64 {
        self.rate
    }
}

/// In files for people a constant rate is a number: `"learning_rate": 0.01`.
pub(crate) mod as_number {
    use super::{AnySchedule, Constant};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum NumberOrSchedule {
        Number(f64),
        Schedule(AnySchedule),
    }

    pub(crate) fn serialize<S: Serializer>(schedule: &AnySchedule, serializer: S) -> Result<S::Ok, S::Error> {
        match schedule.downcast_ref::<Constant>() {
            Some(constant) => constant.rate.serialize(serializer),
            None => schedule.serialize(serializer),
        }
    }

    // Settings of parts are always read from JSON, in binary files too, so that `untagged` is safe here.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AnySchedule, D::Error> {
        Ok(match NumberOrSchedule::deserialize(deserializer)? {
            NumberOrSchedule::Number(rate) => rate.into(),
            NumberOrSchedule::Schedule(schedule) => schedule,
        })
    }
}
