//! What a rebuild comes to: for each subject its source, its platforms, the builder, the command, and what to know
//! before. What stands in the way is told before anything is built.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use silidock_diagnosis::{
    builders::{Builder, BuildsOn, Needed, choose},
    emulator::display_name,
    fact::Fact,
    inventory::{Image, ImageStore, Inventory},
    platform::{Nativeness, Platform},
    reference::normalise,
    runtime::NO_EMULATOR,
};
use silidock_engine::{DockerClient, Engine, LocalBuild};
use silidock_observe::{build_source::BuildSource, builders};
use silidock_remedy::build::{BuildOrder, Builds, Dockerfile, OneBuild};

use super::Prepared;
use super::command::{Wanted, command, in_sight};
use super::memory::RememberedBuilds;
use super::origin::{Origin, Places};
use super::wire::{ImageState, PlannedBuild, PlannedPlatform, RebuildOutput, RebuildRequest};
use crate::failure::{Failure, FailureCode};
use crate::session::App;

/// What shows how an engine comes to hold several platforms under one tag.
const STORE: &str = "silidock builders --containerd-store";

/// Worked out, with what to know, or why not and what to type instead.
pub(crate) struct Planned {
    pub prepared: Prepared,
    pub told: Vec<String>,
    pub refused: Option<(String, Vec<String>)>,
}

/// What every build of a rebuild shares.
pub(super) struct Site<'a> {
    pub host: &'a dyn silidock_host::Host,
    pub client: Option<&'a DockerClient>,
    pub builders: &'a [Builder],
    pub inventory: &'a Inventory,
    pub request: &'a RebuildRequest,
}

impl App {
    /// Works everything out. `finding` is the finding it is for.
    pub(crate) async fn plan_rebuild(
        self: &Arc<Self>,
        engine: &Engine,
        request: &RebuildRequest,
        remembered: &RememberedBuilds,
        finding: Option<String>,
    ) -> Result<Planned, Failure> {
        if request.context.is_some() && request.subjects.len() > 1 {
            return Err(Failure::new(FailureCode::Refused, "A folder can be named for one image at a time."));
        }
        let inventory = self.seen()?.inventory;
        let host = self.host().as_ref();
        let client = DockerClient::of(host, engine);
        let places = Places { host, engine, inventory: &inventory, remembered, client: client.as_ref() };
        let mut origins = Vec::new();
        for subject in &request.subjects {
            origins.push(places.origin(subject, request).await?);
        }
        let wanted = asked_for(request, &inventory)?;
        let title = format!("Build {} again", request.subjects.join(", "));
        let mut planned = Planned {
            prepared: Prepared {
                engine: engine.clone(),
                order: BuildOrder { title, finding, builds: Vec::new() },
                builds: Vec::new(),
                containers: Vec::new(),
                remember: origins.iter().filter_map(|origin| origin.remember.clone()).collect(),
            },
            told: Vec::new(),
            refused: None,
        };
        let known = match (&client, builders(host, engine, inventory.engine.image_store).await) {
            (Ok(_), Fact::Known(known)) => Ok(known),
            (Ok(_), Fact::Unknown { unknown }) => Err(unknown.why),
            (Err(error), _) => Err(error.to_string()),
        };
        let known_ones = known.as_deref().unwrap_or_default();
        let site = Site { host, client: client.as_ref().ok(), builders: known_ones, inventory: &inventory, request };
        for origin in origins {
            let wanted = site.with_targets(&wanted, &origin, &mut planned.told);
            let added = host_has(host, &origin).and_then(|()| match (&known, site.client) {
                (Ok(_), Some(client)) => site.add(client, origin, &wanted, &mut planned),
                (Err(why), _) => site.add_without_buildx(why, origin, &wanted, &mut planned),
                (Ok(_), None) => Ok(()),
            });
            if let Err(refused) = added {
                planned.refused.get_or_insert(refused);
            }
        }
        if request.recreate && planned.refused.is_none() {
            self.plan_renewals(engine, request, &mut planned).await?;
        }
        Ok(planned)
    }
}

/// What was asked for, else what the engine runs natively.
pub(super) fn asked_for(request: &RebuildRequest, inventory: &Inventory) -> Result<Vec<Platform>, Failure> {
    let parsed: Result<Vec<Platform>, _> = request.platforms.iter().map(|text| text.parse()).collect();
    let mut wanted = parsed.map_err(|error| Failure::new(FailureCode::Refused, format!("{error}.")))?;
    if wanted.is_empty() {
        match &inventory.engine.platform {
            Fact::Known(platform) => wanted.push(platform.clone()),
            Fact::Unknown { unknown } => {
                let message = format!("The engine's platform is not known: {}.", unknown.why);
                return Err(Failure::new(FailureCode::Refused, message).hint("Name one with --platform."));
            }
        }
    }
    Ok(once(wanted))
}

