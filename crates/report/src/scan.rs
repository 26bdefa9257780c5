//! The scan document: an inventory and what was judged of it, as one value. The window shows it, the command line
//! prints it, every report is made of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::{
    advice::{Advice, advice},
    bench::{
        Bench,
        meaning::{Meaning, NativeNeed, meaning},
    },
    check::{Context, engine_platform_words},
    checks::CATALOG,
    emulator::display_name,
    examination::{NotApplicable, NotJudged, examine},
    execution::{ContainerExecution, Execution, Expected},
    fact::{Fact, Gap},
    finding::{Evidence, Finding, Severity},
    inventory::{
        ComposeMembership, ConfiguredEmulator, Container, ContainerState, HostFacts, Image, ImagePlatform, ImageStore,
        Inventory, Listing, Locality, Runtime,
    },
    platform::{Nativeness, Platform},
    prospect::{ProjectProspect, prospects},
    runtime::ProvenEmulator,
    schema::Schema,
    silence::Silenced,
    verdict::{Tally, VerdictWords, tally, verdict},
    wayout::WayOut,
};
use ts_rs::TS;

use crate::targets::{EmulatorTarget, targets};

/// Everything known of one engine at one time, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Scan {
    /// Always "silidock/1".
    pub schema: Schema,
    /// When the facts were taken, RFC 3339 in UTC.
    pub taken_at: String,
    /// Made from the embedded sample, not from a real engine.
    pub sample: bool,
    /// A capture that was replayed, not a look at an engine now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub replayed: bool,
    /// Host names, user names, home paths, registry hosts and environment values were replaced.
    pub redacted: bool,
    /// The one sentence.
    pub verdict: VerdictWords,
    /// Containers counted by how they run.
    pub tally: Tally,
    /// The engine.
    pub engine: ScanEngine,
    /// The machine this program ran on.
    pub host: HostFacts,
    /// Images, by name.
    pub images: Vec<ScanImage>,
    /// Containers, the running ones first, by name.
    pub containers: Vec<ScanContainer>,
    /// Compose projects, service by service, with what each would run here. Older documents have none.
    #[serde(default)]
    pub compose: Vec<ProjectProspect>,
    /// Worst first.
    pub findings: Vec<Finding>,
    /// Findings that somebody allows on purpose, by a comment or in `.silidock.toml`; they are not among the findings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Silenced>>")]
    pub silenced: Vec<Silenced>,
    /// What could not be judged.
    pub not_judged: Vec<NotJudged>,
    /// Checks that do not apply here.
    pub not_applicable: Vec<NotApplicable>,
    /// How much was looked at.
    pub coverage: Coverage,
    /// Everything that needs translation. Only in reports, which are made of one value; else it is a document of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub way_out: Option<WayOut>,
    /// What emulation costs here, by a benchmark that counts for this engine.
    pub benchmark: Fact<Meaning>,
    /// That benchmark itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub bench: Option<Box<Bench>>,
}

/// The engine, with its emulation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ScanEngine {
    /// Address.
    pub endpoint: String,
    /// Docker context it came from.
    pub context: Option<String>,
    /// How it was chosen, in words.
    pub chosen_by: String,
    /// Whether it runs on this machine.
    pub locality: Locality,
    /// The product that runs it.
    pub runtime: Runtime,
    /// Engine version.
    pub version: String,
    /// API version spoken.
    pub api_version: String,
    /// `linux`.
    pub os: String,
    /// `arm64`, `amd64`.
    pub arch: String,
    /// Its system's name.
    pub operating_system: Option<String>,
    /// Kernel version.
    pub kernel: Option<String>,
    /// Host name of its machine.
    pub host_name: Option<String>,
    /// Where images are kept.
    pub image_store: ImageStore,
    /// Processors.
    pub cpus: Option<u32>,
    /// Bytes of memory.
    #[ts(type = "number | null")]
    pub memory: Option<u64>,
    /// What runs foreign programs.
    pub emulation: Emulation,
}

/// What is set to run foreign programs, and what was seen to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Emulation {
    /// What a setting says.
    pub configured: Fact<ConfiguredEmulator>,
    /// What running processes show.
    pub effective: Fact<EffectiveEmulator>,
    /// Each foreign platform that was tried or is asked for, its two columns side by side.
    #[serde(default)]
    pub targets: Vec<EmulatorTarget>,
}

