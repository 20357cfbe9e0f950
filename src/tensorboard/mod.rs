//! The event files that [TensorBoard](https://www.tensorflow.org/tensorboard) reads: scalars, histograms, text, and the
//! HParams table. This room knows the format and no model.
//!
//! Start from three items; the rest is detail:
//!
//! - [`EventWriter`] appends summaries to a file in a run's directory;
//! - [`Summary`] is one value to append: a scalar, a histogram or a text;
//! - [`hparams::Experiment`] describes a search, so that TensorBoard shows it as a table.
//!
//! [`Events`] reads a file back.
//!
//! # Layout of a log directory
//!
//! One directory below the log directory is one *run*, one line in a chart. Keras writes two per fit:
//!
//! ```text
//! logs/train/        epoch_loss, epoch_accuracy, epoch_learning_rate, <layer>/kernel/histogram
//! logs/validation/   epoch_loss, epoch_accuracy
//! ```
//!
//! # Examples
//!
//! ```
//! use linfa_mlp::tensorboard::{EventWriter, Events, Summary};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let logs = tempfile::tempdir()?;
//! let mut train = EventWriter::create(&logs.path().join("train"))?;
//! for (epoch, loss) in [0.9, 0.5, 0.25].into_iter().enumerate() {
//!     train.write(epoch as i64, 1.7e9 + epoch as f64, Summary::scalar("epoch_loss", loss))?;
//!     train.flush()?;
//! }
//!
//! let events = Events::open(train.path())?.collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(events[2].summary.as_scalar(), Some(0.25));
//! # Ok(())
//! # }
//! ```
//!
//! # References
//!
//! - TensorFlow, `tensorflow/core/lib/io/record_writer.h`: the framing of records.
//! - TensorBoard 2.21, `tensorboard/compat/proto/{event,summary,tensor}.proto` and
//!   `tensorboard/plugins/hparams/{api,plugin_data}.proto`: the messages.

mod histogram;
pub mod hparams;
mod message;
mod reader;
mod record;
mod summary;
mod writer;

pub use reader::{Event, Events};
pub use record::ReadError;
pub use summary::Summary;
pub use writer::EventWriter;
