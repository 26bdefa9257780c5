//! What is set to run foreign programs, what was proven to run them, and what the Mac itself brings: facts only.
//!
//! A setting is what somebody asked for; only a probe says what happens. Both are kept apart here and compared by the
//! checks. How settings files are read is `observe`'s part, how the probe runs is `measure`'s.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    crash::ContainerCrash,
    fact::{Fact, Gap},
    finding::{Confidence, Evidence},
    inventory::Engine,
    platform::Platform,
};

/// Everything known about emulation that an engine does not tell by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct EmulationFacts {
    /// Settings of every runtime found on this machine, one entry per profile, instance or machine.
    pub runtimes: Fact<Vec<RuntimeSettings>>,
    /// What the probe found, one entry per platform tried.
    pub effective: Fact<Vec<ProvenEmulator>>,
    /// What a build of one step found, one entry per platform tried. BuildKit can bring emulators of its own.
    pub builds: Fact<Vec<ProvenBuild>>,
    /// Platforms that were tried without an answer, each with why.
    pub unproven: Vec<UnprovenPlatform>,
    /// Whether macOS can lend Rosetta to Linux machines.
    pub rosetta: Fact<RosettaOnHost>,
    /// Who owns the socket that all runtimes want, where it is there.
    pub shared_socket: Fact<Option<SharedSocket>>,
    /// What the logs of stopped containers say, for those that were read.
    pub crashes: Vec<ContainerCrash>,
}

/// Why the effective emulator is not known before anybody asked.
pub fn not_proven_yet() -> Gap {
    Gap::new("which emulator really runs", "not proven yet: silidock emulator")
}

impl Default for EmulationFacts {
    fn default() -> Self {
        Self {
            runtimes: Fact::unknown("the settings of the runtimes", "not read yet: silidock emulator"),
            effective: not_proven_yet().into(),
            builds: Fact::unknown(
                "which emulator runs the steps of builds",
                "not proven yet: silidock emulator --builds",
            ),
            unproven: Vec::new(),
            rosetta: Fact::unknown("whether Rosetta for Linux is here", "not looked for yet: silidock emulator"),
            shared_socket: Fact::unknown("who owns /var/run/docker.sock", "not looked for yet: silidock emulator"),
            crashes: Vec::new(),
        }
    }
}

/// The settings of one runtime's virtual machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeSettings {
    /// As [`crate::inventory::Runtime::id`]; `apple-container` as well, which has no Docker engine.
    pub runtime: String,
    /// As its makers write it: "Docker Desktop".
    pub name: String,
    /// Profile, instance or machine; none where a runtime has only one.
    pub instance: Option<String>,
    /// The runtime's own version, where it tells.
    pub version: Option<String>,
    /// Sockets of this instance, as paths.
    pub sockets: Vec<String>,
    /// What the machine calls itself, where the name is the runtime's to give.
    pub host_name: Option<String>,
    /// What carries the virtual machine.
    pub vm_type: Fact<Setting<VmType>>,
    /// Architecture of the virtual machine in the platform's words, where it is set.
    pub vm_arch: Option<Setting<String>>,
    /// What is set to run 64-bit Intel programs, in the place that a person edits.
    pub emulator: Fact<Setting<EmulatorChoice>>,
    /// The same in the place that the machine was last started with, where that is another one.
    pub started_with: Option<Fact<Setting<EmulatorChoice>>>,
    /// Settings that somebody else has fixed.
    pub locks: Vec<SettingLock>,
    /// Why Rosetta cannot work here, whatever is set.
    pub obstacles: Vec<Obstacle>,
    /// What could not be read of it.
    pub gaps: Vec<Gap>,
}

/// A value with where it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// A file, or a command as one line.
    pub place: String,
    /// Key there: `vmOpts.vz.rosetta.enabled`.
    pub key: Option<String>,
    /// Line there, from 1.
    pub line: Option<u32>,
    /// Nothing is written there; this is the runtime's default.
    pub default: bool,
    /// What is written there, or the default as it would be written.
    pub written: String,
    /// How sure it is that this means the value.
    pub confidence: Confidence,
}

impl<T> Setting<T> {
    /// What a person reads as evidence.
    pub fn evidence(&self) -> Evidence {
        let place = match self.line {
            Some(line) => format!("{}:{line}", self.place),
            None => self.place.clone(),
        };
        let written = &self.written;
        let text = match (&self.key, self.default) {
            (Some(key), true) => format!("{key} is not set, and the default is {written}"),
            (Some(key), false) => format!("{key}: {written}"),
            (None, true) => format!("the default is {written}"),
            (None, false) => written.clone(),
        };
        Evidence::new(place, text)
    }
    /// The same place, read as another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Setting<U> {
        let Self { value, place, key, line, default, written, confidence } = self;
        Setting { value: f(value), place, key, line, default, written, confidence }
    }
    /// The same, less sure.
    #[must_use]
    pub fn likely(mut self) -> Self {
        self.confidence = self.confidence.min(Confidence::Likely);
        self
    }
}

