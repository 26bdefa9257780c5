//! How an image is built: what Compose itself would build (`docker compose build --print`), what a Compose file says by
//! itself where Compose is not here, or a folder that somebody named. Values of build arguments are kept for the build
//! alone and never shown.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use serde_json::Value as Json;
use silidock_diagnosis::compose::ComposeProject;
use silidock_engine::{DockerClient, NoClient};
use silidock_host::{Host, ReadError, RunError};
use yaml_serde::Value;

use crate::compose::scalar;

/// Compose may read many files.
const COMPOSE_TIME: Duration = Duration::from_secs(30);
/// Larger files are no Compose files.
const LIMIT: usize = 4 << 20;

/// Everything that decides what is built.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct BuildSource {
    /// Folder or address that is sent to the builder.
    pub context: String,
    /// Path of the Dockerfile; the context's own without.
    pub dockerfile: Option<String>,
    /// The Dockerfile's text, where it stands in the Compose file.
    pub inline: Option<String>,
    /// Stage to build.
    pub target: Option<String>,
    /// Build arguments; one without a value takes it from the environment.
    pub arguments: BTreeMap<String, Option<String>>,
    /// Further contexts, by name.
    pub contexts: BTreeMap<String, String>,
    /// Labels of the image.
    pub labels: BTreeMap<String, String>,
    /// References that the image gets.
    pub tags: Vec<String>,
    /// Platforms that the project asks for.
    pub platforms: Vec<String>,
    /// Further words for buildx, an option and its value each.
    pub options: Vec<(&'static str, String)>,
    /// Pull what it starts from even where it is here.
    pub pull: bool,
    /// Use nothing built before.
    pub no_cache: bool,
    /// What it asks for that cannot be handed on.
    pub untold: Vec<String>,
}

impl fmt::Debug for BuildSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<&String> = self.arguments.keys().collect();
        f.debug_struct("BuildSource")
            .field("context", &self.context)
            .field("dockerfile", &self.dockerfile)
            .field("target", &self.target)
            .field("arguments", &arguments)
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}

/// Why it is not known how something is built.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Compose does not take the project.
    #[error("docker compose does not say how {service} is built: {said}")]
    Compose {
        /// The service.
        service: String,
        /// Its own words.
        said: String,
    },
    /// What it printed makes no sense.
    #[error("what docker compose printed about {service} cannot be read: {source}")]
    Unreadable {
        /// The service.
        service: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The service has no `build:`.
    #[error("{service} has no build: in {file}")]
    NotBuilt {
        /// The service.
        service: String,
        /// The Compose files.
        file: String,
    },
    /// A value has a variable, which only Compose replaces.
    #[error("{key} of {service} has a variable, which only docker compose can replace, and that is not here ({why})")]
    Variable {
        /// The service.
        service: String,
        /// Which value.
        key: String,
        /// Why Compose was not asked.
        why: String,
    },
    /// A Compose file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A Compose file is no YAML.
    #[error("{file} cannot be read: {why}")]
    Yaml {
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
    /// A tool failed.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// A target as Compose prints it: the form that `docker buildx bake` takes.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Target {
    #[serde(default)]
    context: String,
    dockerfile: Option<String>,
    dockerfile_inline: Option<String>,
    target: Option<String>,
    #[serde(default)]
    args: BTreeMap<String, Option<String>>,
    #[serde(default)]
    contexts: BTreeMap<String, String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    platforms: Vec<String>,
    #[serde(default)]
    pull: bool,
    #[serde(default)]
    no_cache: bool,
    #[serde(default)]
    extra_hosts: BTreeMap<String, String>,
    #[serde(flatten)]
    rest: BTreeMap<String, Json>,
}

/// Keys of a target that are handed on as they are, with the option of buildx they belong to.
const HANDED_ON: &[(&str, &str)] = &[
    ("attest", "--attest"),
    ("cache-from", "--cache-from"),
    ("cache-to", "--cache-to"),
    ("entitlements", "--allow"),
    ("network", "--network"),
    ("secret", "--secret"),
    ("shm-size", "--shm-size"),
    ("ssh", "--ssh"),
    ("ulimits", "--ulimit"),
];
/// Where the result goes is said by whoever builds; the second changes nothing about it.
const LEFT_OUT: [&str; 2] = ["output", "description"];

impl Target {
    fn source(self) -> BuildSource {
        let mut source = BuildSource {
            context: self.context,
            dockerfile: self.dockerfile,
            inline: self.dockerfile_inline,
            target: self.target,
            arguments: self.args,
            contexts: self.contexts,
            labels: self.labels,
            tags: self.tags,
            platforms: self.platforms,
            pull: self.pull,
            no_cache: self.no_cache,
            ..BuildSource::default()
        };
        for (key, value) in self.rest.into_iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str())) {
            let option = HANDED_ON.iter().find(|(known, _)| *known == key).map(|(_, option)| *option);
            match option.zip(texts(&value)) {
                // Without an agent's path "default=" means the same as "default".
                Some((option, values)) => source
                    .options
                    .extend(values.into_iter().map(|value| (option, value.trim_end_matches('=').to_owned()))),
                None => source.untold.push(key),
            }
        }
        let hosts = self.extra_hosts.into_iter().map(|(name, address)| ("--add-host", format!("{name}:{address}")));
        source.options.extend(hosts);
        let targets = source.contexts.iter().filter(|(_, place)| place.starts_with("target:"));
        source.untold.extend(targets.map(|(name, _)| format!("additional_contexts ({name} is another service)")));
        source
    }
}

