//! Where an image comes from: the Compose service that builds it, a folder that somebody named, or one that was named
//! before. Nothing is guessed: a label that says where the source lies is told, not followed.

use std::path::{Path, PathBuf};

use silidock_diagnosis::{
    compose::ComposeProject,
    fact::Fact,
    inventory::{ComposeMembership, Inventory},
    reference::{is_id, is_kept, is_reference, normalise},
};
use silidock_engine::{DockerClient, Engine, NoClient};
use silidock_host::Host;
use silidock_observe::build_source::{self, BuildSource};

use super::memory::{Remembered, RememberedBuilds};
use super::wire::RebuildRequest;
use crate::failure::{Failure, FailureCode};

/// How something is built, and how that is known.
#[derive(Debug)]
pub(crate) struct Origin {
    pub subject: String,
    /// `project/service`
    pub service: Option<String>,
    pub known_by: String,
    pub source: BuildSource,
    /// To be remembered once it has worked, with the reference.
    pub remember: Option<(String, Remembered)>,
}

/// What the look-up goes by.
pub(crate) struct Places<'a> {
    pub host: &'a dyn Host,
    pub engine: &'a Engine,
    pub inventory: &'a Inventory,
    pub remembered: &'a RememberedBuilds,
    pub client: Result<&'a DockerClient, &'a NoClient>,
}

