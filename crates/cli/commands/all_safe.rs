//! `silidock fix --all-safe`.

use std::{fmt::Write, process::ExitCode, sync::Arc};

use silidock_app::{
    App, Failure,
    wire::{AllSafeOutcome, AllSafePreview, AllSafeRequest, ApplyRequest, Nothing},
};

use crate::{
    args::Consent,
    output::{Output, Style, shown},
};

pub async fn run(app: &Arc<App>, consent: Consent, sample: bool, output: &Output) -> Result<ExitCode, Failure> {
    let preview = app.preview_all_safe(Nothing {}).await?;
    if !output.json {
        output.print(&text(&preview, output))?;
    }
    if !consent.apply || preview.fixes.is_empty() {
        if output.json {
            output.document(&preview)?;
        } else if !preview.fixes.is_empty() {
            output.say("Nothing was changed. Add --apply to carry this out.");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let question = match preview.fixes.len() {
        1 => "Carry out this fix?".to_owned(),
        many => format!("Carry out these {many} fixes?"),
    };
    if !super::agreed(consent, &question, output)? {
        return Ok(ExitCode::SUCCESS);
    }
    let heard = super::heard(app);
    let fixes = preview.fixes.iter().map(ApplyRequest::from).collect();
    let outcome = app.apply_all_safe(AllSafeRequest { fixes }).await;
    heard.abort();
    let outcome = outcome?;
    match output.json {
        true => output.document(&outcome)?,
        false => output.print(&what_became(&outcome, sample))?,
    }
    Ok(if outcome.failed.is_none() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn text(preview: &AllSafePreview, output: &Output) -> String {
    let mut out = match preview.fixes.is_empty() {
        true => "No fix is safe enough to be carried out unseen. silidock fix --list shows all of them.\n".to_owned(),
        false => String::new(),
    };
    for (place, fix) in preview.fixes.iter().enumerate() {
        let number = output.styled(Style::Strong, &format!("{} of {}", place + 1, preview.fixes.len()));
        let _ = write!(out, "{number}: {}\n{}\n", shown(&fix.finding.title), super::fix::text(fix, output));
    }
    for left in &preview.left {
        let _ = writeln!(out, "Left for you: {} ({}): {}", shown(&left.title), left.finding, shown(&left.why));
    }
    out
}

fn what_became(outcome: &AllSafeOutcome, sample: bool) -> String {
    let sample = if sample { " --sample" } else { "" };
    let mut out = String::new();
    for done in &outcome.done {
        let _ = writeln!(
            out,
            "{}\nReceipt {receipt} (silidock undo {receipt}{sample})",
            shown(&done.words),
            receipt = done.receipt
        );
    }
    if let Some(failed) = &outcome.failed {
        let _ = writeln!(out, "{} failed: {}", failed.finding, shown(&failed.failure.message));
        if let Some(hint) = &failed.failure.hint {
            let _ = writeln!(out, "{}", shown(hint));
        }
        let kept = outcome.done.len();
        let _ = writeln!(out, "What was done before it stays ({kept}); not begun: {}.", outcome.not_begun.len());
    }
    out
}
