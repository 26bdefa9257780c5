//! A build as one command of buildx: `docker buildx build` with everything that the source asks for. Not `docker compose
//! build`: that tells no steps as data, takes no other platforms than its file says, and tags and pushes by itself.
//!
//! Values of build arguments go by the environment of the child and stand on no command line, but for those whose names mean
//! something to the Docker command itself: `HTTP_PROXY` there would send the client's own requests elsewhere, `LD_PRELOAD` would
//! load a program into it. buildx has no third way, so these stand on its command line, unless the child has the same value anyway.

use silidock_engine::DockerClient;
use silidock_host::{Host, ToolRun};
use silidock_observe::build_source::BuildSource;

use super::wire::RebuildOutput;

/// Builds end when they end; one that does nothing for so long does not.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(12 * 3600);

/// Variables that change what the Docker command itself, its plugins or what they start (git, ssh, helpers) do, in any case of
/// letters. Not more of them than that: what is called `GIT_TOKEN` changes nothing and is better off in the environment.
const OWN: [&str; 30] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "USER",
    "PWD",
    "LANG",
    "KUBECONFIG",
    "HOSTALIASES",
    "LOCALDOMAIN",
    "RES_OPTIONS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSH_AUTH_SOCK",
    "SSH_ASKPASS",
    "SSH_ASKPASS_REQUIRE",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_ASKPASS",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_EXEC_PATH",
    "GODEBUG",
    "GOGC",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "GOTRACEBACK",
    "GCONV_PATH",
    "ZONEINFO",
];
const OWN_PREFIXES: [&str; 14] = [
    "DOCKER_",
    "BUILDX_",
    "BUILDKIT_",
    "COMPOSE_",
    "OTEL_",
    "LD_",
    "DYLD_",
    "LC_",
    "XDG_",
    "KUBERNETES_",
    "GIT_CONFIG",
    "GIT_SSL_",
    "GIT_PROXY_",
    "GIT_TRACE",
];
/// `HTTP_PROXY`, `no_proxy` and their kin.
const OWN_SUFFIX: &str = "_PROXY";

/// What a build is to make.
pub(super) struct Wanted<'a> {
    pub host: &'a dyn Host,
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
            Some(value) if is_own(name) && wanted.host.env_or_empty(name).as_ref() == Some(value) => {
                words.push((name.clone(), None));
            }
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

/// Build arguments whose values stand on the command line, for whoever may list processes.
pub(super) fn in_sight<'a>(source: &'a BuildSource, host: &dyn Host) -> Vec<&'a str> {
    let given = source.arguments.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let open = given.filter(|(name, value)| is_own(name) && host.env_or_empty(name).as_ref() != Some(value));
    open.map(|(name, _)| name.as_str()).collect()
}

fn is_own(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    OWN.contains(&name.as_str())
        || OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || name.ends_with(OWN_SUFFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_never_changes_the_docker_command_and_is_not_shown() {
        let root = tempfile::tempdir().unwrap();
        let host = silidock_host::FixtureHost::new(root.path()).with_env("https_proxy", "http://proxy:3128");
        let table = [
            // (name, value, in the environment, in sight)
            ("VERSION", Some("1.2"), true, false),
            ("GIT_TOKEN", Some("hunter2"), true, false),
            ("HTTP_PROXY", Some("http://ada:hunter2@proxy"), false, true),
            ("no_proxy", Some("x"), false, true),
            ("https_proxy", Some("http://proxy:3128"), false, false),
            ("SSL_CERT_FILE", Some("x"), false, true),
            ("GIT_SSH_COMMAND", Some("x"), false, true),
            ("LD_PRELOAD", Some("x"), false, true),
            ("DYLD_INSERT_LIBRARIES", Some("x"), false, true),
            ("GODEBUG", Some("x"), false, true),
            ("PATH", Some("x"), false, true),
            ("PATH", None, false, false),
        ];
        for (name, value, inherited, open) in table {
            let arguments = [(name.to_owned(), value.map(str::to_owned))].into();
            let source = BuildSource { arguments, context: "/src".to_owned(), ..BuildSource::default() };
            let (platforms, output) = (["linux/amd64".to_owned()], RebuildOutput::Load);
            let wanted =
                Wanted { host: &host, source: &source, builder: "b", platforms: &platforms, output, target: None };
            let (shown, tool) = command(&DockerClient::at("/docker"), &wanted);
            let value = value.unwrap_or("nothing of the kind");
            assert_eq!(tool.env.iter().any(|(known, given)| known == name && given == value), inherited, "{name}");
            assert_eq!(tool.args.contains(&format!("{name}={value}")), open, "{name}: {:?}", tool.args);
            assert_eq!(!in_sight(&source, &host).is_empty(), open, "{name}");
            assert!(!shown.iter().any(|word| word.contains(value) && value.len() > 1), "{shown:?}");
            assert!(tool.args.iter().any(|word| word.starts_with(name)), "{name} is an argument: {:?}", tool.args);
        }
    }
}
