//! What is kept of one layer, made while its entries pass: records of what can be run or loaded, links, and the numbers of
//! all paths. How layers lie above each other is `merge`.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use silidock_executable::{
    Entry, FileRecord, HEAD, Kind as Bytes, Libraries, PathText, Role, SHORTEST_CODE, classify, is_dull, libraries,
    may_be_code,
};

use super::{
    Counts,
    entries::{Entries, Head, Kind, TarError},
    tape::{Origin, Watch},
    trace::{Trace, path_number},
};

/// Bytes of an ELF file that are held while it passes, where the source cannot go back: names of libraries stand in front.
const EARLY: usize = 2 * 1024 * 1024;
/// Bytes held before a place that is jumped to forwards: what describes a section stands behind it.
const BEHIND: u64 = 64 * 1024;
/// Names are longer in hostile archives only.
const LONGEST_PATH: usize = 64 * 1024;

/// A record and where else its bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) record: FileRecord,
    /// The first name of a file with several.
    pub(super) same_as: Option<PathText>,
}

/// What is kept of one layer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Summary {
    pub(super) kept: Vec<Kept>,
    /// Hard links to files that this layer does not have: name and target.
    pub(super) links_below: Vec<(PathText, PathText)>,
    #[serde(skip)]
    pub(super) trace: Trace,
    pub(super) counts: Counts,
    /// Whether there were more paths than are remembered: what is below may then be shown although it is hidden.
    pub(super) forgot: bool,
    /// Why it was not read to its end.
    pub(super) broken: Option<String>,
    /// `gzip`, `zstd` or nothing.
    pub(super) compression: Option<String>,
}

/// What all layers of one look may keep together.
#[derive(Debug)]
pub(super) struct Budget {
    records: AtomicUsize,
    paths: AtomicUsize,
}

impl Default for Budget {
    /// 48 MiB of records, and 4 million paths in 32 MiB.
    fn default() -> Self {
        Self { records: AtomicUsize::new(48 << 20), paths: AtomicUsize::new(4_000_000) }
    }
}

impl Budget {
    fn take(left: &AtomicUsize, amount: usize) -> bool {
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(amount)).is_ok()
    }
}

/// What a look needs everywhere.
#[derive(Clone, Default)]
pub(super) struct Context {
    pub(super) watch: Arc<Watch>,
    pub(super) budget: Arc<Budget>,
    /// Names of files that are recorded whatever they are.
    pub(super) names: Arc<HashSet<Vec<u8>>>,
}

/// Makes a summary.
pub(super) struct Builder<'a> {
    context: &'a Context,
    summary: Summary,
    /// Place of each record by the number of its path.
    places: HashMap<u64, usize>,
    scratch: Vec<u8>,
    /// Whether names with `.wh.` mean something.
    layered: bool,
}

impl<'a> Builder<'a> {
    /// Of a layer, or of a plain file system.
    pub(super) fn new(context: &'a Context, layered: bool) -> Self {
        Self { context, summary: Summary::default(), places: HashMap::new(), scratch: Vec::new(), layered }
    }