fn once(platforms: Vec<Platform>) -> Vec<Platform> {
    let mut once: Vec<Platform> = Vec::new();
    for platform in platforms {
        if !once.contains(&platform) {
            once.push(platform);
        }
    }
    once
}

/// What is built must be there before anything is begun.
fn host_has(host: &dyn silidock_host::Host, origin: &Origin) -> Result<(), (String, Vec<String>)> {
    let source = &origin.source;
    if !source.context.starts_with('/') {
        return Ok(());
    }
    let context = Path::new(&source.context);
    let file = source.dockerfile.as_ref().map_or_else(|| context.join("Dockerfile"), |file| context.join(file));
    let missing = [context, &file].into_iter().find(|path| !host.exists(path));
    match missing.filter(|path| source.inline.is_none() || *path == context) {
        Some(path) => {
            Err((format!("{} is not there, so {} cannot be built", path.display(), origin.subject), Vec::new()))
        }
        None => Ok(()),
    }
}

impl Site<'_> {
    /// Where nobody asked for platforms, those that it is deployed to as well, if the result can hold them.
    fn with_targets(&self, wanted: &[Platform], origin: &Origin, told: &mut Vec<String>) -> Vec<Platform> {
        let reference = origin.source.tags.first().map(String::as_str).unwrap_or_default();
        let built = self.inventory.built_here();
        let by_service = built.iter().find(|built| built.service.is_some() && built.service == origin.service);
        let known = by_service.cloned().or_else(|| self.inventory.build_of(reference));
        let Some(known) = known.filter(|known| !known.targets.is_empty() && self.request.platforms.is_empty()) else {
            return wanted.to_vec();
        };
        let targets = words_of(&known.targets);
        let all = once(wanted.iter().chain(&known.targets).cloned().collect());
        let load = self.request.output == RebuildOutput::Load;
        if all.len() > 1 && load && self.inventory.engine.image_store == ImageStore::Classic {
            told.push(format!(
                "It is deployed to {targets} ({}); this engine's image store keeps one platform per tag, so that is built with \
                 --push alone.",
                known.said_by
            ));
            return wanted.to_vec();
        }
        told.push(format!("It is deployed to {targets} ({}).", known.said_by));
        all
    }

    /// Adds one build, or says why it cannot be done.
    fn add(
        &self,
        client: &DockerClient,
        origin: Origin,
        wanted: &[Platform],
        planned: &mut Planned,
    ) -> Result<(), (String, Vec<String>)> {
        let output = self.request.output;
        let subject = origin.subject.clone();
        if let Some(untold) = origin.source.untold.first() {
            let why = format!("{subject} is built with {untold}, which only docker compose build understands");
            return Err((why, vec!["docker compose build".to_owned()]));
        }
        let load = output == RebuildOutput::Load;
        if load && wanted.len() > 1 && self.inventory.engine.image_store == ImageStore::Classic {
            let why = format!(
                "this engine's image store keeps one platform per tag, so {} cannot all come to it: build one of them, or \
                 push them to a registry with --push",
                words_of(wanted)
            );
            return Err((why, vec![STORE.to_owned()]));
        }
        let needed = Needed { named: self.request.builder.as_deref(), load };
        let taken = choose(self.builders, wanted, needed).map_err(|lacking| {
            let each: Vec<String> = lacking.into_iter().map(|(name, why)| format!("{name} {why}")).collect();
            let each = if each.is_empty() { "there is none".to_owned() } else { each.join("; ") };
            let platforms = wanted.iter().flat_map(|platform| ["--platform".to_owned(), platform.to_string()]);
            let create: Vec<String> = ["silidock", "builders"]
                .map(str::to_owned)
                .into_iter()
                .chain(platforms)
                .chain(["--create".to_owned()])
                .collect();
            let several = wanted.len() > 1 && self.inventory.engine.image_store == ImageStore::Classic;
            let create =
                (!load).then(|| create.join(" ")).into_iter().chain(several.then(|| STORE.to_owned())).collect();
            (format!("no builder can build {subject} for {}: {each}", words_of(wanted)), create)
        })?;
        let builder = taken.first().map(|on| on.builder.clone()).unwrap_or_default();
        let platforms: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        let asked = Wanted {
            host: self.host,
            source: &origin.source,
            builder: &builder,
            platforms: &platforms,
            output,
            target: self.request.target.as_deref(),
        };
        let (shown, tool) = command(client, &asked);
        let source = &origin.source;
        let before = source.tags.first().and_then(|reference| image_state(self.inventory, reference));
        self.tell(&origin, wanted, before.as_ref(), load, &mut planned.told);
        let open = in_sight(source, self.host).join(" and ");
        if !open.is_empty() {
            planned.told.push(format!(
                "The value of {open} stands on the command line while it builds, where others on this machine can read it: in its \
                 environment it would change the docker command itself."
            ));
        }
        planned.prepared.order.builds.push(OneBuild {
            references: source.tags.clone(),
            platforms: wanted.to_vec(),
            comes_here: load,
            command: shown.clone(),
            by: Builds::Buildx(Box::new(tool)),
        });
        let on = taken.iter().map(|on| self.planned_platform(on)).collect();
        planned.prepared.builds.push(self.planned(origin, on, shown));
        Ok(())
    }

    fn planned(&self, origin: Origin, platforms: Vec<PlannedPlatform>, command: Vec<String>) -> PlannedBuild {
        let source = origin.source;
        PlannedBuild {
            before: source.tags.first().and_then(|reference| image_state(self.inventory, reference)),
            subject: origin.subject,
            service: origin.service,
            known_by: origin.known_by,
            context: source.context,
            dockerfile: source.dockerfile,
            target: self.request.target.clone().or(source.target),
            arguments: source.arguments.into_keys().collect(),
            references: source.tags,
            platforms,
            output: self.request.output,
            command,
        }
    }

    /// Adds one build by the engine's older builder, or says what of it needs buildx.
    fn add_without_buildx(
        &self,
        why: &str,
        origin: Origin,
        wanted: &[Platform],
        planned: &mut Planned,
    ) -> Result<(), (String, Vec<String>)> {
        let source = &origin.source;
        let needs = needs_buildx(self.request, source, wanted);
        if !needs.is_empty() {
            return Err((format!("it needs buildx for {}, and {why}", needs.join(" and ")), Vec::new()));
        }
        let [platform] = wanted else { return Ok(()) };
        let native = self.inventory.engine.platform.known().map(|own| platform.on(own) == Nativeness::Native);
        let before = source.tags.first().and_then(|reference| image_state(self.inventory, reference));
        self.tell(&origin, wanted, before.as_ref(), true, &mut planned.told);
        planned.told.push(format!("The engine's own older builder builds it, because {why}."));
        planned.prepared.order.builds.push(OneBuild {
            references: source.tags.clone(),
            platforms: wanted.to_vec(),
            comes_here: true,
            command: Vec::new(),
            by: by_engine(source, platform, self.request.target.as_deref()),
        });
        let words = match native {
            Some(true) => "natively, by the engine's own builder".to_owned(),
            Some(false) => format!("emulated by the engine's own builder, {}", self.emulator(platform)),
            None => "by the engine's own builder".to_owned(),
        };
        let builder = "engine".to_owned();
        let on = vec![PlannedPlatform { platform: platform.to_string(), builder, node: None, native, words }];
        planned.prepared.builds.push(self.planned(origin, on, Vec::new()));
        Ok(())
    }

    pub(super) fn planned_platform(&self, on: &BuildsOn) -> PlannedPlatform {
        let (platform, builder) = (on.platform.to_string(), on.builder.clone());
        let own = self.builders.iter().any(|known| known.own && known.name == builder);
        let words = match on.native {
            Some(true) => format!("natively, on builder {builder}"),
            Some(false) if own => format!("emulated on builder {builder}, {}", self.emulator(&on.platform)),
            Some(false) => format!("emulated on builder {builder}, by what is registered there"),
            None => format!("on builder {builder}; whether it emulates is only known once it runs"),
        };
        PlannedPlatform { platform, builder, node: on.node.clone(), native: on.native, words }
    }

    /// What runs the steps of a foreign build here, as far as that is proven.
    fn emulator(&self, platform: &Platform) -> String {
        let emulation = &self.inventory.emulation;
        let builds = emulation.builds.known().into_iter().flatten().map(|build| &build.proven);
        let proven = builds.filter(|proven| proven.platform == *platform).find(|proven| proven.emulator != NO_EMULATOR);
        match (proven, emulation.proven(&platform.architecture)) {
            (Some(proven), _) => format!("under {}", display_name(&proven.emulator)),
            (None, Some(proven)) if proven.emulator != NO_EMULATOR => {
                format!("as containers do under {}; builds may bring their own", display_name(&proven.emulator))
            }
            (None, _) => "by what is not proven (silidock emulator --builds)".to_owned(),
        }
    }
}

