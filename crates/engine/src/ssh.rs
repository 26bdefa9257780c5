//! Reaching an engine through `ssh HOST docker system dial-stdio`, as the docker command does it. ssh is never
//! allowed to ask, and so never adds a host key to the user's list: looking changes nothing.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bollard::BollardRequest;
use bollard::errors::Error;
use http::{HeaderValue, Response, Uri, header};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::Semaphore;

use crate::error::{SshFailure, one_line};

/// Nothing is asked, no host key is learned, nothing stays behind and no port opens, whatever the user's settings say.
const QUIET: [&str; 5] =
    ["BatchMode=yes", "UpdateHostKeys=no", "ControlMaster=no", "ClearAllForwardings=yes", "PermitLocalCommand=no"];

const STDERR_LIMIT: u64 = 16 * 1024;

/// One way to reach one login.
#[derive(Debug, Clone)]
pub(crate) struct Dialer {
    pub program: PathBuf,
    pub search_path: Option<OsString>,
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
    pub socket: Option<String>,
    pub connect: Duration,
    /// Connections that are being made: sshd turns away logins (MaxStartups) where more than ten begin at once.
    pub starting: Arc<Semaphore>,
}

/// So many connections are made at once, well below what sshd takes.
pub(crate) const AT_ONCE: usize = 4;

/// A [`SshFailure`] on its way through bollard's error type.
#[derive(Debug)]
pub(crate) struct Carried(pub SshFailure);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Carried {}

impl From<SshFailure> for Error {
    fn from(failure: SshFailure) -> Self {
        Self::IOError { err: io::Error::other(Carried(failure)) }
    }
}

impl Dialer {
    fn arguments(&self) -> Vec<String> {
        let mut args = vec!["-T".to_owned()];
        for option in QUIET {
            args.extend(["-o".to_owned(), option.to_owned()]);
        }
        args.push("-o".to_owned());
        args.push(format!("ConnectTimeout={}", self.connect.as_secs().max(1)));
        if let Some(user) = &self.user {
            args.extend(["-l".to_owned(), user.clone()]);
        }
        if let Some(port) = self.port {
            args.extend(["-p".to_owned(), port.to_string()]);
        }
        args.extend(["--".to_owned(), self.host.clone(), "docker".to_owned()]);
        if let Some(socket) = &self.socket {
            // ssh hands the words to a shell on the other side, so the path is quoted for it.
            args.extend(["--host".to_owned(), format!("'unix://{}'", socket.replace('\'', r"'\''"))]);
        }
        args.extend(["system".to_owned(), "dial-stdio".to_owned()]);
        args
    }

    fn spawn(&self) -> Result<Child, Error> {
        let mut command = Command::new(&self.program);
        if let Some(path) = &self.search_path {
            command.env("PATH", path);
        }
        let child = command
            .args(self.arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        child.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => SshFailure::NoProgram.into(),
            _ => Error::from(error),
        })
    }

    /// Sends one request over a connection of its own.
    pub async fn request(self, request: BollardRequest) -> Result<Response<Incoming>, Error> {
        // Held until the other side has answered, and so let us in. A closed one cannot be: nobody closes it.
        let _turn = self.starting.acquire().await;
        let mut child = self.spawn()?;
        let (Some(stdin), Some(stdout), Some(mut stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        };
        let complaint = tokio::spawn(async move {
            let mut bytes = Vec::new();
            // What was read before a failure is still worth showing.
            let _ = (&mut stderr).take(STDERR_LIMIT).read_to_end(&mut bytes).await;
            one_line(&String::from_utf8_lossy(&bytes))
        });
        let reader = Reader { stdout, _child: child };
        let (mut sender, connection) = http1::handshake(TokioIo::new(tokio::io::join(reader, stdin))).await?;
        tokio::spawn(async move {
            // The connection's failure reaches whoever waits for the answer.
            let _ = connection.with_upgrades().await;
        });
        match sender.send_request(origin_form(request)).await {
            Ok(response) => Ok(response),
            Err(error) => match complaint.await {
                Ok(message) if !message.is_empty() => Err(failure(message).into()),
                _ => Err(error.into()),
            },
        }
    }
}

/// What the other side says. The child lives as long as somebody may read from it, which with an upgraded connection is
/// longer than HTTP is spoken.
struct Reader {
    stdout: ChildStdout,
    _child: Child,
}

impl AsyncRead for Reader {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdout).poll_read(context, into)
    }
}

/// A connection without a pool wants the bare path, and HTTP/1.1 a host.
fn origin_form(mut request: BollardRequest) -> BollardRequest {
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
    request.headers_mut().insert(header::HOST, HeaderValue::from_static("docker"));
    request
}

/// Tells ssh's complaints apart. Its texts are not translated.
fn failure(message: String) -> SshFailure {
    let lower = message.to_lowercase();
    let any = |texts: &[&str]| texts.iter().any(|text| lower.contains(text));
    if any(&["host key verification failed", "remote host identification has changed"]) {
        SshFailure::HostKey { message }
    } else if any(&["permission denied (", "too many authentication failures"]) {
        SshFailure::Authentication { message }
    } else if any(&["could not resolve", "ssh: connect to host", "kex_exchange_identification", "connection timed out"])
    {
        SshFailure::Unreachable { message }
    } else {
        SshFailure::NoDocker { message }
    }
}
