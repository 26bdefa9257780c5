//! A build as one command of buildx: `docker buildx build` with everything that the source asks for. Not `docker compose
//! build`: that tells no steps as data, takes no other platforms than its file says, and tags and pushes by itself.
//!
//! Values of build arguments go by the environment of the child and stand on no command line.

use silidock_engine::DockerClient;
use silidock_host::ToolRun;
use silidock_observe::build_source::BuildSource;

use super::wire::RebuildOutput;

/// Builds end when they end; one that does nothing for so long does not.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(12 * 3600);

/// Variables that change what the Docker command itself does. Arguments of such names stand on its command line.
const OWN: [&str; 7] = ["PATH", "HOME", "SSH_AUTH_SOCK", "TMPDIR", "USER", "PWD", "LANG"];
const OWN_PREFIXES: [&str; 5] = ["DOCKER_", "BUILDX_", "BUILDKIT_", "COMPOSE_", "OTEL_"];

/// What a build is to make.
pub(super) struct Wanted<'a> {
    pub source: &'a BuildSource,
    pub builder: &'a str,
    pub platforms: &'a [String],
    pub output: RebuildOutput,
    pub target: Option<&'a str>,
}

/// The command as it is shown, and as it is run.
pub(super) fn command(client: &DockerClient, wanted: &Wanted<'_>) -> (Vec<String>, ToolRun) {
    let source = wanted.source;
    let mut words: Vec<(String, Option<String>)> = Vec::new();
    let mut plain = |word: &str| words.push((word.to_owned(), None));
    for word in ["buildx", "build", "--progress", "rawjson", "--builder", wanted.builder, "--platform"] {
        plain(word);
    }
    plain(&wanted.platforms.join(","));
    for tag in &source.tags {
        plain("--tag");
        plain(tag);
    }
    if source.inline.is_some() {
        plain("--file");
        plain("-");
    } else if let Some(file) = &source.dockerfile {
        plain("--file");
        plain(file);
    }
    if let Some(target) = wanted.target.or(source.target.as_deref()) {
        plain("--target");
        plain(target);
    }
    for (name, place) in &source.contexts {
        plain("--build-context");
        plain(&format!("{name}={place}"));
    }
    for (name, value) in &source.labels {
        plain("--label");
        plain(&format!("{name}={value}"));
    }
    for (option, value) in &source.options {
        plain(option);
        plain(value);
    }
    for (wants, word) in [(source.pull, "--pull"), (source.no_cache, "--no-cache")] {
        if wants {
            plain(word);
        }
    }
    plain(match wanted.output {
        RebuildOutput::Load => "--load",
        // As --push, which would also give the name to the result here: what it means on the engine stays as it is.
        RebuildOutput::Push => "--output=type=image,push=true,store=false",
    });
    let mut environment = Vec::new();
    for (name, value) in &source.arguments {
        words.push(("--build-arg".to_owned(), None));
        match value {
            Some(value) if is_own(name) => words.push((format!("{name}={value}"), Some(format!("{name}=...")))),
            Some(value) => {
                environment.push((name.clone(), value.clone()));
                words.push((name.clone(), None));
            }
            None => words.push((name.clone(), None)),
        }
    }
    words.extend([("--".to_owned(), None), (source.context.clone(), None)]);
    let run: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
    let mut tool = client.tool(&run).timeout(LIMIT);
    tool.env.extend(environment);
    if let Some(text) = &source.inline {
        tool = tool.input(text);
    }
    let shown = words.into_iter().map(|(word, shown)| shown.unwrap_or(word));
    (["docker".to_owned()].into_iter().chain(shown).collect(), tool)
}

fn is_own(name: &str) -> bool {
    OWN.contains(&name) || OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
