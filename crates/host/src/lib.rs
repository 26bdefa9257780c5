//! The machine Silidock runs on, seen through one door: environment, files, tools, hardware.
//!
//! Everything here only reads. Writing files belongs to `remedy`, and talking to an engine to `engine`.
//! Which operating system this is gets detected at run time, so that a Mac can be described by a folder of
//! files ([`FixtureHost`]) and examined on any machine.

mod credentials;
mod error;
mod facts;
mod fixture;
mod group;
mod local;
mod os;
mod run;
mod tools;

use std::ffi::OsString;
use std::fmt::Debug;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;

pub use credentials::{Credential, CredentialError, credential, docker_config_dir};
pub use error::{ReadError, RunError};
pub use facts::{Hardware, HostFacts, Load};
pub use fixture::FixtureHost;
pub use group::{Group, end_tools};
pub use local::LocalHost;
pub use os::OsFamily;
pub use run::{Output, ToolRun};
pub use tools::{KNOWN_FOLDERS, KnownFolder};

/// A boxed future, so that [`Host`] can be used as `Arc<dyn Host>`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// The name without its folder.
    pub name: OsString,
    /// Whether it is a folder; a symbolic link counts as what it points to.
    pub is_dir: bool,
}

/// What Silidock may learn from the machine it sits on. No method changes anything.
pub trait Host: Send + Sync + Debug {
    /// An environment variable; unset, empty and not-UTF-8 are all `None`.
    fn env(&self, name: &str) -> Option<String>;

    /// The same for those to whom empty is a value, as it is to Compose: only unset and not-UTF-8 are `None`.
    fn env_or_empty(&self, name: &str) -> Option<String>;

    /// The user's home folder.
    fn home(&self) -> Option<PathBuf>;

    /// The content of a regular file of at most `limit` bytes.
    ///
    /// # Errors
    /// Says which path and whether it is missing, forbidden, no regular file or too large.
    fn read(&self, path: &Path, limit: usize) -> Result<Vec<u8>, ReadError>;

    /// Whether something is there, symbolic links followed.
    fn exists(&self, path: &Path) -> bool;

    /// Whether this is a regular file that somebody may execute.
    fn is_executable(&self, path: &Path) -> bool;

    /// The entries of a folder, sorted by name.
    ///
    /// # Errors
    /// As [`Host::read`].
    fn list_dir(&self, path: &Path) -> Result<Vec<DirEntry>, ReadError>;

    /// Where a path leads once symbolic links are resolved. A link whose target is gone gives that target,
    /// because the name alone tells whose socket `/var/run/docker.sock` was.
    ///
    /// # Errors
    /// As [`Host::read`].
    fn real_path(&self, path: &Path) -> Result<PathBuf, ReadError>;

    /// Runs a tool to its end. A non-zero exit status is an [`Output`], not an error.
    fn run<'a>(&'a self, tool: &'a ToolRun) -> BoxFuture<'a, Result<Output, RunError>>;

    /// Runs a tool that works for long, and hands over each line of what it prints, of either stream, as it comes. Gives
    /// its exit status; none where a signal ended it. Dropping the future ends the tool.
    ///
    /// # Errors
    /// As [`Host::run`]; there is no limit on what it prints.
    fn follow<'a>(
        &'a self,
        tool: &'a ToolRun,
        line: &'a mut (dyn FnMut(&str) + Send),
    ) -> BoxFuture<'a, Result<Option<i32>, RunError>> {
        // A machine that only answers has said everything at once.
        Box::pin(async move {
            let output = self.run(tool).await?;
            for said in [&output.stdout, &output.stderr] {
                String::from_utf8_lossy(said).lines().for_each(&mut *line);
            }
            Ok(output.status)
        })
    }

    /// A kernel value as `/usr/sbin/sysctl -n KEY` prints it; `None` where the key or the program is missing.
    fn sysctl(&self, key: &str) -> Option<String>;

    /// Which machine this is.
    fn facts(&self) -> HostFacts;

    /// How busy the machine is now.
    fn load(&self) -> Load {
        Load::default()
    }

    /// The folder for temporary files.
    fn temp_dir(&self) -> PathBuf;

    /// The machine's own name, for redaction.
    fn host_name(&self) -> Option<String>;

    /// The operating system, by the files it keeps.
    fn os(&self) -> OsFamily {
        os::family(self)
    }

    /// The user's login name, for redaction.
    fn user_name(&self) -> Option<String> {
        self.env("USER").or_else(|| self.env("LOGNAME")).or_else(|| {
            let home = self.home()?;
            Some(home.file_name()?.to_string_lossy().into_owned())
        })
    }

    /// Where the app keeps its own data: `SILIDOCK_DATA_DIR`, else the system's place for it.
    /// `None` without a home folder.
    fn data_dir(&self) -> Option<PathBuf> {
        os::data_dir(self)
    }

    /// Where a tool is: `PATH` first, then the known folders. A name with a slash is taken as a path.
    fn find_tool(&self, name: &str) -> Option<PathBuf> {
        tools::find(self, name)
    }

    /// The `PATH` to give to children: ours, widened by the known folders that exist here.
    fn tool_path(&self) -> OsString {
        tools::search_path(self)
    }
}
