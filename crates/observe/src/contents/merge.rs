//! Puts layers above each other: what is deleted, replaced or covered above is gone; what is left knows its layer.

use std::collections::HashMap;

use silidock_executable::{Entry, FileRecord, PathText};

use super::{
    Found,
    entries::clean,
    summary::{Kept, Summary},
    trace::{Trace, folders_above, path_number},
};

/// Links are followed so often.
const FOLLOWED: usize = 40;

/// The records that are seen from above, by path. `layers` are lowest first.
pub(super) fn merge(mut layers: Vec<Summary>) -> Vec<Found> {
    settle(&mut layers);
    let hard_links = join_hard_links(&mut layers);
    let mut found: Vec<Found> = Vec::new();
    let mut above = Trace::default();
    for (layer, summary) in layers.into_iter().enumerate().rev() {
        let seen = |record: &FileRecord| !above.hides(&record.path.to_bytes());
        let kept = summary.kept.into_iter().filter(|kept| seen(&kept.record));
        found.extend(kept.map(|Kept { record, same_as }| Found { record, layer, same_as }));
        if layer > 0 {
            above.join(summary.trace);
        }
    }
    found.extend(hard_links);
    found.sort_by(|a, b| a.record.path.cmp(&b.record.path));
    found
}

/// Gives every record the path it has when its layer is unpacked onto those below: a file in `/lib64/x` lies in
/// `/usr/lib64/x` where a lower layer made `/lib64` a link and this one does not replace it.
fn settle(layers: &mut [Summary]) {
    let mut links: HashMap<u64, PathText> = HashMap::new();
    for summary in layers {
        if !links.is_empty() {
            let mut moved = Vec::new();
            for kept in &mut summary.kept {
                if let Some(path) = through_links(&kept.record.path.to_bytes(), &links, &summary.trace) {
                    moved.push(path_number(&path));
                    kept.record.path = PathText::from_bytes(&path);
                }
            }
            if !moved.is_empty() {
                let mut more = Trace { solid: moved, ..Trace::default() };
                more.finish();
                summary.trace.join(more);
            }
            links.retain(|number, _| !summary.trace.has(*number));
        }
        for kept in &summary.kept {
            if let Entry::Link { target } = &kept.record.entry {
                links.insert(path_number(&kept.record.path.to_bytes()), target.clone());
            }
        }
    }
}

/// The path behind links of lower layers among the folders above it; none where there are none.
fn through_links(path: &[u8], links: &HashMap<u64, PathText>, own: &Trace) -> Option<Vec<u8>> {
    let mut path = path.to_vec();
    let mut moved = false;
    for _ in 0..FOLLOWED {
        let step = folders_above(&path).find(|(_, number)| links.contains_key(number) && !own.has(*number));
        let Some((end, number)) = step else { break };
        let target = links.get(&number)?.to_bytes();
        let parent = path[..end].iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let from = if target.first() == Some(&b'/') { &[][..] } else { &path[..parent] };
        path = clean(&[from, b"/", &target, &path[end..]].concat()).0;
        moved = true;
    }
    moved.then_some(path)
}

/// Hard links whose file lies in a lower layer: records of their own, as far as they are seen.
fn join_hard_links(layers: &mut [Summary]) -> Vec<Found> {
    let mut found = Vec::new();
    if layers.iter().all(|summary| summary.links_below.is_empty()) {
        return found;
    }
    // Where each path was last seen, lowest layer first.
    let mut places: HashMap<u64, (usize, usize)> = HashMap::new();
    for layer in 0..layers.len() {
        for (path, target) in std::mem::take(&mut layers[layer].links_below) {
            let place = places.get(&path_number(&target.to_bytes()));
            let Some(kept) = place.and_then(|(layer, n)| layers[*layer].kept.get(*n)) else { continue };
            let bytes = path.to_bytes();
            if !layers[layer + 1..].iter().any(|above| above.trace.hides(&bytes)) {
                found.push(Found { record: FileRecord { path, ..kept.record.clone() }, layer, same_as: Some(target) });
            }
        }
        let numbers = layers[layer].kept.iter().map(|kept| path_number(&kept.record.path.to_bytes()));
        places.extend(numbers.enumerate().map(|(n, number)| (number, (layer, n))));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(files: &[&str], links: &[(&str, &str)], folders: &[&str], gone: &[&str]) -> Summary {
        let mut summary = Summary::default();
        let mut keep = |path: &str, entry: Entry| {
            let record = FileRecord { path: path.into(), mode: 0o755, uid: 0, gid: 0, entry };
            summary.kept.push(Kept { record, same_as: None });
            summary.trace.solid.push(path_number(path.as_bytes()));
        };
        files.iter().for_each(|path| keep(path, Entry::Special));
        links.iter().for_each(|(path, target)| keep(path, Entry::Link { target: (*target).into() }));
        summary.trace.solid.extend(gone.iter().map(|path| path_number(path.as_bytes())));
        summary.trace.folders.extend(folders.iter().map(|path| path_number(path.as_bytes())));
        summary.trace.finish();
        summary
    }

    fn paths(layers: Vec<Summary>) -> Vec<String> {
        merge(layers).into_iter().map(|found| format!("{} {}", found.layer, found.record.path)).collect()
    }

    #[test]
    fn upper_layers_replace_and_remove() {
        let layers = vec![
            layer(&["/a", "/b", "/dir/c", "/dir/d", "/was"], &[], &["/dir"], &[]),
            layer(&["/a"], &[], &["/was"], &["/dir/c"]),
            layer(&["/dir/c"], &[], &[], &["/b"]),
        ];
        assert_eq!(paths(layers), ["1 /a", "2 /dir/c", "0 /dir/d"]);
    }

    #[test]
    fn files_go_through_the_links_of_lower_layers() {
        let base = || layer(&["/usr/lib/x"], &[("/lib", "usr/lib"), ("/abs", "/usr")], &[], &[]);
        let above = layer(&["/lib/x", "/lib/new", "/abs/lib/y"], &[], &[], &[]);
        assert_eq!(paths(vec![base(), above]), ["0 /abs", "0 /lib", "1 /usr/lib/new", "1 /usr/lib/x", "1 /usr/lib/y"]);
        // A folder of its own replaces the link.
        let own = layer(&["/lib/x"], &[], &["/lib"], &[]);
        assert_eq!(paths(vec![base(), own]), ["0 /abs", "1 /lib/x", "0 /usr/lib/x"]);
        let round = layer(&["/r/x"], &[], &[], &[]);
        assert_eq!(paths(vec![layer(&[], &[("/r", "r")], &[], &[]), round]).len(), 2);
    }

    #[test]
    fn a_hard_link_may_lead_to_a_lower_layer() {
        let mut above = layer(&[], &[], &[], &[]);
        above.links_below.push(("/second".into(), "/first".into()));
        let found = merge(vec![layer(&["/first"], &[], &[], &[]), above]);
        assert_eq!(found[1].same_as, Some("/first".into()));
        assert_eq!((found.len(), found[1].layer), (2, 1));
    }
}
