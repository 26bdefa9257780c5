//! Which later change touched the same as an earlier one: where an undo is refused, that one has to be undone first. Whether an
//! undo is refused is not decided here.

use std::collections::BTreeSet;

use silidock_remedy::{Journal, Listed, Receipt, State};

/// The newest change after this one that touched something of it and still holds, in a sentence.
pub(crate) fn undone_first(journal: &Journal, id: &str) -> Option<String> {
    let all = journal.list().ok()?;
    let place = all.iter().position(|listed| listed.id() == id)?;
    let mut newest_first = all.iter().filter_map(|listed| match listed {
        Listed::Whole { receipt } => Some(receipt),
        Listed::Damaged { .. } => None,
    });
    let mine = newest_first.clone().find(|receipt| receipt.id == id).map(touched)?;
    let newer: BTreeSet<&str> = all.iter().take(place).map(Listed::id).collect();
    let later = newest_first.find(|receipt| {
        newer.contains(receipt.id.as_str())
            && matches!(receipt.state, State::Applied | State::Started)
            && !touched(receipt).is_disjoint(&mine)
    })?;
    Some(format!("\"{}\" came later and touched the same; undo that first: silidock undo {}", later.title, later.id))
}

/// Files, names of images and containers.
fn touched(receipt: &Receipt) -> BTreeSet<(&'static str, &str)> {
    let files = receipt.changes.iter().map(|change| ("file", change.path.as_str()));
    let build = receipt.build.as_deref();
    let images = build.into_iter().flat_map(|build| &build.images).map(|image| ("image", image.reference.as_str()));
    let renewed = build.into_iter().flat_map(|build| &build.containers);
    let records = receipt.engine.as_deref().into_iter().chain(renewed);
    let containers = records.filter_map(|record| record.old.as_ref()).map(|old| ("container", old.name.as_str()));
    files.chain(images).chain(containers).collect()
}
