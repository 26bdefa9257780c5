//! A running container whose processes run under an emulator.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always, container_subject, engine_platform_words},
    checks::emulated_engine::emulated_machine,
    example::{container, foreign_to, inventory},
    execution::{Execution, Expected},
    fact::Fact,
    finding::{Confidence, Finding, Severity},
    fix::{Safety, Step},
    inventory::{Inventory, Listing},
};

/// The check.
pub static CHECK: Check = Check {
    id: "emulated-container",
    title: "A container runs under an emulator",
    why: "Its image is built for another processor than the engine's, so every instruction is translated. It runs slower, \
          and some programs crash. Look for an image with the engine's platform, or build one.",
    severity: Severity::Slow,
    needs: &[Need::EnginePlatform, Need::Containers, Need::ContainerPlatform, Need::Execution],
    applies: always,
    run,
    supersedes: &[],
    examples: &[
        Example { name: "an Intel image under Rosetta on an ARM engine", verdict: Verdict::Fires, inventory: rosetta },
        Example { name: "an ARM image under QEMU on an Intel engine", verdict: Verdict::Fires, inventory: qemu },
        Example {
            name: "an image labelled native whose programs are not",
            verdict: Verdict::Fires,
            inventory: mislabelled,
        },
        Example { name: "a native container", verdict: Verdict::Silent, inventory: native },
        Example { name: "a stopped container", verdict: Verdict::Silent, inventory: stopped },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let engine = engine_platform_words(context.inventory);
    let mut findings = Vec::new();
    for (container, execution) in &context.containers {
        // Where the whole machine is emulated, its containers are not the ones to fix: emulated-engine says so once.
        if execution.expected == Fact::Known(Expected::Native) && emulated_machine(context.inventory).is_some() {
            continue;
        }
        let confidence = match (execution.execution, &execution.expected) {
            (Execution::Emulated, _) => Confidence::Certain,
            // It must be emulated to run at all; only the emulator's name is missing.
            (Execution::Unknown, Fact::Known(Expected::Emulated)) => Confidence::Likely,
            _ => continue,
        };
        let platform = container.platform.known().map(ToString::to_string).unwrap_or_default();
        let by = execution.emulator_name();
        let image = &container.image;
        let why = match execution.expected {
            Fact::Known(Expected::Emulated) => {
                format!("{image} is {platform} and the engine is {engine}, so every instruction is translated.")
            }
            Fact::Known(Expected::Native) => format!(
                "{image} says {platform}, the engine's own, and its processes show {by} all the same: what is in it is of \
                 another processor than its label says."
            ),
            Fact::Unknown { .. } => format!("The platform of {image} is not known; its processes show {by}."),
        };
        let title = match execution.execution {
            Execution::Unknown => format!("{} must be emulated to run", container.name),
            _ => format!("{} runs under {by}", container.name),
        };
        let words = Words { title, why, evidence: execution.evidence.clone() };
        let finding = context
            .finding(&CHECK, confidence, container_subject(container), words)
            .measured(context, container, execution);
        let native = context.inventory.engine.platform.known();
        findings.push(finding.with_known_build(context, image, native).with_fix(
            "Look for a native image",
            "Nothing is changed for you here, and no registry was asked: the command does, when you run it.",
            Safety::ShowOnly,
            vec![Step::Tell {
                text: format!(
                    "List the platforms that {image} has in its registry. With {engine} among them, pull that one and make \
                     the container anew; without it, or if its label is wrong, build the image for {engine} or look for \
                     another one."
                ),
                commands: vec![["docker", "buildx", "imagetools", "inspect", image].map(str::to_owned).to_vec()],
            }],
        ));
    }
    findings
}

fn with(arch: &str, interpreter: &str) -> Inventory {
    let mut seen = inventory(arch);
    let line = format!("{interpreter} /bin/app");
    seen.containers = Listing::of(vec![container("web").platform(foreign_to(arch)).processes(&[&line]).build()]);
    seen
}
fn rosetta() -> Inventory {
    with("arm64", "/run/rosetta/rosetta")
}
fn qemu() -> Inventory {
    with("amd64", "/usr/bin/qemu-aarch64")
}
fn mislabelled() -> Inventory {
    let mut seen = inventory("arm64");
    seen.containers = Listing::of(vec![container("web").processes(&["/usr/bin/qemu-x86_64 /bin/app"]).build()]);
    seen
}
fn native() -> Inventory {
    let mut seen = inventory("arm64");
    seen.containers = Listing::of(vec![container("web").build()]);
    seen
}
fn stopped() -> Inventory {
    let mut seen = inventory("arm64");
    seen.containers = Listing::of(vec![container("web").platform("linux/amd64").stopped().build()]);
    seen
}
