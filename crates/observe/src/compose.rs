//! Compose projects: which files the containers' labels name or somebody opens, and exactly the keys of them that
//! platforms are judged by.
//!
//! Each file for itself and tolerant, as `read_file` does it, is what editing needs; what Compose makes of all of them
//! together is worked out in `project`.

mod answers;
mod merge;
mod open;
mod project;
mod reference;
mod tree;
mod variables;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::dockerfile::Builds;
use answers::Witness;
use project::{Resolved, Start};

pub use answers::ComposeAnswers;
pub use open::{DEFAULT_FILES, OVERRIDE_FILES, OpenError, open_compose};
pub use reference::{Instead, Together, compose_together, resolve_compose};
use silidock_diagnosis::{
    compose::{Comparison, ComposeFile, ComposeProject, ComposeService, DeclaredPlatform},
    fact::Fact,
};
use silidock_engine::ContainerRecord;
use silidock_host::Host;
use yaml_edit::{LineColumn, Mapping, YamlFile};
use yaml_serde::Value;

/// Larger files are no Compose files.
const LIMIT: usize = 4 << 20;

/// The Compose labels of one container.
pub(crate) struct Labels {
    project: String,
    working_dir: Option<String>,
    files: Vec<String>,
    env_files: Vec<String>,
}

impl Labels {
    pub(crate) fn of(record: &ContainerRecord) -> Option<Self> {
        let label = |key: &str| record.labels.get(&format!("com.docker.compose.{key}")).filter(|v| !v.is_empty());
        let working_dir = label("project.working_dir").cloned();
        let absolute = |file: &str| match &working_dir {
            Some(folder) if !file.starts_with('/') => format!("{folder}/{file}"),
            _ => file.to_owned(),
        };
        let list = |key: &str| label(key).map(|all| all.split(',').map(absolute).collect()).unwrap_or_default();
        let (files, env_files) = (list("project.config_files"), list("project.environment_file"));
        Some(Self { project: label("project")?.clone(), working_dir: working_dir.clone(), files, env_files })
    }
}

/// The projects that the labels name. Containers of one project that name different files were started by different
/// commands; the longest list of files is taken.
pub(crate) fn projects(host: &dyn Host, labels: &[Labels]) -> Vec<Found> {
    let mut by_name: BTreeMap<&str, &Labels> = BTreeMap::new();
    for label in labels {
        let known = by_name.entry(&label.project).or_insert(label);
        if label.files.len() > known.files.len() {
            *known = label;
        }
    }
    let project = |label: &Labels| {
        let folder = label.working_dir.as_ref().map(PathBuf::from);
        let files: Vec<PathBuf> = label.files.iter().map(PathBuf::from).collect();
        let start = Start {
            folder: folder.or_else(|| files.first()?.parent().map(Path::to_owned)).unwrap_or_default(),
            // A file that has gone since says nothing any more.
            env_files: label.env_files.iter().map(PathBuf::from).filter(|file| host.exists(file)).collect(),
            files,
        };
        Found { name: label.project.clone(), working_dir: label.working_dir.clone(), start, opened: false }
    };
    by_name.into_values().map(project).collect()
}

/// A project whose files are known and not read yet.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub name: String,
    pub working_dir: Option<String>,
    pub start: Start,
    pub opened: bool,
}

impl Found {
    /// Reads its files: each for itself, and what they say together.
    pub(crate) fn read(self, host: &dyn Host) -> ComposeProject {
        let resolved = self.resolved(host);
        self.with(host, resolved, Fact::unknown("what docker compose config says", "it was not asked"))
    }

    /// The same, and what the installed Compose says of them.
    pub(crate) async fn compared(self, host: &dyn Host, answers: &ComposeAnswers) -> ComposeProject {
        let witness = Witness::of(host);
        let mut resolved = self.resolved(&witness);
        for beside in &resolved.beside {
            // Compose reads it, too, and refuses the project where it cannot.
            let _ = witness.read(beside, variables::LIMIT);
        }
        let compared = match self.start.files.is_empty() {
            true => Fact::unknown("what docker compose config says", "its files are not known"),
            false => reference::compare(host, &self.start, &mut resolved, (answers, witness.seen())).await,
        };
        self.with(host, resolved, compared)
    }

    fn resolved(&self, host: &dyn Host) -> Resolved {
        match self.start.files.is_empty() {
            true => Resolved::nothing("its containers name no Compose file"),
            false => project::resolve(host, &self.start),
        }
    }

