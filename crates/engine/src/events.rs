//! The engine's events, reduced to those after which a list would look different. A scan's own traces are not among
//! them (`top`, `exec_*`, `health_status`), or looking would cause the next look.

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use serde::Deserialize;

use crate::error::{Asked, EngineError};
use crate::wire::Wire;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A container.
    Container,
    /// An image or a tag.
    Image,
    /// The engine itself.
    Daemon,
}

/// Something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it is about.
    pub kind: EventKind,
    /// What happened, in the engine's word.
    pub action: String,
    /// Identifier of the container or image; may be empty.
    pub id: String,
}

/// Events as they come. It ends with one error when the engine goes.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<Event, EngineError>> + Send>>;

/// Actions that change what is shown. `died`, `remove`, `build`, `loadfromarchive` and `untag` are Podman's words;
/// `stop`, `kill` and `oom` are left out because `die` follows them.
const SHOWN: [(EventKind, &[&str]); 3] = [
    (
        EventKind::Container,
        &["create", "start", "restart", "die", "died", "pause", "unpause", "rename", "destroy", "remove"],
    ),
    (
        EventKind::Image,
        &["pull", "load", "loadfromarchive", "import", "build", "create", "tag", "untag", "delete", "remove", "prune"],
    ),
    (EventKind::Daemon, &["reload"]),
];

/// No event is longer; a line that is marks something else than an event stream.
const LONGEST_EVENT: usize = 1024 * 1024;

const ASKED: Asked<'static> = Asked("the event stream", "");

#[derive(Deserialize)]
struct RawEvent {
    #[serde(rename = "Type", default)]
    kind: String,
    #[serde(rename = "Action", default)]
    action: String,
    #[serde(rename = "Actor", default)]
    actor: RawActor,
}

#[derive(Default, Deserialize)]
struct RawActor {
    #[serde(rename = "ID", default)]
    id: String,
}

/// An event worth telling, from one line. Anything else, also an unreadable line, is none.
fn parse(line: &[u8]) -> Option<Event> {
    let raw: RawEvent = serde_json::from_slice(line).ok()?;
    let kind = match raw.kind.as_str() {
        "container" => EventKind::Container,
        "image" => EventKind::Image,
        "daemon" => EventKind::Daemon,
        _ => return None,
    };
    let shown = SHOWN.iter().any(|(of, actions)| *of == kind && actions.contains(&raw.action.as_str()));
    shown.then_some(Event { kind, action: raw.action, id: raw.actor.id })
}

/// Splits the pieces of a body into lines.
#[derive(Default)]
struct Lines {
    pending: Vec<u8>,
}

impl Lines {
    /// The events that the piece completes; `None` when a line grows beyond reason.
    fn push(&mut self, piece: &[u8]) -> Option<Vec<Event>> {
        let mut events = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.pending.extend_from_slice(part);
            if part.ends_with(b"\n") {
                events.extend(parse(&self.pending));
                self.pending.clear();
            }
        }
        (self.pending.len() <= LONGEST_EVENT).then_some(events)
    }
}

pub(crate) fn stream(wire: Wire, path: &str) -> EventStream {
    let body = wire.stream(path).map(|piece| piece.map(|bytes| bytes.as_ref().to_vec()));
    let state = Some((Box::pin(body), Lines::default(), wire));
    let batches = futures_util::stream::unfold(state, |state| async move {
        let (mut body, mut lines, wire) = state?;
        let failure = match body.next().await {
            Some(Ok(piece)) => match lines.push(&piece) {
                Some(events) => {
                    let events: Vec<_> = events.into_iter().map(Ok).collect();
                    return Some((events, Some((body, lines, wire))));
                }
                None => wire.unreadable(ASKED, "a line does not end".to_owned()),
            },
            Some(Err(error)) => wire.failed(ASKED, error),
            None => wire.gone(ASKED),
        };
        Some((vec![Err(failure)], None))
    });
    Box::pin(batches.flat_map(futures_util::stream::iter))
}
