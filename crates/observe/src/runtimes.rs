//! What each runtime on this Mac is set to run Intel programs with, and what the Mac brings for it.
//!
//! Files are read and a few commands that only read are run; nothing is started. What really runs is not told by any of
//! this: that is the probe's part. A setting that is absent is the runtime's default, or unknown where the default is.

mod apple_container;
mod colima;
mod docker_desktop;
mod document;
mod finch;
mod lima;
mod mac;
mod orbstack;
mod podman;
mod rancher_desktop;

use std::path::{Path, PathBuf};

use silidock_diagnosis::{
    fact::{Fact, Gap},
    finding::{Confidence, Evidence},
    runtime::{EmulationFacts, Obstacle, ObstacleKind, RuntimeSettings, Setting, VmType, version_numbers},
};
use silidock_host::{Host, OsFamily};

/// Files of other apps that macOS 15 and later guard with a question to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardedFiles {
    /// Leave them alone; a gap says how to have them read.
    Leave,
    /// The user was told why, and said yes.
    Read,
}

/// Reads everything about emulation that stands in files of this machine. What the probe proves, and what logs say,
/// stays unknown here.
pub async fn read(host: &dyn Host, guarded: GuardedFiles) -> EmulationFacts {
    let runtimes = settings(host, guarded).await;
    EmulationFacts {
        rosetta: mac::rosetta(host),
        shared_socket: mac::shared_socket(host, &runtimes),
        runtimes: Fact::Known(runtimes),
        ..EmulationFacts::default()
    }
}

/// The settings of every runtime that left a trace on this Mac, one entry per profile, instance or machine. On other
/// systems there is nothing to choose, and the list is empty.
pub async fn settings(host: &dyn Host, guarded: GuardedFiles) -> Vec<RuntimeSettings> {
    if host.os() != OsFamily::MacOs {
        return Vec::new();
    }
    let mac = Mac::of(host);
    let mut all = docker_desktop::read(host, &mac, guarded);
    all.extend(orbstack::read(host).await);
    all.extend(colima::read(host, &mac).await);
    all.extend(lima::read(host, &mac));
    all.extend(rancher_desktop::read(host, &mac));
    all.extend(podman::read(host).await);
    all.extend(finch::read(host));
    all.extend(apple_container::read(host));
    for settings in &mut all {
        settings.obstacles.extend(mac.obstacles());
    }
    all
}

/// What the readers need to know of the Mac.
struct Mac {
    apple_silicon: Option<bool>,
    version: Option<String>,
    numbers: Vec<u32>,
}

impl Mac {
    fn of(host: &dyn Host) -> Self {
        let facts = host.facts();
        let numbers = facts.os_version.as_deref().map(version_numbers).unwrap_or_default();
        Self { apple_silicon: facts.apple_silicon, version: facts.os_version, numbers }
    }

    /// This macOS or a later one; none where its version is not known.
    fn since(&self, major: u32) -> Option<bool> {
        self.numbers.first().map(|mine| *mine >= major)
    }

    fn obstacles(&self) -> Vec<Obstacle> {
        let mut found = Vec::new();
        if self.apple_silicon == Some(false) {
            let evidence = Evidence::new("this machine", "it has an Intel processor");
            found.push(obstacle(
                ObstacleKind::Processor,
                "Rosetta for Linux needs a Mac with Apple's processor",
                evidence,
            ));
        }
        if self.since(13) == Some(false) {
            let version = self.version.as_deref().unwrap_or_default();
            let evidence = Evidence::new("this machine", format!("macOS {version}"));
            found.push(obstacle(ObstacleKind::MacOs, "Rosetta for Linux needs macOS 13 or later", evidence));
        }
        found
    }
}

/// An obstacle that is known for sure.
fn obstacle(kind: ObstacleKind, text: impl Into<String>, evidence: Evidence) -> Obstacle {
    Obstacle { kind, text: text.into(), evidence, confidence: Confidence::Certain }
}

