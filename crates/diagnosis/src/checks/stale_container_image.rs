//! A container runs an older image than its tag names today.

use crate::{
    anew::Anew,
    check::{Check, Context, Example, Need, Verdict, Words, always, container_subject},
    example::{container, index, inventory},
    finding::{Confidence, Evidence, Finding, Severity},
    fix::Step,
    inventory::{Container, Image, Inventory, Listing},
    reference::short_id,
};

/// The check.
pub static CHECK: Check = Check {
    id: "stale-container-image",
    title: "A container runs another image than its tag names today",
    why: "The tag was pulled or built again after the container was made, perhaps for another platform. What you see in the \
          image list is not what runs. Recreate the container to get the tag's image of today.",
    severity: Severity::Note,
    needs: &[Need::Containers, Need::Images],
    applies: always,
    run,
    supersedes: &[],
    examples: &[
        Example { name: "the tag was pulled again", verdict: Verdict::Fires, inventory: moved },
        Example { name: "the tag still names the same image", verdict: Verdict::Silent, inventory: same },
        Example { name: "the tag is gone", verdict: Verdict::Silent, inventory: gone },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (container, _) in &context.containers {
        let Some((today, runs)) = moved_on(context, container) else { continue };
        let image = &container.image;
        let finding = context.finding(
            &CHECK,
            Confidence::Certain,
            container_subject(container),
            Words {
                title: format!("{} runs another image than {image} names today", container.name),
                why: format!("{image} was pulled or built again after the container was made."),
                evidence: vec![
                    Evidence::new("container", format!("runs image {}", short_id(runs))),
                    Evidence::new(format!("image {image}"), format!("is {} today", short_id(&today.id))),
                ],
            },
        );
        let native = context.native_variant_here(container).and_then(|native| native.parse().ok());
        let title = format!("Make {} anew from {image} of today", container.name);
        let commands = container.compose.iter().map(|member| context.recreate(member)).collect();
        let text = format!("Make {} anew from {image} when it suits you.", container.name);
        let by_hand = Step::Tell { text, commands };
        let anew = Anew { container, platform: native, pull: false, same: false, title, by_hand };
        findings.push(finding.with_anew(context, anew));
    }
    findings
}

/// What a container's reference names today and what it runs, where these are two images.
pub(crate) fn moved_on<'a>(context: &Context<'a>, container: &'a Container) -> Option<(&'a Image, &'a str)> {
    let pair = context.image_of_reference(container).zip(container.image_id.as_deref());
    pair.filter(|(today, runs)| !today.is(runs))
}

fn with(runs: &str, tag: &str) -> Inventory {
    let mut seen = inventory("arm64");
    seen.images = Listing::of(vec![index(tag, &[("linux/arm64", true)])]);
    seen.containers = Listing::of(vec![container("web").image("web:1").runs(runs).build()]);
    seen
}
fn moved() -> Inventory {
    with("sha256:older", "web:1")
}
fn same() -> Inventory {
    with("sha256:web:1", "web:1")
}
fn gone() -> Inventory {
    with("sha256:older", "other:1")
}
