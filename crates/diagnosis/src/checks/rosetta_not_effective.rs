//! Rosetta is said to run Intel programs, and something else does.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words},
    emulation::{configured, proven_intel, rosetta_claims, rosetta_matters},
    emulator::display_name,
    example_emulation::{mac, obstacle, sign},
    fact::Fact,
    finding::{Confidence, Evidence, Finding, Severity, Subject, SubjectKind},
    fix::{Safety, Step},
    inventory::Inventory,
    runtime::{EmulatorChoice, ObstacleKind, RuntimeSettings},
    runtime_fix::{Change, offer},
};

/// The check.
pub static CHECK: Check = Check {
    id: "rosetta-not-effective",
    title: "Rosetta is set, and something else runs Intel programs",
    why: "A setting, or the name in a process list, says Rosetta; the processor that Intel programs see says otherwise. \
          Settings are read when a machine starts, some kinds of machines have no Rosetta whatever is set, and an emulator \
          can be registered under another's name. Remove the reason, or set what really runs, so that nobody is misled.",
    severity: Severity::Slow,
    needs: &[Need::EnginePlatform, Need::EffectiveIntel, Need::RosettaClaim],
    applies: rosetta_matters,
    run,
    supersedes: &[],
    examples: &[
        Example { name: "Rosetta is set, QEMU runs", verdict: Verdict::Fires, inventory: qemu_runs },
        Example { name: "Docker VMM overrides it", verdict: Verdict::Fires, inventory: docker_vmm },
        Example {
            name: "QEMU is registered under Rosetta's name and no setting is known",
            verdict: Verdict::Fires,
            inventory: disguised,
        },
        Example { name: "Rosetta is set and runs", verdict: Verdict::Silent, inventory: works },
        Example { name: "QEMU is set and runs", verdict: Verdict::Silent, inventory: qemu_set },
        Example { name: "nothing runs Intel programs at all", verdict: Verdict::Silent, inventory: nothing },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let inventory = context.inventory;
    let (Ok(proven), Ok(claims)) = (proven_intel(inventory), rosetta_claims(context)) else {
        return Vec::new();
    };
    if claims.is_empty() || proven.emulator == "rosetta" || !proven.works() {
        return Vec::new();
    }
    let runs = display_name(&proven.emulator);
    let mut evidence = claims;
    evidence.extend(proven.evidence.iter().cloned());
    let settings = configured(inventory).ok().map(|(settings, _)| settings);
    let (mut reason, reasons) = settings.map(reasons).unwrap_or_default();
    evidence.extend(reasons);
    let absent = inventory.emulation.rosetta.known().filter(|rosetta| !rosetta.present);
    if let Some(rosetta) = absent {
        evidence.push(rosetta.evidence.clone());
        reason = reason.or_else(|| Some("Rosetta is not installed on this Mac.".to_owned()));
    }
    let runtime = &inventory.engine.runtime.name;
    let mut finding = context.finding(
        &CHECK,
        Confidence::Certain,
        Subject::new(SubjectKind::Engine, &inventory.engine.endpoint),
        Words {
            title: format!("Rosetta is said to run Intel programs in {runtime}; {runs} does"),
            why: reason.unwrap_or_else(|| {
                "Restarting the runtime usually puts the set emulator back; a privileged container may have displaced it."
                    .to_owned()
            }),
            evidence,
        },
    );
    let changes: [(Change, String); 4] = [
        (Change::Restart, format!("Restart {runtime}, so that its setting counts")),
        (Change::Toggle, format!("Switch Rosetta off and on in {runtime}")),
        (Change::RosettaOn, format!("Let Rosetta work in {runtime}")),
        (Change::RosettaOff, format!("Set QEMU in {runtime}, which runs anyway")),
    ];
    if absent.is_some() {
        finding = finding.with_fix(
            "Install Rosetta",
            "macOS asks for consent to its licence; afterwards the runtime has to be started anew.",
            Safety::ShowOnly,
            vec![Step::Tell {
                text: format!("Install Rosetta, then restart {runtime}."),
                commands: vec![["softwareupdate", "--install-rosetta"].map(str::to_owned).to_vec()],
            }],
        );
    }
    // Where something stands in Rosetta's way, starting over changes nothing.
    let obstacle = settings.is_some_and(|settings| !settings.obstacles.is_empty()) || absent.is_some();
    let skip = usize::from(obstacle);
    for (change, title) in changes.into_iter().skip(skip) {
        if let Ok(prepared) = offer(inventory, change) {
            finding = finding.with_recipe(title, prepared);
        }
    }
    vec![finding]
}

/// The most telling reason, and all of them as evidence.
fn reasons(settings: &RuntimeSettings) -> (Option<String>, Vec<Evidence>) {
    let mut evidence: Vec<Evidence> = settings.obstacles.iter().map(|o| o.evidence.clone()).collect();
    let mut reason = settings.obstacles.first().map(|o| format!("{}.", o.text));
    if let Some(Fact::Known(started)) = &settings.started_with
        && started.value != EmulatorChoice::Rosetta
    {
        evidence.push(started.evidence());
        reason = reason.or_else(|| Some("Its machine was last started with another setting.".to_owned()));
    }
    (reason, evidence)
}

fn qemu_runs() -> Inventory {
    mac(EmulatorChoice::Rosetta, "qemu")
}
fn docker_vmm() -> Inventory {
    let mut seen = qemu_runs();
    if let Fact::Known(all) = &mut seen.emulation.runtimes {
        all.iter_mut().for_each(|settings| settings.obstacles = vec![obstacle(ObstacleKind::VmType)]);
    }
    seen
}
fn disguised() -> Inventory {
    let mut seen = qemu_runs();
    seen.emulation.runtimes = Fact::unknown("the settings of the runtimes", "not read");
    if let Fact::Known(all) = &mut seen.emulation.effective {
        all.iter_mut().for_each(|proven| proven.signs.push(sign("process list", "rosetta")));
    }
    seen
}
fn works() -> Inventory {
    mac(EmulatorChoice::Rosetta, "rosetta")
}
fn qemu_set() -> Inventory {
    mac(EmulatorChoice::Qemu, "qemu")
}
fn nothing() -> Inventory {
    mac(EmulatorChoice::Rosetta, "none")
}
