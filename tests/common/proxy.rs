//! A door in front of a real engine: it writes down what is asked, and can fall shut after so many questions or at a certain
//! one, as an engine does that stops in the middle of something; or at that one something happens to the engine. It can be
//! opened again.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    os::unix::net::{UnixListener, UnixStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use tempfile::TempDir;

/// Either kind of connection.
enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// The door. Its threads end with their connections.
pub struct Proxy {
    folder: TempDir,
    state: Arc<State>,
}

struct State {
    upstream: String,
    allowed: usize,
    /// Shuts at the first question whose first line holds this.
    shuts_at: Mutex<Option<String>>,
    /// What happens then.
    then: Box<dyn Fn() + Send + Sync>,
    shut: AtomicBool,
    asked: Mutex<Vec<String>>,
    open: Mutex<Vec<UnixStream>>,
}

impl Proxy {
    /// In front of `endpoint` (`unix://` or `tcp://`), for so many questions.
    pub fn new(endpoint: &str, allowed: usize) -> Self {
        Self::with(endpoint, allowed, None, Box::new(|| {}))
    }

    fn with(endpoint: &str, allowed: usize, at: Option<&str>, then: Box<dyn Fn() + Send + Sync>) -> Self {
        let folder = TempDir::new().unwrap();
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let state = Arc::new(State {
            upstream: endpoint.to_owned(),
            allowed,
            shuts_at: Mutex::new(at.map(str::to_owned)),
            then,
            shut: AtomicBool::new(false),
            asked: Mutex::default(),
            open: Mutex::default(),
        });
        let serving = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&serving);
                thread::spawn(move || state.serve(client));
            }
        });
        Self { folder, state }
    }

    /// In front of `endpoint`, until something is asked whose first line holds `text`.
    pub fn shuts_at(endpoint: &str, text: &str) -> Self {
        Self::when(endpoint, text, || {})
    }

    /// The same, and when it is asked, `then` happens first.
    pub fn when(endpoint: &str, text: &str, then: impl Fn() + Send + Sync + 'static) -> Self {
        Self::with(endpoint, usize::MAX, Some(text), Box::new(then))
    }

    /// Lets everything through again.
    pub fn open(&self) {
        *self.state.shuts_at.lock().unwrap() = None;
        self.state.shut.store(false, Ordering::SeqCst);
    }

    pub fn endpoint(&self) -> String {
        format!("unix://{}/docker.sock", self.folder.path().display())
    }

    /// The first lines of everything that was asked.
    pub fn asked(&self) -> Vec<String> {
        self.state.asked.lock().unwrap().clone()
    }
}

impl State {
    fn serve(&self, mut client: UnixStream) {
        self.open.lock().unwrap().push(client.try_clone().unwrap());
        // An engine that is gone refuses; then so does the door.
        let Ok(engine) = connect(&self.upstream) else { return client.shutdown(Shutdown::Both).unwrap_or_default() };
        let (mut answers, mut back) = (engine.clone(), client.try_clone().unwrap());
        let answering = thread::spawn(move || {
            copy(&mut answers, &mut back);
            let _ = back.shutdown(Shutdown::Both);
        });
        self.forward(&mut client, &mut engine.clone());
        engine.close();
        let _ = answering.join();
    }

    /// Hands questions on, one head at a time and its body after it, which has a length.
    fn forward(&self, client: &mut UnixStream, engine: &mut Stream) {
        let (mut pending, mut piece, mut body) = (Vec::new(), [0; 4096], 0);
        while let Ok(length @ 1..) = client.read(&mut piece) {
            pending.extend_from_slice(&piece[..length]);
            loop {
                if body > 0 {
                    let of_body: Vec<u8> = pending.drain(..pending.len().min(body)).collect();
                    body -= of_body.len();
                    if of_body.is_empty() {
                        break;
                    }
                    if engine.write(&of_body).is_err() {
                        return;
                    }
                    continue;
                }
                let Some(end) = pending.windows(4).position(|w| w == b"\r\n\r\n") else { break };
                let head: Vec<u8> = pending.drain(..end + 4).collect();
                body = length_of_body(&head);
                if !self.note(&head) || engine.write(&head).is_err() {
                    return;
                }
            }
        }
    }

    /// False when the door falls shut: for this connection and all others.
    fn note(&self, head: &[u8]) -> bool {
        let line = String::from_utf8_lossy(head).lines().next().unwrap_or_default().to_owned();
        let mut asked = self.asked.lock().unwrap();
        if self.shuts_at.lock().unwrap().as_ref().is_some_and(|text| line.contains(text)) {
            (self.then)();
            self.shut.store(true, Ordering::SeqCst);
        }
        if asked.len() >= self.allowed || self.shut.load(Ordering::SeqCst) {
            for stream in self.open.lock().unwrap().drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
            return false;
        }
        asked.push(line);
        true
    }
}

fn length_of_body(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    length.unwrap_or(0)
}

fn connect(endpoint: &str) -> std::io::Result<Stream> {
    Ok(match endpoint.split_once("://").unwrap() {
        ("unix", path) => Stream::Unix(UnixStream::connect(path)?),
        (_, address) => Stream::Tcp(TcpStream::connect(address)?),
    })
}

fn copy(from: &mut Stream, to: &mut UnixStream) {
    let mut piece = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        if to.write_all(&piece[..length]).is_err() {
            return;
        }
    }
}

impl Stream {
    fn clone(&self) -> Self {
        match self {
            Self::Unix(stream) => Self::Unix(stream.try_clone().unwrap()),
            Self::Tcp(stream) => Self::Tcp(stream.try_clone().unwrap()),
        }
    }

    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(into),
            Self::Tcp(stream) => stream.read(into),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Unix(stream) => stream.write_all(bytes),
            Self::Tcp(stream) => stream.write_all(bytes),
        }
    }

    fn close(&self) {
        let _ = match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}
