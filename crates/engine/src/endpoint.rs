//! Where an engine is: `unix://`, `tcp://`, `http(s)://`, `ssh://` or a bare socket path. Connecting is not done here.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

const PLAIN_PORT: u16 = 2375;
const TLS_PORT: u16 = 2376;

/// The address of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A socket on this machine.
    Unix(PathBuf),
    /// Unencrypted TCP.
    Tcp {
        /// Host name or address, IPv6 without brackets.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// TCP with TLS.
    Tls {
        /// Host name or address, IPv6 without brackets.
        host: String,
        /// TCP port.
        port: u16,
        /// The files that prove who is who.
        material: TlsMaterial,
    },
    /// A login on another machine, where `docker system dial-stdio` is run.
    Ssh {
        /// Login name; `None` leaves it to the ssh settings.
        user: Option<String>,
        /// Host name or an alias of the ssh settings.
        host: String,
        /// TCP port; `None` leaves it to the ssh settings.
        port: Option<u16>,
        /// Socket on the other machine; `None` is its default.
        socket: Option<String>,
    },
}

/// The PEM files of a TLS endpoint. A missing authority means the system's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsMaterial {
    /// The authority that signed the engine's certificate.
    pub ca: Option<PathBuf>,
    /// Our certificate.
    pub cert: Option<PathBuf>,
    /// Our private key.
    pub key: Option<PathBuf>,
    /// The context asks to skip verification. Silidock verifies all the same; this explains a failure.
    pub skip_verify: bool,
}

/// Whether an engine runs on this machine, so that facts of the machine say something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locality {
    /// It does.
    Local,
    /// It does not.
    Remote,
    /// Nobody can tell: a port on this machine may be a tunnel.
    Unknown,
}

/// Why a text is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The text cannot be parsed as an address.
    #[error("`{text}` is not an engine address: {why}")]
    Malformed {
        /// The text without any password.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The scheme is none that Silidock speaks.
    #[error("`{scheme}://` is not supported; use unix://, tcp://, https:// or ssh://")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
}

impl Endpoint {
    /// The socket `docker` uses when nothing is configured.
    #[must_use]
    pub fn default_socket() -> Self {
        Self::Unix(PathBuf::from("/var/run/docker.sock"))
    }

    /// Whether the engine runs on this machine.
    #[must_use]
    pub fn locality(&self) -> Locality {
        match self {
            Self::Unix(_) => Locality::Local,
            Self::Ssh { .. } => Locality::Remote,
            Self::Tcp { host, .. } | Self::Tls { host, .. } => {
                let loopback = host.parse().map(|address: std::net::IpAddr| address.is_loopback());
                if loopback.unwrap_or_else(|_| host.eq_ignore_ascii_case("localhost")) {
                    Locality::Unknown
                } else {
                    Locality::Remote
                }
            }
        }
    }

    /// The address as the Docker command takes it: with TLS, too, it wants `tcp://`, and is told of TLS by other variables.
    #[must_use]
    pub fn for_docker(&self) -> String {
        match self {
            Self::Tls { host, port, .. } => Self::Tcp { host: host.clone(), port: *port }.to_string(),
            other => other.to_string(),
        }
    }

    /// The folder with the files of a TLS endpoint.
    #[must_use]
    pub fn tls_folder(&self) -> Option<&Path> {
        let Self::Tls { material, .. } = self else { return None };
        [&material.ca, &material.cert, &material.key].into_iter().flatten().find_map(|file| file.parent())
    }

