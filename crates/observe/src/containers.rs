//! Containers with the platform of the image each really runs, not of what its tag means today.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use silidock_diagnosis::{
    emulation::exit_code,
    execution::{Expected, expected},
    fact::{Fact, Gap},
    inventory::{
        ComposeMembership, Container, ContainerState, Inventory, Listing, Mount, MountKind, ties_not_asked,
        written_not_asked,
    },
    reference::is_id,
    stopped::wordings::recognise,
    ties::{Lives, Tie, shared},
    written::lasting,
};
use silidock_engine::{ContainerDetails, ContainerRecord, Engine};

use crate::{
    compose::Labels,
    images::{Configs, gap, platform},
};

const AT_ONCE: usize = 8;

/// What Silidock itself starts bears this label.
const OURS: &str = "dev.silidock.owner";

/// An engine compares two trees of files for this answer; where that takes long, nobody shall wait for it.
const COMPARING: Duration = Duration::from_secs(3);

/// All containers, without their processes, and the Compose labels among them.
pub(crate) async fn list(engine: &Engine, known: &Configs) -> (Listing<Container>, Vec<Labels>) {
    let records = match engine.containers().await {
        Ok(mut records) => {
            // Throw-away containers of a run of ours that is at work are nobody's.
            records.items.retain(|record| !record.labels.contains_key(OURS));
            records
        }
        Err(error) => return (Listing::missing(gap("the list of containers", &error)), Vec::new()),
    };
    let total = records.items.len() + records.unreadable.len();
    let gaps = records
        .unreadable
        .iter()
        .map(|entry| Gap::new(format!("container {} of the engine's list", entry.index + 1), entry.why.clone()))
        .collect();
    let labels = records.items.iter().filter_map(Labels::of).collect();
    let silent = records.items.iter().filter(|r| described(r).is_none()).map(|r| r.image_id.clone());
    let inspected = known.of(engine, silent.filter(|id| !id.is_empty()).collect::<Vec<_>>()).await;
    let references = references(engine, &records.items).await;
    let mut items: Vec<Container> = records
        .items
        .iter()
        .zip(references)
        .map(|(record, reference)| {
            let (platform, source) = match described(record) {
                Some(written) => (
                    platform(written, &format!("platform of container {}", record.name())),
                    "the container's own manifest",
                ),
                None => (from_image(record, inspected.get(&record.image_id)), "the image the container runs"),
            };
            container(record, reference, platform, source)
        })
        .collect();
    fill_start_errors(engine, &mut items).await;
    (Listing { items, total, gaps, complete: true }, labels)
}

/// Why containers could not be started, for those that look like it: one question each. Only recognised words are kept;
/// the rest may quote a command line.
async fn fill_start_errors(engine: &Engine, containers: &mut [Container]) {
    let unstarted = |c: &&mut Container| match c.state {
        ContainerState::Created => true,
        _ => matches!(exit_code(&c.status), Some(126..=128 | 255)),
    };
    let questions: Vec<_> = containers
        .iter_mut()
        .filter(unstarted)
        .map(|container| async move {
            // Without an answer nothing is said, as of all containers that were not asked about.
            if let Ok(details) = engine.inspect_container(&container.id).await {
                container.start_error = recognise(&details.error).map(|told| told.quote);
            }
        })
        .collect();
    stream::iter(questions).buffer_unordered(AT_ONCE).collect::<()>().await;
}

fn described(record: &ContainerRecord) -> Option<&silidock_engine::PlatformRecord> {
    record.image_manifest.as_ref()?.platform.as_ref()
}

fn from_image(
    record: &ContainerRecord,
    fact: Option<&Fact<silidock_diagnosis::platform::Platform>>,
) -> Fact<silidock_diagnosis::platform::Platform> {
    let what = format!("platform of container {}", record.name());
    match fact {
        Some(Fact::Known(platform)) => Fact::Known(platform.clone()),
        Some(Fact::Unknown { unknown }) => Fact::unknown(what, unknown.why.clone()),
        None => Fact::unknown(what, "the engine does not name the image it runs"),
    }
}

/// The reference each container was made from. The list shows a bare id once the tag means another image; then, and
/// only then, the container itself is asked.
async fn references(engine: &Engine, records: &[ContainerRecord]) -> Vec<String> {
    let questions: Vec<_> = records.iter().map(|record| reference(engine, record)).collect();
    stream::iter(questions).buffered(AT_ONCE).collect().await
}

async fn reference(engine: &Engine, record: &ContainerRecord) -> String {
    if !is_id(&record.image) {
        return record.image.clone();
    }
    match engine.inspect_container(&record.id).await {
        Ok(details) if !details.reference.is_empty() => details.reference,
        // Gone or silent: the id is still the truth, only less readable.
        Ok(_) | Err(_) => record.image.clone(),
    }
}

fn container(
    record: &ContainerRecord,
    image: String,
    platform: Fact<silidock_diagnosis::platform::Platform>,
    source: &str,
) -> Container {
    let state = ContainerState::from_engine(&record.state);
    let processes = if state.has_processes() {
        Fact::unknown(format!("processes of {}", record.name()), "not read yet")
    } else {
        Fact::Known(Vec::new())
    };
    let label = |key: &str| record.labels.get(&format!("com.docker.compose.{key}")).cloned();
    // An image that Compose has built names project and service, too, and so does every container that is made of it by hand.
    let by_compose = ["config-hash", "project.config_files", "container-number"].into_iter().find_map(label).is_some();
    let compose = match (label("project"), label("service")) {
        (Some(project), Some(service)) if by_compose => Some(ComposeMembership { project, service }),
        _ => None,
    };
    Container {
        id: record.id.clone(),
        name: record.name().to_owned(),
        image,
        image_id: (!record.image_id.is_empty()).then(|| record.image_id.clone()),
        platform_source: platform.known().map(|_| source.to_owned()),
        platform,
        state,
        status: record.status.clone(),
        created: record.created,
        compose,
        processes,
        start_error: None,
        mounts: mounts(record),
        written: written_not_asked(),
        ties: ties_not_asked(),
        cpu_nanoseconds: Fact::unknown(format!("processor time of {}", record.name()), "not asked"),
    }
}

