//! What every member of a room keeps.

mod callbacks;
mod metrics;
mod minimizers;
mod optimizers;
mod schedules;
mod splitters;
