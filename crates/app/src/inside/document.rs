//! The document of one look inside, made of what the survey says.

use std::collections::BTreeMap;

use silidock_diagnosis::{
    checks::find,
    contents::{Contents, ImageContents, OddFile, Survey, rule},
    contents_findings::judge,
    finding::Severity,
    schema::Schema,
};

use super::wire::{InsideDocument, InsideFolder, InsideLayer, InsideProblem, InsideRule};

/// More folders are not listed; what they hold is in the counts.
const MOST_FOLDERS: usize = 20_000;

/// The document of a survey, made on the engine of this address.
pub(super) fn document(survey: Survey, fallback: Option<String>, endpoint: &str) -> InsideDocument {
    let Survey { contents, folders } = survey;
    let problems: Vec<InsideProblem> = contents.odd.iter().map(|file| problem(&contents, file)).collect();
    let mut layers: Vec<InsideLayer> = contents
        .layers
        .iter()
        .map(|layer| InsideLayer {
            digest: layer.digest.clone(),
            created_by: layer.created_by.clone(),
            by_arch: BTreeMap::new(),
        })
        .collect();
    let mut listed: BTreeMap<String, InsideFolder> = BTreeMap::new();
    for (path, holds) in folders {
        let folder = empty(&path);
        let folder = listed.entry(path).or_insert(folder);
        for ((platform, layer), count) in holds {
            *folder.by_arch.entry(platform.clone()).or_default() += count;
            let Some(number) = layer else { continue };
            if !folder.layers.contains(&number) {
                folder.layers.push(number);
            }
            if let Some(layer) = layers.get_mut(number as usize) {
                *layer.by_arch.entry(platform).or_default() += count;
            }
        }
    }
    for (number, problem) in problems.iter().enumerate() {
        let path = if problem.count > 1 { problem.path.as_str() } else { above(&problem.path) };
        let folder = listed.entry(path.to_owned()).or_insert_with(|| empty(path));
        folder.problems.push(u32::try_from(number).unwrap_or(u32::MAX));
    }
    let crowded = listed.len() > MOST_FOLDERS;
    let folders = listed.into_values().filter(|folder| !crowded || !folder.problems.is_empty()).collect();
    InsideDocument {
        schema: Schema,
        subject: contents.subject.clone(),
        kind: contents.kind,
        platform: contents.platform.clone(),
        via: contents.via,
        fallback,
        files: contents.files,
        executables: contents.executables.clone(),
        start: contents.start.clone(),
        gaps: contents.gaps.clone(),
        findings: judge(endpoint, Contents { images: vec![contents], missing: Vec::new() }),
        problems,
        layers,
        folders,
    }
}

fn empty(path: &str) -> InsideFolder {
    InsideFolder { path: path.to_owned(), by_arch: BTreeMap::new(), layers: Vec::new(), problems: Vec::new() }
}

fn above(path: &str) -> &str {
    path.rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder })
}

fn problem(contents: &ImageContents, file: &OddFile) -> InsideProblem {
    let layer = file.layer.and_then(|number| contents.layers.get(number as usize));
    let rule = file
        .intended
        .as_deref()
        .map(|id| InsideRule { id: id.to_owned(), why: rule(id).map_or_else(String::new, |rule| rule.why.to_owned()) });
    InsideProblem {
        check: file.check.clone(),
        severity: find(&file.check).map_or(Severity::Note, |check| check.severity),
        path: file.path.clone(),
        arch: file.arch.clone(),
        detail: file.detail.clone(),
        first: file.first,
        count: file.count,
        examples: file.examples.clone(),
        layer: file.layer,
        created_by: layer.and_then(|layer| layer.created_by.clone()),
        intended: rule.is_some(),
        rule,
    }
}