fn mounts(record: &ContainerRecord) -> Fact<Vec<Mount>> {
    let Some(told) = &record.mounts else {
        return Fact::unknown(format!("what is mounted in {}", record.name()), "the engine does not say");
    };
    let lasting = told.iter().filter_map(|point| {
        let kind = match point.kind.as_str() {
            "volume" => MountKind::Volume,
            "bind" => MountKind::Bind,
            _ => return None,
        };
        Some(Mount { kind, target: point.destination.clone(), writable: point.writable })
    });
    Fact::Known(lasting.collect())
}

/// Of those containers that might be made anew for another platform: what they wrote outside of volumes, and what keeps them
/// from being made anew. One question for each of them, and one for every container, because only that one says in whom it
/// lives. Not a part of a look: an engine may compare whole file systems for it.
pub async fn ask_written(engine: &Engine, inventory: &mut Inventory) {
    let facts = &inventory.engine;
    let emulated =
        |c: &Container| c.state.has_processes() && expected(&c.platform, facts) == Fact::Known(Expected::Emulated);
    if !inventory.containers.items.iter().any(emulated) {
        return;
    }
    let details = details(engine, &inventory.containers).await;
    let questions: Vec<_> = inventory
        .containers
        .items
        .iter_mut()
        .filter(|container| emulated(container))
        .map(|container| {
            container.ties = ties(container, &details);
            async {
                container.written = written(engine, container, &details).await;
            }
        })
        .collect();
    stream::iter(questions).buffer_unordered(AT_ONCE).collect::<()>().await;
}

/// All containers in detail; without one of them nobody knows in whom that one lives.
async fn details(engine: &Engine, containers: &Listing<Container>) -> Result<Vec<ContainerDetails>, String> {
    if let Some(gap) = containers.gaps.first() {
        return Err(format!("{}: {}", gap.what, gap.why));
    }
    // One that is on its way out holds on to nothing, and cannot always be asked.
    let stay = |container: &&Container| !matches!(container.state, ContainerState::Dead | ContainerState::Removing);
    let ids: Vec<String> = containers.items.iter().filter(stay).map(|container| container.id.clone()).collect();
    let questions = ids.into_iter().map(|id| async move {
        match tokio::time::timeout(COMPARING, engine.inspect_container(&id)).await {
            Ok(Err(error)) if error.is_not_found() => Ok(None),
            Ok(told) => told.map(Some).map_err(|error| error.to_string()),
            Err(_) => Err(no_answer()),
        }
    });
    let told: Vec<_> = stream::iter(questions).buffered(AT_ONCE).collect().await;
    told.into_iter().filter_map(Result::transpose).collect()
}

fn no_answer() -> String {
    format!("the engine did not answer within {} s", COMPARING.as_secs())
}

fn ties(container: &Container, details: &Result<Vec<ContainerDetails>, String>) -> Fact<Vec<Tie>> {
    let what = || format!("whether {} can be made anew as it is", container.name);
    let details = match details {
        Ok(details) => details,
        Err(why) => return Fact::unknown(what(), why.clone()),
    };
    let Some(own) = details.iter().find(|told| told.id == container.id) else {
        return Fact::unknown(what(), "it is not there any more");
    };
    let all: Vec<Lives<'_>> = details.iter().map(lives).collect();
    let by_others = shared(&own.id, &all)
        .into_iter()
        .flat_map(|(other, parts)| parts.into_iter().map(move |part| Tie::Shared { by: other.name.to_owned(), part }));
    Fact::Known(own.auto_remove.then_some(Tie::RemovedOnStop).into_iter().chain(by_others).collect())
}

fn lives(told: &ContainerDetails) -> Lives<'_> {
    let up = ContainerState::from_engine(&told.state).has_processes();
    Lives { id: &told.id, name: &told.name, up, modes: [&told.network_mode, &told.pid_mode, &told.ipc_mode] }
}

async fn written(engine: &Engine, container: &Container, details: &Result<Vec<ContainerDetails>, String>) -> Fact<u32> {
    let what = format!("what {} wrote outside of volumes", container.name);
    match tokio::time::timeout(COMPARING, engine.changed_paths(&container.id)).await {
        Ok(Ok(changed)) => {
            let own = details.iter().flatten().find(|told| told.id == container.id);
            let mounts = container.mounts.known().into_iter().flatten().map(|mount| mount.target.as_str());
            let told = own.into_iter().flat_map(|own| &own.mounted).map(String::as_str);
            let mounted: Vec<&str> = mounts.chain(told).collect();
            let kept = lasting(changed.iter().map(|path| (path.path.as_str(), path.kind)), &mounted);
            Fact::Known(u32::try_from(kept.len()).unwrap_or(u32::MAX))
        }
        Ok(Err(error)) => Fact::unknown(what, error.to_string()),
        Err(_) => Fact::unknown(what, no_answer()),
    }
}
