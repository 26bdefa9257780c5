//! The engine's kernel is newer than this macOS's Rosetta understands.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words},
    emulation::{kernel_rule, proven_intel, rosetta_claims, rosetta_matters},
    emulator::display_name,
    example_emulation::mac,
    finding::{Confidence, Evidence, Finding, Severity, Subject, SubjectKind},
    fix::{Safety, Step},
    inventory::Inventory,
    runtime::EmulatorChoice,
    runtime_fix::{Change, offer},
};

/// The check.
pub static CHECK: Check = Check {
    id: "rosetta-kernel-mismatch",
    title: "The engine's kernel is too new for this Mac's Rosetta",
    why: "Rosetta comes with macOS and the kernel with the runtime. Linux 6.11 and later need the Rosetta of macOS 26. Until \
          both fit, Intel programs end at once or run under QEMU. Update macOS, or set QEMU until then.",
    severity: Severity::Broken,
    needs: &[Need::EnginePlatform, Need::KernelAndMacOs, Need::EffectiveIntel, Need::RosettaClaim],
    applies: rosetta_matters,
    run,
    supersedes: &["rosetta-not-effective"],
    examples: &[
        Example { name: "Linux 6.18 on macOS 15 and Rosetta does not run", verdict: Verdict::Fires, inventory: broken },
        Example { name: "the same, and Rosetta runs all the same", verdict: Verdict::Silent, inventory: patched },
        Example { name: "macOS 26", verdict: Verdict::Silent, inventory: fits },
        Example { name: "nobody asked for Rosetta", verdict: Verdict::Silent, inventory: qemu_set },
    ],
};

/// Rows of the crash catalogue that are this mismatch, as a log shows it.
const SEEN_IN_LOGS: [&str; 2] = ["rosetta-auxiliary-vector", "rosetta-vdso"];

fn run(context: &Context<'_>) -> Vec<Finding> {
    let inventory = context.inventory;
    let (Ok(Some(rule)), Ok(proven), Ok(claims)) =
        (kernel_rule(inventory), proven_intel(inventory), rosetta_claims(context))
    else {
        return Vec::new();
    };
    let crashes = inventory.emulation.crashes.iter().flat_map(|crash| &crash.matches);
    let seen: Vec<&Evidence> = crashes.filter(|m| SEEN_IN_LOGS.contains(&m.id.as_str())).map(|m| &m.evidence).collect();
    // Some runtimes patch their kernels; where Rosetta runs and no log complains, all is well.
    if claims.is_empty() || (proven.emulator == "rosetta" && seen.is_empty()) {
        return Vec::new();
    }
    let kernel = inventory.engine.kernel.as_deref().unwrap_or_default();
    let macos = inventory.host.os_version.as_deref().unwrap_or_default();
    let mut evidence = vec![
        Evidence::new("engine", format!("its kernel is {kernel}")),
        Evidence::new("this machine", format!("macOS {macos}")),
        Evidence::new("known from", rule.source),
    ];
    evidence.extend(seen.iter().map(|e| (*e).clone()));
    evidence.extend(claims);
    evidence.extend(proven.evidence.iter().cloned());
    let confidence = if seen.is_empty() { Confidence::Likely } else { Confidence::Certain };
    let runs = match proven.works() {
        true => format!("{} runs instead", display_name(&proven.emulator)),
        false => "nothing runs Intel programs".to_owned(),
    };
    let [major, minor] = rule.kernel;
    let finding = context.finding(
        &CHECK,
        confidence,
        Subject::new(SubjectKind::Engine, &inventory.engine.endpoint),
        Words {
            title: format!("Linux {kernel} is too new for the Rosetta of macOS {macos}"),
            why: format!(
                "Since Linux {major}.{minor} {}; macOS {} brings one that copes. Rosetta is set, and {runs}.",
                rule.what, rule.macos
            ),
            evidence,
        },
    );
    let update = Step::Tell { text: format!("Update macOS to {} or later.", rule.macos), commands: Vec::new() };
    let finding = finding.with_fix(
        "Update macOS",
        "The whole Mac restarts. The runtime stays as it is.",
        Safety::ShowOnly,
        vec![update],
    );
    match offer(inventory, Change::RosettaOff) {
        Ok(prepared) => {
            vec![finding.with_recipe(format!("Set QEMU in {} until then", inventory.engine.runtime.name), prepared)]
        }
        Err(_) => vec![finding],
    }
}

fn on(kernel: &str, macos: &str, choice: EmulatorChoice, emulator: &str) -> Inventory {
    let mut seen = mac(choice, emulator);
    seen.engine.kernel = Some(kernel.to_owned());
    seen.host.os_version = Some(macos.to_owned());
    seen
}
fn broken() -> Inventory {
    on("6.18.37-0-virt", "15.7.2", EmulatorChoice::Rosetta, "none")
}
fn patched() -> Inventory {
    on("6.17.8-orbstack", "15.7.2", EmulatorChoice::Rosetta, "rosetta")
}
fn fits() -> Inventory {
    on("6.18.37-0-virt", "26.1", EmulatorChoice::Rosetta, "none")
}
fn qemu_set() -> Inventory {
    on("6.18.37-0-virt", "15.7.2", EmulatorChoice::Qemu, "qemu")
}
