//! Checksums made right again over bytes that are not: what a hostile hand would do.

/// A cyclic redundancy check of 32 bits by its reversed polynomial.
fn crc(polynomial: u32, bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (polynomial & (crc & 1).wrapping_neg()))
    })
}

/// That of frames, journals and event files.
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc(0x82F6_3B78, bytes)
}

/// That of zip and gzip.
pub fn crc32(bytes: &[u8]) -> u32 {
    crc(0xEDB8_8320, bytes)
}

/// A model's frame: lengths and both checksums.
pub fn frame(bytes: &mut Vec<u8>) {
    if bytes.len() < 28 {
        bytes.resize(28, 0);
    }
    let payload = &bytes[28..];
    let (length, checksum) = (payload.len() as u64, crc32c(payload));
    bytes[..8].copy_from_slice(b"\x89MLP\r\n\x1a\n");
    bytes[12..20].copy_from_slice(&length.to_le_bytes());
    bytes[20..24].copy_from_slice(&checksum.to_le_bytes());
    let header = crc32c(&bytes[..24]);
    bytes[24..28].copy_from_slice(&header.to_le_bytes());
}

/// A journal's lines after the first.
pub fn journal(bytes: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = bytes.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    for line in lines.iter_mut().skip(1).filter(|line| line.len() > 9) {
        let checksum = format!("{:08x} ", crc32c(&line[9..]));
        line[..9].copy_from_slice(checksum.as_bytes());
    }
    *bytes = lines.join(&b'\n');
}

/// The files of a zip archive that are stored as they are, in the list at its end and before each of them.
#[expect(clippy::ptr_arg, reason = "a repair may change the length")]
pub fn zip(bytes: &mut Vec<u8>) {
    let word =
        |bytes: &[u8], at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?) as usize);
    let long =
        |bytes: &[u8], at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
    let entries: Vec<usize> =
        (0..bytes.len().saturating_sub(46)).filter(|&at| bytes[at..].starts_with(b"PK\x01\x02")).collect();
    for entry in entries {
        let checksum = (|| {
            let (method, length) = (word(bytes, entry + 10)?, long(bytes, entry + 20)?);
            let local = long(bytes, entry + 42)?;
            let start = local + 30 + word(bytes, local + 26)? + word(bytes, local + 28)?;
            (method == 0).then_some(crc32(bytes.get(start..start.checked_add(length)?)?))
        })();
        if let Some(checksum) = checksum {
            bytes[entry + 16..entry + 20].copy_from_slice(&checksum.to_le_bytes());
        }
    }
}

/// The bytes as a gzip file that is well made, whatever they are.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(0xFFFF).peekable();
    if blocks.peek().is_none() {
        file.extend([1, 0, 0, 0xFF, 0xFF]);
    }
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        file.push(u8::from(blocks.peek().is_none()));
        file.extend(length.to_le_bytes());
        file.extend((!length).to_le_bytes());
        file.extend(block);
    }
    file.extend(crc32(bytes).to_le_bytes());
    file.extend((bytes.len() as u32).to_le_bytes());
    file
}

/// The records of an event file: as many as there are whole ones.
#[expect(clippy::ptr_arg, reason = "a repair may change the length")]
pub fn records(bytes: &mut Vec<u8>) {
    let masked = |bytes: &[u8]| crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8).to_le_bytes();
    let mut at = 0;
    while let Some(length) = bytes.get(at..at + 8).and_then(|length| length.try_into().ok()) {
        let length = u64::from_le_bytes(length) as usize;
        let Some(end) = length.checked_add(at + 16).filter(|end| *end <= bytes.len()) else { break };
        let (head, data) = (masked(&bytes[at..at + 8]), masked(&bytes[at + 12..end - 4]));
        bytes[at + 8..at + 12].copy_from_slice(&head);
        bytes[end - 4..end].copy_from_slice(&data);
        at = end;
    }
}

#[test]
fn the_checksums_are_those_of_their_definitions() {
    assert_eq!((crc32c(b"123456789"), crc32(b"123456789")), (0xE306_9283, 0xCBF4_3926));
}
