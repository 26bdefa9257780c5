//! Changes: preview, apply, look again, undo, history.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::SystemTime,
};

use jiff::Timestamp;
use silidock_diagnosis::{
    finding::Finding,
    fix::{Fix, Safety},
    schema::Schema,
};
use silidock_remedy::{
    ApplyError, Journal, Listed, Preview, Receipt, State, Subject, UndoError, Verified, apply,
    build::BuildRecord,
    preview, undo,
    undo::{Standing, standings},
    undo_preview,
};
use silidock_report::Scan;

use crate::{
    failure::{Failure, FailureCode},
    later::undone_first,
    look::sentence,
    runtime_changes::Wanted,
    session::{App, Source},
    wire::{
        ApplyRequest, ChangeOutcome, ChangeState, FixPreview, FixRequest, History, HistoryEntry, Nothing,
        ReceiptRequest, ScanRequest, UndoPreview,
    },
};

impl App {
    /// Shows what a fix would change. Changes nothing.
    ///
    /// # Errors
    /// There is no such finding or fix.
    pub async fn preview_fix(self: &Arc<Self>, request: FixRequest) -> Result<FixPreview, Failure> {
        let explained = self.session().explained.get(&request.finding).cloned();
        let (finding, fix) = match explained {
            Some(finding) => option_of(finding, request.option)?,
            None => find_fix(&self.last_scan()?, &request.finding, request.option)?,
        };
        if let Some(request) = crate::rebuild::request_of(&fix) {
            return self.preview_build_fix(finding, fix, request).await;
        }
        let mut fix = fix;
        let preview = match fix.runtime {
            Some(_) => self.preview_runtime(&fix).await?,
            None if fix.changes_engine() => self.preview_engine(&fix).await?,
            None => {
                let fix = fix.clone();
                blocking(move || preview(&fix)).await?
            }
        };
        if fix.safety == Safety::Safe && !preview.review.is_empty() {
            fix.safety = Safety::Review;
        }
        let token = token(&finding.id, &fix, &preview);
        self.session().previews.insert(token.clone(), (finding.id.clone(), fix.clone(), preview.clone()));
        let steps = fix.steps.iter().map(silidock_diagnosis::fix::Step::title).collect();
        Ok(FixPreview { finding, fix, steps, preview, token })
    }

    /// Carries out a fix that was previewed, looks again, and says whether it helped.
    ///
    /// # Errors
    /// It was not previewed, a file changed since, or it was refused. Then nothing is changed.
    pub async fn apply_fix(self: &Arc<Self>, request: ApplyRequest) -> Result<ChangeOutcome, Failure> {
        if matches!(self.source()?, Source::Recording) {
            return Err(Failure::new(
                FailureCode::Refused,
                "This is a recording: its files belong to another machine.",
            )
            .hint("Scan the engine itself to apply fixes."));
        }
        let known = self.session().previews.remove(&request.token);
        let (finding, fix, preview) = known
            .filter(|(finding, fix, _)| *finding == request.finding && fix.option == request.option)
            .ok_or_else(|| {
                Failure::new(FailureCode::Changed, "This fix was not previewed, or was already applied.")
                    .hint("Look at the preview again.")
            })?;
        if crate::rebuild::request_of(&fix).is_some() {
            return self.apply_build_fix(&request.token).await;
        }
        if fix.runtime.is_some() {
            return self.apply_runtime(Wanted { finding, fix, shown: preview }).await;
        }
        if fix.changes_engine() {
            return self.apply_engine(Wanted { finding, fix, shown: preview }).await;
        }
        let journal = self.journal()?;
        let changes = preview.diffs.clone();
        let subject = Subject { finding: Some(finding.clone()) };
        let receipt = {
            let (journal, fix) = (journal.clone(), fix.clone());
            blocking(move || apply(&fix, &preview, &subject, &journal, Timestamp::now()))
                .await?
                .map_err(|e| apply_failure(&e))?
        };
        let (verified, words) = self.verify(&finding, fix.promise.as_deref()).await;
        let words = self.noted(&receipt.id, verified, words).await?;
        Ok(ChangeOutcome::of(receipt, verified, words, changes))
    }

