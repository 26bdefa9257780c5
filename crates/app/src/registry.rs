//! Asking registries: for references that somebody names, or for what an engine has. Only ever on request.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::{StreamExt, stream};
use silidock_diagnosis::{
    advice::advice_when_named,
    check::Context,
    compose::ComposeProject,
    fact::{Fact, Gap},
    inventory::Inventory,
    platform::Platform,
    reference::{is_kept, normalise},
    schema::Schema,
    upstream::UpstreamReference,
    wayout::WayKind,
};
use silidock_observe::registry::{Patience, Reference, Registries, RegistryError};

use crate::{
    AppOptions,
    answers::DiskAnswers,
    failure::{Failure, FailureCode},
    look::{Chosen, engine_failure, now},
    session::{App, Source},
    wire::{
        AskRegistryRequest, RegistryDocument, RegistryLimit, RegistryReference, RegistryRequest, ScanRequest, ScanView,
    },
};

/// References asked about at once; each host has a smaller limit of its own.
const AT_ONCE: usize = 16;

/// What one reference brought.
struct Asked {
    given: String,
    said: UpstreamReference,
    error: Option<RegistryError>,
}

impl App {
    /// Platforms of references upstream, and newer tags that have the engine's platform.
    ///
    /// # Errors
    /// The engine that was named cannot be used, or newer tags are wanted and nobody knows for which platform. A registry
    /// that does not answer is said beside its reference instead.
    pub async fn registry(self: &Arc<Self>, request: RegistryRequest) -> Result<RegistryDocument, Failure> {
        let named = request.engine.as_deref();
        let platform = match self.wanted_platform(named).await {
            Ok(platform) => Some(platform),
            Err(failure) if request.newer || named.is_some() => return Err(failure),
            Err(_) => None,
        };
        let registries = self.registries()?;
        let newer = platform.as_ref().filter(|_| request.newer);
        let asked = ask_all(&registries, request.references, newer, true);
        let (asked, mut about) = tokio::join!(asked, self.advised_about(named));
        if about.engine.platform.gap().is_some()
            && let Some(platform) = &platform
        {
            about.engine.platform = Fact::Known(platform.clone());
        }
        about.upstream.learn(asked.iter().map(|asked| asked.said.clone()));
        Ok(document(&registries, asked, platform, &about))
    }

    /// What advice takes into account: what was seen last, else what a look sees now, else nothing but the platform.
    async fn advised_about(self: &Arc<Self>, named: Option<&str>) -> Inventory {
        if named.is_none()
            && let Ok(inventory) = self.last_inventory()
        {
            return inventory;
        }
        // Nothing of it is shown, and an engine that does not answer has no part in what registries say.
        let app =
            Self::start(AppOptions { live: false, sample: false, remember_opened: false, ..self.options.clone() });
        let request = ScanRequest { engine: named.map(str::to_owned), ..ScanRequest::default() };
        let seen = app.scan(request).await.and_then(|_| app.last_inventory());
        seen.unwrap_or_else(|_| Inventory::not_looked_at(""))
    }

    /// Asks the registries of the images that were seen, of some of them or all, and judges again.
    ///
    /// # Errors
    /// Nothing was looked at yet, or it was a sample or a recording.
    pub async fn ask_registry(self: &Arc<Self>, request: AskRegistryRequest) -> Result<RegistryDocument, Failure> {
        match self.source()? {
            Source::Engine(_) => {}
            Source::Sample(_) | Source::Recording => {
                return Err(Failure::new(
                    FailureCode::Refused,
                    "What registries said belongs to the sample or the recording; they are not asked for it.",
                )
                .hint("Choose an engine of yours."));
            }
        }
        let inventory = self.last_inventory()?;
        let platform = inventory.engine.platform.known().cloned();
        let registries = self.registries()?;
        let references = references(&inventory, &request.images);
        let asked = ask_all(&registries, references, platform.as_ref(), false).await;
        let _turn = self.looking.lock().await;
        self.learn(&inventory, &asked)?;
        Ok(document(&registries, asked, platform, &self.last_inventory()?))
    }

