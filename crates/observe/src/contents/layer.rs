//! One layer, however it is compressed: told by its first bytes, never by what the archive says of it.

use std::{
    io::{self, BufReader},
    sync::{Mutex, MutexGuard, PoisonError},
};

use flate2::bufread::MultiGzDecoder;
use tar::Header;

use super::{
    entries::Entries,
    summary::{Builder, Context, Summary},
    tape::{Forward, Origin, Tape},
};

/// How bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// Not at all.
    Plain,
    /// gzip, also of several members (estargz).
    Gzip,
    /// Zstandard, with the window it asks for.
    Zstd { window: u64 },
    /// One that no engine writes.
    Unknown(&'static str),
}

/// A window that may be had at any time, and the largest there is (as the zstd program's own limit).
const WINDOW: u64 = 8 << 20;
const WINDOW_LOG: u32 = 23;
const LARGEST_WINDOW_LOG: u32 = 27;

/// Large windows are had one at a time, or memory would have no bound.
static LARGE_WINDOW: Mutex<()> = Mutex::new(());

/// What is read to tell.
pub(super) const SNIFF: usize = 512;

impl Packing {
    pub(super) fn of(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, head @ ..] => Self::Zstd { window: window(head) },
            // A frame that holds no data: its window is not known yet.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd { window: WINDOW },
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Unknown("xz"),
            [b'B', b'Z', b'h', ..] => Self::Unknown("bzip2"),
            _ => Self::Plain,
        }
    }

    fn name(self) -> Option<String> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some("gzip".to_owned()),
            Self::Zstd { .. } => Some("zstd".to_owned()),
            Self::Unknown(name) => Some(name.to_owned()),
        }
    }
}

/// The window in the head of a Zstandard frame (RFC 8878, 3.1.1.1.2).
fn window(head: &[u8]) -> u64 {
    match head {
        [descriptor, window, ..] if descriptor & 0x20 == 0 => {
            let base = 1_u64 << (10 + (window >> 3));
            base + base / 8 * u64::from(window & 7)
        }
        // The content is one segment and is its own window; its size follows.
        [_, ..] => u64::MAX,
        [] => 0,
    }
}

/// The window of a single segment: the content's size.
fn asks(first: &[u8], packing: Packing) -> u64 {
    let Packing::Zstd { window: u64::MAX } = packing else {
        return if let Packing::Zstd { window } = packing { window } else { 0 };
    };
    let Some(descriptor) = first.get(4) else { return 0 };
    let at = 5 + [0, 1, 2, 4][usize::from(descriptor & 3)];
    let length = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let bytes = first.get(at..at + length).unwrap_or_default();
    bytes.iter().rev().fold(0, |size, byte| size << 8 | u64::from(*byte))
}

/// A source without its packing, and what must be held while it is read.
pub(super) struct Unpacked<'a> {
    pub(super) origin: Box<dyn Origin + 'a>,
    pub(super) packing: Packing,
    _large: Option<MutexGuard<'static, ()>>,
}

/// Where a packed source stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is all there is to read: `image.tar.zst`.
    Outermost,
    /// It is a layer, of which several are read at once, within an archive that may be packed itself.
    Layer,
}

/// Takes the packing off. `first` are the source's first bytes, which `origin` delivers too.
pub(super) fn unpack<'a>(first: &[u8], origin: impl Origin + 'a, place: Place) -> io::Result<Unpacked<'a>> {
    let packing = Packing::of(first);
    let mut large = None;
    let origin: Box<dyn Origin + 'a> = match packing {
        Packing::Plain => Box::new(origin),
        Packing::Gzip => Box::new(Forward(MultiGzDecoder::new(BufReader::with_capacity(64 * 1024, origin)))),
        Packing::Zstd { .. } => {
            let mut decoder = zstd::Decoder::new(origin)?;
            if asks(first, packing) > WINDOW {
                // Whoever reads the outermost source goes on to its layers, and would wait for itself.
                let lock = || LARGE_WINDOW.lock().unwrap_or_else(PoisonError::into_inner);
                large = (place == Place::Layer).then(lock);
                decoder.window_log_max(LARGEST_WINDOW_LOG)?;
            } else {
                decoder.window_log_max(WINDOW_LOG)?;
            }
            Box::new(Forward(decoder))
        }
        Packing::Unknown(name) => {
            return Err(io::Error::new(io::ErrorKind::Unsupported, format!("it is compressed with {name}")));
        }
    };
    Ok(Unpacked { origin, packing, _large: large })
}

impl Origin for Box<dyn Origin + '_> {
    fn jump(&mut self, bytes: u64) -> io::Result<bool> {
        (**self).jump(bytes)
    }

    fn look_at(&mut self, offset: u64, buffer: &mut [u8]) -> Option<usize> {
        (**self).look_at(offset, buffer)
    }
}

/// Reads a layer. What cannot be read is said in the summary.
pub(super) fn read(first: &[u8], origin: impl Origin, context: &Context) -> Summary {
    let unpacked = match unpack(first, origin, Place::Layer) {
        Ok(unpacked) => unpacked,
        Err(error) => {
            let compression = Packing::of(first).name();
            return Summary { broken: Some(error.to_string()), compression, ..Summary::default() };
        }
    };
    let compression = unpacked.packing.name();
    let entries = Entries::new(Tape::new(unpacked.origin, None));
    let summary = Builder::new(context, true).take_all(entries);
    Summary { compression, ..summary }
}

/// Whether these are the first bytes of a tar archive or of a compressed file.
pub(super) fn is_archive(first: &[u8]) -> bool {
    if Packing::of(first) != Packing::Plain {
        return true;
    }
    let Some(block) = first.get(..SNIFF) else { return false };
    let sum = |from: &[u8]| from.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let header = Header::from_byte_slice(block);
    header.cksum().is_ok_and(|given| given == sum(&block[..148]) + 8 * u32::from(b' ') + sum(&block[156..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_what_memory_it_wants() {
        // Window byte: exponent 5 bits, mantissa 3 bits.
        for (frame, expected) in [
            (&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58][..], 2 << 20),
            (&[0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x88], 128 << 20),
            (&[0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x07], 7),
            (&[0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 1], 1 << 24),
            (&[0x28, 0xb5, 0x2f, 0xfd], 0),
        ] {
            assert_eq!(asks(frame, Packing::of(frame)), expected, "{frame:x?}");
        }
    }
}
