//! The Rosetta in the engine's machine is older than the Mac's own.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words},
    emulation::{rosetta_matters, rosetta_versions},
    example_emulation::mac,
    fact::Fact,
    finding::{Confidence, Evidence, Finding, Severity, Subject, SubjectKind},
    inventory::Inventory,
    runtime::{EmulatorChoice, version_numbers},
    runtime_fix::{Change, offer},
};

/// The check.
pub static CHECK: Check = Check {
    id: "rosetta-stale",
    title: "The engine runs an older Rosetta than this Mac has",
    why: "Some runtimes copy Rosetta into their machine, or keep the one they were started with, and miss Apple's repairs. \
          Restart the runtime; if the version stays, update it.",
    severity: Severity::Note,
    needs: &[Need::EnginePlatform, Need::RosettaVersions],
    applies: rosetta_matters,
    run,
    supersedes: &[],
    examples: &[
        Example { name: "367.4 in the machine, 367.9 on the Mac", verdict: Verdict::Fires, inventory: older },
        Example { name: "the same version", verdict: Verdict::Silent, inventory: same },
        Example { name: "QEMU runs", verdict: Verdict::Silent, inventory: qemu },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let inventory = context.inventory;
    let Ok(Some((here, host))) = rosetta_versions(inventory) else { return Vec::new() };
    let (inside, outside) = (version_numbers(here), version_numbers(host));
    if inside.is_empty() || outside.is_empty() || inside >= outside {
        return Vec::new();
    }
    let engine = &inventory.engine;
    // The one fault of one version that users have pinned down.
    let known = match inside.as_slice() {
        [367, 4] => " Version 367.4 is reported to get a multiplication wrong that cryptography needs.",
        _ => "",
    };
    let mut finding = context.finding(
        &CHECK,
        Confidence::Likely,
        Subject::new(SubjectKind::Engine, &engine.endpoint),
        Words {
            title: format!("{} runs Rosetta {here}, and this Mac has {host}", engine.runtime.name),
            why: format!("Faults that Apple has mended since may show in Intel programs.{known}"),
            evidence: vec![
                Evidence::new("Rosetta in the engine's machine", here),
                Evidence::new("Rosetta of macOS", host),
            ],
        },
    );
    for (change, title) in [
        (Change::Restart, format!("Restart {}", engine.runtime.name)),
        (Change::RosettaOff, "Set QEMU until the runtime is updated".to_owned()),
    ] {
        if let Ok(prepared) = offer(inventory, change) {
            let prepared = match change {
                Change::RosettaOff => prepared.warned("Most Intel programs calculate far slower under QEMU."),
                _ => prepared,
            };
            finding = finding.with_recipe(title, prepared);
        }
    }
    vec![finding]
}

fn with(emulator: &str, version: &str) -> Inventory {
    let mut seen = mac(EmulatorChoice::Rosetta, emulator);
    if let Fact::Known(all) = &mut seen.emulation.effective {
        all.iter_mut().for_each(|proven| proven.version = Some(version.to_owned()));
    }
    seen
}
fn older() -> Inventory {
    with("rosetta", "367.4")
}
fn same() -> Inventory {
    with("rosetta", "367.9")
}
fn qemu() -> Inventory {
    with("qemu", "10.0.13")
}
