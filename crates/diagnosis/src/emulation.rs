//! What several checks ask about emulation: who needs which platform, what is claimed about Rosetta, which kernels it
//! can live with. Judgement without findings.

use crate::{
    check::Context,
    crash::ContainerCrash,
    execution::{ContainerExecution, Expected},
    fact::{Fact, Gap},
    finding::Evidence,
    inventory::{Container, ContainerState, Inventory, Locality},
    platform::Nativeness,
    runtime::{EmulatorChoice, ProvenEmulator, RuntimeSettings, version_numbers},
    text::list,
};

/// The architecture that Rosetta translates.
pub const INTEL: &str = "amd64";

/// For checks about Rosetta: an ARM engine of this Mac, in a virtual machine.
///
/// # Errors
/// Why Rosetta is no matter here.
pub fn rosetta_matters(context: &Context<'_>) -> Result<(), String> {
    let engine = &context.inventory.engine;
    if engine.locality != Locality::Local {
        return Err(format!("{} is not known to be on this machine", engine.endpoint));
    }
    if !engine.runtime.mac_virtual_machine {
        return Err(format!("{} does not run its engine in a Mac's virtual machine", engine.runtime.name));
    }
    if context.inventory.host.apple_silicon == Fact::Known(false) {
        return Err("this machine has no Apple processor".to_owned());
    }
    match engine.platform.known() {
        Some(platform) if platform.architecture != "arm64" => {
            Err(format!("the engine itself is {platform}, and Rosetta lives in ARM machines"))
        }
        _ => Ok(()),
    }
}

/// Names of containers and tags of images that need an emulator for this architecture. Images count only where no
/// container of theirs does and nothing native of them is here.
pub fn asking_for(context: &Context<'_>, architecture: &str) -> Vec<String> {
    let inventory = context.inventory;
    let containers = context.containers.iter().filter(|(container, execution)| {
        execution.expected == Fact::Known(Expected::Emulated)
            && container.platform.known().is_some_and(|p| p.architecture == architecture)
    });
    let mut names: Vec<String> = containers.map(|(container, _)| container.name.clone()).collect();
    if !names.is_empty() {
        return names;
    }
    let Some(engine) = inventory.engine.platform.known() else { return names };
    for image in &inventory.images.items {
        let here = image.platforms.known().into_iter().flatten().filter(|p| p.available);
        let here: Vec<_> = here.filter_map(|p| p.platform.known()).collect();
        let native = here.iter().any(|p| p.on(engine) == Nativeness::Native);
        if !native && here.iter().any(|p| p.architecture == architecture && p.on(engine) != Nativeness::Native) {
            names.push(image.tags.first().cloned().unwrap_or_else(|| image.id.clone()));
        }
    }
    names
}

/// Who asks for a platform, as evidence.
pub fn asking_words(names: &[String], platform: &str) -> Evidence {
    Evidence::new("this engine", format!("has work for {platform}: {}", list(names)))
}

/// What the probe found for Intel programs.
///
/// # Errors
/// The gap where it did not look.
pub fn proven_intel(inventory: &Inventory) -> Result<&ProvenEmulator, Gap> {
    inventory.emulation.proven(INTEL).ok_or_else(|| inventory.emulation.gap_of(INTEL))
}

/// Who says that Rosetta runs Intel programs here.
///
/// # Errors
/// The gap where nobody says anything either way.
pub fn rosetta_claims(context: &Context<'_>) -> Result<Vec<Evidence>, Gap> {
    let inventory = context.inventory;
    let mut claims = Vec::new();
    let settings = inventory.emulation.settings_of(&inventory.engine);
    let configured = settings.map(|s| (s, &s.emulator));
    if let Ok((_, Fact::Known(setting))) = &configured
        && setting.value == EmulatorChoice::Rosetta
    {
        claims.push(setting.evidence());
    }
    if let Some(proven) = inventory.emulation.proven(INTEL) {
        let signs = proven.signs.iter().filter(|sign| sign.emulator == "rosetta");
        claims.extend(signs.map(|sign| sign.evidence.clone()));
    }
    for (container, execution) in &context.containers {
        let intel = container.platform.known().is_some_and(|p| p.architecture == INTEL);
        if intel && execution.emulator.as_deref() == Some("rosetta") {
            claims.push(Evidence::new(
                format!("process list of {}", container.name),
                "shows Rosetta in front of its processes",
            ));
        }
    }
    match configured {
        Err(gap) if claims.is_empty() => Err(gap),
        Ok((_, Fact::Unknown { unknown })) if claims.is_empty() => Err(unknown.clone()),
        _ => Ok(claims),
    }
}