    /// The same for everything that was just looked at, as part of a scan.
    pub(crate) async fn ask_about_all(&self) -> Result<ScanView, Failure> {
        let inventory = self.last_inventory()?;
        let platform = inventory.engine.platform.known().cloned();
        let registries = self.registries()?;
        let asked = ask_all(&registries, references(&inventory, &[]), platform.as_ref(), false).await;
        self.learn(&inventory, &asked)
    }

    /// Keeps what was learned, and judges what is shown again, if that is still the same engine.
    fn learn(&self, about: &Inventory, asked: &[Asked]) -> Result<ScanView, Failure> {
        let said = || asked.iter().map(|asked| asked.said.clone());
        self.session().upstream.learn(said());
        let mut inventory = self.last_inventory()?;
        if inventory.engine.endpoint == about.engine.endpoint {
            inventory.upstream.learn(said());
        }
        let view = self.remember(self.next_generation(), inventory);
        self.tell_view(&view);
        Ok(view)
    }

    /// One client for as long as the app runs, made when it is first needed.
    fn registries(&self) -> Result<Arc<Registries>, Failure> {
        if let Some(registries) = &self.session().registries {
            return Ok(Arc::clone(registries));
        }
        let host = Arc::clone(self.host());
        let answers = Arc::new(DiskAnswers::below(host.data_dir().as_deref()));
        let registries = Registries::new(host, answers, Patience::default())
            .map_err(|error| Failure::new(FailureCode::File, format!("{error}.")))?;
        let registries = Arc::new(registries);
        self.session().registries = Some(Arc::clone(&registries));
        Ok(registries)
    }

    /// The engine's platform; without an engine the one a local engine would have.
    async fn wanted_platform(&self, named: Option<&str>) -> Result<Platform, Failure> {
        let told = match self.engine(named).await {
            Ok(Chosen::Engine(engine)) => {
                let about = engine.about().await.map_err(|error| engine_failure(&error))?;
                let os = if about.os_type.is_empty() { "linux" } else { &about.os_type };
                Platform::new(os, &about.architecture, None)
            }
            Ok(Chosen::Sample(_) | Chosen::Recording) => match self.last_inventory()?.engine.platform {
                Fact::Known(platform) => Ok(platform),
                Fact::Unknown { .. } => Platform::linux(""),
            },
            Err(failure) if named.is_some() => return Err(failure),
            Err(_) => Platform::linux(&self.host().facts().arch.unwrap_or_default()),
        };
        told.map_err(|error| {
            Failure::new(FailureCode::Engine, format!("For which platform is not known: {error}."))
                .hint("Name an engine with --engine.")
        })
    }
}

/// Asks about each reference once. `always_newer`: newer tags are wanted of every one, not only of those that have no
/// variant of that platform.
async fn ask_all(
    registries: &Registries,
    references: Vec<String>,
    platform: Option<&Platform>,
    always_newer: bool,
) -> Vec<Asked> {
    let ask = |given: String| async move {
        let parsed = given.parse::<Reference>();
        let name = parsed.as_ref().map_or_else(|_| given.clone(), ToString::to_string);
        let what = format!("the platforms of {name} upstream");
        let answer = match &parsed {
            Ok(reference) => registries.content(reference).await,
            Err(error) => Err(RegistryError::from(error.clone())),
        };
        let missing = match (&answer, platform) {
            (Ok(content), Some(platform)) => content.native(platform) == Fact::Known(None),
            _ => false,
        };
        let newer = match (&parsed, platform) {
            (Ok(reference), Some(platform)) if always_newer || missing => {
                Some(registries.newer(reference, platform).await)
            }
            _ => None,
        };
        let (content, error) = match answer {
            Ok(content) => (Fact::Known(content), None),
            Err(error) => (Gap::new(what, error.to_string()).into(), Some(error)),
        };
        Asked { given, said: UpstreamReference { reference: name, asked_at: now(), content, newer }, error }
    };
    // In the order they were given, so that what matters most is asked while a limit lasts.
    stream::iter(references.into_iter().map(ask)).buffered(AT_ONCE).collect().await
}

