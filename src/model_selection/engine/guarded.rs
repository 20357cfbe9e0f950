//! Foreign code, which may panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// Runs foreign code; its panic becomes an error.
pub(crate) fn guarded<R, E: From<Error>>(
    what: &'static str,
    run: impl FnOnce() -> Result<R, E>,
) -> Result<R, E> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
        let message = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Error::Panicked { what, message: message.unwrap_or_else(|| "without a message".into()) }.into())
    })
}

/// The lock's value. A panic while it was held cannot have left it half-written: it is set in one assignment.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
