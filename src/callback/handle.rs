//! Open files and other things that are no part of a run's value.

use std::fmt;

/// Something a callback has open. It is not saved, not compared and not cloned: after a load, and in a clone, there is
/// none, and the callback opens its own.
pub(super) struct Handle<T>(pub(super) Option<T>);

impl<T> Default for Handle<T> {
    fn default() -> Self {
        Handle(None)
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        Handle(None)
    }
}

impl<T> PartialEq for Handle<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "open" } else { "closed" })
    }
}