/// What of a build the engine's older builder does not do.
fn needs_buildx(request: &RebuildRequest, source: &BuildSource, wanted: &[Platform]) -> Vec<String> {
    let asked = [
        (request.output == RebuildOutput::Push, "pushing the result"),
        (request.builder.is_some(), "choosing a builder"),
        (wanted.len() != 1, "several platforms"),
        (!source.context.starts_with('/'), "a context that is no folder of this machine"),
    ];
    let asked = asked.into_iter().filter(|(needed, _)| *needed).map(|(_, what)| what.to_owned());
    let contexts = source.contexts.keys().map(|name| format!("the further context {name}"));
    let options = source.options.iter().map(|(option, _)| (*option).to_owned());
    let untold = source.untold.iter().map(|key| format!("{key} of its build:"));
    let mut needs = Vec::new();
    for need in asked.chain(contexts).chain(options).chain(untold) {
        if !needs.contains(&need) {
            needs.push(need);
        }
    }
    needs
}

/// The arguments that BuildKit fills in by itself come along.
fn by_engine(source: &BuildSource, platform: &Platform, target: Option<&str>) -> Builds {
    let mut arguments: BTreeMap<String, String> = BTreeMap::new();
    let own =
        [("PLATFORM", platform.to_string()), ("OS", platform.os.clone()), ("ARCH", platform.architecture.clone())];
    let variant = ("VARIANT", platform.variant.clone().unwrap_or_default());
    for (name, value) in own.into_iter().chain([variant]).filter(|(_, value)| !value.is_empty()) {
        arguments.insert(format!("TARGET{name}"), value);
    }
    arguments.extend(source.arguments.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))));
    let folder = PathBuf::from(&source.context);
    let dockerfile = match (&source.inline, &source.dockerfile) {
        (Some(text), _) => Dockerfile::Text(text.clone()),
        (None, Some(file)) => Dockerfile::File(folder.join(file)),
        (None, None) => Dockerfile::File(folder.join("Dockerfile")),
    };
    let build = LocalBuild {
        dockerfile: String::new(),
        platform: platform.to_string(),
        tags: source.tags.clone(),
        target: target.map(str::to_owned).or_else(|| source.target.clone()),
        arguments,
        labels: source.labels.clone(),
        pull: source.pull,
        no_cache: source.no_cache,
    };
    Builds::Engine { folder, dockerfile, build: Box::new(build) }
}

