//! Bytes read forwards through one buffer, which can leave out what nobody wants: by a jump where the source allows
//! it, else by reading on. Knows nothing of what the bytes are.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// How far a look has got, and a way to stop it. Shared with whoever waits.
#[derive(Debug, Default)]
pub struct Watch {
    /// Bytes that the source has delivered or let be left out.
    pub bytes: AtomicU64,
    /// Entries of archives read.
    pub entries: AtomicU64,
    /// Set it to end the look: it fails with [`super::ContentsError::Stopped`].
    pub stop: AtomicBool,
}

impl Watch {
    pub(super) fn check(&self) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) { Err(io::Error::other(StoppedByCaller)) } else { Ok(()) }
    }
}

/// Travels through readers as an io error.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
pub(super) struct StoppedByCaller;

/// Where bytes come from.
pub(super) trait Origin: Read {
    /// Goes on by so many bytes without reading them. `false`: it cannot, and nothing happened.
    fn jump(&mut self, _bytes: u64) -> io::Result<bool> {
        Ok(false)
    }

    /// Bytes at an offset from this source's begin, without going there. None: it cannot.
    fn look_at(&mut self, _offset: u64, _buffer: &mut [u8]) -> Option<usize> {
        None
    }
}

/// A source that can only be read on.
pub(super) struct Forward<R>(pub(super) R);

impl<R: Read> Read for Forward<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Origin for Forward<R> {}

/// A part of a file.
pub(super) struct FilePart {
    file: Arc<File>,
    begin: u64,
    at: u64,
    end: u64,
}

impl FilePart {
    pub(super) fn new(file: Arc<File>, begin: u64, length: u64) -> Self {
        Self { file, begin, at: begin, end: begin.saturating_add(length) }
    }
}

