//! The real machine.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::facts::{self, Hardware, Load};
use crate::{BoxFuture, DirEntry, Host, HostFacts, Output, ReadError, RunError, ToolRun};

const SYSCTL: &str = "/usr/sbin/sysctl";

/// The machine this process runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalHost;

impl LocalHost {
    /// The machine this process runs on.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Host for LocalHost {
    fn env(&self, name: &str) -> Option<String> {
        self.env_or_empty(name).filter(|value| !value.is_empty())
    }

    fn env_or_empty(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn home(&self) -> Option<PathBuf> {
        std::env::home_dir().filter(|home| home.is_absolute())
    }

    fn read(&self, path: &Path, limit: usize) -> Result<Vec<u8>, ReadError> {
        read(path, limit)
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn is_executable(&self, path: &Path) -> bool {
        is_executable(path)
    }

    fn list_dir(&self, path: &Path) -> Result<Vec<DirEntry>, ReadError> {
        list_dir(path)
    }

    fn real_path(&self, path: &Path) -> Result<PathBuf, ReadError> {
        let failed = match path.canonicalize() {
            Ok(real) => return Ok(real),
            Err(source) => source,
        };
        match (failed.kind(), path.read_link()) {
            (io::ErrorKind::NotFound, Ok(target)) => Ok(path.parent().unwrap_or(path).join(target)),
            _ => Err(ReadError::from_io(path, failed)),
        }
    }

    fn run<'a>(&'a self, tool: &'a ToolRun) -> BoxFuture<'a, Result<Output, RunError>> {
        Box::pin(async move { crate::run::run(tool, &self.tool_path()).await })
    }

    fn follow<'a>(
        &'a self,
        tool: &'a ToolRun,
        line: &'a mut (dyn FnMut(&str) + Send),
    ) -> BoxFuture<'a, Result<Option<i32>, RunError>> {
        Box::pin(async move { crate::run::follow(tool, &self.tool_path(), line).await })
    }

    fn sysctl(&self, key: &str) -> Option<String> {
        let output = Command::new(SYSCTL).args(["-n", key]).stdin(Stdio::null()).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    }

    fn facts(&self) -> HostFacts {
        let mut hardware =
            Hardware { arch: Some(sysinfo::System::cpu_arch()).filter(|arch| !arch.is_empty()), ..Hardware::default() };
        if let Ok(mut system) = sysinfo::System::new() {
            system.refresh_memory();
            system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
            let brand = system.cpus().first().map(|cpu| cpu.brand().trim().to_owned());
            hardware.cpu_brand = brand.filter(|brand| !brand.is_empty());
            hardware.logical_cores = Some(system.cpus().len()).filter(|cores| *cores > 0);
            hardware.memory = Some(system.total_memory()).filter(|bytes| *bytes > 0);
        }
        facts::gather(self, hardware)
    }

    fn load(&self) -> Load {
        let mut load = Load { load: sysinfo::System::load_average().ok().map(|load| load.one), ..Load::default() };
        if let Ok(mut system) = sysinfo::System::new() {
            system.refresh_memory();
            load.memory = Some(system.total_memory()).filter(|bytes| *bytes > 0);
            load.available = Some(system.available_memory()).filter(|bytes| *bytes > 0);
        }
        load
    }

    fn temp_dir(&self) -> PathBuf {
        std::env::temp_dir()
    }

    fn host_name(&self) -> Option<String> {
        sysinfo::System::host_name().ok().filter(|name| !name.is_empty())
    }
}

pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, ReadError> {
    let failed = |source| ReadError::from_io(path, source);
    // Looked at before it is opened: opening a named pipe would wait for its writer.
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(ReadError::WrongKind { path: path.to_owned(), expected: "regular file" });
    }
    let longest = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(longest).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > limit {
        return Err(ReadError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

pub(crate) fn list_dir(path: &Path) -> Result<Vec<DirEntry>, ReadError> {
    let failed = |source| ReadError::from_io(path, source);
    if !path.metadata().map_err(failed)?.is_dir() {
        return Err(ReadError::WrongKind { path: path.to_owned(), expected: "folder" });
    }
    let mut entries = Vec::new();
    for entry in path.read_dir().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        entries.push(DirEntry { name: entry.file_name(), is_dir: entry.path().is_dir() });
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

pub(crate) fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
