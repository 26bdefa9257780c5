//! Questions and answers as bytes over bollard's transports, every one under a time limit, and the one place where
//! a failure is told apart. What the bytes mean is not known here.

use std::error::Error as _;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bollard::container::AttachContainerResults;
use bollard::errors::Error;
use bollard::{ClientVersion, Docker};
use futures_util::{Stream, StreamExt};
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, header};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::client::ConnectOptions;
use crate::endpoint::{Endpoint, TlsMaterial, authority};
use crate::error::{Asked, EngineError, one_line};
use crate::ssh::{AT_ONCE, Carried, Dialer};

/// More than any real answer; 10,000 images are some 30 MB.
const LONGEST_ANSWER: usize = 256 * 1024 * 1024;

/// bollard's own limit covers only the time up to the headers, and it has one for all calls. Ours are outside of it.
const NO_LIMIT: u64 = 365 * 24 * 3600;

/// bollard puts a version into each path; the whole path is replaced here, so its value does not matter.
const ANY_VERSION: ClientVersion = ClientVersion { major_version: 1, minor_version: 40 };

/// What is sent with a request that is more than a question.
#[derive(Clone)]
pub(crate) struct Sent {
    pub method: Method,
    pub content_type: &'static str,
    pub body: Vec<u8>,
    /// What goes into `X-Registry-Auth`, for a pull.
    pub login: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Wire {
    docker: Docker,
    endpoint: String,
}

impl Wire {
    /// Opens a connection to see that somebody listens. Nothing is sent yet.
    pub async fn open(endpoint: &Endpoint, options: &ConnectOptions) -> Result<Self, EngineError> {
        let name = endpoint.to_string();
        let built = match endpoint {
            Endpoint::Unix(path) => {
                reach_socket(&name, path, options.connect).await?;
                Docker::connect_with_unix(&path.to_string_lossy(), NO_LIMIT, &ANY_VERSION)
            }
            Endpoint::Tcp { host, port } => {
                reach_port(&name, host, *port, options.connect).await?;
                Docker::connect_with_http(&authority(host, *port), NO_LIMIT, &ANY_VERSION)
            }
            Endpoint::Tls { host, port, material } => {
                reach_port(&name, host, *port, options.connect).await?;
                crate::init();
                connect_tls(&authority(host, *port), material)
            }
            Endpoint::Ssh { user, host, port, socket } => {
                let dialer = Dialer {
                    program: options.ssh_program.clone(),
                    search_path: options.search_path.clone(),
                    user: user.clone(),
                    host: host.clone(),
                    port: *port,
                    socket: socket.clone(),
                    connect: options.connect,
                    starting: Arc::new(Semaphore::new(AT_ONCE)),
                };
                let transport = move |request| dialer.clone().request(request);
                Docker::connect_with_custom_transport(transport, Some("http://docker"), NO_LIMIT, &ANY_VERSION)
            }
        };
        match built {
            Ok(docker) => Ok(Self { docker, endpoint: name }),
            Err(error) => Err(classify(&name, Asked("connecting", ""), error)),
        }
    }

    /// bollard's own client, for the calls that it has, with another version in front of each path.
    pub fn docker_of(&self, version: &str) -> Docker {
        let version = version.to_owned();
        self.docker.clone().with_request_modifier(move |mut request| {
            let mut parts = std::mem::take(request.uri_mut()).into_parts();
            let path = parts.path_and_query.as_ref().map_or("/", PathAndQuery::as_str);
            let unversioned = path.strip_prefix("/v").and_then(|rest| rest.split_once('/')).map(|(_, rest)| rest);
            // What bollard made is valid, and a number in it stays so.
            if let Some(wanted) = unversioned.and_then(|rest| format!("{version}/{rest}").parse().ok()) {
                parts.path_and_query = Some(wanted);
            }
            *request.uri_mut() = http::Uri::from_parts(parts).unwrap_or_default();
            request
        })
    }

    /// The answer's body in pieces. bollard has no call for an arbitrary question, but its image export hands a
    /// body through unread and a request modifier may change where the request goes.
    pub fn stream(&self, path: &str) -> impl Stream<Item = Result<impl AsRef<[u8]> + use<>, Error>> + Send + use<> {
        self.exchange(path, None)
    }

