//! `silidock history`.

use std::process::ExitCode;

use silidock_app::{
    Failure,
    remedy::Verified,
    wire::{ChangeState, HistoryEntry, Nothing},
};

use crate::{
    args::HistoryOptions,
    output::{Output, shown, table},
};

pub async fn run(options: HistoryOptions, output: &Output) -> Result<ExitCode, Failure> {
    let app = super::unlooked(options.sample).await?;
    let history = app.history(Nothing {}).await?;
    if output.json {
        output.document(&history)?;
    } else if history.receipts.is_empty() {
        output.print("Nothing was changed so far.\n")?;
    } else {
        let mut rows = table(&["RECEIPT", "CHANGE", "FILES AND COMMANDS", "STATE"]);
        for entry in &history.receipts {
            rows.add_row([entry.id.clone(), shown(&entry.title), touched(entry), state(entry)]);
        }
        output.print(&format!("{rows}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn touched(entry: &HistoryEntry) -> String {
    let files = entry.files.iter().map(|file| shown(file));
    files.chain(entry.commands.iter().map(|command| super::command_line(command))).collect::<Vec<_>>().join("\n")
}

fn state(entry: &HistoryEntry) -> String {
    let state = match entry.state {
        ChangeState::Interrupted => "interrupted",
        ChangeState::Applied => "applied",
        ChangeState::Undone => "undone",
        ChangeState::TakenBack => "failed, taken back",
        ChangeState::Damaged => "damaged",
    };
    let verified = match entry.verified {
        Some(Verified::Verified) if entry.state == ChangeState::Applied => ", verified",
        Some(Verified::StillPresent) if entry.state == ChangeState::Applied => ", finding still there",
        Some(Verified::CouldNotTell) if entry.state == ChangeState::Applied => ", could not tell whether it helped",
        _ => "",
    };
    format!("{state}{verified}")
}
