//! Walks through a tar stream: where each entry is called what, and how many bytes are its. Fields of a header are read by the `tar`
//! crate; walking is ours, because that crate holds a long name or a pax header of any size in memory, and reads what could
//! be left out. What an entry means in a layer is not known here.

use std::io;

use tar::Header;

use super::{
    sparse::Sparse,
    tape::{Origin, Tape},
};

/// No name or pax header is longer; one that is, is left out with its entry.
const LONGEST_EXTENSION: u64 = 1024 * 1024;
const BLOCK: usize = 512;

/// Why a tar stream cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum TarError {
    /// It ends within an entry.
    #[error("it ends at byte {at}, within {}", if after.is_empty() { "its first entry" } else { after })]
    Cut { at: u64, after: String },
    /// A header that is none.
    #[error("{}", if after.is_empty() { format!("it is no tar archive: {why}") } else { format!("there is no tar header at byte {at}, behind {after}: {why}") })]
    Malformed { at: u64, why: &'static str, after: String },
    /// The source failed: damaged compression, a broken connection.
    #[error("reading failed at byte {at}: {source}")]
    Source { at: u64, source: io::Error },
}

/// What an entry is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    HardLink(Vec<u8>),
    Link(Vec<u8>),
    Folder,
    Special,
}

/// One entry.
#[derive(Debug)]
pub(super) struct Head {
    /// Absolute and clean: `/usr/bin/x`; `/` for the root.
    pub(super) path: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Bytes that follow.
    pub(super) stored: u64,
    /// The file's size.
    pub(super) size: u64,
    /// Where the bytes that follow belong, for a file with holes.
    pub(super) sparse: Option<Sparse>,
    /// Whether its name tries to leave the root.
    pub(super) escapes: bool,
}

/// What headers before an entry say of it.
#[derive(Default)]
struct Before {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    sparse: Sparse,
    too_long: bool,
}

/// The entries of a tape.
pub(super) struct Entries<O> {
    tape: Tape<O>,
    /// Bytes of the current entry not yet taken, and what fills up its last block.
    left: u64,
    padding: u64,
    /// Name of the current entry, for errors.
    last: Vec<u8>,
    /// Entries whose names were too long to read.
    pub(super) skipped: u64,
}

impl<O: Origin> Entries<O> {
    pub(super) fn new(tape: Tape<O>) -> Self {
        Self { tape, left: 0, padding: 0, last: Vec::new(), skipped: 0 }
    }

