//! What the services of a Compose project would run here, before anything of them is pulled or started.
//!
//! Worked out of facts alone, in the order in which Compose and the engine decide: is the project taken at all, is the
//! pin a platform, is it built or pulled, which platform is taken, and what runs that here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    check::Context,
    compose::{Comparison, ComposeProject, Placed, ResolvedBuild, ResolvedService},
    execution::Execution,
    fact::{Fact, Gap},
    inventory::{ComposeMembership, Image},
    platform::{Nativeness, Platform, known},
    reference::normalise,
    text::list,
    upstream::UpstreamKind,
    voices::voices,
};

/// A Compose project, service by service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProjectProspect {
    /// Project name.
    pub name: String,
    /// Its folder.
    #[serde(default)]
    pub folder: Option<String>,
    /// Its files, in the order Compose merges them.
    pub files: Vec<String>,
    /// Somebody opened it; nothing here says that it was ever started.
    pub opened: bool,
    /// Its services by name, or why they are not known.
    pub services: Fact<Vec<ServiceProspect>>,
    /// Whether the installed Compose sees the same.
    pub compared: Fact<Comparison>,
    /// Parts that were not read.
    pub gaps: Vec<Gap>,
}

/// A service, and what it would run here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServiceProspect {
    /// Service name.
    pub name: String,
    /// The file that is its home.
    pub path: String,
    /// Line of its name there, from 1.
    pub line: Option<u32>,
    /// Its image, variables replaced.
    pub image: Option<String>,
    /// Its build.
    pub build: Option<ResolvedBuild>,
    /// Its `platform:`, and where that stands.
    pub platform: Option<Placed>,
    /// Its profiles.
    pub profiles: Vec<String>,
    /// It belongs with the profiles that are set here.
    pub active: bool,
    /// Platforms of its image on this engine; none where it is not here.
    pub here: Fact<Vec<Platform>>,
    /// Platforms of its image upstream, where its registry was asked.
    pub upstream: Fact<Vec<Platform>>,
    /// Its containers now.
    pub running: Vec<ServiceContainer>,
    /// What it would run.
    pub would: Prospect,
}

/// A container of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ServiceContainer {
    /// Container name.
    pub name: String,
    /// Platform of the image it runs.
    pub platform: Fact<Platform>,
    /// How it runs.
    pub execution: Execution,
    /// What runs it, if an emulator does.
    pub emulator: Option<String>,
}

/// What a service would run here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Prospect {
    /// In one word.
    pub kind: ProspectKind,
    /// The platform it would be.
    pub platform: Option<Platform>,
    /// What would run that, as people write it, where it is emulated and known.
    pub emulator: Option<String>,
    /// Why, in a sentence.
    pub why: String,
}

/// Kinds of prospects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum ProspectKind {
    /// Without an emulator.
    Native,
    /// Under an emulator.
    Emulated,
    /// Not at all.
    WillNotRun,
    /// Not known.
    Unknown,
}

impl ProspectKind {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Emulated => "emulated",
            Self::WillNotRun => "will not run",
            Self::Unknown => "not known",
        }
    }
}

impl Prospect {
    /// "emulated by QEMU", "will not run".
    pub fn words(&self) -> String {
        match &self.emulator {
            Some(emulator) if self.kind == ProspectKind::Emulated => format!("emulated by {emulator}"),
            _ => self.kind.words().to_owned(),
        }
    }

    fn of(kind: ProspectKind, why: impl Into<String>) -> Self {
        Self { kind, platform: None, emulator: None, why: why.into() }
    }
}

/// Every project, in the inventory's order.
pub fn prospects(context: &Context<'_>) -> Vec<ProjectProspect> {
    context.inventory.projects.iter().map(|project| prospect(context, project)).collect()
}

fn prospect(context: &Context<'_>, project: &ComposeProject) -> ProjectProspect {
    let services = match &project.services {
        Fact::Known(services) => {
            let mut all: Vec<_> = services.iter().map(|service| of_service(context, project, service)).collect();
            all.sort_by(|a, b| a.name.cmp(&b.name));
            Fact::Known(all)
        }
        Fact::Unknown { unknown } => unknown.clone().into(),
    };
    ProjectProspect {
        name: project.name.clone(),
        folder: project.working_dir.clone(),
        files: project.files.iter().map(|file| file.path.clone()).collect(),
        opened: project.opened,
        services,
        compared: project.compared.clone(),
        gaps: project.gaps.clone(),
    }
}

