//! One pass over an archive whose documents may come last: every layer is summed up as it passes, and which of them the
//! image has is known at the end. An archive that is no image is a plain file system.

use std::collections::HashMap;

use super::{
    entries::{Entries, Head, Kind, TarError, clean},
    image::Documents,
    layer::{self, SNIFF, is_archive},
    summary::{Builder, Context, Summary},
    tape::{Origin, Part},
};

/// No document is longer, and all together are not.
pub(super) const LONGEST_DOCUMENT: u64 = 4 << 20;
const ALL_DOCUMENTS: usize = 24 << 20;
/// Links in the archive itself, which old engines use for a layer that stands in several images.
const MOST_LINKS: usize = 10_000;
const FOLLOWED: usize = 8;

/// What an archive held.
#[derive(Default)]
pub(super) struct Collected {
    documents: HashMap<String, Vec<u8>>,
    pub(super) layers: HashMap<String, Summary>,
    /// Names of the layers as they came.
    pub(super) order: Vec<String>,
    links: HashMap<String, String>,
    /// Everything as a plain file system.
    pub(super) root: Summary,
    /// Why the archive was not read to its end.
    pub(super) broken: Option<TarError>,
    /// Whether it has folders that only a file system has.
    pub(super) root_like: bool,
}

impl Collected {
    /// Where a path leads to through the archive's own links.
    pub(super) fn resolved<'a>(&'a self, path: &'a str) -> &'a str {
        resolve(&self.links, path)
    }
}

/// Follows links.
pub(super) fn resolve<'a>(links: &'a HashMap<String, String>, path: &'a str) -> &'a str {
    let mut path = path.strip_prefix("./").unwrap_or(path);
    for _ in 0..FOLLOWED {
        match links.get(path) {
            Some(target) => path = target,
            None => break,
        }
    }
    path
}

impl Documents for Collected {
    fn document(&self, path: &str) -> Option<Vec<u8>> {
        self.documents.get(self.resolved(path)).cloned()
    }

    fn has(&self, path: &str) -> bool {
        let path = self.resolved(path);
        self.documents.contains_key(path) || self.layers.contains_key(path)
    }
}

/// Reads an archive to its end.
pub(super) fn collect<O: Origin>(mut entries: Entries<O>, context: &Context) -> Collected {
    let mut all = Collected::default();
    let mut root = Builder::new(context, false);
    let mut room = ALL_DOCUMENTS;
    let broken = loop {
        let head = match entries.next() {
            Ok(Some(head)) => head,
            Ok(None) => break None,
            Err(error) => break Some(error),
        };
        if !all.root_like && is_root_like(&head.path) {
            all = Collected { root_like: true, ..Collected::default() };
        }
        let taken =
            if all.root_like { Ok(false) } else { part_of_image(&head, &mut entries, context, &mut all, &mut room) };
        let result = match taken {
            Ok(true) => Ok(()),
            Ok(false) => root.take(&head, &mut entries),
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            break Some(error);
        }
    };
    all.root = root.finish(None);
    all.root.counts.skipped += entries.skipped;
    all.broken = broken;
    all
}

/// Folders that no archive of an image has at its top.
pub(super) fn is_root_like(path: &[u8]) -> bool {
    let first = path[1..].split(|byte| *byte == b'/').next().unwrap_or_default();
    [&b"etc"[..], b"usr", b"bin", b"sbin", b"lib", b"lib64", b"proc", b"dev", b"var", b"home", b"root", b"opt"]
        .contains(&first)
}

/// The path in an archive as its documents write it.
pub(super) fn name_of(path: &[u8]) -> Option<String> {
    std::str::from_utf8(path.get(1..)?).ok().map(str::to_owned)
}

/// Where a link within the archive leads to.
pub(super) fn link_of(head: &Head) -> Option<String> {
    let target = match &head.kind {
        Kind::HardLink(target) => clean(target).0,
        Kind::Link(target) => {
            let parent = head.path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            clean(&[&head.path[..parent], b"/", target].concat()).0
        }
        _ => return None,
    };
    name_of(&target)
}

/// Whether the entry is a document or a layer, and was taken as such.
fn part_of_image<O: Origin>(
    head: &Head,
    entries: &mut Entries<O>,
    context: &Context,
    all: &mut Collected,
    room: &mut usize,
) -> Result<bool, TarError> {
    let Some(name) = name_of(&head.path) else { return Ok(false) };
    if let Some(target) = link_of(head) {
        if all.links.len() < MOST_LINKS {
            all.links.insert(name, target);
        }
        return Ok(false);
    }
    if head.kind != Kind::File || head.sparse.is_some() || name.split('/').count() > 4 {
        return Ok(false);
    }
    let first = entries.peek(SNIFF)?.to_vec();
    let is_json = matches!(first.first(), Some(b'{' | b'['));
    let size = usize::try_from(head.size).unwrap_or(usize::MAX);
    if is_json && head.size <= LONGEST_DOCUMENT && size <= *room && !is_needless(&name) {
        let mut bytes = vec![0; size];
        entries.content(&mut bytes)?;
        *room -= size;
        all.documents.insert(name, bytes);
        return Ok(true);
    }
    let empty_layer = name.ends_with("layer.tar") && first.iter().all(|byte| *byte == 0);
    if !is_archive(&first) && !empty_layer {
        return Ok(false);
    }
    let (begin, length) = (entries.position(), entries.left());
    let summary = layer::read(&first, Part::new(entries.tape(), length), context);
    entries.taken(entries.position() - begin);
    all.order.push(name.clone());
    all.layers.insert(name, summary);
    Ok(true)
}

/// What old engines put beside each layer for engines that are older still.
fn is_needless(name: &str) -> bool {
    name.ends_with("/json") || name == "repositories"
}
