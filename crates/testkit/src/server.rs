//! An HTTP server that a test answers for: every question is handed to a function, with its headers, and remembered.
//! For what a real server cannot be made to do.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::http::read_head;

/// One question, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD` ...
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// What was posted.
    pub body: String,
}

impl Request {
    /// A header by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// One answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    chunked: bool,
    way: Way,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Way {
    #[default]
    Whole,
    /// Nothing, for ever.
    Silent,
    /// The connection closes without a word.
    HangUp,
    /// The head and half of the body, then the connection closes.
    Cut,
}

impl Reply {
    /// An answer without a body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// Nothing, for ever.
    #[must_use]
    pub fn silent() -> Self {
        Self { way: Way::Silent, ..Self::default() }
    }

    /// The connection closes without a word.
    #[must_use]
    pub fn hang_up() -> Self {
        Self { way: Way::HangUp, ..Self::default() }
    }

    /// Half of the body, and then the connection closes.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.way = Way::Cut;
        self
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sent in chunks, so that nobody knows its length before its end.
    #[must_use]
    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }
}

type Handler = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// A server on a port of this machine. It stops when dropped.
#[derive(Debug)]
pub struct ScriptedServer {
    host: String,
    requests: Arc<Mutex<Vec<Request>>>,
    listener: AbortHandle,
}

impl ScriptedServer {
    /// Starts a server that answers by a function.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let host = listener.local_addr()?.to_string();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (answer, seen): (Handler, _) = (Arc::new(answer), Arc::clone(&requests));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(Arc::clone(&answer), Arc::clone(&seen), stream));
            }
        });
        Ok(Self { host, requests, listener: task.abort_handle() })
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Everything that was asked, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn serve(answer: Handler, seen: Arc<Mutex<Vec<Request>>>, mut stream: TcpStream) {
    // A client that hangs up early sees its own side; the test looks there.
    let _ = one(&answer, &seen, &mut stream).await;
}

async fn one(answer: &Handler, seen: &Mutex<Vec<Request>>, stream: &mut TcpStream) -> io::Result<()> {
    let Some(head) = read_head(stream).await? else { return Ok(()) };
    let (head, rest) = head.split_once("\r\n\r\n").unwrap_or((&head, ""));
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let mut request = Request { method, target, headers: lines.filter_map(header).collect(), body: rest.to_owned() };
    let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0_usize);
    let mut more = vec![0; length.saturating_sub(rest.len())];
    stream.read_exact(&mut more).await?;
    request.body.push_str(&String::from_utf8_lossy(&more));
    let reply = answer(&request);
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    write(stream, &reply, request.method == "HEAD").await
}

async fn write(stream: &mut TcpStream, reply: &Reply, head_only: bool) -> io::Result<()> {
    match reply.way {
        Way::Silent => std::future::pending().await,
        Way::HangUp => return Ok(()),
        Way::Whole | Way::Cut => {}
    }
    let length = match reply.chunked {
        true => "Transfer-Encoding: chunked".to_owned(),
        false => format!("Content-Length: {}", reply.body.len()),
    };
    let mut head = format!("HTTP/1.1 {} Scripted\r\nConnection: close\r\n{length}\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;
    let end = if reply.way == Way::Cut { reply.body.len() / 2 } else { reply.body.len() };
    if !head_only && !reply.chunked {
        stream.write_all(&reply.body[..end]).await?;
    } else if !head_only {
        for piece in reply.body.chunks(64 << 10) {
            stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
            stream.write_all(piece).await?;
            stream.write_all(b"\r\n").await?;
        }
        stream.write_all(b"0\r\n\r\n").await?;
    }
    stream.shutdown().await
}
