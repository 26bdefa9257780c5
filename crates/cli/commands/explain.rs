//! `silidock explain`.

use std::{fmt::Write, fs::File, path::Path, process::ExitCode};

use silidock_app::{
    App, AppOptions, Failure, FailureCode, LogReader,
    diagnosis::{
        finding::Confidence,
        fix::{Fix, Step},
        stopped::{
            Explanation,
            cause::{About, Cause},
        },
    },
    wire::{ExplainRequest, ExplanationDocument, ScanRequest},
};

use crate::{
    args::ExplainOptions,
    output::{Output, Style, shown, typed},
};

pub async fn run(options: ExplainOptions, output: &Output) -> Result<ExitCode, Failure> {
    let app = App::start(AppOptions::default());
    let document = match (options.log, options.container) {
        (Some(file), _) => read_log(file).await?,
        (None, Some(container)) => {
            let document = app.explain(ExplainRequest { engine: options.engine, container }).await?;
            if let (Some(option), Some(finding)) = (options.fix, &document.finding) {
                if document.explanation.fixes.iter().any(|fix| fix.runtime.is_some()) {
                    app.scan(ScanRequest::default()).await?;
                }
                return super::fix::change(&app, finding, option, options.consent, false, output).await;
            }
            document
        }
        (None, None) => return Err(Failure::new(FailureCode::NotFound, "Neither a container nor a log was named.")),
    };
    if output.json {
        output.document(&document)?;
    } else {
        output.print(&text(&document, output))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Off the threads that wait for Ctrl-C: a pipe may stay silent.
async fn read_log(file: std::path::PathBuf) -> Result<ExplanationDocument, Failure> {
    let read = move || match file.as_path() {
        path if path == Path::new("-") => LogReader::read(std::io::stdin().lock()),
        path => {
            let opened = File::open(path).map_err(|error| {
                Failure::new(FailureCode::File, format!("{} cannot be read: {error}.", path.display()))
            })?;
            LogReader::read(opened)
        }
    };
    let ended = |error| Failure::new(FailureCode::File, format!("The work ended early: {error}."));
    tokio::task::spawn_blocking(read).await.map_err(ended)?
}

fn text(document: &ExplanationDocument, output: &Output) -> String {
    let best = &document.explanation;
    let mut out = format!("{}\n{}\n", output.styled(Style::Strong, &best.title), about(best));
    let _ = writeln!(out, "\n{}", shown(&best.why));
    out.push_str(&seen(best, output));
    let of_container = document.container.as_deref();
    for (number, fix) in (1..).zip(&best.fixes) {
        out.push_str(&way_out(number, fix, best.fixes.len(), of_container, output));
    }
    if !document.others.is_empty() {
        let word = if best.confidence == Confidence::Likely { "It may also be" } else { "Also seen" };
        let _ = writeln!(out, "\n{}", output.styled(Style::Strong, word));
    }
    for other in &document.others {
        let _ = writeln!(out, "  {}: {}", shown(&other.title), shown(&other.why));
        if let Some(evidence) = other.evidence.first() {
            let _ = writeln!(out, "    - {}: {}", shown(&evidence.place), shown(&evidence.text));
        }
    }
    for gap in &document.gaps {
        let _ = writeln!(out, "\n  not known: {}: {}", shown(&gap.what), shown(&gap.why));
    }
    out
}

/// Whether it is the architecture, in a sentence. What is no failure gets none.
fn about(best: &Explanation) -> &'static str {
    let sure = best.confidence != Confidence::Likely;
    match best.architecture {
        _ if matches!(best.cause, Cause::Running | Cause::NeverStarted | Cause::Success) => "Nothing failed.",
        About::Yes if sure => "This is the architecture.",
        About::Yes => "This is probably the architecture.",
        About::No if sure => "This is not the architecture.",
        About::No => "This is probably not the architecture.",
        About::Unknown => "Whether this is the architecture is not known.",
    }
}

fn seen(best: &Explanation, output: &Output) -> String {
    if best.evidence.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", output.styled(Style::Strong, "Seen"));
    for evidence in &best.evidence {
        let _ = writeln!(out, "  - {}: {}", shown(&evidence.place), shown(&evidence.text));
    }
    out
}

fn way_out(number: usize, fix: &Fix, of: usize, container: Option<&str>, output: &Output) -> String {
    let mut out = String::new();
    if number == 1 {
        let _ = writeln!(out, "\n{}", output.styled(Style::Strong, "What to do"));
    }
    let mark = if of > 1 || fix.changes_something() { format!("{number}. ") } else { String::new() };
    if fix.changes_something() || of > 1 {
        let _ = writeln!(out, "  {mark}{}", shown(&fix.title));
    }
    for step in &fix.steps {
        match step {
            Step::Tell { text, commands } => {
                let _ = writeln!(out, "     {}", shown(text));
                for command in commands {
                    let line: Vec<String> = command.iter().map(|word| typed(word)).collect();
                    let _ = writeln!(out, "       {}", shown(&line.join(" ")));
                }
            }
            other => {
                let _ = writeln!(out, "     {}", shown(&other.title()));
            }
        }
    }
    if let (true, Some(container)) = (fix.changes_something(), container) {
        let _ = writeln!(out, "     silidock explain {} --fix {number}", typed(container));
    }
    out
}
