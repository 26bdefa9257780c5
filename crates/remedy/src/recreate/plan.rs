//! What a change of an engine would do, worked out against the engine and the files as they are. Nothing is changed.

use std::path::Path;

use serde_json::Value;
use silidock_diagnosis::fix::{Fix, OldContainer, Step};
use silidock_diagnosis::platform::Platform;
use silidock_diagnosis::reference::{normalise, short_id};
use silidock_engine::Locality;
use silidock_host::OsFamily;

use super::belongings::some;
use super::replacing::{found, id, name, runs};
use super::service::{self, ServicePlan};
use super::typed::{typed, with_steps_before};
use super::{ChangeError, Site, dependents, same};
use crate::plan;
use crate::preview::{self, Preview, Refusal};
use crate::steps;

/// A container as it is now, and its image. Both hold secrets.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub container: Value,
    pub image: Value,
    pub platform: Option<String>,
    /// All containers of its Compose service.
    pub service: Vec<String>,
}

/// Everything worked out.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub files: plan::Plan,
    pub seen: Option<Seen>,
    pub service: Option<ServicePlan>,
    restarts: Vec<String>,
    commands: Vec<Vec<String>>,
    pub(super) told: Vec<String>,
    /// Said too, but it may be otherwise a moment later.
    pub(super) passing: Vec<String>,
    /// Images that are pulled or built before, by their full names.
    comes: Vec<String>,
    /// What a container wrote is kept.
    pub(super) keeps: bool,
    /// Why a person should look at it first.
    pub(super) review: Vec<String>,
}

fn refused(why: impl Into<String>) -> Refusal {
    Refusal::new(why.into())
}

impl Plan {
    /// Of `steps`, where images called `built` are built before.
    pub(super) async fn of(site: &Site<'_>, steps: &[Step], built: &[String]) -> Result<Self, Refusal> {
        let mut plan = Self::default();
        plan.comes.extend(built.iter().filter_map(|reference| normalise(reference)));
        plan.keeps = steps.iter().any(|step| matches!(step, Step::KeepWritten { .. }));
        for step in steps {
            match step {
                Step::PullPlatform { reference, platform } => plan.pull(site, reference, platform).await?,
                Step::CopyVolumes { of } => {
                    plan.look(site, of).await?;
                    plan.copies();
                }
                Step::KeepWritten { of } => plan.look(site, of).await?,
                Step::RecreateContainer { of, platform } => {
                    plan.look(site, of).await?;
                    plan.others_depend(site, None).await?;
                    plan.image(site, &of.image, platform.as_ref()).await?;
                    plan.container_anew();
                }
                Step::RecreateService { of, project, service, platform } => {
                    plan.look(site, of).await?;
                    plan.image(site, &of.image, platform.as_ref()).await?;
                    let looked = plan.service_anew(site, of, (project, service), platform.as_ref()).await;
                    looked.map_err(|refusal| with_steps_before(refusal, steps))?;
                }
                // It says that nothing is made anew, and here it is.
                Step::EditYaml { .. } if makes_anew(steps) => {
                    let told = plan.files.told.len();
                    steps::add(step, &mut plan.files)?;
                    plan.files.told.truncate(told);
                }
                Step::BuildImage { .. } => {
                    return Err(refused(format!("\"{}\" is carried out apart", step.title())));
                }
                Step::EditYaml { .. }
                | Step::EditLine { .. }
                | Step::InsertLine { .. }
                | Step::AppendLine { .. }
                | Step::ConvertLineEndings { .. }
                | Step::Tell { .. }
                | Step::RuntimeCommand { .. }
                | Step::EditSettings { .. } => steps::add(step, &mut plan.files)?,
            }
        }
        plan.files.files.retain(|planned| planned.after != planned.file.text);
        Ok(plan)
    }

    fn preview(self) -> Preview {
        let diff = |f: &plan::PlannedFile| crate::diff::diff(&f.file.real, &f.file.text, &f.after, f.context);
        Preview {
            diffs: self.files.files.iter().map(diff).collect(),
            files: preview::seen(&self.files),
            commands: self.commands.into_iter().chain(self.files.commands).collect(),
            restarts: self.restarts,
            told: self.told.into_iter().chain(self.passing).chain(self.files.told).collect(),
            review: self.review,
            platform_before: self.seen.and_then(|seen| seen.platform).and_then(|platform| platform.parse().ok()),
            refused: None,
        }
    }

