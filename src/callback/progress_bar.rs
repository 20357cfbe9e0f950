//! A bar on the terminal.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar as Bar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::handle::Handle;
use super::{Callback, View, verbose};
use crate::error::Result;
use crate::part::Configured;

/// Shows a bar over the batches of each epoch on standard error, as Keras' `verbose=1`; each finished epoch leaves a line.
///
/// ```text
/// epoch 3/10 ━━━━━━━━━━━╸━━━━━━━━ 130/235 · 0 s left · loss 0.2181 · accuracy 0.9347
/// ```
///
/// Where standard error is no terminal (a log file, a notebook) there is a plain line per epoch, as of
/// [`Verbose`](super::Verbose).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProgressBar {
    #[serde(skip)]
    shown: Handle<Shown>,
}

/// The bar of an epoch, and when its values were last looked at.
struct Shown {
    bar: Bar,
    looked: Option<Instant>,
}

/// Values are looked at no more often than an eye can follow: some metrics take their time.
const PAUSE: Duration = Duration::from_millis(100);

impl ProgressBar {
    /// A bar.
    #[must_use]
    pub fn new() -> Self {
        ProgressBar::default()
    }

    fn open(view: &View<'_>) -> Shown {
        let bar = Bar::with_draw_target(Some(view.batches() as u64), ProgressDrawTarget::stderr());
        let style =
            ProgressStyle::with_template("{prefix} {bar:24.green/dim} {pos}/{len} · {eta} left{wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸━"));
        bar.set_prefix(format!("epoch {}/{}", view.epoch(), view.epochs()));
        Shown { bar, looked: None }
    }
}

impl Configured for ProgressBar {
    const NAME: &'static str = "progress_bar";
}

impl Callback for ProgressBar {
    fn on_epoch_begin(&mut self, view: &mut View<'_>) -> Result<()> {
        if stderr().is_terminal() {
            self.shown.0 = Some(Self::open(view));
        }
        Ok(())
    }

    fn on_batch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        // A run that goes on in the middle of an epoch has no bar yet.
        if self.shown.0.is_none() && stderr().is_terminal() {
            self.shown.0 = Some(Self::open(view));
        }
        if let Some(Shown { bar, looked }) = &mut self.shown.0 {
            bar.set_position(view.batch() as u64);
            if looked.is_none_or(|looked| looked.elapsed() >= PAUSE) {
                bar.set_message(verbose::values(view));
                *looked = Some(Instant::now());
            }
        }
        Ok(())
    }

    fn on_epoch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        if let Some(Shown { bar, .. }) = self.shown.0.take() {
            bar.finish_and_clear();
        }
        eprintln!("{}", verbose::line(view));
        Ok(())
    }
}
