//! What is set to run each foreign platform and what really does, side by side: the two columns of the window's card and
//! of `silidock emulator`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::{
    check::Context,
    emulation::INTEL,
    emulator::display_name,
    execution::Expected,
    fact::Fact,
    inventory::{ConfiguredEmulator, Inventory},
    platform::Platform,
    runtime::{NO_EMULATOR, ProvenEmulator},
    voices::{Voice, disagreement, voices},
};
use ts_rs::TS;

use crate::scan::EffectiveEmulator;

/// One foreign platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct EmulatorTarget {
    /// Which.
    pub platform: Platform,
    /// What a setting says.
    pub configured: Fact<ConfiguredEmulator>,
    /// What was proven; "none" where nothing runs its programs.
    pub effective: Fact<EffectiveEmulator>,
    /// What was proven of the steps of builds.
    pub builds: Fact<BuildEmulator>,
    /// Setting and proof, and all signs of the proof, say the same. None where there are not two to compare.
    pub agrees: Option<bool>,
    /// Who says what, where they do not agree: "the process list says Rosetta; the processor says QEMU".
    pub disagreement: Option<String>,
    /// Everybody who says something, each with its evidence.
    pub voices: Vec<Voice>,
}

/// What runs the steps of builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct BuildEmulator {
    /// What carried the step out: "BuildKit".
    pub builder: String,
    /// What ran it.
    pub emulator: EffectiveEmulator,
}

/// Every foreign platform that was tried, or that a container here is made for.
pub(crate) fn targets(context: &Context<'_>) -> Vec<EmulatorTarget> {
    let facts = &context.inventory.emulation;
    let proven = facts.effective.known().into_iter().flatten().map(|proven| &proven.platform);
    let tried = proven.chain(facts.unproven.iter().map(|unproven| &unproven.platform));
    let foreign = context.containers.iter().filter(|(_, e)| e.expected == Fact::Known(Expected::Emulated));
    let wanted = foreign.filter_map(|(container, _)| container.platform.known());
    let mut platforms: Vec<Platform> = Vec::new();
    for platform in tried.chain(wanted) {
        if !platforms.contains(platform) {
            platforms.push(platform.clone());
        }
    }
    platforms.into_iter().map(|platform| target(context, platform)).collect()
}

fn target(context: &Context<'_>, platform: Platform) -> EmulatorTarget {
    let inventory = context.inventory;
    let voices = voices(context, &platform);
    let disagreement = disagreement(&voices);
    EmulatorTarget {
        configured: configured(inventory, &platform),
        effective: effective(inventory, &platform),
        builds: builds(inventory, &platform),
        agrees: (voices.len() > 1).then_some(disagreement.is_none()),
        disagreement,
        voices,
        platform,
    }
}

fn configured(inventory: &Inventory, platform: &Platform) -> Fact<ConfiguredEmulator> {
    match platform.architecture == INTEL {
        true => inventory.engine.configured.clone(),
        false => Fact::unknown(
            format!("what is set for {platform}"),
            "runtimes have a setting for 64-bit Intel programs only",
        ),
    }
}

fn effective(inventory: &Inventory, platform: &Platform) -> Fact<EffectiveEmulator> {
    let facts = &inventory.emulation;
    let proven = facts.effective.known().into_iter().flatten().find(|proven| proven.platform == *platform);
    let unproven = || facts.unproven.iter().find(|unproven| unproven.platform == *platform).map(|u| u.gap.clone());
    match proven {
        Some(proven) => Fact::Known(shown(proven)),
        None => unproven().unwrap_or_else(|| facts.gap_of(&platform.architecture)).into(),
    }
}

fn builds(inventory: &Inventory, platform: &Platform) -> Fact<BuildEmulator> {
    let all = match &inventory.emulation.builds {
        Fact::Known(all) => all,
        Fact::Unknown { unknown } => return unknown.clone().into(),
    };
    let found = all.iter().find(|build| build.proven.platform == *platform);
    found.map_or_else(
        || {
            Fact::unknown(
                format!("what runs {platform} in builds"),
                "it was not among the platforms tried, or gave no answer",
            )
        },
        |build| Fact::Known(BuildEmulator { builder: build.builder.clone(), emulator: shown(&build.proven) }),
    )
}

fn shown(proven: &ProvenEmulator) -> EffectiveEmulator {
    EffectiveEmulator {
        emulator: if proven.works() { display_name(&proven.emulator).to_owned() } else { NO_EMULATOR.to_owned() },
        version: proven.version.clone(),
        evidence: proven.evidence.clone(),
    }
}
