//! Files with holes in GNU tar's four forms: only what is needed to put together a file's first bytes.

use silidock_executable::HEAD;

use super::entries::number;

/// The pieces that touch the first bytes of a file, and its size.
#[derive(Debug, Default)]
pub(super) struct Sparse {
    /// The file's size with its holes.
    pub(super) size: Option<u64>,
    /// The file's name, where the header has a made-up one.
    pub(super) name: Option<Vec<u8>>,
    /// Whether the map is text in front of the bytes.
    pub(super) map_in_data: bool,
    /// Offset in the file, offset in the bytes that follow, length.
    pieces: Vec<(u64, u64, u64)>,
    stored: u64,
    pending: Option<u64>,
}

/// As many pieces can touch the first bytes.
const PIECES: usize = HEAD;

impl Sparse {
    pub(super) fn push(&mut self, offset: u64, length: u64) {
        if length > 0 && offset < HEAD as u64 && self.pieces.len() < PIECES {
            self.pieces.push((offset, self.stored, length));
        }
        self.stored = self.stored.saturating_add(length);
    }

    /// Two fields of a header's block: octal numbers.
    pub(super) fn push_fields(&mut self, offset: &[u8], length: &[u8]) {
        let octal = |field: &[u8]| {
            let text = field.split(|byte| *byte == 0).next().unwrap_or_default();
            u64::from_str_radix(std::str::from_utf8(text).ok()?.trim(), 8).ok()
        };
        if let (Some(offset), Some(length)) = (octal(offset), octal(length)) {
            self.push(offset, length);
        }
    }

    pub(super) fn read_pax(&mut self, key: &[u8], value: &[u8]) {
        match key {
            b"GNU.sparse.name" => self.name = Some(value.to_vec()),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.size = number(value),
            b"GNU.sparse.major" => self.map_in_data = value == b"1",
            b"GNU.sparse.offset" => self.pending = number(value),
            b"GNU.sparse.numbytes" => {
                if let (Some(offset), Some(length)) = (self.pending.take(), number(value)) {
                    self.push(offset, length);
                }
            }
            b"GNU.sparse.map" => {
                let mut numbers = value.split(|byte| *byte == b',').map_while(number);
                while let (Some(offset), Some(length)) = (numbers.next(), numbers.next()) {
                    self.push(offset, length);
                }
            }
            _ => {}
        }
    }

    /// Reads the map that stands in front of the bytes.
    pub(super) fn map_reader(&self) -> MapReader {
        MapReader::default()
    }

    /// How many of the bytes that follow are needed for the first bytes.
    pub(super) fn needed(&self) -> usize {
        let end = |(offset, at, length): &(u64, u64, u64)| {
            at.saturating_add((*length).min((HEAD as u64).saturating_sub(*offset)))
        };
        self.pieces.iter().map(end).max().map_or(0, |end| usize::try_from(end).unwrap_or(HEAD).min(2 * HEAD))
    }

    /// The file's first bytes from the bytes that follow; holes are zeros.
    pub(super) fn first_bytes(&self, stored: &[u8]) -> Vec<u8> {
        let length = usize::try_from(self.size.unwrap_or_default()).unwrap_or(HEAD).min(HEAD);
        let mut head = vec![0; length];
        for (offset, at, count) in &self.pieces {
            let [Ok(offset), Ok(at), Ok(count)] = [*offset, *at, *count].map(usize::try_from) else { continue };
            let bytes = stored.get(at..).unwrap_or_default();
            let room = head.get_mut(offset..).unwrap_or_default();
            let count = count.min(bytes.len()).min(room.len());
            room[..count].copy_from_slice(&bytes[..count]);
        }
        head
    }
}

/// Lines of numbers: how many pieces, then offset and length of each.
#[derive(Default)]
pub(super) struct MapReader {
    digits: Vec<u8>,
    expected: Option<u64>,
    offset: Option<u64>,
}

impl MapReader {
    /// Takes one block; true when the map is complete, or is none.
    pub(super) fn take(&mut self, block: &[u8], sparse: &mut Sparse) -> bool {
        for byte in block {
            if byte.is_ascii_digit() && self.digits.len() < 20 {
                self.digits.push(*byte);
                continue;
            }
            let Some(value) = number(&self.digits).filter(|_| *byte == b'\n') else { return true };
            self.digits.clear();
            match (self.expected, self.offset.take()) {
                (None, _) => self.expected = Some(value.saturating_mul(2)),
                (Some(left), offset) => {
                    match offset {
                        Some(offset) => sparse.push(offset, value),
                        None => self.offset = Some(value),
                    }
                    self.expected = Some(left.saturating_sub(1));
                }
            }
            if self.expected == Some(0) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_that_claims_more_than_there_can_be_is_no_harm() {
        let mut sparse = Sparse { size: Some(10), ..Sparse::default() };
        sparse.push(0, u64::MAX);
        sparse.push(1, 2);
        assert_eq!(sparse.needed(), 2 * HEAD);
        assert_eq!(sparse.first_bytes(b"abc"), b"abc\0\0\0\0\0\0\0");
    }
}
