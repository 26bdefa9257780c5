//! How a container runs: expected from the platforms, seen from its processes, and what that adds up to.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    emulator::display_name,
    fact::{Fact, Gap},
    finding::Evidence,
    inventory::{Container, Engine, Process},
    platform::{Nativeness, Platform},
};

/// What the platforms say will happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Expected {
    /// The engine's processor runs it.
    Native,
    /// It needs an emulator.
    Emulated,
}

/// What the process list says happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Execution {
    /// No process runs under an emulator, and none is expected to.
    Native,
    /// Under one emulator.
    Emulated,
    /// Native and emulated processes, or two emulators, in one container.
    Mixed,
    /// It runs, and the process list does not tell how.
    Unknown,
    /// No processes to look at.
    NotRunning,
}

/// How one container runs, with what was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerExecution {
    /// From the platforms.
    pub expected: Fact<Expected>,
    /// From the processes.
    pub execution: Execution,
    /// The emulator of most of its emulated processes.
    pub emulator: Option<String>,
    /// What was seen, most telling first.
    pub evidence: Vec<Evidence>,
    /// Why `execution` is unknown.
    pub gap: Option<Gap>,
}

impl ContainerExecution {
    /// It runs emulated in whole or in part.
    pub fn is_emulated(&self) -> bool {
        matches!(self.execution, Execution::Emulated | Execution::Mixed)
    }
    /// What is native to an engine whose machine is emulated as a whole is emulated with it. On an ARM Mac nothing but QEMU
    /// runs a machine of another architecture.
    pub(crate) fn within_emulated_machine(&mut self, machine: &Platform) {
        if self.execution == Execution::Native {
            self.execution = Execution::Emulated;
            self.emulator = Some("qemu".to_owned());
            self.evidence.insert(
                0,
                Evidence::new("engine", format!("its whole machine is {machine} on an ARM Mac, so it is emulated")),
            );
        }
    }
    /// "QEMU", "Rosetta", or "an emulator".
    pub fn emulator_name(&self) -> &str {
        self.emulator.as_deref().map_or("an emulator", display_name)
    }
}

/// Expected from a platform and an engine.
pub fn expected(platform: &Fact<Platform>, engine: &Engine) -> Fact<Expected> {
    let (platform, engine_platform) = match (platform, &engine.platform) {
        (Fact::Known(platform), Fact::Known(engine)) => (platform, engine),
        (Fact::Unknown { unknown }, _) | (_, Fact::Unknown { unknown }) => {
            return unknown.clone().into();
        }
    };
    if platform.os != engine_platform.os {
        return Fact::unknown(
            format!("whether {platform} is emulated"),
            format!("it is not a {} platform, so something else than an emulator runs it", engine_platform.os),
        );
    }
    match platform.on(engine_platform) {
        Nativeness::Native => Fact::Known(Expected::Native),
        Nativeness::Foreign => Fact::Known(Expected::Emulated),
        // Apple's processors have no 32-bit mode; elsewhere it depends on the processor.
        Nativeness::DependsOnProcessor if engine.runtime.mac_virtual_machine => Fact::Known(Expected::Emulated),
        Nativeness::DependsOnProcessor => Fact::unknown(
            format!("whether {platform} is emulated"),
            "only some 64-bit ARM processors run 32-bit ARM programs",
        ),
    }
}

/// Judges one container.
pub fn judge(container: &Container, engine: &Engine) -> ContainerExecution {
    let expected = expected(&container.platform, engine);
    let mut evidence = platform_evidence(container, engine);
    let outcome = |execution, emulator, evidence, gap| ContainerExecution {
        expected: expected.clone(),
        execution,
        emulator,
        evidence,
        gap,
    };
    if !container.state.has_processes() {
        return outcome(Execution::NotRunning, None, evidence, None);
    }
    let processes = match &container.processes {
        Fact::Known(processes) => processes,
        Fact::Unknown { unknown } => {
            return outcome(Execution::Unknown, None, evidence, Some(unknown.clone()));
        }
    };
    let own: Vec<&Process> = processes.iter().filter(|p| !p.injected).collect();
    let mut by_emulator: BTreeMap<&str, Vec<&Process>> = BTreeMap::new();
    for process in &own {
        if let Some(sign) = &process.emulator {
            by_emulator.entry(sign.emulator.as_str()).or_default().push(process);
        }
    }
    let signed: usize = by_emulator.values().map(Vec::len).sum();
    let unsigned = own.len() - signed;
    let main = by_emulator.iter().max_by_key(|(_, p)| p.len()).map(|(name, _)| (*name).to_owned());
    evidence.splice(0..0, process_evidence(&by_emulator, own.len()));
    let what = format!("how {} runs", container.name);
    let unknown = |why: &str| Some(Gap::new(what.clone(), why));
    match (signed, expected.known()) {
        _ if own.is_empty() => {
            outcome(Execution::Unknown, None, evidence, unknown("the engine listed no process of it"))
        }
        (0, Some(Expected::Native)) => {
            evidence.insert(0, Evidence::new("process list", native_words(own.len())));
            outcome(Execution::Native, None, evidence, None)
        }
        (0, Some(Expected::Emulated)) => outcome(
            Execution::Unknown,
            None,
            evidence,
            unknown("its platform is foreign to this engine, and no process shows an emulator in front of it"),
        ),
        (0, None) => outcome(
            Execution::Unknown,
            None,
            evidence,
            unknown("its platform is not known, and no process shows an emulator"),
        ),
        _ if by_emulator.len() > 1 => outcome(Execution::Mixed, main, evidence, None),
        (_, Some(Expected::Native)) if unsigned > 0 => outcome(Execution::Mixed, main, evidence, None),
        // A program may rewrite its command line and so hide the emulator in front of it; in a foreign image the
        // processes that show one speak for the rest.
        _ => outcome(Execution::Emulated, main, evidence, None),
    }
}