/// The settings of this engine with what they are set to.
///
/// # Errors
/// The gap where either is not known.
pub fn configured(inventory: &Inventory) -> Result<(&RuntimeSettings, EmulatorChoice), Gap> {
    let settings = inventory.emulation.settings_of(&inventory.engine)?;
    match &settings.emulator {
        Fact::Known(setting) => Ok((settings, setting.value)),
        Fact::Unknown { unknown } => Err(unknown.clone()),
    }
}

/// A kernel that the Rosetta of older versions of macOS does not understand.
#[derive(Debug)]
pub struct KernelRule {
    /// First kernel of this kind.
    pub kernel: [u32; 2],
    /// First macOS whose Rosetta understands it.
    pub macos: u32,
    /// What is new in that kernel.
    pub what: &'static str,
    /// Where this is known from.
    pub source: &'static str,
}

/// Newest first.
pub const KERNEL_RULES: &[KernelRule] = &[
    KernelRule {
        kernel: [6, 13],
        macos: 26,
        what: "it tells programs about its processor in an entry (type 29) that Rosetta does not know",
        source: "lima#3592; Podman 5.6 release notes",
    },
    KernelRule {
        kernel: [6, 11],
        macos: 26,
        what: "its vDSO is built in a way that Rosetta does not read",
        source: "UTM#6771; nerdctl#3958",
    },
    KernelRule {
        kernel: [6, 3],
        macos: 14,
        what: "it tells programs about their stack in an entry (type 28) that Rosetta does not know",
        source: "colima#855",
    },
];

/// The rule that a kernel and a macOS break, if they break one.
///
/// # Errors
/// The gap where one of the two is not known.
pub fn kernel_rule(inventory: &Inventory) -> Result<Option<&'static KernelRule>, Gap> {
    let numbers = |version: Option<&String>, what: &str| {
        let numbers = version.map(|v| version_numbers(v)).filter(|n| !n.is_empty());
        numbers.ok_or_else(|| Gap::new(what, "nothing readable was said about it"))
    };
    let kernel = numbers(inventory.engine.kernel.as_ref(), "the version of the engine's kernel")?;
    let macos = numbers(inventory.host.os_version.as_ref(), "the version of macOS")?;
    Ok(KERNEL_RULES.iter().find(|rule| kernel.as_slice() >= rule.kernel.as_slice() && macos[0] < rule.macos))
}

/// The version of Rosetta that runs here and of the Mac's own, where Rosetta runs.
///
/// # Errors
/// The gap where one of the two is not known.
pub fn rosetta_versions(inventory: &Inventory) -> Result<Option<(&str, &str)>, Gap> {
    let proven = proven_intel(inventory)?;
    if proven.emulator != "rosetta" {
        return Ok(None);
    }
    let host = match &inventory.emulation.rosetta {
        Fact::Known(rosetta) => rosetta.version.as_deref(),
        Fact::Unknown { unknown } => return Err(unknown.clone()),
    };
    let unread = |what: &str| Gap::new(what, "it could not be read out of Rosetta's file");
    let here = proven.version.as_deref().ok_or_else(|| unread("the version of Rosetta in the engine's machine"))?;
    Ok(Some((here, host.ok_or_else(|| unread("the version of the Mac's own Rosetta"))?)))
}

/// Features that the program of a container asked for, each once.
pub fn features_asked(crash: &ContainerCrash) -> Vec<&str> {
    let mut asked: Vec<&str> = crash.matches.iter().flat_map(|m| &m.features).map(String::as_str).collect();
    asked.sort_unstable();
    asked.dedup();
    asked
}

/// Why it is not known which features the programs of a container see, where it asked for some.
pub fn features_gap(inventory: &Inventory, container: &Container) -> Option<Gap> {
    let crash = inventory.emulation.crash_of(&container.name)?;
    if features_asked(crash).is_empty() {
        return None;
    }
    let architecture = &container.platform.known()?.architecture;
    match inventory.emulation.proven(architecture) {
        Some(proven) => proven.features.gap().cloned(),
        None => Some(inventory.emulation.gap_of(architecture)),
    }
}

/// Why it is not known why a foreign container ended badly.
pub fn log_gap(inventory: &Inventory, container: &Container, execution: &ContainerExecution) -> Option<Gap> {
    ended_badly(container.state, &container.status)?;
    let foreign = execution.expected == Fact::Known(Expected::Emulated);
    (foreign && inventory.emulation.crash_of(&container.name).is_none()).then(|| {
        Gap::new(format!("why {} ended", container.name), "its log is read only on request: silidock emulator")
    })
}

