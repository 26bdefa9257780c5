//! Which engine is meant. In this order: what the user says, `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context,
//! the known runtimes' sockets. A choice that is broken is an error, never a reason to take another engine.

use std::path::{Path, PathBuf};

use silidock_host::Host;

use crate::context::{self, ContextError};
use crate::endpoint::{Endpoint, EndpointError};
use crate::runtime::Runtime;
use crate::sockets::{Place, places};

/// Who named an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The user, by an argument.
    Explicit,
    /// The variable `DOCKER_HOST`.
    DockerHost,
    /// The variable `DOCKER_CONTEXT`.
    DockerContext,
    /// The docker command's current context, or in a list: any context.
    Context,
    /// Nobody: the socket of a known runtime.
    KnownSocket,
}

/// An engine to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A name to show and to choose it by: a context, a runtime or the address.
    pub name: String,
    /// Its address.
    pub endpoint: Endpoint,
    /// The Docker context it comes from.
    pub context: Option<String>,
    /// Who named it.
    pub origin: Origin,
    /// The same in words: `the current Docker context is orbstack`.
    pub chosen_by: String,
    /// Where the socket's path leads if it is a link; it names the runtime that owns the socket.
    pub leads_to: Option<PathBuf>,
}

/// A place where an engine is or could be: for a switcher, and to say where was looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The name to choose it by.
    pub name: String,
    /// Its address; `None` for a damaged context.
    pub endpoint: Option<Endpoint>,
    /// Who named it.
    pub origin: Origin,
    /// The runtime whose place this is.
    pub runtime: Option<Runtime>,
    /// Whether the socket is there; `None` for what cannot be seen without connecting.
    pub exists: Option<bool>,
    /// Where the socket's path leads if it is a link.
    pub leads_to: Option<PathBuf>,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// Why no engine could be chosen.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The address that was given makes no sense.
    #[error("{chosen_by}: {source}")]
    Endpoint {
        /// Who gave it.
        chosen_by: String,
        /// What is wrong with it.
        source: EndpointError,
    },
    /// The context that was chosen cannot be used.
    #[error("{chosen_by}: {source}")]
    Context {
        /// Who chose it.
        chosen_by: String,
        /// What is wrong with it.
        source: ContextError,
    },
    /// The docker command's settings cannot be read, so nobody can tell which engine is meant.
    #[error("which Docker context is current cannot be told: {source}")]
    Settings {
        /// What is wrong with them.
        source: ContextError,
    },
    /// The runtime that was named has no socket here.
    #[error("`{name}` is not running here: no socket at {}", shown(looked))]
    NotHere {
        /// The runtime's name.
        name: String,
        /// Where it would be.
        looked: Vec<PathBuf>,
    },
    /// The name is neither a context nor a known runtime.
    #[error("there is no Docker context and no known runtime `{name}`; known are {}", known.join(", "))]
    UnknownName {
        /// The name.
        name: String,
        /// Names that would work.
        known: Vec<String>,
    },
    /// Nobody chose an engine, and no known runtime has a socket here.
    #[error("no engine was found; looked at {}", shown(looked))]
    NothingHere {
        /// Where was looked.
        looked: Vec<PathBuf>,
    },
}

impl ResolveError {
    /// What the user can do, in one sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Endpoint { .. } => {
                "Give an address such as unix:///var/run/docker.sock, tcp://host:2375 or ssh://user@host."
            }
            Self::Context { .. } => {
                "Choose another context with `docker context use`, or name an engine with --engine."
            }
            Self::Settings { .. } => "Repair the file, or name an engine with --engine.",
            Self::NotHere { .. } => "Start it and look again.",
            Self::UnknownName { .. } => "Use one of these names, or an address such as unix:///path/to/docker.sock.",
            Self::NothingHere { .. } => {
                "Start your container runtime, or point at an engine with --engine or DOCKER_HOST."
            }
        }
    }
}

fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Chooses an engine. Nothing is connected to.
///
/// # Errors
/// The choice is broken, or there is nothing to choose from.
pub fn resolve(host: &dyn Host, explicit: Option<&str>) -> Result<Target, ResolveError> {
    if let Some(text) = explicit {
        return named(host, text);
    }
    if let Some(text) = host.env("DOCKER_HOST") {
        return by_address(host, &text, Origin::DockerHost, format!("DOCKER_HOST is {}", safe(&text)));
    }
    if let Some(name) = host.env("DOCKER_CONTEXT") {
        let chosen_by = format!("DOCKER_CONTEXT is {name}");
        return by_context(host, &name, Origin::DockerContext, chosen_by);
    }
    if let Some(name) = context::current_context(host).map_err(|source| ResolveError::Settings { source })? {
        let chosen_by = format!("the current Docker context is {name}");
        return by_context(host, &name, Origin::Context, chosen_by);
    }
    let places = places(host);
    let Some(place) = places.iter().find(|place| place.exists) else {
        return Err(ResolveError::NothingHere { looked: places.into_iter().map(|place| place.path).collect() });
    };
    Ok(by_place(host, place, Origin::KnownSocket, "nothing was chosen, and this socket exists".to_owned()))
}

/// What the user named: an address, a context, a runtime.
fn named(host: &dyn Host, text: &str) -> Result<Target, ResolveError> {
    let chosen_by = format!("you chose {}", safe(text));
    if text.contains("://") || text.starts_with('/') {
        return by_address(host, text, Origin::Explicit, chosen_by);
    }
    match by_context(host, text, Origin::Explicit, chosen_by.clone()) {
        Err(ResolveError::Context { source: ContextError::Missing { .. }, .. }) => {}
        result => return result,
    }
    let places = places(host);
    let of_name: Vec<&Place> = places.iter().filter(|place| place.name == text).collect();
    if let Some(place) = of_name.iter().find(|place| place.exists) {
        return Ok(by_place(host, place, Origin::Explicit, chosen_by));
    }
    if !of_name.is_empty() {
        let looked = of_name.iter().map(|place| place.path.clone()).collect();
        return Err(ResolveError::NotHere { name: text.to_owned(), looked });
    }
    let mut known: Vec<String> = context::contexts(host).into_iter().map(|entry| entry.name).collect();
    known.extend(places.into_iter().map(|place| place.name));
    known.sort();
    known.dedup();
    Err(ResolveError::UnknownName { name: text.to_owned(), known })
}

/// The engine at an address that was written down, with the folder of its TLS files. Without one it is as if somebody named the
/// address now.
///
/// # Errors
/// It is no address.
pub fn recorded(host: &dyn Host, address: &str, tls: Option<&Path>) -> Result<Target, ResolveError> {
    let mut target = by_address(host, address, Origin::Explicit, "it was recorded".to_owned())?;
    if let Some(folder) = tls {
        target.endpoint = target.endpoint.with_tls(context::tls_material(host, folder, false));
    }
    Ok(target)
}

fn by_address(host: &dyn Host, text: &str, origin: Origin, chosen_by: String) -> Result<Target, ResolveError> {
    match text.parse::<Endpoint>() {
        Ok(endpoint) => {
            let endpoint = with_environment_tls(host, endpoint);
            Ok(target(host, endpoint.to_string(), endpoint, None, origin, chosen_by))
        }
        Err(source) => Err(ResolveError::Endpoint { chosen_by, source }),
    }
}

fn by_context(host: &dyn Host, name: &str, origin: Origin, chosen_by: String) -> Result<Target, ResolveError> {
    if name == context::DEFAULT {
        return Ok(target(host, name.to_owned(), Endpoint::default_socket(), None, origin, chosen_by));
    }
    match context::find(host, name) {
        Ok(context) => Ok(target(host, context.name.clone(), context.endpoint, Some(context.name), origin, chosen_by)),
        Err(source) => Err(ResolveError::Context { chosen_by, source }),
    }
}

fn by_place(host: &dyn Host, place: &Place, origin: Origin, chosen_by: String) -> Target {
    target(host, place.name.clone(), Endpoint::Unix(place.path.clone()), None, origin, chosen_by)
}

