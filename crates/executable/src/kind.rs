//! The answer: one kind for every file.

use serde::{Deserialize, Serialize};

use crate::{Elf, MachO, Pe, Script, Text, input::Input, mach, pe, script, text};

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum Kind {
    /// The executable format of Linux: programs, libraries, object files, core dumps.
    Elf(Elf),
    /// The executable format of macOS.
    MachO(MachO),
    /// The executable format of Windows, and of .NET everywhere.
    Pe(Pe),
    /// Text that names its interpreter in the first line.
    Script(Script),
    /// Text without such a line.
    Text(Text),
    /// A Java class.
    JavaClass,
    /// WebAssembly.
    WebAssembly,
    /// A compressed file or an archive, which a failed unpacking leaves in a program's place.
    Archive(Archive),
    /// Begins like a format whose head it is too short for.
    Cut(Format),
    /// No byte at all.
    Empty,
    /// Nothing but zeros as far as was read: a write that never reached the disk.
    Zeros,
    /// Anything else.
    Other,
}

/// A format whose head can be cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase", tag = "format")]
pub enum Format {
    /// ELF.
    Elf,
    /// Mach-O.
    MachO,
    /// PE.
    Pe,
}

/// A compressed file or an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase", tag = "format")]
pub enum Archive {
    /// gzip.
    Gzip,
    /// Zip, of which JARs and wheels are.
    Zip,
    /// xz.
    Xz,
    /// bzip2.
    Bzip2,
    /// Zstandard.
    Zstd,
    /// `ar`: static libraries, Debian packages.
    Ar,
}

impl Kind {
    pub(crate) fn of(input: &mut Input<'_, '_>) -> Self {
        let head = input.head;
        if input.size == 0 {
            return Self::Empty;
        }
        match head {
            [0x7f, b'E', b'L', b'F', ..] => Elf::read(input).map_or(Self::Cut(Format::Elf), Self::Elf),
            [b'\0', b'a', b's', b'm', ..] => Self::WebAssembly,
            [0x1f, 0x8b, ..] => Self::Archive(Archive::Gzip),
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Archive(Archive::Zip),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Archive(Archive::Xz),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Archive(Archive::Bzip2),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Archive(Archive::Zstd),
            [b'!', b'<', b'a', b'r', b'c', b'h', b'>', b'\n', ..] => Self::Archive(Archive::Ar),
            _ => mach::read(input)
                .or_else(|| pe::read(input))
                .or_else(|| script::read(head, input.size).map(Self::Script))
                .or_else(|| text::read(head).map(Self::Text))
                .unwrap_or_else(|| {
                    let zeros = !head.is_empty() && head.iter().all(|byte| *byte == 0);
                    if zeros { Self::Zeros } else { Self::Other }
                }),
        }
    }

    /// The platforms this is machine code for, as `linux/arm/v7`; several for a fat Mach-O file, none for scripts and
    /// other files, and for machines that are not known.
    pub fn platforms(&self) -> impl Iterator<Item = &str> {
        let (one, many) = match self {
            Self::Elf(elf) => (elf.platform.as_deref(), &[][..]),
            Self::Pe(pe) => (pe.platform.as_deref(), &[][..]),
            Self::MachO(mach) => (None, mach.platforms.as_slice()),
            _ => (None, &[][..]),
        };
        one.into_iter().chain(many.iter().map(String::as_str))
    }

    /// Whether this is machine code, a script, or was meant to be: what is worth a record even without an executable bit.
    #[must_use]
    pub fn is_code(&self) -> bool {
        matches!(self, Self::Elf(_) | Self::MachO(_) | Self::Pe(_) | Self::Script(_) | Self::Cut(_))
    }
}
