//! What the engine answers, what it was asked, and who listens to its events. Bytes on the wire are not known here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::{Notify, broadcast};

/// More events than any test sends before they are read.
const EVENT_BACKLOG: usize = 1024;

/// How a question is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// 200 with JSON.
    Json(Value),
    /// Any status with any body.
    Body {
        /// HTTP status.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// An engine's own error: a status and `{"message": ...}`.
    Error {
        /// HTTP status.
        status: u16,
        /// The message.
        message: String,
    },
    /// These bytes and nothing else, not even HTTP.
    Raw(Vec<u8>),
    /// Nothing, for ever.
    Silent,
    /// A head that promises more than follows, then the connection closes.
    Cut {
        /// What is sent of the body.
        sent: Vec<u8>,
        /// How long the body is said to be.
        promised: usize,
    },
    /// A head and the beginning of a body, then nothing, for ever.
    Stall {
        /// What is sent of the body.
        sent: Vec<u8>,
    },
    /// The connection closes without a word.
    HangUp,
    /// The event stream.
    Events,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The method: `GET`.
    pub method: String,
    /// The API version in front of the path: `1.51`.
    pub version: Option<String>,
    /// The path without version and query.
    pub path: String,
    /// The query without its question mark.
    pub query: String,
}

#[derive(Debug)]
pub(crate) struct Script {
    answers: Mutex<HashMap<String, Answer>>,
    calls: Mutex<Vec<Call>>,
    events: broadcast::Sender<String>,
    listeners: AtomicUsize,
    changed: Notify,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            answers: Mutex::default(),
            calls: Mutex::default(),
            events: broadcast::channel(EVENT_BACKLOG).0,
            listeners: AtomicUsize::new(0),
            changed: Notify::new(),
        }
    }
}

/// One open event stream; it is counted as long as it lives.
pub(crate) struct Listener<'a> {
    pub events: broadcast::Receiver<String>,
    script: &'a Script,
}

impl Drop for Listener<'_> {
    fn drop(&mut self) {
        self.script.listeners.fetch_sub(1, Ordering::SeqCst);
        self.script.changed.notify_waiters();
    }
}

/// A test that panicked while holding a lock must not hide its own message behind a second panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Script {
    pub fn lay_down(&self, path: &str, answer: Answer) {
        locked(&self.answers).insert(path.to_owned(), answer);
    }

    pub fn calls(&self) -> Vec<Call> {
        locked(&self.calls).clone()
    }

    pub fn listeners(&self) -> usize {
        self.listeners.load(Ordering::SeqCst)
    }

    pub fn emit(&self, line: String) {
        // Nobody listening is no error: an engine does not care either.
        let _ = self.events.send(line);
    }

    pub fn listen(&self) -> Listener<'_> {
        let listener = Listener { events: self.events.subscribe(), script: self };
        self.listeners.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
        listener
    }

    /// Notes a question and finds its answer.
    pub fn ask(&self, method: &str, target: &str) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (version, path) = match path.strip_prefix("/v").and_then(|rest| rest.split_once('/')) {
            Some((version, rest)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
                (Some(version.to_owned()), format!("/{rest}"))
            }
            _ => (None, path.to_owned()),
        };
        let answers = locked(&self.answers);
        let answer = answers.get(&format!("{path}?{query}")).or_else(|| answers.get(&path)).cloned();
        drop(answers);
        let call = Call { method: method.to_owned(), version, path, query: query.to_owned() };
        locked(&self.calls).push(call);
        self.changed.notify_waiters();
        answer.unwrap_or_else(|| Answer::Error { status: 404, message: "page not found".to_owned() })
    }

    pub async fn changed_until(&self, reached: impl Fn() -> bool) {
        loop {
            let mut change = std::pin::pin!(self.changed.notified());
            // Registered before the look, so that a change in between is not missed.
            change.as_mut().enable();
            if reached() {
                return;
            }
            change.await;
        }
    }
}
