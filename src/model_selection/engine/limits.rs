//! What a search may spend, and has spent so far.

use std::sync::Mutex;

use crate::model_selection::engine::budget::{Budget, Spent};
use crate::model_selection::engine::protocol::Protocol;
use crate::model_selection::engine::stop::Stop;

/// What a search may spend, and has spent so far.
#[derive(Debug)]
pub(crate) struct Limits<'a> {
    pub stop: Stop<'a>,
    pub budget: Budget,
    pub spent: Mutex<Spent>,
}

impl<'a> Limits<'a> {
    /// The time of the budget starts now.
    pub(crate) fn new<F, Y>(protocol: &'a Protocol<F, Y>) -> Self {
        let budget = protocol.budget;
        Limits { stop: Stop::new(&protocol.stop, budget.time()), budget, spent: Mutex::default() }
    }

    /// How many of so many fits there may be.
    pub(crate) fn at_most(&self, fits: usize) -> usize {
        self.budget.at_most(fits)
    }
}
