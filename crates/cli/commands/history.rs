//! `silidock history`.

use std::{process::ExitCode, time::SystemTime};

use silidock_app::{
    App, AppOptions, Failure,
    remedy::Verified,
    wire::{ChangeState, HistoryEntry, Nothing},
};

use crate::{
    args::HistoryOptions,
    output::{Output, shown, table},
};

/// Columns of a command.
const WIDEST: usize = 60;

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
        if history.receipts.iter().flat_map(|entry| &entry.commands).any(|command| short(command).is_some()) {
            output.say("Commands end here with .. where they are longer; silidock history --json has them whole.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what became of the changes since a moment, to somebody who ended the program in the middle.
pub async fn how_it_stands(begun: SystemTime, undoing: bool, output: &Output) {
    match App::start(AppOptions::default()).changed_since(begun).await {
        Ok(changes) if changes.is_empty() && undoing => {
            output.say("The undo did not end, so some of it may be done. Undo again: it shows what is left.");
        }
        Ok(changes) if changes.is_empty() => output.say("Ended before anything was changed."),
        Ok(changes) => changes.iter().for_each(|entry| {
            let holds = matches!(entry.state, ChangeState::Applied | ChangeState::Interrupted);
            let undo = if holds { format!(" (silidock undo {})", entry.id) } else { String::new() };
            output.say(&format!("{}: {}. Receipt {}{undo}", shown(&entry.title), state(entry), entry.id));
        }),
        Err(failure) => output.say(&format!("Whether anything was changed cannot be told: {failure}")),
    }
}

fn touched(entry: &HistoryEntry) -> String {
    let files = entry.files.iter().map(|file| shown(file));
    let whole = |command: &Vec<String>| short(command).unwrap_or_else(|| super::command_line(command));
    files.chain(entry.commands.iter().map(whole)).collect::<Vec<_>>().join("\n")
}

/// The beginning of a command that is too long for a table, cut between its words.
fn short(command: &[String]) -> Option<String> {
    let fits = |words: usize| super::command_line(&command[..words]).chars().count() <= WIDEST;
    if fits(command.len()) {
        return None;
    }
    let words = (1..command.len()).rev().find(|words| fits(*words)).unwrap_or(1);
    Some(format!("{} ..", super::command_line(&command[..words])))
}

fn state(entry: &HistoryEntry) -> String {
    let state = match entry.state {
        ChangeState::Interrupted => "interrupted",
        ChangeState::Applied => "applied",
        ChangeState::Undone => "undone",
        ChangeState::TakenBack => "not finished, taken back",
        ChangeState::Damaged => "damaged",
    };
    let verified = match entry.verified {
        Some(Verified::Verified) if entry.state == ChangeState::Applied => ", verified",
        Some(Verified::StillPresent) if entry.state == ChangeState::Applied && entry.check.is_none() => {
            ", not what was wanted"
        }
        Some(Verified::StillPresent) if entry.state == ChangeState::Applied => ", finding still there",
        Some(Verified::CouldNotTell) if entry.state == ChangeState::Applied => ", could not tell whether it helped",
        _ => "",
    };
    format!("{state}{verified}")
}