/// The emulators seen at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct EffectiveEmulator {
    /// As people write it: "QEMU", "Rosetta", "QEMU and Rosetta".
    pub emulator: String,
    /// Its version where that can be read.
    pub version: Option<String>,
    /// What showed it.
    pub evidence: Vec<Evidence>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ScanImage {
    /// Engine's id.
    pub id: String,
    /// Tags, sorted; none for an untagged image.
    pub tags: Vec<String>,
    /// Unix seconds.
    #[ts(type = "number | null")]
    pub created: Option<i64>,
    /// Bytes.
    #[ts(type = "number | null")]
    pub size: Option<u64>,
    /// All platforms it lists, and which of them are here.
    pub platforms: Fact<Vec<ImagePlatform>>,
    /// A platform that is native to the engine is here.
    pub native: Fact<bool>,
    /// Its platforms upstream: a gap until a registry was asked.
    pub upstream: Fact<Vec<Platform>>,
    /// Names of the containers made from it.
    pub used_by: Vec<String>,
    /// What can be done about it, best first, where it needs an emulator here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Advice>>")]
    pub advice: Vec<Advice>,
}

/// One container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ScanContainer {
    /// Full id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Image reference it was made from.
    pub image: String,
    /// Platform of the image it runs.
    pub platform: Fact<Platform>,
    /// State as the engine names it.
    pub state: ContainerState,
    /// The engine's status line.
    pub status: String,
    /// What its platform leads one to expect.
    pub expected: Fact<Expected>,
    /// How it runs.
    pub execution: Execution,
    /// Why that is unknown, if it is.
    pub execution_gap: Option<Gap>,
    /// `qemu`, `rosetta`, another name as found, or none.
    pub emulator: Option<String>,
    /// What was seen.
    pub evidence: Vec<Evidence>,
    /// Place in Compose.
    pub compose: Option<ComposeMembership>,
    /// Its processes: how many show which emulator.
    pub processes: Fact<Vec<ScanProcess>>,
    /// Processor time since its start, in seconds.
    pub cpu_seconds: Fact<f64>,
    /// Its share of all containers' processor time, 0 to 1. None while not known.
    pub cpu_share: Option<f64>,
    /// What it would need natively, where that was measured.
    pub native_need: Option<NativeNeed>,
}

/// One process of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ScanProcess {
    /// Process id in the engine's machine.
    pub pid: String,
    /// The program, without arguments.
    pub program: String,
    /// The emulator in front of it, if one shows.
    pub emulator: Option<String>,
}

/// How much was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// Images.
    pub images: Seen,
    /// Containers.
    pub containers: Seen,
    /// Everything that could not be read, and why.
    pub gaps: Vec<Gap>,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Seen {
    /// Fully read.
    pub seen: usize,
    /// There are.
    pub total: usize,
    /// The list itself was read.
    pub listed: bool,
}

impl Scan {
    /// Judges an inventory and lays it out.
    pub fn new(inventory: &Inventory) -> Self {
        let context = Context::new(inventory);
        let examination = examine(inventory);
        let tally = tally(&context);
        let (benchmark, needs) = meaning(&inventory.benchmark, &context.containers);
        Self {
            schema: Schema,
            taken_at: inventory.taken_at.clone(),
            sample: inventory.sample,
            replayed: false,
            redacted: false,
            verdict: verdict(inventory, &examination, &tally),
            tally,
            engine: engine(inventory, &context),
            host: inventory.host.clone(),
            images: images(&context),
            compose: prospects(&context),
            containers: containers(&context, needs),
            coverage: coverage(inventory),
            findings: examination.findings,
            silenced: examination.silenced,
            not_judged: examination.not_judged,
            not_applicable: examination.not_applicable,
            way_out: None,
            benchmark,
            bench: inventory.benchmark.known().map(|fitting| Box::new(fitting.run.clone())),
        }
    }

    /// The worst severity found, folded findings left out.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().filter(|f| f.superseded_by.is_none()).map(|f| f.severity).min()
    }

    /// The engine's platform, or its bare architecture.
    pub fn engine_words(&self) -> String {
        format!("{}/{}", self.engine.os, self.engine.arch)
    }

    /// Facts are missing that would be needed to call this complete.
    pub fn has_gaps(&self) -> bool {
        !self.not_judged.is_empty() || !self.coverage.gaps.is_empty()
    }
}

fn engine(inventory: &Inventory, context: &Context<'_>) -> ScanEngine {
    let engine = &inventory.engine;
    ScanEngine {
        endpoint: engine.endpoint.clone(),
        context: engine.context.clone(),
        chosen_by: engine.chosen_by.clone(),
        locality: engine.locality,
        runtime: engine.runtime.clone(),
        version: engine.version.clone(),
        api_version: engine.api_version.clone(),
        os: engine.os.clone(),
        arch: engine.arch.clone(),
        operating_system: engine.operating_system.clone(),
        kernel: engine.kernel.clone(),
        host_name: engine.host_name.clone(),
        image_store: engine.image_store,
        cpus: engine.cpus,
        memory: engine.memory,
        emulation: Emulation {
            configured: engine.configured.clone(),
            effective: effective(inventory, context),
            targets: targets(context),
        },
    }
}

