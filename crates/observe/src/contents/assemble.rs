//! From what was read to the answer: layers with their gaps, the files that are seen, the sums.

use silidock_diagnosis::fact::Gap;

use super::{
    Contents, Counts, ImageSettings, Layer,
    entries::TarError,
    image::{Plan, PlannedLayer},
    merge::merge,
    summary::Summary,
};

/// A layer of the image and what was read of it; nothing where the archive does not have it.
pub(super) struct Part {
    pub(super) layer: PlannedLayer,
    pub(super) summary: Option<Summary>,
}

/// An image.
pub(super) fn image(plan: Plan, parts: Vec<Part>, broken: Option<&TarError>) -> Contents {
    let mut contents = together(parts, broken);
    contents.image = Some(plan.settings);
    contents.variant = Some(plan.chosen);
    contents.others = plan.others;
    contents
}

/// A plain file system.
pub(super) fn file_system(root: Summary, broken: Option<&TarError>) -> Contents {
    let layer = PlannedLayer { path: String::new(), digest: None, created_by: None };
    together(vec![Part { layer, summary: Some(root) }], broken)
}

/// Layers of an archive that broke off before it said how they belong together.
pub(super) fn loose_layers(layers: Vec<Summary>, broken: Option<&TarError>) -> Contents {
    let layer = || PlannedLayer { path: String::new(), digest: None, created_by: None };
    let parts = layers.into_iter().map(|summary| Part { layer: layer(), summary: Some(summary) }).collect();
    let mut contents = together(parts, broken);
    let why = "the archive has no list of its layers, or ends before it";
    contents.gaps.push(Gap::new("which image this is, and the order of its layers", why));
    contents
}

fn together(parts: Vec<Part>, broken: Option<&TarError>) -> Contents {
    let mut counts = Counts::default();
    let mut gaps: Vec<Gap> =
        broken.map(|error| Gap::new("the rest of the archive", error.to_string())).into_iter().collect();
    let mut layers = Vec::with_capacity(parts.len());
    let mut summaries = Vec::with_capacity(parts.len());
    let all = parts.len();
    for (n, part) in parts.into_iter().enumerate() {
        let place = format!("layer {} of {all}", n + 1);
        let gap = match &part.summary {
            None => Some(Gap::new(place.clone(), "the archive does not have it")),
            Some(summary) => summary.broken.as_ref().map(|why| Gap::new(format!("the rest of {place}"), why.clone())),
        };
        let summary = part.summary.unwrap_or_default();
        if summary.forgot {
            gaps.push(Gap::new(format!("what {place} hides of those below"), "it has more files than are remembered"));
        }
        counts.add(&summary.counts);
        gaps.extend(gap.clone());
        layers.push(Layer {
            digest: part.layer.digest,
            created_by: part.layer.created_by,
            compression: summary.compression.clone(),
            counts: summary.counts,
            gap,
        });
        summaries.push(summary);
    }
    if counts.left_out > 0 {
        gaps.push(Gap::new(format!("{} files and links", counts.left_out), "there are more than can be listed"));
    }
    if counts.skipped > 0 {
        gaps.push(Gap::new(format!("{} entries", counts.skipped), "their names or headers are longer than is read"));
    }
    Contents { image: None, variant: None, others: Vec::new(), layers, files: merge(summaries), counts, gaps }
}

/// Names of what the image starts: they are recorded whatever they are.
pub(super) fn started_names(settings: &ImageSettings) -> Vec<String> {
    let first = [settings.entrypoint.first(), settings.command.first()];
    let name = |word: &String| word.rsplit('/').next().map(str::to_owned);
    first.into_iter().flatten().filter_map(name).filter(|name| !name.is_empty()).collect()
}

/// Where what the image starts may lie.
pub(super) fn started_paths(settings: &ImageSettings) -> Vec<Vec<u8>> {
    let folders = settings.path.as_deref().unwrap_or("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let below = settings.working_dir.as_deref().unwrap_or("/");
    let mut paths = Vec::new();
    for word in [settings.entrypoint.first(), settings.command.first()].into_iter().flatten() {
        if word.starts_with('/') {
            paths.push(word.clone());
        } else {
            paths.push(format!("{below}/{word}"));
            paths.extend(folders.split(':').map(|folder| format!("{folder}/{word}")));
        }
    }
    paths.into_iter().map(|path| super::entries::clean(path.as_bytes()).0).collect()
}