/// What to ask about: the tags of the images with these ids, or of everything: images, containers and services. What
/// needs an emulator comes first. What is built here, or kept here to be brought back, is in no registry, and its name is
/// nobody's business there.
fn references(inventory: &Inventory, images: &[String]) -> Vec<String> {
    let tags = inventory
        .images
        .items
        .iter()
        .filter(|image| images.is_empty() || images.contains(&image.id))
        .flat_map(|image| &image.tags)
        .cloned();
    let mut wanted: Vec<String> = Vec::new();
    if images.is_empty() {
        let context = Context::new(inventory);
        wanted.extend(context.foreign_references().into_iter().map(str::to_owned));
        wanted.extend(inventory.containers.items.iter().map(|c| c.image.clone()).chain(tags));
        wanted.extend(inventory.projects.iter().flat_map(of_services));
        let built = inventory.built_here().into_iter().filter(|one| one.service.is_some());
        let built: BTreeSet<String> = built.filter_map(|one| normalise(&one.reference)).collect();
        wanted.retain(|reference| normalise(reference).is_some_and(|full| !built.contains(&full)));
    } else {
        wanted.extend(tags);
    }
    let mut seen = BTreeSet::new();
    wanted.retain(|text| !is_kept(text));
    wanted.retain(|text| text.parse::<Reference>().is_ok_and(|reference| seen.insert(reference.to_string())));
    wanted
}

/// The images of a project's services that are pulled, variables replaced; of a project that Compose would refuse, those
/// of its files that have none.
fn of_services(project: &ComposeProject) -> Vec<String> {
    if let Fact::Known(services) = &project.services {
        let pulled = services.iter().filter(|service| service.build.is_none()).filter_map(|s| s.image.as_ref());
        return pulled.filter(|image| image.unset.is_empty()).map(|image| image.value.clone()).collect();
    }
    let services = project.files.iter().filter_map(|file| file.services.known()).flatten();
    let images = services.filter(|service| !service.builds).filter_map(|service| service.image.clone());
    images.filter(|image| !image.contains('$')).collect()
}

fn document(
    registries: &Registries,
    asked: Vec<Asked>,
    platform: Option<Platform>,
    about: &Inventory,
) -> RegistryDocument {
    let context = Context::new(about);
    let one = |asked: Asked| {
        let content = asked.said.content;
        let mut advice = match asked.given.parse::<Reference>() {
            Ok(_) => advice_when_named(&context, &asked.given),
            Err(_) => Vec::new(),
        };
        // What was just asked and not answered has a hint of its own.
        advice.retain(|one| asked.error.is_none() || one.kind != WayKind::Unknown);
        RegistryReference {
            advice,
            reference: asked.given,
            digest: content.known().map(|content| content.digest.clone()),
            kind: content.known().map(|content| content.kind),
            gaps: content.known().map(|content| content.gaps.clone()).unwrap_or_default(),
            platforms: content.map(|content| content.platforms),
            newer: asked.said.newer,
            hint: asked.error.as_ref().and_then(RegistryError::hint),
            error: asked.error.map(|error| error.to_string()),
        }
    };
    let limits = registries.limits().into_iter().map(|l| RegistryLimit {
        host: l.host,
        limit: l.limit,
        remaining: l.remaining,
        window_seconds: l.window,
    });
    RegistryDocument {
        schema: Schema,
        platform,
        references: asked.into_iter().map(one).collect(),
        limits: limits.collect(),
    }
}
