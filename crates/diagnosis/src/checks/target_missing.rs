//! An image that is built here lacks a platform that it will be deployed to.

use std::collections::BTreeMap;

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words},
    deploy::{DeployTargets, NamedBuild},
    example::{index, inventory},
    finding::{Confidence, Evidence, Finding, Severity, Subject, SubjectKind},
    fix::{Safety, Step},
    inventory::{Image, ImageStore, Inventory, Listing},
    platform::Platform,
    reference::normalise,
    text::list,
};

/// The check.
pub static CHECK: Check = Check {
    id: "target-missing",
    title: "An image built here lacks a platform it is deployed to",
    why: "It runs here, so nobody notices; where it is deployed it ends with exec format error, or is emulated without \
          anybody having chosen that. Build it for the deploy targets too.",
    severity: Severity::Broken,
    needs: &[Need::Images, Need::ImagePlatforms, Need::DeployTargets],
    applies,
    run,
    supersedes: &[],
    examples: &[
        Example { name: "built for ARM, deployed on Intel", verdict: Verdict::Fires, inventory: lacking },
        Example { name: "built for both", verdict: Verdict::Silent, inventory: both },
        Example { name: "the index lists it, but it was never built", verdict: Verdict::Fires, inventory: listed },
        Example { name: "nobody said where it runs", verdict: Verdict::Silent, inventory: untold },
    ],
};

fn applies(context: &Context<'_>) -> Result<(), String> {
    let deploy = &context.inventory.deploy;
    match deploy.projects.is_empty() && deploy.gaps.is_empty() {
        true => {
            Err("nobody said where what is built here runs: .silidock.toml, or silidock targets DIR --set".to_owned())
        }
        false => Ok(()),
    }
}

fn run(context: &Context<'_>) -> Vec<Finding> {
    let inventory = context.inventory;
    let mut findings = Vec::new();
    for built in inventory.built_here().into_iter().filter(|built| !built.targets.is_empty()) {
        let wanted = normalise(&built.reference);
        let called = |image: &&Image| image.tags.iter().any(|tag| normalise(tag) == wanted);
        let Some(image) = inventory.images.items.iter().find(called) else { continue };
        let Some(platforms) = image.platforms.known() else { continue };
        let here = platforms.iter().filter(|platform| platform.available);
        let here: Vec<&Platform> = here.filter_map(|platform| platform.platform.known()).collect();
        let lacks: Vec<&Platform> = built.targets.iter().filter(|target| !here.contains(target)).collect();
        if lacks.is_empty() || here.is_empty() {
            continue;
        }
        let words_of = |all: &[&Platform]| list(&all.iter().map(ToString::to_string).collect::<Vec<_>>());
        let (has, missing, reference) = (words_of(&here), words_of(&lacks), &built.reference);
        let words = Words {
            title: format!("{reference} is not built for {missing}, where it is deployed"),
            why: format!(
                "It is {has} here and runs, but it will end with exec format error on {missing}, unless an emulator is there."
            ),
            evidence: vec![
                Evidence::new(
                    built.said_by.clone(),
                    format!("deployed to {}", words_of(&built.targets.iter().collect::<Vec<_>>())),
                ),
                Evidence::new(format!("image {reference}"), format!("holds {has}")),
            ],
        };
        let subject = Subject::new(SubjectKind::Image, reference);
        let finding = context.finding(&CHECK, Confidence::Certain, subject, words);
        let all: Vec<Platform> = here.iter().chain(&lacks).map(|platform| (*platform).clone()).collect();
        findings.push(with_fix(context, finding, reference, built.service.as_deref(), all, &missing));
    }
    findings
}

/// Built here for all of them where the engine keeps several per tag, else pushed.
fn with_fix(
    context: &Context<'_>,
    finding: Finding,
    reference: &str,
    service: Option<&str>,
    platforms: Vec<Platform>,
    missing: &str,
) -> Finding {
    if context.inventory.engine.image_store == ImageStore::Containerd {
        let title = format!("Build {reference} for {missing} too");
        return finding.with_build(context, reference, service, platforms, title);
    }
    let mut command = vec!["silidock".to_owned(), "rebuild".to_owned(), service.unwrap_or(reference).to_owned()];
    command.extend(platforms.iter().flat_map(|platform| ["--platform".to_owned(), platform.to_string()]));
    command.push("--push".to_owned());
    let text =
        "This engine's image store keeps one platform per tag, so the result for all of them goes to a registry.";
    finding.with_fix(
        format!("Build {reference} for {missing} too, and push it"),
        "Nothing is changed for you here: where it is pushed to follows from its name.",
        Safety::ShowOnly,
        vec![Step::Tell { text: text.to_owned(), commands: vec![command] }],
    )
}

fn with(here: &[(&str, bool)], targets: &[&str]) -> Inventory {
    let mut seen = inventory("arm64");
    seen.images = Listing::of(vec![index("acme/web:1", here)]);
    seen.deploy.named =
        vec![NamedBuild { reference: "docker.io/acme/web:1".to_owned(), context: "/Users/sam/web".to_owned() }];
    let targets: Vec<Platform> = targets.iter().filter_map(|text| text.parse().ok()).collect();
    seen.deploy.projects = vec![DeployTargets {
        folder: "/Users/sam/web".to_owned(),
        path: Some("/Users/sam/web/.silidock.toml".to_owned()),
        line: Some(2),
        targets,
        services: BTreeMap::new(),
        images: BTreeMap::new(),
    }];
    seen
}
fn lacking() -> Inventory {
    with(&[("linux/arm64", true)], &["linux/amd64"])
}
fn both() -> Inventory {
    with(&[("linux/arm64", true), ("linux/amd64", true)], &["linux/amd64"])
}
fn listed() -> Inventory {
    with(&[("linux/arm64", true), ("linux/amd64", false)], &["linux/arm64", "linux/amd64"])
}
fn untold() -> Inventory {
    with(&[("linux/arm64", true)], &[])
}