/// A text or a list of texts.
fn texts(value: &Json) -> Option<Vec<String>> {
    match value {
        Json::String(text) => Some(vec![text.clone()]),
        Json::Array(all) => all.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        Json::Null => Some(Vec::new()),
        _ => None,
    }
}

/// How a service of a project is built, by what Compose itself would build, or, where Compose is not here or too old to
/// say so, by the project's files.
///
/// # Errors
/// See [`SourceError`].
pub async fn of_service(
    host: &dyn Host,
    client: Result<&DockerClient, &NoClient>,
    project: &ComposeProject,
    service: &str,
) -> Result<BuildSource, SourceError> {
    let client = match client {
        Ok(client) => client,
        Err(why) => return of_files(host, project, service, &why.to_string()),
    };
    if let Err(why) = client.plugin(host, "compose").await {
        return of_files(host, project, service, &why.to_string());
    }
    let mut words = compose_words(project);
    words.extend(["build", "--print", "--", service].map(str::to_owned));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = host.run(&client.tool(&words).timeout(COMPOSE_TIME)).await?;
    if !output.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if said.contains("unknown flag: --print") {
            return of_files(host, project, service, "it is too old to say what it would build");
        }
        let said = said.lines().last().unwrap_or("it does not say why").chars().take(400).collect();
        return Err(SourceError::Compose { service: service.to_owned(), said });
    }
    read_printed(&output.stdout, service, &files_of(project))
}

/// `compose -p shop --project-directory /p -f /p/compose.yaml`
pub fn compose_words(project: &ComposeProject) -> Vec<String> {
    let mut words = vec!["compose".to_owned(), "-p".to_owned(), project.name.clone()];
    if let Some(folder) = &project.working_dir {
        words.extend(["--project-directory".to_owned(), folder.clone()]);
    }
    words.extend(project.files.iter().flat_map(|file| ["-f".to_owned(), file.path.clone()]));
    words
}

fn files_of(project: &ComposeProject) -> String {
    project.files.iter().map(|file| file.path.clone()).collect::<Vec<_>>().join(" and ")
}

fn read_printed(printed: &[u8], service: &str, file: &str) -> Result<BuildSource, SourceError> {
    #[derive(Deserialize)]
    struct Printed {
        #[serde(default)]
        target: BTreeMap<String, Json>,
    }
    let unreadable = |source| SourceError::Unreadable { service: service.to_owned(), source };
    let mut printed: Printed = serde_json::from_slice(printed).map_err(unreadable)?;
    // Names of targets may have fewer signs than those of services.
    let plain = |name: &str| name.replace('.', "_");
    let target = printed.target.remove(service).or_else(|| printed.target.remove(&plain(service)));
    let target = target.ok_or_else(|| SourceError::NotBuilt { service: service.to_owned(), file: file.to_owned() })?;
    serde_json::from_value::<Target>(target).map(Target::source).map_err(unreadable)
}

/// What the files say by themselves: the last one with a `build:` for the service counts.
fn of_files(host: &dyn Host, project: &ComposeProject, service: &str, why: &str) -> Result<BuildSource, SourceError> {
    let mut found = None;
    for file in &project.files {
        let text = host.read(Path::new(&file.path), LIMIT)?;
        let odd = |why: String| SourceError::Yaml { file: file.path.clone(), why };
        let mut root: Value = yaml_serde::from_slice(&text).map_err(|error| odd(error.to_string()))?;
        root.apply_merge().map_err(|error| odd(error.to_string()))?;
        let Some(settings) = root.get("services").and_then(|all| all.get(service)).cloned() else { continue };
        let image = settings.get("image").and_then(scalar);
        if let Some(build) = settings.get("build").filter(|build| !build.is_null()).cloned() {
            found = Some((file.path.clone(), build, image));
        } else if let (Some((_, _, known)), Some(image)) = (&mut found, image) {
            *known = Some(image);
        }
    }
    let (file, build, image) =
        found.ok_or_else(|| SourceError::NotBuilt { service: service.to_owned(), file: files_of(project) })?;
    let folder = project.working_dir.as_ref().map(PathBuf::from);
    let folder = folder.or_else(|| Path::new(&file).parent().map(Path::to_owned)).unwrap_or_default();
    let mut source = of_build(&build, &folder);
    source.tags.insert(0, image.unwrap_or_else(|| format!("{}-{service}", project.name)));
    let label = |key: &str, value: &str| (format!("com.docker.compose.{key}"), value.to_owned());
    source.labels.extend([label("project", &project.name), label("service", service)]);
    let values = source.arguments.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_ref()?)));
    let texts = [("context", Some(&source.context)), ("dockerfile", source.dockerfile.as_ref())];
    let texts = texts.into_iter().chain([("target", source.target.as_ref()), ("image", source.tags.first())]);
    let mut all = texts.filter_map(|(key, text)| Some((key, text?))).chain(values);
    let variable = all.find(|(_, text)| text.contains('$')).map(|(key, _)| key.to_owned());
    drop(all);
    match variable {
        Some(key) => Err(SourceError::Variable { service: service.to_owned(), key, why: why.to_owned() }),
        None => Ok(source),
    }
}

