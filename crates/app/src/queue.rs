//! "Fix all safe ones": every fix that cannot make anything worse, previewed together and carried out one after the other. The first
//! that fails ends it; what was done before stays, each with a receipt of its own. And any fix, or all of these, as a script.

use std::sync::Arc;

use silidock_diagnosis::{
    finding::Finding,
    fix::{Fix, Safety, Step},
    inventory::Inventory,
    schema::Schema,
};
use silidock_engine::Endpoint;
use silidock_remedy::{
    Verified,
    script::{Reach, script},
};

use crate::{
    failure::{Failure, FailureCode},
    session::{App, Source},
    wire::{
        AllSafeOutcome, AllSafePreview, AllSafeRequest, ApplyRequest, ChangeProgress, Event, FixFailed, FixLeft,
        FixPreview, FixRequest, Nothing, ScriptDocument, ScriptRequest,
    },
};

impl App {
    /// Shows everything that would be done.
    ///
    /// # Errors
    /// Nothing was looked at yet.
    pub async fn preview_all_safe(self: &Arc<Self>, _: Nothing) -> Result<AllSafePreview, Failure> {
        self.ask_written().await?;
        let (scan, inventory) = (self.last_scan()?, self.last_inventory()?);
        let (mut fixes, mut left) = (Vec::new(), Vec::new());
        let mut touched: Vec<String> = Vec::new();
        for finding in scan.findings.iter().filter(|finding| finding.superseded_by.is_none()) {
            let Some(fix) = finding.fixes.iter().find(|fix| fix.safety == Safety::Safe) else {
                left.extend(tied(&inventory, finding));
                continue;
            };
            let things = things(fix);
            let why = match things.iter().any(|thing| touched.contains(thing)) {
                true => Some("another of these fixes changes the same; look again afterwards".to_owned()),
                false => {
                    let shown =
                        self.preview_fix(FixRequest { finding: finding.id.clone(), option: fix.option }).await?;
                    let why = match (&shown.preview.refused, shown.fix.safety) {
                        (Some(refusal), _) => Some(refusal.why.clone()),
                        (None, Safety::Safe) => None,
                        (None, _) => Some(shown.preview.review.join(" ")),
                    };
                    if why.is_none() {
                        touched.extend(things);
                        fixes.push(shown);
                    }
                    why
                }
            };
            left.extend(why.map(|why| not_now(finding, fix, why)));
        }
        Ok(AllSafePreview { schema: Schema, fixes, left })
    }

    /// Asks what would be lost by making containers anew, which a look does not: it decides which fixes are safe.
    ///
    /// # Errors
    /// Nothing was looked at yet.
    pub async fn ask_written(&self) -> Result<(), Failure> {
        if let Source::Engine(engine) = self.source()? {
            let _turn = self.looking.lock().await;
            let mut inventory = self.last_inventory()?;
            silidock_observe::ask_written(&engine, &mut inventory).await;
            self.remember(self.next_generation(), inventory);
        }
        Ok(())
    }

    /// Carries them out, in the order in which they were shown.
    ///
    /// # Errors
    /// None of them was begun; a fix that fails is part of the answer.
    pub async fn apply_all_safe(self: &Arc<Self>, request: AllSafeRequest) -> Result<AllSafeOutcome, Failure> {
        let unsafe_one = request.fixes.iter().any(|wanted| {
            let previews = &self.session().previews;
            previews
                .get(&wanted.token)
                .is_none_or(|(_, fix, preview)| fix.safety != Safety::Safe || !preview.review.is_empty())
        });
        if unsafe_one {
            return Err(Failure::new(
                FailureCode::Changed,
                "These fixes were not previewed together, or were already applied.",
            )
            .hint("Look at the preview again."));
        }
        let (mut done, mut failed, mut not_begun) = (Vec::new(), None, Vec::new());
        let of = request.fixes.len();
        for (place, wanted) in request.fixes.into_iter().enumerate() {
            if failed.is_some() {
                not_begun.push(wanted.finding);
                continue;
            }
            let words = format!("Fix {} of {of}", place + 1);
            self.tell(Event::Change { progress: ChangeProgress { words, done: None, total: None } });
            let finding = wanted.finding.clone();
            match self.apply_fix(wanted).await {
                Ok(outcome) if outcome.verified == Verified::StillPresent => {
                    let failure =
                        Failure::new(FailureCode::Changed, format!("It was done and did not help: {}", outcome.words));
                    done.push(outcome);
                    failed = Some(FixFailed { finding, failure });
                }
                Ok(outcome) => done.push(outcome),
                Err(failure) => failed = Some(FixFailed { finding, failure }),
            }
        }
        Ok(AllSafeOutcome { schema: Schema, done, failed, not_begun })
    }