fn of_service(context: &Context<'_>, project: &ComposeProject, service: &ResolvedService) -> ServiceProspect {
    let member = ComposeMembership { project: project.name.clone(), service: service.name.clone() };
    let own = context.containers.iter().filter(|(container, _)| container.compose.as_ref() == Some(&member));
    let running = own.map(|(container, execution)| ServiceContainer {
        name: container.name.clone(),
        platform: container.platform.clone(),
        execution: execution.execution,
        emulator: execution.is_emulated().then(|| execution.emulator_name().to_owned()),
    });
    let reference = service.image.as_ref().filter(|image| image.unset.is_empty()).map(|image| image.value.as_str());
    let image = reference.and_then(|reference| image_of(context, reference));
    let upstream = match reference {
        _ if service.build.is_some() => Fact::unknown("its platforms upstream", "it is built, not pulled"),
        Some(reference) => match context.inventory.upstream.content(reference) {
            Ok(content) => Fact::Known(content.platforms.clone()),
            Err(gap) => gap.into(),
        },
        None => Fact::unknown("its platforms upstream", "its image is not known"),
    };
    ServiceProspect {
        name: service.name.clone(),
        path: service.path.clone(),
        line: service.line,
        image: service.image.as_ref().map(|image| image.value.clone()),
        build: service.build.clone(),
        platform: service.platform.clone(),
        profiles: service.profiles.clone(),
        active: service.active,
        here: image.map_or_else(|| Fact::Known(Vec::new()), available),
        upstream,
        running: running.collect(),
        would: would(context, project, service, &member),
    }
}

fn image_of<'a>(context: &Context<'a>, reference: &str) -> Option<&'a Image> {
    let wanted = normalise(reference)?;
    let means = |image: &&Image| image.tags.iter().any(|tag| normalise(tag).as_deref() == Some(&wanted));
    context.inventory.images.items.iter().find(means)
}

/// The platforms whose content is here.
fn available(image: &Image) -> Fact<Vec<Platform>> {
    let all = match &image.platforms {
        Fact::Known(all) => all,
        Fact::Unknown { unknown } => return unknown.clone().into(),
    };
    let here = all.iter().filter(|p| p.available);
    let mut platforms = Vec::new();
    for platform in here {
        match &platform.platform {
            Fact::Known(platform) => platforms.push(platform.clone()),
            Fact::Unknown { unknown } => return unknown.clone().into(),
        }
    }
    Fact::Known(platforms)
}

fn would(
    context: &Context<'_>,
    project: &ComposeProject,
    service: &ResolvedService,
    member: &ComposeMembership,
) -> Prospect {
    let (asked, engine) = match wanted(context, project, service, member) {
        Ok(wanted) => wanted,
        Err(prospect) => return *prospect,
    };
    match taken(context, service, asked.as_ref(), engine) {
        Ok((platform, why)) => runs(context, platform, why, engine),
        Err(Otherwise::NotKnown(why)) => Prospect::of(ProspectKind::Unknown, why),
        Err(Otherwise::PullFails(why)) => Prospect::of(ProspectKind::WillNotRun, why),
    }
}

/// Why a service will not run here: it has to be pulled, and a pull for what it asks for brings nothing.
pub(crate) fn pull_fails(
    context: &Context<'_>,
    project: &ComposeProject,
    service: &ResolvedService,
) -> Option<(Platform, String)> {
    let member = ComposeMembership { project: project.name.clone(), service: service.name.clone() };
    let (asked, engine) = wanted(context, project, service, &member).ok()?;
    match taken(context, service, asked.as_ref(), engine) {
        Err(Otherwise::PullFails(why)) => Some((asked.unwrap_or_else(|| engine.clone()), why)),
        Ok(_) | Err(Otherwise::NotKnown(_)) => None,
    }
}

/// The platform among these that an emulator runs here for all that is known, those of the two usual processors first; and
/// what runs it.
pub(crate) fn emulated_choice(context: &Context<'_>, platforms: &[Platform]) -> Option<(Platform, Option<String>)> {
    let engine = context.inventory.engine.platform.known()?;
    let foreign = platforms.iter().filter(|p| p.os == engine.os && p.on(engine) == Nativeness::Foreign);
    let choices = foreign.map(|p| (p, runs(context, p.clone(), String::new(), engine)));
    let emulated = choices.filter(|(_, prospect)| prospect.kind == ProspectKind::Emulated);
    let best = emulated.min_by_key(|(p, _)| !matches!(p.architecture.as_str(), "amd64" | "arm64"));
    best.map(|(platform, prospect)| (platform.clone(), prospect.emulator))
}

