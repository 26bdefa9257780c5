//! Containers that are made anew from what is built: which ones, for which platform, and a look at them afterwards. Making them,
//! and bringing them back, is `remedy`'s.

use std::sync::Arc;

use silidock_diagnosis::{
    compose::Pin,
    fact::Fact,
    fix::{OldContainer, Step},
    inventory::{Container, ContainerState, Inventory, MountKind},
    platform::{Nativeness, Platform},
    reference::normalise,
    written::lasting,
};
use silidock_engine::Engine;
use silidock_remedy::{
    Receipt, Verified,
    build::{self, Renewal},
    recreate::{self, Course},
};
use tokio::sync::watch;

use super::{
    Prepared,
    check::worst,
    failure_of,
    teller::Teller,
    wire::{PlannedBuild, PlannedContainer, RebuildOutcome, RebuildOutput, RebuildRequest, RecreatedContainer},
};
use crate::{
    engine_changes::{Busy, as_before, ending},
    failure::Failure,
    session::App,
    wire::ScanRequest,
};

/// A container that is made anew, as it was shown.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub planned: PlannedContainer,
    pub renewal: Renewal,
}

/// Why it is not done, and what to type instead.
type Refused = (String, Vec<String>);

/// Hears how far it is as a step of the rebuild, and of somebody who stops it.
struct Heard {
    teller: Teller,
    stop: watch::Receiver<bool>,
}

impl Course for Heard {
    fn say(&self, words: &str) {
        self.teller.after_builds(words);
    }

    fn pulled(&self, _done: u64, _total: u64) {}

    fn stopped(&self) -> bool {
        ending() || *self.stop.borrow()
    }
}

impl App {
    /// Adds what runs on the images that are built, each looked at, and why it cannot be made anew, if so.
    pub(super) async fn plan_renewals(
        self: &Arc<Self>,
        engine: &Engine,
        request: &RebuildRequest,
        planned: &mut super::plan::Planned,
    ) -> Result<(), Failure> {
        if request.output == RebuildOutput::Push {
            let why = "what is pushed does not come to the engine, so no container can be made anew from it";
            planned.refused = Some((why.to_owned(), Vec::new()));
            return Ok(());
        }
        let inventory = self.seen()?.inventory;
        for build in planned.prepared.builds.clone() {
            let all: Vec<&Container> =
                inventory.containers.items.iter().filter(|container| is_of(container, &build)).collect();
            let (up, rest): (Vec<&Container>, Vec<&Container>) = all.into_iter().partition(|container| runs(container));
            for container in rest {
                planned.told.push(format!("{} does not run and stays as it is.", container.name));
            }
            if up.is_empty() {
                planned
                    .told
                    .push(format!("Nothing runs {}, so no container is made anew.", build.references.join(" or ")));
            }
            for container in up {
                if planned.prepared.containers.iter().any(|known| known.planned.name == container.name) {
                    continue;
                }
                match self.plan_renewal(engine, request, &inventory, &build, container).await? {
                    Ok(renewed) => {
                        let told = renewed.renewal.shown.told.iter();
                        planned.told.extend(told.map(|told| format!("{}: {told}", container.name)));
                        planned.prepared.containers.push(renewed);
                    }
                    Err(refused) => {
                        planned.refused.get_or_insert(refused);
                    }
                }
            }
        }
        let copies =
            |container: &&Planned| container.renewal.steps.iter().any(|step| matches!(step, Step::CopyVolumes { .. }));
        if planned.prepared.containers.iter().filter(copies).count() > 1 {
            let why = "several containers with volumes would be made anew one after the other, and a volume that two of them share \
                       would be copied after the first had changed it. Make them anew one by one, or without copies";
            planned.refused.get_or_insert((why.to_owned(), Vec::new()));
        }
        let names: Vec<&str> =
            planned.prepared.containers.iter().map(|container| container.planned.name.as_str()).collect();
        if !names.is_empty() {
            planned.told.push(
                "Containers are only touched once the image is built and looked at. If a new one does not come up, they and the \
                 image's name are as before, and what was built stays without a name."
                    .to_owned(),
            );
            let title = format!("{}, and make {} anew", planned.prepared.order.title, names.join(", "));
            planned.prepared.order.title = title;
        }
        Ok(())
    }

