//! Which paths a layer has, as numbers: so that three million of them fit into memory, and a file below can be told to be
//! hidden. Two paths with one number are so rare (one in 10^12 for a million files) that a file may be taken for hidden.

use serde::{Deserialize, Serialize};

/// FNV-1a: the same in every version, and the numbers of all folders above come with that of a path.
const START: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// The number of a clean absolute path.
pub(super) fn path_number(path: &[u8]) -> u64 {
    path.iter().fold(START, |number, byte| (number ^ u64::from(*byte)).wrapping_mul(PRIME))
}

/// The numbers of the folders above a path, outermost first, each with the length of its path; without the root.
pub(super) fn folders_above(path: &[u8]) -> impl Iterator<Item = (usize, u64)> {
    let mut number = START;
    path.iter().enumerate().filter_map(move |(at, byte)| {
        let before = number;
        number = (number ^ u64::from(*byte)).wrapping_mul(PRIME);
        (*byte == b'/' && at > 0).then_some((at, before))
    })
}

/// The paths of a layer, or of several, as sorted numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Trace {
    /// Everything but folders, and what a whiteout removes: hides the same path and all below it.
    pub(super) solid: Vec<u64>,
    /// Folders: hide what is no folder at the same path.
    pub(super) folders: Vec<u64>,
    /// Folders that begin anew: hide all below them.
    pub(super) opaque: Vec<u64>,
}

impl Trace {
    pub(super) fn len(&self) -> usize {
        self.solid.len() + self.folders.len() + self.opaque.len()
    }

    /// Sorts; to be called once all paths are in.
    pub(super) fn finish(&mut self) {
        for numbers in [&mut self.solid, &mut self.folders, &mut self.opaque] {
            numbers.sort_unstable();
            numbers.dedup();
            numbers.shrink_to_fit();
        }
    }

    /// Takes the paths of another layer in. Both are sorted.
    pub(super) fn join(&mut self, other: Self) {
        for (into, from) in
            [(&mut self.solid, other.solid), (&mut self.folders, other.folders), (&mut self.opaque, other.opaque)]
        {
            *into = joined(std::mem::take(into), from);
        }
    }

    /// Whether something at this path, which is no folder, is hidden by these layers above it.
    pub(super) fn hides(&self, path: &[u8]) -> bool {
        if self.len() == 0 {
            return false;
        }
        let own = path_number(path);
        let has = |numbers: &[u64], number: u64| numbers.binary_search(&number).is_ok();
        has(&self.solid, own)
            || has(&self.folders, own)
            || has(&self.opaque, path_number(b"/"))
            || folders_above(path).any(|(_, number)| has(&self.solid, number) || has(&self.opaque, number))
    }

    /// Whether there is anything at this path itself.
    pub(super) fn has(&self, number: u64) -> bool {
        self.solid.binary_search(&number).is_ok() || self.folders.binary_search(&number).is_ok()
    }
}

fn joined(one: Vec<u64>, other: Vec<u64>) -> Vec<u64> {
    if one.is_empty() || other.is_empty() {
        return if one.is_empty() { other } else { one };
    }
    let mut all = Vec::with_capacity(one.len() + other.len());
    let (mut left, mut right) = (one.into_iter().peekable(), other.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if a <= b { left.next() } else { right.next() };
        all.extend(next.filter(|number| all.last() != Some(number)));
    }
    all.extend(left);
    all.extend(right);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(solid: &[&str], folders: &[&str], opaque: &[&str]) -> Trace {
        let numbers = |paths: &[&str]| paths.iter().map(|path| path_number(path.as_bytes())).collect();
        let mut trace = Trace { solid: numbers(solid), folders: numbers(folders), opaque: numbers(opaque) };
        trace.finish();
        trace
    }

    #[test]
    fn what_lies_above_hides() {
        let mut above = trace(&["/bin/x", "/gone"], &["/was/file"], &[]);
        above.join(trace(&["/bin/x", "/link"], &[], &["/fresh"]));
        for (path, hidden) in [
            ("/bin/x", true),
            ("/bin/y", false),
            ("/bin/xy", false),
            ("/gone/deep/er", true),
            ("/was/file", true),
            ("/was/file/below", false),
            ("/fresh/a", true),
            ("/fresh", false),
            ("/fresher", false),
            ("/link/a", true),
            ("/", false),
        ] {
            assert_eq!(above.hides(path.as_bytes()), hidden, "{path}");
        }
        assert!(trace(&[], &[], &["/"]).hides(b"/a"));
        assert_eq!(above.len(), 5);
    }
}
