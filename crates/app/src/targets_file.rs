//! Deploy targets written into a project's own `.silidock.toml`: shown as a change of that file, carried out with a receipt, and
//! read again. What is only remembered on this machine is in `deploy.rs`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::{
    deploy::DeployFacts,
    fix::{Fix, Safety, Step},
    platform::Platform,
};
use silidock_host::Host;
use silidock_observe::{
    deploy::{FILE, read, understand},
    deploy_place::{Place, place},
};
use silidock_remedy::{Preview, Refusal, Subject, Verified, apply, files_after, preview};
use ts_rs::TS;

use crate::{
    changes::{apply_failure, blocking, token},
    failure::{Failure, FailureCode},
    pins::refuse_unknown,
    session::{App, Source},
    wire::{ChangeOutcome, ScanRequest},
};

const LIMIT: usize = 1 << 20;

/// What a folder's file shall say.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct TargetsChange {
    /// The project's folder.
    pub folder: String,
    /// Where what is built there will run; without any, the list is taken out.
    pub targets: Vec<String>,
}

/// What writing it would change.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct TargetsShown {
    /// As a button says it.
    pub title: String,
    /// What changes, or why nothing can.
    pub preview: Preview,
    /// Names exactly this for [`TargetsToken`].
    pub token: String,
}

/// A change that was shown.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct TargetsToken {
    /// From [`TargetsShown`].
    pub token: String,
}

/// A change that was shown, whole.
#[derive(Debug, Clone)]
pub(crate) struct TargetsPlan {
    folder: PathBuf,
    targets: Vec<Platform>,
    fix: Fix,
    preview: Preview,
}

impl App {
    /// Shows what saying it in the folder's file would change. Changes nothing.
    ///
    /// # Errors
    /// There is no such folder, a target is no platform, or a recording is shown.
    pub async fn show_targets(self: &Arc<Self>, request: TargetsChange) -> Result<TargetsShown, Failure> {
        if matches!(self.source(), Ok(Source::Recording)) {
            let message = "This is a recording: its files belong to another machine.";
            return Err(Failure::new(FailureCode::Refused, message));
        }
        let host = self.host().as_ref();
        let folder = PathBuf::from(&request.folder);
        if !folder.is_absolute() || host.list_dir(&folder).is_err() {
            return Err(Failure::new(FailureCode::NotFound, format!("There is no folder {}.", folder.display())));
        }
        let parsed: Result<Vec<Platform>, _> = request.targets.iter().map(|text| text.parse()).collect();
        let mut targets = parsed.map_err(|error| Failure::new(FailureCode::Refused, format!("{error}.")))?;
        targets.iter().try_for_each(refuse_unknown)?;
        let mut seen = Vec::new();
        targets.retain(|one| {
            !seen.contains(one) && {
                seen.push(one.clone());
                true
            }
        });
        let plan = plan(host, folder, targets).await?;
        let (title, preview) = (plan.fix.title.clone(), plan.preview.clone());
        let token = token(&title, &plan.fix, &preview);
        self.session().targets.insert(token.clone(), plan);
        Ok(TargetsShown { title, preview, token })
    }

    /// Writes what was shown, reads it again, and looks at the engine again.
    ///
    /// # Errors
    /// It was not shown, the file changed since, or it was refused. Then nothing is changed.
    pub async fn set_targets(self: &Arc<Self>, request: TargetsToken) -> Result<ChangeOutcome, Failure> {
        let plan = self.session().targets.remove(&request.token).ok_or_else(|| {
            Failure::new(FailureCode::Changed, "This was not shown, or was already written.")
                .hint("Look at the preview again.")
        })?;
        let journal = self.journal()?;
        let changes = plan.preview.diffs.clone();
        let receipt = {
            let (journal, fix, preview) = (journal.clone(), plan.fix.clone(), plan.preview.clone());
            blocking(move || apply(&fix, &preview, &Subject::default(), &journal, Timestamp::now()))
                .await?
                .map_err(|error| apply_failure(&error))?
        };
        let mut facts = DeployFacts::default();
        read(self.host().as_ref(), &plan.folder, &mut facts);
        let (verified, mut words) = match says(&facts, &plan) {
            true => (Verified::Verified, "Looked again: the file says so.".to_owned()),
            false => (Verified::StillPresent, "Looked again: the file does not say so.".to_owned()),
        };
        words = self.noted(&receipt.id, verified, words).await?;
        if let Err(failure) = self.scan(ScanRequest::default()).await {
            words = format!("{words} Looking at the engine again failed: {failure}");
        }
        Ok(ChangeOutcome::of(receipt, verified, words, changes))
    }
}

