//! Docker contexts, read from the files the docker command keeps: which there are, which is current, where each leads.
//! A damaged one is an entry with an error; the others are not affected.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use silidock_host::{Host, ReadError, docker_config_dir};

use crate::endpoint::{Endpoint, EndpointError, TlsMaterial};
use crate::json::{null_is_default, reason};

/// The name that stands for "no context".
pub(crate) const DEFAULT: &str = "default";
const FILE_LIMIT: usize = 4 * 1024 * 1024;

/// A Docker context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// What its maker wrote about it.
    pub description: Option<String>,
    /// Where its engine is.
    pub endpoint: Endpoint,
}

/// A context or what is wrong with it.
#[derive(Debug)]
pub struct ContextEntry {
    /// Its name; the folder's name where the file does not tell.
    pub name: String,
    /// The context, if it can be used.
    pub context: Result<Context, ContextError>,
}

/// Why a context cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// There is none of this name.
    #[error("there is no Docker context `{name}` ({} is missing)", path.display())]
    Missing {
        /// The context's name.
        name: String,
        /// The file that would hold it.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file holds something else than it should.
    #[error("{} is damaged: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The context is for something else than Docker.
    #[error("the context `{name}` has no Docker endpoint ({})", path.display())]
    NoEndpoint {
        /// The context's name.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// Its address cannot be used.
    #[error("the context `{name}` has a bad address: {source} ({})", path.display())]
    Endpoint {
        /// The context's name.
        name: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with the address.
        source: EndpointError,
    },
}

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(rename = "currentContext", default, deserialize_with = "null_is_default")]
    current_context: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetaFile {
    name: String,
    #[serde(default, deserialize_with = "null_is_default")]
    metadata: Metadata,
    #[serde(default, deserialize_with = "null_is_default")]
    endpoints: Endpoints,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    #[serde(default, deserialize_with = "null_is_default")]
    description: String,
}

#[derive(Default, Deserialize)]
struct Endpoints {
    docker: Option<DockerEndpoint>,
}

#[derive(Deserialize)]
struct DockerEndpoint {
    #[serde(rename = "Host", default, deserialize_with = "null_is_default")]
    host: String,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_tls_verify: bool,
}

/// The current context's name; `None` when none is set or it is `default`.
///
/// # Errors
/// The settings exist but cannot be read, so nobody can tell which engine is meant.
pub fn current_context(host: &dyn Host) -> Result<Option<String>, ContextError> {
    let Some(folder) = docker_config_dir(host) else { return Ok(None) };
    let path = folder.join("config.json");
    let bytes = match host.read(&path, FILE_LIMIT) {
        Err(error) if error.is_missing() => return Ok(None),
        result => result?,
    };
    let config: ConfigFile = parse(&path, &bytes)?;
    Ok(Some(config.current_context).filter(|name| !name.is_empty() && name != DEFAULT))
}

/// All contexts that have a folder, sorted by name. `default` is none of them.
#[must_use]
pub fn contexts(host: &dyn Host) -> Vec<ContextEntry> {
    let Some(folder) = docker_config_dir(host) else { return Vec::new() };
    let folders = host.list_dir(&folder.join("contexts/meta")).unwrap_or_default();
    let mut entries: Vec<ContextEntry> = folders
        .into_iter()
        .filter(|entry| entry.is_dir)
        .map(|entry| {
            let id = entry.name.to_string_lossy().into_owned();
            let context = read(host, &folder, &id, None);
            let name = context.as_ref().map_or(id, |context| context.name.clone());
            ContextEntry { name, context }
        })
        .collect();
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    entries
}

/// The context of a name.
pub(crate) fn find(host: &dyn Host, name: &str) -> Result<Context, ContextError> {
    let id: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let Some(folder) = docker_config_dir(host) else {
        return Err(ContextError::Missing { name: name.to_owned(), path: PathBuf::from("~/.docker") });
    };
    read(host, &folder, &id, Some(name))
}

fn read(host: &dyn Host, folder: &Path, id: &str, wanted: Option<&str>) -> Result<Context, ContextError> {
    let path = folder.join("contexts/meta").join(id).join("meta.json");
    let bytes = match (host.read(&path, FILE_LIMIT), wanted) {
        (Err(error), Some(name)) if error.is_missing() => {
            return Err(ContextError::Missing { name: name.to_owned(), path });
        }
        (result, _) => result?,
    };
    let meta: MetaFile = parse(&path, &bytes)?;
    let name = meta.name;
    let Some(docker) = meta.endpoints.docker else { return Err(ContextError::NoEndpoint { name, path }) };
    let endpoint = if docker.host.is_empty() {
        Endpoint::default_socket()
    } else {
        match docker.host.parse::<Endpoint>() {
            Ok(endpoint) => endpoint,
            Err(source) => return Err(ContextError::Endpoint { name, path, source }),
        }
    };
    let material = tls_material(host, &folder.join("contexts/tls").join(id).join("docker"), docker.skip_tls_verify);
    let wants_tls = matches!(endpoint, Endpoint::Tls { .. }) || material != TlsMaterial::default();
    let endpoint = if wants_tls { endpoint.with_tls(material) } else { endpoint };
    let description = Some(meta.metadata.description).filter(|text| !text.is_empty());
    Ok(Context { name, description, endpoint })
}

/// The TLS files that exist in a folder.
pub(crate) fn tls_material(host: &dyn Host, folder: &Path, skip_verify: bool) -> TlsMaterial {
    let existing = |name| Some(folder.join(name)).filter(|path: &PathBuf| host.exists(path));
    TlsMaterial { ca: existing("ca.pem"), cert: existing("cert.pem"), key: existing("key.pem"), skip_verify }
}

fn parse<'a, T: Deserialize<'a>>(path: &Path, bytes: &'a [u8]) -> Result<T, ContextError> {
    serde_json::from_slice(bytes).map_err(|error| ContextError::Damaged { path: path.to_owned(), why: reason(&error) })
}
