//! Bytes of a file at an offset: from its head where they are there, else asked for, within a budget.

use std::borrow::Cow;

/// How many first bytes of a file are worth having; of a shorter file all of them.
pub const HEAD: usize = 4096;

/// How many bytes beyond the head are asked for in all, for one file.
pub const READ_AT_MOST: usize = 256 * 1024;

/// Fills the buffer with the file's bytes from an offset on; answers how many there were, 0 where it cannot.
pub type ReadAt<'a> = dyn FnMut(u64, &mut [u8]) -> usize + 'a;

/// A file of which the head is there.
pub(crate) struct Input<'a, 'r> {
    pub(crate) head: &'a [u8],
    pub(crate) size: u64,
    read: &'r mut ReadAt<'r>,
    budget: usize,
}

impl<'a, 'r> Input<'a, 'r> {
    pub(crate) fn new(head: &'a [u8], size: u64, read: &'r mut ReadAt<'_>) -> Self {
        Self { head, size, read, budget: READ_AT_MOST }
    }

    /// Exactly `length` bytes from `offset`; none where the file, the reader or the budget does not give them.
    pub(crate) fn bytes(&mut self, offset: u64, length: usize) -> Option<Cow<'a, [u8]>> {
        let end = offset.checked_add(length as u64)?;
        if end > self.size {
            return None;
        }
        if let (Ok(from), Ok(to)) = (usize::try_from(offset), usize::try_from(end))
            && let Some(there) = self.head.get(from..to)
        {
            return Some(Cow::Borrowed(there));
        }
        self.budget = self.budget.checked_sub(length)?;
        let mut buffer = vec![0; length];
        ((self.read)(offset, &mut buffer) == length).then_some(Cow::Owned(buffer))
    }
}