    /// The same for any request.
    pub fn exchange(
        &self,
        path: &str,
        sent: Option<Sent>,
    ) -> impl Stream<Item = Result<impl AsRef<[u8]> + use<>, Error>> + Send + use<> {
        let wanted: Result<PathAndQuery, _> = path.parse();
        let docker = self.docker.clone();
        futures_util::stream::once(async move {
            let wanted = wanted?;
            let docker = docker.with_request_modifier(move |mut request| {
                let mut parts = std::mem::take(request.uri_mut()).into_parts();
                parts.path_and_query = Some(wanted.clone());
                // Scheme and authority were valid before, and so they are with another path.
                *request.uri_mut() = http::Uri::from_parts(parts).unwrap_or_default();
                if let Some(sent) = &sent {
                    *request.method_mut() = sent.method.clone();
                    let content_type = HeaderValue::from_static(sent.content_type);
                    request.headers_mut().insert(header::CONTENT_TYPE, content_type);
                    if let Some(mut login) = sent.login.as_ref().and_then(|login| HeaderValue::from_str(login).ok()) {
                        login.set_sensitive(true);
                        request.headers_mut().insert("x-registry-auth", login);
                    }
                    *request.body_mut() = bollard::body_full(sent.body.clone().into());
                }
                request
            });
            Ok(docker.export_image("silidock"))
        })
        .flat_map(|opened| match opened {
            Ok(body) => body.left_stream(),
            Err(error) => futures_util::stream::iter([Err(error)]).right_stream(),
        })
    }

    /// Opens the streams of a container, to talk to what runs in it. bollard's own path is replaced, as in `exchange`.
    pub async fn attach(&self, path: &str) -> Result<AttachContainerResults, Error> {
        let wanted: PathAndQuery = path.parse()?;
        let docker = self.docker.clone().with_request_modifier(move |mut request| {
            let mut parts = std::mem::take(request.uri_mut()).into_parts();
            parts.path_and_query = Some(wanted.clone());
            // Scheme and authority were valid before, and so they are with another path.
            *request.uri_mut() = http::Uri::from_parts(parts).unwrap_or_default();
            request
        });
        docker.attach_container("silidock", None).await
    }

    /// The whole answer to a question.
    pub async fn get(&self, path: &str, asked: Asked<'_>, limit: Duration) -> Result<Vec<u8>, EngineError> {
        self.send(path, None, asked, limit).await
    }

    /// The whole answer to any request.
    pub async fn send(
        &self,
        path: &str,
        sent: Option<Sent>,
        asked: Asked<'_>,
        limit: Duration,
    ) -> Result<Vec<u8>, EngineError> {
        let collecting = async {
            let mut body = std::pin::pin!(self.exchange(path, sent));
            let mut bytes = Vec::new();
            while let Some(piece) = body.next().await {
                bytes.extend_from_slice(piece.map_err(|error| self.failed(asked, error))?.as_ref());
                if bytes.len() > LONGEST_ANSWER {
                    return Err(self.unreadable(asked, format!("it is longer than {LONGEST_ANSWER} bytes")));
                }
            }
            Ok(bytes)
        };
        timeout(limit, collecting).await.unwrap_or_else(|_| Err(self.late(asked, limit)))
    }

    /// An answer that did not come in time.
    pub fn late(&self, asked: Asked<'_>, after: Duration) -> EngineError {
        EngineError::TimedOut { endpoint: self.endpoint.clone(), during: asked.to_string(), after }
    }

    /// An error of bollard in this crate's words.
    pub fn failed(&self, asked: Asked<'_>, error: Error) -> EngineError {
        classify(&self.endpoint, asked, error)
    }

    /// An answer that makes no sense.
    pub fn unreadable(&self, asked: Asked<'_>, why: String) -> EngineError {
        EngineError::BadAnswer { endpoint: self.endpoint.clone(), during: asked.to_string(), why }
    }

    /// A stream that ended although it never should.
    pub fn gone(&self, asked: Asked<'_>) -> EngineError {
        EngineError::Gone { endpoint: self.endpoint.clone(), during: asked.to_string() }
    }

