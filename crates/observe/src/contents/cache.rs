//! What is known of layers from before. Where it is kept is the caller's; what is kept, and whether it still fits, is here.

use super::{
    ImageSettings, Request,
    assemble::{started_names, started_paths},
    summary::Summary,
    trace::{Trace, path_number},
};

/// Keeps bytes by a key: in memory, in files. Keys are text of up to some hundred characters, and no names of files.
/// Bytes that come back changed are noticed and not used.
pub trait LayerCache: Send + Sync {
    /// What was kept.
    fn get(&self, key: &str) -> Option<Vec<u8>>;
    /// Keeps it, or not: nothing depends on it.
    fn put(&self, key: &str, bytes: &[u8]);
}

/// Part of every key: raised when what is kept, or how a file is judged, changes.
const VERSION: &str = concat!("1-", env!("CARGO_PKG_VERSION"));

pub(super) fn full_key(key: &str) -> String {
    format!("{VERSION}/{key}")
}

/// What is known of a layer; none too where the image starts a file that was of no interest when the layer was read.
pub(super) fn known(request: &Request, key: &str, settings: &ImageSettings) -> Option<Summary> {
    let started = started_names(settings);
    if !request.names.iter().all(|name| started.contains(name)) {
        return None;
    }
    let summary = decode(&request.cache.as_ref()?.get(&full_key(key))?)?;
    let recorded = |path: &[u8]| summary.kept.iter().any(|kept| kept.record.path.to_bytes() == path);
    let solid = |path: &[u8]| summary.trace.solid.binary_search(&path_number(path)).is_ok();
    let unknown = started_paths(settings).iter().any(|path| solid(path) && !recorded(path));
    (!unknown).then_some(summary)
}

/// Keeps what was read of a layer, if that is all there is.
pub(super) fn remember(request: &Request, key: &str, summary: &Summary) {
    let whole = summary.broken.is_none() && !summary.forgot && summary.counts.left_out == 0;
    if let (Some(cache), true) = (&request.cache, whole)
        && let Some(bytes) = encode(summary)
    {
        cache.put(&full_key(key), &bytes);
    }
}

/// A checksum, then for each part its length and bytes: the records as JSON, the traces as numbers.
pub(super) fn encode(summary: &Summary) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 8];
    let mut part = |content: &[u8]| {
        bytes.extend((content.len() as u64).to_le_bytes());
        bytes.extend(content);
    };
    part(&serde_json::to_vec(summary).ok()?);
    for numbers in [&summary.trace.solid, &summary.trace.folders, &summary.trace.opaque] {
        part(&numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>());
    }
    let sum = path_number(&bytes[8..]);
    bytes[..8].copy_from_slice(&sum.to_le_bytes());
    Some(bytes)
}

pub(super) fn decode(bytes: &[u8]) -> Option<Summary> {
    let (sum, mut rest) = bytes.split_first_chunk::<8>()?;
    if path_number(rest) != u64::from_le_bytes(*sum) {
        return None;
    }
    let mut part = || {
        let (length, after) = rest.split_first_chunk::<8>()?;
        let (content, after) = after.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        rest = after;
        Some(content)
    };
    let mut summary: Summary = serde_json::from_slice(part()?).ok()?;
    let numbers = |content: &[u8]| content.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
    summary.trace = Trace { solid: numbers(part()?), folders: numbers(part()?), opaque: numbers(part()?) };
    Some(summary)
}