/// The platform that a service asks for, by its pin or by the variable, and the engine's; or what is known without them.
fn wanted<'a>(
    context: &Context<'a>,
    project: &ComposeProject,
    service: &ResolvedService,
    member: &ComposeMembership,
) -> Result<(Option<Platform>, &'a Platform), Box<Prospect>> {
    let otherwise = |kind, why: String| Err(Box::new(Prospect::of(kind, why)));
    use ProspectKind::{Unknown, WillNotRun};
    if let Fact::Known(Comparison::Refuses { why }) = &project.compared {
        return otherwise(WillNotRun, format!("Compose does not take the project: {why}"));
    }
    if let Some(gap) = &service.gap {
        return otherwise(Unknown, gap.why.clone());
    }
    let inventory = context.inventory;
    let engine = match &inventory.engine.platform {
        Fact::Known(engine) => engine,
        Fact::Unknown { unknown } => {
            return otherwise(Unknown, format!("{}: {}", unknown.what, unknown.why));
        }
    };
    let pin = service.platform.as_ref();
    if let Some(pin) = pin.filter(|pin| !known(&pin.value)) {
        return otherwise(WillNotRun, format!("\"{}\" is no platform", pin.value));
    }
    let listed = service.build.as_ref().map(|build| build.platforms.as_slice()).unwrap_or_default();
    let mut default = inventory.default_platforms.known().into_iter().flatten();
    // The environment wins over files, and a shell's over the project's own; they are listed in that order.
    let default = default.find(|setting| setting.counts_for(Some(member))).map(|setting| setting.value.as_str());
    let asked = pin.map(|pin| pin.value.as_str()).or(default).filter(|asked| !asked.is_empty());
    if let Some(asked) = asked.filter(|asked| !listed.is_empty() && listed.iter().all(|set| set.value != *asked)) {
        let by = if pin.is_some() { "" } else { ", which DOCKER_DEFAULT_PLATFORM sets," };
        let why = format!("{asked}{by} is not among its build.platforms, so Compose refuses it");
        return otherwise(WillNotRun, why);
    }
    Ok((asked.and_then(|text| text.parse::<Platform>().ok()), engine))
}

/// Nothing is taken: what that means, and why.
enum Otherwise {
    /// What is taken is not known.
    NotKnown(String),
    /// Its registry has other platforms alone.
    PullFails(String),
}

/// The platform that is taken, and where from.
fn taken(
    context: &Context<'_>,
    service: &ResolvedService,
    asked: Option<&Platform>,
    engine: &Platform,
) -> Result<(Platform, String), Otherwise> {
    use Otherwise::NotKnown;
    let builds = service.build.is_some();
    let image = match &service.image {
        Some(image) if !image.unset.is_empty() => {
            let names = list(&image.unset);
            return Err(NotKnown(format!("{names} has no value here, so its image is not known")));
        }
        Some(image) => Some(image.value.as_str()),
        None => None,
    };
    let here = match image.and_then(|reference| image_of(context, reference)).map(available) {
        Some(Fact::Known(here)) => here,
        Some(Fact::Unknown { unknown }) => return Err(NotKnown(unknown.why)),
        None if !context.inventory.images.complete && !builds => {
            return Err(NotKnown("the list of images could not be read".to_owned()));
        }
        None => Vec::new(),
    };
    let native = || here.iter().find(|p| p.on(engine) == Nativeness::Native);
    let found = match asked {
        Some(asked) => here.iter().find(|p| *p == asked),
        None => native().or(here.first()),
    };
    if let Some(platform) = found {
        return Ok((platform.clone(), "its image is here".to_owned()));
    }
    if builds {
        let platform = asked.unwrap_or(engine).clone();
        return Ok((platform, "it is built here".to_owned()));
    }
    let image_here = image.and_then(|reference| image_of(context, reference));
    let listed = image_here.and_then(|image| image.platforms.known()).into_iter().flatten();
    let mut listed = listed.filter_map(|p| p.platform.known());
    if let Some(platform) = asked.and_then(|asked| listed.find(|p| *p == asked)) {
        return Ok((platform.clone(), "its index, which is here, lists it, and its content is pulled".to_owned()));
    }
    match image {
        Some(reference) => pulled(context, reference, asked, engine),
        None => Err(NotKnown("it has neither an image nor a build".to_owned())),
    }
}

