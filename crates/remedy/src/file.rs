//! A user's file: read with everything needed to put it back, and replaced atomically.
//!
//! What a file should say is decided elsewhere (`compose`, `line`); when and in which order files are
//! written is `apply`'s and `undo`'s. Nothing here looks inside the text.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, XattrFlags};
use sha2::{Digest, Sha256};

/// The largest file that is edited, in bytes. Larger ones are not hand-written configuration.
pub const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Why a file is left alone. Nothing was changed when one of these comes back.
#[derive(Debug, thiserror::Error)]
pub enum FileRefused {
    /// There is no such file.
    #[error("{} does not exist. Check the path, or look again if the project was moved.", path.display())]
    Missing {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The path is a link to nothing.
    #[error("{} is a link to {}, which does not exist. Repair the link or name the real file.", path.display(), target.display())]
    DanglingLink {
        /// The link.
        path: PathBuf,
        /// What the link names.
        target: PathBuf,
    },
    /// Following the links never ends.
    #[error("{} is a link that leads back to itself. Name the real file instead.", path.display())]
    LinkLoop {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// A folder, a socket, a device.
    #[error("{} is a {kind}, not a file. Name the file itself.", path.display())]
    NotRegular {
        /// The path after following links.
        path: PathBuf,
        /// "folder", "named pipe" ...
        kind: &'static str,
    },
    /// The file must not be written to.
    #[error("{} is read-only ({why}). Make it writable first, for example with: chmod u+w", path.display())]
    NotWritable {
        /// The path after following links.
        path: PathBuf,
        /// The system's or the mode's reason.
        why: String,
    },
    /// The folder must not be written to, so the file cannot be replaced in one step.
    #[error("the folder {} is read-only ({why}), so a file in it cannot be replaced safely. Make the folder writable first.", path.display())]
    FolderNotWritable {
        /// The folder.
        path: PathBuf,
        /// The system's or the mode's reason.
        why: String,
    },
    /// The file has several names; replacing one would part them.
    #[error("{} has {names} names (hard links), and replacing it under one of them would part them. Edit it by hand.", path.display())]
    HardLinked {
        /// The path after following links.
        path: PathBuf,
        /// How many names the file has.
        names: u64,
    },
    /// More than [`MAX_BYTES`].
    #[error("{} is {bytes} bytes; Silidock edits files up to {MAX_BYTES} bytes. Edit it by hand.", path.display())]
    TooLarge {
        /// The path after following links.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// Not UTF-8.
    #[error("{} is not UTF-8 text: {what} in line {line}, byte {column} of the line. Save it as UTF-8 first.", path.display())]
    NotUtf8 {
        /// The path after following links.
        path: PathBuf,
        /// What stands there instead.
        what: String,
        /// Line of the first bad byte, from 1.
        line: usize,
        /// Byte within the line, from 1.
        column: usize,
    },
    /// The content is not what the preview showed.
    #[error("{} was changed by something else since it was looked at. Nothing was written; look at the preview again.", path.display())]
    Changed {
        /// The path after following links.
        path: PathBuf,
    },
    /// The replacement could not be given the old file's owner.
    #[error("{} belongs to user {uid}, group {gid}, and the edited file could not be given to them: {source}. Edit it as its owner.", path.display())]
    OwnerNotKept {
        /// The path after following links.
        path: PathBuf,
        /// The owner to keep.
        uid: u32,
        /// The group to keep.
        gid: u32,
        /// The system's answer.
        source: io::Error,
    },
    /// The system refused something else.
    #[error("could not {action} {}: {source}", path.display())]
    Io {
        /// "read", "write", "replace" ...
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// A file as it was read, with what is needed to replace it and to put it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFile {
    /// The path that was asked for.
    pub asked: PathBuf,
    /// There is no such file yet; its text is empty.
    pub new: bool,
    /// The file itself, after following links.
    pub real: PathBuf,
    /// Its text.
    pub text: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub hash: String,
    /// Permission bits (`0o7777`).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

impl UserFile {
    /// Whether the path that was asked for is itself a link, so that another file is edited.
    #[must_use]
    pub fn is_link(&self) -> bool {
        fs::symlink_metadata(&self.asked).is_ok_and(|m| m.is_symlink())
    }
}

/// SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Reads a file that is to be edited, and makes sure that it could be.
///
/// # Errors
/// Every reason for leaving the file alone, see [`FileRefused`].
pub fn read(asked: &Path) -> Result<UserFile, FileRefused> {
    let real = resolve(asked)?;
    let meta = fs::metadata(&real).map_err(io_error("read", &real))?;
    require_regular(&real, &meta)?;
    require_writable(&real, &meta)?;
    let bytes = bytes_of(&real, &meta)?;
    let hash = hash(&bytes);
    let text = String::from_utf8(bytes).map_err(|e| not_utf8(&real, &e))?;
    Ok(UserFile {
        asked: asked.to_owned(),
        new: false,
        text,
        hash,
        mode: meta.mode() & 0o7777,
        uid: meta.uid(),
        gid: meta.gid(),
        real,
    })
}

/// As [`read`], but a file that is not there is an empty one that is to be made.
///
/// # Errors
/// As [`read`]; also where its folder cannot hold it.
pub fn read_or_new(asked: &Path) -> Result<UserFile, FileRefused> {
    match read(asked) {
        Err(FileRefused::Missing { path }) => {
            let (Some(name), folder) = (asked.file_name(), folder_of(asked)) else {
                return Err(FileRefused::Missing { path });
            };
            let folder = resolve(folder)?;
            require_folder(&folder)?;
            let meta = fs::metadata(&folder).map_err(io_error("read", &folder))?;
            Ok(UserFile {
                asked: asked.to_owned(),
                new: true,
                real: folder.join(name),
                text: String::new(),
                hash: hash(b""),
                mode: 0o644,
                uid: meta.uid(),
                gid: meta.gid(),
            })
        }
        other => other,
    }
}

/// The hash a file has now, or `None` where there is none. Does not follow a link in the last place:
/// `real` is a path that [`read`] resolved.
///
/// # Errors
/// [`FileRefused::NotRegular`] where something else has taken the name, else what the system says.
pub fn hash_now(real: &Path) -> Result<Option<String>, FileRefused> {
    let meta = match fs::symlink_metadata(real) {
        Ok(meta) => meta,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(io_error("read", real)(e)),
    };
    require_regular(real, &meta)?;
    Ok(Some(hash(&bytes_of(real, &meta)?)))
}

/// What is to be put in a file's place.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Permission bits (`0o7777`).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// Replaces `real` in one step, if its content still has the hash `expected`.
/// After a crash the file is either the old or the new one.
///
/// # Errors
/// [`FileRefused::Changed`] where the content differs, else what the system says; the file is then as it was.
pub fn replace(real: &Path, expected: &str, new: Content<'_>) -> Result<(), FileRefused> {
    let folder = folder_of(real);
    let mut temp = tempfile::Builder::new()
        .prefix(".silidock-")
        .tempfile_in(folder)
        .map_err(io_error("write a new file in", folder))?;
    temp.write_all(new.bytes).map_err(io_error("write", temp.path()))?;
    dress(&temp, real, &new)?;
    temp.as_file().sync_all().map_err(io_error("write", temp.path()))?;
    if hash_now(real)?.as_deref() != Some(expected) {
        return Err(FileRefused::Changed { path: real.to_owned() });
    }
    temp.persist(real).map_err(|e| io_error("replace", real)(e.error))?;
    sync_folder(folder)
}

/// Makes `real` in one step, if nothing has that name. The owner is whoever runs this.
///
/// # Errors
/// [`FileRefused::Changed`] where something is there, else what the system says.
pub fn create(real: &Path, new: Content<'_>) -> Result<(), FileRefused> {
    let folder = folder_of(real);
    let mut temp = tempfile::Builder::new()
        .prefix(".silidock-")
        .tempfile_in(folder)
        .map_err(io_error("write a new file in", folder))?;
    temp.write_all(new.bytes).map_err(io_error("write", temp.path()))?;
    let mode = Permissions::from_mode(new.mode);
    temp.as_file().set_permissions(mode).map_err(io_error("set the mode of", temp.path()))?;
    temp.as_file().sync_all().map_err(io_error("write", temp.path()))?;
    temp.persist_noclobber(real).map_err(|e| match e.error.kind() {
        io::ErrorKind::AlreadyExists => FileRefused::Changed { path: real.to_owned() },
        _ => io_error("make", real)(e.error),
    })?;
    sync_folder(folder)
}

/// Removes `real`, if its content still has the hash `expected`.
///
/// # Errors
/// [`FileRefused::Changed`] where the content differs, else what the system says.
pub fn remove(real: &Path, expected: &str) -> Result<(), FileRefused> {
    if hash_now(real)?.as_deref() != Some(expected) {
        return Err(FileRefused::Changed { path: real.to_owned() });
    }
    fs::remove_file(real).map_err(io_error("remove", real))?;
    sync_folder(folder_of(real))
}

fn resolve(asked: &Path) -> Result<PathBuf, FileRefused> {
    fs::canonicalize(asked).map_err(|e| {
        let path = asked.to_owned();
        if e.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
            return FileRefused::LinkLoop { path };
        }
        match (e.kind(), fs::read_link(asked)) {
            (io::ErrorKind::NotFound, Ok(target)) => FileRefused::DanglingLink { path, target },
            (io::ErrorKind::NotFound, Err(_)) => FileRefused::Missing { path },
            _ => io_error("read", asked)(e),
        }
    })
}

fn require_regular(real: &Path, meta: &Metadata) -> Result<(), FileRefused> {
    let kind = meta.file_type();
    if kind.is_file() {
        return Ok(());
    }
    let kind = match () {
        () if kind.is_dir() => "folder",
        () if kind.is_symlink() => "link",
        () if kind.is_fifo() => "named pipe",
        () if kind.is_socket() => "socket",
        () => "device",
    };
    Err(FileRefused::NotRegular { path: real.to_owned(), kind })
}

/// A file that is marked read-only is left alone even where we could replace it (root, or the owner of its folder):
/// whoever marked it meant it.
fn require_writable(real: &Path, meta: &Metadata) -> Result<(), FileRefused> {
    let refuse = |why: String| FileRefused::NotWritable { path: real.to_owned(), why };
    if meta.mode() & 0o222 == 0 {
        return Err(refuse(format!("its mode is {:04o}", meta.mode() & 0o7777)));
    }
    rustix::fs::access(real, Access::WRITE_OK).map_err(|e| refuse(io::Error::from(e).to_string()))?;
    if meta.nlink() > 1 {
        return Err(FileRefused::HardLinked { path: real.to_owned(), names: meta.nlink() });
    }
    require_folder(folder_of(real))
}

/// A file is replaced by renaming a new one over it, so its folder must allow that.
fn require_folder(folder: &Path) -> Result<(), FileRefused> {
    let refuse = |why: String| FileRefused::FolderNotWritable { path: folder.to_owned(), why };
    let meta = fs::metadata(folder).map_err(io_error("read", folder))?;
    if meta.mode() & 0o222 == 0 {
        return Err(refuse(format!("its mode is {:04o}", meta.mode() & 0o7777)));
    }
    rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(|e| refuse(io::Error::from(e).to_string()))
}

fn bytes_of(real: &Path, meta: &Metadata) -> Result<Vec<u8>, FileRefused> {
    let too_large = |bytes| FileRefused::TooLarge { path: real.to_owned(), bytes };
    if meta.len() > MAX_BYTES {
        return Err(too_large(meta.len()));
    }
    let mut bytes = Vec::new();
    // Bounded again: the file may grow between the look at its size and here.
    File::open(real).and_then(|f| f.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(io_error("read", real))?;
    match bytes.len() as u64 {
        n if n > MAX_BYTES => Err(too_large(n)),
        _ => Ok(bytes),
    }
}

fn not_utf8(real: &Path, error: &std::string::FromUtf8Error) -> FileRefused {
    let bytes = error.as_bytes();
    let at = error.utf8_error().valid_up_to();
    let before = &bytes[..at];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let column = at - before.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1) + 1;
    let what = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the mark of UTF-16".to_owned(),
        _ => format!("the byte 0x{:02x}", bytes[at]),
    };
    FileRefused::NotUtf8 { path: real.to_owned(), what, line, column }
}

/// Gives the new file the old one's owner, mode and extended attributes, in this order: changing
/// the owner clears set-id bits.
fn dress(temp: &tempfile::NamedTempFile, real: &Path, new: &Content<'_>) -> Result<(), FileRefused> {
    let ours = temp.as_file().metadata().map_err(io_error("read", temp.path()))?;
    if (ours.uid(), ours.gid()) != (new.uid, new.gid) {
        std::os::unix::fs::fchown(temp.as_file(), Some(new.uid), Some(new.gid)).map_err(|source| {
            FileRefused::OwnerNotKept { path: real.to_owned(), uid: new.uid, gid: new.gid, source }
        })?;
    }
    copy_attributes(real, temp.as_file());
    temp.as_file().set_permissions(Permissions::from_mode(new.mode)).map_err(io_error("set the mode of", temp.path()))
}

/// Best effort: Finder tags and access lists travel along; attributes only the system may set do not, and
/// a file system without attributes has none to lose.
fn copy_attributes(from: &Path, to: &File) {
    let mut names = vec![0_u8; 64 * 1024];
    let Ok(length) = rustix::fs::listxattr(from, &mut names[..]) else { return };
    let mut value = vec![0_u8; 64 * 1024];
    for name in names[..length].split(|b| *b == 0).filter(|n| !n.is_empty()) {
        if let Ok(n) = rustix::fs::getxattr(from, name, &mut value[..]) {
            let _unsettable = rustix::fs::fsetxattr(to, name, &value[..n], XattrFlags::empty());
        }
    }
}

/// Makes a rename or removal in the folder survive a power cut.
fn sync_folder(folder: &Path) -> Result<(), FileRefused> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(io_error("write", folder))
}

/// The folder a file lies in; the current one for a bare name.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileRefused {
    let path = path.to_owned();
    move |source| FileRefused::Io { action, path, source }
}