    /// A fix, or all that are safe, as a script to be run by hand.
    ///
    /// # Errors
    /// There is no such finding or fix.
    pub async fn fix_script(self: &Arc<Self>, request: ScriptRequest) -> Result<ScriptDocument, Failure> {
        let shown: Vec<FixPreview> = match request.fix {
            Some(fix) => vec![self.preview_fix(fix).await?],
            None => self.preview_all_safe(Nothing {}).await?.fixes,
        };
        let scan = self.last_scan()?;
        let (context, tls) = match self.source()? {
            Source::Engine(engine) => {
                let target = engine.target();
                (target.context.clone(), matches!(target.endpoint, Endpoint::Tls { .. }))
            }
            Source::Sample(_) | Source::Recording => (None, false),
        };
        let fixes: Vec<_> = shown.iter().map(|shown| (&shown.fix, &shown.preview)).collect();
        let reach = Reach { endpoint: &scan.engine.endpoint, context: context.as_deref(), tls };
        Ok(ScriptDocument { schema: Schema, script: script(&fixes, reach) })
    }
}

/// What a fix changes: containers and files.
fn things(fix: &Fix) -> Vec<String> {
    let of_step = |step: &Step| match step {
        Step::CopyVolumes { of }
        | Step::KeepWritten { of }
        | Step::RecreateContainer { of, .. }
        | Step::RecreateService { of, .. } => Some(of.id.clone()),
        Step::EditYaml { path, .. }
        | Step::EditLine { path, .. }
        | Step::InsertLine { path, .. }
        | Step::AppendLine { path, .. }
        | Step::ConvertLineEndings { path }
        | Step::EditSettings { path, .. } => Some(path.clone()),
        Step::BuildImage { image, .. } => Some(image.clone()),
        Step::PullPlatform { .. } | Step::RuntimeCommand { .. } | Step::Tell { .. } => None,
    };
    fix.steps.iter().filter_map(of_step).collect()
}

/// What would be left alone because of how its container was started, or because of others that live in it.
fn tied(inventory: &Inventory, finding: &Finding) -> Option<FixLeft> {
    let anew = |step: &Step| match step {
        Step::RecreateContainer { of, .. } | Step::RecreateService { of, .. } => Some(of.clone()),
        _ => None,
    };
    let (fix, of) = finding.fixes.iter().find_map(|fix| Some((fix, fix.steps.iter().find_map(anew)?)))?;
    let container = inventory.containers.items.iter().find(|container| container.id == of.id)?;
    let tie = container.ties.known()?.first()?;
    Some(not_now(finding, fix, format!("{} is left alone: {}", of.name, tie.words())))
}

fn not_now(finding: &Finding, fix: &Fix, why: String) -> FixLeft {
    FixLeft { finding: finding.id.clone(), option: fix.option, title: fix.title.clone(), why }
}

impl From<&FixPreview> for ApplyRequest {
    fn from(shown: &FixPreview) -> Self {
        Self { finding: shown.finding.id.clone(), option: shown.fix.option, token: shown.token.clone() }
    }
}
