//! Which tags of a repository are newer than one, and in which order they are worth asking about: the same flavour
//! before others, `5.7` before `5.7.44`-like ones, the nearest version first. Knows no registry.

use std::cmp::Ordering;

use versions::Versioning;

/// Words that mark a version as not finished.
const UNFINISHED: [&str; 14] = [
    "rc", "alpha", "beta", "pre", "preview", "dev", "devel", "nightly", "snapshot", "canary", "edge", "test", "ea",
    "dmr",
];
/// Releases whose names mean one distribution, so that `bookworm` can follow `bullseye`.
const FAMILIES: [(&str, &[&str]); 2] = [
    ("debian", &["stretch", "buster", "bullseye", "bookworm", "trixie", "forky"]),
    ("ubuntu", &["xenial", "bionic", "focal", "jammy", "noble", "resolute"]),
];

/// A tag that names a version.
#[derive(Debug, Clone)]
struct Versioned<'a> {
    tag: &'a str,
    version: Versioning,
    /// Numbers in it: 2 for `5.7`.
    parts: usize,
    /// What stands around the version, without its separators: `debian`.
    flavour: String,
    /// The same without what changes from release to release: `alpine` for `alpine3.19`.
    family: String,
    finished: bool,
}

/// Tags newer than `current` in groups, the likeliest replacement first; within a group by version, nearest first.
/// None where `current` names no version.
pub(super) fn groups(current: &str, tags: &[String]) -> Option<Vec<Vec<String>>> {
    let current = parse(current)?;
    let mut candidates: Vec<((u8, bool), Versioned<'_>)> = tags
        .iter()
        .filter_map(|tag| parse(tag))
        .filter(|tag| tag.version > current.version && (tag.finished || !current.finished))
        .map(|tag| ((distance(&tag, &current), tag.parts != current.parts), tag))
        .collect();
    candidates.sort_by(|(a, one), (b, other)| {
        let versions = one.version.partial_cmp(&other.version).unwrap_or(Ordering::Equal);
        a.cmp(b).then(versions).then_with(|| one.tag.cmp(other.tag))
    });
    let mut groups: Vec<((u8, bool), Vec<String>)> = Vec::new();
    for (rank, tag) in candidates {
        match groups.last_mut() {
            Some((last, group)) if *last == rank => group.push(tag.tag.to_owned()),
            _ => groups.push((rank, vec![tag.tag.to_owned()])),
        }
    }
    Some(groups.into_iter().map(|(_, group)| group).collect())
}

/// The first number of the version a tag names.
pub(super) fn major(tag: &str) -> Option<String> {
    let start = tag.find(|c: char| c.is_ascii_digit())?;
    Some(tag[start..].chars().take_while(char::is_ascii_digit).collect())
}

/// How far a flavour is from the current one.
fn distance(tag: &Versioned<'_>, current: &Versioned<'_>) -> u8 {
    match tag {
        _ if tag.flavour == current.flavour => 0,
        _ if tag.family == current.family => 1,
        _ if tag.flavour.is_empty() => 2,
        _ => 3,
    }
}

fn parse(tag: &str) -> Option<Versioned<'_>> {
    // Signatures and attestations of cosign lie beside the images that they are about.
    if tag.starts_with("sha256-") {
        return None;
    }
    let start = tag.find(|c: char| c.is_ascii_digit())?;
    let (before, rest) = tag.split_at(start);
    let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, after) = rest.split_at(length);
    let number = number.trim_end_matches('.');
    // `3a7bd3e` and `9f86d081884c` are commits, `20240105` a day: neither says what follows what.
    let commit = after.starts_with(|c: char| c.is_ascii_alphanumeric()) && !unfinished(after);
    let part_too_long = number.split('.').any(|part| part.is_empty() || part.len() > 9);
    if commit || part_too_long || (tag.len() >= 7 && tag.chars().all(|c| c.is_ascii_hexdigit())) {
        return None;
    }
    let before = match before.trim_end_matches(['-', '_', '.']) {
        "v" | "V" | "release" | "version" => "",
        other => other,
    };
    let mut words: Vec<String> = [before, after]
        .into_iter()
        .flat_map(|side| side.split(['-', '_', '+']))
        .filter(|word| word.contains(|c: char| c.is_ascii_alphabetic()))
        .map(str::to_ascii_lowercase)
        .collect();
    let finished = !words.iter().any(|word| unfinished(word));
    words.retain(|word| !unfinished(word));
    Some(Versioned {
        tag,
        version: Versioning::new(number)?,
        parts: number.split('.').count(),
        family: words.iter().map(|word| family(word)).collect::<Vec<_>>().join("-"),
        finished,
        flavour: words.join("-"),
    })
}

fn family(word: &str) -> &str {
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    FAMILIES.iter().find(|(_, releases)| releases.contains(&stem)).map_or(stem, |(name, _)| name)
}

fn unfinished(word: &str) -> bool {
    let stem: String = word.chars().take_while(char::is_ascii_alphabetic).collect();
    let numbered = matches!(stem.as_str(), "a" | "b" | "m") && word.len() > 1;
    numbered || UNFINISHED.contains(&stem.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_newer_tag_of_the_same_flavour_comes_first() {
        for (current, tags, expected) in [
            (
                "5.7-debian",
                "5.6-debian 5.7-debian 8.0 8.0-debian 8.4-debian 8.0.36-debian 8.0-oracle 9.0.0-rc1-debian latest",
                Some("8.0-debian 8.4-debian|8.0.36-debian|8.0|8.0-oracle"),
            ),
            ("5.7", "5.7.44 8.0 10.1 9.2 8", Some("8.0 9.2 10.1|5.7.44 8")),
            ("1.9.3", "1.10.0 1.9.10 1.9.2", Some("1.9.10 1.10.0")),
            ("v1.2.0", "1.3.0 v1.3.1 v1.3.0-windows", Some("1.3.0 v1.3.1|v1.3.0-windows")),
            (
                "3.11-slim-bullseye",
                "3.12-slim-bookworm 3.12-slim 3.12-alpine3.19",
                Some("3.12-slim-bookworm|3.12-alpine3.19 3.12-slim"),
            ),
            ("16-alpine3.18", "17-alpine3.19 17-alpine3.20 17", Some("17-alpine3.19 17-alpine3.20|17")),
            ("2.0-rc1", "2.1-rc2 2.1", Some("2.1 2.1-rc2")),
            ("8.0", "9f86d081884c 20240105120000 1e10abc sha256-1.sig", Some("")),
            ("latest", "1.0 2.0", None),
            ("bookworm", "trixie", None),
        ] {
            let tags: Vec<String> = tags.split(' ').map(str::to_owned).collect();
            let found =
                groups(current, &tags).map(|groups| groups.iter().map(|g| g.join(" ")).collect::<Vec<_>>().join("|"));
            assert_eq!(found.as_deref(), expected, "{current}");
        }
        assert_eq!(major("v10.2").as_deref(), Some("10"));
    }
}
