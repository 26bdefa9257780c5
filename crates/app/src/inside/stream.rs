//! Looking inside by reading a stream: archives and layouts in files, `docker save` and a container's export. It shows
//! layers, and needs no throw-away container.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use silidock_diagnosis::{
    contents::{FileCounts, Found, LayerLine, StartSettings, Via},
    fact::{Fact, Gap},
    finding::SubjectKind,
    platform::Platform,
};
use silidock_engine::Engine;
use silidock_observe::contents::{
    Contents, ContentsError, ImageSettings, Request, Wanted, Watch, read_container, read_image, read_path,
};

use super::{Subject, Teller, not_there, stopped_failure};
use crate::{
    failure::{Failure, FailureCode},
    layer_store::LayerStore,
};

/// How often somebody is told how far it is.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Reads an image or a container that an engine has.
pub(super) async fn found_by_stream(engine: &Engine, subject: &Subject, teller: Teller) -> Result<Found, Failure> {
    let (request, watch) = request(subject.chosen.as_ref(), subject.names(), teller.layers());
    let name = subject.identifier.clone();
    let reading = async {
        match subject.kind {
            SubjectKind::Container => read_container(engine, &name, &request).await,
            _ => read_image(engine, &name, &request).await,
        }
    };
    let contents = told(reading, &watch, teller).await.map_err(|error| failure(&subject.name, &error))?;
    let mut found = found(&subject.name, contents);
    // The engine's own words: an export says nothing of what is started, and an image may have several platforms.
    found.kind = subject.kind;
    found.start = Fact::Known(subject.start.clone());
    if found.platform.known().is_none() {
        found.platform = subject.platform.clone();
    }
    Ok(found)
}

/// Reads an archive or a layout from this machine.
pub(super) async fn found_in_file(
    name: &str,
    path: PathBuf,
    platform: Option<&Platform>,
    teller: Teller,
) -> Result<Found, Failure> {
    let (request, watch) = request(platform, Vec::new(), teller.layers());
    let reading = tokio::task::spawn_blocking(move || read_path(&path, &request));
    let reading = async { reading.await.unwrap_or(Err(ContentsError::Stopped)) };
    let contents = told(reading, &watch, teller).await.map_err(|error| failure(name, &error))?;
    Ok(found(name, contents))
}

/// The file that a subject means: one that is written as a path, or like an archive. Whether it is there is seen later.
pub(super) fn path_of(subject: &str) -> Option<&Path> {
    const ENDINGS: [&str; 6] = [".tar", ".tgz", ".tar.gz", ".tar.zst", ".tar.zstd", ".oci"];
    let path = ["/", "./", "../"].iter().any(|begin| subject.starts_with(begin)) || subject == ".";
    (path || ENDINGS.iter().any(|ending| subject.ends_with(ending))).then(|| Path::new(subject))
}

fn request(platform: Option<&Platform>, names: Vec<String>, layers: Arc<LayerStore>) -> (Request, Arc<Watch>) {
    let watch = Arc::new(Watch::default());
    let request = Request {
        wanted: Wanted { name: None, platform: platform.cloned() },
        names: names.into_iter().collect::<BTreeSet<String>>(),
        watch: Arc::clone(&watch),
        cache: Some(layers),
    };
    (request, watch)
}

/// Ends the reading when nobody waits for it any more: its thread does not see that by itself.
struct Ends<'w>(&'w Watch);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

/// Waits, and tells how far it is.
async fn told(
    reading: impl Future<Output = Result<Contents, ContentsError>>,
    watch: &Watch,
    mut teller: Teller,
) -> Result<Contents, ContentsError> {
    let _ends = Ends(watch);
    let mut reading = std::pin::pin!(reading);
    let mut seen = 0;
    loop {
        match tokio::time::timeout(TELL_EVERY, &mut reading).await {
            Ok(read) => return read,
            Err(_) => {
                let now = watch.entries.load(Ordering::Relaxed);
                teller.seen(now.saturating_sub(seen));
                seen = now;
            }
        }
    }
}

fn found(name: &str, contents: Contents) -> Found {
    let settings = contents.image.unwrap_or_default();
    let plain = contents.variant.is_none();
    let mut gaps = contents.gaps;
    gaps.extend(contents.layers.iter().filter_map(|layer| layer.gap.clone()));
    if contents.counts.left_out > 0 {
        gaps.push(Gap::new(
            format!("{} of the programs, libraries and links", contents.counts.left_out),
            "there are too many",
        ));
    }
    let layers =
        contents.layers.into_iter().map(|layer| LayerLine { digest: layer.digest, created_by: layer.created_by });
    let number = |layer: usize| u32::try_from(layer).ok().filter(|_| !plain);
    Found {
        subject: name.to_owned(),
        kind: SubjectKind::Image,
        platform: platform(name, &settings),
        via: Via::Stream,
        records: contents.files.into_iter().map(|found| (found.record, number(found.layer))).collect(),
        layers: if plain { Vec::new() } else { layers.collect() },
        files: FileCounts { seen: contents.counts.files, unreadable: contents.counts.skipped },
        start: Fact::Known(StartSettings {
            entrypoint: settings.entrypoint,
            command: settings.command,
            search_path: settings.path,
            working_dir: settings.working_dir.unwrap_or_default(),
        }),
        gaps,
    }
}

fn platform(name: &str, settings: &ImageSettings) -> Fact<Platform> {
    let what = || format!("the platform that {name} says it is for");
    match settings.platform.as_deref().map(str::parse) {
        Some(Ok(platform)) => Fact::Known(platform),
        Some(Err(error)) => Fact::unknown(what(), format!("{error}")),
        None => Fact::unknown(what(), "it does not say"),
    }
}

fn failure(name: &str, error: &ContentsError) -> Failure {
    match error {
        ContentsError::Stopped => stopped_failure(),
        ContentsError::Engine(error) if error.is_not_found() => not_there(name),
        ContentsError::Engine(error) => crate::look::engine_failure(error),
        ContentsError::Open { .. } => Failure::new(FailureCode::File, format!("{error}."))
            .hint("Give an image of the engine, or the path of an archive or of a folder with an OCI layout."),
        _ => Failure::new(FailureCode::File, format!("{name} could not be looked into: {error}.")),
    }
}