pub(super) fn words_of(platforms: &[Platform]) -> String {
    platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// What a reference means on the engine, as it was seen last.
pub(crate) fn image_state(inventory: &Inventory, reference: &str) -> Option<ImageState> {
    let wanted = normalise(reference)?;
    let called = |image: &&Image| image.tags.iter().any(|tag| normalise(tag).as_deref() == Some(&wanted));
    let image = inventory.images.items.iter().find(called)?;
    let here = image.platforms.known().into_iter().flatten().filter(|platform| platform.available);
    let platforms = here.filter_map(|here| here.platform.known()).map(ToString::to_string).collect();
    Some(ImageState { id: image.id.clone(), platforms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_buildx_is_named() {
        let plain = || BuildSource { context: "/src".to_owned(), ..BuildSource::default() };
        let secret = ("--secret", "id=a".to_owned());
        let rows: [(RebuildRequest, BuildSource, &[&str], &[&str]); 5] = [
            (RebuildRequest::default(), plain(), &["linux/amd64"], &[]),
            (
                RebuildRequest { output: RebuildOutput::Push, ..RebuildRequest::default() },
                plain(),
                &["linux/amd64", "linux/arm64"],
                &["pushing the result", "several platforms"],
            ),
            (
                RebuildRequest::default(),
                BuildSource { options: vec![secret.clone(), secret, ("--ssh", "default".to_owned())], ..plain() },
                &["linux/amd64"],
                &["--secret", "--ssh"],
            ),
            (
                RebuildRequest::default(),
                BuildSource { untold: vec!["privileged".to_owned()], ..plain() },
                &["linux/amd64"],
                &["privileged of its build:"],
            ),
            (
                RebuildRequest { builder: Some("far".to_owned()), ..RebuildRequest::default() },
                BuildSource { context: "https://x/y.git".to_owned(), ..plain() },
                &["linux/amd64"],
                &["choosing a builder", "a context that is no folder of this machine"],
            ),
        ];
        for (request, source, wanted, expected) in rows {
            let wanted: Vec<Platform> = wanted.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(needs_buildx(&request, &source, &wanted), expected);
        }
    }
}
