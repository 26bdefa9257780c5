//! A Compose service is pinned to one platform, and its container or the image that is here is of another.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always},
    compose::{Placed, ResolvedService},
    example::{container, index, inventory, project},
    finding::{Confidence, Evidence, Finding, Severity},
    fix::{Safety, Step, YamlEdit},
    inventory::{ComposeMembership, Inventory, Listing},
    platform::Platform,
    reference::normalise,
    text::list,
};

/// The check.
pub static CHECK: Check = Check {
    id: "pin-contradicts-image",
    title: "A service is pinned to one platform, and its image here is of another",
    why: "A container that was made before the pin keeps the platform it has. An image that is here for another platform \
          was taken by older versions of Compose whatever the pin said; newer ones pull the pinned one, and stop where \
          that cannot be had. Pull the pinned platform and make the container anew, or change the pin.",
    severity: Severity::Note,
    needs: &[Need::Containers, Need::ContainerPlatform, Need::Images, Need::ImagePlatforms, Need::ComposeFiles],
    applies: always,
    run,
    supersedes: &["pin-needless"],
    examples: &[
        Example { name: "the container is of another platform", verdict: Verdict::Fires, inventory: older_container },
        Example { name: "only another platform is here", verdict: Verdict::Fires, inventory: other_image },
        Example { name: "the pinned platform is here, too", verdict: Verdict::Silent, inventory: both },
        Example { name: "the image is not here", verdict: Verdict::Silent, inventory: not_here },
        Example { name: "the service is not pinned", verdict: Verdict::Silent, inventory: unpinned },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let pinned = context.services().filter_map(|(project, service)| {
        let pin = service.platform.as_ref().filter(|pin| pin.unset.is_empty())?;
        judge(context, project, service, pin, &pin.value.parse().ok()?)
    });
    pinned.collect()
}

fn judge(
    context: &Context<'_>,
    project: &str,
    service: &ResolvedService,
    pin: &Placed,
    asked: &Platform,
) -> Option<Finding> {
    let member = ComposeMembership { project: project.to_owned(), service: service.name.clone() };
    let mut own = context.inventory.containers.items.iter().filter(|c| c.compose.as_ref() == Some(&member)).peekable();
    let (confidence, found, evidence) = if own.peek().is_some() {
        let (other, is) = own.find_map(|c| c.platform.known().filter(|is| *is != asked).map(|is| (c, is.clone())))?;
        (
            Confidence::Certain,
            is.clone(),
            Evidence::new(format!("container {}", other.name), format!("its image is {is}")),
        )
    } else {
        let reference = &service.image.as_ref().filter(|image| image.unset.is_empty())?.value;
        let wanted = normalise(reference);
        let mut images = context.inventory.images.items.iter();
        let image = images.find(|image| wanted.is_some() && image.tags.iter().any(|tag| normalise(tag) == wanted))?;
        let here: Option<Vec<Platform>> =
            image.platforms.known()?.iter().filter(|p| p.available).map(|p| p.platform.known().cloned()).collect();
        let here = here.filter(|here| !here.is_empty() && !here.contains(asked))?;
        let words = list(&here.iter().map(ToString::to_string).collect::<Vec<_>>());
        (Confidence::Likely, here[0].clone(), Evidence::new(format!("image {reference}"), format!("here for {words}")))
    };
    let (name, value) = (&service.name, &pin.value);
    let runs = confidence == Confidence::Certain;
    let words = Words {
        title: match runs {
            true => format!("{name} is pinned to {value}, and its container is {found}"),
            false => format!("{name} is pinned to {value}, and its image is here for {found}"),
        },
        why: match runs {
            true => "The container was made before the pin, or Compose took the image that was here. Made anew, it follows the pin."
                .to_owned(),
            false => format!("Starting it needs {value} of the image, which has to be pulled or built first."),
        },
        evidence: vec![Evidence::new(pin.place(), format!("platform: {value}")), evidence],
    };
    let finding = context.finding(&CHECK, confidence, context.service_subject(project, service, Some(pin)), words);
    let mut commands = Vec::new();
    if let Some(image) = service.image.as_ref().filter(|_| service.build.is_none()) {
        commands.push(context.pull(&image.value, &asked.to_string()));
    }
    commands.push(context.recreate(&member));
    let mut finding = finding.with_fix(
        format!("Get {asked} and make {name} anew"),
        "Nothing is changed for you here: recreating a container stops it, so read the lines and run them yourself.",
        Safety::ShowOnly,
        vec![Step::Tell { text: format!("Get {asked} of its image, then recreate the service {name}."), commands }],
    );
    if pin.own {
        finding = finding.with_fix(
            format!("Pin {name} to {found}"),
            "Writes down what is here. No container is touched.",
            Safety::Review,
            vec![Step::EditYaml {
                path: pin.path.clone(),
                edit: YamlEdit::ChangePlatform { service: name.clone(), platform: found },
            }],
        );
    }
    Some(finding)
}

fn with(pin: Option<&str>, image: Option<&[(&str, bool)]>) -> Inventory {
    let mut seen = inventory("arm64");
    seen.images = Listing::of(image.map(|platforms| index("db:1", platforms)).into_iter().collect());
    seen.projects = vec![project("shop", "db", "db:1", pin)];
    seen
}
fn older_container() -> Inventory {
    let mut seen = with(Some("linux/arm64"), Some(&[("linux/arm64", true), ("linux/amd64", true)]));
    let runs = container("shop-db-1").image("db:1").platform("linux/amd64").service("shop", "db");
    seen.containers = Listing::of(vec![runs.build()]);
    seen
}
fn other_image() -> Inventory {
    with(Some("linux/amd64"), Some(&[("linux/arm64", true), ("linux/amd64", false)]))
}
fn both() -> Inventory {
    with(Some("linux/amd64"), Some(&[("linux/arm64", true), ("linux/amd64", true)]))
}
fn not_here() -> Inventory {
    with(Some("linux/amd64"), None)
}
fn unpinned() -> Inventory {
    with(None, Some(&[("linux/arm64", true)]))
}