/// What a pull would bring, where its registry was asked.
fn pulled(
    context: &Context<'_>,
    reference: &str,
    asked: Option<&Platform>,
    engine: &Platform,
) -> Result<(Platform, String), Otherwise> {
    let content = context.inventory.upstream.content(reference).map_err(|gap| {
        let wanted = asked.map(|platform| format!(" for {platform}")).unwrap_or_default();
        Otherwise::NotKnown(format!("{reference} has to be pulled{wanted}: {}", gap.why))
    })?;
    let why = || "its registry has it".to_owned();
    let wanted = asked.unwrap_or(engine);
    let found = content.platforms.iter().find(|p| match asked {
        Some(asked) => *p == asked,
        None => p.on(engine) == Nativeness::Native,
    });
    match (found, content.platforms.as_slice(), content.gaps.first()) {
        (Some(platform), ..) => Ok((platform.clone(), why())),
        // One image without an index is pulled whatever it is, with a warning.
        (None, [only], _) if content.kind == UpstreamKind::Manifest && asked.is_none() => Ok((only.clone(), why())),
        (None, _, Some(gap)) => Err(Otherwise::NotKnown(gap.why.clone())),
        (None, [], None) => {
            Err(Otherwise::PullFails(format!("its registry lists no platform of {reference}, so a pull fails")))
        }
        (None, all, None) => {
            // 32-bit ARM beside 64-bit ARM: engines take it, whether or not the processor runs it.
            match (all.iter().find(|p| p.on(wanted) != Nativeness::Foreign), asked) {
                (Some(near), None) => return Ok((near.clone(), why())),
                (Some(near), Some(asked)) => {
                    let why = format!("its registry has {near}, and engines differ in taking that for {asked}");
                    return Err(Otherwise::NotKnown(why));
                }
                (None, _) => {}
            }
            let all = list(&all.iter().map(ToString::to_string).collect::<Vec<_>>());
            let why = format!("its registry has {reference} for {all} alone, so a pull for {wanted} fails");
            Err(Otherwise::PullFails(why))
        }
    }
}

