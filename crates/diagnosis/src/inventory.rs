//! What was seen: plain owned data that can be written to a file and replayed elsewhere. Nothing is judged here.
//!
//! Never in here: environment values, process arguments, labels other than Compose's. They carry secrets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    bench::meaning::{Fitting, not_measured_yet},
    compose::ComposeProject,
    contents::Contents,
    deploy::DeployFacts,
    emulator::EmulatorSign,
    fact::{Fact, Gap},
    platform::Platform,
    runtime::EmulationFacts,
    schema::Schema,
    silence::Silences,
    ties::Tie,
    upstream::UpstreamFacts,
};

/// Everything one look at one engine brought back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// Always "silidock/1".
    pub schema: Schema,
    /// When it was taken, RFC 3339 in UTC.
    pub taken_at: String,
    /// The embedded sample, not a real engine.
    pub sample: bool,
    /// The engine looked at.
    pub engine: Engine,
    /// The machine this program ran on. Judges only an engine of this machine.
    pub host: HostFacts,
    /// All images.
    pub images: Listing<Image>,
    /// All containers, running or not.
    pub containers: Listing<Container>,
    /// Compose projects named by the labels of containers.
    pub projects: Vec<ComposeProject>,
    /// Every place that sets DOCKER_DEFAULT_PLATFORM.
    pub default_platforms: Fact<Vec<DefaultPlatform>>,
    /// Settings of runtimes, what the probe proved, and what logs say. Older captures have none of it.
    #[serde(default)]
    pub emulation: EmulationFacts,
    /// What registries said, where somebody asked them.
    #[serde(default)]
    pub upstream: UpstreamFacts,
    /// The stored benchmark that still counts for this engine. Older captures have none.
    #[serde(default = "not_measured")]
    pub benchmark: Fact<Fitting>,
    /// Where what is built here will run. Older captures have none.
    #[serde(default)]
    pub deploy: DeployFacts,
    /// Findings that somebody allows on purpose. Older captures have none.
    #[serde(default)]
    pub silences: Silences,
    /// What lies inside images; only where somebody asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub contents: Option<Contents>,
}

fn not_measured() -> Fact<Fitting> {
    not_measured_yet().into()
}

impl Inventory {
    /// An engine of which nothing is known but its address: for judging what does not depend on it.
    pub fn not_looked_at(endpoint: &str) -> Self {
        let gap = |what: &str| Gap::new(what, "it was not looked at");
        Self {
            schema: Schema,
            taken_at: String::new(),
            sample: false,
            engine: Engine {
                endpoint: endpoint.to_owned(),
                context: None,
                chosen_by: String::new(),
                locality: Locality::Unknown,
                runtime: Runtime {
                    id: "docker-engine".to_owned(),
                    name: "Docker Engine".to_owned(),
                    evidence: String::new(),
                    mac_virtual_machine: false,
                },
                version: String::new(),
                api_version: String::new(),
                os: String::new(),
                arch: String::new(),
                platform: gap("the engine's platform").into(),
                operating_system: None,
                kernel: None,
                host_name: None,
                image_store: ImageStore::Unknown,
                cpus: None,
                memory: None,
                configured: gap("the emulator that is set").into(),
            },
            host: HostFacts {
                os: String::new(),
                os_version: None,
                arch: String::new(),
                apple_silicon: gap("whether this is a Mac with Apple's processor").into(),
                translated: gap("whether this program runs translated").into(),
                cpu: None,
                cores: None,
                memory: None,
            },
            images: Listing::missing(gap("the list of images")),
            containers: Listing::missing(gap("the list of containers")),
            projects: Vec::new(),
            default_platforms: gap("the places that set DOCKER_DEFAULT_PLATFORM").into(),
            emulation: EmulationFacts::default(),
            upstream: UpstreamFacts::default(),
            benchmark: not_measured(),
            deploy: DeployFacts::default(),
            silences: Silences::default(),
            contents: None,
        }
    }
}

/// A list of things, and what could not be read of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Listing<T> {
    /// What could be read.
    pub items: Vec<T>,
    /// How many there are, read or not.
    pub total: usize,
    /// Why the rest, or all of it, is missing.
    pub gaps: Vec<Gap>,
    /// The list was asked for and answered. False: not asked yet, or it failed (then `gaps` says why).
    pub complete: bool,
}

impl<T> Listing<T> {
    /// A complete list.
    pub fn of(items: Vec<T>) -> Self {
        Self { total: items.len(), items, gaps: Vec::new(), complete: true }
    }
    /// A list that is not there, and why.
    pub fn missing(gap: Gap) -> Self {
        Self { items: Vec::new(), total: 0, gaps: vec![gap], complete: false }
    }
}