    /// The same host and port with TLS; sockets and ssh stay as they are.
    #[must_use]
    pub(crate) fn with_tls(self, material: TlsMaterial) -> Self {
        match self {
            Self::Tcp { host, port } | Self::Tls { host, port, .. } => Self::Tls { host, port, material },
            other => other,
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let malformed = |why| EndpointError::Malformed { text: without_password(text), why };
        if text.starts_with('/') {
            return Ok(Self::Unix(PathBuf::from(text)));
        }
        if let Some(path) = text.strip_prefix("unix://") {
            let absolute = path.starts_with('/').then(|| Self::Unix(PathBuf::from(path)));
            return absolute.ok_or_else(|| malformed("the socket's path must be absolute"));
        }
        if !text.contains("://") {
            return Err(malformed("it has no scheme such as unix:// or tcp://"));
        }
        let url = Url::parse(text).map_err(|_| malformed("it is not a URL"))?;
        let scheme = url.scheme();
        if !matches!(scheme, "tcp" | "http" | "https" | "ssh") {
            return Err(EndpointError::Scheme { scheme: scheme.to_owned() });
        }
        if url.password().is_some() {
            return Err(malformed("a password does not belong into an address"));
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| malformed("it names no host"))?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let path = Some(url.path()).filter(|path| !matches!(*path, "" | "/")).map(str::to_owned);
        let user = Some(url.username()).filter(|user| !user.is_empty()).map(str::to_owned);
        if scheme == "ssh" {
            return Ok(Self::Ssh { user, host, port: url.port(), socket: path });
        }
        if path.is_some() {
            return Err(malformed("a path after host and port is not supported"));
        }
        Ok(match scheme {
            "tcp" => Self::Tcp { host, port: url.port().unwrap_or(PLAIN_PORT) },
            "http" => Self::Tcp { host, port: url.port_or_known_default().unwrap_or(PLAIN_PORT) },
            _ => {
                let port = url.port_or_known_default().unwrap_or(TLS_PORT);
                Self::Tls { host, port, material: TlsMaterial::default() }
            }
        })
    }
}

/// A text that goes into an error message, with anything between `//` and `@` gone.
pub(crate) fn without_password(text: &str) -> String {
    match (text.find("//"), text.rfind('@')) {
        (Some(start), Some(end)) if start < end => format!("{}//...{}", &text[..start], &text[end..]),
        _ => text.to_owned(),
    }
}

/// Host and port as they stand in a URL.
pub(crate) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } => write!(f, "tcp://{}", authority(host, *port)),
            Self::Tls { host, port, .. } => write!(f, "https://{}", authority(host, *port)),
            Self::Ssh { user, host, port, socket } => {
                f.write_str("ssh://")?;
                if let Some(user) = user {
                    write!(f, "{user}@")?;
                }
                match port {
                    Some(port) => f.write_str(&authority(host, *port))?,
                    None if host.contains(':') => write!(f, "[{host}]")?,
                    None => f.write_str(host)?,
                }
                f.write_str(socket.as_deref().unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_how_they_are_shown() {
        use Locality::{Local, Remote, Unknown};
        let table = [
            ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock", Local),
            ("/tmp/a b.sock", "unix:///tmp/a b.sock", Local),
            (" tcp://10.0.0.5:2375 ", "tcp://10.0.0.5:2375", Remote),
            ("tcp://builder", "tcp://builder:2375", Remote),
            ("tcp://127.0.0.1:9", "tcp://127.0.0.1:9", Unknown),
            ("tcp://localhost", "tcp://localhost:2375", Unknown),
            ("tcp://[::1]:9/", "tcp://[::1]:9", Unknown),
            ("http://builder:80", "tcp://builder:80", Remote),
            ("https://builder:2376", "https://builder:2376", Remote),
            ("https://builder", "https://builder:443", Remote),
            ("ssh://builder", "ssh://builder", Remote),
            ("ssh://ada@localhost:22", "ssh://ada@localhost:22", Remote),
            ("ssh://[fe80::1]/run/docker.sock", "ssh://[fe80::1]/run/docker.sock", Remote),
        ];
        for (text, shown, locality) in table {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.to_string().as_str(), endpoint.locality()), (shown, locality), "{text}");
            assert_eq!(shown.parse::<Endpoint>().unwrap(), endpoint, "what is shown can be given back");
        }
    }

    #[test]
    fn texts_that_are_no_address() {
        let table = [
            "",
            "docker.sock",
            "unix://relative.sock",
            "tcp://",
            "tcp://host:99999",
            "tcp://host/path",
            "://x",
            "npipe:////./pipe/docker_engine",
            "fd://",
            "ftp://host",
            "tcp://ada:hunter2@host",
            "ssh://ada:hunter2@host",
        ];
        for text in table {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert!(matches!("fd://".parse::<Endpoint>(), Err(EndpointError::Scheme { scheme }) if scheme == "fd"));
    }
}