    /// The next entry; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Head>, TarError> {
        let mut before = Before::default();
        loop {
            self.finish()?;
            let mut block = [0; BLOCK];
            if !self.tape.exactly(&mut block).map_err(|error| self.failed(error))? || block == [0; BLOCK] {
                return self.ended();
            }
            let header = Header::from_byte_slice(&block);
            self.verify(header, &block)?;
            let size = header.entry_size().map_err(|_| self.malformed("a size is no number"))?;
            let kind = block[156];
            match kind {
                b'L' | b'K' | b'x' => {
                    let bytes = self.extension(size)?;
                    match bytes {
                        None => before.too_long = true,
                        Some(bytes) if kind == b'L' => before.path = Some(until_zero(bytes)),
                        Some(bytes) if kind == b'K' => before.target = Some(until_zero(bytes)),
                        Some(bytes) => before.read_pax(&bytes),
                    }
                }
                // A pax header for all that follow: engines leave it out too. Names of volumes and the like.
                b'g' | b'V' | b'M' | b'N' | b'X' => self.set_left(size),
                _ => {
                    let skip = before.too_long;
                    let head = self.entry(header, size, std::mem::take(&mut before))?;
                    if !skip {
                        return Ok(Some(head));
                    }
                    self.skipped += 1;
                }
            }
        }
    }

    fn entry(&mut self, header: &Header, size: u64, before: Before) -> Result<Head, TarError> {
        let name = before.sparse.name.clone().or(before.path).unwrap_or_else(|| header.path_bytes().into_owned());
        let target = || before.target.clone().or_else(|| header.link_name_bytes().map(|name| name.into_owned()));
        let raw = header.as_bytes()[156];
        let kind = match raw {
            b'1' => Kind::HardLink(target().unwrap_or_default()),
            b'2' => Kind::Link(target().unwrap_or_default()),
            b'3' | b'4' | b'6' => Kind::Special,
            b'5' => Kind::Folder,
            b'D' => Kind::Folder,
            _ if name.last() == Some(&b'/') => Kind::Folder,
            _ => Kind::File,
        };
        // Only files have bytes, whatever the header says.
        let stored = match raw {
            b'1'..=b'6' => 0,
            _ => before.size.unwrap_or(size),
        };
        let (path, escapes) = clean(&name);
        self.last.clone_from(&path);
        let number = |own: Option<u64>, field: io::Result<u64>| {
            u32::try_from(own.or(field.ok()).unwrap_or_default()).unwrap_or(u32::MAX)
        };
        let mut head = Head {
            path,
            kind,
            mode: header.mode().unwrap_or_default() & 0o7777,
            uid: number(before.uid, header.uid()),
            gid: number(before.gid, header.gid()),
            stored,
            size: stored,
            sparse: None,
            escapes,
        };
        self.set_left(stored);
        let mut sparse = before.sparse;
        if raw == b'S' {
            self.read_old_sparse(header, &mut sparse)?;
        }
        if sparse.map_in_data && head.kind == Kind::File {
            self.read_map(&mut sparse)?;
        }
        if let (Some(size), Kind::File) = (sparse.size, &head.kind) {
            (head.size, head.sparse, head.stored) = (size, Some(sparse), self.left);
        }
        Ok(head)
    }

    fn set_left(&mut self, size: u64) {
        self.left = size;
        self.padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
    }

    /// Leaves out what is left of the current entry.
    fn finish(&mut self) -> Result<(), TarError> {
        let (left, padding) = (std::mem::take(&mut self.left), std::mem::take(&mut self.padding));
        self.tape.skip(left).map_err(|error| self.failed(error))?;
        match self.tape.skip(padding) {
            // The last block need not be filled up.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            result => result.map_err(|error| self.failed(error)),
        }
    }

    /// A block of zeros, or nothing: the end, unless something other than zeros follows.
    fn ended(&mut self) -> Result<Option<Head>, TarError> {
        let mut second = [0; BLOCK];
        match self.tape.exactly(&mut second) {
            Ok(true) if second != [0; BLOCK] => Err(self.malformed("a header is empty")),
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(self.failed(error)),
            _ => Ok(None),
        }
    }

    fn verify(&self, header: &Header, block: &[u8; BLOCK]) -> Result<(), TarError> {
        let sum = |from: &[u8]| from.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        let expected = sum(&block[..148]) + 8 * u32::from(b' ') + sum(&block[156..]);
        match header.cksum() {
            Ok(sum) if sum == expected => Ok(()),
            Ok(_) => Err(self.malformed("a checksum is wrong")),
            Err(_) => Err(self.malformed("a checksum is no number")),
        }
    }

    /// The bytes of a header that describes the next entry; none if there are too many.
    fn extension(&mut self, size: u64) -> Result<Option<Vec<u8>>, TarError> {
        self.set_left(size);
        if size > LONGEST_EXTENSION {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        self.read(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Reads the current entry's next bytes.
    fn read(&mut self, into: &mut [u8]) -> Result<(), TarError> {
        let read = self.tape.read_up_to(into).map_err(|error| self.failed(error))?;
        self.left = self.left.saturating_sub(read as u64);
        if read < into.len() { Err(self.failed(io::ErrorKind::UnexpectedEof.into())) } else { Ok(()) }
    }

    /// GNU's first form: four pieces in the header, more in blocks of 21 behind it.
    fn read_old_sparse(&mut self, header: &Header, sparse: &mut Sparse) -> Result<(), TarError> {
        let Some(gnu) = header.as_gnu() else { return Err(self.malformed("it has holes, but not in GNU's form")) };
        sparse.size = gnu.real_size().ok();
        for piece in &gnu.sparse {
            if let (Ok(offset), Ok(length)) = (piece.offset(), piece.length()) {
                sparse.push(offset, length);
            }
        }
        let mut more = gnu.is_extended();
        while more {
            let mut block = [0; BLOCK];
            if !self.tape.exactly(&mut block).map_err(|error| self.failed(error))? {
                return Err(self.failed(io::ErrorKind::UnexpectedEof.into()));
            }
            for piece in block[..504].chunks_exact(24) {
                sparse.push_fields(&piece[..12], &piece[12..]);
            }
            more = block[504] == 1;
        }
        Ok(())
    }

    /// GNU's last form: the map is text in front of the bytes, filled up to a block.
    fn read_map(&mut self, sparse: &mut Sparse) -> Result<(), TarError> {
        let mut reader = sparse.map_reader();
        loop {
            if self.left == 0 {
                return Err(self.malformed("its map of holes does not end"));
            }
            let mut block = vec![0; BLOCK.min(usize::try_from(self.left).unwrap_or(BLOCK))];
            self.read(&mut block)?;
            if reader.take(&block, sparse) {
                return Ok(());
            }
        }
    }

    /// Bytes of the current entry that are not yet taken.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Takes up to so many of them.
    pub(super) fn content(&mut self, into: &mut [u8]) -> Result<usize, TarError> {
        let length = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.read(&mut into[..length])?;
        Ok(length)
    }

    /// Leaves so many of them out.
    pub(super) fn pass(&mut self, bytes: u64) -> Result<(), TarError> {
        let bytes = bytes.min(self.left);
        self.tape.skip(bytes).map_err(|error| self.failed(error))?;
        self.left -= bytes;
        Ok(())
    }

    /// The current entry's next bytes without taking them; fewer where there are no more.
    pub(super) fn peek(&mut self, length: usize) -> Result<&[u8], TarError> {
        let length = length.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let at = self.tape.position();
        self.tape.peek(length).map_err(|source| TarError::Source { at, source })
    }

    /// The tape, at the current entry's bytes. Whoever takes some of them says so by [`Self::taken`].
    pub(super) fn tape(&mut self) -> &mut Tape<O> {
        &mut self.tape
    }

    /// So many bytes of the current entry were taken from the tape.
    pub(super) fn taken(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
    }

    pub(super) fn position(&self) -> u64 {
        self.tape.position()
    }

    fn after(&self) -> String {
        String::from_utf8_lossy(&self.last[..self.last.len().min(300)]).into_owned()
    }

    fn malformed(&self, why: &'static str) -> TarError {
        TarError::Malformed { at: self.tape.position().saturating_sub(BLOCK as u64), why, after: self.after() }
    }

    fn failed(&self, source: io::Error) -> TarError {
        let at = self.tape.position();
        if source.kind() == io::ErrorKind::UnexpectedEof && source.get_ref().is_none() {
            TarError::Cut { at, after: self.after() }
        } else {
            TarError::Source { at, source }
        }
    }
}

impl Before {
    /// Records of `length key=value\n`. What is no such record ends it.
    fn read_pax(&mut self, mut bytes: &[u8]) {
        while let Some(record) = pax_record(&mut bytes) {
            let Some(equals) = record.iter().position(|byte| *byte == b'=') else { return };
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.target = Some(value.to_vec()),
                b"size" => self.size = number(value),
                b"uid" => self.uid = number(value),
                b"gid" => self.gid = number(value),
                _ => self.sparse.read_pax(key, value),
            }
        }
    }
}

fn pax_record<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(number(&bytes[..space])?).ok()?;
    let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    *bytes = &bytes[length..];
    Some(record)
}

