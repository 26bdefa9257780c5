//! What a file is, from its first bytes: the processor and system it is built for, what starts it, what it needs, and
//! what is wrong with it. Pure: bytes come from the caller, nothing is opened, nothing judged (whether an architecture
//! is the *wrong* one is `diagnosis`). Never panics and reads a bounded number of bytes, whatever the file says.
//!
//! ```
//! use silidock_executable::{Kind, classify};
//! let script = b"#!/usr/bin/env -S python3 -u\n";
//! let Kind::Script(script) = classify(script, script.len() as u64, &mut |_, _| 0) else { panic!() };
//! assert_eq!(script.runs(), Some("python3"));
//! ```

mod architecture;
mod arm;
mod dull;
mod elf;
mod input;
mod kind;
mod libraries;
mod mach;
mod path;
mod pe;
mod record;
mod script;
mod text;

pub use architecture::Libc;
pub use dull::{SHORTEST_CODE, is_dull, may_be_code};
pub use elf::{Defect, Elf, Endian, Linkage, Role};
pub use input::{HEAD, READ_AT_MOST, ReadAt};
pub use kind::{Archive, Format, Kind};
pub use libraries::Libraries;
pub use mach::MachO;
pub use path::PathText;
pub use pe::Pe;
pub use record::{Entry, FileRecord};
pub use script::{Before, EnvCall, SHEBANG_LIMIT, Script};
pub use text::{Text, Wording};

use input::Input;

/// What a file is.
///
/// `head` are its first bytes, [`HEAD`] of them or all if it has fewer; `size` is its size in bytes. Where a few more
/// bytes are needed (program headers or a loader's path further out), `read(offset, buffer)` is asked: it fills the
/// buffer from that offset and answers how many bytes it could; 0 where it cannot, and what depends on them is then
/// *not known* in the answer. It is asked for [`READ_AT_MOST`] bytes at most in all.
pub fn classify(head: &[u8], size: u64, read: &mut ReadAt<'_>) -> Kind {
    Kind::of(&mut Input::new(head, size, read))
}

/// Which libraries an ELF file asks its loader for. None where it is no dynamic ELF file, or where the bytes could not be had.
/// Arguments as for [`classify`]; the bytes lie anywhere in the file.
pub fn libraries(head: &[u8], size: u64, read: &mut ReadAt<'_>) -> Option<Libraries> {
    libraries::read(&mut Input::new(head, size, read))
}