/// One Docker engine, as it describes itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Engine {
    /// Address, for example `unix:///var/run/docker.sock`.
    pub endpoint: String,
    /// Docker context it came from.
    pub context: Option<String>,
    /// How it was chosen, in words: "DOCKER_HOST is set".
    pub chosen_by: String,
    /// Whether it runs on this machine.
    pub locality: Locality,
    /// Which product runs it.
    pub runtime: Runtime,
    /// Engine version.
    pub version: String,
    /// API version spoken with it.
    pub api_version: String,
    /// `linux`.
    pub os: String,
    /// Architecture in the platform's words: `arm64`, `amd64`.
    pub arch: String,
    /// Both as one, if they make one.
    pub platform: Fact<Platform>,
    /// What the engine calls its operating system.
    pub operating_system: Option<String>,
    /// Kernel version.
    pub kernel: Option<String>,
    /// Host name of the engine's machine.
    pub host_name: Option<String>,
    /// Where images are kept, which decides what can be known of them.
    pub image_store: ImageStore,
    /// Processors of the engine's machine.
    pub cpus: Option<u32>,
    /// Its memory in bytes.
    #[ts(type = "number | null")]
    pub memory: Option<u64>,
    /// What is set to run foreign programs.
    pub configured: Fact<ConfiguredEmulator>,
}

/// Whether an engine runs on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Locality {
    /// A socket of this machine.
    Local,
    /// Another machine.
    Remote,
    /// A forwarded port may lead anywhere.
    Unknown,
}

/// The product that runs the engine, and how it gave itself away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Runtime {
    /// Stable name: `docker-desktop`, `orbstack`, `colima`, `lima`, `rancher-desktop`, `podman`, `finch`, `docker-engine`.
    pub id: String,
    /// As its makers write it: "Docker Desktop".
    pub name: String,
    /// What said so.
    pub evidence: String,
    /// Runs its engine in a virtual machine on a Mac.
    pub mac_virtual_machine: bool,
}

/// Where an engine keeps its images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum ImageStore {
    /// containerd's: one tag can hold several platforms.
    Containerd,
    /// The older graph drivers: one platform per tag.
    Classic,
    /// It does not say.
    Unknown,
}

/// A setting that names an emulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ConfiguredEmulator {
    /// What it is set to.
    pub value: String,
    /// Where that is written.
    pub source: String,
}

/// The machine this program runs on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct HostFacts {
    /// `macos`, `linux` ...
    pub os: String,
    /// Its version.
    pub os_version: Option<String>,
    /// Architecture of the machine, seen through translation where that can be told.
    pub arch: String,
    /// A Mac with Apple's own processor.
    pub apple_silicon: Fact<bool>,
    /// This very program runs translated.
    pub translated: Fact<bool>,
    /// Processor as it calls itself.
    pub cpu: Option<String>,
    /// Logical processors.
    pub cores: Option<u32>,
    /// Memory in bytes.
    #[ts(type = "number | null")]
    pub memory: Option<u64>,
}

/// One image: what a tag, or no tag, leads to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The engine's id, `sha256:...`.
    pub id: String,
    /// Tags, sorted; none for an untagged image.
    pub tags: Vec<String>,
    /// Repository digests.
    pub digests: Vec<String>,
    /// Unix seconds.
    #[ts(type = "number | null")]
    pub created: Option<i64>,
    /// Bytes on the engine's disk.
    #[ts(type = "number | null")]
    pub size: Option<u64>,
    /// All platforms it lists, attestations left out.
    pub platforms: Fact<Vec<ImagePlatform>>,
    /// Attestation manifests left out of `platforms`.
    pub attestations: u32,
}

impl Image {
    /// The id means this image or one platform of it: engines with the containerd store name either.
    pub fn is(&self, id: &str) -> bool {
        let manifest = |p: &ImagePlatform| p.digest.as_deref() == Some(id);
        self.id == id
            || self.digests.iter().any(|d| d.split_once('@').is_some_and(|(_, digest)| digest == id))
            || self.platforms.known().is_some_and(|all| all.iter().any(manifest))
    }
}

/// One platform of an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ImagePlatform {
    /// Which.
    pub platform: Fact<Platform>,
    /// Its content is on this engine, not just listed.
    pub available: bool,
    /// Digest of its manifest.
    pub digest: Option<String>,
    /// Bytes on the engine's disk.
    #[ts(type = "number | null")]
    pub size: Option<u64>,
}