/// The exit code in an engine's one-line status: "Exited (139) 2 days ago".
pub fn exit_code(status: &str) -> Option<i64> {
    let rest = status.strip_prefix("Exited (").or_else(|| status.strip_prefix("Restarting ("))?;
    rest.split_once(')')?.0.parse().ok()
}

/// A stopped container's log would tell more: it ended by itself, and not well.
pub fn ended_badly(state: ContainerState, status: &str) -> Option<i64> {
    let ended = matches!(state, ContainerState::Exited | ContainerState::Dead | ContainerState::Restarting);
    // 137 and 143 are SIGKILL and SIGTERM: somebody else ended it.
    exit_code(status).filter(|code| ended && !matches!(code, 0 | 137 | 143))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{example::inventory, example_emulation::mac, runtime::UnprovenPlatform};

    #[test]
    fn kernels_and_systems_fit_or_do_not() {
        for (kernel, macos, broken) in [
            ("6.10.14-linuxkit", "15.7.2", false),
            ("6.12.76-linuxkit", "15.7.2", true),
            ("6.18.37-0-virt", "15.7.2", true),
            ("6.18.37-0-virt", "26.0", false),
            ("7.0.12-linuxkit", "27.1", false),
            ("6.3.0", "13.6", true),
            ("6.3.0", "14.1", false),
        ] {
            let mut seen = inventory("arm64");
            seen.engine.kernel = Some(kernel.to_owned());
            seen.host.os_version = Some(macos.to_owned());
            assert_eq!(kernel_rule(&seen).unwrap().is_some(), broken, "{kernel} on {macos}");
        }
        let mut seen = inventory("arm64");
        seen.host.os_version = None;
        assert!(kernel_rule(&seen).is_err());
    }

    #[test]
    fn exit_codes_stand_in_the_status() {
        for (status, code) in [
            ("Exited (139) 2 days ago", Some(139)),
            ("Restarting (1) 3 seconds ago", Some(1)),
            ("Up 3 hours", None),
            ("Exited ()", None),
        ] {
            assert_eq!(exit_code(status), code, "{status}");
        }
        assert_eq!(ended_badly(ContainerState::Exited, "Exited (137) now"), None);
        assert_eq!(ended_badly(ContainerState::Running, "Exited (139) now"), None);
        assert_eq!(ended_badly(ContainerState::Restarting, "Restarting (139) now"), Some(139));
    }

    #[test]
    fn without_a_proof_nothing_is_judged_and_the_way_to_one_is_named() {
        let mut seen = inventory("arm64");
        seen.emulation.runtimes = mac(EmulatorChoice::Rosetta, "qemu").emulation.runtimes;
        let examination = crate::examine(&seen);
        for id in
            ["rosetta-off", "rosetta-not-effective", "rosetta-kernel-mismatch", "rosetta-stale", "emulator-missing"]
        {
            let said: Vec<_> = examination.not_judged.iter().filter(|n| n.check == id).collect();
            assert_eq!(said.len(), 1, "{id}");
            assert_eq!(said[0].gap.why, "not proven yet: silidock emulator", "{id}");
        }
    }

    #[test]
    fn a_platform_without_an_answer_is_a_gap_of_its_own() {
        let mut seen = mac(EmulatorChoice::Rosetta, "qemu");
        seen.emulation.effective = Fact::Known(Vec::new());
        let why = |seen: &Inventory| proven_intel(seen).unwrap_err().why;
        assert!(why(&seen).contains("not among the platforms tried"));
        let gap = Gap::new("what runs linux/amd64", "the probe did not end in time");
        let Fact::Known(platform) = crate::example::platform("linux/amd64") else { panic!("no platform") };
        seen.emulation.unproven = vec![UnprovenPlatform { platform, gap }];
        assert!(why(&seen).contains("in time"));
        let said = crate::examine(&seen).not_judged;
        for id in ["emulator-missing", "rosetta-not-effective"] {
            assert!(said.iter().any(|n| n.check == id && n.gap.why.contains("in time")), "{id}: {said:?}");
        }
    }

    #[test]
    fn a_claim_is_a_setting_a_sign_or_a_process() {
        let seen = mac(EmulatorChoice::Rosetta, "rosetta");
        assert_eq!(rosetta_claims(&Context::new(&seen)).unwrap().len(), 3);
        let seen = mac(EmulatorChoice::Qemu, "qemu");
        assert_eq!(rosetta_claims(&Context::new(&seen)).unwrap(), []);
        assert!(rosetta_claims(&Context::new(&inventory("arm64"))).is_err());
    }
}
