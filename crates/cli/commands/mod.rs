//! One file for each command.

pub mod all_safe;
pub mod bench;
pub mod builders;
pub mod checks;
pub mod completions;
pub mod emulator;
pub mod engines;
pub mod explain;
pub mod fix;
pub mod history;
pub mod inside;
pub mod pin;
pub mod rebuild;
pub mod registry;
pub mod report;
pub mod scan;
pub mod targets;
pub mod undo;
pub mod wayout;

use std::{
    io::{BufRead, IsTerminal, Write},
    path::Path,
    sync::Arc,
};

use silidock_app::{
    App, AppOptions, Failure, FailureCode, recording,
    remedy::diff::Diff,
    report::Scan,
    wire::{Event, InsideImagesRequest, InsideScope, ScanRequest},
};

use tokio::sync::broadcast::error::RecvError;

use crate::{
    args::{Consent, From, Scope},
    output::{Output, Style, shown, typed},
};

/// Starts the app and looks where `from` says.
async fn looked(from: &From, processor_time: bool, output: &Output) -> Result<(Arc<App>, Scan), Failure> {
    let app = App::start(AppOptions { processor_time, ..AppOptions::default() });
    let scan = match &from.from {
        Some(file) => app.replay(recording::read(file)?).scan,
        None => {
            let request = ScanRequest {
                engine: from.engine.clone(),
                sample: from.sample,
                ask_registry: from.ask_registry,
                compose: compose_files(&from.compose),
            };
            app.scan(request).await?.scan
        }
    };
    let scan = match from.inside {
        Some(scope) => looked_inside(&app, scope, output).await?,
        None => scan,
    };
    Ok((app, scan))
}

/// Projects as they are typed, several files of one with commas between them.
fn compose_files(typed: &[String]) -> Vec<Vec<String>> {
    typed.iter().map(|list| list.split(',').map(str::to_owned).collect()).collect()
}

/// Looks inside images as well.
async fn looked_inside(app: &Arc<App>, scope: Scope, output: &Output) -> Result<Scan, Failure> {
    output.say("Looking inside images, in throw-away containers without a network; they are removed afterwards.");
    let scope = match scope {
        Scope::Used => InsideScope::Used,
        Scope::All => InsideScope::All,
    };
    Ok(app.inside_images(InsideImagesRequest { scope }).await?.scan)
}

/// Starts the app for changes that need no engine.
async fn unlooked(sample: bool) -> Result<Arc<App>, Failure> {
    let app = App::start(AppOptions::default());
    if sample {
        app.scan(ScanRequest { sample: true, ..ScanRequest::default() }).await?;
    }
    Ok(app)
}

/// Tells on standard error what a change of an engine does, until it is aborted.
fn heard(app: &Arc<App>) -> tokio::task::JoinHandle<()> {
    let mut events = app.subscribe();
    tokio::spawn(async move {
        loop {
            match events.recv().await {
                Ok(Event::Change { progress }) if progress.done.is_none() => {
                    // Nobody reads standard error: then nobody misses it.
                    let _ = writeln!(std::io::stderr(), "{}", shown(&progress.words));
                }
                // A listener that fell behind goes on with what comes next.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    })
}

/// Writes a report to a file, or prints it.
fn delivered(content: &str, file: Option<&Path>, output: &Output) -> Result<(), Failure> {
    match file.filter(|path| *path != Path::new("-")) {
        Some(path) => {
            std::fs::write(path, content).map_err(|error| {
                Failure::new(FailureCode::File, format!("{} could not be written: {error}.", path.display()))
            })?;
            output.say(&format!("Written to {}.", path.display()));
            Ok(())
        }
        None => output.print(content),
    }
}

/// Asks on the terminal, unless the answer was given.
fn agreed(consent: Consent, question: &str, output: &Output) -> Result<bool, Failure> {
    if consent.yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(FailureCode::Refused, "Nobody is there to ask, so nothing was changed.")
            .hint("Add --yes to carry it out without asking."));
    }
    // The question may stand on the same line as its answer.
    let _ = write!(std::io::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Failure::new(FailureCode::File, format!("The answer could not be read: {error}.")))?;
    let yes = matches!(answer.trim().to_lowercase().as_str(), "y" | "yes");
    if !yes {
        output.say("Nothing was changed.");
    }
    Ok(yes)
}

/// An argument vector as one types it into a shell, with what cannot be seen made visible.
fn command_line(words: &[String]) -> String {
    shown(&words.iter().map(|word| typed(word)).collect::<Vec<_>>().join(" "))
}

/// A diff as text.
fn drawn(diff: &Diff, output: &Output) -> String {
    use silidock_app::remedy::diff::LineKind;
    let mut text = format!("{}\n", output.styled(Style::Strong, &diff.path));
    for hunk in &diff.hunks {
        for line in &hunk.lines {
            let number = line.new.or(line.old).unwrap_or_default();
            let (sign, style) = match line.kind {
                LineKind::Context => (' ', None),
                LineKind::Added => ('+', Some(Style::Added)),
                LineKind::Removed => ('-', Some(Style::Removed)),
            };
            let content = format!("{number:>5} {sign} {}", line.text);
            let content = style.map_or_else(|| shown(&content), |style| output.styled(style, &content));
            text.push_str(&format!("{content}\n"));
        }
    }
    text
}