    async fn plan_renewal(
        self: &Arc<Self>,
        engine: &Engine,
        request: &RebuildRequest,
        inventory: &Inventory,
        build: &PlannedBuild,
        container: &Container,
    ) -> Result<Result<Planned, Refused>, Failure> {
        let platform = match platform_for(inventory, build, container) {
            Ok(platform) => platform,
            Err(refused) => return Ok(Err(refused)),
        };
        let wanted = normalise(&container.image);
        let same = build.references.iter().find(|reference| normalise(reference) == wanted);
        let image = same.or(build.references.first()).cloned().unwrap_or_default();
        let of = OldContainer { id: container.id.clone(), name: container.name.clone(), image: image.clone() };
        let mut steps = Vec::new();
        if wrote(engine, container).await {
            steps.push(Step::KeepWritten { of: of.clone() });
        }
        let mounts = container.mounts.known().into_iter().flatten();
        if request.copy_volumes && mounts.into_iter().any(|mount| mount.kind == MountKind::Volume) {
            steps.push(Step::CopyVolumes { of: of.clone() });
        }
        steps.push(match &container.compose {
            Some(member) => Step::RecreateService {
                of,
                project: member.project.clone(),
                service: member.service.clone(),
                platform: Some(platform.clone()),
            },
            None => Step::RecreateContainer { of, platform: Some(platform.clone()) },
        });
        let (asked, built) = (steps.clone(), build.references.clone());
        let looked = async move |site: recreate::Site<'_>| recreate::preview_after(&site, &asked, &built).await;
        let mut shown = self.at_site(engine, looked).await?;
        if let Some(refusal) = shown.refused.take() {
            return Ok(Err((refusal.why, refusal.lines_to_type)));
        }
        let planned = PlannedContainer {
            name: container.name.clone(),
            service: container.compose.as_ref().map(|member| format!("{}/{}", member.project, member.service)),
            image,
            before: container.platform.known().map(ToString::to_string),
            platform: platform.to_string(),
        };
        Ok(Ok(Planned { planned, renewal: Renewal { steps, shown } }))
    }

    /// Before anything is built, every container is still as it was shown.
    pub(super) async fn renewals_as_shown(self: &Arc<Self>, prepared: &Prepared) -> Result<(), Failure> {
        if prepared.containers.is_empty() {
            return Ok(());
        }
        let (renewals, built) = (renewals(prepared), references(prepared));
        let looked = async move |site: recreate::Site<'_>| build::still_as_shown(&site, &renewals, &built).await;
        self.at_site(&prepared.engine, looked).await?.map_err(|error| failure_of(&error))
    }

    /// Makes the containers anew, if what was built is what was wanted, and looks at them.
    pub(super) async fn renew(
        self: &Arc<Self>,
        prepared: &Prepared,
        built: RebuildOutcome,
        stop: watch::Receiver<bool>,
    ) -> Result<RebuildOutcome, Failure> {
        if built.verified != Verified::Verified {
            return Ok(RebuildOutcome { words: format!("{} No container was made anew.", built.words), ..built });
        }
        let heard = Heard { teller: Teller::new(self, &prepared.builds), stop };
        let (renewals, id, busy) = (renewals(prepared), built.receipt.clone(), Busy::begin());
        let done = self.at_site_heard(&prepared.engine, heard, async move |site| {
            // Held until it has really ended, also when nobody waits for it any more.
            let _busy = busy;
            build::renew(&site, &id, &renewals).await
        });
        let receipt = done.await?.map_err(|error| failure_of(&error))?;
        let containers = self.look_at_renewed(prepared, &receipt).await;
        let verified = worst(containers.iter().map(|container| container.verified));
        let words = match verified {
            Verified::Verified => "Looked again: everything is what was wanted, and runs.",
            Verified::StillPresent => "Looked again: a container is not what was wanted.",
            Verified::CouldNotTell => "Built and made anew, but not every container could be looked at again.",
        };
        let words = self.noted(&receipt.id, verified, words.to_owned()).await?;
        Ok(RebuildOutcome { verified, words, containers, ..built })
    }

    async fn look_at_renewed(self: &Arc<Self>, prepared: &Prepared, receipt: &Receipt) -> Vec<RecreatedContainer> {
        let looked = self.scan(ScanRequest::default()).await;
        let inventory = looked.and_then(|_| self.seen()).map(|seen| seen.inventory);
        let records = receipt.build.iter().flat_map(|build| &build.containers).filter_map(|record| record.old.as_ref());
        let outcome = |planned: &PlannedContainer| {
            let (after, verified, words) = match &inventory {
                Ok(inventory) => looked_at(inventory, planned),
                Err(failure) => (None, Verified::CouldNotTell, format!("looking again failed: {failure}")),
            };
            let old = records.clone().find(|old| old.name == planned.name);
            RecreatedContainer {
                name: planned.name.clone(),
                service: planned.service.clone(),
                before: planned.before.clone(),
                after,
                verified,
                words,
                kept: old.map(|old| old.kept.clone()),
                written: old.and_then(|old| old.written.clone()),
                copies: old.into_iter().flat_map(|old| &old.copies).map(|copy| copy.copy.clone()).collect(),
            }
        };
        prepared.containers.iter().map(|container| outcome(&container.planned)).collect()
    }

