//! Looking: choosing an engine, observing it, judging, and telling the window on the way.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use silidock_diagnosis::{
    inventory::{Image, Inventory, Listing},
    text::capital,
};
use silidock_engine::{ConnectOptions, Engine, EngineError, FindError, ResolveError, recorded};
use silidock_observe::{Look, Stage, observe};
use silidock_report::Scan;

use crate::{
    failure::{Failure, FailureCode},
    sample::Sample,
    session::{App, Seen, Source},
    wire::{Part, ScanRequest, ScanView},
};

impl App {
    /// Looks at an engine, or at the sample.
    ///
    /// Without a choice, and where no engine is found, the sample is shown and says so in `fallback`.
    ///
    /// # Errors
    /// An engine was chosen and cannot be used.
    pub async fn scan(self: &Arc<Self>, request: ScanRequest) -> Result<ScanView, Failure> {
        let _turn = self.looking.lock().await;
        let generation = self.next_generation();
        self.open_compose(&request.compose).await?;
        let sample =
            request.sample || (request.engine.is_none() && self.options.sample && self.session().source.is_none());
        if sample {
            return self.look_at_sample(generation, request.engine.as_deref(), None);
        }
        let engine = match self.engine(request.engine.as_deref()).await {
            Ok(Chosen::Engine(engine)) => engine,
            Ok(Chosen::Sample(sample)) => return self.show_sample(generation, sample, None),
            Ok(Chosen::Recording) => return self.view_of_last(generation),
            Err(failure) if failure.code == FailureCode::NoEngine && self.options.live => {
                return self.look_at_sample(generation, None, Some(failure));
            }
            Err(failure) => return Err(failure),
        };
        // Followed before it is looked at, so that nothing that happens in between is missed.
        if self.options.live {
            self.watch(engine.clone());
        }
        match self.look(generation, &engine, None).await {
            Ok(_) if request.ask_registry => self.ask_about_all().await,
            Ok(view) => Ok(view),
            Err(error) => {
                self.follow_source_again();
                Err(engine_failure(&error))
            }
        }
    }

    /// What is shown stays what it was, and so does what is followed.
    fn follow_source_again(self: &Arc<Self>) {
        let source = self.session().source.clone();
        match source {
            Some(Source::Engine(engine)) if self.options.live => self.watch(engine),
            Some(_) | None => self.stop_watching(),
        }
    }

    /// The engine that a request means: the one it names, the one last looked at, or the one Docker would use.
    pub(crate) async fn engine(&self, named: Option<&str>) -> Result<Chosen, Failure> {
        if named.is_none() {
            match self.session().source.clone() {
                Some(Source::Engine(engine)) => return Ok(Chosen::Engine(engine)),
                Some(Source::Sample(sample)) => return Ok(Chosen::Sample(sample)),
                Some(Source::Recording) => return Ok(Chosen::Recording),
                None => {}
            }
        }
        let host = self.host().as_ref();
        let explicit = named.or(self.options.engine.as_deref());
        let found = Engine::find(host, explicit, ConnectOptions::on(host)).await;
        found.map(Chosen::Engine).map_err(|error| self.find_failure(&error))
    }

    /// The engine of a receipt: the one that is looked at, or the one at the address, with the TLS files that were used then.
    pub(crate) async fn recorded_engine(&self, endpoint: &str, tls: Option<&str>) -> Result<Engine, Failure> {
        if let Ok(Source::Engine(engine)) = self.source()
            && engine.target().endpoint.to_string() == endpoint
        {
            return Ok(engine);
        }
        let host = self.host().as_ref();
        let target = recorded(host, endpoint, tls.map(Path::new)).map_err(|error| self.find_failure(&error.into()))?;
        Engine::connect(&target, ConnectOptions::on(host)).await.map_err(|error| engine_failure(&error))
    }

