//! A program asks for a feature of the processor that the emulator does not show.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always, container_subject},
    emulation::{INTEL, features_asked},
    emulator::display_name,
    example_emulation::stopped,
    fact::Fact,
    finding::{Confidence, Evidence, Finding, Severity},
    fix::{Safety, Step},
    inventory::{Container, Inventory},
    runtime::version_numbers,
    runtime_fix::{Change, offer},
    text::list,
};

/// The check.
pub static CHECK: Check = Check {
    id: "cpu-feature-missing",
    title: "A program asks for a processor feature that the emulator does not show",
    why: "Emulators show an older processor than a real one: Rosetta has AVX and AVX2 only since macOS 15 and no AVX-512, \
          older QEMU has neither. The program's own message and the features seen by the probe both say so. A native image \
          needs none of it.",
    severity: Severity::Broken,
    needs: &[Need::EnginePlatform, Need::Containers, Need::CpuFeatures],
    applies: always,
    run,
    supersedes: &["crash-under-emulation"],
    examples: &[
        Example { name: "MongoDB wants AVX, the emulator has none", verdict: Verdict::Fires, inventory: mongodb },
        Example { name: "the emulator has AVX", verdict: Verdict::Silent, inventory: has_it },
        Example { name: "the log asks for nothing", verdict: Verdict::Silent, inventory: no_wish },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    context.containers.iter().filter_map(|(container, _)| judge(context, container)).collect()
}

fn judge(context: &Context<'_>, container: &Container) -> Option<Finding> {
    let emulation = &context.inventory.emulation;
    let crash = emulation.crash_of(&container.name)?;
    let platform = container.platform.known()?;
    let proven = emulation.proven(&platform.architecture)?;
    let shown = proven.features.known()?;
    let missing: Vec<String> = features_asked(crash)
        .into_iter()
        .filter(|wanted| !shown.iter().any(|have| have == wanted))
        .map(str::to_uppercase)
        .collect();
    if missing.is_empty() {
        return None;
    }
    let asked: Vec<_> = crash.matches.iter().filter(|m| !m.features.is_empty()).collect();
    let mut evidence: Vec<Evidence> = asked.iter().map(|m| m.evidence.clone()).collect();
    evidence.push(Evidence::new("probe", format!("{platform} programs see: {}", shown.join(" "))));
    evidence.extend(asked.iter().map(|m| Evidence::new("known from", &m.source)));
    let by = display_name(&proven.emulator);
    let finding = context.finding(
        &CHECK,
        Confidence::Certain,
        container_subject(container),
        Words {
            title: format!("{} needs {}, which {by} does not show here", container.name, list(&missing)),
            why: asked.first().map(|m| m.cause.clone()).unwrap_or_default(),
            evidence,
        },
    );
    let steps: Vec<Step> = asked.iter().map(|m| Step::Tell { text: m.remedy.clone(), commands: Vec::new() }).collect();
    let finding = finding.with_fix(
        "Show the ways out",
        "Nothing is changed here: which way fits depends on the image.",
        Safety::ShowOnly,
        steps,
    );
    let rosetta =
        rosetta_has(context.inventory, &missing) && proven.emulator == "qemu" && platform.architecture == INTEL;
    match offer(context.inventory, Change::RosettaOn) {
        Ok(prepared) if rosetta => Some(finding.with_recipe(
            format!("Switch Rosetta on in {}, which shows {}", context.inventory.engine.runtime.name, list(&missing)),
            prepared.warned("Native containers can become slower."),
        )),
        Ok(_) | Err(_) => Some(finding),
    }
}

/// Rosetta shows these since macOS 15.
fn rosetta_has(inventory: &Inventory, features: &[String]) -> bool {
    const SHOWN: [&str; 6] = ["AVX", "AVX2", "BMI1", "BMI2", "F16C", "FMA"];
    let macos = inventory.host.os_version.as_deref().map(version_numbers).unwrap_or_default();
    macos.first().is_some_and(|major| *major >= 15) && features.iter().all(|f| SHOWN.contains(&f.as_str()))
}

const WARNING: &str =
    "WARNING: MongoDB 5.0+ requires a CPU with AVX support, and your current system does not appear to have that!";

fn with(log: &str, features: &[&str]) -> Inventory {
    let mut seen = stopped("arm64", "Exited (132) 2 minutes ago", Some(log), "qemu");
    if let Fact::Known(all) = &mut seen.emulation.effective {
        for proven in all {
            proven.features = Fact::Known(features.iter().map(|f| (*f).to_owned()).collect());
        }
    }
    seen
}
fn mongodb() -> Inventory {
    with(WARNING, &["sse4_2"])
}
fn has_it() -> Inventory {
    with(WARNING, &["sse4_2", "avx", "avx2"])
}
fn no_wish() -> Inventory {
    with("Segmentation fault (core dumped)", &["sse4_2"])
}