/// Settings of which nothing is known yet.
fn blank(runtime: &str, name: &str, instance: Option<&str>) -> RuntimeSettings {
    let full = instance.map_or_else(|| name.to_owned(), |instance| format!("{name} ({instance})"));
    RuntimeSettings {
        runtime: runtime.to_owned(),
        vm_type: Fact::unknown(format!("the kind of machine of {full}"), "its settings do not say"),
        emulator: Fact::unknown(format!("the emulator set in {full}"), "its settings do not say"),
        name: full,
        instance: instance.map(str::to_owned),
        version: None,
        sockets: Vec::new(),
        host_name: None,
        vm_arch: None,
        started_with: None,
        locks: Vec::new(),
        obstacles: Vec::new(),
        gaps: Vec::new(),
    }
}

/// Something that is not written down anywhere.
fn default_setting<T>(value: T, place: &str, key: Option<&str>, written: &str, confidence: Confidence) -> Setting<T> {
    Setting {
        value,
        place: place.to_owned(),
        key: key.map(str::to_owned),
        line: None,
        default: true,
        written: written.to_owned(),
        confidence,
    }
}

fn vm_type(word: &str) -> VmType {
    match word {
        "vz" | "applehv" => VmType::Vz,
        "qemu" => VmType::Qemu,
        "krunkit" | "libkrun" => VmType::Libkrun,
        other => VmType::Other(other.to_owned()),
    }
}

/// Rosetta lives in machines of Apple's framework only.
fn wrong_kind(vm: &Setting<VmType>) -> Option<Obstacle> {
    let text = format!("A machine of {} has no Rosetta, whatever is set", vm.value);
    let has_none = matches!(vm.value, VmType::Qemu | VmType::Libkrun | VmType::DockerVmm);
    has_none.then(|| Obstacle { kind: ObstacleKind::VmType, text, evidence: vm.evidence(), confidence: vm.confidence })
}

/// An Intel machine on an ARM Mac is emulated as a whole, and Rosetta has no place in it.
fn wrong_architecture(arch: &Setting<String>, mac: &Mac) -> Option<Obstacle> {
    let foreign = mac.apple_silicon == Some(true) && !matches!(arch.value.as_str(), "arm64" | "host" | "default");
    let text = format!("The machine is {}, and this Mac is ARM", arch.value);
    foreign.then(|| obstacle(ObstacleKind::VmArchitecture, text, arch.evidence()))
}

/// The platform's word for what Lima calls an architecture.
fn architecture(word: String) -> String {
    match word.as_str() {
        "aarch64" => "arm64".to_owned(),
        "x86_64" => "amd64".to_owned(),
        _ => word,
    }
}

/// An app's version, from the file that every app has.
fn app_version(host: &dyn Host, app: &str) -> Option<String> {
    let path = format!("{app}/Contents/Info.plist");
    let document::Opened::Here(info) = document::open(host, Path::new(&path), document::Format::Plist) else {
        return None;
    };
    Some(info.text(&["CFBundleShortVersionString"]).ok()??.value)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Names of the folders in a folder that are a runtime's instances: those of its own start with `_` or `.`.
fn instances(host: &dyn Host, folder: &Path, name: &str) -> Result<Vec<String>, Gap> {
    match host.list_dir(folder) {
        Ok(entries) => Ok(entries
            .into_iter()
            .filter(|entry| entry.is_dir)
            .filter_map(|entry| entry.name.into_string().ok())
            .filter(|name| !name.starts_with(['_', '.']))
            .collect()),
        Err(error) if error.is_missing() => Ok(Vec::new()),
        Err(error) => Err(Gap::new(format!("the settings of {name}"), error.to_string())),
    }
}

/// The folder that a variable names, if it is an absolute path.
fn folder_of(host: &dyn Host, variable: &str) -> Option<PathBuf> {
    host.env(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}