fn native_words(count: usize) -> String {
    match count {
        1 => "its one process shows no emulator in front of it".to_owned(),
        n => format!("none of its {n} processes shows an emulator in front of it"),
    }
}

fn platform_evidence(container: &Container, engine: &Engine) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    if let Fact::Known(platform) = &container.platform {
        let source = container.platform_source.as_deref().unwrap_or("image");
        evidence.push(Evidence::new(source, format!("the container's image is {platform}")));
    }
    if let Fact::Known(platform) = &engine.platform {
        evidence.push(Evidence::new("engine", format!("the engine is {platform}")));
    }
    evidence
}

fn process_evidence(by_emulator: &BTreeMap<&str, Vec<&Process>>, total: usize) -> Vec<Evidence> {
    let mut seen = Vec::new();
    for (emulator, processes) in by_emulator {
        let Some(first) = processes.first() else {
            continue;
        };
        let interpreter = first.emulator.as_ref().map_or("", |sign| sign.interpreter.as_str());
        seen.push(Evidence::new(format!("process {}", first.pid), format!("{interpreter} {}", first.program)));
        if total > 1 {
            seen.push(Evidence::new(
                "process list",
                format!("{} of {total} processes show {} in front of them", processes.len(), display_name(emulator)),
            ));
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::{container, engine};

    /// (engine, container's platform, processes, expected execution, emulator)
    type Row = (&'static str, &'static str, &'static [&'static str], Execution, Option<&'static str>);

    const ROWS: &[Row] = &[
        ("arm64", "linux/arm64", &["/bin/app"], Execution::Native, None),
        ("amd64", "linux/amd64", &["/bin/app"], Execution::Native, None),
        ("arm64", "linux/amd64", &["/run/rosetta/rosetta /bin/app"], Execution::Emulated, Some("rosetta")),
        ("amd64", "linux/arm64", &["/usr/bin/qemu-aarch64 /bin/app"], Execution::Emulated, Some("qemu")),
        (
            "arm64",
            "linux/amd64",
            &["/run/rosetta/rosetta nginx", "nginx: worker process"],
            Execution::Emulated,
            Some("rosetta"),
        ),
        (
            "arm64",
            "linux/amd64",
            &["/sbin/docker-init -- x", "/usr/bin/qemu-x86_64 /bin/app"],
            Execution::Emulated,
            Some("qemu"),
        ),
        ("arm64", "linux/arm64", &["/bin/sh", "/usr/bin/qemu-x86_64 /opt/tool"], Execution::Mixed, Some("qemu")),
        (
            "arm64",
            "linux/amd64",
            &["/run/rosetta/rosetta a", "/usr/bin/qemu-i386 b"],
            Execution::Mixed,
            Some("rosetta"),
        ),
        ("arm64", "linux/amd64", &["nginx: master process"], Execution::Unknown, None),
        ("arm64", "linux/amd64", &["/sbin/docker-init -- x"], Execution::Unknown, None),
        ("arm64", "linux/amd64", &[], Execution::Unknown, None),
    ];

    #[test]
    fn processes_and_platforms_add_up() {
        for (arch, platform, processes, execution, emulator) in ROWS {
            let seen = judge(&container("web").platform(platform).processes(processes).build(), &engine(arch));
            assert_eq!(seen.execution, *execution, "{platform} on {arch}: {processes:?}");
            if seen.emulator.is_some() || emulator.is_some() {
                let two = seen.execution == Execution::Mixed && processes.iter().all(|p| p.contains('/'));
                assert!(seen.emulator.as_deref() == *emulator || two, "{platform} on {arch}: {:?}", seen.emulator);
            }
            assert_eq!(seen.gap.is_some(), *execution == Execution::Unknown, "an unknown says why: {processes:?}");
            assert!(!seen.evidence.is_empty());
        }
    }

    #[test]
    fn a_stopped_container_is_not_judged_by_processes() {
        let stopped = container("web").platform("linux/amd64").stopped().build();
        let seen = judge(&stopped, &engine("arm64"));
        assert_eq!(seen.execution, Execution::NotRunning);
        assert_eq!(seen.expected, Fact::Known(Expected::Emulated));
    }

    #[test]
    fn thirty_two_bit_arm_is_emulated_on_a_mac_and_unsure_elsewhere() {
        let platform = Fact::Known("linux/arm/v7".parse().unwrap());
        let mut engine = engine("arm64");
        assert_eq!(expected(&platform, &engine), Fact::Known(Expected::Emulated));
        engine.runtime.mac_virtual_machine = false;
        assert!(expected(&platform, &engine).gap().is_some());
    }
}