    /// Whether this is what was shown.
    pub(super) fn as_shown(&self, shown: &Preview) -> Result<(), ChangeError> {
        let changed = |what: &str| Err(ChangeError::Changed { what: what.to_owned() });
        if preview::seen(&self.files) != shown.files {
            return changed("A file");
        }
        if self.restarts != shown.restarts || self.commands.iter().any(|argv| !shown.commands.contains(argv)) {
            return changed("What would be done");
        }
        match self.told.iter().find(|told| !shown.told.contains(told)) {
            Some(_) => changed("The container or its image"),
            None => Ok(()),
        }
    }

    async fn pull(&mut self, site: &Site<'_>, reference: &str, platform: &Platform) -> Result<(), Refusal> {
        let Some(full) = normalise(reference) else {
            return Err(refused(format!("{reference} is an identifier, and a registry has only names")));
        };
        self.told.push(format!(
            "{platform} of {reference} is pulled from {}: the same tag, so the version stays what the tag means there.",
            full.split('/').next().unwrap_or_default()
        ));
        let size = site.engine.image_json(reference, None).await.ok().and_then(|image| image["Size"].as_u64());
        match (free(site).await, size) {
            (Ok(free), Some(size)) if free < size => {
                return Err(refused(format!(
                    "{} are free where the engine keeps its images, and {reference} takes about {}",
                    bytes(free),
                    bytes(size)
                )));
            }
            (Ok(free), _) => self.passing.push(format!("{} are free where the engine keeps its images.", bytes(free))),
            (Err(why), size) => {
                let size = size.map(|size| format!(" {reference} takes about {} now.", bytes(size)));
                self.passing.push(format!(
                    "How much space is free where the engine keeps its images is not known: {why}.{}",
                    size.unwrap_or_default()
                ));
            }
        }
        self.comes.push(full);
        Ok(())
    }

    /// Looks at the container, once.
    async fn look(&mut self, site: &Site<'_>, of: &OldContainer) -> Result<(), Refusal> {
        if let Some(seen) = &self.seen {
            return match id(&seen.container) == of.id {
                true => Ok(()),
                false => Err(refused(
                    "one change is about one container; each has a fix of its own, and silidock fix --all-safe carries out several",
                )),
            };
        }
        let container = found(site.engine, &of.id).await.map_err(|error| refused(error.to_string()))?;
        let Some(container) = container.filter(|container| name(container) == of.name) else {
            return Err(refused(format!("{} was made anew or removed since it was looked at; look again", of.name)));
        };
        if let Some(why) = same::refusal(&container) {
            return Err(refused(format!("{} is left alone: {why}", of.name)));
        }
        let told = &container["ImageManifestDescriptor"]["platform"];
        let of_manifest = platform_of(&told["os"], &told["architecture"], &told["variant"]);
        let image_id = container["Image"].as_str().unwrap_or_default();
        let image = site.engine.image_json(image_id, of_manifest.as_deref()).await;
        let image =
            image.map_err(|error| refused(format!("the image that {} runs cannot be read: {error}", of.name)))?;
        let platform = of_manifest.or_else(|| platform_of(&image["Os"], &image["Architecture"], &image["Variant"]));
        if runs(&container) {
            self.restarts.push(of.name.clone());
        }
        self.volumes(&container);
        self.written(site.engine, of, &container).await;
        self.ports(&container);
        self.seen = Some(Seen { container, image, platform, service: Vec::new() });
        Ok(())
    }

    /// Containers that live in this one, or are linked to it, would lose it; `up` has Compose make a service anew.
    async fn others_depend(&self, site: &Site<'_>, up: Option<&dyn Fn(&str) -> String>) -> Result<(), Refusal> {
        let Some(seen) = &self.seen else { return Ok(()) };
        let called = name(&seen.container);
        let unanswered = |error: silidock_engine::EngineError| {
            refused(format!("{called} is left alone, because who depends on it could not be asked: {error}"))
        };
        let dependents = dependents::of(site.engine, &seen.container).await.map_err(unanswered)?;
        if let Some(refusal) = dependents::refusal(called, &dependents, up) {
            return Err(refusal);
        }
        match dependents::link(site.engine, &seen.container).await.map_err(unanswered)? {
            Some(link) => Err(refused(format!("{called} is left alone: another container has a link to it ({link})"))),
            None => Ok(()),
        }
    }

    async fn service_anew(
        &mut self,
        site: &Site<'_>,
        of: &OldContainer,
        (project, service): (&str, &str),
        platform: Option<&Platform>,
    ) -> Result<(), Refusal> {
        let looked = service::plan(site, of, project, service, platform, self.seen.as_ref()).await?;
        let up = |other: &str| {
            let all_but_last = looked.argv.iter().take(looked.argv.len().saturating_sub(1));
            typed(&all_but_last.cloned().chain([other.to_owned()]).collect::<Vec<_>>(), None)
        };
        self.others_depend(site, Some(&up)).await.map_err(|mut refusal| {
            refusal.lines_to_type.insert(0, typed(&looked.argv, platform));
            refusal
        })?;
        self.commands.push(looked.whole.clone());
        self.told.extend(looked.told.clone());
        self.review.extend(looked.told.clone());
        if let Some(seen) = &mut self.seen {
            seen.service.clone_from(&looked.containers);
        }
        self.service = Some(looked);
        self.told.push(
            "Compose removes the old container before the new one has started. Its configuration is saved and its image kept: if \
             the new one does not come up, one like the old is made again of them."
                .to_owned(),
        );
        Ok(())
    }

