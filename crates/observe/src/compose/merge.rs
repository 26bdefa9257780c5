//! What Compose makes of two descriptions of one service: the keys that are kept, by Compose's own rules.

use super::tree::{Content, Node, Tag};

/// Puts the services of a later file over those of earlier ones.
pub(super) fn services(base: &mut Node, later: Node) {
    let Content::Map(entries) = later.content else { return };
    let Some(known) = base.map_mut() else {
        *base = Node { content: Content::Map(entries), ..later };
        return;
    };
    for (name, service) in entries {
        match known.iter_mut().find(|(other, _)| *other == name) {
            Some((_, earlier)) => one(earlier, service),
            None => known.push((name, service)),
        }
    }
}

/// Puts a later description of a service over an earlier one.
pub(super) fn one(base: &mut Node, later: Node) {
    let Content::Map(entries) = later.content else { return };
    if base.map().is_none() {
        base.content = Content::Map(Vec::new());
    }
    let Some(known) = base.map_mut() else { return };
    for (key, value) in entries {
        let Some((_, earlier)) = known.iter_mut().find(|(other, _)| *other == key) else {
            known.push((key, value));
            continue;
        };
        match key.as_str() {
            _ if value.is_null() => {}
            "build" => build(earlier, value),
            "profiles" => append(earlier, value),
            _ => *earlier = value,
        }
    }
}

fn build(base: &mut Node, later: Node) {
    *base = spelled_out(base.clone());
    let Content::Map(entries) = spelled_out(later).content else { return };
    let Some(known) = base.map_mut() else { return };
    for (key, value) in entries {
        let Some((_, earlier)) = known.iter_mut().find(|(other, _)| *other == key) else {
            known.push((key, value));
            continue;
        };
        match key.as_str() {
            _ if value.is_null() => {}
            "platforms" => append(earlier, value),
            "args" => {
                let mut all = named(earlier);
                for (name, node) in named(&value) {
                    all.retain(|(known, _)| *known != name);
                    all.push((name, node));
                }
                earlier.content = Content::Map(all);
            }
            _ => *earlier = value,
        }
    }
}

/// `build: folder` is `build: {context: folder}`.
pub(super) fn spelled_out(build: Node) -> Node {
    match &build.content {
        Content::Scalar { .. } => {
            let mut map = build.empty();
            if let Some(entries) = map.map_mut() {
                entries.push(("context".to_owned(), build));
            }
            map
        }
        _ => build,
    }
}

/// Build arguments as a mapping, however they are written. Only names count here.
pub(super) fn named(args: &Node) -> Vec<(String, Node)> {
    match &args.content {
        Content::Map(entries) => entries.clone(),
        Content::List(items) => {
            let name = |item: &Node| Some(item.text()?.split('=').next()?.to_owned());
            items.iter().filter_map(|item| Some((name(item)?, item.clone()))).collect()
        }
        Content::Null | Content::Scalar { .. } => Vec::new(),
    }
}

fn append(base: &mut Node, later: Node) {
    match (&mut base.content, later.content) {
        (Content::List(items), Content::List(more)) => items.extend(more),
        (_, content) => base.content = content,
    }
}

/// Takes out of `base` what `later` takes back by a tag, and out of `later` what it only takes back.
pub(super) fn take_back(base: &mut Node, later: &mut Node) {
    let Some(entries) = later.map_mut() else { return };
    entries.retain_mut(|(key, value)| {
        let there = base.map_mut();
        match value.tag {
            Some(tag) => {
                if let Some(there) = there {
                    there.retain(|(known, _)| known != key);
                }
                tag == Tag::Override
            }
            None => {
                if let Some((_, earlier)) = there.and_then(|there| there.iter_mut().find(|(known, _)| known == key)) {
                    take_back(earlier, value);
                }
                true
            }
        }
    });
}
