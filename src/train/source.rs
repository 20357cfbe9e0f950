//! Rows that are read when they are needed.

use std::fmt;

use crate::float::Float;

/// A data set that is read row by row: a file larger than memory, a table of a data base, generated rows.
///
/// [`Rows::from_source`](super::Rows::from_source) makes rows of it, which a run trains on as on arrays: to the same bits, with
/// shuffling, validation, callbacks, pausing and resuming. What is held in memory is one batch, and one number for each row:
/// its place in the order of the epoch. Values are checked when they are read.
///
/// # Examples
///
/// Rows in a file, of which one batch is in memory at a time:
///
/// ```
/// use std::fs::File;
/// use std::io::{Read, Seek, SeekFrom, Write};
/// use std::sync::Mutex;
///
/// use linfa_mlp::prelude::*;
/// use linfa_mlp::train::{Rows, RowSource};
///
/// /// Records of 3 features and 1 target, each a little-endian f32.
/// #[derive(Debug)]
/// struct Records { file: Mutex<File>, n_samples: usize }
///
/// impl RowSource<f32> for Records {
///     fn n_samples(&self) -> usize { self.n_samples }
///     fn n_features(&self) -> usize { 3 }
///     fn target_width(&self) -> usize { 1 }
///
///     fn read(
///         &self, rows: &[usize], x: &mut [f32], y: &mut [f32],
///     ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///         let mut file = self.file.lock().map_err(|error| error.to_string())?;
///         let mut record = [0; 16];
///         for (place, &row) in rows.iter().enumerate() {
///             file.seek(SeekFrom::Start(row as u64 * 16))?;
///             file.read_exact(&mut record)?;
///             let number = |i: usize| f32::from_le_bytes([0, 1, 2, 3].map(|byte| record[4 * i + byte]));
///             x[3 * place..][..3].copy_from_slice(&[number(0), number(1), number(2)]);
///             y[place] = number(3);
///         }
///         Ok(())
///     }
/// }
///
/// let mut file = tempfile::tempfile()?;
/// for row in 0..500 {
///     let x = [row % 10, row % 7, row % 3].map(|x| x as f32 / 10.0);
///     for value in [x[0], x[1], x[2], x[0] - x[1] * x[2]] {
///         file.write_all(&value.to_le_bytes())?;
///     }
/// }
/// let records = Records { file: Mutex::new(file), n_samples: 500 };
///
/// let mut model = Sequential::new()
///     .add(Dense::new(16).activation(Relu))
///     .add(Dense::new(1))
///     .compile(3, Adam::new(0.01), MeanSquaredError, ())?;
/// let training = Training::epochs(20).validation_split(0.2);
/// let history = model.fit_data(&Rows::from_source(&records)?.into(), &training)?;
/// assert!(history["val_loss"][19] < 0.2 * history["val_loss"][0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait RowSource<F: Float>: fmt::Debug + Send + Sync {
    /// Number of rows, at least 1.
    fn n_samples(&self) -> usize;

    /// Columns of `x`, at least 1.
    fn n_features(&self) -> usize;

    /// Columns of `y`, at least 1; what they hold is up to the loss, as with arrays.
    fn target_width(&self) -> usize;

    /// Writes the rows of those indices, in that order, which is that of a shuffled epoch.
    ///
    /// # Shapes
    ///
    /// `x` rows × n_features, `y` rows × target_width, row by row. Both are NaN before: a value that is not written is an error.
    ///
    /// # Errors
    ///
    /// Whatever may fail; the run stays as it was before the batch and can go on from there.
    fn read(
        &self,
        rows: &[usize],
        x: &mut [F],
        y: &mut [F],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;

    /// A number by which a [`Backup`](crate::callback::Backup) tells these data from others, such as a checksum or the time of the
    /// file's last change. Without it, data of the same shape look alike.
    fn fingerprint(&self) -> u64 {
        0
    }
}
