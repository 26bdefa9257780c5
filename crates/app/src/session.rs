//! The running app: which engine is looked at, and what was seen last.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use silidock_diagnosis::{
    contents::Contents, finding::Finding, fix::Fix, inventory::Inventory, runtime::EmulationFacts,
    upstream::UpstreamFacts,
};
use silidock_engine::Engine;
use silidock_host::Host;
use silidock_observe::{ComposeAnswers, registry::Registries};
use silidock_remedy::{Journal, Preview};
use silidock_report::Scan;
use tokio::sync::broadcast;

use crate::{
    AppOptions, Events,
    bench::run::Running,
    compose::Opened,
    failure::{Failure, FailureCode},
    layer_store::LayerStore,
    pins::PinPreview,
    rebuild::{Prepared, builders::Proposed},
    sample::Sample,
    targets_file::TargetsPlan,
    watch::Watcher,
    wire::{Event, ScanView},
};

/// The use cases, with what they share.
#[derive(Debug)]
pub struct App {
    pub(crate) options: AppOptions,
    pub(crate) events: broadcast::Sender<Event>,
    /// One look at a time: two would ask the engine twice for the same.
    pub(crate) looking: tokio::sync::Mutex<()>,
    /// What the installed Compose said, so that a look starts no process where nothing changed.
    pub(crate) compose_answers: ComposeAnswers,
    /// What is known of the layers of images.
    pub(crate) layers: Arc<LayerStore>,
    /// Counted up to stop every look inside that is under way.
    pub(crate) inside_stop: tokio::sync::watch::Sender<u64>,
    /// Counted up to stop the change of an engine that is under way.
    pub(crate) change_stop: tokio::sync::watch::Sender<u64>,
    /// Filled once what earlier runs opened was read.
    pub(crate) reopened: tokio::sync::OnceCell<()>,
    generation: AtomicU64,
    session: Mutex<Session>,
}

/// What is looked at, and what was seen.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) source: Option<Source>,
    pub(crate) seen: Option<Seen>,
    pub(crate) previews: HashMap<String, (String, Fix, Preview)>,
    /// What was explained in this run, by id, so that its fixes can be previewed.
    pub(crate) explained: HashMap<String, Finding>,
    /// What was proven in this run, by address.
    pub(crate) proven: HashMap<String, EmulationFacts>,
    /// What registries said in this run.
    pub(crate) upstream: UpstreamFacts,
    /// The client that asks them, once somebody wanted to.
    pub(crate) registries: Option<Arc<Registries>>,
    pub(crate) watcher: Option<Watcher>,
    /// The benchmark under way.
    pub(crate) bench: Option<Running>,
    /// Pins that were shown, by token.
    pub(crate) pins: HashMap<String, PinPreview>,
    /// Deploy targets that were shown, by token.
    pub(crate) targets: HashMap<String, TargetsPlan>,
    /// Builders and image stores that were proposed, by token.
    pub(crate) proposals: HashMap<String, Proposed>,
    /// Compose files that somebody opened.
    pub(crate) opened: Opened,
    /// Rebuilds that were shown, by token.
    pub(crate) rebuilds: HashMap<String, Prepared>,
    /// What stops the rebuild under way.
    pub(crate) building: Option<tokio::sync::watch::Sender<bool>>,
    /// What lies inside images, if somebody asked in this run.
    pub(crate) contents: Option<KeptContents>,
}

/// What was found inside the images of an engine.
#[derive(Debug)]
pub(crate) struct KeptContents {
    pub(crate) endpoint: String,
    pub(crate) contents: Contents,
}

/// The last look.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) inventory: Inventory,
    pub(crate) scan: Scan,
}

/// Where facts come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A connected engine.
    Engine(Engine),
    /// The embedded sample.
    Sample(Arc<Sample>),
    /// A capture of another look. Its files belong to another machine, so nothing is changed.
    Recording,
}

impl App {
    /// Starts an app that has not looked at anything yet.
    pub fn start(options: AppOptions) -> Arc<Self> {
        let (events, _) = broadcast::channel(64);
        let layers = options.host.data_dir().map(|data| data.join("layers"));
        Arc::new(Self {
            layers: Arc::new(LayerStore::new(layers)),
            compose_answers: ComposeAnswers::default(),
            options,
            events,
            looking: tokio::sync::Mutex::new(()),
            inside_stop: crate::inside::stopper(),
            change_stop: crate::inside::stopper(),
            reopened: tokio::sync::OnceCell::new(),
            generation: AtomicU64::new(0),
            session: Mutex::new(Session::default()),
        })
    }

    /// Hears of everything that happens from now on.
    pub fn subscribe(&self) -> Events {
        self.events.subscribe()
    }

    pub(crate) fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_generation(&self) -> u64 {
        self.generation.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn host(&self) -> &Arc<dyn Host> {
        &self.options.host
    }

    /// Nobody listening is no failure: the command line does not.
    pub(crate) fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    pub(crate) fn tell_view(&self, view: &ScanView) {
        self.tell(Event::Scan { view: Box::new(view.clone()) });
    }

    /// What was seen last.
    pub fn last_scan(&self) -> Result<Scan, Failure> {
        Ok(self.seen()?.scan)
    }

    /// The inventory that was seen last, for a capture.
    pub fn last_inventory(&self) -> Result<Inventory, Failure> {
        Ok(self.seen()?.inventory)
    }

    pub(crate) fn seen(&self) -> Result<Seen, Failure> {
        self.session()
            .seen
            .clone()
            .ok_or_else(|| Failure::new(FailureCode::NotFound, "Nothing was looked at yet.").hint("Scan first."))
    }

    pub(crate) fn source(&self) -> Result<Source, Failure> {
        self.session()
            .source
            .clone()
            .ok_or_else(|| Failure::new(FailureCode::NotFound, "Nothing was looked at yet.").hint("Scan first."))
    }

    /// Where changes are recorded: the sample keeps its own, so that trying it leaves the history alone.
    pub(crate) fn journal(&self) -> Result<Journal, Failure> {
        if let Some(Source::Sample(sample)) = &self.session().source {
            return Ok(Journal::new(&sample.data()));
        }
        let data = self.host().data_dir().ok_or_else(|| {
            Failure::new(FailureCode::File, "There is no folder to keep receipts in: no home folder is known.")
                .hint("Set SILIDOCK_DATA_DIR to a folder.")
        })?;
        Ok(Journal::new(&data))
    }
}