impl Places<'_> {
    /// Finds how a subject is built.
    pub async fn origin(&self, subject: &str, request: &RebuildRequest) -> Result<Origin, Failure> {
        let named = request.context.as_deref();
        if let (None, Some((project, service))) = (named, self.service(subject)?) {
            return self.of_service(subject, project, &service).await;
        }
        let mut reference = self.reference(subject);
        if is_id(&reference) {
            reference = self.tag_of(&reference)?;
            if let (None, Some((project, service))) = (named, self.service(&reference)?) {
                return self.of_service(subject, project, &service).await;
            }
        }
        nameable(&reference, || match subject == reference {
            true => reference.clone(),
            false => format!("{reference}, which {subject} was made from,"),
        })?;
        let given = named.map(|context| Remembered::given(context, request)).transpose()?;
        if !is_reference(&reference) {
            let message = format!("There is no service or container {subject} here, and no image can be called that.");
            return Err(Failure::new(FailureCode::NotFound, message)
                .hint("Name an image (app:1), a Compose service (web, shop/web) or a container; a folder goes to --context DIR."));
        }
        let known = given.clone().or_else(|| self.remembered.of(&reference));
        let Some(known) = known else { return Err(self.unknown(subject, &reference).await) };
        let known_by = match given {
            Some(_) => "named now".to_owned(),
            None => "named before".to_owned(),
        };
        let remember = given.map(|given| (reference.clone(), given));
        let source = known.source(&reference, self.host)?;
        Ok(Origin { subject: subject.to_owned(), service: None, known_by, source, remember })
    }

    async fn of_service(&self, subject: &str, project: &ComposeProject, service: &str) -> Result<Origin, Failure> {
        let read = build_source::of_service(self.host, self.client, project, service).await;
        let mut source = read.map_err(|error| Failure::new(FailureCode::File, format!("{error}.")))?;
        first_by_its_own_name(&mut source.tags, project, service);
        for tag in &source.tags {
            let unusable = nameable(tag, || format!("{tag}, which the Compose file gives {service} as a name,"));
            unusable
                .map_err(|failure| failure.hint("Give it a tag there, as in image: app:1, or leave image: out."))?;
        }
        let files: Vec<&str> = project.files.iter().map(|file| file.path.as_str()).collect();
        Ok(Origin {
            subject: subject.to_owned(),
            service: Some(format!("{}/{service}", project.name)),
            known_by: format!("build: of {service} in {}", files.join(" and ")),
            source,
            remember: None,
        })
    }

    /// The service that is meant, or that builds the image that is meant.
    fn service(&self, subject: &str) -> Result<Option<(&ComposeProject, String)>, Failure> {
        let inventory = self.inventory;
        if let Some((project, service)) = subject.split_once('/')
            && let Some(known) = inventory.projects.iter().find(|known| known.name == project)
            && builds(known, service)
        {
            return Ok(Some((known, service.to_owned())));
        }
        let named: Vec<_> = inventory.projects.iter().filter(|project| builds(project, subject)).collect();
        match named[..] {
            [] => {}
            [project] => return Ok(Some((project, subject.to_owned()))),
            _ => {
                let all = named.iter().map(|project| format!("{}/{subject}", project.name)).collect();
                let message = format!("{subject} could mean a service of {} projects.", named.len());
                return Err(Failure::new(FailureCode::NotFound, message).detail(all));
            }
        }
        let membership = |of: &ComposeMembership| {
            let project = inventory.projects.iter().find(|project| project.name == of.project)?;
            builds(project, &of.service).then(|| (project, of.service.clone()))
        };
        let wanted = normalise(subject);
        let of_container = inventory.containers.items.iter().filter(|container| {
            container.name == subject || (wanted.is_some() && normalise(&container.image) == wanted)
        });
        let by_container = of_container.filter_map(|container| membership(container.compose.as_ref()?)).next();
        Ok(by_container.or_else(|| self.service_of_image(wanted.as_deref()?)))
    }

    /// The service whose `image:`, or the name that Compose gives without one, is this reference.
    fn service_of_image(&self, wanted: &str) -> Option<(&ComposeProject, String)> {
        self.inventory.projects.iter().find_map(|project| {
            let called = |(name, image): &(String, Option<String>)| {
                let default = format!("{}-{name}", project.name);
                normalise(image.as_deref().unwrap_or(&default)).as_deref() == Some(wanted)
            };
            Some((project, built_services(project).into_iter().find(called)?.0))
        })
    }

    /// A container means the image it was made from.
    fn reference(&self, subject: &str) -> String {
        let of = self.inventory.containers.items.iter().find(|container| container.name == subject);
        of.map_or_else(|| subject.to_owned(), |container| container.image.clone())
    }

    /// The tag of the image that an id means: what is built gets an id of its own, and that tag.
    fn tag_of(&self, id: &str) -> Result<String, Failure> {
        let hex = id.strip_prefix("sha256:").unwrap_or(id);
        let begins = |known: &str| known.strip_prefix("sha256:").unwrap_or(known).starts_with(hex);
        let images = self.inventory.images.items.iter().filter(|image| begins(&image.id) || image.is(id));
        let mut tags: Vec<&String> = images.flat_map(|image| &image.tags).filter(|tag| !is_kept(tag)).collect();
        tags.dedup();
        match tags[..] {
            [tag] => Ok(tag.clone()),
            [] => Err(nameless(id, "an id")),
            _ => Err(Failure::new(FailureCode::Refused, format!("The image {id} has {} tags.", tags.len()))
                .hint("Name the one that is to be built again.")
                .detail(tags.into_iter().cloned().collect())),
        }
    }

    /// Nobody knows; what the image says of its source is told, but it is no folder of this machine.
    async fn unknown(&self, subject: &str, reference: &str) -> Failure {
        let services: Vec<String> = self
            .inventory
            .projects
            .iter()
            .flat_map(|project| {
                built_services(project).into_iter().map(|(service, _)| format!("{}/{service}", project.name))
            })
            .collect();
        let listed = (!services.is_empty()).then(|| format!("Services that are built here: {}.", services.join(", ")));
        let mut detail = Vec::new();
        match self.engine.image_source(reference).await {
            Ok(Some(place)) => {
                detail.push(format!("The image says that its source is {place}; that is no folder of this machine."))
            }
            Ok(None) => {}
            Err(error) if error.is_not_found() => {
                let message = format!(
                    "There is no image, service or container {subject} here, and nothing says what it would be built from."
                );
                return Failure::new(FailureCode::NotFound, message)
                    .hint("Name the Compose project that builds it, --compose FILE|DIR, or the folder it is built from, --context DIR.")
                    .detail(listed.into_iter().collect());
            }
            Err(error) => detail.push(format!("Whether the image names its source is not known: {error}.")),
        }
        detail.extend(listed);
        Failure::new(FailureCode::NotFound, format!("Nothing here says what {subject} is built from."))
            .hint("Name its folder once, and it is remembered: --context DIR, and --file FILE for a Dockerfile of another name.")
            .detail(detail)
    }
}