/// One container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Full id.
    pub id: String,
    /// First name, without the slash.
    pub name: String,
    /// Image reference it was created from.
    pub image: String,
    /// The image it really runs.
    pub image_id: Option<String>,
    /// Platform of that image, not of what the tag means today.
    pub platform: Fact<Platform>,
    /// What said so.
    pub platform_source: Option<String>,
    /// State as the engine names it.
    pub state: ContainerState,
    /// The engine's one-line status: "Up 3 hours", "Exited (137) 2 days ago".
    pub status: String,
    /// Unix seconds.
    #[ts(type = "number | null")]
    pub created: Option<i64>,
    /// Where it belongs in Compose.
    pub compose: Option<ComposeMembership>,
    /// Its processes; known and empty when it does not run.
    pub processes: Fact<Vec<Process>>,
    /// What the engine says of why it could not be started, reduced to the words that are recognised. Older captures have
    /// none.
    #[serde(default)]
    pub start_error: Option<String>,
    /// What of volumes and of the engine's machine is mounted in it. Older captures do not say.
    #[serde(default = "mounts_not_told")]
    pub mounts: Fact<Vec<Mount>>,
    /// How many paths it has written outside of volumes that would be missed; asked only of those that run emulated.
    #[serde(default = "written_not_asked")]
    pub written: Fact<u32>,
    /// What keeps it from being made anew as it is; asked together with `written`.
    #[serde(default = "ties_not_asked")]
    pub ties: Fact<Vec<Tie>>,
    /// Processor time used since it started, in nanoseconds.
    #[ts(type = "number | { unknown: Gap }")]
    pub cpu_nanoseconds: Fact<u64>,
}

fn mounts_not_told() -> Fact<Vec<Mount>> {
    Fact::unknown("what is mounted", "the capture is older than this question")
}

/// The gap of a container nobody asked what it wrote.
pub fn written_not_asked() -> Fact<u32> {
    Fact::unknown("what was written outside of volumes", "not asked")
}

/// So nobody knows whether it can be made anew.
pub fn ties_not_asked() -> Fact<Vec<Tie>> {
    Fact::unknown("whether it can be made anew as it is", "not asked")
}

/// Something that is mounted in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Mount {
    /// What it is.
    pub kind: MountKind,
    /// Where it is in the container.
    pub target: String,
    /// The container may write to it.
    pub writable: bool,
}

/// Kinds of mounts that outlast a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum MountKind {
    /// A volume, named or not.
    Volume,
    /// A folder or file of the engine's machine.
    Bind,
}

/// State of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum ContainerState {
    /// Made, never started.
    Created,
    /// Runs.
    Running,
    /// Frozen, its processes are there.
    Paused,
    /// Between two starts.
    Restarting,
    /// On its way out.
    Removing,
    /// Ended.
    Exited,
    /// Cannot be removed.
    Dead,
    /// Something newer.
    Other,
}

impl ContainerState {
    /// From the engine's word.
    pub fn from_engine(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "created" => Self::Created,
            "running" => Self::Running,
            "paused" => Self::Paused,
            "restarting" => Self::Restarting,
            "removing" => Self::Removing,
            "exited" | "stopped" => Self::Exited,
            "dead" => Self::Dead,
            _ => Self::Other,
        }
    }
    /// There are processes to look at.
    pub fn has_processes(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

/// Compose labels of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ComposeMembership {
    /// Project name.
    pub project: String,
    /// Service name.
    pub service: String,
}

/// One process of a container, as the engine's `top` shows it. Arguments are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Process id in the engine's machine.
    pub pid: String,
    /// The program, without arguments: its path or name.
    pub program: String,
    /// The emulator in front of it, if one shows.
    pub emulator: Option<EmulatorSign>,
    /// Put there by the engine (`docker-init`), so it says nothing about the image.
    pub injected: bool,
}

/// One place that sets DOCKER_DEFAULT_PLATFORM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct DefaultPlatform {
    /// Its value, as written.
    pub value: String,
    /// Where it counts.
    pub scope: DefaultPlatformScope,
    /// File that sets it; none for this program's own environment.
    pub path: Option<String>,
    /// Line in that file, from 1.
    pub line: Option<u32>,
    /// The whole line, kept only when it holds nothing but this assignment, so that it can be taken out.
    pub text: Option<String>,
}

/// Where a DOCKER_DEFAULT_PLATFORM counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum DefaultPlatformScope {
    /// The environment this program was started with.
    Environment,
    /// A start-up file of the user's shell.
    ShellFile,
    /// The `.env` file of one Compose project.
    Project {
        /// Its name.
        project: String,
    },
}

impl DefaultPlatform {
    /// It counts for a container of this Compose membership (none: started by hand).
    pub fn counts_for(&self, membership: Option<&ComposeMembership>) -> bool {
        match &self.scope {
            DefaultPlatformScope::Environment | DefaultPlatformScope::ShellFile => true,
            DefaultPlatformScope::Project { project } => membership.is_some_and(|m| &m.project == project),
        }
    }
}
