//! A Compose service has a `platform:` line that it would be better, or as well, without.
//!
//! Two cases. The pin is foreign although the image has a native variant, here or upstream: then it makes the service run
//! emulated for nothing, and `needless-emulation` says so of a container that runs. Or it says what this engine would take
//! anyway, of an image that other machines could take for themselves. Silent where the pin is the only thing that says
//! the truth: the image is for one platform alone, or DOCKER_DEFAULT_PLATFORM would choose another. Where a service
//! *without* a pin runs emulated, `pin-missing` speaks; never both of one service.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always},
    compose::{Placed, ResolvedService},
    example::{index, inventory, project, shell_default, upstream},
    finding::{Confidence, Evidence, Finding, Severity},
    inventory::{ComposeMembership, Inventory, Listing},
    platform::{Nativeness, Platform},
};

/// The check.
pub static CHECK: Check = Check {
    id: "pin-needless",
    title: "A service is pinned although its image has the native platform",
    why: "The image exists for this engine's own platform, so nothing has to be said: each machine takes what it runs \
          natively. A foreign pin makes the service run emulated for nothing; a native one makes it so on the others' \
          machines. Take the line out.",
    severity: Severity::Note,
    needs: &[Need::EnginePlatform, Need::Images, Need::ImagePlatforms, Need::ComposeFiles, Need::DefaultPlatforms],
    applies: always,
    run,
    supersedes: &[],
    examples: &[
        Example { name: "a foreign pin, and the native variant is here", verdict: Verdict::Fires, inventory: foreign },
        Example {
            name: "a foreign pin, and the registry has the native one",
            verdict: Verdict::Fires,
            inventory: asked,
        },
        Example { name: "it says what is taken anyway", verdict: Verdict::Fires, inventory: native },
        Example { name: "the image is for one platform alone", verdict: Verdict::Silent, inventory: alone },
        Example {
            name: "the image is foreign, and no registry was asked",
            verdict: Verdict::Silent,
            inventory: unasked,
        },
        Example { name: "DOCKER_DEFAULT_PLATFORM asks for another", verdict: Verdict::Silent, inventory: protects },
        Example { name: "no pin", verdict: Verdict::Silent, inventory: unpinned },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let Some(engine) = context.inventory.engine.platform.known() else { return Vec::new() };
    let pinned = context.services().filter_map(|(project, service)| {
        let pin = service.platform.as_ref().filter(|pin| pin.unset.is_empty())?;
        judge(context, project, service, pin, engine)
    });
    pinned.collect()
}

fn judge(
    context: &Context<'_>,
    project: &str,
    service: &ResolvedService,
    pin: &Placed,
    engine: &Platform,
) -> Option<Finding> {
    let asked: Platform = pin.value.parse().ok()?;
    // What is built here is of the platform it is built for; which it can be, its Dockerfile says.
    let image = service.image.as_ref().filter(|image| image.unset.is_empty() && service.build.is_none())?;
    let (all, source) = context.platforms_of(&image.value)?;
    let native = all.iter().find(|p| p.on(engine) == Nativeness::Native)?;
    let foreign = match asked.on(engine) {
        Nativeness::Foreign => true,
        // Another native variant than the usual one is a choice.
        Nativeness::Native if asked == *native && all.len() > 1 => false,
        Nativeness::Native | Nativeness::DependsOnProcessor => return None,
    };
    let member = ComposeMembership { project: project.to_owned(), service: service.name.clone() };
    let set = context.inventory.default_platforms.known()?.iter().any(|setting| setting.counts_for(Some(&member)));
    if set {
        return None;
    }
    let (name, value) = (&service.name, &pin.value);
    let words = Words {
        title: match foreign {
            true => format!("{name} is pinned to {value}, and its image has {native}"),
            false => format!("{name} is pinned to {value}, which this engine takes anyway"),
        },
        why: match foreign {
            true => format!("Without the line, {name} needs no emulator here."),
            false => format!(
                "{} exists for other platforms, too: on their machines the line asks for an emulator.",
                image.value
            ),
        },
        evidence: vec![
            Evidence::new(pin.place(), format!("platform: {value}")),
            Evidence::new(source, format!("{} has {native}", image.value)),
        ],
    };
    let finding =
        context.finding(&CHECK, Confidence::Certain, context.service_subject(project, service, Some(pin)), words);
    Some(context.without_pin(finding, service, pin, "The running container is not touched; made anew, it is native."))
}

fn with(pin: Option<&str>, image: &[(&str, bool)]) -> Inventory {
    let mut seen = inventory("arm64");
    seen.images = Listing::of(vec![index("web:1", image)]);
    seen.projects = vec![project("shop", "web", "web:1", pin)];
    seen
}
fn foreign() -> Inventory {
    with(Some("linux/amd64"), &[("linux/amd64", true), ("linux/arm64", true)])
}
fn asked() -> Inventory {
    let mut seen = unasked();
    seen.upstream.learn([upstream("web:1", Ok(&["linux/amd64", "linux/arm64"]), &[])]);
    seen
}
fn native() -> Inventory {
    with(Some("linux/arm64"), &[("linux/arm64", true), ("linux/amd64", false)])
}
fn alone() -> Inventory {
    with(Some("linux/arm64"), &[("linux/arm64", true)])
}
fn unasked() -> Inventory {
    with(Some("linux/amd64"), &[("linux/amd64", true)])
}
fn protects() -> Inventory {
    let mut seen = native();
    seen.default_platforms = crate::fact::Fact::Known(vec![shell_default("linux/amd64")]);
    seen
}
fn unpinned() -> Inventory {
    with(None, &[("linux/arm64", true), ("linux/amd64", false)])
}
