//! Looking at what came out: platforms on the engine, the programs in them, or what the registry says.

use std::{collections::BTreeMap, sync::Arc};

use silidock_diagnosis::{fact::Fact, finding::SubjectKind, schema::Schema};
use silidock_remedy::{Receipt, Verified};

use super::{
    Prepared,
    plan::image_state,
    wire::{BuiltOutcome, CheckedPlatform, PlannedBuild, RebuildOutcome, RebuildOutput},
};
use crate::{
    failure::Failure,
    session::App,
    wire::{InsideDocument, InsideRequest, RegistryReference, RegistryRequest, ScanRequest},
};

/// Findings of a look inside that say "this is not what it is labelled as".
const OF_ANOTHER_PLATFORM: [&str; 3] = ["wrong-label", "foreign-binary", "host-binary"];

impl App {
    /// Looks at everything that was built, and notes what was found.
    pub(super) async fn looked_at(
        self: &Arc<Self>,
        prepared: &Prepared,
        receipt: Receipt,
    ) -> Result<RebuildOutcome, Failure> {
        let looked = self.scan(ScanRequest::default()).await;
        let mut builds = Vec::new();
        for planned in &prepared.builds {
            builds.push(self.outcome_of(planned, &receipt, looked.is_ok()).await);
        }
        let verified = worst(builds.iter().flat_map(|build| &build.checked).map(|checked| checked.verified));
        let words = match verified {
            Verified::Verified => "Looked again: everything is what was wanted.",
            Verified::StillPresent => "Looked again: the result is not what was wanted.",
            Verified::CouldNotTell => "Built, but not everything could be looked at again.",
        };
        let words = self.noted(&receipt.id, verified, words.to_owned()).await?;
        let containers = Vec::new();
        Ok(RebuildOutcome { schema: Schema, receipt: receipt.id, applied: true, verified, words, builds, containers })
    }

    async fn outcome_of(self: &Arc<Self>, planned: &PlannedBuild, receipt: &Receipt, looked: bool) -> BuiltOutcome {
        let reference = planned.references.first().cloned().unwrap_or_default();
        let record = receipt.build.iter().flat_map(|record| &record.images);
        let kept = record.filter(|image| image.reference == reference).find_map(|image| image.kept.clone());
        let mut outcome = BuiltOutcome {
            output: planned.output,
            before: planned.before.clone(),
            after: None,
            kept,
            checked: Vec::new(),
            pushed: None,
            reference,
        };
        let wanted = planned.platforms.iter().map(|planned| planned.platform.clone());
        match planned.output {
            RebuildOutput::Push => {
                let read = self.read_back(&outcome.reference).await;
                outcome.checked = wanted.map(|platform| pushed(&read, platform)).collect();
                outcome.pushed = read.ok();
            }
            RebuildOutput::Load => {
                let inventory = self.seen().ok().filter(|_| looked).map(|seen| seen.inventory);
                outcome.after = inventory.as_ref().and_then(|inventory| image_state(inventory, &outcome.reference));
                for platform in wanted {
                    outcome.checked.push(self.checked(&outcome.reference, platform).await);
                }
            }
        }
        outcome
    }

    /// What the registry says, asked anew.
    async fn read_back(self: &Arc<Self>, reference: &str) -> Result<RegistryReference, String> {
        let request = RegistryRequest { references: vec![reference.to_owned()], ..RegistryRequest::default() };
        let answered = self.registry(request).await.map_err(|failure| failure.message)?;
        answered.references.into_iter().next().ok_or_else(|| "the registry said nothing".to_owned())
    }

    /// Looks inside one platform of the result.
    async fn checked(self: &Arc<Self>, reference: &str, platform: String) -> CheckedPlatform {
        let request = InsideRequest {
            subject: reference.to_owned(),
            kind: Some(SubjectKind::Image),
            platform: Some(platform.clone()),
            ..InsideRequest::default()
        };
        match self.inside(request).await {
            Ok(document) => of_inside(&document, platform),
            Err(failure) => CheckedPlatform {
                words: format!("it could not be looked into: {}", failure.message),
                verified: Verified::CouldNotTell,
                executables: BTreeMap::new(),
                platform,
            },
        }
    }
}

fn of_inside(document: &InsideDocument, platform: String) -> CheckedPlatform {
    let executables: BTreeMap<String, u64> =
        document.executables.by_arch.iter().map(|(arch, count)| (arch.clone(), *count)).collect();
    let label = document.platform.known().map(ToString::to_string);
    let wrong = document.problems.iter().find(|p| !p.intended && OF_ANOTHER_PLATFORM.contains(&p.check.as_str()));
    let (verified, words) = match (&label, wrong) {
        (Some(label), None) if *label == platform => {
            let held: Vec<String> = executables.iter().map(|(arch, count)| format!("{count} {arch}")).collect();
            let held = if held.is_empty() { "no programs".to_owned() } else { held.join(", ") };
            (Verified::Verified, format!("is {label}, and holds {held}"))
        }
        (Some(label), None) => (Verified::StillPresent, format!("says {label}")),
        (_, Some(problem)) => (Verified::StillPresent, format!("{}: {}", problem.path, problem.detail)),
        (None, None) => match &document.platform {
            Fact::Unknown { unknown } => (Verified::CouldNotTell, format!("{}: {}", unknown.what, unknown.why)),
            Fact::Known(_) => (Verified::CouldNotTell, "its platform is not known".to_owned()),
        },
    };
    CheckedPlatform { platform, verified, words, executables }
}

fn pushed(read: &Result<RegistryReference, String>, platform: String) -> CheckedPlatform {
    let says = read.as_ref().map_err(Clone::clone).and_then(|read| match &read.platforms {
        Fact::Known(platforms) => Ok(platforms.iter().any(|known| known.to_string() == platform)),
        Fact::Unknown { unknown } => Err(unknown.why.clone()),
    });
    let (verified, words) = match says {
        Ok(true) => (Verified::Verified, "is in the registry".to_owned()),
        Ok(false) => (Verified::StillPresent, "is not in the registry".to_owned()),
        Err(why) => (Verified::CouldNotTell, format!("the registry could not be asked: {why}")),
    };
    CheckedPlatform { platform, verified, words, executables: BTreeMap::new() }
}

pub(super) fn worst(all: impl Iterator<Item = Verified>) -> Verified {
    let mut worst = Verified::Verified;
    for one in all {
        worst = match (worst, one) {
            (Verified::StillPresent, _) | (_, Verified::StillPresent) => Verified::StillPresent,
            (Verified::CouldNotTell, _) | (_, Verified::CouldNotTell) => Verified::CouldNotTell,
            (Verified::Verified, Verified::Verified) => Verified::Verified,
        };
    }
    worst
}