    /// Observes, judges and remembers. Parts are told as they arrive.
    pub(crate) async fn look(
        &self,
        generation: u64,
        engine: &Engine,
        known_images: Option<Listing<Image>>,
    ) -> Result<ScanView, EngineError> {
        let mut parts = vec![Part::Containers, Part::Images];
        if self.options.processor_time {
            parts.push(Part::Cpu);
        }
        let pending = Mutex::new(parts);
        let progress = |inventory: &Inventory, stage: Stage| {
            let mut pending = pending.lock().unwrap_or_else(PoisonError::into_inner);
            let arrived = match stage {
                Stage::Containers => Part::Containers,
                Stage::Images => Part::Images,
                Stage::ProcessorTime => Part::Cpu,
            };
            pending.retain(|part| *part != arrived);
            // Without containers there is no verdict to show yet; the last part is the answer itself.
            if !pending.contains(&Part::Containers) && !pending.is_empty() {
                let scan = Scan::new(inventory);
                self.show(engine, Seen { inventory: inventory.clone(), scan: scan.clone() });
                self.tell_view(&ScanView { generation, scan, pending: pending.clone(), fallback: None });
            }
        };
        let emulation = self.remembered(engine).await;
        let benchmark = self.counting_bench(engine, &emulation).await;
        let opened = self.opened_projects().await;
        let look = Look {
            engine,
            target: engine.target(),
            host: self.host().as_ref(),
            now: now(),
            processor_time: self.options.processor_time,
            upstream: self.session().upstream.clone(),
            emulation,
            benchmark,
            known_images,
            opened,
            answers: &self.compose_answers,
            progress: &progress,
        };
        let mut inventory = observe(&look).await?;
        inventory.deploy = self.deploy_facts(&inventory);
        let view = self.remember(generation, inventory);
        self.session().source = Some(Source::Engine(engine.clone()));
        self.tell_view(&view);
        Ok(view)
    }

    /// What the window shows is what a report is about, also while the rest of it is still being read.
    fn show(&self, engine: &Engine, seen: Seen) {
        let mut session = self.session();
        session.seen = Some(seen);
        session.source = Some(Source::Engine(engine.clone()));
    }

    /// Judges an inventory and keeps both.
    pub(crate) fn remember(&self, generation: u64, mut inventory: Inventory) -> ScanView {
        // A look costs nothing inside images, so what somebody asked for in this run is kept beside it.
        let kept = self.kept_contents(&inventory.engine.endpoint);
        inventory.contents = kept.or(inventory.contents);
        let scan = Scan::new(&inventory);
        self.session().seen = Some(Seen { inventory, scan: scan.clone() });
        ScanView { generation, scan, pending: Vec::new(), fallback: None }
    }

    fn look_at_sample(
        &self,
        generation: u64,
        name: Option<&str>,
        fallback: Option<Failure>,
    ) -> Result<ScanView, Failure> {
        let sample = Arc::new(Sample::open(self.host().as_ref(), name)?);
        self.show_sample(generation, sample, fallback)
    }

    fn show_sample(
        &self,
        generation: u64,
        sample: Arc<Sample>,
        fallback: Option<Failure>,
    ) -> Result<ScanView, Failure> {
        let mut inventory = sample.inventory(&now());
        self.deploy_files(&mut inventory);
        self.session().source = Some(Source::Sample(sample));
        self.stop_watching();
        let view = ScanView { fallback, ..self.remember(generation, inventory) };
        self.tell_view(&view);
        Ok(view)
    }

    /// Shows a capture of another look.
    pub fn replay(&self, inventory: Inventory) -> ScanView {
        self.session().source = Some(Source::Recording);
        let generation = self.next_generation();
        let mut view = self.remember(generation, inventory);
        view.scan.replayed = true;
        if let Some(seen) = &mut self.session().seen {
            seen.scan.replayed = true;
        }
        view
    }

    fn view_of_last(&self, generation: u64) -> Result<ScanView, Failure> {
        let scan = self.last_scan()?;
        Ok(ScanView { generation, scan, pending: Vec::new(), fallback: None })
    }

    fn find_failure(&self, error: &FindError) -> Failure {
        match error {
            FindError::Resolve(ResolveError::NothingHere { .. }) => {
                let looked = self.places_looked_at();
                Failure::new(FailureCode::NoEngine, "No Docker engine was found on this machine.")
                    .hint(error.hint())
                    .detail(looked)
            }
            other => Failure::new(FailureCode::Engine, sentence(&other.to_string())).hint(error.hint()),
        }
    }
}

pub(crate) enum Chosen {
    Engine(Engine),
    Sample(Arc<Sample>),
    Recording,
}

pub(crate) fn engine_failure(error: &EngineError) -> Failure {
    Failure::new(FailureCode::Engine, sentence(&error.to_string())).hint(error.hint())
}

/// A cause as a sentence: first letter large, unless the first word is an address, and a full stop at its end.
pub(crate) fn sentence(text: &str) -> String {
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{stop}", capital(text))
}

/// The time of a look, RFC 3339 in UTC to the second.
pub(crate) fn now() -> String {
    let second = Timestamp::now().as_second();
    Timestamp::from_second(second).map_or_else(|_| Timestamp::now().to_string(), |time| time.to_string())
}
