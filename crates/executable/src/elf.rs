//! ELF: the head, the program headers, the loader's path. Sections are read for 32-bit ARM only (`arm.rs`).

use goblin::{
    container::{Container, Ctx},
    elf::{
        dynamic::{DF_1_PIE, DT_FLAGS_1, DT_NULL, Dyn},
        header::{self as h, Header},
        program_header::{PT_DYNAMIC, PT_INTERP, PT_LOAD, ProgramHeader},
    },
};
use scroll::Pread;
use serde::{Deserialize, Serialize};

use crate::{
    architecture::{Libc, elf_architecture, elf_os},
    arm,
    input::Input,
};

/// An ELF file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Elf {
    /// `linux/arm64`, `linux/arm/v7`, `freebsd/amd64`; none where the machine is not known. 32-bit ARM has no variant
    /// (`linux/arm`) where the file does not say which: Go's programs do not.
    pub platform: Option<String>,
    /// 32 or 64.
    pub bits: u8,
    /// Order of bytes.
    pub endian: Endian,
    /// `e_machine`.
    pub machine: u16,
    /// `e_flags`.
    pub flags: u32,
    /// `EI_OSABI`.
    pub os_abi: u8,
    /// What it is for.
    pub role: Role,
    /// Whether it needs a loader.
    pub linkage: Linkage,
    /// Path of its loader: `/lib64/ld-linux-x86-64.so.2`. As lossy text where it is not UTF-8.
    pub interpreter: Option<String>,
    /// The C library its loader belongs to; none without a loader or for one that is not known.
    pub libc: Option<Libc>,
    /// Why no kernel loads it, or why it ends early; none if nothing was seen.
    pub defect: Option<Defect>,
}

/// Order of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// What an ELF file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Can be started: fixed or movable (PIE), with a loader or static.
    Program,
    /// Shared library; a loader is one too.
    Library,
    /// Object file (`.o`) or kernel module (`.ko`).
    Object,
    /// A crashed program's memory.
    Core,
    /// None of these.
    Other,
}

/// Whether an ELF file needs a loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Linkage {
    /// Runs by itself.
    Static,
    /// Is joined with others by a loader when it starts.
    Dynamic,
    /// The bytes that tell could not be had.
    Unknown,
}

/// Why an ELF file cannot be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase", tag = "what")]
pub enum Defect {
    /// Class, byte order or version of the head are none that exist.
    BadHead,
    /// The file ends within its program headers.
    #[serde(rename_all = "camelCase")]
    ProgramHeadersCut {
        /// Bytes it must have.
        needs: u64,
        /// Bytes it has.
        has: u64,
    },
    /// The program headers have a size or number that no kernel takes.
    BadProgramHeaders,
    /// A program without any segment to load.
    NothingToLoad,
    /// The file ends within what is to be loaded: a download or a copy that broke off.
    #[serde(rename_all = "camelCase")]
    SegmentsCut {
        /// Bytes it must have.
        needs: u64,
        /// Bytes it has.
        has: u64,
    },
    /// The path of the loader is empty, too long, without an end or beyond the file.
    BadInterpreter,
}

impl Defect {
    /// Whether the file is shorter than it must be.
    #[must_use]
    pub fn is_truncation(&self) -> bool {
        matches!(self, Self::ProgramHeadersCut { .. } | Self::SegmentsCut { .. })
    }
}

/// The head of an ELF file and how to read on.
pub(crate) struct Front {
    pub(crate) header: Header,
    pub(crate) ctx: Ctx,
    pub(crate) big: bool,
}

impl Front {
    /// None where the file is shorter than its head.
    pub(crate) fn read(input: &mut Input<'_, '_>) -> Option<Result<Self, [u8; 16]>> {
        let identity: [u8; 16] = input.bytes(0, 16)?.as_ref().try_into().ok()?;
        let (length, container) = match identity[h::EI_CLASS] {
            h::ELFCLASS32 => (h::header32::SIZEOF_EHDR, Container::Little),
            h::ELFCLASS64 => (h::header64::SIZEOF_EHDR, Container::Big),
            _ => return Some(Err(identity)),
        };
        let big = match identity[h::EI_DATA] {
            h::ELFDATA2LSB => false,
            h::ELFDATA2MSB => true,
            _ => return Some(Err(identity)),
        };
        let bytes = input.bytes(0, length)?;
        let endian = if big { scroll::Endian::Big } else { scroll::Endian::Little };
        match bytes.pread::<Header>(0) {
            Ok(header) => Some(Ok(Self { header, ctx: Ctx::new(container, endian), big })),
            Err(_) => Some(Err(identity)),
        }
    }

    /// The program headers. Errors: a defect, or none where the bytes could not be had.
    pub(crate) fn program_headers(&self, input: &mut Input<'_, '_>) -> Result<Vec<ProgramHeader>, Option<Defect>> {
        /// What Linux takes at most: a table of 64 KiB.
        const TABLE_LIMIT: usize = 64 * 1024;
        let (count, size) = (usize::from(self.header.e_phnum), ProgramHeader::size(self.ctx));
        if count == 0 {
            return Ok(Vec::new());
        }
        if usize::from(self.header.e_phentsize) != size || count * size > TABLE_LIMIT {
            return Err(Some(Defect::BadProgramHeaders));
        }
        let needs = self.header.e_phoff.saturating_add((count * size) as u64);
        if needs > input.size {
            return Err(Some(Defect::ProgramHeadersCut { needs, has: input.size }));
        }
        let table = input.bytes(self.header.e_phoff, count * size).ok_or(None)?;
        ProgramHeader::parse(&table, 0, count, self.ctx).map_err(|_| Some(Defect::BadProgramHeaders))
    }
}