impl Read for FilePart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let read = self.file.read_at(&mut buffer[..length], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Origin for FilePart {
    fn jump(&mut self, bytes: u64) -> io::Result<bool> {
        if bytes > self.end - self.at {
            self.at = self.end;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += bytes;
        Ok(true)
    }

    fn look_at(&mut self, offset: u64, buffer: &mut [u8]) -> Option<usize> {
        let at = self.begin.checked_add(offset)?;
        let length = buffer.len().min(usize::try_from(self.end.checked_sub(at)?).unwrap_or(usize::MAX));
        let mut done = 0;
        while done < length {
            match self.file.read_at(&mut buffer[done..length], at + done as u64) {
                Ok(0) | Err(_) => break,
                Ok(read) => done += read,
            }
        }
        Some(done)
    }
}

/// The size of the buffer, and from where on a jump is better than reading on.
const BUFFER: usize = 256 * 1024;
const WORTH_A_JUMP: u64 = 64 * 1024;

/// A source behind a buffer.
pub(super) struct Tape<O> {
    origin: O,
    buffer: Box<[u8]>,
    from: usize,
    to: usize,
    /// How many bytes were taken.
    position: u64,
    watch: Option<Arc<Watch>>,
}

impl<O: Origin> Tape<O> {
    /// `watch` counts the bytes; give it to the outermost tape only.
    pub(super) fn new(origin: O, watch: Option<Arc<Watch>>) -> Self {
        Self { origin, buffer: vec![0; BUFFER].into_boxed_slice(), from: 0, to: 0, position: 0, watch }
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    fn there(&self) -> usize {
        self.to - self.from
    }

    /// Reads more behind what is there. 0 at the end.
    fn fill(&mut self) -> io::Result<usize> {
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
        } else if self.to == self.buffer.len() {
            self.buffer.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.there());
        }
        let read = read_some(&mut self.origin, &mut self.buffer[self.to..])?;
        self.to += read;
        self.count(read as u64)?;
        Ok(read)
    }

    fn count(&self, bytes: u64) -> io::Result<()> {
        let Some(watch) = &self.watch else { return Ok(()) };
        watch.bytes.fetch_add(bytes, Ordering::Relaxed);
        watch.check()
    }

    /// The next bytes without taking them: as many as asked for, fewer at the end.
    pub(super) fn peek(&mut self, length: usize) -> io::Result<&[u8]> {
        while self.there() < length && self.fill()? > 0 {}
        let length = length.min(self.there());
        Ok(&self.buffer[self.from..self.from + length])
    }

    fn take(&mut self, length: usize) {
        self.from += length;
        self.position += length as u64;
    }

    /// Fills the array. `false` at the end; an error where the end comes within.
    pub(super) fn exactly<const N: usize>(&mut self, into: &mut [u8; N]) -> io::Result<bool> {
        match self.peek(N)? {
            [] => Ok(false),
            bytes if bytes.len() == N => {
                into.copy_from_slice(bytes);
                self.take(N);
                Ok(true)
            }
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Reads into the slice as far as there is anything.
    pub(super) fn read_up_to(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < into.len() {
            let there = self.there();
            if there > 0 {
                let length = there.min(into.len() - done);
                into[done..done + length].copy_from_slice(&self.buffer[self.from..self.from + length]);
                self.take(length);
                done += length;
            } else if into.len() - done >= BUFFER {
                // What fills the buffer more than once needs none.
                let read = read_some(&mut self.origin, &mut into[done..])?;
                self.count(read as u64)?;
                self.position += read as u64;
                done += read;
                if read == 0 {
                    break;
                }
            } else if self.fill()? == 0 {
                break;
            }
        }
        Ok(done)
    }

    /// Leaves so many bytes out. An error where the end comes before.
    pub(super) fn skip(&mut self, mut bytes: u64) -> io::Result<()> {
        loop {
            let there = (self.there() as u64).min(bytes);
            self.take(usize::try_from(there).unwrap_or_default());
            bytes -= there;
            if bytes == 0 {
                return Ok(());
            }
            if bytes > WORTH_A_JUMP && self.origin.jump(bytes)? {
                self.position += bytes;
                return self.count(bytes);
            }
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Bytes at an offset from the begin, wherever the tape is. None: the source cannot.
    pub(super) fn look_at(&mut self, offset: u64, buffer: &mut [u8]) -> Option<usize> {
        self.origin.look_at(offset, buffer)
    }
}

fn read_some(origin: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match origin.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// So many of a tape's next bytes, as a source of their own.
pub(super) struct Part<'a, O> {
    tape: &'a mut Tape<O>,
    begin: u64,
    left: u64,
}

impl<'a, O: Origin> Part<'a, O> {
    pub(super) fn new(tape: &'a mut Tape<O>, length: u64) -> Self {
        Self { begin: tape.position(), tape, left: length }
    }
}

impl<O: Origin> Read for Part<'_, O> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        // One piece at a time: whoever reads a stream wants what is there.
        let length = if self.tape.there() > 0 { length.min(self.tape.there()) } else { length };
        let read = if self.tape.there() == 0 && length < BUFFER {
            let there = self.tape.fill()?.min(length);
            self.tape.read_up_to(&mut buffer[..there])?
        } else if self.tape.there() == 0 {
            let read = read_some(&mut self.tape.origin, &mut buffer[..length])?;
            self.tape.position += read as u64;
            self.tape.count(read as u64)?;
            read
        } else {
            self.tape.read_up_to(&mut buffer[..length])?
        };
        self.left -= read as u64;
        Ok(read)
    }
}

impl<O: Origin> Origin for Part<'_, O> {
    fn jump(&mut self, bytes: u64) -> io::Result<bool> {
        let within = bytes.min(self.left);
        self.tape.skip(within)?;
        self.left -= within;
        if within < bytes { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(true) }
    }

    fn look_at(&mut self, offset: u64, buffer: &mut [u8]) -> Option<usize> {
        self.tape.look_at(self.begin.checked_add(offset)?, buffer)
    }
}
