//! The registry has no variant of an image that this engine runs natively.

use std::collections::HashMap;

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always},
    compose::ResolvedService,
    example::{container, index, inventory, project, upstream},
    finding::{Confidence, Evidence, Finding, Severity, Subject, SubjectKind},
    fix::{Safety, Step},
    inventory::{Inventory, Listing},
    platform::Platform,
    prospect::{emulated_choice, pull_fails},
    reference::normalise,
    replacement::replacement,
    text::list,
    upstream::UpstreamReference,
};

/// The check.
pub static CHECK: Check = Check {
    id: "no-native-manifest",
    title: "An image has no native variant in its registry",
    why: "The registry has this tag for other processors only, so whatever runs from it here is emulated, and pulling it \
          again changes nothing. A newer tag may have a native variant, another image may replace it, or it can be built \
          here; else it is emulated knowingly.",
    severity: Severity::Slow,
    needs: &[Need::EnginePlatform, Need::Containers, Need::Images, Need::Upstream],
    applies: always,
    run,
    supersedes: &[],
    examples: &[
        Example { name: "the registry has it for one foreign platform", verdict: Verdict::Fires, inventory: foreign },
        Example { name: "a service that was never pulled", verdict: Verdict::Fires, inventory: never_pulled },
        Example { name: "the registry has the native variant", verdict: Verdict::Silent, inventory: both },
        Example { name: "the registry did not answer", verdict: Verdict::Silent, inventory: no_answer },
        Example { name: "nobody asked", verdict: Verdict::Silent, inventory: not_asked },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let Some(engine) = context.inventory.engine.platform.known() else { return Vec::new() };
    // A service that has a pin already is emulated knowingly.
    let mut unpinned: HashMap<String, Vec<&ResolvedService>> = HashMap::new();
    for (_, service) in context.services().filter(|(_, s)| s.platform.is_none() && s.build.is_none()) {
        let image = service.image.as_ref().filter(|image| image.unset.is_empty());
        if let Some(full) = image.and_then(|image| normalise(&image.value)) {
            unpinned.entry(full).or_default().push(service);
        }
    }
    let images = context.foreign_references().into_iter().filter_map(|reference| {
        let subject = Subject::new(SubjectKind::Image, reference);
        let finding = judge(context, reference, subject, engine, None)?;
        let users = normalise(reference).and_then(|full| unpinned.get(&full)).into_iter().flatten();
        Some(users.fold(finding, |finding, service| knowingly(context, finding, service, reference)))
    });
    let services = context.never_pulled().into_iter().filter_map(|(name, service, reference)| {
        let project = context.inventory.projects.iter().find(|project| project.name == name)?;
        let fails = pull_fails(context, project, service);
        // A pin to what there is says that it is emulated knowingly.
        if service.platform.is_some() && fails.is_none() {
            return None;
        }
        let subject = context.service_subject(name, service, None);
        let finding = judge(context, reference, subject, engine, fails)?;
        let mut finding =
            if service.platform.is_some() { finding } else { knowingly(context, finding, service, reference) };
        for fix in finding.fixes.iter_mut().filter(|fix| fix.safety == Safety::Review && fix.title.starts_with("Pin "))
        {
            fix.promise = Some(CHECK.id.to_owned());
        }
        Some(finding)
    });
    images.chain(services).collect()
}

/// The pin that says it, last of all: everything above gets off emulation.
fn knowingly(context: &Context<'_>, finding: Finding, service: &ResolvedService, reference: &str) -> Finding {
    let platforms = context.upstream(reference).map(|content| content.platforms.as_slice());
    let Some((platform, emulator)) = emulated_choice(context, platforms.unwrap_or_default()) else { return finding };
    let mut finding = context.with_pin(finding, service, &platform, emulator.as_deref());
    // It stays emulated, so this check goes on saying so.
    if let Some(fix) = finding.fixes.last_mut() {
        fix.promise = None;
    }
    finding
}

fn judge(
    context: &Context<'_>,
    reference: &str,
    subject: Subject,
    engine: &Platform,
    fails: Option<(Platform, String)>,
) -> Option<Finding> {
    let known = context.names.upstream(reference)?;
    let content = known.content.known()?;
    if content.native(engine).known()?.is_some() {
        return None;
    }
    let platforms = list(&content.platforms.iter().map(ToString::to_string).collect::<Vec<_>>());
    let why = match fails {
        Some((_, why)) => format!("This engine is {engine}, so it will not run here as it stands: {why}."),
        None => {
            format!(
                "Its registry has it for {platforms} and this engine is {engine}, so it is emulated here whenever it runs."
            )
        }
    };
    let words = Words {
        title: format!("{reference} has no native variant in its registry"),
        why,
        evidence: vec![Evidence::new(&known.reference, format!("{platforms}, digest {}", content.digest))],
    };
    let finding = context.finding(&CHECK, Confidence::Certain, subject, words);
    Some(instead(context, finding, reference, known, engine))
}

/// Adds the ways to something native: built here, a newer tag, another image.
pub(super) fn instead(
    context: &Context<'_>,
    finding: Finding,
    reference: &str,
    known: &UpstreamReference,
    engine: &Platform,
) -> Finding {
    let mut finding = finding.with_known_build(context, reference, Some(engine));
    for newer in known.newer.iter().filter_map(|newer| newer.known()).flatten() {
        let repository = known.reference.rsplit_once(':').map_or(known.reference.as_str(), |(name, _)| name);
        let image = format!("{repository}:{}", newer.tag);
        let has = list(&newer.platforms.iter().map(ToString::to_string).collect::<Vec<_>>());
        let text = format!(
            "{image} has {has}. It is another version: one that keeps data may change its files and refuse the way back, \
             so try it on a copy."
        );
        let pull = context.pull(&image, &engine.to_string());
        let steps = vec![Step::Tell { text, commands: vec![pull] }];
        let summary = "Nothing is changed for you here: which version a service runs is its owner's choice.";
        finding = finding.with_fix(format!("Move to {}", newer.tag), summary, Safety::ShowOnly, steps);
    }
    if let Some(row) = replacement(reference) {
        let title = match &row.instead {
            Some(instead) => format!("Replace it with {instead}"),
            None => "Emulate it knowingly".to_owned(),
        };
        let steps = vec![Step::Tell { text: format!("{} Source: {}", row.words, row.source), commands: Vec::new() }];
        let summary = "Nothing is changed for you here: another image is another program.";
        finding = finding.with_fix(title, summary, Safety::ShowOnly, steps);
    }
    finding
}

const INTEL: &[&str] = &["linux/amd64"];
const BOTH: &[&str] = &["linux/amd64", "linux/arm64"];

fn with(said: Option<Result<&[&str], &str>>) -> Inventory {
    let mut seen = inventory("arm64");
    seen.images = Listing::of(vec![index("db:5.7", &[("linux/amd64", true)])]);
    seen.containers = Listing::of(vec![container("db").image("db:5.7").platform("linux/amd64").build()]);
    seen.upstream.learn(said.map(|said| upstream("db:5.7", said, &[("8.0", BOTH)])));
    seen
}
fn foreign() -> Inventory {
    with(Some(Ok(INTEL)))
}
fn both() -> Inventory {
    with(Some(Ok(BOTH)))
}
fn no_answer() -> Inventory {
    with(Some(Err("docker.io could not be reached")))
}
fn not_asked() -> Inventory {
    with(None)
}
fn never_pulled() -> Inventory {
    let mut seen = inventory("arm64");
    seen.projects = vec![project("shop", "db", "mailhog/mailhog:v1", None)];
    seen.upstream.learn([upstream("mailhog/mailhog:v1", Ok(INTEL), &[])]);
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{examination::examine, example::foreign_to, finding::Finding};

    #[test]
    fn services_can_be_pinned_where_nothing_native_is_known_and_will_run_so() {
        let said = |seen: &Inventory| -> Finding {
            examine(seen).findings.into_iter().find(|finding| finding.check == CHECK.id).unwrap()
        };
        for arch in ["arm64", "amd64"] {
            let (native, foreign) = (format!("linux/{arch}"), foreign_to(arch));
            let mut seen = inventory(arch);
            seen.projects = vec![project("shop", "db", "db:1", None)];
            seen.upstream.learn([upstream("db:1", Ok(&[foreign]), &[("2", &[&native])])]);
            let finding = said(&seen);
            let titles: Vec<&str> = finding.fixes.iter().map(|fix| fix.title.as_str()).collect();
            let pin = format!("Pin db to {foreign}");
            assert_eq!(titles, ["Move to 2", pin.as_str()]);
            assert_eq!(
                (finding.fixes[1].safety, finding.fixes[1].promise.as_deref()),
                (Safety::Review, Some(CHECK.id))
            );
            assert!(
                finding.why.ends_with("so it is emulated here whenever it runs."),
                "one image is pulled whatever it is"
            );
            seen.images = Listing::of(vec![index("db:1", &[(foreign, true)])]);
            assert_eq!(said(&seen).fixes.last().unwrap().title, pin, "an image that a service uses");
            seen.images = Listing::of(Vec::new());
            seen.upstream.learn([upstream("db:1", Ok(&[foreign, "linux/s390x"]), &[])]);
            assert!(said(&seen).why.contains("will not run here"), "{}", said(&seen).why);
        }
    }
}