/// A decimal number.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn until_zero(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    bytes
}

/// An absolute path without `.`, `..` and double slashes, as engines make it; and whether it tried to leave the root.
pub(super) fn clean(name: &[u8]) -> (Vec<u8>, bool) {
    let mut path = Vec::with_capacity(name.len() + 1);
    let mut escapes = false;
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                escapes |= path.is_empty();
                let parent = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                path.truncate(parent);
            }
            part => {
                path.push(b'/');
                path.extend_from_slice(part);
            }
        }
    }
    if path.is_empty() {
        path.push(b'/');
    }
    (path, escapes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_paths_below_the_root() {
        for (name, expected) in [
            (&b"usr/bin/x"[..], (&b"/usr/bin/x"[..], false)),
            (b"./usr//bin/./x/", (b"/usr/bin/x", false)),
            (b"/abs", (b"/abs", false)),
            (b"a/b/../c", (b"/a/c", false)),
            (b"../../etc/passwd", (b"/etc/passwd", true)),
            (b"a/../../b", (b"/b", true)),
            (b"..", (b"/", true)),
            (b"./", (b"/", false)),
            (b"", (b"/", false)),
            (b"caf\xe9", (b"/caf\xe9", false)),
        ] {
            let (path, escapes) = clean(name);
            assert_eq!((path.as_slice(), escapes), expected, "{name:?}");
        }
    }

    #[test]
    fn pax_records_are_read_by_their_length() {
        let mut before = Before::default();
        before.read_pax(b"14 path=a\nb/c\n26 SCHILY.xattr.x=\n\0\xff=\nxx\n12 size=123\n8 uid=7\nnonsense");
        assert_eq!((before.path.as_deref(), before.size, before.uid), (Some(&b"a\nb/c"[..]), Some(123), Some(7)));
        let mut cut = Before::default();
        cut.read_pax(b"99 path=x\n");
        cut.read_pax(b"18446744073709551616 path=x\n");
        cut.read_pax(b"3 path=x\n");
        assert_eq!(cut.path, None);
    }
}
