//! What a check is: one value that names itself, what it needs, how it fires, and examples that prove it.

use std::collections::{BTreeSet, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    bench::meaning,
    checks::emulated_engine::emulated_machine,
    compose::{Placed, ResolvedService},
    emulation,
    execution::{ContainerExecution, Expected, judge},
    fact::{Fact, Gap},
    finding::{Confidence, Evidence, Finding, Severity, Subject, SubjectKind, finding_id},
    fix::{Fix, Safety, Step, YamlEdit},
    inventory::{ComposeMembership, Container, Image, Inventory},
    names::{Names, services},
    platform::{Nativeness, Platform},
    reference::{is_kept, normalise},
    runtime_fix::Prepared,
    upstream::{UpstreamContent, content_of},
};

/// One check.
pub struct Check {
    /// Stable id, also the name of its file with `-` as `_`.
    pub id: &'static str,
    /// What it finds, in one line.
    pub title: &'static str,
    /// Why that matters and what to do, in a short paragraph.
    pub why: &'static str,
    /// How bad its findings are.
    pub severity: Severity,
    /// Facts it cannot do without.
    pub needs: &'static [Need],
    /// Why it does not apply to this inventory at all, if it does not.
    pub applies: fn(&Context<'_>) -> Result<(), String>,
    /// The judgement.
    pub run: fn(&Context<'_>) -> Vec<Finding>,
    /// Checks whose finding about the same subject this one says better.
    pub supersedes: &'static [&'static str],
    /// Tests, documentation and the window's explanation in one.
    pub examples: &'static [Example],
}

/// A small inventory and what the check must say of it.
pub struct Example {
    /// The situation, in words.
    pub name: &'static str,
    /// Whether the check fires.
    pub verdict: Verdict,
    /// The inventory.
    pub inventory: fn() -> Inventory,
}

/// What a check says of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// One finding or more.
    Fires,
    /// None.
    Silent,
}

/// A kind of fact a check cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Need {
    /// The engine's platform.
    EnginePlatform,
    /// The list of containers.
    Containers,
    /// How each running container runs.
    Execution,
    /// Platform of each container.
    ContainerPlatform,
    /// The list of images.
    Images,
    /// Platforms of each image.
    ImagePlatforms,
    /// The Compose files of the projects seen.
    ComposeFiles,
    /// The places that set DOCKER_DEFAULT_PLATFORM.
    DefaultPlatforms,
    /// What kind of machine this is.
    HostFacts,
    /// What the probe found for each foreign platform.
    EffectiveEmulator,
    /// What the probe found for Intel programs.
    EffectiveIntel,
    /// What the engine's runtime is set to.
    ConfiguredEmulator,
    /// Whether somebody says that Rosetta runs here.
    RosettaClaim,
    /// The engine's kernel and the Mac's system.
    KernelAndMacOs,
    /// The version of Rosetta that runs and that of the Mac's own.
    RosettaVersions,
    /// The features of the processor that programs see which asked for some.
    CpuFeatures,
    /// The logs of containers that ended badly under emulation.
    CrashLogs,
    /// What the registries of foreign images say.
    Upstream,
    /// Where what is built here will run.
    DeployTargets,
    /// What lies inside the images that were to be looked into.
    Contents,
}

/// Missing facts of one kind.
pub struct Missing {
    /// The fact is missing as a whole: the check cannot run.
    pub whole: Option<Gap>,
    /// It is missing for these subjects: the check runs, and these are not judged.
    pub parts: Vec<(Subject, Gap)>,
}

/// An inventory with what every check would otherwise work out again.
pub struct Context<'a> {
    /// The facts.
    pub inventory: &'a Inventory,
    /// Every container with how it runs, in the inventory's order.
    pub containers: Vec<(&'a Container, ContainerExecution)>,
    pub(crate) names: Names<'a>,
}

impl<'a> Context<'a> {
    /// Works out how every container runs.
    pub fn new(inventory: &'a Inventory) -> Self {
        let engine = &inventory.engine;
        let mut containers: Vec<_> = inventory.containers.items.iter().map(|c| (c, judge(c, engine))).collect();
        if let Some(machine) = emulated_machine(inventory) {
            containers.iter_mut().for_each(|(_, execution)| execution.within_emulated_machine(machine));
        }
        Self { inventory, containers, names: Names::of(inventory) }
    }

