//! What an ELF file asks its loader for: names of libraries and where else to look. Names only; nothing is looked up.

use goblin::elf::{
    dynamic::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_STRSZ, DT_STRTAB},
    program_header::{PT_DYNAMIC, PT_LOAD, ProgramHeader},
};
use serde::{Deserialize, Serialize};

use crate::{
    Libc,
    elf::{Front, entries},
    input::Input,
};

/// Libraries and places of an ELF file, in its order. Text that is not UTF-8 is shown with replacement characters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Libraries {
    /// `libc.so.6`, `libssl.so.3`.
    pub needed: Vec<String>,
    /// Folders from `DT_RUNPATH`, else `DT_RPATH`, split; `$ORIGIN` stands for the file's own folder.
    pub run_path: Vec<String>,
}

impl Libraries {
    /// The C library among those needed.
    #[must_use]
    pub fn libc(&self) -> Option<Libc> {
        self.needed.iter().find_map(|name| match name.as_str() {
            "libc.so.6" | "libc.so.6.1" => Some(Libc::Glibc),
            "libc.so" => Some(Libc::Bionic),
            "libc.so.0" | "libc.so.1" => Some(Libc::Uclibc),
            name if name.starts_with("libc.musl-") => Some(Libc::Musl),
            _ => None,
        })
    }
}

/// How many names are read, and how long one may be.
const NAMES: usize = 512;
const LONGEST: usize = 1024;

pub(crate) fn read(input: &mut Input<'_, '_>) -> Option<Libraries> {
    if !input.head.starts_with(b"\x7fELF") {
        return None;
    }
    let front = Front::read(input)?.ok()?;
    let headers = front.program_headers(input).ok()?;
    let dynamic = entries(headers.iter().find(|header| header.p_type == PT_DYNAMIC)?, front.ctx, input)?;
    let value = |tag: u64| dynamic.iter().find(|entry| entry.d_tag == tag).map(|entry| entry.d_val);
    let table = Table { offset: file_offset(value(DT_STRTAB)?, &headers)?, size: value(DT_STRSZ)? };
    let mut found = Libraries::default();
    for entry in dynamic.iter().filter(|entry| entry.d_tag == DT_NEEDED).take(NAMES) {
        found.needed.push(table.text(entry.d_val, input)?);
    }
    if let Some(at) = value(DT_RUNPATH).or_else(|| value(DT_RPATH)) {
        let folders = table.text(at, input)?;
        found.run_path = folders.split(':').filter(|folder| !folder.is_empty()).map(str::to_owned).collect();
    }
    Some(found)
}

/// Where in the file an address lies.
fn file_offset(address: u64, headers: &[ProgramHeader]) -> Option<u64> {
    headers.iter().filter(|header| header.p_type == PT_LOAD).find_map(|header| {
        let into = address.checked_sub(header.p_vaddr)?;
        if into < header.p_filesz { header.p_offset.checked_add(into) } else { None }
    })
}

/// The table of texts.
struct Table {
    offset: u64,
    size: u64,
}

impl Table {
    fn text(&self, at: u64, input: &mut Input<'_, '_>) -> Option<String> {
        let left = self.size.checked_sub(at)?.min(LONGEST as u64);
        let offset = self.offset.checked_add(at)?;
        let left = left.min(input.size.checked_sub(offset)?);
        // Most names are short: less is asked for first.
        for length in [left.min(64), left] {
            let bytes = input.bytes(offset, usize::try_from(length).ok()?)?;
            if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
                return Some(String::from_utf8_lossy(&bytes[..end]).into_owned());
            }
        }
        None
    }
}
