//! Records: byte strings with checksums, one after the other.
//!
//! ```text
//! u64 length | u32 masked crc32c(the 8 length bytes) | data | u32 masked crc32c(data)      little-endian
//! ```

use std::io::{self, Read};

use thiserror::Error;

const LENGTH: usize = size_of::<u64>();
const CRC: usize = size_of::<u32>();

/// The checksum as it is stored: the CRC of a string that itself holds CRCs is weak, so the format rotates and shifts it.
fn masked_crc(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Appends `data` as one record.
pub(super) fn append(out: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&masked_crc(&length).to_le_bytes());
    out.extend_from_slice(data);
    out.extend_from_slice(&masked_crc(data).to_le_bytes());
}

/// Why an event file cannot be read on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The source failed.
    #[error("cannot read the event file: {0}")]
    Io(#[from] io::Error),
    /// A record's length does not match its checksum, so nothing after it can be found.
    #[error(
        "the length of the record at byte {offset} is damaged: its checksum must be {expected:#010x}, but is {found:#010x}"
    )]
    DamagedLength {
        /// Where the record starts.
        offset: u64,
        /// Checksum of the length.
        expected: u32,
        /// Checksum in the file.
        found: u32,
    },
    /// A record's data do not match their checksum.
    #[error(
        "the record at byte {offset} is damaged: its checksum must be {expected:#010x}, but is {found:#010x}"
    )]
    DamagedData {
        /// Where the record starts.
        offset: u64,
        /// Checksum of the data.
        expected: u32,
        /// Checksum in the file.
        found: u32,
    },
    /// A record is whole, but is not an event.
    #[error("the record at byte {offset} is not an event")]
    NotAnEvent {
        /// Where the record starts.
        offset: u64,
        /// What the decoder met.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The records of a source, each with the byte where it starts.
///
/// A record cut short by the end of the source ends the iteration without an error: that is a file whose writer is still
/// at work, or was killed. After an error the iteration ends.
pub(super) struct Records<R> {
    source: R,
    offset: u64,
    done: bool,
}

impl<R: Read> Records<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, offset: 0, done: false }
    }

    /// Up to `n` bytes; fewer only at the end of the source.
    fn take(&mut self, n: u64) -> io::Result<Vec<u8>> {
        // Reading through `take` lets the buffer grow with the data: a forged length cannot claim memory.
        let mut bytes = Vec::new();
        self.source.by_ref().take(n).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read(&mut self) -> Result<Option<(u64, Vec<u8>)>, ReadError> {
        let offset = self.offset;
        let header = self.take((LENGTH + CRC) as u64)?;
        let Some((length, found)) = split_crc(&header).filter(|(length, _)| length.len() == LENGTH) else {
            return Ok(None);
        };
        let expected = masked_crc(length);
        if found != expected {
            return Err(ReadError::DamagedLength { offset, expected, found });
        }
        let length = length.iter().rev().fold(0u64, |length, &byte| (length << 8) | u64::from(byte));

        let mut data = self.take(length.saturating_add(CRC as u64))?;
        let Some((body, found)) = split_crc(&data).filter(|(body, _)| body.len() as u64 == length) else {
            return Ok(None);
        };
        let expected = masked_crc(body);
        if found != expected {
            return Err(ReadError::DamagedData { offset, expected, found });
        }
        data.truncate(data.len() - CRC);
        self.offset += LENGTH as u64 + length + 2 * CRC as u64;
        Ok(Some((offset, data)))
    }
}

/// The bytes before the checksum at the end, and the checksum.
fn split_crc(bytes: &[u8]) -> Option<(&[u8], u32)> {
    bytes.split_last_chunk().map(|(body, crc)| (body, u32::from_le_bytes(*crc)))
}

impl<R: Read> Iterator for Records<R> {
    type Item = Result<(u64, Vec<u8>), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let item = self.read().transpose();
        self.done = !matches!(item, Some(Ok(_)));
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(records: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        records.iter().for_each(|data| append(&mut bytes, data));
        bytes
    }

    fn whole(bytes: &[u8]) -> Vec<Vec<u8>> {
        Records::new(bytes).map(|record| record.unwrap().1).collect()
    }

    #[test]
    fn the_checksum_is_crc32c_with_tensorflows_mask() {
        // The check value of CRC-32C; the mask worked by hand: 0xe3069283 rotated right by 15 is 0x2507c60d,
        // plus 0xa282ead8 is 0xc78ab0e5.
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(masked_crc(b"123456789"), 0xc78a_b0e5);
    }

    #[test]
    fn a_record_has_the_bytes_tensorflow_writes() {
        // TensorBoard's own `tensorboard.summary.writer.record_writer.RecordWriter` wrote these.
        assert_eq!(framed(&[b"123456789"]), b"\x09\0\0\0\0\0\0\0\x37\xf9\x71\x39123456789\xe5\xb0\x8a\xc7");
        assert_eq!(framed(&[b""]), b"\0\0\0\0\0\0\0\0\x29\x03\x98\x07\xd8\xea\x82\xa2");
    }

    #[test]
    fn records_come_back_with_their_offsets() {
        let bytes = framed(&[b"one", b"", b"three"]);
        let read: Vec<_> = Records::new(&bytes[..]).map(Result::unwrap).collect();
        assert_eq!(read, [(0, b"one".to_vec()), (19, Vec::new()), (35, b"three".to_vec())]);
    }

    #[test]
    fn a_file_cut_anywhere_is_read_up_to_the_last_whole_record() {
        let bytes = framed(&[b"one", b"", b"three"]);
        for cut in 0..=bytes.len() {
            let expected = [19, 35, 56].iter().filter(|&&end| end <= cut).count();
            assert_eq!(whole(&bytes[..cut]).len(), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_changed_bit_is_never_read_as_data() {
        let bytes = framed(&[b"one", b"two"]);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let mut records = Records::new(&damaged[..]);
            let error = loop {
                match records.next() {
                    Some(Ok((offset, data))) => assert_eq!(data, if offset == 0 { b"one" } else { b"two" }),
                    Some(Err(error)) => break error,
                    None => panic!("bit {bit} was not noticed"),
                }
            };
            let start = if bit / 8 < 19 { 0 } else { 19 };
            match error {
                ReadError::DamagedLength { offset, .. } => {
                    assert!(offset == start && bit / 8 - start as usize <= 11)
                }
                ReadError::DamagedData { offset, .. } => {
                    assert!(offset == start && bit / 8 - start as usize > 11)
                }
                other => panic!("{other}"),
            }
            assert!(records.next().is_none(), "reading goes on after damage");
        }
    }

    #[test]
    fn a_forged_length_claims_no_memory() {
        let length = u64::MAX.to_le_bytes();
        let mut bytes = length.to_vec();
        bytes.extend(masked_crc(&length).to_le_bytes());
        bytes.extend(b"short");
        assert!(Records::new(&bytes[..]).next().is_none());
    }
}