/// What carries a virtual machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum VmType {
    /// Apple's Virtualization framework.
    Vz,
    /// QEMU as a whole machine.
    Qemu,
    /// libkrun, also as krunkit.
    Libkrun,
    /// Docker's own, made of libkrun.
    DockerVmm,
    /// A word that is none of these.
    Other(String),
}

impl std::fmt::Display for VmType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Vz => "Apple's Virtualization framework",
            Self::Qemu => "QEMU",
            Self::Libkrun => "libkrun",
            Self::DockerVmm => "Docker VMM",
            Self::Other(word) => word,
        })
    }
}

/// What is set to run 64-bit Intel programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum EmulatorChoice {
    /// Rosetta.
    Rosetta,
    /// QEMU.
    Qemu,
    /// Nothing that the settings name.
    None,
}

impl EmulatorChoice {
    /// The word that the probe's answer uses for the same.
    pub fn id(self) -> &'static str {
        match self {
            Self::Rosetta => "rosetta",
            Self::Qemu => "qemu",
            Self::None => NO_EMULATOR,
        }
    }
}

/// A setting that somebody else has fixed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct SettingLock {
    /// File that fixes it.
    pub place: String,
    /// Key there.
    pub key: String,
    /// What it is fixed to, where it says.
    pub value: Option<EmulatorChoice>,
}

/// Why Rosetta cannot work, whatever is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Obstacle {
    /// Which one.
    pub kind: ObstacleKind,
    /// In a sentence.
    pub text: String,
    /// What said so.
    pub evidence: Evidence,
    /// How sure it is that this stops Rosetta.
    pub confidence: Confidence,
}

/// Kinds of obstacles. What a fix may do about one depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum ObstacleKind {
    /// The kind of virtual machine has no Rosetta.
    VmType,
    /// The virtual machine's architecture is not the Mac's.
    VmArchitecture,
    /// The runtime wants a mark in the machine that is not there, or a process on the Mac that does not run.
    NotActivated,
    /// macOS is too old.
    MacOs,
    /// Not a Mac with Apple's processor.
    Processor,
    /// The runtime ignores the setting in this mode.
    Mode,
}

/// Rosetta for Linux, as macOS brings it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct RosettaOnHost {
    /// It is here.
    pub present: bool,
    /// Part of macOS itself, nothing to install: macOS 27 and later.
    pub integrated: bool,
    /// Version of the Linux translator, read out of its file.
    pub version: Option<String>,
    /// What said so.
    pub evidence: Evidence,
}

/// The socket that `docker` uses by default, and who wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct SharedSocket {
    /// `/var/run/docker.sock`.
    pub path: String,
    /// Where it leads.
    pub leads_to: String,
    /// Id of the runtime that this is the socket of, where that can be told.
    pub owner: Option<String>,
    /// Nothing is at its end.
    pub dangling: bool,
    /// Ids of all runtimes that have a socket of their own here, the owner too.
    pub runtimes: Vec<String>,
}

/// No emulator: the kernel refuses to start the program.
pub const NO_EMULATOR: &str = "none";

/// What the probe found for one platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProvenEmulator {
    /// The foreign platform tried.
    pub platform: Platform,
    /// `qemu`, `rosetta`, another name as found, or `none`.
    pub emulator: String,
    /// Its version, where that can be read.
    pub version: Option<String>,
    /// What was seen, most telling first.
    pub evidence: Vec<Evidence>,
    /// What each sign says by itself. More than one name among them is a disagreement.
    pub signs: Vec<ProvenSign>,
    /// Features of the processor that programs of this platform see, in Linux's words: `avx`, `bmi2`, `sse4_2`.
    pub features: Fact<Vec<String>>,
}

/// What a build found for one platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ProvenBuild {
    /// What carried the step out: "BuildKit", "the engine's older builder".
    pub builder: String,
    /// What ran the step.
    pub proven: ProvenEmulator,
}

/// A platform that the probe tried and learned nothing of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UnprovenPlatform {
    /// The foreign platform tried.
    pub platform: Platform,
    /// Why it is not known.
    pub gap: Gap,
}

/// One sign by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ProvenSign {
    /// Where it was looked for: `cpu`, `process list`, `interpreter`.
    pub sign: String,
    /// The emulator it names.
    pub emulator: String,
    /// What was seen.
    pub evidence: Evidence,
}

impl ProvenEmulator {
    /// Something runs programs of this platform.
    pub fn works(&self) -> bool {
        self.emulator != NO_EMULATOR
    }
    /// The signs that name another emulator than the verdict.
    pub fn dissenting(&self) -> impl Iterator<Item = &ProvenSign> {
        self.signs.iter().filter(|sign| sign.emulator != self.emulator)
    }
}

