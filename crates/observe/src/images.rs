//! Images with all their platforms: from one list where the engine tells, by bounded inspects where it does not.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use futures_util::{StreamExt, stream};
use silidock_diagnosis::{
    fact::{Fact, Gap},
    inventory::{Image, ImagePlatform, Listing},
    platform::Platform,
};
use silidock_engine::{Engine, EngineError, ImageRecord, ManifestKind, ManifestRecord, PlatformRecord};
use tokio::sync::OnceCell;

/// Inspects under way at once: an engine answers them one after the other anyway, and more only fill its queue.
const AT_ONCE: usize = 8;

/// What inspecting an image by its id told, asked once for each: containers and images are read side by side and
/// mostly name the same ones.
#[derive(Default)]
pub(crate) struct Configs(Mutex<HashMap<String, Answer>>);

type Answer = Arc<OnceCell<Fact<Platform>>>;

impl Configs {
    /// Platforms of the images with these ids. Each image is asked for at most once per look.
    pub(crate) async fn of(
        &self,
        engine: &Engine,
        ids: impl IntoIterator<Item = String>,
    ) -> BTreeMap<String, Fact<Platform>> {
        let wanted: BTreeSet<String> = ids.into_iter().collect();
        let questions: Vec<_> = wanted.into_iter().map(|id| self.one(engine, id)).collect();
        stream::iter(questions).buffer_unordered(AT_ONCE).collect().await
    }

    async fn one(&self, engine: &Engine, id: String) -> (String, Fact<Platform>) {
        let answer =
            Arc::clone(self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).entry(id.clone()).or_default());
        let fact = answer.get_or_init(|| inspect(engine, &id)).await.clone();
        (id, fact)
    }
}

async fn inspect(engine: &Engine, id: &str) -> Fact<Platform> {
    let what = || format!("platform of image {}", silidock_diagnosis::reference::short_id(id));
    match engine.inspect_image(id).await {
        Ok(config) => platform(&config.platform(), &what()),
        Err(error) if error.is_not_found() => Fact::unknown(what(), "the image was removed while it was looked at"),
        Err(error) => Fact::unknown(what(), error.to_string()),
    }
}

/// A platform as the engine wrote it, normalised, or a gap that quotes it.
pub(crate) fn platform(record: &PlatformRecord, what: &str) -> Fact<Platform> {
    match Platform::new(&record.os, &record.architecture, Some(&record.variant)) {
        Ok(platform) => Fact::Known(platform),
        Err(error) => Fact::unknown(what, error.to_string()),
    }
}

/// All images. One list, and on engines that name no platforms there, one inspect for each image.
pub(crate) async fn list(engine: &Engine, known: &Configs) -> Listing<Image> {
    let records = match engine.images().await {
        Ok(records) => records,
        Err(error) => return Listing::missing(Gap::new("the list of images", error.to_string())),
    };
    let total = records.items.len() + records.unreadable.len();
    let gaps = records
        .unreadable
        .iter()
        .map(|entry| Gap::new(format!("image {} of the engine's list", entry.index + 1), entry.why.clone()))
        .collect();
    let silent = records.items.iter().filter(|r| r.manifests.is_none()).map(|r| r.id.clone());
    let inspected = known.of(engine, silent.collect::<Vec<_>>()).await;
    let items = records.items.into_iter().map(|record| image(record, &inspected)).collect();
    Listing { items, total, gaps, complete: true }
}

fn image(record: ImageRecord, inspected: &BTreeMap<String, Fact<Platform>>) -> Image {
    let (platforms, attestations) = match &record.manifests {
        Some(manifests) => from_manifests(&record, &manifests.items, manifests.unreadable.len()),
        None => (from_inspect(&record, inspected), 0),
    };
    let (mut tags, mut digests) = (record.repo_tags, record.repo_digests);
    tags.sort();
    digests.sort();
    Image { id: record.id, tags, digests, created: record.created, size: record.size, platforms, attestations }
}

fn name(record: &ImageRecord) -> String {
    let id = || silidock_diagnosis::reference::short_id(&record.id).to_owned();
    record.repo_tags.first().cloned().unwrap_or_else(id)
}

fn from_inspect(record: &ImageRecord, inspected: &BTreeMap<String, Fact<Platform>>) -> Fact<Vec<ImagePlatform>> {
    match inspected.get(&record.id) {
        Some(Fact::Known(platform)) => Fact::Known(vec![ImagePlatform {
            platform: Fact::Known(platform.clone()),
            available: true,
            digest: None,
            size: record.size,
        }]),
        Some(Fact::Unknown { unknown }) => unknown.clone().into(),
        None => Fact::unknown(format!("platforms of {}", name(record)), "the engine was not asked"),
    }
}

fn from_manifests(
    record: &ImageRecord,
    manifests: &[ManifestRecord],
    unreadable: usize,
) -> (Fact<Vec<ImagePlatform>>, u32) {
    let mut platforms = Vec::new();
    let mut attestations = 0;
    for manifest in manifests {
        match &manifest.kind {
            ManifestKind::Attestation => attestations += 1,
            // Builders before the kind existed mark attestations by this platform alone.
            ManifestKind::Image | ManifestKind::Other(_) if says_unknown(manifest) => attestations += 1,
            ManifestKind::Image => platforms.push(manifest_platform(record, manifest)),
            ManifestKind::Other(kind) => platforms.push(ImagePlatform {
                platform: Fact::unknown(
                    format!("platform of a part of {}", name(record)),
                    format!("the engine calls this part \"{kind}\", which is no kind of image known here"),
                ),
                available: manifest.available,
                digest: Some(manifest.digest.clone()),
                size: manifest.size,
            }),
        }
    }
    let what = || format!("platforms of {}", name(record));
    let fact = match (platforms.is_empty(), unreadable) {
        (true, 0) => Fact::unknown(what(), "the engine lists no platform for it"),
        (_, 0) => Fact::Known(platforms),
        (_, n) => Fact::unknown(what(), format!("{n} of its manifests could not be read")),
    };
    (fact, attestations)
}

fn says_unknown(manifest: &ManifestRecord) -> bool {
    manifest.platform.as_ref().is_some_and(|p| p.os == "unknown" && p.architecture == "unknown")
}

fn manifest_platform(record: &ImageRecord, manifest: &ManifestRecord) -> ImagePlatform {
    let what = format!("platform of a part of {}", name(record));
    let platform = match &manifest.platform {
        Some(written) => platform(written, &what),
        None => Fact::unknown(what, "the engine does not say it, because its content is not here"),
    };
    ImagePlatform {
        platform,
        available: manifest.available,
        digest: Some(manifest.digest.clone()),
        size: manifest.size,
    }
}

/// Why a whole question to the engine failed, as a gap.
pub(crate) fn gap(what: impl Into<String>, error: &EngineError) -> Gap {
    Gap::new(what, error.to_string())
}