    /// Notes with a receipt what looking again found; the words say so where that fails.
    pub(crate) async fn noted(&self, receipt: &str, verified: Verified, words: String) -> Result<String, Failure> {
        let (journal, id) = (self.journal()?, receipt.to_owned());
        Ok(match blocking(move || journal.set_verified(&id, verified)).await? {
            Ok(_) => words,
            Err(error) => format!("{words} The receipt could not be completed: {error}."),
        })
    }

    /// Looks again and runs the same check.
    pub(crate) async fn verify(self: &Arc<Self>, finding: &str, promise: Option<&str>) -> (Verified, String) {
        if self.session().explained.remove(finding).is_some() {
            let words = "The source is changed. The container and its image are as before until the image is built again; then \
                         explain the new container.";
            return (Verified::CouldNotTell, words.to_owned());
        }
        let last = self.last_scan().ok();
        let looked_at = last.as_ref().map(|scan| (scan.engine.endpoint.clone(), scan.sample));
        let before = last.and_then(|scan| scan.findings.into_iter().find(|f| f.id == finding));
        let scan = match self.scan(ScanRequest::default()).await {
            Ok(view) => view.scan,
            Err(failure) => return (Verified::CouldNotTell, format!("Looking again failed: {failure}")),
        };
        if looked_at != Some((scan.engine.endpoint.clone(), scan.sample)) {
            return (
                Verified::CouldNotTell,
                "Another engine was chosen meanwhile, so nothing was looked at again.".to_owned(),
            );
        }
        if scan.findings.iter().any(|f| f.id == finding) {
            return (Verified::StillPresent, "Looked again: the finding is still there.".to_owned());
        }
        let unjudged =
            scan.not_judged.iter().find(|n| Some(n.check.as_str()) == promise && concerns(n, before.as_ref()));
        match unjudged {
            Some(n) => {
                (Verified::CouldNotTell, format!("Looked again, but {} is not known: {}.", n.gap.what, n.gap.why))
            }
            None => (Verified::Verified, "Looked again: the finding is gone.".to_owned()),
        }
    }

    /// Every change that was made.
    ///
    /// # Errors
    /// The receipts' folder cannot be read.
    pub async fn history(self: &Arc<Self>, _: Nothing) -> Result<History, Failure> {
        let journal = self.journal()?;
        let listed =
            blocking(move || journal.list()).await?.map_err(|e| Failure::new(FailureCode::File, e.to_string()))?;
        Ok(History { schema: Schema, receipts: listed.into_iter().map(entry).collect() })
    }

    /// The changes that were begun or undone since a moment, newest first, as they stand now.
    ///
    /// # Errors
    /// The receipts' folder cannot be read.
    pub async fn changed_since(self: &Arc<Self>, moment: SystemTime) -> Result<Vec<HistoryEntry>, Failure> {
        let journal = self.journal()?;
        let listed = blocking(move || journal.list()).await?;
        let listed = listed.map_err(|error| Failure::new(FailureCode::File, error.to_string()))?;
        let moment = Timestamp::try_from(moment).unwrap_or(Timestamp::MAX);
        let since = |listed: &Listed| match listed {
            Listed::Whole { receipt } => receipt.at >= moment || receipt.undone_at.is_some_and(|at| at >= moment),
            Listed::Damaged { .. } => false,
        };
        Ok(listed.into_iter().filter(since).map(entry).collect())
    }

    /// Shows what undoing a change would change.
    ///
    /// # Errors
    /// There is no such receipt.
    pub async fn preview_undo(self: &Arc<Self>, request: ReceiptRequest) -> Result<UndoPreview, Failure> {
        let (journal, id) = (self.journal()?, request.receipt.clone());
        let mut shown = self.show_undo(request).await?;
        let holds = matches!(shown.entry.state, ChangeState::Applied | ChangeState::Interrupted);
        if let Some(why) = shown.refused.as_mut().filter(|_| holds)
            && let Some(first) = blocking(move || undone_first(&journal, &id)).await?
        {
            *why = format!("{} {first}.", sentence(why));
        }
        Ok(shown)
    }

    async fn show_undo(self: &Arc<Self>, request: ReceiptRequest) -> Result<UndoPreview, Failure> {
        let journal = self.journal()?;
        let receipt = blocking({
            let (journal, id) = (journal.clone(), request.receipt.clone());
            move || load(&journal, &id)
        })
        .await??;
        if receipt.runtime.is_some() {
            return self.preview_runtime_undo(receipt).await;
        }
        if receipt.build.is_some() {
            return self.preview_build_undo(receipt).await;
        }
        if receipt.engine.is_some() {
            return self.preview_engine_undo(receipt).await;
        }
        blocking(move || {
            let shown = undo_preview(&journal, &request.receipt);
            shown_undo(receipt, shown.unwrap_or_else(|error| Preview::refused(error.to_string())))
        })
        .await
    }

