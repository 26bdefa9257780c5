//! Findings that somebody allows on purpose, with a reason: by a comment `silidock: allow check-id  reason` in the file that a
//! finding is about, or in the `[allow]` table of a project's `.silidock.toml`. They leave the list of findings and are
//! counted and listed by themselves; nothing disappears.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    checks::CATALOG,
    compose::{ComposeProject, Placed, ResolvedService, place},
    fact::Gap,
    finding::{Finding, Severity, Subject, SubjectKind},
    inventory::Inventory,
    reference::normalise,
};

/// What is allowed, and what of it could not be understood.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Silences {
    /// Each check that is allowed somewhere.
    pub allowed: Vec<Allowed>,
    /// What was meant to allow one and does not.
    pub gaps: Vec<Gap>,
}

/// A check that somebody allows somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Allowed {
    /// Its id, as written.
    pub check: String,
    /// Why, in their words.
    pub reason: String,
    /// The file that says so.
    pub path: String,
    /// Line of it, from 1.
    pub line: Option<u32>,
    /// Of what it is allowed.
    pub scope: AllowedScope,
}

/// Of what a check is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum AllowedScope {
    /// What stands on a line of the same file.
    Line {
        /// From 1.
        line: u32,
    },
    /// Everything in the same file.
    File,
    /// Everything in a project's folder.
    Folder {
        /// The folder.
        folder: String,
    },
    /// A service of the project in a folder.
    Service {
        /// The folder.
        folder: String,
        /// Its name.
        service: String,
    },
    /// An image, as the project in a folder uses it.
    Image {
        /// The folder.
        folder: String,
        /// Its reference.
        reference: String,
    },
}

/// A finding that is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Silenced {
    /// Id of the finding.
    pub id: String,
    /// Which check.
    pub check: String,
    /// How bad it is.
    pub severity: Severity,
    /// About what.
    pub subject: Subject,
    /// What, in one line.
    pub title: String,
    /// Why it is allowed, in the words of who did.
    pub reason: String,
    /// File and line that say so.
    pub said_by: String,
}

impl Silences {
    /// Everything that was meant to allow a check and allows none.
    pub fn not_understood(&self) -> impl Iterator<Item = Gap> {
        let unknown = |allowed: &&Allowed| CATALOG.iter().all(|check| check.id != allowed.check);
        let gap = |allowed: &Allowed| {
            let why = format!("there is no check {}, so it allows nothing", allowed.check);
            Gap::new(place(&allowed.path, allowed.line), why)
        };
        self.gaps.iter().cloned().chain(self.allowed.iter().filter(unknown).map(gap))
    }
}

/// Takes the findings out that are allowed, and what is folded under them.
pub(crate) fn take_silenced(inventory: &Inventory, findings: &mut Vec<Finding>) -> Vec<Silenced> {
    if inventory.silences.allowed.is_empty() {
        return Vec::new();
    }
    let allowed: Vec<(String, &Allowed)> =
        findings.iter().filter_map(|finding| Some((finding.id.clone(), allowing(inventory, finding)?))).collect();
    let by = |finding: &Finding| {
        let folded = finding.superseded_by.as_ref();
        allowed.iter().find(|(id, _)| *id == finding.id || Some(id) == folded).map(|(_, allowed)| *allowed)
    };
    let mut silenced = Vec::new();
    findings.retain(|finding| {
        let Some(allowed) = by(finding) else { return true };
        silenced.push(Silenced {
            id: finding.id.clone(),
            check: finding.check.clone(),
            severity: finding.severity,
            subject: finding.subject.clone(),
            title: finding.title.clone(),
            reason: allowed.reason.clone(),
            said_by: place(&allowed.path, allowed.line),
        });
        false
    });
    silenced
}

/// What allows a finding. One about an image that several services use is allowed only if it is for each of them.
fn allowing<'i>(inventory: &'i Inventory, finding: &Finding) -> Option<&'i Allowed> {
    let subject = &finding.subject;
    let all = || inventory.silences.allowed.iter().filter(|allowed| allowed.check == finding.check);
    if let Some(allowed) = all().find(|allowed| allowed.stands_at(subject)) {
        return Some(allowed);
    }
    let users = services_of(inventory, subject).into_iter();
    let by = users.map(|(project, service)| all().find(|allowed| allowed.counts_for(project, service)));
    by.collect::<Option<Vec<_>>>()?.first().copied()
}