    /// The command that makes a Compose service's containers anew, with the files its project was started from.
    pub fn recreate(&self, of: &ComposeMembership) -> Vec<String> {
        let project = self.inventory.projects.iter().find(|p| p.name == of.project);
        let files = project.into_iter().flat_map(|p| &p.files).flat_map(|file| ["-f", file.path.as_str()]);
        let up = ["-p", &of.project, "up", "-d", "--force-recreate", &of.service];
        ["docker", "compose"].into_iter().chain(files).chain(up).map(str::to_owned).collect()
    }

    /// The command that pulls one platform of an image.
    pub fn pull(&self, image: &str, platform: &str) -> Vec<String> {
        ["docker", "pull", "--platform", platform, image].map(str::to_owned).to_vec()
    }

    /// The image a container's reference means today.
    pub fn image_of_reference(&self, container: &Container) -> Option<&'a Image> {
        self.names.image(&container.image)
    }

    /// A tag of the image that a container runs, but none that Silidock keeps for undo.
    pub fn name_of_id(&self, container: &Container) -> Option<&'a str> {
        let id = container.image_id.as_deref()?;
        let image = self.inventory.images.items.iter().find(|image| image.is(id))?;
        image.tags.iter().map(String::as_str).find(|tag| !is_kept(tag))
    }

    /// What a registry said a reference leads to, or why that is not known.
    pub fn upstream(&self, reference: &str) -> Result<&'a UpstreamContent, Gap> {
        content_of(self.names.upstream(reference), reference)
    }

    /// A platform of the container's image that is here and native to the engine.
    pub fn native_variant_here(&self, container: &Container) -> Option<String> {
        let engine = self.inventory.engine.platform.known()?;
        let image = self.image_of_reference(container)?;
        image.platforms.known()?.iter().filter(|p| p.available).find_map(|p| {
            let platform = p.platform.known()?;
            (platform.on(engine) == Nativeness::Native).then(|| platform.to_string())
        })
    }

    /// What a container's image has upstream that the engine runs natively: the answer, and the platform.
    pub fn native_upstream(&self, container: &Container) -> Option<(&'a UpstreamContent, String)> {
        let content = self.upstream(&container.image).ok()?;
        let engine = self.inventory.engine.platform.known()?;
        let native = content.native(engine).known().copied().flatten()?;
        Some((content, native.to_string()))
    }

    /// What a container's reference means here is what its registry answered: the same content, by the digest that the
    /// reference itself has, or by that of the image here.
    pub fn same_as_upstream(&self, container: &Container, content: &UpstreamContent) -> bool {
        container.image.contains('@') || self.image_of_reference(container).is_some_and(|here| here.is(&content.digest))
    }

    /// Every service of every project as Compose would see it, with its project's name. Those that may be otherwise are left
    /// out: they are gaps.
    pub fn services(&self) -> impl Iterator<Item = (&'a str, &'a ResolvedService)> {
        services(self.inventory)
    }

    /// Services whose image has to be pulled, because nothing of it is on the engine: a new Mac has pulled nothing yet. Each
    /// with its project and the reference.
    pub fn never_pulled(&self) -> Vec<(&'a str, &'a ResolvedService, &'a str)> {
        // What is built here is tagged by the name, and pulled from nowhere.
        let pulled = self.services().filter(|(_, service)| service.build.is_none());
        let open = pulled.filter_map(|(project, service)| {
            let image = service.image.as_ref().filter(|image| image.unset.is_empty())?;
            let reference = image.value.as_str();
            let missing = self.names.tagged(reference).is_none() && self.names.containers(reference).is_empty();
            (missing && normalise(reference).is_some()).then_some((project, service, reference))
        });
        open.collect()
    }

    /// The subject of findings about a service: where its pin stands, else where the service does.
    pub fn service_subject(&self, project: &str, service: &ResolvedService, pin: Option<&Placed>) -> Subject {
        let subject = Subject::new(SubjectKind::Service, format!("{project}/{}", service.name));
        match pin {
            Some(pin) => subject.at(&pin.path, pin.line),
            None => subject.at(&service.path, service.line),
        }
    }

    /// Adds the way to take a pin out: an edit where the line is the service's own, else words.
    pub fn without_pin(&self, finding: Finding, service: &ResolvedService, pin: &Placed, summary: &str) -> Finding {
        let name = &service.name;
        if pin.own {
            let edit = YamlEdit::RemovePlatform { service: name.clone() };
            let steps = vec![Step::EditYaml { path: pin.path.clone(), edit }];
            return finding.with_fix(format!("Unpin {name}"), summary, Safety::Review, steps);
        }
        let text = format!(
            "{} sets it by a merge key, a variable or a service that {name} extends, so others may depend on it. Take it \
             out there, or give {name} a platform: of its own.",
            pin.place()
        );
        let steps = vec![Step::Tell { text, commands: Vec::new() }];
        finding.with_fix(format!("Show where {name} is pinned"), summary, Safety::ShowOnly, steps)
    }

    /// Adds pinning a service, to a foreign platform so that it is emulated knowingly: an edit where that is its own line, else
    /// words.
    pub fn with_pin(
        &self,
        finding: Finding,
        service: &ResolvedService,
        platform: &Platform,
        emulator: Option<&str>,
    ) -> Finding {
        let name = &service.name;
        let by = emulator.map(|emulator| format!(" by {emulator}")).unwrap_or_default();
        let native = self.inventory.engine.platform.known().is_some_and(|at| platform.on(at) == Nativeness::Native);
        let summary = match native {
            true => format!("{platform} is native here, and a service's own line counts before the variable."),
            false => format!(
                "Emulates it knowingly: {name} is emulated{by} here, and the file says so to everybody. A newer or another \
                 image may be native. No container is touched."
            ),
        };
        let title = format!("Pin {name} to {platform}");
        let edit = |edit, path: &str| Step::EditYaml { path: path.to_owned(), edit };
        let (named, platform) = (name.clone(), platform.clone());
        let step = match &service.platform {
            None => edit(YamlEdit::SetPlatform { service: named, platform }, &service.path),
            Some(pin) if pin.own => edit(YamlEdit::ChangePlatform { service: named, platform }, &pin.path),
            Some(pin) => {
                let text = format!(
                    "{} sets platform: {} by a merge key, a variable or a service that {name} extends, so others may depend on \
                     it. Change it there, or give {name} a platform: {platform} of its own.",
                    pin.place(),
                    pin.value
                );
                let steps = vec![Step::Tell { text, commands: Vec::new() }];
                return finding.with_fix(title, summary, Safety::ShowOnly, steps);
            }
        };
        finding.with_fix(title, summary, Safety::Review, vec![step])
    }

    /// All platforms that a reference has: what its registry said, else what an index that is here lists; and who says so.
    pub fn platforms_of(&self, reference: &str) -> Option<(Vec<Platform>, String)> {
        if let Ok(content) = self.upstream(reference)
            && content.gaps.is_empty()
        {
            return Some((content.platforms.clone(), format!("registry, {reference}")));
        }
        let image = self.names.tagged(reference)?;
        let all: Option<Vec<Platform>> = image.platforms.known()?.iter().map(|p| p.platform.known().cloned()).collect();
        Some((all?, format!("image {reference}")))
    }

    /// References that need an emulator here for all that is on the engine: of containers that are expected to, and of
    /// images without a native platform. As they are spelled here, each once.
    pub fn foreign_references(&self) -> Vec<&'a str> {
        let of_containers = self
            .containers
            .iter()
            .filter(|(_, execution)| execution.expected == Fact::Known(Expected::Emulated))
            .filter(|(container, _)| self.native_variant_here(container).is_none())
            .map(|(container, _)| container.image.as_str());
        let engine = self.inventory.engine.platform.known();
        let foreign = |image: &&Image| {
            let here = image.platforms.known().into_iter().flatten().filter(|p| p.available);
            let mut known = here.filter_map(|p| p.platform.known()).peekable();
            known.peek().is_some() && engine.is_some_and(|engine| known.all(|p| p.on(engine) == Nativeness::Foreign))
        };
        let of_images = self.inventory.images.items.iter().filter(foreign);
        // What Silidock keeps to bring back later is not somebody's image.
        let of_images = of_images.filter_map(|image| image.tags.iter().find(|tag| !is_kept(tag)));
        let mut known: HashSet<String> = HashSet::new();
        let all = of_containers.chain(of_images.map(String::as_str));
        all.filter(|reference| normalise(reference).is_some_and(|full| known.insert(full))).collect()
    }

    /// Nobody asked: said once. Some did not answer: said for each.
    fn upstream_missing(&self) -> Missing {
        // What is built here comes from no registry.
        let built: BTreeSet<String> =
            self.inventory.built_here().iter().filter_map(|one| normalise(&one.reference)).collect();
        let mut foreign = self.foreign_references();
        foreign.retain(|reference| normalise(reference).is_some_and(|full| !built.contains(&full)));
        let never_pulled = self.never_pulled();
        if self.inventory.upstream.references.is_empty() && !(foreign.is_empty() && never_pulled.is_empty()) {
            let gap =
                Gap::new("what registries have", "no registry was asked; this asks: silidock scan --ask-registry");
            return Missing { whole: Some(gap), parts: Vec::new() };
        }
        let engine = self.inventory.engine.platform.known();
        let gap = |reference: &str| match (self.upstream(reference), engine) {
            (Err(gap), _) => Some(gap),
            (Ok(content), Some(engine)) => content.native(engine).gap().cloned(),
            (Ok(_), None) => None,
        };
        let of_images = foreign.iter().filter_map(|reference| {
            let subject = Subject::new(SubjectKind::Image, *reference);
            Some((subject, gap(reference)?))
        });
        let of_services = never_pulled.iter().filter_map(|(project, service, reference)| {
            Some((self.service_subject(project, service, None), gap(reference)?))
        });
        Missing { whole: None, parts: of_images.chain(of_services).collect() }
    }

    /// What is missing of a kind of fact.
    pub fn missing(&self, need: Need) -> Missing {
        let inventory = self.inventory;
        let whole = |gap: Option<&Gap>| Missing { whole: gap.cloned(), parts: Vec::new() };
        let list_gap = |complete: bool, gaps: &'a [Gap], what: &str| {
            if complete { None } else { Some(gaps.first().cloned().unwrap_or_else(|| Gap::new(what, "not asked yet"))) }
        };
        match need {
            Need::EnginePlatform => whole(inventory.engine.platform.gap()),
            Need::Containers => Missing {
                whole: list_gap(inventory.containers.complete, &inventory.containers.gaps, "the list of containers"),
                parts: Vec::new(),
            },
            Need::Images => Missing {
                whole: list_gap(inventory.images.complete, &inventory.images.gaps, "the list of images"),
                parts: Vec::new(),
            },
            Need::Execution => self.container_parts(|_, execution| execution.gap.clone()),
            Need::ContainerPlatform => self.container_parts(|container, _| container.platform.gap().cloned()),
            Need::ImagePlatforms => Missing { whole: None, parts: self.image_gaps() },
            Need::ComposeFiles => Missing { whole: None, parts: self.compose_gaps() },
            Need::DefaultPlatforms => whole(inventory.default_platforms.gap()),
            Need::HostFacts => whole(inventory.host.apple_silicon.gap()),
            Need::EffectiveEmulator => {
                let engine = || Subject::new(SubjectKind::Engine, &inventory.engine.endpoint);
                let parts = inventory.emulation.unproven.iter().map(|u| (engine(), u.gap.clone())).collect();
                Missing { whole: inventory.emulation.effective.gap().cloned(), parts }
            }
            Need::EffectiveIntel => whole(emulation::proven_intel(inventory).err().as_ref()),
            Need::ConfiguredEmulator => whole(emulation::configured(inventory).err().as_ref()),
            Need::RosettaClaim => whole(emulation::rosetta_claims(self).err().as_ref()),
            Need::KernelAndMacOs => whole(emulation::kernel_rule(inventory).err().as_ref()),
            Need::RosettaVersions => whole(emulation::rosetta_versions(inventory).err().as_ref()),
            Need::CpuFeatures => self.container_parts(|container, _| emulation::features_gap(inventory, container)),
            Need::Upstream => self.upstream_missing(),
            Need::DeployTargets => Missing { whole: None, parts: self.deploy_gaps() },
            Need::Contents => Missing { whole: None, parts: self.contents_gaps() },
            Need::CrashLogs => {
                self.container_parts(|container, execution| emulation::log_gap(inventory, container, execution))
            }
        }
    }

    fn container_parts(&self, gap: impl Fn(&Container, &ContainerExecution) -> Option<Gap>) -> Missing {
        let parts = self
            .containers
            .iter()
            .filter_map(|(container, execution)| Some((container_subject(container), gap(container, execution)?)))
            .collect();
        Missing { whole: None, parts }
    }

    fn image_gaps(&self) -> Vec<(Subject, Gap)> {
        let images = self.inventory.images.items.iter();
        images
            .filter_map(|image| {
                let name = image.tags.first().cloned().unwrap_or_else(|| image.id.clone());
                Some((Subject::new(SubjectKind::Image, name), image.platforms.gap()?.clone()))
            })
            .collect()
    }

    fn deploy_gaps(&self) -> Vec<(Subject, Gap)> {
        let gaps = self.inventory.deploy.gaps.iter();
        gaps.map(|gap| (Subject::new(SubjectKind::Setting, &gap.path).at(&gap.path, gap.line), gap.gap.clone()))
            .collect()
    }

    fn contents_gaps(&self) -> Vec<(Subject, Gap)> {
        let missing = self.inventory.contents.iter().flat_map(|contents| &contents.missing);
        missing.map(|(name, gap)| (Subject::new(SubjectKind::Image, name), gap.clone())).collect()
    }

    fn compose_gaps(&self) -> Vec<(Subject, Gap)> {
        let files = self.inventory.projects.iter().flat_map(|p| p.files.iter().map(move |f| (p, f)));
        let unread = files.filter_map(|(project, file)| {
            let subject = Subject::new(SubjectKind::Service, &project.name).at(&file.path, None);
            Some((subject, file.services.gap()?.clone()))
        });
        let mut gaps: Vec<(Subject, Gap)> = unread.collect();
        for project in &self.inventory.projects {
            let named = |name: &str| Subject::new(SubjectKind::Service, name);
            gaps.extend(project.gaps.iter().map(|gap| (named(&project.name), gap.clone())));
            let whole = project.services.gap().filter(|_| project.files.iter().all(|f| f.services.known().is_some()));
            gaps.extend(whole.filter(|_| !project.files.is_empty()).map(|gap| (named(&project.name), gap.clone())));
            let services = project.services.known().into_iter().flatten();
            let open = services.filter_map(|s| Some((named(&format!("{}/{}", project.name, s.name)), s.gap.clone()?)));
            gaps.extend(open);
        }
        for (container, execution) in &self.containers {
            let emulated = execution.expected == Fact::Known(Expected::Emulated);
            let gap = emulated.then(|| self.untold_pin(container)).flatten();
            gaps.extend(gap.filter(|gap| !gaps.contains(gap)));
        }
        gaps
    }

    /// Files that were read and still do not say whether the container's service is pinned.
    fn untold_pin(&self, container: &Container) -> Option<(Subject, Gap)> {
        let member = container.compose.as_ref()?;
        let project = self.inventory.projects.iter().find(|p| p.name == member.project)?;
        if project.services.known().is_none() && project.files.iter().any(|file| file.services.known().is_none()) {
            return None;
        }
        let why = project.pin(&member.service).err()?;
        // Without a place: the file itself was read, and says enough about its other services.
        let subject = Subject::new(SubjectKind::Service, format!("{}/{}", member.project, member.service));
        Some((subject, Gap::new(format!("whether {} is pinned", member.service), why)))
    }

    /// A finding of `check`, its id worked out.
    pub fn finding(&self, check: &Check, confidence: Confidence, subject: Subject, words: Words) -> Finding {
        Finding {
            id: finding_id(check.id, &self.inventory.engine.endpoint, &subject),
            check: check.id.to_owned(),
            severity: check.severity,
            confidence,
            subject,
            title: words.title,
            why: words.why,
            evidence: words.evidence,
            fixes: Vec::new(),
            superseded_by: None,
        }
    }
}

