//! The lane that needs a switch first: measured on one side of it, Rosetta and QEMU are compared through two runs. Pure;
//! what a switch does and restarts is `runtime_fix`'s word.

use super::UnavailableLane;
use crate::{
    emulation::{INTEL, configured},
    fact::Fact,
    fix::Fix,
    inventory::{Inventory, Locality},
    platform::Platform,
    runtime::EmulatorChoice,
    runtime_fix::{Change, Prepared, offer},
};

/// Rosetta, where the engine runs Intel programs with something else now; none where it is no matter or runs already.
pub fn rosetta_lane(inventory: &Inventory) -> Option<UnavailableLane> {
    let engine = &inventory.engine;
    let arm = engine.platform.known().is_some_and(|platform| platform.architecture == "arm64");
    let mac = engine.locality == Locality::Local && engine.runtime.mac_virtual_machine;
    let proven = inventory.emulation.proven(INTEL);
    if !arm || !mac || proven.is_some_and(|proven| proven.emulator == "rosetta") {
        return None;
    }
    let set = matches!(configured(inventory), Ok((_, EmulatorChoice::Rosetta)));
    let change = if set { Change::Toggle } else { Change::RosettaOn };
    let (why, fixes) = match offer(inventory, change) {
        Ok(Prepared { summary, safety, steps, runtime }) => {
            let runs = proven.map_or("Something else", |proven| crate::emulator::display_name(&proven.emulator));
            let why = format!(
                "{runs} runs Intel programs on this engine now. Switch, measure, and take the switch back in the history: \
                 the two runs can then be compared, and what Rosetta costs native programs shows as well."
            );
            let title = format!("Switch Rosetta on in {}", engine.runtime.name);
            (why, vec![Fix { option: 1, title, summary, safety, steps, promise: None, runtime }])
        }
        Err(refusal) => (format!("It cannot be switched on here: {}.", refusal.why.trim_end_matches('.')), Vec::new()),
    };
    let platform = Platform { os: "linux".to_owned(), architecture: INTEL.to_owned(), variant: None };
    Some(UnavailableLane { name: "rosetta".to_owned(), platform, why, fixes })
}

/// Why there is no lane for foreign programs, where the kernel starts none.
pub fn nothing_runs(inventory: &Inventory) -> Option<UnavailableLane> {
    let Fact::Known(proven) = &inventory.emulation.effective else { return None };
    let none = proven.iter().find(|p| !p.works() && ["amd64", "arm64"].contains(&p.platform.architecture.as_str()))?;
    Some(UnavailableLane {
        name: format!("emulated {}", none.platform),
        platform: none.platform.clone(),
        why: format!("Nothing on this engine runs {} programs.", none.platform),
        fixes: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        example::inventory,
        example_emulation::{mac, proven},
    };

    #[test]
    fn rosetta_is_a_switch_away_or_says_why_not() {
        let lane = rosetta_lane(&mac(EmulatorChoice::Qemu, "qemu")).unwrap();
        assert!(lane.why.starts_with("QEMU runs Intel programs") && lane.fixes.len() == 1, "{lane:?}");
        assert!(!lane.fixes[0].summary.is_empty() && !lane.fixes[0].steps.is_empty(), "it says what restarts");
        assert_eq!(rosetta_lane(&mac(EmulatorChoice::Rosetta, "rosetta")), None);
        let mut old = mac(EmulatorChoice::Qemu, "qemu");
        old.host.os_version = Some("15.7.2".to_owned());
        let lane = rosetta_lane(&old).unwrap();
        assert!(lane.why.contains("cannot be switched on") && lane.fixes.is_empty(), "{lane:?}");
        assert_eq!(rosetta_lane(&inventory("amd64")), None);
        let mut remote = mac(EmulatorChoice::Qemu, "qemu");
        remote.engine.locality = Locality::Remote;
        assert_eq!(rosetta_lane(&remote), None);
    }

    #[test]
    fn a_kernel_that_starts_nothing_foreign_is_said() {
        let mut seen = inventory("arm64");
        assert_eq!(nothing_runs(&seen), None);
        seen.emulation.effective = Fact::Known(proven("linux/amd64", "none").into_iter().collect());
        assert!(nothing_runs(&seen).unwrap().why.contains("linux/amd64"));
        seen.emulation.effective = Fact::Known(proven("linux/amd64", "qemu").into_iter().collect());
        assert_eq!(nothing_runs(&seen), None);
    }
}
