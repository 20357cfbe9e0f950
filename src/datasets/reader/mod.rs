//! Files of data: their bytes are checked before they are believed.

mod content;
#[cfg(feature = "csv")]
mod csv;
mod idx;
mod npy;
#[cfg(feature = "gzip")]
mod npz;

#[cfg(feature = "csv")]
pub use csv::Csv;
pub use idx::read_idx;
pub use npy::read_npy;
#[cfg(feature = "gzip")]
pub use npz::Npz;