fn target(
    host: &dyn Host,
    name: String,
    endpoint: Endpoint,
    context: Option<String>,
    origin: Origin,
    chosen_by: String,
) -> Target {
    let leads_to = leads_to(host, &endpoint);
    Target { name, endpoint, context, origin, chosen_by, leads_to }
}

/// Where a socket leads if it is a link. That a folder above it is one (`/var` on every Mac) says nothing.
fn leads_to(host: &dyn Host, endpoint: &Endpoint) -> Option<PathBuf> {
    let Endpoint::Unix(path) = endpoint else {
        return None;
    };
    let real = host.real_path(path).ok()?;
    let folder = host.real_path(path.parent()?).ok()?;
    (real != folder.join(path.file_name()?)).then_some(real)
}

/// `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH`, as the docker command reads them.
fn with_environment_tls(host: &dyn Host, endpoint: Endpoint) -> Endpoint {
    let wanted = match &endpoint {
        Endpoint::Tcp { .. } => host.env("DOCKER_TLS_VERIFY").is_some(),
        Endpoint::Tls { .. } => true,
        Endpoint::Unix(_) | Endpoint::Ssh { .. } => false,
    };
    let folder = host.env("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| silidock_host::docker_config_dir(host));
    match folder {
        Some(folder) if wanted => endpoint.with_tls(context::tls_material(host, &folder, false)),
        _ => endpoint,
    }
}

/// An address in a message: without what could be a password.
fn safe(text: &str) -> String {
    text.parse::<Endpoint>().map_or_else(|_| crate::endpoint::without_password(text), |endpoint| endpoint.to_string())
}

/// Where nobody chose an engine: the other sockets that exist, in the table's order.
pub(crate) fn fallbacks(host: &dyn Host, tried: &Target) -> Vec<Target> {
    if tried.origin != Origin::KnownSocket {
        return Vec::new();
    }
    let reason = format!("nothing was chosen, and {} does not answer", tried.endpoint);
    let others = places(host).into_iter().filter(|place| place.exists);
    let others = others.map(|place| by_place(host, &place, Origin::KnownSocket, reason.clone()));
    others.filter(|other| other.endpoint != tried.endpoint).collect()
}

/// Every engine that could be chosen here, and every place where one was looked for: `DOCKER_HOST`, the contexts,
/// the known runtimes' sockets. Each address is named once, by the first that names it.
#[must_use]
pub fn list_targets(host: &dyn Host) -> Vec<Candidate> {
    let mut list: Vec<Candidate> = Vec::new();
    if let Some(text) = host.env("DOCKER_HOST") {
        let found = by_address(host, &text, Origin::DockerHost, String::new());
        list.push(match found {
            Ok(target) => candidate(host, "DOCKER_HOST".to_owned(), target.endpoint, Origin::DockerHost, None),
            Err(error) => damaged("DOCKER_HOST".to_owned(), Origin::DockerHost, error.to_string()),
        });
    }
    for entry in context::contexts(host) {
        list.push(match entry.context {
            Ok(context) => candidate(host, entry.name, context.endpoint, Origin::Context, None),
            Err(error) => damaged(entry.name, Origin::Context, error.to_string()),
        });
    }
    for place in places(host) {
        let endpoint = Endpoint::Unix(place.path);
        match list.iter_mut().find(|known| known.endpoint.as_ref() == Some(&endpoint)) {
            Some(known) => known.runtime = known.runtime.or(place.runtime),
            None => list.push(candidate(host, place.name, endpoint, Origin::KnownSocket, place.runtime)),
        }
    }
    list
}

fn candidate(host: &dyn Host, name: String, endpoint: Endpoint, origin: Origin, runtime: Option<Runtime>) -> Candidate {
    let exists = match &endpoint {
        Endpoint::Unix(path) => Some(host.exists(path)),
        _ => None,
    };
    let leads_to = leads_to(host, &endpoint);
    Candidate { name, endpoint: Some(endpoint), origin, runtime, exists, leads_to, problem: None }
}

fn damaged(name: String, origin: Origin, problem: String) -> Candidate {
    Candidate { name, endpoint: None, origin, runtime: None, exists: None, leads_to: None, problem: Some(problem) }
}
