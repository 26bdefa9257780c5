//! How the checks about contents speak: one finding for an image and a check, with the files as evidence.

use crate::{
    check::{Check, Context, Need, Words},
    checks::CATALOG,
    contents::{Contents, ImageContents, OddFile},
    examination::fold_superseded,
    finding::{Confidence, Evidence, Finding, Subject},
    fix::{Safety, Step},
    inventory::Inventory,
    text::count,
};

/// What the checks about contents say, without looking at anything else of the engine of this address. The findings are
/// those of a scan: same words, same ids. Worst first.
pub fn judge(endpoint: &str, contents: Contents) -> Vec<Finding> {
    let inventory = Inventory { contents: Some(contents), ..Inventory::not_looked_at(endpoint) };
    let context = Context::new(&inventory);
    let checks = CATALOG.iter().filter(|check| check.needs.contains(&Need::Contents));
    let mut findings: Vec<Finding> = checks.flat_map(|check| (check.run)(&context)).collect();
    fold_superseded(&mut findings);
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// What a check says of the files it is about.
pub(crate) struct Says {
    /// The finding in one line, of an image and at least one file.
    pub(crate) title: fn(&ImageContents, &[&OddFile]) -> String,
    /// Why it matters here.
    pub(crate) why: &'static str,
    /// The button.
    pub(crate) fix: &'static str,
    /// What to do.
    pub(crate) advice: &'static str,
}

/// Only where somebody asked to look inside.
pub(crate) fn applies(context: &Context<'_>) -> Result<(), String> {
    match &context.inventory.contents {
        Some(_) => Ok(()),
        None => Err("nobody asked to look inside images: silidock scan --inside".to_owned()),
    }
}

/// One finding for each image that has such files, but for those that are meant to be there.
pub(crate) fn findings(context: &Context<'_>, check: &'static Check, says: &Says) -> Vec<Finding> {
    let images = context.inventory.contents.iter().flat_map(|contents| &contents.images);
    images.filter_map(|image| finding(context, check, says, image)).collect()
}

fn finding(context: &Context<'_>, check: &'static Check, says: &Says, image: &ImageContents) -> Option<Finding> {
    let files: Vec<&OddFile> =
        image.odd.iter().filter(|file| file.check == check.id && file.intended.is_none()).collect();
    if files.is_empty() {
        return None;
    }
    let words = Words {
        title: (says.title)(image, &files),
        why: says.why.to_owned(),
        evidence: files.iter().map(|file| evidence(image, file)).collect(),
    };
    let finding = context.finding(check, Confidence::Certain, Subject::new(image.kind, &image.subject), words);
    // Made by another base image or a newer Dockerfile, the same label may be right.
    let rebuilt = image.platform.known().filter(|_| check.id == "wrong-label");
    let finding = finding.with_known_build(context, &image.subject, rebuilt);
    let tell = Step::Tell { text: says.advice.to_owned(), commands: Vec::new() };
    Some(finding.with_fix(
        says.fix,
        "Nothing is changed for you here: the file came into the image when it was built.",
        Safety::ShowOnly,
        vec![tell],
    ))
}

fn evidence(image: &ImageContents, file: &OddFile) -> Evidence {
    let number = usize::try_from(file.count).unwrap_or(usize::MAX);
    let many = if number > 1 { format!("{}: ", count(number, "file")) } else { String::new() };
    let first = if file.first { "run first, " } else { "" };
    let by = image.layers.get(file.layer.map_or(usize::MAX, |layer| layer as usize));
    let by = by.and_then(|layer| layer.created_by.as_deref()).map(|line| format!(" (brought by {line})"));
    Evidence::new(&file.path, format!("{many}{first}{}{}", file.detail, by.unwrap_or_default()))
}
