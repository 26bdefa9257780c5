//! Who says what runs programs of a foreign platform: the setting, the processor, the emulator's name, the process list,
//! a build. Each is kept apart, so that a disagreement shows as exactly that.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    check::Context, emulation::INTEL, emulator::display_name, finding::Evidence, platform::Platform,
    runtime::NO_EMULATOR,
};

/// One that says what runs programs of a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Voice {
    /// Who: "the processor", "the process list".
    pub who: String,
    /// What it says, as people write it: "QEMU", "no emulator".
    pub says: String,
    /// Where that stands.
    pub evidence: Evidence,
}

/// Everybody who says something about a platform, the setting first.
pub fn voices(context: &Context<'_>, platform: &Platform) -> Vec<Voice> {
    let inventory = context.inventory;
    let mut voices = Vec::new();
    if let Some(set) = inventory.engine.configured.known().filter(|_| platform.architecture == INTEL) {
        let (place, text) = set.source.split_once(": ").unwrap_or((set.source.as_str(), set.value.as_str()));
        voices.push(Voice {
            who: "the setting".to_owned(),
            says: set.value.clone(),
            evidence: Evidence::new(place, text),
        });
    }
    let proven = inventory.emulation.effective.known().into_iter().flatten().find(|p| p.platform == *platform);
    for sign in proven.iter().flat_map(|proven| &proven.signs) {
        let who = if sign.sign.starts_with('/') { sign.sign.clone() } else { format!("the {}", sign.sign) };
        voices.push(Voice { who, says: shown(&sign.emulator), evidence: sign.evidence.clone() });
    }
    let built = inventory.emulation.builds.known().into_iter().flatten();
    for build in built.filter(|build| build.proven.platform == *platform) {
        let evidence = build.proven.evidence.first().cloned();
        voices.push(Voice {
            who: format!("a build ({})", build.builder),
            says: shown(&build.proven.emulator),
            evidence: evidence.unwrap_or_else(|| Evidence::new("build", "its step ran")),
        });
    }
    listed(context, platform, &mut voices);
    voices
}

/// What the process list shows in front of programs of this platform, each emulator once.
fn listed(context: &Context<'_>, platform: &Platform, voices: &mut Vec<Voice>) {
    let mut seen: Vec<&str> = Vec::new();
    for (container, execution) in &context.containers {
        let Some(emulator) = execution.emulator.as_deref() else { continue };
        if container.platform.known() != Some(platform) || seen.contains(&emulator) {
            continue;
        }
        seen.push(emulator);
        let shows = execution.evidence.first();
        voices.push(Voice {
            who: "the process list".to_owned(),
            says: shown(emulator),
            evidence: Evidence::new(
                shows.map_or_else(|| container.name.clone(), |e| format!("{}, {}", container.name, e.place)),
                shows.map(|e| e.text.clone()).unwrap_or_default(),
            ),
        });
    }
}

fn shown(emulator: &str) -> String {
    if emulator == NO_EMULATOR { "no emulator".to_owned() } else { display_name(emulator).to_owned() }
}

/// "the process list says Rosetta, the processor and the emulator's program say QEMU"; none where all say the same.
pub fn disagreement(voices: &[Voice]) -> Option<String> {
    let mut parties: Vec<(&str, Vec<&str>)> = Vec::new();
    for voice in voices {
        match parties.iter_mut().find(|(says, _)| *says == voice.says) {
            Some((_, who)) if who.contains(&voice.who.as_str()) => {}
            Some((_, who)) => who.push(&voice.who),
            None => parties.push((&voice.says, vec![&voice.who])),
        }
    }
    let words = |(says, who): &(&str, Vec<&str>)| match who.as_slice() {
        [only] => format!("{only} says {says}"),
        [all @ .., last] => format!("{} and {last} say {says}", all.join(", ")),
        [] => String::new(),
    };
    (parties.len() > 1).then(|| parties.iter().map(words).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{example::platform, example_emulation::mac, fact::Fact, runtime::EmulatorChoice};

    #[test]
    fn a_disagreement_names_who_says_what() {
        let intel: Platform = "linux/amd64".parse().unwrap();
        let mut seen = mac(EmulatorChoice::Rosetta, "rosetta");
        if let Fact::Known(setting) = &seen.emulation.settings_of(&seen.engine).unwrap().emulator.clone() {
            seen.engine.configured = Fact::Known(crate::inventory::ConfiguredEmulator {
                value: "Rosetta".to_owned(),
                source: format!("{}: {}", setting.place, setting.written),
            });
        }
        let told = |seen: &crate::inventory::Inventory| voices(&Context::new(seen), &intel);
        assert_eq!(disagreement(&told(&seen)), None, "{:?}", told(&seen));
        assert!(told(&seen).iter().any(|voice| voice.who == "the process list"));
        if let Fact::Known(all) = &mut seen.emulation.effective {
            for proven in all {
                "qemu".clone_into(&mut proven.emulator);
                proven.signs.iter_mut().for_each(|sign| "qemu".clone_into(&mut sign.emulator));
            }
        }
        let said = disagreement(&told(&seen)).unwrap();
        assert!(said.starts_with("the setting and the process list say Rosetta; "), "{said}");
        assert!(said.ends_with("QEMU"), "{said}");
        let other = platform("linux/riscv64");
        assert_eq!(voices(&Context::new(&seen), other.known().unwrap()), []);
    }
}
