//! What every member of a room keeps.

mod metrics;
mod optimizers;
mod schedules;