    /// Undoes a change, and looks again.
    ///
    /// # Errors
    /// A file changed since, or it was undone before. Then nothing is changed.
    pub async fn apply_undo(self: &Arc<Self>, request: ReceiptRequest) -> Result<ChangeOutcome, Failure> {
        let (journal, id) = (self.journal()?, request.receipt.clone());
        match self.take_back(request).await {
            Err(failure) if failure.code == FailureCode::Changed => {
                let first = blocking(move || undone_first(&journal, &id)).await?;
                Err(first.map_or(failure.clone(), |first| failure.hint(format!("{first}."))))
            }
            ended => ended,
        }
    }

    async fn take_back(self: &Arc<Self>, request: ReceiptRequest) -> Result<ChangeOutcome, Failure> {
        let journal = self.journal()?;
        let asked = blocking({
            let (journal, id) = (journal.clone(), request.receipt.clone());
            move || load(&journal, &id)
        })
        .await??;
        if let Some(record) = asked.runtime.as_deref().cloned() {
            return self.undo_runtime(asked, record).await;
        }
        if asked.build.is_some() {
            return self.undo_build(asked).await;
        }
        if let Some(record) = asked.engine.as_deref().cloned() {
            return self.undo_engine(asked, record).await;
        }
        let (receipt, changes) = blocking(move || {
            let shown = undo_preview(&journal, &request.receipt).map_err(|e| undo_failure(&e))?;
            let receipt = undo(&journal, &request.receipt, Timestamp::now()).map_err(|e| undo_failure(&e))?;
            Ok::<_, Failure>((receipt, shown.diffs))
        })
        .await??;
        let all_before = standings(&receipt).iter().all(|file| file.standing == Standing::Before);
        let (verified, words) = match all_before {
            true => (Verified::Verified, "Looked again: every file is as it was before."),
            false => {
                (Verified::StillPresent, "Looked again: a file is not as it was before; something else changed it.")
            }
        };
        // What is shown should follow; an engine that is gone does not make the undo less true.
        if self.source().is_ok()
            && let Err(failure) = self.scan(ScanRequest::default()).await
        {
            self.tell(crate::wire::Event::Lost { failure });
        }
        Ok(ChangeOutcome::of(receipt, verified, words.to_owned(), changes))
    }
}

pub(crate) fn find_fix(scan: &Scan, finding: &str, option: u32) -> Result<(Finding, Fix), Failure> {
    let finding = scan.findings.iter().find(|f| f.id == finding).ok_or_else(|| {
        Failure::new(FailureCode::NotFound, format!("There is no finding {finding} (any more)."))
            .hint("List the findings that have fixes with silidock fix --list.")
    })?;
    option_of(finding.clone(), option)
}

fn option_of(finding: Finding, option: u32) -> Result<(Finding, Fix), Failure> {
    let fix = finding.fixes.iter().find(|f| f.option == option).ok_or_else(|| {
        let many = match finding.fixes.len() {
            0 => "it has no fix".to_owned(),
            n => format!("it has options 1 to {n}"),
        };
        Failure::new(FailureCode::NotFound, format!("{} has no option {option}: {many}.", finding.id))
    })?;
    let fix = fix.clone();
    Ok((finding, fix))
}

/// An unjudged check says something about a finding when it is about everything, or about the same thing.
fn concerns(unjudged: &silidock_diagnosis::examination::NotJudged, before: Option<&Finding>) -> bool {
    use silidock_diagnosis::finding::SubjectKind;
    let Some(before) = before else { return true };
    let subject = &unjudged.subject;
    subject.kind == SubjectKind::Engine
        || subject.id == before.subject.id
        || (subject.path.is_some() && subject.path == before.subject.path)
}

