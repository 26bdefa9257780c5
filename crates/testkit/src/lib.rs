//! For tests: an engine on a real socket that follows a script. It answers what the test lays down, fails the way
//! the test wants, counts the questions, and hands out events when told to. It knows nothing of containers.

mod http;
mod script;
mod server;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::{AbortHandle, JoinSet};

use script::Script;
pub use script::{Answer, Call};
pub use server::{Reply, Request, ScriptedServer};

/// A scripted engine. It stops when dropped.
#[derive(Debug)]
pub struct ScriptedEngine {
    script: Arc<Script>,
    address: String,
    socket: PathBuf,
    listener: AbortHandle,
    // Held for the socket's folder, which goes with it.
    _folder: Option<TempDir>,
}

impl ScriptedEngine {
    /// An engine on a unix socket that answers 404 to everything.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub async fn blank() -> io::Result<Self> {
        let folder = TempDir::new()?;
        let socket = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&socket)?;
        let address = format!("unix://{}", socket.display());
        Ok(Self::on(address, socket, Some(folder), listener))
    }

    /// The same on a TCP port of this machine.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn blank_tcp() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = format!("tcp://{}", listener.local_addr()?);
        Ok(Self::on(address, PathBuf::new(), None, listener))
    }

    fn on(address: String, socket: PathBuf, folder: Option<TempDir>, door: impl Door) -> Self {
        let script = Arc::new(Script::default());
        let serving = Arc::clone(&script);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok(stream) = door.next().await {
                connections.spawn(connection(Arc::clone(&serving), stream));
            }
        });
        Self { script, address, socket, listener: task.abort_handle(), _folder: folder }
    }

    /// An engine of an API version (`1.51`) on amd64 Linux, with no image, no container and an event stream.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub async fn start(api: &str) -> io::Result<Self> {
        let engine = Self::blank().await?;
        engine.answer_version(api, "1.24");
        engine.answer("/info", Answer::Json(basic_info()));
        engine.answer("/images/json", Answer::Json(Value::Array(Vec::new())));
        engine.answer("/containers/json", Answer::Json(Value::Array(Vec::new())));
        engine.answer("/events", Answer::Events);
        Ok(engine)
    }

    /// Its address: `unix://...` or `tcp://...`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its socket; empty for an engine on TCP.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Lays down the answer to a path (without the version in front), from now on. With a query it holds for exactly
    /// that query, and before one without.
    pub fn answer(&self, path: &str, answer: Answer) {
        self.script.lay_down(path, answer);
    }

    /// Lays down which API versions it offers.
    pub fn answer_version(&self, api: &str, minimum: &str) {
        self.answer("/version", Answer::Json(version(api, minimum)));
    }

    /// Every question so far, in the order of arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.script.calls()
    }

    /// How often a path was asked for, whatever the query.
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        self.script.calls().iter().filter(|call| call.path == path).count()
    }

    /// Waits until a path was asked for so many times.
    pub async fn asked(&self, path: &str, times: usize) {
        self.script.changed_until(|| self.count(path) >= times).await;
    }

    /// Waits until so many event streams are open.
    pub async fn listened(&self, streams: usize) {
        self.script.changed_until(|| self.script.listeners() >= streams).await;
    }

    /// Sends an event to every open event stream.
    pub fn emit(&self, event: &Value) {
        self.script.emit(event.to_string());
    }

    /// Sends an event of a kind (`container`), action (`start`) and identifier.
    pub fn emit_action(&self, kind: &str, action: &str, id: &str) {
        self.emit(&serde_json::json!({ "Type": kind, "Action": action, "Actor": { "ID": id, "Attributes": {} } }));
    }

    /// Stops listening and cuts every connection. The socket file stays, so a new connection is refused.
    pub async fn stop(&self) {
        self.listener.abort();
        // The listener closes when its task is dropped, and that happens when it is next scheduled.
        while !self.listener.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for ScriptedEngine {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// What connections come through.
trait Door: Send + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    fn next(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Door for UnixListener {
    type Stream = UnixStream;

    async fn next(&self) -> io::Result<UnixStream> {
        Ok(self.accept().await?.0)
    }
}

impl Door for TcpListener {
    type Stream = TcpStream;

    async fn next(&self) -> io::Result<TcpStream> {
        Ok(self.accept().await?.0)
    }
}

async fn connection<S: AsyncRead + AsyncWrite + Unpin>(script: Arc<Script>, mut stream: S) {
    // A client that hangs up early is none of the test's business here; it sees its own side.
    let _ = http::serve(&script, &mut stream).await;
}

fn version(api: &str, minimum: &str) -> Value {
    serde_json::json!({
        "Platform": { "Name": "" },
        "Components": [{ "Name": "Engine", "Version": "28.5.1", "Details": {} }],
        "Version": "28.5.1", "ApiVersion": api, "MinAPIVersion": minimum,
        "Os": "linux", "Arch": "amd64", "KernelVersion": "6.12.0"
    })
}

fn basic_info() -> Value {
    serde_json::json!({
        "ID": "scripted", "Name": "scripted", "Driver": "overlayfs",
        "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
        "Architecture": "x86_64", "OSType": "linux", "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
        "KernelVersion": "6.12.0", "Labels": [], "SecurityOptions": ["name=seccomp,profile=builtin"],
        "NCPU": 2, "MemTotal": 4_294_967_296_u64
    })
}
