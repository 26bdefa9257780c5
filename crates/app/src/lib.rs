//! Use cases: what the window and the command line can ask for, in order, with progress and failures.
//!
//! Deliberately not here: pixels, argument parsing, Tauri. Facts come from `observe`, judgement from `diagnosis`,
//! changes from `remedy`; this crate only puts them one after the other.

mod all_engines;
mod answers;
pub mod bench;
pub mod changes;
mod compose;
mod deploy;
mod emulation;
mod engine_changes;
pub mod engines;
mod explain;
pub mod failure;
pub mod inside;
mod later;
mod layer_store;
pub mod look;
mod memory;
pub mod pins;
mod queue;
pub mod rebuild;
pub mod recording;
mod registry;
pub mod reports;
mod runtime_changes;
mod runtime_proof;
pub mod sample;
pub mod schemas;
pub mod session;
mod targets_file;
pub mod typescript;
mod watch;
pub mod wire;

use std::sync::Arc;

use silidock_host::{Host, LocalHost};
use tokio::sync::broadcast;

pub use failure::{Failure, FailureCode};
pub use session::App;
pub use silidock_diagnosis as diagnosis;
pub use silidock_host as host;
pub use silidock_remedy as remedy;
pub use silidock_report as report;

pub use explain::LogReader;
use wire::Event;

/// How an [`App`] is started.
#[derive(Debug, Clone)]
pub struct AppOptions {
    /// The machine.
    pub host: Arc<dyn Host>,
    /// Engine to look at when a request names none: a context, a runtime's name or an address.
    pub engine: Option<String>,
    /// Start with the embedded sample.
    pub sample: bool,
    /// Follow the engine's events after a look, and look again when something changed.
    pub live: bool,
    /// Ask for processor time too.
    pub processor_time: bool,
    /// Keep which Compose files were opened, and open them again at the next start.
    pub remember_opened: bool,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self {
            host: Arc::new(LocalHost::new()),
            engine: None,
            sample: false,
            live: false,
            processor_time: false,
            remember_opened: false,
        }
    }
}

/// Chooses the program's TLS implementation. Call it first thing in `main`.
pub fn init() {
    silidock_engine::init();
}

/// Has changes under way taken back, and waits until throw-away containers that were begun are gone; ends tools that are
/// still at work. To be called before the program ends, also when it was interrupted; without any it returns at once.
pub async fn settle() {
    rebuild::settle().await;
    engine_changes::settle().await;
    emulation::settle().await;
    silidock_host::end_tools();
}

/// Where events are heard.
pub type Events = broadcast::Receiver<Event>;