/// Names what was shown; it never leaves this process, so it need not be secret.
pub(crate) fn token(finding: &str, fix: &Fix, preview: &Preview) -> String {
    let mut hasher = DefaultHasher::new();
    finding.hash(&mut hasher);
    fix.option.hash(&mut hasher);
    for file in &preview.files {
        (&file.path, &file.hash).hash(&mut hasher);
    }
    (&preview.commands, &preview.restarts).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn load(journal: &Journal, id: &str) -> Result<Receipt, Failure> {
    journal.load(id).map_err(|error| {
        Failure::new(FailureCode::NotFound, error.to_string())
            .hint("A change of the sample is in the sample's own history: add --sample.")
    })
}

fn entry(listed: Listed) -> HistoryEntry {
    match listed {
        Listed::Whole { receipt } => whole(receipt),
        Listed::Damaged { id, why } => HistoryEntry {
            id,
            at: None,
            title: "A receipt that cannot be read".to_owned(),
            check: None,
            files: Vec::new(),
            commands: Vec::new(),
            state: ChangeState::Damaged,
            verified: None,
            note: Some(why),
        },
    }
}

/// What undoing a change would do, as its kind of change shows it.
pub(crate) fn shown_undo(receipt: Receipt, shown: Preview) -> UndoPreview {
    UndoPreview {
        schema: Schema,
        entry: whole(receipt),
        diffs: shown.diffs,
        commands: shown.commands,
        told: shown.told,
        refused: shown.refused.map(|refusal| refusal.why),
    }
}

pub(crate) fn whole(receipt: Receipt) -> HistoryEntry {
    let left = receipt.left().words();
    let (state, note) = match receipt.state {
        State::Started => (
            ChangeState::Interrupted,
            Some(match receipt.engine.is_some() || receipt.build.as_ref().is_some_and(|build| !build.containers.is_empty()) {
                true => "Silidock or the engine ended in the middle of this change. Undo brings back how it was.",
                false => "Silidock ended in the middle of this change. Each file is as before or as after; Undo brings all back.",
            }
            .to_owned()),
        ),
        State::Applied => (ChangeState::Applied, None),
        State::Undone => (ChangeState::Undone, receipt.undone_at.map(|at| format!("Undone {at}.{left}"))),
        State::TakenBack => {
            (ChangeState::TakenBack, Some(format!("A step failed, and everything was brought back to how it was.{left}")))
        }
    };
    let argv = |ran: Vec<silidock_remedy::runtime::Ran>| ran.into_iter().map(|ran| ran.argv).collect();
    let ran = receipt.runtime.map(|record| record.ran).or(receipt.engine.map(|record| record.ran)).map(argv);
    let commands: Option<Vec<Vec<String>>> = ran.or(receipt.build.map(|record| commands_of(*record)));
    HistoryEntry {
        id: receipt.id,
        at: Some(receipt.at.to_string()),
        title: receipt.title,
        check: receipt.promise,
        files: receipt.changes.into_iter().map(|change| change.path).collect(),
        commands: commands.unwrap_or_default(),
        state,
        verified: receipt.verified,
        note,
    }
}

/// The builds', and those that made containers anew.
fn commands_of(build: BuildRecord) -> Vec<Vec<String>> {
    let after = build.containers.into_iter().flat_map(|container| container.ran).map(|ran| ran.argv);
    build.commands.into_iter().chain(after).collect()
}

pub(crate) fn apply_failure(error: &ApplyError) -> Failure {
    let code = match error {
        ApplyError::Changed { .. } => FailureCode::Changed,
        ApplyError::Refused(_) | ApplyError::NothingToChange { .. } => FailureCode::Refused,
        ApplyError::File(_) | ApplyError::HalfDone { .. } | ApplyError::Journal(_) => FailureCode::File,
    };
    let detail = match error {
        ApplyError::Refused(refusal) => refusal.lines_to_type.clone(),
        _ => Vec::new(),
    };
    Failure::new(code, error.to_string()).detail(detail)
}

fn undo_failure(error: &UndoError) -> Failure {
    let code = match error {
        UndoError::Changed { .. } => FailureCode::Changed,
        UndoError::AlreadyUndone { .. } | UndoError::OfRuntime { .. } | UndoError::OfBuild { .. } => {
            FailureCode::Refused
        }
        UndoError::Journal(_) => FailureCode::NotFound,
        UndoError::File(_) | UndoError::HalfDone { .. } => FailureCode::File,
    };
    Failure::new(code, error.to_string())
}

/// File work off the threads that answer the window.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let ended =
        |error: tokio::task::JoinError| Failure::new(FailureCode::File, format!("The work ended early: {error}."));
    tokio::task::spawn_blocking(work).await.map_err(ended)
}