    /// Looks at the containers of an undone rebuild, too.
    pub(super) async fn containers_as_before(
        &self,
        engine: &Engine,
        receipt: &Receipt,
        (mut verified, mut words): (Verified, String),
    ) -> (Verified, String) {
        for record in receipt.build.iter().flat_map(|build| &build.containers) {
            let (found, told) = as_before(engine, Some(record)).await;
            verified = worst([verified, found].into_iter());
            words = format!("{words} {told}");
        }
        (verified, words)
    }
}

fn renewals(prepared: &Prepared) -> Vec<Renewal> {
    prepared.containers.iter().map(|container| container.renewal.clone()).collect()
}

fn references(prepared: &Prepared) -> Vec<String> {
    prepared.builds.iter().flat_map(|build| build.references.clone()).collect()
}

/// It was made from what is built again, or is the service that is.
fn is_of(container: &Container, build: &PlannedBuild) -> bool {
    let full = normalise(&container.image);
    let by_name = full.is_some() && build.references.iter().any(|reference| normalise(reference) == full);
    let service = container.compose.as_ref().map(|member| format!("{}/{}", member.project, member.service));
    by_name || (service.is_some() && service == build.service)
}

fn runs(container: &Container) -> bool {
    matches!(container.state, ContainerState::Running | ContainerState::Restarting)
}

/// What it is to run: what its Compose files pin, else the engine's own, else the first that is built.
fn platform_for(inventory: &Inventory, build: &PlannedBuild, container: &Container) -> Result<Platform, Refused> {
    let built: Vec<Platform> = build.platforms.iter().filter_map(|planned| planned.platform.parse().ok()).collect();
    let pinned = container.compose.as_ref().and_then(|member| {
        let project = inventory.projects.iter().find(|project| project.name == member.project)?;
        match project.pin(&member.service).ok()? {
            Pin::Pinned { path, value, .. } => Some((path.to_owned(), member.service.clone(), value.parse().ok()?)),
            Pin::Unpinned { .. } => None,
        }
    });
    if let Some((path, service, pinned)) = pinned {
        return match built.contains(&pinned) {
            true => Ok(pinned),
            false => Err((
                format!(
                    "{path} pins {service} to {pinned}, so Compose would not run what is built until that is taken out"
                ),
                vec![format!("silidock unpin {path} {service} --apply")],
            )),
        };
    }
    let engine = inventory.engine.platform.known();
    let native = built.iter().find(|platform| engine.is_some_and(|engine| platform.on(engine) == Nativeness::Native));
    native.or(built.first()).cloned().ok_or_else(|| ("nothing is built".to_owned(), Vec::new()))
}

/// It wrote something outside of volumes that would be missed, or may have.
async fn wrote(engine: &Engine, container: &Container) -> bool {
    let Ok(changed) = engine.changed_paths(&container.id).await else { return true };
    let Ok(told) = engine.inspect_container(&container.id).await else { return true };
    let mounted: Vec<&str> = told.mounted.iter().map(String::as_str).collect();
    !lasting(changed.iter().map(|changed| (changed.path.as_str(), changed.kind)), &mounted).is_empty()
}

fn looked_at(inventory: &Inventory, planned: &PlannedContainer) -> (Option<String>, Verified, String) {
    let Some(now) = inventory.containers.items.iter().find(|container| container.name == planned.name) else {
        return (None, Verified::StillPresent, "is not there".to_owned());
    };
    if !runs(now) {
        return (None, Verified::StillPresent, format!("does not run: {}", now.status));
    }
    match &now.platform {
        Fact::Known(platform) if platform.to_string() == planned.platform => {
            let before = planned.before.as_ref().filter(|before| **before != planned.platform);
            let before = before.map(|before| format!(", {before} before")).unwrap_or_default();
            (Some(planned.platform.clone()), Verified::Verified, format!("runs {platform}{before}"))
        }
        Fact::Known(platform) => {
            (Some(platform.to_string()), Verified::StillPresent, format!("runs {platform}, not {}", planned.platform))
        }
        Fact::Unknown { unknown } => (None, Verified::CouldNotTell, format!("{}: {}", unknown.what, unknown.why)),
    }
}
