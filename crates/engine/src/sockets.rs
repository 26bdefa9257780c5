//! Where the known runtimes put their sockets. A table, and the search for what of it exists here.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use silidock_host::Host;

use crate::runtime::Runtime;

/// A place where a runtime puts its socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownSocket {
    /// The runtime; `None` for the place that several of them share.
    pub runtime: Option<Runtime>,
    /// The name to choose it by; a profile or instance other than the default one is added with a dash.
    pub name: &'static str,
    /// The path. `~` is the home folder, `$NAME` a variable that must be set, `*` one profile, instance or machine.
    pub path: &'static str,
    /// What `*` is for the default profile.
    pub default: &'static str,
    /// Where this is known from.
    pub source: &'static str,
}

const fn socket(runtime: Runtime, name: &'static str, path: &'static str, source: &'static str) -> KnownSocket {
    KnownSocket { runtime: Some(runtime), name, path, default: "default", source }
}

/// The places in the order in which they are tried. The first is what the docker command uses by default, so that
/// Silidock speaks to the same engine as the user.
pub const KNOWN_SOCKETS: &[KnownSocket] = &[
    KnownSocket {
        runtime: None,
        name: "default",
        path: "/var/run/docker.sock",
        default: "",
        source: "the docker command's default; on a Mac a link that a runtime claimed",
    },
    socket(
        Runtime::DockerDesktop,
        "docker-desktop",
        "~/.docker/run/docker.sock",
        "Docker's Mac permission requirements",
    ),
    socket(
        Runtime::DockerDesktop,
        "docker-desktop",
        "~/Library/Containers/com.docker.docker/Data/docker-cli.sock",
        "the address Docker Desktop puts into the engine's labels",
    ),
    socket(Runtime::DockerDesktop, "docker-desktop", "~/.docker/desktop/docker.sock", "Docker Desktop for Linux"),
    socket(Runtime::OrbStack, "orbstack", "~/.orbstack/run/docker.sock", "OrbStack's Docker context"),
    socket(Runtime::Colima, "colima", "$COLIMA_HOME/*/docker.sock", "Colima's FAQ"),
    socket(Runtime::Colima, "colima", "~/.colima/*/docker.sock", "Colima's FAQ"),
    socket(Runtime::Colima, "colima", "~/.colima/docker.sock", "Colima up to 0.3.4"),
    socket(Runtime::Colima, "colima", "$XDG_CONFIG_HOME/colima/*/docker.sock", "Colima's config/files.go"),
    socket(Runtime::Colima, "colima", "~/.config/colima/*/docker.sock", "Colima's config/files.go"),
    socket(Runtime::RancherDesktop, "rancher-desktop", "~/.rd/docker.sock", "Rancher Desktop's Docker context"),
    KnownSocket {
        runtime: Some(Runtime::Podman),
        name: "podman",
        path: "$TMPDIR/podman/*-api.sock",
        default: "podman-machine-default",
        source: "Podman's machine/sockets, one per machine",
    },
    socket(
        Runtime::Podman,
        "podman",
        "~/.local/share/containers/podman/machine/podman.sock",
        "the link Podman keeps to its running machine",
    ),
    socket(Runtime::Finch, "finch", "/Applications/Finch/lima/data/finch/sock/finch.sock", "finch-daemon"),
    socket(Runtime::Lima, "lima", "$LIMA_HOME/*/sock/docker.sock", "Lima's docker template"),
    socket(Runtime::Lima, "lima", "~/.lima/*/sock/docker.sock", "Lima's docker template"),
    socket(Runtime::DockerEngine, "rootless", "$XDG_RUNTIME_DIR/docker.sock", "Docker's rootless mode"),
    socket(Runtime::Podman, "podman", "$XDG_RUNTIME_DIR/podman/podman.sock", "Podman's user service on Linux"),
    socket(Runtime::Podman, "podman", "/run/podman/podman.sock", "Podman's system service on Linux"),
];

/// A place of the table on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub runtime: Option<Runtime>,
    pub name: String,
    pub path: PathBuf,
    pub exists: bool,
}

/// Every place of the table here, in the table's order; a `*` gives one per profile folder, at least the default one.
pub(crate) fn places(host: &dyn Host) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for known in KNOWN_SOCKETS {
        for (path, profile) in expand(host, known) {
            if places.iter().any(|place| place.path == path) {
                continue;
            }
            let name = match profile {
                Some(profile) if profile != known.default => format!("{}-{profile}", known.name),
                _ => known.name.to_owned(),
            };
            places.push(Place { runtime: known.runtime, name, exists: host.exists(&path), path });
        }
    }
    places
}

fn expand(host: &dyn Host, known: &KnownSocket) -> Vec<(PathBuf, Option<String>)> {
    let Some(path) = with_base(host, known.path) else { return Vec::new() };
    let parts: Vec<&OsStr> = path.iter().collect();
    let starred = parts.iter().position(|part| part.to_string_lossy().contains('*'));
    let Some(starred) = starred else { return vec![(path, None)] };
    let folder: PathBuf = parts[..starred].iter().collect();
    let rest: PathBuf = parts[starred + 1..].iter().collect();
    let pattern = parts[starred].to_string_lossy();
    let (before, after) = pattern.split_once('*').unwrap_or((&pattern, ""));
    let full = |profile: &str| {
        let part = folder.join(format!("{before}{profile}{after}"));
        if rest.as_os_str().is_empty() { part } else { part.join(&rest) }
    };
    let mut found: Vec<(PathBuf, Option<String>)> = host
        .list_dir(&folder)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|entry| {
            let name = entry.name.to_str()?.to_owned();
            let profile = name.strip_prefix(before)?.strip_suffix(after)?.to_owned();
            // `_lima`, `_config` and the like are a runtime's own folders.
            let is_profile = !profile.is_empty() && !profile.starts_with(['_', '.']);
            (is_profile && (entry.is_dir || rest.as_os_str().is_empty())).then(|| (full(&profile), Some(profile)))
        })
        .collect();
    // A profile's folder often holds no socket; one without is worth naming only if it is the default.
    found.retain(|(path, profile)| profile.as_deref() == Some(known.default) || host.exists(path));
    if found.is_empty() {
        found.push((full(known.default), Some(known.default.to_owned())));
    }
    found
}

fn with_base(host: &dyn Host, path: &str) -> Option<PathBuf> {
    if let Some(rest) = path.strip_prefix("~/") {
        return Some(host.home()?.join(rest));
    }
    if let Some(rest) = path.strip_prefix('$') {
        let (variable, rest) = rest.split_once('/')?;
        let base = PathBuf::from(host.env(variable)?);
        return base.is_absolute().then(|| base.join(rest));
    }
    Some(Path::new(path).to_owned())
}