    /// All entries; an error becomes a part of the summary.
    pub(super) fn take_all<O: Origin>(mut self, mut entries: Entries<O>) -> Summary {
        let broken = loop {
            match entries.next() {
                Ok(Some(head)) => match self.take(&head, &mut entries) {
                    Ok(()) => {}
                    Err(error) => break Some(error),
                },
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        self.summary.counts.skipped += entries.skipped;
        self.finish(broken)
    }

    pub(super) fn finish(mut self, broken: Option<TarError>) -> Summary {
        self.summary.broken = broken.map(|error| error.to_string());
        self.summary.trace.finish();
        let trace = &self.summary.trace;
        self.summary.links_below.retain(|(_, target)| !trace.has(path_number(&target.to_bytes())));
        self.summary.kept.retain(|kept| !kept.record.path.text().is_empty());
        self.summary
    }

    /// One entry, and as much of its bytes as is needed.
    pub(super) fn take<O: Origin>(&mut self, head: &Head, entries: &mut Entries<O>) -> Result<(), TarError> {
        self.context.watch.entries.fetch_add(1, Ordering::Relaxed);
        let counts = &mut self.summary.counts;
        counts.escaping += u64::from(head.escapes);
        if head.path.len() > LONGEST_PATH {
            counts.skipped += 1;
            return Ok(());
        }
        if self.layered && self.whiteout(&head.path) {
            return Ok(());
        }
        let number = path_number(&head.path);
        self.note(number, head.kind == Kind::Folder);
        // The last entry of a name counts.
        self.forget(number);
        match &head.kind {
            Kind::Folder => self.summary.counts.folders += 1,
            Kind::Special => self.summary.counts.special += 1,
            Kind::Link(target) => {
                self.summary.counts.links += 1;
                self.keep(number, head, Entry::Link { target: PathText::from_bytes(target) }, None);
            }
            Kind::HardLink(target) => {
                self.summary.counts.files += 1;
                self.hard_link(number, head, target);
            }
            Kind::File => {
                self.summary.counts.files += 1;
                self.summary.counts.bytes += head.size;
                self.file(number, head, entries)?;
            }
        }
        Ok(())
    }

    /// Whether the entry says that something below is gone. Other names with this beginning are a storage driver's own.
    fn whiteout(&mut self, path: &[u8]) -> bool {
        let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let (folder, name) = (&path[..slash.max(1)], &path[slash + 1..]);
        let Some(gone) = name.strip_prefix(b".wh.") else { return false };
        self.summary.counts.whiteouts += 1;
        if name == b".wh..wh..opq" {
            self.summary.trace.opaque.push(path_number(folder));
        } else if !gone.starts_with(b".wh.") && !gone.is_empty() {
            let path = [&path[..=slash], gone].concat();
            self.note(path_number(&path), false);
        }
        true
    }

    fn note(&mut self, number: u64, folder: bool) {
        if !Budget::take(&self.context.budget.paths, 1) {
            self.summary.forgot = true;
        } else if folder {
            self.summary.trace.folders.push(number);
        } else {
            self.summary.trace.solid.push(number);
        }
    }

    /// An earlier entry of this name no longer counts.
    fn forget(&mut self, number: u64) {
        if let Some(place) = self.places.remove(&number)
            && let Some(kept) = self.summary.kept.get_mut(place)
        {
            kept.record.path = PathText::from("");
        }
    }

    fn keep(&mut self, number: u64, head: &Head, entry: Entry, same_as: Option<PathText>) {
        let record =
            FileRecord { path: PathText::from_bytes(&head.path), mode: head.mode, uid: head.uid, gid: head.gid, entry };
        if !Budget::take(&self.context.budget.records, weight(&record)) {
            self.summary.counts.left_out += 1;
            return;
        }
        self.places.insert(number, self.summary.kept.len());
        self.summary.kept.push(Kept { record, same_as });
    }

    fn hard_link(&mut self, number: u64, head: &Head, target: &[u8]) {
        let (target, _) = super::entries::clean(target);
        let target_number = path_number(&target);
        let target = PathText::from_bytes(&target);
        let first = self.places.get(&target_number).and_then(|place| self.summary.kept.get(*place));
        if let Some(first) = first {
            let (same, entry) = (first.same_as.clone().unwrap_or(target), first.record.entry.clone());
            self.keep(number, head, entry, Some(same));
        } else if Budget::take(&self.context.budget.records, head.path.len() + target.text().len() + 64) {
            // Whether the target is here, but of no interest, or in a layer below, is known at the end.
            self.summary.links_below.push((PathText::from_bytes(&head.path), target));
        }
    }

    fn file<O: Origin>(&mut self, number: u64, head: &Head, entries: &mut Entries<O>) -> Result<(), TarError> {
        let slash = head.path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let name = &head.path[slash + 1..];
        let may_execute = head.mode & 0o111 != 0;
        let wanted = self.context.names.contains(name);
        if !may_execute && !wanted && (head.size < SHORTEST_CODE || is_dull(name)) {
            return Ok(());
        }
        let (kind, libraries) = if head.size == 0 {
            (Some(Bytes::Empty), None)
        } else {
            self.content(head, entries, may_execute || wanted)?
        };
        let code = match &kind {
            Some(Bytes::Elf(elf)) => matches!(elf.role, Role::Program | Role::Library),
            Some(kind) => kind.is_code(),
            None => false,
        };
        if code || may_execute || wanted {
            self.keep(number, head, Entry::File { size: head.size, kind, libraries }, None);
        }
        Ok(())
    }

    /// What the bytes are; none where they cannot be code and it does not matter what else.
    fn content<O: Origin>(
        &mut self,
        head: &Head,
        entries: &mut Entries<O>,
        any: bool,
    ) -> Result<(Option<Bytes>, Option<Libraries>), TarError> {
        self.summary.counts.read += 1;
        if let Some(sparse) = &head.sparse {
            self.scratch.resize(sparse.needed(), 0);
            let read = entries.content(&mut self.scratch)?;
            let first = sparse.first_bytes(&self.scratch[..read]);
            return Ok((Some(classify(&first, head.size, &mut |_, _| 0)), None));
        }
        let first = entries.peek(HEAD)?;
        if !any && !may_be_code(first) {
            return Ok((None, None));
        }
        let begin = entries.position();
        let seekable = entries.tape().look_at(begin, &mut [0; 1]).is_some();
        let elf = first_is_elf(entries)?;
        let length = if elf && !seekable { EARLY } else { HEAD };
        let length = length.min(usize::try_from(head.size).unwrap_or(length));
        self.scratch.resize(length, 0);
        let read = entries.content(&mut self.scratch)?;
        let first = &self.scratch[..read];
        let mut later = Later { entries, begin, behind: Vec::new(), behind_at: 0, seekable, error: None };
        let mut more = |offset: u64, into: &mut [u8]| later.read(offset, into);
        let kind = classify(first, head.size, &mut more);
        let asks = matches!(&kind, Bytes::Elf(elf) if matches!(elf.role, Role::Program | Role::Library));
        let libraries = if asks { libraries(first, head.size, &mut more) } else { None };
        match later.error {
            Some(error) => Err(error),
            None => Ok((Some(kind), libraries)),
        }
    }
}

fn first_is_elf<O: Origin>(entries: &mut Entries<O>) -> Result<bool, TarError> {
    Ok(entries.peek(4)? == b"\x7fELF")
}

/// Bytes of the current entry further out: by looking there, or by going on.
struct Later<'a, O> {
    entries: &'a mut Entries<O>,
    begin: u64,
    behind: Vec<u8>,
    behind_at: u64,
    seekable: bool,
    error: Option<TarError>,
}

impl<O: Origin> Later<'_, O> {
    fn read(&mut self, offset: u64, into: &mut [u8]) -> usize {
        if self.seekable {
            return self.entries.tape().look_at(self.begin.saturating_add(offset), into).unwrap_or(0);
        }
        let at = self.entries.position() - self.begin;
        if offset >= at {
            self.go(offset, into.len());
        }
        // What was read last is held.
        let from = offset.checked_sub(self.behind_at).and_then(|from| usize::try_from(from).ok());
        match from.and_then(|from| self.behind.get(from..from + into.len())) {
            Some(bytes) => {
                into.copy_from_slice(bytes);
                into.len()
            }
            None => 0,
        }
    }