/// What a finding says.
pub struct Words {
    /// What, in one line.
    pub title: String,
    /// Why it matters here.
    pub why: String,
    /// What was seen.
    pub evidence: Vec<Evidence>,
}

impl Finding {
    /// Adds a fix as the next option.
    #[must_use]
    pub fn with_fix(
        mut self,
        title: impl Into<String>,
        summary: impl Into<String>,
        safety: Safety,
        steps: Vec<Step>,
    ) -> Self {
        let promise = (safety != Safety::ShowOnly).then(|| self.check.clone());
        let option = self.fixes.len() as u32 + 1;
        let (title, summary) = (title.into(), summary.into());
        self.fixes.push(Fix { option, title, summary, safety, steps, promise, runtime: None });
        self
    }

    /// Adds building an image again as the next option. Containers are left as they are, so no check promises to be silent
    /// afterwards.
    #[must_use]
    pub fn with_build(
        self,
        context: &Context<'_>,
        reference: &str,
        service: Option<&str>,
        platforms: Vec<Platform>,
        title: String,
    ) -> Self {
        let used = !context.names.containers(reference).is_empty();
        let summary = match used {
            true => {
                "The image from before is kept, and comes back by undo. Containers go on with it until they are made anew."
            }
            false => "The image from before is kept, and comes back by undo.",
        };
        let step = Step::BuildImage { image: reference.to_owned(), service: service.map(str::to_owned), platforms };
        let mut finding = self.with_fix(title, summary, Safety::Review, vec![step]);
        if let Some(fix) = finding.fixes.last_mut() {
            fix.promise = None;
        }
        finding
    }

