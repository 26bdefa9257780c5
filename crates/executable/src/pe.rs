//! PE: programs and libraries of Windows, and .NET's on every system.

use goblin::pe::header::{CoffHeader, DOS_MAGIC, PE_POINTER_OFFSET};
use scroll::{LE, Pread};
use serde::{Deserialize, Serialize};

use crate::{Format, Kind, architecture::pe_platform, input::Input};

/// A PE file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Pe {
    /// `windows/amd64`; .NET code compiled ahead for another system says so (`linux/arm64`). None where the machine is not known.
    pub platform: Option<String>,
    /// The machine number.
    pub machine: u16,
    /// Whether it is a library (DLL).
    pub library: bool,
    /// Whether .NET runs it. The platform then says nothing for a file of `windows/386`: that is also the mark of "any".
    pub managed: bool,
}

const LIBRARY: u16 = 0x2000;

/// None where it is no PE file; a DOS program is none.
pub(crate) fn read(input: &mut Input<'_, '_>) -> Option<Kind> {
    if input.head.pread_with::<u16>(0, LE).ok()? != DOS_MAGIC {
        return None;
    }
    let at: u32 = input.bytes(u64::from(PE_POINTER_OFFSET), 4)?.pread_with(0, LE).ok()?;
    let at = u64::from(at);
    // The head lies behind the DOS one and in the first megabytes, or these are other bytes.
    if !(4..16 * 1024 * 1024).contains(&at) {
        return None;
    }
    if at + 24 > input.size {
        let looks_like_one =
            input.head.get(64..).is_some_and(|rest| rest.windows(12).any(|text| text == b"This program"));
        return looks_like_one.then_some(Kind::Cut(Format::Pe));
    }
    let bytes = input.bytes(at, 24)?;
    if !bytes.starts_with(b"PE\0\0") {
        return None;
    }
    let head = CoffHeader::parse(&bytes, &mut 4).ok()?;
    let managed = managed(input, at + 24).unwrap_or(false);
    Some(Kind::Pe(Pe {
        platform: pe_platform(head.machine),
        machine: head.machine,
        library: head.characteristics & LIBRARY != 0,
        managed,
    }))
}

/// Whether the table of directories has an entry for .NET (the 15th).
fn managed(input: &mut Input<'_, '_>, optional: u64) -> Option<bool> {
    let wide = match input.bytes(optional, 2)?.pread_with::<u16>(0, LE).ok()? {
        0x10b => false,
        0x20b => true,
        _ => return Some(false),
    };
    let directories = optional + if wide { 112 } else { 96 };
    let count: u32 = input.bytes(directories - 4, 4)?.pread_with(0, LE).ok()?;
    let size: u32 = input.bytes(directories + 14 * 8 + 4, 4)?.pread_with(0, LE).ok()?;
    Some(count > 14 && size > 0)
}