/// What runs a platform on this engine.
fn runs(context: &Context<'_>, platform: Platform, source: String, engine: &Platform) -> Prospect {
    let made = |kind, emulator, why: String| Prospect { kind, platform: Some(platform.clone()), emulator, why };
    match platform.on(engine) {
        Nativeness::Native => made(ProspectKind::Native, None, format!("{source} for {platform}")),
        Nativeness::DependsOnProcessor => {
            let why = format!("{source} for {platform}, which some processors of {engine} run by themselves");
            made(ProspectKind::Unknown, None, why)
        }
        Nativeness::Foreign => {
            let says: Vec<String> = voices(context, &platform).into_iter().map(|voice| voice.says).collect();
            // What is set comes first; what was seen at work, last.
            match says.last() {
                Some(none) if none == "no emulator" => {
                    let why = format!("{source} for {platform}, and nothing here runs that");
                    made(ProspectKind::WillNotRun, None, why)
                }
                emulator => {
                    let why = format!("{source} for {platform}, and this engine is {engine}");
                    made(ProspectKind::Emulated, emulator.cloned(), why)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        example::{built_for, container, foreign_to, index, inventory, project, shell_default, upstream},
        inventory::{Inventory, Listing},
    };

    /// The one service of a project, with its image here and upstream.
    fn seen(
        arch: &str,
        pin: Option<&str>,
        here: Option<&[(&str, bool)]>,
        there: Option<Result<&[&str], &str>>,
    ) -> Inventory {
        let mut seen = inventory(arch);
        seen.projects = vec![project("shop", "db", "db:1", pin)];
        seen.images = Listing::of(here.map(|platforms| index("db:1", platforms)).into_iter().collect());
        seen.upstream.learn(there.map(|said| upstream("db:1", said, &[])));
        seen
    }

    fn told(seen: &Inventory) -> (String, String) {
        let context = Context::new(seen);
        let all = prospects(&context);
        let service = &all[0].services.known().unwrap()[0];
        (service.would.words(), service.would.why.clone())
    }

    #[test]
    fn a_service_is_judged_before_anything_is_pulled() {
        for arch in ["arm64", "amd64"] {
            let (native, foreign) = (format!("linux/{arch}"), foreign_to(arch));
            let native = native.as_str();
            let both: &[&str] = &[native, foreign];
            type Row<'a> = (
                Option<&'a str>,
                Option<&'a [(&'a str, bool)]>,
                Option<Result<&'a [&'a str], &'a str>>,
                &'a str,
                &'a str,
            );
            let rows: &[Row<'_>] = &[
                (None, None, None, "not known", "no registry was asked"),
                (None, None, Some(Ok(both)), "native", "its registry has it"),
                (Some(foreign), None, Some(Ok(both)), "emulated", "its registry has it"),
                (None, None, Some(Ok(&[foreign])), "emulated", "its registry has it"),
                (None, None, Some(Ok(&[foreign, "linux/s390x"])), "will not run", "fails"),
                (Some(native), None, Some(Ok(&[foreign])), "will not run", "fails"),
                (
                    Some(native),
                    None,
                    Some(Ok(&[foreign, "linux/arm/v7"])),
                    if arch == "arm64" { "not known" } else { "will not run" },
                    "its registry has",
                ),
                (None, None, Some(Ok(&[foreign, "linux/s390x"])), "will not run", "alone"),
                (None, None, Some(Err("it is down")), "not known", "it is down"),
                (None, Some(&[(foreign, true)]), None, "emulated", "its image is here"),
                (None, Some(&[(foreign, true), (native, true)]), None, "native", "its image is here"),
                (Some(foreign), Some(&[(native, true)]), None, "not known", "has to be pulled for"),
                (Some(native), Some(&[(foreign, true), (native, false)]), None, "native", "lists it"),
                (Some("linux/amd46"), None, None, "will not run", "no platform"),
            ];
            for (pin, here, there, words, why) in rows {
                let (said, because) = told(&seen(arch, *pin, *here, *there));
                assert_eq!(said, *words, "{arch} {pin:?} {here:?} {there:?}: {because}");
                assert!(because.contains(why), "{because} has no {why}");
            }
        }
    }

    #[test]
    fn builds_refusals_and_what_runs_are_told() {
        let mut all = seen("arm64", Some("linux/amd64"), None, None);
        all.projects[0] = built_for(all.projects[0].clone(), &["linux/arm64"]);
        assert_eq!(told(&all).0, "will not run");
        let mut unpinned = seen("arm64", None, None, None);
        unpinned.projects[0] = built_for(unpinned.projects[0].clone(), &["linux/amd64"]);
        assert_eq!(told(&unpinned).0, "native", "Compose builds for the engine, whatever build.platforms lists");
        unpinned.default_platforms = Fact::Known(vec![shell_default("linux/arm64")]);
        let refused = told(&unpinned);
        assert_eq!(refused.0, "will not run", "{}", refused.1);
        assert!(
            refused.1.starts_with("linux/arm64, which DOCKER_DEFAULT_PLATFORM sets, is not among"),
            "{}",
            refused.1
        );
        unpinned.default_platforms = Fact::Known(vec![shell_default("linux/amd64")]);
        assert_eq!(told(&unpinned).0, "emulated");
        all.projects[0] = built_for(all.projects[0].clone(), &["linux/arm64", "linux/amd64"]);
        assert_eq!(
            told(&all),
            ("emulated".to_owned(), "it is built here for linux/amd64, and this engine is linux/arm64".to_owned())
        );
        let runs = container("shop-x-1").platform("linux/amd64").processes(&["/run/rosetta/rosetta /x"]);
        all.containers = Listing::of(vec![runs.service("shop", "db").build()]);
        assert_eq!(told(&all).0, "emulated by Rosetta");
        let shown = prospects(&Context::new(&all)).remove(0).services.known().unwrap()[0].running[0].clone();
        assert_eq!((shown.name.as_str(), shown.emulator.as_deref()), ("shop-x-1", Some("Rosetta")));
        all.projects[0].compared = Fact::Known(Comparison::Refuses { why: "no such file".to_owned() });
        assert!(told(&all).1.contains("no such file"));
    }
}
