//! Native and emulated processes, or two emulators, in one container.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always, container_subject},
    example::{container, inventory},
    execution::Execution,
    finding::{Confidence, Finding, Severity},
    fix::{Safety, Step},
    inventory::{Container, Inventory, Listing},
};

/// The check.
pub static CHECK: Check = Check {
    id: "mixed-container",
    title: "A container runs partly under an emulator",
    why: "Some of its programs are built for another processor than the rest. Usually a tool was downloaded for the wrong \
          architecture while the image was built; it works here through an emulator and fails where there is none.",
    severity: Severity::Slow,
    needs: &[Need::EnginePlatform, Need::Containers, Need::ContainerPlatform, Need::Execution],
    applies: always,
    run,
    supersedes: &["emulated-container"],
    examples: &[
        Example { name: "an Intel tool in an ARM image", verdict: Verdict::Fires, inventory: foreign_tool },
        Example { name: "one container under two emulators", verdict: Verdict::Fires, inventory: two_emulators },
        Example { name: "a container wholly under Rosetta", verdict: Verdict::Silent, inventory: all_emulated },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mixed = context.containers.iter().filter(|(_, e)| e.execution == Execution::Mixed);
    mixed
        .map(|(container, execution)| {
            let by = execution.emulator_name();
            let platform = container.platform.known().map_or_else(|| "unknown".to_owned(), ToString::to_string);
            let words = Words {
                title: format!("{} runs partly under {by}", container.name),
                why: format!("Its image says {platform}, and not all of its processes run the same way."),
                evidence: execution.evidence.clone(),
            };
            context.finding(&CHECK, Confidence::Certain, container_subject(container), words).with_fix(
                "Show where to look",
                "Nothing is changed for you here: the program came into the image when it was built.",
                Safety::ShowOnly,
                vec![Step::Tell { text: where_to_look(container, &platform), commands: vec![] }],
            )
        })
        .collect()
}

fn where_to_look(container: &Container, platform: &str) -> String {
    let foreign = container.processes.known().into_iter().flatten().find(|p| p.emulator.is_some());
    let program = foreign.map_or("the foreign program", |p| p.program.as_str());
    format!(
        "Find the step that brought {program} into {}: a download with an architecture in its name, or a COPY of a file built \
         elsewhere. Take the {platform} one instead and build the image again.",
        container.image
    )
}

fn with(platform: &str, processes: &[&str]) -> Inventory {
    let mut seen = inventory("arm64");
    seen.containers = Listing::of(vec![container("web").platform(platform).processes(processes).build()]);
    seen
}
fn foreign_tool() -> Inventory {
    with("linux/arm64", &["/bin/sh", "/usr/bin/qemu-x86_64 /opt/tool"])
}
fn two_emulators() -> Inventory {
    with("linux/amd64", &["/run/rosetta/rosetta /bin/a", "/usr/bin/qemu-i386 /bin/b"])
}
fn all_emulated() -> Inventory {
    with("linux/amd64", &["/run/rosetta/rosetta /bin/a", "/run/rosetta/rosetta /bin/b"])
}