/// `build:` as one file writes it; what is not understood is named.
fn of_build(build: &Value, folder: &Path) -> BuildSource {
    let within = |place: &str| {
        let remote = place.contains("://") || place.starts_with("git@");
        if remote {
            place.to_owned()
        } else {
            folder.join(place).components().collect::<PathBuf>().display().to_string()
        }
    };
    let mut source = BuildSource { context: within("."), ..BuildSource::default() };
    if let Some(context) = scalar(build) {
        source.context = within(&context);
        return source;
    }
    let settings = build.as_mapping().into_iter().flatten();
    for (key, value) in settings.filter_map(|(key, value)| Some((scalar(key)?, value))) {
        match key.as_str() {
            "context" => source.context = scalar(value).map_or_else(|| within("."), |place| within(&place)),
            "dockerfile" => source.dockerfile = scalar(value),
            "dockerfile_inline" => source.inline = scalar(value),
            "target" => source.target = scalar(value),
            "args" => source.arguments = pairs(value),
            "labels" => {
                source.labels =
                    pairs(value).into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect();
            }
            "platforms" => source.platforms = list(value),
            "tags" => source.tags = list(value),
            _ => source.untold.push(key),
        }
    }
    // Relative to the context, not to the file.
    source.dockerfile =
        source.dockerfile.take().map(|name| Path::new(&source.context).join(name).display().to_string());
    source
}

fn list(value: &Value) -> Vec<String> {
    value.as_sequence().into_iter().flatten().filter_map(scalar).collect()
}

/// A mapping, or a list of `NAME=value` and `NAME`.
fn pairs(value: &Value) -> BTreeMap<String, Option<String>> {
    let pair = |text: String| match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (text, None),
    };
    match value {
        Value::Mapping(all) => all.iter().filter_map(|(k, v)| Some((scalar(k)?, scalar(v)))).collect(),
        _ => list(value).into_iter().map(pair).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_compose_prints_is_handed_on_and_the_rest_is_named() {
        let printed = br#"{"group":{"default":{"targets":["web"]}},"target":{"web":{"context":"/p/app",
            "contexts":{"res":"/p/res","base":"target:base"},"dockerfile":"/p/app/Dockerfile","args":{"TOKEN":"s3cret","B":null},
            "labels":{"l":"x"},"tags":["acme/web:2","shop-web"],"cache-from":["type=registry,ref=a/b"],"target":"final",
            "secret":["id=tok,type=file,src=/p/tok"],"ssh":["default=","k=/tmp/key"],"platforms":["linux/arm64"],"pull":true,
            "network":"host","extra-hosts":{"h":"1.2.3.4"},"output":["type=docker"],"novelty":{"a":1}}}}"#;
        let source = read_printed(printed, "web", "compose.yaml").unwrap();
        let options: Vec<String> = source.options.iter().map(|(option, value)| format!("{option} {value}")).collect();
        assert_eq!(
            options,
            [
                "--cache-from type=registry,ref=a/b",
                "--network host",
                "--secret id=tok,type=file,src=/p/tok",
                "--ssh default",
                "--ssh k=/tmp/key",
                "--add-host h:1.2.3.4"
            ]
        );
        assert_eq!(source.untold, ["novelty", "additional_contexts (base is another service)"]);
        assert_eq!((source.context.as_str(), source.target.as_deref(), source.pull), ("/p/app", Some("final"), true));
        assert!(format!("{source:?}").contains("TOKEN") && !format!("{source:?}").contains("s3cret"));
        let error = read_printed(printed, "db", "compose.yaml").unwrap_err();
        assert_eq!(error.to_string(), "db has no build: in compose.yaml");
    }

    #[test]
    fn a_file_by_itself_says_what_needs_no_compose() {
        for (build, expected) in [
            ("./app", ("/p/app", None, vec![])),
            ("{context: app, dockerfile: D, args: [A=1, B]}", ("/p/app", Some("/p/app/D"), vec![])),
            ("{context: 'https://x/y.git', secrets: [t]}", ("https://x/y.git", None, vec!["secrets".to_owned()])),
            ("{target: t}", ("/p", None, vec![])),
        ] {
            let value: Value = yaml_serde::from_str(build).unwrap();
            let source = of_build(&value, Path::new("/p"));
            let seen = (source.context.as_str(), source.dockerfile.as_deref(), source.untold.clone());
            assert_eq!(seen, expected, "{build}");
        }
    }
}