    /// Adds building an image again for a platform, where it is known how it is built.
    #[must_use]
    pub fn with_known_build(self, context: &Context<'_>, reference: &str, platform: Option<&Platform>) -> Self {
        let (Some(platform), Some(built)) = (platform, context.inventory.build_of(reference)) else { return self };
        let title = format!("Build {} for {platform}", built.reference);
        self.with_build(context, &built.reference, built.service.as_deref(), vec![platform.clone()], title)
    }

    /// Adds what a recipe does as the next option: run where that can be done, else shown.
    #[must_use]
    pub fn with_recipe(self, title: impl Into<String>, prepared: Prepared) -> Self {
        let Prepared { summary, safety, steps, runtime } = prepared;
        let mut finding = self.with_fix(title, summary, safety, steps);
        if let Some(fix) = finding.fixes.last_mut() {
            fix.runtime = runtime;
        }
        finding
    }
}

impl Finding {
    /// The same finding with what emulation costs this container, where it was seen and a benchmark counts for it.
    #[must_use]
    pub fn measured(mut self, context: &Context<'_>, container: &Container, execution: &ContainerExecution) -> Self {
        if let Fact::Known(fitting) = &context.inventory.benchmark
            && self.confidence == Confidence::Certain
            && let Some(need) = meaning::native_need(fitting, container, execution)
        {
            self.confidence = Confidence::Measured;
            self.why = format!("{} {}", self.why, need.words);
            self.evidence.extend(meaning::evidence(fitting, &need));
        }
        self
    }
}

/// The subject of findings about a container: its name, which survives a recreate.
pub fn container_subject(container: &Container) -> Subject {
    Subject::new(SubjectKind::Container, &container.name)
}

/// For checks that apply everywhere.
pub fn always(_: &Context<'_>) -> Result<(), String> {
    Ok(())
}

/// A fact that must be there, for checks that already said they need it.
pub fn engine_platform_words(inventory: &Inventory) -> String {
    match &inventory.engine.platform {
        Fact::Known(platform) => platform.to_string(),
        Fact::Unknown { .. } => inventory.engine.arch.clone(),
    }
}
