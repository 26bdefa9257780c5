//! Reads: an engine, and the project files its containers name, into an inventory.
//!
//! Deliberately not here: what is good or bad, anything that writes, anything that starts a container. A fact that
//! cannot be had becomes a gap in its place, and the rest is kept.

pub mod build_source;
mod builders;
mod compose;
mod containers;
pub mod contents;
mod default_platform;
pub mod deploy;
pub mod deploy_place;
mod dockerfile;
mod engine_facts;
mod host_facts;
mod images;
mod processes;
mod project_file;
pub mod registry;
pub mod runtimes;
mod silence;
mod stopped;

use std::sync::Mutex;

use futures_util::{StreamExt, stream};
use silidock_diagnosis::{
    bench::meaning::Fitting,
    compose::ComposeProject,
    fact::{Fact, Gap},
    inventory::{ConfiguredEmulator, Engine as EngineFacts, Image, Inventory, Listing},
    runtime::{EmulationFacts, EmulatorChoice},
    schema::Schema,
    upstream::UpstreamFacts,
};
use silidock_engine::{Engine, EngineError, Target};
use silidock_host::{Host, OsFamily};

pub use builders::builders;
pub use compose::{
    ComposeAnswers, DEFAULT_FILES as COMPOSE_FILES, Instead, OVERRIDE_FILES as COMPOSE_OVERRIDES, OpenError, Together,
    compose_together, open_compose, read_file as read_compose_file, resolve_compose,
};
pub use containers::ask_written;
pub use host_facts::host_facts;
pub use stopped::stopped;

/// What to look at, and who wants to hear of it on the way.
pub struct Look<'a> {
    /// A connected engine.
    pub engine: &'a Engine,
    /// How it was chosen.
    pub target: &'a Target,
    /// The machine this runs on.
    pub host: &'a dyn Host,
    /// The time, RFC 3339 in UTC.
    pub now: String,
    /// Ask each running container for its processor time too.
    pub processor_time: bool,
    /// What was found out about emulation before, by other means than looking.
    pub emulation: EmulationFacts,
    /// What registries said before.
    pub upstream: UpstreamFacts,
    /// The stored benchmark that still counts for this engine.
    pub benchmark: Fact<Fitting>,
    /// Images as seen before, where nothing about them has changed since: the list is then not asked for again.
    pub known_images: Option<Listing<Image>>,
    /// Compose projects that somebody opened, read already.
    pub opened: Vec<ComposeProject>,
    /// What the installed Compose said before.
    pub answers: &'a ComposeAnswers,
    /// Hears of each part as it arrives.
    pub progress: &'a (dyn Fn(&Inventory, Stage) + Send + Sync),
}

/// The part of a look that has just arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The containers and how each of them runs.
    Containers,
    /// The images.
    Images,
    /// Processor time.
    ProcessorTime,
}

