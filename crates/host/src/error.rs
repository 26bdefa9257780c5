//! What can go wrong while reading the machine. How serious that is, the caller decides.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a file or folder could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing is there.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The path asked for.
        path: PathBuf,
    },
    /// It is there, but this user may not read it.
    #[error("no permission to read {}", path.display())]
    Permission {
        /// The path asked for.
        path: PathBuf,
    },
    /// It is larger than the caller wants to read.
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The path asked for.
        path: PathBuf,
        /// The limit in bytes.
        limit: usize,
    },
    /// A folder, socket or device where a file was expected, or a file where a folder was expected.
    #[error("{} is not a {expected}", path.display())]
    WrongKind {
        /// The path asked for.
        path: PathBuf,
        /// What was expected: "regular file" or "folder".
        expected: &'static str,
    },
    /// The system failed in some other way.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The path asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ReadError {
    /// Whether the reason is that nothing is there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    pub(crate) fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing { path },
            io::ErrorKind::PermissionDenied => Self::Permission { path },
            _ => Self::Io { path, source },
        }
    }
}

/// Why a tool did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The program is not there.
    #[error("{} was not found", tool.display())]
    NotFound {
        /// The program.
        tool: PathBuf,
    },
    /// It may not be executed.
    #[error("no permission to run {}", tool.display())]
    Permission {
        /// The program.
        tool: PathBuf,
    },
    /// It was stopped because it took too long.
    #[error("{} did not finish within {} s", tool.display(), after.as_secs_f32())]
    TimedOut {
        /// The program.
        tool: PathBuf,
        /// The limit it exceeded.
        after: Duration,
    },
    /// It was stopped because it printed more than the caller wants to keep.
    #[error("{} printed more than {limit} bytes", tool.display())]
    TooMuchOutput {
        /// The program.
        tool: PathBuf,
        /// The limit in bytes, per stream.
        limit: usize,
    },
    /// The system failed in some other way.
    #[error("cannot run {}: {source}", tool.display())]
    Io {
        /// The program.
        tool: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl RunError {
    pub(crate) fn from_io(tool: &Path, source: io::Error) -> Self {
        let tool = tool.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { tool },
            io::ErrorKind::PermissionDenied => Self::Permission { tool },
            _ => Self::Io { tool, source },
        }
    }
}
