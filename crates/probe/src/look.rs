//! One file: what its permission bits, its size and its first bytes say. It is opened only where that can matter.

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, openat, statat};
use rustix::io::{Errno, pread};
use silidock_executable::{
    Entry, FileRecord, HEAD, Kind, Libraries, PathText, Role, SHORTEST_CODE, classify, is_dull, libraries, may_be_code,
};

/// The device's and the file's number.
pub type Number = (u64, u64);

/// What a file holds.
pub type Content = (Option<Kind>, Option<Libraries>);

/// A file with its permission bits.
pub struct File<'a> {
    pub folder: BorrowedFd<'a>,
    pub name: &'a CStr,
    stat: Stat,
}

impl<'a> File<'a> {
    /// Asks for everything but the content.
    pub fn of(folder: BorrowedFd<'a>, name: &'a CStr) -> Result<Self, Errno> {
        Ok(Self { folder, name, stat: statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)? })
    }

    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode as _)
    }

    fn size(&self) -> u64 {
        u64::try_from(self.stat.st_size).unwrap_or_default()
    }

    fn may_execute(&self) -> bool {
        self.stat.st_mode & 0o111 != 0
    }

    /// Whether its content can make a difference; if not, it is never opened.
    pub fn is_worth_opening(&self) -> bool {
        let least = if self.may_execute() { 1 } else { SHORTEST_CODE };
        self.size() >= least && (self.may_execute() || !is_dull(self.name.to_bytes()))
    }

    /// Its number where it has more than one name.
    #[allow(clippy::unnecessary_cast, reason = "systems differ in how long these are")]
    pub fn number(&self) -> Option<Number> {
        (self.stat.st_nlink as u64 > 1).then_some((self.stat.st_dev as u64, self.stat.st_ino as u64))
    }

    /// What is known of it without opening it.
    pub fn unopened(&self) -> Content {
        ((self.size() == 0).then_some(Kind::Empty), None)
    }

    /// Reads what it is.
    pub fn content(&self) -> Result<Content, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(self.folder, self.name, flags, Mode::empty())?;
        let mut head = [0; HEAD];
        let length = pread(&file, &mut head, 0)?;
        let head = &head[..length];
        if !self.may_execute() && !may_be_code(head) {
            return Ok((None, None));
        }
        let mut more = |offset, buffer: &mut [u8]| pread(&file, buffer, offset).unwrap_or(0);
        let kind = classify(head, self.size(), &mut more);
        let asks = matches!(&kind, Kind::Elf(elf) if matches!(elf.role, Role::Program | Role::Library));
        let libraries = if asks { libraries(head, self.size(), &mut more) } else { None };
        Ok((Some(kind), libraries))
    }

    /// Whether it is to be told: it can be run, is code, or was asked for.
    pub fn matters(&self, content: &Content, wanted: bool) -> bool {
        let code = match &content.0 {
            Some(Kind::Elf(elf)) => matches!(elf.role, Role::Program | Role::Library) || self.may_execute(),
            Some(kind) => kind.is_code() || self.may_execute(),
            None => self.may_execute(),
        };
        code || wanted
    }

    #[allow(clippy::unnecessary_cast, reason = "systems differ in how long these are")]
    pub fn record(&self, path: PathText, content: Content) -> FileRecord {
        let (kind, libraries) = content;
        let entry = Entry::File { size: self.size(), kind, libraries };
        let mode = self.stat.st_mode as u32 & 0o7777;
        FileRecord { path, mode, uid: self.stat.st_uid, gid: self.stat.st_gid, entry }
    }
}
