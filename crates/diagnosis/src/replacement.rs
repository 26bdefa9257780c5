//! Images without a native variant that have a known replacement, or that are known to have none. A small table with
//! its sources, `data/replacements.json`: whether a tag has a native variant is always the registry's answer, never
//! this table's.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::reference::normalise;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// Registry and repository: `docker.io/mailhog/mailhog`.
    pub image: String,
    /// The same of what to take instead; none where nothing native is known.
    pub instead: Option<String>,
    /// How it differs, in a sentence or two.
    pub words: String,
    /// Where that is written.
    pub source: String,
}

static TABLE: LazyLock<Vec<Replacement>> =
    // Part of the program: a table that does not parse fails the tests below, and replaces nothing.
    LazyLock::new(|| serde_json::from_str(include_str!("../data/replacements.json")).unwrap_or_default());

/// What is known to replace a reference's repository.
pub fn replacement(reference: &str) -> Option<&'static Replacement> {
    let full = normalise(reference)?;
    let name = full.split('@').next().unwrap_or_default();
    let repository = match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    };
    TABLE.iter().find(|row| row.image == repository)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_has_its_sources() {
        assert!(TABLE.len() >= 7, "it parses");
        for row in TABLE.iter() {
            assert_eq!(normalise(&row.image), Some(format!("{}:latest", row.image)), "written in full");
            assert!(row.source.starts_with("https://") && row.words.ends_with('.'), "{row:?}");
            assert_ne!(row.instead.as_ref(), Some(&row.image));
        }
    }

    #[test]
    fn rows_are_found_however_a_reference_is_spelled() {
        for (reference, expected) in [
            ("mailhog/mailhog", Some("docker.io/axllent/mailpit")),
            ("docker.io/mailhog/mailhog:v1.0.1", Some("docker.io/axllent/mailpit")),
            ("mailhog/mailhog@sha256:ab", Some("docker.io/axllent/mailpit")),
            ("ghcr.io/mailhog/mailhog", None),
            ("localhost:5000/mailhog", None),
        ] {
            assert_eq!(replacement(reference).and_then(|r| r.instead.as_deref()), expected, "{reference}");
        }
        assert_eq!(replacement("mcr.microsoft.com/mssql/server:2022-latest").unwrap().instead, None);
    }
}