/// Something newly built can be called that: an id and a digest name content that is there already.
fn nameable(reference: &str, called: impl Fn() -> String) -> Result<(), Failure> {
    if reference.contains('@') {
        return Err(nameless(&called(), "a digest"));
    }
    if is_id(reference) {
        return Err(nameless(&called(), "an id"));
    }
    Ok(())
}

fn nameless(called: &str, what: &str) -> Failure {
    let message = format!("{called} is {what}; what is built gets {what} of its own, so it cannot be called that.");
    Failure::new(FailureCode::Refused, message)
        .hint("Name the tag that it is to have: silidock rebuild app:1 --context DIR")
}

/// The name that the service's containers are made from comes first; those of `build.tags` are further ones.
fn first_by_its_own_name(tags: &mut [String], project: &ComposeProject, service: &str) {
    let image = built_services(project).into_iter().find(|(name, _)| name == service).and_then(|(_, image)| image);
    let image = normalise(&image.unwrap_or_else(|| format!("{}-{service}", project.name)));
    if let Some(place) = tags.iter().position(|tag| normalise(tag) == image) {
        tags[..=place].rotate_right(1);
    }
}

fn builds(project: &ComposeProject, service: &str) -> bool {
    built_services(project).iter().any(|(name, _)| name == service)
}

/// Services with a `build:` and their images: of what Compose makes of all files, or else of each file by itself.
fn built_services(project: &ComposeProject) -> Vec<(String, Option<String>)> {
    if let Fact::Known(services) = &project.services {
        let built = services.iter().filter(|service| service.build.is_some());
        return built.map(|s| (s.name.clone(), s.image.as_ref().map(|image| image.value.clone()))).collect();
    }
    let services = project.files.iter().filter_map(|file| file.services.known()).flatten();
    services.filter(|service| service.builds).map(|service| (service.name.clone(), service.image.clone())).collect()
}

impl Remembered {
    /// What somebody named, as absolute paths.
    fn given(context: &str, request: &RebuildRequest) -> Result<Self, Failure> {
        let whole = |path: &str| {
            let absolute = std::path::absolute(path);
            absolute.map_err(|error| Failure::new(FailureCode::File, format!("{path}: {error}.")))
        };
        let shown = |path: PathBuf| path.components().collect::<PathBuf>().display().to_string();
        let context = if context.contains("://") { context.to_owned() } else { shown(whole(context)?) };
        // As docker build does: relative to where the command is typed.
        let file = request.file.as_deref().map(whole).transpose()?.map(shown);
        Ok(Self { context, file, target: request.target.clone() })
    }

    /// As something to build.
    fn source(self, reference: &str, host: &dyn Host) -> Result<BuildSource, Failure> {
        let local = !self.context.contains("://");
        let file =
            self.file.clone().unwrap_or_else(|| Path::new(&self.context).join("Dockerfile").display().to_string());
        let missing = |path: &str| {
            Failure::new(FailureCode::File, format!("{path} is not there, so {reference} cannot be built."))
                .hint("Name another folder, or the Dockerfile in it (--context DIR, --file FILE).")
        };
        if local && !host.exists(Path::new(&self.context)) {
            return Err(missing(&self.context));
        }
        if local && !host.exists(Path::new(&file)) {
            return Err(missing(&file));
        }
        Ok(BuildSource {
            context: self.context,
            dockerfile: self.file,
            target: self.target,
            tags: vec![reference.to_owned()],
            ..BuildSource::default()
        })
    }
}
