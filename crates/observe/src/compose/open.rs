//! A Compose file or folder that somebody names: which files Compose would take for it, as `docker compose` does without
//! and with `-f`.

use std::path::{Path, PathBuf};

use silidock_diagnosis::compose::ComposeProject;
use silidock_host::Host;
use thiserror::Error;

use super::{
    Found,
    answers::ComposeAnswers,
    project::{Start, clean, folder_name, variables},
};

/// Names under which Compose finds a file by itself, in its own order.
pub const DEFAULT_FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
/// Names under which it finds an override beside that.
pub const OVERRIDE_FILES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// Why nothing could be opened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Neither a file nor a folder is there.
    #[error("{} is not on this machine", path.display())]
    Missing {
        /// As it was named.
        path: PathBuf,
    },
    /// A folder in which Compose finds nothing.
    #[error("{} has no Compose file; {} are looked for", folder.display(), DEFAULT_FILES.join(", "))]
    NoFile {
        /// Which.
        folder: PathBuf,
    },
}

/// Reads a project from the files that somebody names, or from a folder, and asks the installed Compose whether it sees
/// the same, where `answers` do not say what it said before. Starts, pulls and fetches nothing.
///
/// # Errors
/// Nothing is there. A file that cannot be read is a gap of the project.
pub async fn open_compose(
    host: &dyn Host,
    named: &[PathBuf],
    answers: &ComposeAnswers,
) -> Result<ComposeProject, OpenError> {
    let start = start(host, named)?;
    let folder = start.folder.clone();
    let found =
        Found { name: folder_name(&folder), working_dir: Some(folder.display().to_string()), start, opened: true };
    Ok(found.compared(host, answers).await)
}

/// The files that Compose would take.
pub(super) fn start(host: &dyn Host, named: &[PathBuf]) -> Result<Start, OpenError> {
    let named: Vec<PathBuf> = named.iter().map(|path| clean(path)).collect();
    if let Some(path) = named.iter().find(|path| !host.exists(path)) {
        return Err(OpenError::Missing { path: path.clone() });
    }
    let parent = |path: &Path| path.parent().unwrap_or(Path::new("/")).to_owned();
    let [only] = named.as_slice() else {
        let folder = named.first().map(|path| parent(path)).unwrap_or_default();
        return Ok(Start { files: named, folder, env_files: Vec::new() });
    };
    if host.list_dir(only).is_ok() {
        return in_folder(host, only).ok_or_else(|| OpenError::NoFile { folder: only.clone() });
    }
    // Its override belongs to it where Compose would find both.
    let folder = parent(only);
    let by_itself = in_folder(host, &folder).filter(|start| start.files.first() == Some(only));
    Ok(by_itself.unwrap_or_else(|| Start { files: vec![only.clone()], folder, env_files: Vec::new() }))
}

/// The files that Compose would take where this one is part of a project: an override belongs to the file that it is of.
pub(super) fn start_with(host: &dyn Host, file: &Path) -> Result<Start, OpenError> {
    let file = clean(file);
    let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
    if let Some(whole) = in_folder(host, &folder).filter(|start| start.files.contains(&file)) {
        return Ok(whole);
    }
    let mut start = start(host, std::slice::from_ref(&file))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if let Some((stem, _)) = name.rsplit_once('.').filter(|(stem, _)| stem.ends_with(".override")) {
        let stem = stem.trim_end_matches(".override");
        let base = ["yaml", "yml"].map(|ending| folder.join(format!("{stem}.{ending}")));
        start.files.splice(0..0, base.into_iter().find(|base| host.exists(base)));
    }
    Ok(start)
}

fn in_folder(host: &dyn Host, folder: &Path) -> Option<Start> {
    let start = Start { files: Vec::new(), folder: folder.to_owned(), env_files: Vec::new() };
    let variables = variables(host, &start).ok();
    let set = |name: &str| variables.as_ref().and_then(|variables| variables.get(name)).filter(|v| !v.is_empty());
    if let Some(listed) = set("COMPOSE_FILE") {
        let separator = set("COMPOSE_PATH_SEPARATOR").unwrap_or_else(|| ":".to_owned());
        let files: Vec<PathBuf> = listed.split(&separator).map(|file| clean(&folder.join(file))).collect();
        let own = files.first().and_then(|file| file.parent()).unwrap_or(folder).to_owned();
        return Some(Start { files, folder: own, ..start });
    }
    let there = |names: &[&str]| names.iter().map(|name| folder.join(name)).find(|path| host.exists(path));
    let mut files = vec![there(&DEFAULT_FILES)?];
    files.extend(there(&OVERRIDE_FILES));
    Some(Start { files, ..start })
}