/// Looks once.
///
/// # Errors
/// Only when the engine itself cannot be asked. Anything less is a gap in the inventory.
pub async fn observe(look: &Look<'_>) -> Result<Inventory, EngineError> {
    let about = look.engine.about().await?;
    let mut engine = engine_facts::engine(&about, look.target, look.host.os() == OsFamily::MacOs);
    engine.configured = configured(&look.emulation, &engine);
    let inventory = Inventory {
        schema: Schema,
        taken_at: look.now.clone(),
        sample: false,
        engine,
        host: host_facts(look.host),
        images: Listing::missing(Gap::new("the list of images", "not read yet")),
        containers: Listing::missing(Gap::new("the list of containers", "not read yet")),
        projects: Vec::new(),
        default_platforms: Fact::unknown("the places that set DOCKER_DEFAULT_PLATFORM", "not read yet"),
        emulation: look.emulation.clone(),
        upstream: look.upstream.clone(),
        benchmark: look.benchmark.clone(),
        deploy: Default::default(),
        silences: Default::default(),
        contents: None,
    };
    let inventory = Mutex::new(inventory);
    let known = images::Configs::default();
    let update = |stage, change: &mut dyn FnMut(&mut Inventory)| {
        let mut inventory = inventory.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut inventory);
        (look.progress)(&inventory, stage);
    };
    // An engine may need seconds for its images, so they are asked for at once and waited for last.
    let containers = async {
        let (mut listing, records) = containers::list(look.engine, &known).await;
        let found = compose::projects(look.host, &records);
        let (projects, defaults) = project_facts(look, &found);
        processes::fill(look.engine, &mut listing).await;
        update(Stage::Containers, &mut |inventory| {
            inventory.containers = listing.clone();
            inventory.projects.clone_from(&projects);
            inventory.default_platforms = defaults.clone();
            inventory.silences = silence::read(look.host, inventory);
        });
        // The installed Compose takes a while for each project, so nobody waits for it to see the containers.
        let compared = found.into_iter().map(|found| found.compared(look.host, look.answers));
        let compared: Vec<_> = stream::iter(compared).buffered(COMPOSE_AT_ONCE).collect().await;
        let mut inventory = inventory.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        inventory.projects = with_opened(look, compared);
        listing
    };
    let images = async {
        let listing = match &look.known_images {
            Some(listing) => listing.clone(),
            None => images::list(look.engine, &known).await,
        };
        update(Stage::Images, &mut |inventory| inventory.images = listing.clone());
    };
    let (mut listing, ()) = futures_util::join!(containers, images);
    if look.processor_time {
        processes::fill_processor_time(look.engine, &mut listing).await;
        update(Stage::ProcessorTime, &mut |inventory| inventory.containers = listing.clone());
    }
    Ok(inventory.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// What the settings of this engine's runtime say runs Intel programs.
pub fn configured(facts: &EmulationFacts, engine: &EngineFacts) -> Fact<ConfiguredEmulator> {
    let settings = match facts.settings_of(engine) {
        Ok(settings) => settings,
        Err(gap) => return gap.into(),
    };
    settings.emulator.clone().map(|setting| {
        let source = setting.evidence();
        let value = match setting.value {
            EmulatorChoice::Rosetta => "Rosetta",
            EmulatorChoice::Qemu => "QEMU",
            EmulatorChoice::None => "no emulator",
        };
        ConfiguredEmulator { value: value.to_owned(), source: format!("{}: {}", source.place, source.text) }
    })
}

type ProjectFacts = (Vec<ComposeProject>, Fact<Vec<silidock_diagnosis::inventory::DefaultPlatform>>);

/// At most this many ask the installed Compose at once: each is a process of its own.
const COMPOSE_AT_ONCE: usize = 4;

fn project_facts(look: &Look<'_>, found: &[compose::Found]) -> ProjectFacts {
    let projects = with_opened(look, found.iter().map(|found| found.clone().read(look.host)).collect());
    let defaults = default_platform::find(look.host, &projects);
    (projects, defaults)
}

/// The projects of containers, and those that somebody opened; one that is both is known by its containers.
fn with_opened(look: &Look<'_>, mut projects: Vec<ComposeProject>) -> Vec<ComposeProject> {
    let first = |project: &ComposeProject| project.files.first().map(|file| file.path.clone());
    let known: Vec<_> = projects.iter().map(first).collect();
    projects.extend(look.opened.iter().filter(|opened| !known.contains(&first(opened))).cloned());
    projects
}

/// Reads again what stands in files: Compose projects, DOCKER_DEFAULT_PLATFORM, and what is allowed on purpose. For recordings whose files are
/// real, such as the embedded sample.
pub fn refresh_files(inventory: &mut Inventory, host: &dyn Host) {
    let projects = std::mem::take(&mut inventory.projects);
    inventory.projects = projects.into_iter().map(|project| compose::read_again(host, project)).collect();
    inventory.default_platforms = default_platform::find(host, &inventory.projects);
    inventory.silences = silence::read(host, inventory);
}