impl EmulationFacts {
    /// The settings of the runtime instance that runs this engine. By socket, else by the machine's own name, else
    /// the only instance of that runtime.
    ///
    /// # Errors
    /// The gap to name where they are not known.
    pub fn settings_of(&self, engine: &Engine) -> Result<&RuntimeSettings, Gap> {
        let all = match &self.runtimes {
            Fact::Known(all) => all,
            Fact::Unknown { unknown } => return Err(unknown.clone()),
        };
        let mine: Vec<&RuntimeSettings> = all.iter().filter(|s| s.runtime == engine.runtime.id).collect();
        let socket = engine.endpoint.strip_prefix("unix://").unwrap_or_default();
        let by_socket = mine.iter().find(|s| s.sockets.iter().any(|path| path == socket));
        let by_name = || mine.iter().find(|s| s.host_name.is_some() && s.host_name == engine.host_name);
        let only = || mine.first().filter(|_| mine.len() == 1);
        let what = format!("the settings of {}", engine.runtime.name);
        by_socket.or_else(by_name).or_else(only).copied().ok_or_else(|| match mine.len() {
            0 => Gap::new(what, "none were found on this machine"),
            n => Gap::new(what, format!("this machine has {n} of them, and which one this engine is cannot be told")),
        })
    }

    /// Why nothing was proven for a platform's architecture.
    pub fn gap_of(&self, architecture: &str) -> Gap {
        let tried = self.unproven.iter().find(|u| u.platform.architecture == architecture);
        let untried = || {
            Gap::new(
                format!("what runs linux/{architecture}"),
                format!("linux/{architecture} was not among the platforms tried"),
            )
        };
        tried.map(|u| u.gap.clone()).or_else(|| self.effective.gap().cloned()).unwrap_or_else(untried)
    }

    /// What the probe found for a platform's architecture.
    pub fn proven(&self, architecture: &str) -> Option<&ProvenEmulator> {
        self.effective.known()?.iter().find(|p| p.platform.architecture == architecture)
    }

    /// What the log of a container says, if it was read.
    pub fn crash_of(&self, container: &str) -> Option<&ContainerCrash> {
        self.crashes.iter().find(|crash| crash.container == container)
    }
}

/// The numbers at the start of a version: `7.0.12-linuxkit` is 7, 0, 12.
pub fn version_numbers(version: &str) -> Vec<u32> {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version[..end].split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{example::engine, example_emulation::settings};

    #[test]
    fn an_engine_finds_its_own_settings() {
        let profile = |name: &str| {
            let mut made = settings("colima", Some(name));
            made.sockets = vec![format!("/Users/sam/.colima/{name}/docker.sock")];
            made.host_name = Some(if name == "default" { "colima".to_owned() } else { format!("colima-{name}") });
            made
        };
        let mut facts = EmulationFacts::default();
        let mut engine = engine("arm64");
        assert!(facts.settings_of(&engine).unwrap_err().why.contains("not read yet"));
        facts.runtimes = Fact::Known(vec![profile("default"), profile("work"), settings("orbstack", None)]);
        let mut row = |runtime: &str, endpoint: &str, host: &str, wanted: Result<Option<&str>, &str>| {
            runtime.clone_into(&mut engine.runtime.id);
            endpoint.clone_into(&mut engine.endpoint);
            engine.host_name = Some(host.to_owned());
            let found = facts.settings_of(&engine).map(|s| s.instance.as_deref());
            match (found, wanted) {
                (Ok(found), Ok(wanted)) => assert_eq!(found, wanted, "{endpoint} {host}"),
                (Err(gap), Err(why)) => assert!(gap.why.contains(why), "{gap:?}"),
                other => panic!("{endpoint} {host}: {other:?}"),
            }
        };
        row("colima", "unix:///Users/sam/.colima/work/docker.sock", "x", Ok(Some("work")));
        row("colima", "unix:///var/run/docker.sock", "colima-work", Ok(Some("work")));
        row("colima", "unix:///var/run/docker.sock", "colima", Ok(Some("default")));
        row("colima", "unix:///var/run/docker.sock", "x", Err("cannot be told"));
        row("orbstack", "unix:///var/run/docker.sock", "x", Ok(None));
        row("lima", "unix:///var/run/docker.sock", "x", Err("none were found"));
    }

    #[test]
    fn versions_compare_by_their_numbers() {
        for (text, numbers) in [("7.0.12-linuxkit", vec![7, 0, 12]), ("6.8.0-64-generic", vec![6, 8, 0]), ("x", vec![])]
        {
            assert_eq!(version_numbers(text), numbers, "{text}");
        }
        assert!(version_numbers("367.10") > version_numbers("367.9"));
    }

    #[test]
    fn an_older_capture_loads_with_gaps() {
        let facts: EmulationFacts = serde_json::from_str("{}").unwrap();
        assert_eq!(facts, EmulationFacts::default());
        assert!(facts.effective.gap().is_some_and(|gap| gap.why.contains("silidock emulator")));
    }
}
