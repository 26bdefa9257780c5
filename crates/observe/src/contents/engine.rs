//! Images and containers of an engine, by its long answers: the engine sends, a thread reads, and between them lie a few
//! pieces only. What is known of all layers of an image is not asked for again.

use std::{
    io::{self, Read},
    pin::pin,
};

use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use silidock_engine::{Engine, EngineError, PlatformRecord};
use tokio::sync::mpsc;

use super::{
    Contents, ContentsError, ImageSettings, Request, Variant,
    archive::one_pass_with_parts,
    assemble::{Part, image},
    cache,
    image::{Plan, PlannedLayer},
    summary::Summary,
    tape::Forward,
};

/// Pieces that wait to be read; one is some hundred kilobytes at most.
const WAITING: usize = 8;

/// Reads an image that the engine has, by the stream of `docker save`. A name in the request is not used.
///
/// # Errors
/// The engine does not give it, or nothing at all of it could be read. Anything less is a gap.
pub async fn read_image(engine: &Engine, image: &str, request: &Request) -> Result<Contents, ContentsError> {
    let about = engine.inspect_image(image).await?;
    let key =
        format!("image/{}/{}", about.id, request.wanted.platform.as_ref().map(ToString::to_string).unwrap_or_default());
    if let Some(contents) = known(request, &key) {
        return Ok(contents);
    }
    let platform = request.wanted.platform.as_ref().map(|platform| PlatformRecord {
        os: platform.os.clone(),
        architecture: platform.architecture.clone(),
        variant: platform.variant.clone().unwrap_or_default(),
    });
    let mut request = request.clone();
    request.wanted.name = None;
    let stream = engine.save_image(image, platform.as_ref());
    let (contents, parts) = read(stream, image.to_owned(), request.clone()).await?;
    remember(&request, &key, &contents, &parts);
    Ok(contents)
}

/// Reads a container's file system as it is now. It has no layers; what its image says is the image's.
///
/// # Errors
/// As [`read_image`].
pub async fn read_container(engine: &Engine, container: &str, request: &Request) -> Result<Contents, ContentsError> {
    let stream = engine.export_container(container);
    let (contents, _) = read(stream, container.to_owned(), request.clone()).await?;
    Ok(contents)
}

type WithLayers = (Contents, Vec<(PlannedLayer, Summary)>);

async fn read<B: AsRef<[u8]> + Send + 'static>(
    stream: impl Stream<Item = Result<B, EngineError>>,
    what: String,
    request: Request,
) -> Result<WithLayers, ContentsError> {
    let mut stream = pin!(stream);
    let (sender, receiver) = mpsc::channel(WAITING);
    let watch = request.watch.clone();
    let reading = tokio::task::spawn_blocking(move || {
        one_pass_with_parts(Forward(Pieces { receiver, piece: None, at: 0 }), &what, &request)
    });
    let mut failed = None;
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|error| failed = Some(error)).ok();
        let last = piece.is_none();
        // Nobody takes it any more: what was wanted is known, or somebody stopped.
        if sender.send(piece).await.is_err() || last || watch.check().is_err() {
            break;
        }
    }
    drop(sender);
    let read = reading.await.unwrap_or(Err(ContentsError::Stopped));
    match (read, failed) {
        (Err(ContentsError::NotAnImage { .. }), Some(error)) => Err(error.into()),
        (read, _) => read,
    }
}

/// Pieces from a channel as bytes to read. A piece that is none says that the engine broke off.
struct Pieces<B> {
    receiver: mpsc::Receiver<Option<B>>,
    piece: Option<B>,
    at: usize,
}

impl<B: AsRef<[u8]>> Read for Pieces<B> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(piece) = &self.piece {
                let there = &piece.as_ref()[self.at..];
                if !there.is_empty() {
                    let length = there.len().min(buffer.len());
                    buffer[..length].copy_from_slice(&there[..length]);
                    self.at += length;
                    return Ok(length);
                }
            }
            (self.piece, self.at) = match self.receiver.blocking_recv() {
                None => return Ok(0),
                Some(None) => return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the engine broke off")),
                Some(piece) => (piece, 0),
            };
        }
    }
}

/// What is kept of an image: what its documents say. Its layers are kept by themselves.
#[derive(Serialize, Deserialize)]
struct Known {
    settings: ImageSettings,
    chosen: Variant,
    others: Vec<Variant>,
    layers: Vec<(String, Option<String>)>,
}

fn layer_key(digest: &str) -> String {
    format!("layer/{digest}")
}

/// The contents without asking, where all layers are known.
fn known(request: &Request, key: &str) -> Option<Contents> {
    let bytes = request.cache.as_ref()?.get(&cache::full_key(key))?;
    let known: Known = serde_json::from_slice(&bytes).ok()?;
    let parts = known.layers.into_iter().map(|(digest, created_by)| {
        let summary = cache::known(request, &layer_key(&digest), &known.settings)?;
        Some(Part {
            layer: PlannedLayer { path: String::new(), digest: Some(digest), created_by },
            summary: Some(summary),
        })
    });
    let parts: Vec<Part> = parts.collect::<Option<_>>()?;
    let plan = Plan { settings: known.settings, layers: Vec::new(), chosen: known.chosen, others: known.others };
    Some(image(plan, parts, None))
}

/// An engine has checked the digests of what it has, so they tell its layers.
fn remember(request: &Request, key: &str, contents: &Contents, parts: &[(PlannedLayer, Summary)]) {
    let (Some(cache), Some(settings), Some(chosen)) = (&request.cache, &contents.image, &contents.variant) else {
        return;
    };
    let whole = contents.gaps.is_empty() && parts.len() == contents.layers.len();
    let layers = parts.iter().map(|(layer, _)| Some((layer.digest.clone()?, layer.created_by.clone())));
    let (true, Some(layers)) = (whole, layers.collect::<Option<Vec<_>>>()) else { return };
    for (layer, summary) in parts {
        if let Some(digest) = &layer.digest {
            cache::remember(request, &layer_key(digest), summary);
        }
    }
    let known = Known { settings: settings.clone(), chosen: chosen.clone(), others: contents.others.clone(), layers };
    if let Ok(bytes) = serde_json::to_vec(&known) {
        cache.put(&cache::full_key(key), &bytes);
    }
}
