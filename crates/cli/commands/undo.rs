//! `silidock undo`.

use std::process::ExitCode;

use silidock_app::{Failure, FailureCode, wire::ReceiptRequest};

use crate::{args::UndoOptions, output::Output};

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
    let outcome = app.apply_undo(request).await?;
    if output.json {
        output.document(&outcome)?;
    } else {
        output.print(&format!("{}\n", outcome.words))?;
    }
    Ok(ExitCode::SUCCESS)
}