impl Elf {
    /// None where the file is shorter than its head.
    pub(crate) fn read(input: &mut Input<'_, '_>) -> Option<Self> {
        let front = match Front::read(input)? {
            Ok(front) => front,
            Err(identity) => return Some(Self::bad(identity)),
        };
        let header = &front.header;
        let mut elf = Self {
            platform: None,
            bits: if front.ctx.is_big() { 64 } else { 32 },
            endian: if front.big { Endian::Big } else { Endian::Little },
            machine: header.e_machine,
            flags: header.e_flags,
            os_abi: header.e_ident[h::EI_OSABI],
            role: match header.e_type {
                h::ET_REL => Role::Object,
                h::ET_EXEC => Role::Program,
                h::ET_DYN => Role::Library,
                h::ET_CORE => Role::Core,
                _ => Role::Other,
            },
            linkage: Linkage::Static,
            interpreter: None,
            libc: None,
            defect: None,
        };
        if matches!(header.e_type, h::ET_EXEC | h::ET_DYN) {
            match front.program_headers(input) {
                Ok(headers) => elf.read_segments(&front, &headers, input),
                Err(defect) => (elf.linkage, elf.defect) = (Linkage::Unknown, defect),
            }
        }
        elf.libc = elf.interpreter.as_deref().and_then(Libc::of_loader);
        elf.platform = elf_architecture(elf.machine, elf.bits == 64, front.big, elf.flags).map(|architecture| {
            let os = elf_os(elf.os_abi, elf.interpreter.as_deref());
            match (architecture, arm::variant(architecture, &front, &elf, input)) {
                (architecture, Some(variant)) => format!("{os}/{architecture}/{variant}"),
                (architecture, None) => format!("{os}/{architecture}"),
            }
        });
        Some(elf)
    }

    fn bad(identity: [u8; 16]) -> Self {
        Self {
            platform: None,
            bits: if identity[h::EI_CLASS] == h::ELFCLASS32 { 32 } else { 64 },
            endian: if identity[h::EI_DATA] == h::ELFDATA2MSB { Endian::Big } else { Endian::Little },
            machine: 0,
            flags: 0,
            os_abi: identity[h::EI_OSABI],
            role: Role::Other,
            linkage: Linkage::Unknown,
            interpreter: None,
            libc: None,
            defect: Some(Defect::BadHead),
        }
    }

    fn read_segments(&mut self, front: &Front, headers: &[ProgramHeader], input: &mut Input<'_, '_>) {
        let dynamic = headers.iter().find(|header| header.p_type == PT_DYNAMIC);
        let interpreter = headers.iter().find(|header| header.p_type == PT_INTERP);
        if dynamic.is_some() || interpreter.is_some() {
            self.linkage = Linkage::Dynamic;
        }
        match interpreter.map(|header| loader(header, input)) {
            Some(Ok(path)) => (self.interpreter, self.role) = (path, Role::Program),
            Some(Err(defect)) => (self.defect, self.role) = (Some(defect), Role::Program),
            None if self.role == Role::Library
                && front.header.e_entry != 0
                && dynamic.is_some_and(|header| is_movable_program(header, front.ctx, input)) =>
            {
                (self.role, self.linkage) = (Role::Program, Linkage::Static);
            }
            None if self.role == Role::Program => self.linkage = Linkage::Static,
            None => {}
        }
        let loaded = || headers.iter().filter(|header| header.p_type == PT_LOAD);
        let needs = loaded().map(|header| header.p_offset.saturating_add(header.p_filesz)).max();
        self.defect = match needs {
            Some(needs) if needs > input.size => Some(Defect::SegmentsCut { needs, has: input.size }),
            None if self.role == Role::Program => self.defect.or(Some(Defect::NothingToLoad)),
            _ => self.defect,
        };
    }
}

/// The path in `PT_INTERP` by the kernel's rules. `Ok(None)` where the bytes could not be had.
fn loader(header: &ProgramHeader, input: &mut Input<'_, '_>) -> Result<Option<String>, Defect> {
    const PATH_MAX: u64 = 4096;
    if !(2..=PATH_MAX).contains(&header.p_filesz) || header.p_offset.saturating_add(header.p_filesz) > input.size {
        return Err(Defect::BadInterpreter);
    }
    let length = usize::try_from(header.p_filesz).map_err(|_| Defect::BadInterpreter)?;
    let Some(bytes) = input.bytes(header.p_offset, length) else { return Ok(None) };
    let path = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    if bytes.last() != Some(&0) || path.is_empty() {
        return Err(Defect::BadInterpreter);
    }
    Ok(Some(String::from_utf8_lossy(path).into_owned()))
}

/// Whether the dynamic section says "position independent executable": without a loader that is a static program, and
/// a file without the mark is a library.
fn is_movable_program(header: &ProgramHeader, ctx: Ctx, input: &mut Input<'_, '_>) -> bool {
    entries(header, ctx, input)
        .is_some_and(|entries| entries.iter().any(|entry| entry.d_tag == DT_FLAGS_1 && entry.d_val & DF_1_PIE != 0))
}

/// The dynamic section up to its end mark, 1024 entries at most.
pub(crate) fn entries(header: &ProgramHeader, ctx: Ctx, input: &mut Input<'_, '_>) -> Option<Vec<Dyn>> {
    let size = Dyn::size(ctx.container);
    let count = usize::try_from(header.p_filesz).ok()?.min(1024 * size) / size;
    let table = input.bytes(header.p_offset, count * size)?;
    let read = |n: usize| table.pread_with::<Dyn>(n * size, ctx).ok();
    Some((0..count).map_while(read).take_while(|entry| entry.d_tag != DT_NULL).collect())
}