/// What running containers show. Nothing is started to find out more.
fn effective(inventory: &Inventory, context: &Context<'_>) -> Fact<EffectiveEmulator> {
    if let Some(proven) = proven(inventory) {
        return Fact::Known(proven);
    }
    let emulated: Vec<(&&Container, &ContainerExecution)> =
        context.containers.iter().filter(|(_, e)| e.is_emulated()).map(|(c, e)| (c, e)).collect();
    let mut names: Vec<String> = Vec::new();
    for (container, _) in &emulated {
        for process in container.processes.known().into_iter().flatten() {
            if let Some(sign) = &process.emulator {
                let name = display_name(&sign.emulator).to_owned();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
    }
    if names.is_empty() {
        let platform = engine_platform_words(inventory);
        return Fact::unknown(
            "the emulator that is really used",
            format!("no running container of this {platform} engine shows one, and looking starts none"),
        );
    }
    let evidence = emulated
        .iter()
        .filter_map(|(container, execution)| {
            let seen = execution.evidence.first()?;
            Some(Evidence::new(format!("{}, {}", container.name, seen.place), seen.text.clone()))
        })
        .take(5)
        .collect();
    Fact::Known(EffectiveEmulator { emulator: names.join(" and "), version: None, evidence })
}

/// What a probe proved, for the platform that most images are built for if it is not the engine's own.
fn proven(inventory: &Inventory) -> Option<EffectiveEmulator> {
    let all = inventory.emulation.effective.known()?;
    let common = |p: &&ProvenEmulator| matches!(p.platform.architecture.as_str(), "amd64" | "arm64");
    let proven = all.iter().find(common).or_else(|| all.first())?;
    let emulator = match proven.works() {
        true => display_name(&proven.emulator).to_owned(),
        false => format!("nothing runs {}", proven.platform),
    };
    Some(EffectiveEmulator { emulator, version: proven.version.clone(), evidence: proven.evidence.clone() })
}

fn images(context: &Context<'_>) -> Vec<ScanImage> {
    let inventory = context.inventory;
    let engine = inventory.engine.platform.known();
    let mut images: Vec<ScanImage> =
        inventory.images.items.iter().map(|image| scan_image(image, engine, context)).collect();
    images.sort_by(|a, b| (a.tags.is_empty(), &a.tags, &a.id).cmp(&(b.tags.is_empty(), &b.tags, &b.id)));
    images
}

fn scan_image(image: &Image, engine: Option<&Platform>, context: &Context<'_>) -> ScanImage {
    let inventory = context.inventory;
    let native = match (&image.platforms, engine) {
        (Fact::Known(platforms), Some(engine)) => native_here(platforms, engine, image),
        (Fact::Unknown { unknown }, _) => unknown.clone().into(),
        (_, None) => Fact::unknown("whether it is native", "the engine's platform is not known"),
    };
    let used_by = inventory
        .containers
        .items
        .iter()
        .filter(|container| container.image_id.as_deref().is_some_and(|id| image.is(id)))
        .map(|container| container.name.clone())
        .collect();
    let foreign = image.tags.first().filter(|_| native == Fact::Known(false));
    ScanImage {
        advice: foreign.map(|tag| advice(context, tag)).unwrap_or_default(),
        id: image.id.clone(),
        tags: image.tags.clone(),
        created: image.created,
        size: image.size,
        platforms: image.platforms.clone(),
        native,
        upstream: upstream(image, context),
        used_by,
    }
}

/// What its first tag that a registry answered for has there.
fn upstream(image: &Image, context: &Context<'_>) -> Fact<Vec<Platform>> {
    let answers: Vec<_> = image.tags.iter().map(|tag| context.upstream(tag)).collect();
    match answers.iter().find_map(|answer| answer.as_ref().ok()) {
        Some(content) => match content.gaps.first() {
            Some(gap) if content.platforms.is_empty() => gap.clone().into(),
            _ => Fact::Known(content.platforms.clone()),
        },
        None => match answers.into_iter().find_map(Result::err) {
            Some(gap) => gap.into(),
            None => Fact::unknown("its platforms upstream", "it has no tag to ask a registry for"),
        },
    }
}

fn native_here(platforms: &[ImagePlatform], engine: &Platform, image: &Image) -> Fact<bool> {
    let here = || platforms.iter().filter(|p| p.available);
    if here().filter_map(|p| p.platform.known()).any(|p| p.on(engine) == Nativeness::Native) {
        return Fact::Known(true);
    }
    match here().find_map(|p| p.platform.gap()) {
        Some(gap) => gap.clone().into(),
        None if here().next().is_none() => {
            Fact::unknown("whether it is native", format!("none of the platforms of {} is on this engine", image.id))
        }
        None => Fact::Known(false),
    }
}

fn containers(context: &Context<'_>, needs: Vec<Option<NativeNeed>>) -> Vec<ScanContainer> {
    let used: Option<Vec<u64>> = context
        .containers
        .iter()
        .filter(|(c, _)| c.state.has_processes())
        .map(|(c, _)| c.cpu_nanoseconds.known().copied())
        .collect();
    let total: u64 = used.unwrap_or_default().iter().fold(0, |sum, n| sum.saturating_add(*n));
    let judged = context.containers.iter().zip(needs);
    let mut all: Vec<ScanContainer> =
        judged.map(|((c, e), need)| ScanContainer { native_need: need, ..scan_container(c, e, total) }).collect();
    all.sort_by(|a, b| {
        (a.execution == Execution::NotRunning, &a.name).cmp(&(b.execution == Execution::NotRunning, &b.name))
    });
    all
}

fn scan_container(container: &Container, execution: &ContainerExecution, total: u64) -> ScanContainer {
    let processes = container.processes.clone().map(|processes| {
        let row = |p: silidock_diagnosis::inventory::Process| ScanProcess {
            pid: p.pid,
            program: p.program,
            emulator: p.emulator.map(|e| e.emulator),
        };
        processes.into_iter().map(row).collect()
    });
    let share = match (container.cpu_nanoseconds.known(), total) {
        (Some(used), total) if total > 0 && container.state.has_processes() => Some(*used as f64 / total as f64),
        _ => None,
    };
    ScanContainer {
        id: container.id.clone(),
        name: container.name.clone(),
        image: container.image.clone(),
        platform: container.platform.clone(),
        state: container.state,
        status: container.status.clone(),
        expected: execution.expected.clone(),
        execution: execution.execution,
        execution_gap: execution.gap.clone(),
        emulator: execution.emulator.clone(),
        evidence: execution.evidence.clone(),
        compose: container.compose.clone(),
        processes,
        cpu_seconds: container.cpu_nanoseconds.clone().map(|n| n as f64 / 1e9),
        cpu_share: share,
        native_need: None,
    }
}

fn coverage(inventory: &Inventory) -> Coverage {
    let whole = |read: usize, total: usize, listed: bool| Seen { seen: read, total, listed };
    let images = &inventory.images;
    let read_images = images
        .items
        .iter()
        .filter(|i| i.platforms.known().is_some_and(|all| all.iter().all(|p| p.platform.known().is_some())));
    let containers = &inventory.containers;
    let read_containers =
        containers.items.iter().filter(|c| c.platform.known().is_some() && c.processes.known().is_some());
    let image_gaps = images.items.iter().flat_map(|image| {
        let inner = image.platforms.known().into_iter().flatten().filter_map(|p| p.platform.gap());
        image.platforms.gap().into_iter().chain(inner)
    });
    let container_gaps = containers.items.iter().flat_map(|c| c.platform.gap().into_iter().chain(c.processes.gap()));
    let list_gaps = gaps_of(images).chain(gaps_of(containers));
    Coverage {
        images: whole(read_images.count(), images.total, images.complete),
        containers: whole(read_containers.count(), containers.total, containers.complete),
        gaps: list_gaps
            .chain(image_gaps)
            .chain(container_gaps)
            .cloned()
            .chain(inventory.silences.not_understood())
            .collect(),
    }
}

fn gaps_of<T>(listing: &Listing<T>) -> impl Iterator<Item = &Gap> {
    listing.gaps.iter()
}

/// One check of the catalogue, as the window and `silidock checks` show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct CheckInfo {
    /// Stable id.
    pub id: String,
    /// What it finds.
    pub title: String,
    /// Why it matters and what to do.
    pub why: String,
    /// How bad its findings are.
    pub severity: Severity,
    /// Situations in which it fires.
    pub fires: Vec<String>,
    /// Situations in which it stays silent.
    pub silent: Vec<String>,
}

/// The catalogue as a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Catalogue {
    /// Always "silidock/1".
    pub schema: Schema,
    /// All checks.
    pub checks: Vec<CheckInfo>,
}

/// The catalogue.
pub fn catalogue() -> Catalogue {
    use silidock_diagnosis::check::Verdict;
    let names = |check: &silidock_diagnosis::check::Check, wanted: Verdict| {
        check.examples.iter().filter(|e| e.verdict == wanted).map(|e| e.name.to_owned()).collect()
    };
    let info = |check: &&'static silidock_diagnosis::check::Check| CheckInfo {
        id: check.id.to_owned(),
        title: check.title.to_owned(),
        why: check.why.to_owned(),
        severity: check.severity,
        fires: names(check, Verdict::Fires),
        silent: names(check, Verdict::Silent),
    };
    Catalogue { schema: Schema, checks: CATALOG.iter().map(info).collect() }
}
