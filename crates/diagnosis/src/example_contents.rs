//! Small images for the examples of checks: a few files, surveyed as real ones are.

use silidock_executable::{
    Defect, Elf, Endian, Entry, FileRecord, Kind, Libc, Libraries, Linkage, MachO, PathText, Role, classify,
};

use crate::{
    contents::{Contents, FileCounts, Found, StartSettings, Via, survey},
    example::{inventory, platform},
    fact::Fact,
    finding::SubjectKind,
    inventory::Inventory,
};

/// What was found in a small image.
pub(crate) struct Image {
    pub(crate) found: Found,
}

/// An image that says it is for Linux on this architecture, without any file.
pub(crate) fn scratch(arch: &str) -> Image {
    let found = Found {
        subject: "web:1".to_owned(),
        kind: SubjectKind::Image,
        platform: platform(&format!("linux/{arch}")),
        via: Via::Engine,
        start: Fact::Known(StartSettings { working_dir: "/".to_owned(), ..StartSettings::default() }),
        records: Vec::new(),
        layers: Vec::new(),
        files: FileCounts::default(),
        gaps: Vec::new(),
    };
    Image { found }
}

impl Image {
    pub(crate) fn with(mut self, record: FileRecord) -> Self {
        self.found.records.push((record, None));
        self
    }

    pub(crate) fn script(self, path: &str, text: &str) -> Self {
        self.with(raw(path, text.as_bytes()))
    }

    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        self.with(link(path, target))
    }

    /// Its words, with blanks between them.
    pub(crate) fn entrypoint(mut self, words: &str) -> Self {
        if let Fact::Known(start) = &mut self.found.start {
            start.entrypoint = words.split(' ').map(str::to_owned).collect();
        }
        self
    }
}

/// An inventory in which somebody looked inside this image.
pub(crate) fn inventory_of(image: Image) -> Inventory {
    let contents = survey(&image.found).contents;
    Inventory { contents: Some(Contents { images: vec![contents], missing: Vec::new() }), ..inventory("arm64") }
}

fn file(path: &str, size: u64, kind: Kind) -> FileRecord {
    let entry = Entry::File { size, kind: Some(kind), libraries: None };
    FileRecord { path: path.into(), mode: 0o755, uid: 0, gid: 0, entry }
}

/// A file of these bytes that may be executed.
pub(crate) fn raw(path: &str, bytes: &[u8]) -> FileRecord {
    file(path, bytes.len() as u64, classify(bytes, bytes.len() as u64, &mut |_, _| 0))
}

/// A symbolic link.
pub(crate) fn link(path: &str, target: &str) -> FileRecord {
    let entry = Entry::Link { target: PathText::from(target) };
    FileRecord { path: path.into(), mode: 0o777, uid: 0, gid: 0, entry }
}

fn machine_code(path: &str, platform: &str, change: impl FnOnce(&mut Elf)) -> FileRecord {
    let mut elf = Elf {
        platform: Some(platform.to_owned()),
        bits: 64,
        endian: Endian::Little,
        machine: if platform.ends_with("amd64") { 62 } else { 183 },
        flags: 0,
        os_abi: 0,
        role: Role::Program,
        linkage: Linkage::Static,
        interpreter: None,
        libc: None,
        defect: None,
    };
    change(&mut elf);
    file(path, 1_000_000, Kind::Elf(elf))
}

/// A static program of a platform.
pub(crate) fn elf(path: &str, platform: &str) -> FileRecord {
    machine_code(path, platform, |_| {})
}

/// A static program for ARM.
pub(crate) fn native(path: &str) -> FileRecord {
    elf(path, "linux/arm64")
}

/// An ARM program that names a loader.
pub(crate) fn loaded_by(path: &str, loader: &str) -> FileRecord {
    machine_code(path, "linux/arm64", |elf| {
        elf.linkage = Linkage::Dynamic;
        elf.interpreter = Some(loader.to_owned());
        elf.libc = Libc::of_loader(loader);
    })
}

/// An ARM library.
pub(crate) fn library(path: &str) -> FileRecord {
    machine_code(path, "linux/arm64", |elf| {
        elf.role = Role::Library;
        elf.linkage = Linkage::Dynamic;
    })
}

/// A loader for ARM.
pub(crate) fn loader(path: &str) -> FileRecord {
    library(path)
}

/// The same file, asking for libraries.
pub(crate) fn asking(mut record: FileRecord, names: &[&str]) -> FileRecord {
    if let Entry::File { libraries, .. } = &mut record.entry {
        let needed = names.iter().map(|name| (*name).to_owned()).collect();
        *libraries = Some(Libraries { needed, ..Libraries::default() });
    }
    record
}

/// An ARM program of which the second half is missing.
pub(crate) fn truncated(path: &str) -> FileRecord {
    machine_code(path, "linux/arm64", |elf| {
        elf.defect = Some(Defect::SegmentsCut { needs: 2_000_000, has: 1_000_000 });
    })
}

/// A library of a Mac.
pub(crate) fn mach(path: &str) -> FileRecord {
    let mach = MachO { platforms: vec!["darwin/arm64".to_owned()], fat: false, role: Role::Library };
    file(path, 50_000, Kind::MachO(mach))
}