    async fn image(&mut self, site: &Site<'_>, reference: &str, platform: Option<&Platform>) -> Result<(), Refusal> {
        if normalise(reference).is_some_and(|full| self.comes.contains(&full)) {
            return Ok(());
        }
        let wanted = platform.map(ToString::to_string);
        match site.engine.image_json(reference, wanted.as_deref()).await {
            Ok(image) => {
                let id = image["Id"].as_str().unwrap_or_default();
                let told = wanted.map(|platform| format!(" for {platform}")).unwrap_or_default();
                self.told.push(format!("{reference}{told} is here ({}).", short_id(id)));
                Ok(())
            }
            Err(error) => Err(refused(format!("{reference} cannot be used: {error}"))),
        }
    }

    fn container_anew(&mut self) {
        let mounts = self.seen.iter().flat_map(|seen| seen.container["Mounts"].as_array()).flatten();
        let nameless =
            mounts.filter(|mount| mount["Type"] == "volume" && mount["Name"].as_str().is_some_and(of_engine));
        let mut nameless: Vec<String> =
            nameless.filter_map(|mount| mount["Destination"].as_str().map(str::to_owned)).collect();
        nameless.sort();
        if !nameless.is_empty() {
            self.told.push(format!(
                "Volumes without a name of yours are mounted by the one the engine gave them, so that \"docker rm -v\" will leave \
                 them: {}.",
                some(&nameless)
            ));
        }
        self.told.push(
            "The old container is kept until the new one is up, and its image beyond that; if the new one does not come up, the \
             old one is brought back."
                .to_owned(),
        );
    }
}

fn makes_anew(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::RecreateService { .. } | Step::RecreateContainer { .. }))
}

/// A name of a volume that nobody chose.
fn of_engine(volume: &str) -> bool {
    volume.len() == 64 && volume.bytes().all(|letter| letter.is_ascii_hexdigit())
}

/// What the change would do. Always answers: what stands in the way is in `refused`.
pub async fn preview(site: &Site<'_>, fix: &Fix) -> Preview {
    shown(Plan::of(site, &fix.steps, &[]).await)
}

/// The same of steps that follow after images called `built` are built.
pub async fn preview_after(site: &Site<'_>, steps: &[Step], built: &[String]) -> Preview {
    shown(Plan::of(site, steps, built).await)
}

fn shown(plan: Result<Plan, Refusal>) -> Preview {
    match plan {
        Ok(plan) => plan.preview(),
        Err(refusal) => Preview { refused: Some(refusal), ..Preview::default() },
    }
}

/// `linux/arm/v7` of its parts.
pub(super) fn platform_of(os: &Value, architecture: &Value, variant: &Value) -> Option<String> {
    let (os, architecture) =
        (os.as_str().filter(|os| !os.is_empty())?, architecture.as_str().filter(|a| !a.is_empty())?);
    let variant = variant.as_str().filter(|variant| !variant.is_empty());
    Some(variant.map_or_else(|| format!("{os}/{architecture}"), |variant| format!("{os}/{architecture}/{variant}")))
}

/// Bytes that are free where the engine keeps its images, or why nobody can tell.
async fn free(site: &Site<'_>) -> Result<u64, String> {
    let target = site.engine.target();
    if target.endpoint.locality() != Locality::Local {
        return Err("the engine is not known to be on this machine".to_owned());
    }
    let (machine, folder) = site.engine.data_folder().await.map_err(|error| error.to_string())?;
    let here = site.host.os() == OsFamily::Linux && site.host.host_name().as_deref() == Some(&machine);
    if !here {
        return Err("the engine runs in a machine of its own".to_owned());
    }
    let told = rustix::fs::statvfs(Path::new(&folder)).map_err(|error| format!("{folder}: {error}"))?;
    Ok(told.f_bavail.saturating_mul(told.f_frsize))
}

/// In powers of 1000, as Docker writes them.
fn bytes(count: u64) -> String {
    match count {
        0..1_000_000 => format!("{} kB", count / 1000),
        1_000_000..1_000_000_000 => format!("{} MB", count / 1_000_000),
        _ => format!("{:.1} GB", count as f64 / 1e9),
    }
}