    /// Address of the engine.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

async fn reach_socket(endpoint: &str, path: &Path, limit: Duration) -> Result<(), EngineError> {
    match timeout(limit, UnixStream::connect(path)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(source)) if source.kind() == io::ErrorKind::NotFound => {
            Err(EngineError::NoSocket { endpoint: endpoint.to_owned(), path: path.to_owned(), source })
        }
        Ok(Err(source)) => Err(of_io(endpoint, Asked("connecting", ""), source)),
        Err(_) => Err(no_connection(endpoint, limit)),
    }
}

async fn reach_port(endpoint: &str, host: &str, port: u16, limit: Duration) -> Result<(), EngineError> {
    match timeout(limit, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(source)) => Err(of_io(endpoint, Asked("connecting", ""), source)),
        Err(_) => Err(no_connection(endpoint, limit)),
    }
}

fn no_connection(endpoint: &str, limit: Duration) -> EngineError {
    EngineError::TimedOut { endpoint: endpoint.to_owned(), during: "connecting".to_owned(), after: limit }
}

fn connect_tls(address: &str, material: &TlsMaterial) -> Result<Docker, Error> {
    // bollard wants three paths. An empty file in place of the authority leaves the system's own ones, and a
    // missing certificate of ours means that none is sent.
    let none = Path::new("/dev/null");
    let or_none = |path: &Option<std::path::PathBuf>| path.clone().unwrap_or_else(|| none.to_owned());
    let (key, cert, ca) = (or_none(&material.key), or_none(&material.cert), or_none(&material.ca));
    Docker::connect_with_ssl(address, &key, &cert, &ca, NO_LIMIT, &ANY_VERSION)
}

/// Tells failures apart: by bollard's variant where it has one, else by what lies at the bottom of its causes.
fn classify(endpoint: &str, asked: Asked<'_>, error: Error) -> EngineError {
    let tls = |why: String| EngineError::Tls { endpoint: endpoint.to_owned(), why };
    match error {
        Error::DockerResponseServerError { status_code, message } => of_status(endpoint, asked, status_code, &message),
        Error::CertPathError { path } => tls(format!("cannot read {}", path.display())),
        Error::CertParseError { path } => tls(format!("{} holds no usable certificate or key", path.display())),
        Error::CertMultipleKeys { count, path } => tls(format!("{} holds {count} keys instead of one", path.display())),
        Error::LoadNativeCertsErrors { .. } | Error::NoNativeCertsError { .. } => {
            tls("the system's certificates cannot be read".to_owned())
        }
        Error::SocketNotFoundError(path) => EngineError::NoSocket {
            endpoint: endpoint.to_owned(),
            path: path.into(),
            source: io::Error::from(io::ErrorKind::NotFound),
        },
        Error::IOError { err } => of_io(endpoint, asked, err),
        other => of_causes(endpoint, asked, &other),
    }
}

fn of_status(endpoint: &str, asked: Asked<'_>, code: u16, message: &str) -> EngineError {
    let message = one_line(message);
    // Go's own words for plain HTTP on a TLS port.
    if code == 400 && message.contains("HTTP request to an HTTPS server") {
        return EngineError::Tls {
            endpoint: endpoint.to_owned(),
            why: "the engine wants TLS, but none is set up here".to_owned(),
        };
    }
    EngineError::Status { endpoint: endpoint.to_owned(), during: asked.to_string(), code, message }
}

fn of_causes(endpoint: &str, asked: Asked<'_>, error: &Error) -> EngineError {
    let mut cause = error.source();
    while let Some(current) = cause {
        if let Some(hyper) = current.downcast_ref::<hyper::Error>() {
            if hyper.is_parse() || hyper.is_parse_status() || hyper.is_parse_too_large() {
                let why = "its answer is not HTTP".to_owned();
                return EngineError::NotDocker { endpoint: endpoint.to_owned(), why };
            }
            if hyper.is_incomplete_message() || hyper.is_canceled() || hyper.is_closed() {
                return EngineError::Gone { endpoint: endpoint.to_owned(), during: asked.to_string() };
            }
        }
        if let Some(error) = current.downcast_ref::<io::Error>() {
            if let Some(known) = of_carried(endpoint, error) {
                return known;
            }
            // The error itself is owned by the chain; its kind and words are what matters.
            return of_io(endpoint, asked, io::Error::new(error.kind(), error.to_string()));
        }
        cause = current.source();
    }
    EngineError::BadAnswer {
        endpoint: endpoint.to_owned(),
        during: asked.to_string(),
        why: one_line(&error.to_string()),
    }
}

