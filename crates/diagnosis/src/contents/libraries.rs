//! The libraries of an image by name, and which of them a program would load. Where a loader looks depends on files that
//! nobody reads here, so a library counts as there wherever it lies in the image; only one that is nowhere is missing.

use std::collections::{BTreeSet, HashMap};

use silidock_executable::{Elf, Entry, FileRecord, Kind, Libc, Role};

use super::tree::{Lookup, Tree};

/// Names of libraries, and of links to them.
#[derive(Debug)]
pub(super) struct Libraries<'a> {
    paths: HashMap<&'a str, Vec<&'a str>>,
    libcs: BTreeSet<Libc>,
}

impl<'a> Libraries<'a> {
    pub(super) fn new(all: &[(&'a FileRecord, Option<u32>)]) -> Self {
        let mut paths: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut libcs = BTreeSet::new();
        for (record, _) in all {
            let path = record.path.text();
            let name = path.rsplit('/').next().unwrap_or(path);
            let library = match (&record.entry, record.kind()) {
                (Entry::Link { .. }, _) => name.contains(".so"),
                (_, Some(Kind::Elf(elf))) => elf.role == Role::Library || name.contains(".so"),
                _ => false,
            };
            if library {
                paths.entry(name).or_default().push(path);
                libcs.extend(Libc::of_loader(path));
            }
        }
        Self { paths, libcs }
    }

    /// The C libraries whose loaders are there.
    pub(super) fn libcs(&self) -> &BTreeSet<Libc> {
        &self.libcs
    }

    /// What a file asks for, each with the library that answers; `program` is the one that is started.
    pub(super) fn of<'r>(
        &self,
        tree: &Tree<'a>,
        asks: &'r FileRecord,
        program: &FileRecord,
    ) -> Vec<(&'r str, Option<&'a FileRecord>)> {
        let Entry::File { libraries: Some(libraries), .. } = &asks.entry else { return Vec::new() };
        let wanted = elf(program).map(|elf| (elf.machine, elf.bits));
        let fits = |record: &&FileRecord| elf(record).map(|elf| (elf.machine, elf.bits)) == wanted;
        let find = |name: &str| {
            let paths = self.paths.get(name.rsplit('/').next().unwrap_or(name))?;
            let files = paths.iter().filter_map(|path| match tree.at(path) {
                Lookup::File(record, _) => Some(record),
                Lookup::Folder | Lookup::Missing => None,
            });
            files.into_iter().find(fits)
        };
        let names = libraries.needed.iter().map(String::as_str).filter(|name| !of_loader(name));
        names.map(|name| (name, find(name))).collect()
    }
}

/// The loader of musl is its C library, too, and every loader answers for itself.
fn of_loader(name: &str) -> bool {
    name.starts_with("libc.musl-") || name == "libc.so" || Libc::of_loader(name).is_some()
}

fn elf(record: &FileRecord) -> Option<&Elf> {
    match record.kind() {
        Some(Kind::Elf(elf)) => Some(elf),
        _ => None,
    }
}
