//! `platform:` of a Compose service is no platform, or none that anybody builds for.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always},
    compose::{Placed, ResolvedService},
    example::{inventory, project},
    finding::{Confidence, Evidence, Finding, Severity},
    fix::{Safety, Step, YamlEdit},
    inventory::Inventory,
    platform::{Platform, known, nearest},
};

/// The check.
pub static CHECK: Check = Check {
    id: "pin-unknown-platform",
    title: "A Compose service is pinned to a platform that does not exist",
    why: "Compose passes the text on, so the mistake shows late: as a pull that finds no manifest, or as an error that names \
          neither file nor line. Write it as os/architecture, for example linux/arm64.",
    severity: Severity::Broken,
    needs: &[Need::ComposeFiles],
    applies: always,
    run,
    supersedes: &["pin-contradicts-image", "pin-needless"],
    examples: &[
        Example { name: "letters are swapped", verdict: Verdict::Fires, inventory: swapped },
        Example { name: "it is no platform at all", verdict: Verdict::Fires, inventory: tablet },
        Example { name: "an alias of the processor's name", verdict: Verdict::Silent, inventory: alias },
        Example { name: "an architecture alone, which Docker takes", verdict: Verdict::Silent, inventory: short },
        Example { name: "a rare one", verdict: Verdict::Silent, inventory: rare },
        Example { name: "no platform", verdict: Verdict::Silent, inventory: none },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let pinned = context.services().filter_map(|(project, service)| {
        let pin = service.platform.as_ref().filter(|pin| pin.unset.is_empty() && !known(&pin.value))?;
        Some(judge(context, project, service, pin))
    });
    pinned.collect()
}

fn judge(context: &Context<'_>, project: &str, service: &ResolvedService, pin: &Placed) -> Finding {
    let (name, value) = (&service.name, &pin.value);
    let meant: Option<Platform> = nearest(value);
    let guess = meant.as_ref().map(|platform| format!(" The nearest is {platform}.")).unwrap_or_default();
    let words = Words {
        title: format!("{name} is pinned to \"{value}\", which is no platform"),
        why: format!("Nothing is built for it, so {name} can be neither pulled nor started.{guess}"),
        evidence: vec![Evidence::new(pin.place(), format!("platform: {value}"))],
    };
    let subject = context.service_subject(project, service, Some(pin));
    let mut finding = context.finding(&CHECK, Confidence::Certain, subject, words);
    if let Some(platform) = meant.filter(|_| pin.own) {
        finding = finding.with_fix(
            format!("Pin {name} to {platform}"),
            "A guess by the spelling: read it before you apply it.",
            Safety::Review,
            vec![Step::EditYaml {
                path: pin.path.clone(),
                edit: YamlEdit::ChangePlatform { service: name.clone(), platform },
            }],
        );
    }
    context.without_pin(finding, service, pin, "Docker then takes the engine's own platform where the image has it.")
}

fn with(pin: Option<&str>) -> Inventory {
    let mut seen = inventory("arm64");
    seen.projects = vec![project("shop", "db", "db:1", pin)];
    seen
}
fn swapped() -> Inventory {
    with(Some("linux/amd46"))
}
fn tablet() -> Inventory {
    with(Some("tablet"))
}
fn alias() -> Inventory {
    with(Some("linux/x86_64"))
}
fn short() -> Inventory {
    with(Some("arm64"))
}
fn rare() -> Inventory {
    with(Some("linux/loong64"))
}
fn none() -> Inventory {
    with(None)
}