fn says(facts: &DeployFacts, plan: &TargetsPlan) -> bool {
    let said = facts.of_folder(&plan.folder.display().to_string()).map(|said| said.targets.clone());
    said.unwrap_or_default() == plan.targets
}

fn list(targets: &[Platform]) -> String {
    let quoted: Vec<String> = targets.iter().map(|one| format!("\"{one}\"")).collect();
    format!("[{}]", quoted.join(", "))
}

async fn plan(host: &dyn Host, folder: PathBuf, targets: Vec<Platform>) -> Result<TargetsPlan, Failure> {
    let path = folder.join(FILE);
    let name =
        folder.file_name().map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned());
    let all = targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let title = match targets.is_empty() {
        true => format!("Say no more where {name} runs"),
        false => format!("Say that {name} runs on {all}"),
    };
    let refuse = |why: String| Refusal {
        why,
        lines_to_type: vec!["[deploy]".to_owned(), format!("targets = {}", list(&targets))],
    };
    let text = match host.read(&path, LIMIT) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned()),
        Err(error) if error.is_missing() => Ok(String::new()),
        Err(error) => Err(error.to_string()),
    };
    let steps = text.and_then(|text| steps(&path, &text, &targets));
    let refused = steps.as_ref().err().map(|why| refuse(format!("{} is left as it is: {why}", path.display())));
    let summary = "Only this value changes; every other byte stays. Rebuild makes these platforms, and target-missing warns where one lacks.";
    let fix = Fix {
        option: 1,
        title,
        summary: summary.to_owned(),
        safety: Safety::Review,
        steps: steps.unwrap_or_default(),
        promise: None,
        runtime: None,
    };
    let mut plan =
        TargetsPlan { folder, targets: targets.clone(), fix, preview: Preview { refused, ..Preview::default() } };
    if plan.preview.refused.is_some() {
        return Ok(plan);
    }
    let fix = plan.fix.clone();
    let (shown, after) = blocking(move || (preview(&fix), files_after(&fix))).await?;
    plan.preview = shown;
    if plan.preview.refused.is_none() {
        let mut facts = DeployFacts::default();
        let text = after.into_iter().next().map(|file| file.text).unwrap_or_default();
        understand(&plan.folder, text, &mut facts);
        if !says(&facts, &plan) {
            plan.preview = Preview {
                refused: Some(refuse(format!("{} would not say so afterwards", path.display()))),
                ..Preview::default()
            };
        }
    }
    Ok(plan)
}

/// The lines that change. Why none can, as the end of a sentence.
fn steps(path: &Path, text: &str, targets: &[Platform]) -> Result<Vec<Step>, String> {
    let path = path.display().to_string();
    let line_at = |line: u32| text.lines().nth(line as usize - 1).unwrap_or_default().to_owned();
    let append = |text: String| Step::AppendLine { path: path.clone(), text };
    let entry = format!("targets = {}", list(targets));
    Ok(match place(text)? {
        Place::List { line, start, end } => {
            let expected = line_at(line);
            let (Some(before), Some(after)) = (expected.get(..start), expected.get(end..)) else {
                return Err("its targets could not be found again".to_owned());
            };
            let replacement = (!targets.is_empty()).then(|| format!("{before}{}{after}", list(targets)));
            if replacement.as_ref() == Some(&expected) {
                return Err("it says so already".to_owned());
            }
            vec![Step::EditLine { path, line, expected, replacement }]
        }
        Place::Table(_) | Place::Nowhere if targets.is_empty() => return Err("it names no target".to_owned()),
        Place::Table(line) if text.lines().nth(line as usize).is_some() => {
            vec![Step::InsertLine { path, before: line + 1, expected: line_at(line + 1), text: entry }]
        }
        Place::Table(_) => vec![append(entry)],
        Place::Nowhere => vec![append("[deploy]".to_owned()), append(entry)],
    })
}
