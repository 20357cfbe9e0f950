//! Going through all candidates of a space whose values can be counted.

use super::draw::{Guide, Question};
use crate::error::{Error, Result};

/// A path through the tree of answers, from the root to a leaf.
///
/// The functions of a space are run again for each leaf: they get the answers of the path, and the first value for every question
/// beyond it. Afterwards the path is turned like an odometer, whose last wheel goes fastest; which questions there are may
/// depend on the answers before.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    path: Vec<Turn>,
    depth: usize,
    uncountable: Option<String>,
}

#[derive(Debug)]
struct Turn {
    place: usize,
    of: usize,
}

impl Guide for Walk {
    fn answer(&mut self, question: &Question<'_>) -> f64 {
        let Some(of) = question.count else {
            self.uncountable.get_or_insert_with(|| question.name.into());
            return 0.0;
        };
        if self.depth == self.path.len() {
            self.path.push(Turn { place: 0, of });
        }
        let place = self.path[self.depth].place;
        self.depth += 1;
        (question.coordinate)(place)
    }
}

impl Walk {
    /// Moves on to the next leaf, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a question whose answers cannot be counted.
    pub fn advance(&mut self) -> Result<bool> {
        if let Some(name) = &self.uncountable {
            let allowed = "a list or a range of whole numbers, where every combination is tried";
            return Err(Error::parameter(format!("axis {name}"), "a range of any numbers", allowed));
        }
        self.depth = 0;
        while let Some(turn) = self.path.last_mut() {
            turn.place += 1;
            if turn.place < turn.of {
                return Ok(true);
            }
            self.path.pop();
        }
        Ok(false)
    }
}