    fn go(&mut self, offset: u64, length: usize) {
        let at = self.entries.position() - self.begin;
        let begin = offset.saturating_sub(BEHIND).max(at);
        let wanted = usize::try_from(offset - begin).unwrap_or_default() + length;
        let result = self.entries.pass(begin - at).and_then(|()| {
            self.behind.resize(wanted, 0);
            self.behind_at = begin;
            self.entries.content(&mut self.behind)
        });
        match result {
            Ok(read) => self.behind.truncate(read),
            Err(error) => self.error = Some(error),
        }
    }
}

/// About as many bytes does a record take.
fn weight(record: &FileRecord) -> usize {
    let inner = match &record.entry {
        Entry::File { kind, libraries, .. } => {
            let names = libraries.iter().flat_map(|all| all.needed.iter().chain(&all.run_path));
            let code = match kind {
                Some(Bytes::Elf(elf)) => elf.interpreter.as_deref().map_or(0, str::len) + 40,
                Some(Bytes::Script(script)) => {
                    2 * (script.interpreter.len() + script.argument.as_deref().map_or(0, str::len))
                }
                Some(Bytes::MachO(mach)) => 40 * mach.platforms.len(),
                _ => 0,
            };
            code + names.map(|name| name.len() + 24).sum::<usize>()
        }
        Entry::Link { target } => target.text().len(),
        _ => 0,
    };
    // The place in the table by number, and what a list that grows holds in reserve.
    size_of::<Kept>() * 3 / 2 + 32 + record.path.text().len() + inner
}