    fn with(self, host: &dyn Host, resolved: Resolved, compared: Fact<Comparison>) -> ComposeProject {
        let Self { name, working_dir, start, opened } = self;
        let folder = working_dir.as_ref().map(Path::new);
        let read =
            |path: &PathBuf| ComposeFile { path: path.display().to_string(), services: read_in(host, path, folder) };
        let files = start.files.iter().map(read).collect();
        // The label of a container says what it was started as; of files that somebody opens, they say it themselves.
        let name = resolved.name.filter(|_| opened).unwrap_or(name);
        ComposeProject { name, working_dir, files, services: resolved.services, gaps: resolved.gaps, compared, opened }
    }
}

/// Reads the files of a project that is known already.
pub(crate) fn read_again(host: &dyn Host, known: ComposeProject) -> ComposeProject {
    let files: Vec<PathBuf> = known.files.iter().map(|file| PathBuf::from(&file.path)).collect();
    let folder = known.working_dir.as_ref().map(PathBuf::from);
    let folder = folder.or_else(|| files.first()?.parent().map(Path::to_owned)).unwrap_or_default();
    let start = Start { files, folder, env_files: Vec::new() };
    Found { name: known.name, working_dir: known.working_dir, start, opened: known.opened }.read(host)
}

/// Reads one Compose file by itself, as if it were a project's only one.
pub fn read_file(host: &dyn Host, path: &Path) -> Fact<Vec<ComposeService>> {
    read_in(host, path, None)
}

/// Reads one Compose file of a project in `folder`, which its build contexts are relative to; without one they are
/// relative to the file.
pub(crate) fn read_in(host: &dyn Host, path: &Path, folder: Option<&Path>) -> Fact<Vec<ComposeService>> {
    let what = format!("services of {}", path.display());
    let bytes = match host.read(path, LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if error.is_missing() => {
            return Fact::unknown(what, format!("{} is not on this machine", path.display()));
        }
        Err(error) => return Fact::unknown(what, error.to_string()),
    };
    match String::from_utf8(bytes) {
        Ok(text) => {
            let from = Builds { host, file: path, folder: folder.or(path.parent()).unwrap_or(path) };
            parse(&text, &from).map_or_else(|why| Fact::unknown(what, why), Fact::Known)
        }
        Err(_) => Fact::unknown(what, "it is not UTF-8 text"),
    }
}

fn parse(text: &str, builds: &Builds<'_>) -> Result<Vec<ComposeService>, String> {
    let mut root: Value = yaml_serde::from_str(text).map_err(|error| format!("it is not valid YAML: {error}"))?;
    root.apply_merge().map_err(|error| format!("its merge keys (<<) cannot be followed: {error}"))?;
    let services = match root.get("services") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(services) => services.as_mapping().ok_or("its services are not a list of names with settings")?,
    };
    let places = Places::of(text);
    let named = services.iter().filter_map(|(key, settings)| Some((scalar(key)?, settings)));
    Ok(named.map(|(name, settings)| service(name, settings, &places, builds)).collect())
}

fn service(name: String, settings: &Value, places: &Places, builds: &Builds<'_>) -> ComposeService {
    let set = |key: &str| settings.get(key).filter(|v| !v.is_null());
    let (line, platform_line) = places.0.get(&name).copied().unwrap_or_default();
    ComposeService {
        line,
        image: set("image").and_then(scalar),
        builds: set("build").is_some(),
        build: set("build").map(|build| builds.read(build)),
        platform: set("platform").and_then(scalar).map(|value| DeclaredPlatform { value, line: platform_line }),
        extends: set("extends").is_some(),
        name,
    }
}

pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Tagged(tagged) => scalar(&tagged.value),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
    }
}

/// Lines of each service's name and of its own `platform:`, from 1.
struct Places(BTreeMap<String, (Option<u32>, Option<u32>)>);

impl Places {
    /// A text that the position-keeping parser cannot read has no places, which only costs line numbers.
    fn of(text: &str) -> Self {
        let mut places = BTreeMap::new();
        let services = YamlFile::from_str(text)
            .ok()
            .and_then(|file| file.document())
            .and_then(|document| document.as_mapping())
            .and_then(|root| root.get_mapping("services"));
        for entry in services.iter().flat_map(Mapping::entries) {
            let Some(key) = entry.key_node() else { continue };
            let Some(name) = key.as_scalar().map(|scalar| scalar.as_string()) else { continue };
            let line = line_of(text, key.byte_range().start);
            let platform = entry.value_node().and_then(|value| value.as_mapping().cloned()).and_then(|settings| {
                let own = settings.find_entry_by_key("platform")?;
                line_of(text, own.key_node()?.byte_range().start)
            });
            places.insert(name, (line, platform));
        }
        Self(places)
    }
}

fn line_of(text: &str, offset: u32) -> Option<u32> {
    let LineColumn { line, .. } = yaml_edit::byte_offset_to_line_column(text, offset as usize);
    u32::try_from(line).ok()
}