impl Allowed {
    /// The finding's own place is where this counts.
    fn stands_at(&self, subject: &Subject) -> bool {
        let Some(path) = &subject.path else { return false };
        match &self.scope {
            AllowedScope::Line { line } => *path == self.path && subject.line == Some(*line),
            AllowedScope::File => *path == self.path,
            AllowedScope::Folder { folder } => Path::new(path).starts_with(folder),
            AllowedScope::Service { .. } | AllowedScope::Image { .. } => false,
        }
    }

    fn counts_for(&self, project: &ComposeProject, service: &ResolvedService) -> bool {
        let within = |folder: &str| {
            let own = project.working_dir.as_deref().map(|own| own.trim_end_matches('/'));
            own == Some(folder.trim_end_matches('/'))
        };
        match &self.scope {
            AllowedScope::Line { line } => {
                let placed = |placed: &Option<Placed>| {
                    placed.as_ref().is_some_and(|placed| placed.path == self.path && placed.line == Some(*line))
                };
                (service.path == self.path && service.line == Some(*line))
                    || placed(&service.image)
                    || placed(&service.platform)
            }
            AllowedScope::File => service.path == self.path,
            AllowedScope::Folder { folder } => within(folder),
            AllowedScope::Service { folder, service: name } => within(folder) && *name == service.name,
            AllowedScope::Image { folder, reference } => {
                let own = service.image.as_ref().and_then(|image| normalise(&image.value));
                within(folder) && own.is_some() && own == normalise(reference)
            }
        }
    }
}

