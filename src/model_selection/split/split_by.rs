//! Folds of a closure, and folds that are given.

use std::fmt;
use std::sync::Arc;

use super::{Rows, Split, Splitter};
use crate::error::Result;

type Rule = dyn Fn(&Rows<'_>) -> Result<Vec<Split>> + Send + Sync;

/// A splitter that is a closure.
///
/// It should give the same folds whenever it is asked; what it gives is checked like the folds of any splitter. Folds that
/// are known beforehand need no closure: a `Vec<Split>` is a splitter too.
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{Rows, Split, SplitBy, Splitter};
///
/// let even_odd = SplitBy::new("EvenOdd", |rows: &Rows<'_>| {
///     let (train, test) = (0..rows.n_samples()).partition(|row| row % 2 == 0);
///     Ok(vec![Split { train, test }])
/// });
/// assert_eq!(even_odd.split(&Rows::new(5))?[0].test, [1, 3]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone)]
pub struct SplitBy {
    name: String,
    rule: Arc<Rule>,
}

impl SplitBy {
    /// A splitter of that name.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        rule: impl Fn(&Rows<'_>) -> Result<Vec<Split>> + Send + Sync + 'static,
    ) -> Self {
        SplitBy { name: name.into(), rule: Arc::new(rule) }
    }
}

impl fmt::Debug for SplitBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SplitBy").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Splitter for SplitBy {
    fn name(&self) -> &str {
        &self.name
    }

    /// Asks the closure; 0 when it fails.
    fn n_splits(&self, rows: &Rows<'_>) -> usize {
        (self.rule)(rows).map_or(0, |folds| folds.len())
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        (self.rule)(rows)
    }
}

/// The folds themselves, for any rows.
impl Splitter for Vec<Split> {
    fn name(&self) -> &str {
        "the given folds"
    }

    fn n_splits(&self, _: &Rows<'_>) -> usize {
        self.len()
    }

    fn split(&self, _: &Rows<'_>) -> Result<Vec<Split>> {
        Ok(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::model_selection::split::checked;

    #[test]
    fn what_a_closure_gives_is_checked() {
        let fold = |train: &[usize], test: &[usize]| Split { train: train.into(), test: test.into() };
        let outside = SplitBy::new("outside", move |_| Ok(vec![fold(&[0], &[1]), fold(&[0], &[9])]));
        assert_eq!(outside.n_splits(&Rows::new(2)), 2);
        assert!(matches!(checked(&outside, &Rows::new(2), false), Err(Error::RowIndex { row: 9, .. })));
        let none = SplitBy::new("none", |_| Ok(Vec::new()));
        assert!(matches!(checked(&none, &Rows::new(2), false), Err(Error::Split { .. })));
        let failing = SplitBy::new("failing", |rows| rows.require_groups("failing").map(|_| Vec::new()));
        assert_eq!(failing.n_splits(&Rows::new(2)), 0);
        assert!(matches!(checked(&failing, &Rows::new(2), false), Err(Error::Split { .. })));
    }
}
