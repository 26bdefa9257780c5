//! `silidock targets`.

use std::{fmt::Write, process::ExitCode};

use silidock_app::{
    App, AppOptions, Failure,
    diagnosis::platform::Platform,
    wire::{TargetsDocument, TargetsRequest},
};

use crate::{
    args::TargetsOptions,
    output::{Output, shown},
};

pub async fn run(options: TargetsOptions, output: &Output) -> Result<ExitCode, Failure> {
    let app = App::start(AppOptions::default());
    let folder = options.folder.to_string_lossy().into_owned();
    let set = options.set.map(|platforms| platforms.iter().map(ToString::to_string).collect());
    let document = app.targets(TargetsRequest { folder, set }).await?;
    if output.json {
        output.document(&document)?;
    } else {
        output.print(&text(&document))?;
    }
    Ok(if document.gaps.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn text(document: &TargetsDocument) -> String {
    let words = |all: &[Platform]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut out = String::new();
    let by = match (&document.path, document.line) {
        (Some(path), Some(line)) => format!("{path}:{line}"),
        (Some(path), None) => path.clone(),
        (None, _) => "told to Silidock".to_owned(),
    };
    let named = document.services.iter().chain(&document.images);
    let named: Vec<(&String, &Vec<Platform>)> = named.collect();
    match document.targets.is_empty() && named.is_empty() {
        true => {
            let _ = writeln!(out, "Nobody said where what {} builds will run.", shown(&document.folder));
            let _ = writeln!(out, "Write it into .silidock.toml there, or add --set linux/amd64.");
        }
        false => {
            let _ = writeln!(
                out,
                "{} is deployed to {} ({})",
                shown(&document.folder),
                words(&document.targets),
                shown(&by)
            );
        }
    }
    for (name, targets) in named {
        let _ = writeln!(out, "  {} to {}", shown(name), words(targets));
    }
    for gap in &document.gaps {
        let _ = writeln!(out, "not understood: {}: {}", shown(&gap.what), shown(&gap.why));
    }
    out
}
