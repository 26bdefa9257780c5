//! A valve in front of a registry: it lets so many bytes through, in either direction, and then holds everything back. So a
//! test knows that something is in the middle of being pulled or pushed.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

/// Who waits for something to begin does so for so long at most.
const LATE: Duration = Duration::from_secs(60);

/// The valve. Its threads end with their connections.
pub struct Valve {
    /// Where it listens.
    pub port: u16,
    state: Arc<State>,
}

struct State {
    upstream: String,
    flow: Mutex<Flow>,
    changed: Condvar,
}

#[derive(Default)]
struct Flow {
    /// So many bytes may pass still; any number where there is none.
    left: Option<usize>,
    /// Somebody waits.
    held: bool,
    /// How often it was cut: connections from before end.
    cuts: usize,
}

impl Valve {
    /// In front of `upstream` (`127.0.0.1:5000`), open.
    pub fn new(upstream: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State { upstream: upstream.to_owned(), flow: Mutex::default(), changed: Condvar::new() };
        let state = Arc::new(state);
        let serving = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&serving);
                thread::spawn(move || state.serve(&client));
            }
        });
        Self { port, state }
    }

    /// The registry as an engine names it.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// From now on only so many bytes pass.
    pub fn hold_after(&self, bytes: usize) {
        let mut flow = self.state.flow.lock().unwrap();
        (flow.left, flow.held) = (Some(bytes), false);
    }

    /// Waits until something is held back.
    pub fn wait_until_held(&self) {
        let flow = self.state.flow.lock().unwrap();
        let waited = self.state.changed.wait_timeout_while(flow, LATE, |flow| !flow.held).unwrap();
        assert!(!waited.1.timed_out(), "nothing came so far");
    }

    /// Ends every connection with what is held back, and lets through what comes over new ones.
    pub fn cut(&self) {
        let mut flow = self.state.flow.lock().unwrap();
        (flow.left, flow.cuts) = (None, flow.cuts + 1);
        self.state.changed.notify_all();
    }
}

impl Drop for Valve {
    fn drop(&mut self) {
        self.cut();
    }
}

impl State {
    fn serve(&self, client: &TcpStream) {
        let cuts = self.flow.lock().unwrap().cuts;
        if let Ok(registry) = TcpStream::connect(&self.upstream) {
            thread::scope(|scope| {
                scope.spawn(|| self.pass(&registry, client, cuts));
                self.pass(client, &registry, cuts);
            });
        }
        let _ = client.shutdown(Shutdown::Both);
    }

    fn pass(&self, mut from: &TcpStream, mut to: &TcpStream, cuts: usize) {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            if !self.takes(length, cuts) || to.write_all(&piece[..length]).is_err() {
                break;
            }
        }
        for end in [from, to] {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Waits until so many bytes may pass; false where their connection was cut.
    fn takes(&self, length: usize, cuts: usize) -> bool {
        let mut flow = self.flow.lock().unwrap();
        while flow.cuts == cuts && flow.left.is_some_and(|left| left < length) {
            flow.held = true;
            self.changed.notify_all();
            flow = self.changed.wait(flow).unwrap();
        }
        if let Some(left) = &mut flow.left {
            *left = left.saturating_sub(length);
        }
        flow.cuts == cuts
    }
}