/// The services that a subject belongs to.
fn services_of<'i>(inventory: &'i Inventory, subject: &Subject) -> Vec<(&'i ComposeProject, &'i ResolvedService)> {
    let all = inventory.projects.iter();
    let all = all.flat_map(|p| p.services.known().into_iter().flatten().map(move |service| (p, service)));
    let named = |project: &str, service: &str| {
        all.clone().filter(|(p, s)| p.name == project && s.name == service).collect::<Vec<_>>()
    };
    match subject.kind {
        SubjectKind::Service => {
            subject.id.split_once('/').map(|(project, service)| named(project, service)).unwrap_or_default()
        }
        SubjectKind::Container => {
            let container = inventory.containers.items.iter().find(|container| container.name == subject.id);
            let member = container.and_then(|container| container.compose.as_ref());
            member.map(|member| named(&member.project, &member.service)).unwrap_or_default()
        }
        SubjectKind::Image => {
            let wanted = normalise(&subject.id);
            let uses = |service: &ResolvedService| {
                wanted.is_some() && service.image.as_ref().and_then(|image| normalise(&image.value)) == wanted
            };
            all.filter(|(_, service)| uses(service)).collect()
        }
        SubjectKind::Engine | SubjectKind::Setting => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::Context,
        examine,
        example::{container, index, inventory, project},
        inventory::Listing,
        verdict::{tally, verdict},
    };

    /// Service web of shop, pinned foreign for nothing, and its container; line 2 names it, line 4 pins it.
    fn pinned() -> Inventory {
        let mut seen = inventory("arm64");
        seen.images = Listing::of(vec![index("web:1", &[("linux/amd64", true), ("linux/arm64", true)])]);
        seen.containers = Listing::of(vec![
            container("shop-web-1")
                .image("web:1")
                .platform("linux/amd64")
                .service("shop", "web")
                .processes(&["/run/rosetta/rosetta /app"])
                .build(),
        ]);
        seen.projects = vec![project("shop", "web", "web:1", Some("linux/amd64"))];
        seen
    }

    fn allow(check: &str, path: &str, scope: AllowedScope) -> Allowed {
        Allowed {
            check: check.to_owned(),
            reason: "on purpose".to_owned(),
            path: path.to_owned(),
            line: Some(1),
            scope,
        }
    }

    #[test]
    fn what_is_allowed_leaves_the_findings_and_is_listed() {
        let seen = pinned();
        let service = seen.projects[0].services.known().unwrap()[0].clone();
        let (file, folder) = (service.path.clone(), seen.projects[0].working_dir.clone().unwrap());
        let pin = service.platform.clone().unwrap().line.unwrap();
        let name = service.line.unwrap();
        let line = |line| AllowedScope::Line { line };
        let of_service = |name: &str| AllowedScope::Service { folder: folder.clone(), service: name.to_owned() };
        let of_image =
            |reference: &str| AllowedScope::Image { folder: folder.clone(), reference: reference.to_owned() };
        let both: &[&str] = &["needless-emulation", "emulated-container"];
        let rows: Vec<(&str, Allowed, &[&str])> = vec![
            ("on the pin's line", allow("pin-needless", &file, line(pin)), &["pin-needless"]),
            ("on the service's line", allow("pin-needless", &file, line(name)), &["pin-needless"]),
            ("on another line", allow("pin-needless", &file, line(99)), &[]),
            ("in another file", allow("pin-needless", "/elsewhere.yaml", line(pin)), &[]),
            ("in the whole file", allow("pin-needless", &file, AllowedScope::File), &["pin-needless"]),
            (
                "a container's, at its service, with what is folded",
                allow("needless-emulation", &file, line(name)),
                both,
            ),
            (
                "the plain one, and the exact one stays",
                allow("emulated-container", &file, line(name)),
                &["emulated-container"],
            ),
            ("the service", allow("needless-emulation", "t", of_service("web")), both),
            ("another service", allow("needless-emulation", "t", of_service("db")), &[]),
            (
                "the image's other spelling",
                allow("pin-needless", "t", of_image("docker.io/library/web:1")),
                &["pin-needless"],
            ),
            ("another image", allow("pin-needless", "t", of_image("web:2")), &[]),
            (
                "the folder",
                allow("pin-needless", "t", AllowedScope::Folder { folder: folder.clone() }),
                &["pin-needless"],
            ),
            ("another folder", allow("pin-needless", "t", AllowedScope::Folder { folder: "/other".to_owned() }), &[]),
            ("no such check", allow("pin-pointless", &file, AllowedScope::File), &[]),
        ];
        let before = examine(&seen).findings;
        for (name, allowed, expected) in rows {
            let mut seen = seen.clone();
            seen.silences.allowed = vec![allowed];
            let after = examine(&seen);
            let mut silenced: Vec<&str> = after.silenced.iter().map(|one| one.check.as_str()).collect();
            let mut wanted = expected.to_vec();
            silenced.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(silenced, wanted, "{name}");
            assert_eq!(after.findings.len() + silenced.len(), before.len(), "{name}: none is lost");
            assert!(
                after.silenced.iter().all(|one| one.reason == "on purpose" && one.said_by.ends_with(":1")),
                "{name}"
            );
            let odd: Vec<Gap> = seen.silences.not_understood().collect();
            assert_eq!(odd.len(), usize::from(name == "no such check"), "{name}: {odd:?}");
        }
    }

    #[test]
    fn an_image_of_two_services_is_allowed_by_both_or_not_at_all() {
        let mut seen = pinned();
        seen.projects.push(project("other", "db", "web:1", None));
        let subject = Subject::new(SubjectKind::Image, "web:1");
        assert_eq!(services_of(&seen, &subject).len(), 2);
        let allowed = |service: &str, folder: &str| {
            let scope = AllowedScope::Service { folder: folder.to_owned(), service: service.to_owned() };
            allow("wrong-label", "t", scope)
        };
        let mut finding = examine(&seen).findings[0].clone();
        (finding.check, finding.subject) = ("wrong-label".to_owned(), subject);
        let folders: Vec<String> = seen.projects.iter().map(|p| p.working_dir.clone().unwrap()).collect();
        seen.silences.allowed = vec![allowed("web", &folders[0])];
        assert_eq!(allowing(&seen, &finding), None);
        seen.silences.allowed.push(allowed("db", &folders[1]));
        assert!(allowing(&seen, &finding).is_some());
    }

    #[test]
    fn the_verdict_still_counts_what_runs() {
        let mut seen = pinned();
        let folder = seen.projects[0].working_dir.clone().unwrap();
        let every = CATALOG.iter().map(|check| allow(check.id, "t", AllowedScope::Folder { folder: folder.clone() }));
        seen.silences.allowed = every.collect();
        let examination = examine(&seen);
        assert_eq!(examination.findings, []);
        let words = verdict(&seen, &examination, &tally(&Context::new(&seen)));
        assert_eq!(words.headline, "The one running container runs emulated");
    }
}
