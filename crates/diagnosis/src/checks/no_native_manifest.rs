//! The registry has no variant of an image that this engine runs natively.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always},
    example::{container, index, inventory, project, upstream},
    finding::{Confidence, Evidence, Finding, Severity, Subject, SubjectKind},
    fix::{Safety, Step},
    inventory::{Inventory, Listing},
    platform::Platform,
    reference::normalise,
    replacement::replacement,
    text::list,
    upstream::{UpstreamContent, UpstreamReference},
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
    let inventory = context.inventory;
    let Some(engine) = inventory.engine.platform.known() else { return Vec::new() };
    let foreign = context.foreign_references().into_iter();
    let images = foreign.map(|reference| (reference, Subject::new(SubjectKind::Image, reference)));
    images
        .chain(services(context))
        .filter_map(|(reference, subject)| {
            let known = inventory.upstream.of(reference)?;
            let content = known.content.known()?;
            let none = content.native(engine).known()?.is_none();
            none.then(|| judge(context, reference, subject, known, content, engine))
        })
        .collect()
}

/// Services whose image is not on the engine: a new Mac has pulled nothing yet.
fn services<'a>(context: &Context<'a>) -> impl Iterator<Item = (&'a str, Subject)> {
    let inventory = context.inventory;
    let here = |reference: &str| {
        let wanted = normalise(reference);
        inventory.images.items.iter().flat_map(|image| &image.tags).any(|tag| normalise(tag) == wanted)
            || inventory.containers.items.iter().any(|container| normalise(&container.image) == wanted)
    };
    // What is built here is tagged by the name, and pulled from nowhere.
    context.services().filter(|(_, service)| service.build.is_none()).filter_map(move |(project, service)| {
        let image = service.image.as_ref().filter(|image| image.unset.is_empty() && !here(&image.value))?;
        let subject = Subject::new(SubjectKind::Service, format!("{project}/{}", service.name));
        Some((image.value.as_str(), subject.at(&service.path, service.line)))
    })
}

fn judge(
    context: &Context<'_>,
    reference: &str,
    subject: Subject,
    known: &UpstreamReference,
    content: &UpstreamContent,
    engine: &Platform,
) -> Finding {
    let platforms = list(&content.platforms.iter().map(ToString::to_string).collect::<Vec<_>>());
    let words = Words {
        title: format!("{reference} has no native variant in its registry"),
        why: format!(
            "Its registry has it for {platforms} and this engine is {engine}, so it is emulated here whenever it runs."
        ),
        evidence: vec![Evidence::new(&known.reference, format!("{platforms}, digest {}", content.digest))],
    };
    let finding = context.finding(&CHECK, Confidence::Certain, subject, words);
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
