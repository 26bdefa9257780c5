//! `silidock undo`.

use std::process::ExitCode;

use silidock_app::{Failure, FailureCode, remedy::Verified, wire::ReceiptRequest};

use crate::{
    args::UndoOptions,
    output::{Output, shown},
};

pub async fn run(options: UndoOptions, output: &Output) -> Result<ExitCode, Failure> {
    let app = super::unlooked(options.sample).await?;
    let request = ReceiptRequest { receipt: options.receipt };
    let preview = app.preview_undo(request.clone()).await?;
    if let Some(why) = &preview.refused {
        return Err(Failure::new(FailureCode::Refused, why.clone()));
    }
    if !output.json {
        for diff in &preview.diffs {
            output.print(&super::drawn(diff, output))?;
        }
        if !preview.commands.is_empty() {
            let lines: Vec<String> =
                preview.commands.iter().map(|c| format!("  {}\n", super::command_line(c))).collect();
            output.print(&format!("Commands that are run, in this order:\n{}", lines.concat()))?;
        }
        for told in &preview.told {
            output.print(&format!("{}\n", shown(told)))?;
        }
    }
    if !options.consent.apply {
        if output.json {
            output.document(&preview)?;
        }
        output.say("Nothing was changed. Add --apply to carry this out.");
        return Ok(ExitCode::SUCCESS);
    }
    if !super::agreed(options.consent, &format!("Undo {}?", preview.entry.id), output)? {
        return Ok(ExitCode::SUCCESS);
    }
    let heard = super::heard(&app);
    let outcome = app.apply_undo(request).await;
    heard.abort();
    let outcome = outcome?;
    if output.json {
        output.document(&outcome)?;
    } else {
        output.print(&format!("{}\n", shown(&outcome.words)))?;
    }
    // An undo of files that could not be looked at again is an undo all the same.
    let otherwise = !outcome.ran.is_empty() && outcome.verified == Verified::StillPresent;
    Ok(if otherwise { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
