//! Runs emulated although the native variant of the same image is already on the engine.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always, container_subject},
    compose::Pin,
    example::{container, index, inventory},
    execution::Expected,
    fact::Fact,
    finding::{Confidence, Evidence, Finding, Severity},
    fix::{Safety, Step},
    inventory::{Container, Inventory, Listing},
};

/// The check.
pub static CHECK: Check = Check {
    id: "needless-emulation",
    title: "A container runs emulated although its native image is here",
    why: "The same tag holds the engine's own platform, already on this engine, but the container was started for another \
          one: by a pin, by --platform or by DOCKER_DEFAULT_PLATFORM. Start it again without that.",
    severity: Severity::Slow,
    needs: &[
        Need::EnginePlatform,
        Need::Containers,
        Need::ContainerPlatform,
        Need::Execution,
        Need::Images,
        Need::ImagePlatforms,
    ],
    applies: always,
    run,
    supersedes: &["emulated-container"],
    examples: &[
        Example {
            name: "both platforms are here, the foreign one runs",
            verdict: Verdict::Fires,
            inventory: both_here,
        },
        Example {
            name: "the index lists a native platform that is not here",
            verdict: Verdict::Silent,
            inventory: only_listed,
        },
        Example { name: "a foreign tool in a native container", verdict: Verdict::Silent, inventory: foreign_tool },
        Example { name: "only the foreign platform exists", verdict: Verdict::Silent, inventory: foreign_only },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (container, execution) in &context.containers {
        // In a native container something else than the choice of image is foreign: mixed-container says what.
        if !execution.is_emulated() || execution.expected != Fact::Known(Expected::Emulated) {
            continue;
        }
        let Some(native) = context.native_variant_here(container) else {
            continue;
        };
        let by = execution.emulator_name();
        let same_image = context
            .image_of_reference(container)
            .zip(container.image_id.as_deref())
            .is_none_or(|(today, runs)| today.is(runs));
        let why = match same_image {
            true => format!("{} holds {native} too. Started for that, it needs no emulator.", container.image),
            false => format!(
                "{} was pulled or built again and is {native} today. Made anew, it needs no emulator.",
                container.image
            ),
        };
        let mut evidence =
            vec![Evidence::new(format!("image {}", container.image), format!("{native} is on this engine"))];
        evidence.extend(execution.evidence.iter().cloned());
        let finding = context.finding(
            &CHECK,
            Confidence::Certain,
            container_subject(container),
            Words {
                title: format!("{} runs under {by}, and its native image is already here", container.name),
                why,
                evidence,
            },
        );
        let (text, commands) = way_back(context, container, &native);
        findings.push(finding.with_fix(
            format!("Start {} for {native}", container.name),
            "Nothing is changed for you here: recreating a container stops it, so read the lines and run them yourself.",
            Safety::ShowOnly,
            vec![Step::Tell { text, commands }],
        ));
    }
    findings
}

fn way_back(context: &Context<'_>, container: &Container, native: &str) -> (String, Vec<Vec<String>>) {
    let Some(membership) = &container.compose else {
        let text = format!(
            "Remove {} and start it again with --platform {native} in front of {}.",
            container.name, container.image
        );
        return (text, vec![]);
    };
    let project = context.inventory.projects.iter().find(|p| p.name == membership.project);
    let up = context.recreate(membership);
    let text = match project.map(|p| p.pin(&membership.service)) {
        Some(Pin::Pinned { file, platform }) => {
            let line = platform.line.map(|n| format!(" in line {n}")).unwrap_or_default();
            format!(
                "{}{line} pins {} to {}. Take that line out, then recreate the service.",
                file.path, membership.service, platform.value
            )
        }
        _ => format!("Recreate the service {} with DOCKER_DEFAULT_PLATFORM unset.", membership.service),
    };
    (text, vec![up])
}

fn with(platforms: &[(&str, bool)]) -> Inventory {
    let mut seen = inventory("arm64");
    seen.images = Listing::of(vec![index("web:1", platforms)]);
    let running = container("web").image("web:1").platform("linux/amd64").processes(&["/run/rosetta/rosetta /app"]);
    seen.containers = Listing::of(vec![running.build()]);
    seen
}
fn both_here() -> Inventory {
    with(&[("linux/amd64", true), ("linux/arm64", true)])
}
fn only_listed() -> Inventory {
    with(&[("linux/amd64", true), ("linux/arm64", false)])
}
fn foreign_tool() -> Inventory {
    let mut seen = with(&[("linux/arm64", true)]);
    let mixed = container("web").image("web:1").processes(&["/bin/sh", "/run/rosetta/rosetta /opt/tool"]);
    seen.containers = Listing::of(vec![mixed.build()]);
    seen
}
fn foreign_only() -> Inventory {
    with(&[("linux/amd64", true)])
}
