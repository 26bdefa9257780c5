//! What lies inside images of the sample: the first example of each check about contents, under a name of the sample.

use silidock_diagnosis::{
    check::Verdict,
    checks::CATALOG,
    contents::{Contents, ImageContents},
};

/// Engine, check, image.
const INSIDES: [(&str, &str, &str); 9] = [
    ("docker-desktop", "foreign-binary", "acme/toolbox:1"),
    ("podman", "crlf-script", "acme/deploy:2"),
    ("podman", "missing-interpreter", "acme/backup:4"),
    ("podman", "bad-shebang", "acme/cron:1"),
    ("lima", "wrong-label", "acme/search:6"),
    ("rancher-desktop", "host-binary", "acme/store-api:8"),
    ("rancher-desktop", "missing-loader", "acme/store-sync:8"),
    ("rancher-desktop", "empty-executable", "acme/store-hooks:8"),
    ("finch", "truncated-executable", "acme/report:2"),
];

/// As if somebody had looked inside the images of this engine that have something to show.
pub(super) fn of(engine: &str) -> Option<Contents> {
    let here = INSIDES.iter().filter(|(on, ..)| *on == engine);
    let images: Vec<ImageContents> = here.filter_map(|(_, check, image)| troubled(check, image)).collect();
    (!images.is_empty()).then_some(Contents { images, missing: Vec::new() })
}

fn troubled(check: &str, image: &str) -> Option<ImageContents> {
    let check = CATALOG.iter().find(|known| known.id == check)?;
    let example = check.examples.iter().find(|example| matches!(example.verdict, Verdict::Fires))?;
    let found = (example.inventory)().contents?.images.into_iter().next()?;
    Some(ImageContents { subject: image.to_owned(), ..found })
}
