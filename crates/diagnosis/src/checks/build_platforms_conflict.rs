//! `platform:` of a Compose service is not among its `build.platforms`.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always},
    compose::{Placed, ResolvedService},
    example::{built_for, inventory, project},
    finding::{Confidence, Evidence, Finding, Severity},
    fix::{Safety, Step, YamlEdit},
    inventory::Inventory,
    platform::Platform,
    text::list,
};

/// The check.
pub static CHECK: Check = Check {
    id: "build-platforms-conflict",
    title: "A service's platform: is not among its build.platforms",
    why: "Compose refuses the whole project then, before anything is built or started. It compares the two as text, so \
          linux/arm64/v8 and linux/arm64 differ. Write one of the list, or take the platform: line out.",
    severity: Severity::Broken,
    needs: &[Need::ComposeFiles],
    applies: always,
    run,
    supersedes: &[],
    examples: &[
        Example { name: "the platform is not in the list", verdict: Verdict::Fires, inventory: conflict },
        Example { name: "the same platform, spelled otherwise", verdict: Verdict::Fires, inventory: spelled },
        Example { name: "the platform is in the list", verdict: Verdict::Silent, inventory: listed },
        Example { name: "there is no list", verdict: Verdict::Silent, inventory: no_list },
        Example { name: "there is no platform", verdict: Verdict::Silent, inventory: no_platform },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    context.services().filter_map(|(project, service)| judge(context, project, service)).collect()
}

fn judge(context: &Context<'_>, project: &str, service: &ResolvedService) -> Option<Finding> {
    let pin = service.platform.as_ref().filter(|pin| pin.unset.is_empty())?;
    let listed: &[Placed] = &service.build.as_ref()?.platforms;
    let open = |set: &Placed| !set.unset.is_empty();
    if listed.is_empty() || listed.iter().any(|set| set.value == pin.value || open(set)) {
        return None;
    }
    let values: Vec<String> = listed.iter().map(|set| set.value.clone()).collect();
    let same = |set: &&Placed| match (set.value.parse::<Platform>(), pin.value.parse::<Platform>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    };
    let spelled = listed.iter().find(same);
    let name = &service.name;
    let mut evidence = vec![Evidence::new(pin.place(), format!("platform: {}", pin.value))];
    evidence.extend(listed.iter().map(|set| Evidence::new(set.place(), format!("build.platforms: {}", set.value))));
    let words = Words {
        title: format!("{name} is pinned to {}, which its build.platforms does not list", pin.value),
        why: match spelled {
            Some(other) => format!(
                "{} means the same, and Compose compares the text: it refuses the project until both are written alike.",
                other.value
            ),
            None => format!("It lists {}. Compose refuses the project until one of the two is changed.", list(&values)),
        },
        evidence,
    };
    let mut finding =
        context.finding(&CHECK, Confidence::Certain, context.service_subject(project, service, Some(pin)), words);
    let edit = |edit| vec![Step::EditYaml { path: pin.path.clone(), edit }];
    for (set, platform) in listed.iter().filter_map(|set| Some((set, set.value.parse::<Platform>().ok()?))) {
        // What an edit would write is the normal spelling; only where the list has that, both are alike then.
        if pin.own && platform.to_string() == set.value {
            finding = finding.with_fix(
                format!("Pin {name} to {platform}"),
                "Compose takes the project again. Images and containers that are here stay as they are.",
                Safety::Review,
                edit(YamlEdit::ChangePlatform { service: name.clone(), platform }),
            );
        }
    }
    Some(context.without_pin(finding, service, pin, "Compose takes the project again; what is built follows the list."))
}

fn with(pin: Option<&str>, platforms: &[&str]) -> Inventory {
    let mut seen = inventory("arm64");
    seen.projects = vec![built_for(project("shop", "web", "shop/web:1", pin), platforms)];
    seen
}
fn conflict() -> Inventory {
    with(Some("linux/amd64"), &["linux/arm64"])
}
fn spelled() -> Inventory {
    with(Some("linux/arm64/v8"), &["linux/amd64", "linux/arm64"])
}
fn listed() -> Inventory {
    with(Some("linux/arm64"), &["linux/amd64", "linux/arm64"])
}
fn no_list() -> Inventory {
    with(Some("linux/amd64"), &[])
}
fn no_platform() -> Inventory {
    with(None, &["linux/amd64"])
}
