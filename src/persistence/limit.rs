//! How much a payload may make the decoder take.
//!
//! bincode takes the memory of a text when it has read its length, before it looks for the bytes: a file of 40 bytes may ask for
//! 60 GiB, and what cannot be had ends the process. bincode's own limit is a constant of the type, so a payload is decoded
//! under the smallest of six that holds it.

use bincode::config::legacy;
use bincode::error::DecodeError;
use bincode::serde::decode_from_slice;
use serde::de::DeserializeOwned;

/// A value and the number of bytes it took. No more than 64 kB or 16 times the payload is allocated for one text.
pub(super) fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<(T, usize), DecodeError> {
    match payload.len() as u64 {
        0..=0x1_0000 => within::<T, 0x1_0000>(payload),
        0..=0x10_0000 => within::<T, 0x10_0000>(payload),
        0..=0x100_0000 => within::<T, 0x100_0000>(payload),
        0..=0x1000_0000 => within::<T, 0x1000_0000>(payload),
        0..=0x1_0000_0000 => within::<T, 0x1_0000_0000>(payload),
        _ => within::<T, 0x10_0000_0000>(payload),
    }
}

fn within<T: DeserializeOwned, const LIMIT: usize>(payload: &[u8]) -> Result<(T, usize), DecodeError> {
    decode_from_slice(payload, legacy().with_limit::<LIMIT>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded<T: serde::Serialize>(value: &T) -> Vec<u8> {
        bincode::serde::encode_to_vec(value, legacy()).unwrap()
    }

    #[test]
    fn a_payload_of_any_length_is_within_its_limit() {
        for length in [0, 1, 0xFFF7, 0xFFF8, 0xFFF9, 0xF_FFF8, 0xF_FFF9, 0x100_0001] {
            let text = "x".repeat(length);
            let bytes = encoded(&text);
            assert_eq!(decode::<String>(&bytes).unwrap(), (text, bytes.len()));
        }
        let list = vec![Some(1.5_f64); 20_000];
        let bytes = encoded(&list);
        assert_eq!(decode::<Vec<Option<f64>>>(&bytes).unwrap(), (list, bytes.len()));
    }

    #[test]
    fn a_text_that_says_it_is_longer_than_sixteen_payloads_is_refused_by_the_limit() {
        for (payload, length) in
            [(100, 1_u64 << 17), (0x1_0001, 1 << 20), (0x1_0001, 1 << 40), (100, u64::MAX)]
        {
            let mut bytes = length.to_le_bytes().to_vec();
            bytes.resize(payload, 0);
            let error = decode::<String>(&bytes).unwrap_err();
            assert!(
                matches!(error, DecodeError::LimitExceeded | DecodeError::OutsideUsizeRange(_)),
                "{payload} {length}: {error:?}"
            );
        }
    }
}