/// An io error that only carries another crate's error.
fn of_carried(endpoint: &str, error: &io::Error) -> Option<EngineError> {
    let inner = error.get_ref()?;
    // TLS wraps its error twice.
    if let Some(nested) = inner.downcast_ref::<io::Error>() {
        return of_carried(endpoint, nested);
    }
    if let Some(Carried(failure)) = inner.downcast_ref::<Carried>() {
        return Some(EngineError::Ssh { endpoint: endpoint.to_owned(), source: failure.clone() });
    }
    let tls = inner.downcast_ref::<rustls::Error>()?;
    Some(EngineError::Tls { endpoint: endpoint.to_owned(), why: crate::tls::in_words(tls) })
}

fn of_io(endpoint: &str, asked: Asked<'_>, source: io::Error) -> EngineError {
    if let Some(known) = of_carried(endpoint, &source) {
        return known;
    }
    let endpoint = endpoint.to_owned();
    match source.kind() {
        io::ErrorKind::PermissionDenied => EngineError::Permission { endpoint, source },
        io::ErrorKind::ConnectionRefused => EngineError::Refused { endpoint, source },
        io::ErrorKind::NotFound => {
            let path = endpoint.trim_start_matches("unix://").into();
            EngineError::NoSocket { endpoint, path, source }
        }
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::UnexpectedEof => EngineError::Gone { endpoint, during: asked.to_string() },
        _ => EngineError::Unreachable { endpoint, source },
    }
}

/// A name as one part of a path: everything that would end the part or change its meaning is escaped.
pub(crate) fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/@+".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    type Expected = fn(&EngineError) -> bool;

    /// Failures that a test running as root cannot bring about, and those that only some systems report.
    #[test]
    fn failures_of_the_system() {
        let table: [(io::ErrorKind, Expected); 7] = [
            (io::ErrorKind::PermissionDenied, |e| matches!(e, EngineError::Permission { .. })),
            (io::ErrorKind::ConnectionRefused, |e| matches!(e, EngineError::Refused { .. })),
            (io::ErrorKind::NotFound, |e| matches!(e, EngineError::NoSocket { path, .. } if path == Path::new("/x"))),
            (io::ErrorKind::ConnectionReset, |e| matches!(e, EngineError::Gone { .. })),
            (io::ErrorKind::BrokenPipe, |e| matches!(e, EngineError::Gone { .. })),
            (io::ErrorKind::HostUnreachable, |e| matches!(e, EngineError::Unreachable { .. })),
            (io::ErrorKind::InvalidInput, |e| matches!(e, EngineError::Unreachable { .. })),
        ];
        for (kind, expected) in table {
            let error = classify("unix:///x", Asked("the test", ""), Error::from(io::Error::from(kind)));
            assert!(expected(&error), "{kind}: {error:?}");
        }
        let untrusted = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let error =
            classify("https://x:1", Asked("the test", ""), Error::from(io::Error::other(io::Error::other(untrusted))));
        assert!(
            matches!(&error, EngineError::Tls { why, .. } if why.contains("no authority that is trusted here")),
            "{error:?}"
        );
    }

    #[test]
    fn names_stay_one_part_of_a_path() {
        let table = [
            ("sha256:0a", "sha256:0a"),
            ("ghcr.io/a/b:1@sha256:0a", "ghcr.io/a/b:1@sha256:0a"),
            ("a?b#c%d e\n", "a%3Fb%23c%25d%20e%0A"),
            ("\u{202e}", "%E2%80%AE"),
        ];
        for (name, expected) in table {
            assert_eq!(escaped(name), expected);
        }
    }
}
