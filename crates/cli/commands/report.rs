//! `silidock report`.

use std::{path::Path, process::ExitCode};

use silidock_app::{
    Failure, FailureCode,
    wire::{ReportFormat, ReportRequest},
};

use crate::{
    args::{Form, ReportOptions},
    output::Output,
};

pub async fn run(options: ReportOptions, output: &Output) -> Result<ExitCode, Failure> {
    let (app, _) = super::looked(&options.from, true).await?;
    let format = match options.format {
        _ if output.json => ReportFormat::Json,
        Form::Html => ReportFormat::Html,
        Form::Markdown => ReportFormat::Markdown,
        Form::Json => ReportFormat::Json,
    };
    let report = app.render_report(ReportRequest { format, redact: options.redact }).await?;
    match options.output.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => {
            std::fs::write(path, &report.content).map_err(|error| {
                Failure::new(FailureCode::File, format!("{} could not be written: {error}.", path.display()))
            })?;
            output.say(&format!("Written to {}.", path.display()));
        }
        None => output.print(&report.content)?,
    }
    Ok(ExitCode::SUCCESS)
}
