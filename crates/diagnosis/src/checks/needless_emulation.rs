//! Runs emulated although the native variant of the same image is already on the engine.

use crate::{
    anew::Anew,
    check::{Check, Context, Example, Need, Verdict, Words, always, container_subject},
    compose::Pin,
    example::{container, index, inventory, upstream},
    execution::{ContainerExecution, Expected},
    fact::Fact,
    finding::{Confidence, Evidence, Finding, Severity},
    fix::Step,
    inventory::{Container, Inventory, Listing},
};

/// The check.
pub static CHECK: Check = Check {
    id: "needless-emulation",
    title: "A container runs emulated although its image has a native variant",
    why: "The same tag holds the engine's own platform, on this engine or, where its registry was asked, upstream. The \
          container was started for another one: by a pin, by --platform, by DOCKER_DEFAULT_PLATFORM, or because the \
          image was pulled for it. Start it again without that.",
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
        Example {
            name: "made from a digest of content that has several names here",
            verdict: Verdict::Fires,
            inventory: by_digest,
        },
        Example {
            name: "only the foreign platform is here, and the registry has the native one",
            verdict: Verdict::Fires,
            inventory: native_upstream,
        },
        Example {
            name: "the registry has only the foreign platform, too",
            verdict: Verdict::Silent,
            inventory: foreign_upstream,
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
            findings.extend(upstream_only(context, container, execution));
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
        let finding = finding.measured(context, container, execution);
        let (text, commands) = way_back(context, container, &native);
        let anew = Anew {
            container,
            platform: native.parse().ok(),
            pull: false,
            same: same_image,
            title: format!("Start {} for {native}", container.name),
            by_hand: Step::Tell { text, commands },
        };
        findings.push(finding.with_anew(context, anew));
    }
    findings
}

/// The native variant is not here, and the registry has it.
fn upstream_only(context: &Context<'_>, container: &Container, execution: &ContainerExecution) -> Option<Finding> {
    let (content, native) = context.native_upstream(container)?;
    let image = &container.image;
    // What runs is what the tag means upstream today, or the tag has moved on since.
    let same = context.same_as_upstream(container, content);
    let moved = if same { "" } else { " The tag may have moved since it was pulled, so its content may differ, too." };
    let mut evidence =
        vec![Evidence::new(format!("registry, {image}"), format!("{native} is there, {}", content.digest))];
    evidence.extend(execution.evidence.iter().cloned());
    let words = Words {
        title: format!(
            "{} runs under {}, and its registry has the native image",
            container.name,
            execution.emulator_name()
        ),
        why: format!("{image} exists for {native}, and another platform of it was pulled here.{moved}"),
        evidence,
    };
    let confidence = if same { Confidence::Certain } else { Confidence::Likely };
    let finding = context.finding(&CHECK, confidence, container_subject(container), words);
    let title = format!("Pull {native} and start {} for it", container.name);
    let (text, mut commands) = way_back(context, container, &native);
    commands.insert(0, context.pull(image, &native));
    let by_hand = Step::Tell { text: format!("Pull {native} of {image}. {text}"), commands };
    let anew = Anew { container, platform: native.parse().ok(), pull: true, same, title, by_hand };
    Some(finding.with_anew(context, anew))
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
        Some(Ok(Pin::Pinned { path, line, value })) => {
            let line = line.map(|n| format!(" in line {n}")).unwrap_or_default();
            format!(
                "{path}{line} pins {} to {value}. Take that line out, then recreate the service.",
                membership.service
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
fn by_digest() -> Inventory {
    let mut seen = both_here();
    let (image, container) = (&mut seen.images.items[0], &mut seen.containers.items[0]);
    let digest = format!("sha256:{:064x}", 5);
    image.id.clone_from(&digest);
    image.tags.push("shop/web:1".to_owned());
    image.digests = vec![format!("shop/web@{digest}")];
    container.image = format!("web@{digest}");
    container.image_id = Some(digest);
    seen
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
fn native_upstream() -> Inventory {
    let mut seen = foreign_only();
    seen.upstream.learn([upstream("web:1", Ok(&["linux/amd64", "linux/arm64"]), &[])]);
    seen
}
fn foreign_upstream() -> Inventory {
    let mut seen = foreign_only();
    seen.upstream.learn([upstream("web:1", Ok(&["linux/amd64"]), &[])]);
    seen
}
fn foreign_only() -> Inventory {
    with(&[("linux/amd64", true)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{examination::examine, fix::Safety};

    #[test]
    fn a_digest_never_moves() {
        for (reference, moved) in [("web:1".to_owned(), true), (format!("web@sha256:{:064x}", 77), false)] {
            let mut seen = foreign_only();
            seen.containers.items[0].image.clone_from(&reference);
            seen.upstream.learn([upstream(&reference, Ok(&["linux/amd64", "linux/arm64"]), &[])]);
            let examination = examine(&seen);
            let finding = examination.findings.iter().find(|f| f.check == CHECK.id).unwrap();
            assert_eq!(finding.why.contains("may have moved"), moved, "{reference}: {}", finding.why);
            assert_eq!(finding.fixes[0].safety == Safety::Review, moved, "{reference}: {:?}", finding.fixes[0]);
        }
    }
}
