//! Runs the catalogue over an inventory. What could not be judged is said once, for all checks, here.

use std::cmp::Reverse;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    check::{Check, Context},
    checks::CATALOG,
    fact::Gap,
    finding::{Finding, Subject, SubjectKind},
    inventory::{Container, Inventory},
    silence::{Silenced, take_silenced},
};

/// What the checks say of one inventory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Examination {
    /// Worst first.
    pub findings: Vec<Finding>,
    /// Those that somebody allows on purpose; they are not among the findings.
    pub silenced: Vec<Silenced>,
    /// Checks that lacked a fact.
    pub not_judged: Vec<NotJudged>,
    /// Checks that have nothing to say about this kind of engine or machine.
    pub not_applicable: Vec<NotApplicable>,
}

/// A check that could not judge a subject, or anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct NotJudged {
    /// Which check.
    pub check: String,
    /// What it could not judge.
    pub subject: Subject,
    /// What was missing.
    pub gap: Gap,
}

/// A check that does not apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct NotApplicable {
    /// Which check.
    pub check: String,
    /// Why not.
    pub why: String,
}

/// Judges an inventory. Pure and total: the same inventory gives the same findings.
pub fn examine(inventory: &Inventory) -> Examination {
    let context = Context::new(inventory);
    let mut examination =
        Examination { findings: Vec::new(), silenced: Vec::new(), not_judged: Vec::new(), not_applicable: Vec::new() };
    for check in CATALOG {
        run(check, &context, &mut examination);
    }
    fold_superseded(&mut examination.findings);
    examination.silenced = take_silenced(inventory, &mut examination.findings);
    examination
        .findings
        .sort_by_key(|f| (f.severity, Reverse(f.confidence), Reverse(processor_time(&context, &f.subject))));
    examination
}

/// Processor time of the container a finding is about: among equals, what runs most costs most.
fn processor_time(context: &Context<'_>, subject: &Subject) -> u64 {
    let named = |c: &&(&Container, _)| subject.kind == SubjectKind::Container && c.0.name == subject.id;
    let used = context.containers.iter().find(named).and_then(|(c, _)| c.cpu_nanoseconds.known().copied());
    used.unwrap_or_default()
}

fn run(check: &Check, context: &Context<'_>, into: &mut Examination) {
    if let Err(why) = (check.applies)(context) {
        into.not_applicable.push(NotApplicable { check: check.id.to_owned(), why });
        return;
    }
    let engine = || Subject::new(SubjectKind::Engine, &context.inventory.engine.endpoint);
    let mut parts = Vec::new();
    for need in check.needs {
        let missing = context.missing(*need);
        if let Some(gap) = missing.whole {
            into.not_judged.push(NotJudged { check: check.id.to_owned(), subject: engine(), gap });
            return;
        }
        parts.extend(missing.parts);
    }
    parts.dedup();
    into.not_judged.extend(parts.into_iter().map(|(subject, gap)| NotJudged {
        check: check.id.to_owned(),
        subject,
        gap,
    }));
    into.findings.extend((check.run)(context));
}

pub(crate) fn fold_superseded(findings: &mut [Finding]) {
    let said: Vec<(String, &'static [&'static str], Subject)> = findings
        .iter()
        .filter_map(|finding| {
            let check = CATALOG.iter().find(|check| check.id == finding.check)?;
            (!check.supersedes.is_empty()).then(|| (finding.id.clone(), check.supersedes, finding.subject.clone()))
        })
        .collect();
    for finding in findings.iter_mut() {
        let better = said.iter().find(|(_, supersedes, subject)| {
            supersedes.contains(&finding.check.as_str())
                && subject.kind == finding.subject.kind
                && subject.id == finding.subject.id
        });
        finding.superseded_by = better.map(|(id, ..)| id.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        example::{container, index, inventory},
        fact::Fact,
        inventory::Listing,
    };

    #[test]
    fn a_more_exact_finding_folds_the_plain_one() {
        let mut seen = inventory("arm64");
        seen.images = Listing::of(vec![index("web:1", &[("linux/amd64", true), ("linux/arm64", true)])]);
        seen.containers = Listing::of(vec![
            container("web").image("web:1").platform("linux/amd64").processes(&["/run/rosetta/rosetta /app"]).build(),
        ]);
        let examination = examine(&seen);
        let exact = examination.findings.iter().find(|f| f.check == "needless-emulation").unwrap();
        let plain = examination.findings.iter().find(|f| f.check == "emulated-container").unwrap();
        assert_eq!(plain.superseded_by.as_ref(), Some(&exact.id));
        assert_eq!(exact.superseded_by, None);
    }

    #[test]
    fn a_missing_fact_is_said_and_never_fine() {
        let mut seen = inventory("arm64");
        let mut unread = container("web").platform("linux/amd64").processes(&[]).build();
        unread.processes = Fact::unknown("processes of web", "this engine has no ps");
        seen.containers = Listing::of(vec![unread]);
        let examination = examine(&seen);
        assert!(
            examination
                .findings
                .iter()
                .all(|f| f.check != "emulated-container" || f.confidence < crate::finding::Confidence::Certain)
        );
        assert!(examination.not_judged.iter().any(|n| n.gap.why.contains("no ps") && n.subject.id == "web"));

        seen.containers = Listing::missing(Gap::new("the list of containers", "the engine went away"));
        let examination = examine(&seen);
        let said = |id: &str| examination.not_judged.iter().filter(|n| n.check == id).count();
        assert_eq!(said("emulated-container"), 1, "once per check: {:?}", examination.not_judged);
    }

    #[test]
    fn findings_are_ordered_worst_and_surest_first() {
        let examination = examine(&crate::example::everything("arm64"));
        let order: Vec<_> = examination.findings.iter().map(|f| (f.severity, Reverse(f.confidence))).collect();
        assert!(order.is_sorted(), "{order:?}");
        assert!(order.len() > 4);
    }
}
