//! `silidock report`.

use std::process::ExitCode;

use silidock_app::{
    Failure,
    wire::{ReportFormat, ReportRequest, ReportSubject},
};

use crate::{
    args::{Form, ReportOptions},
    output::Output,
};

pub async fn run(options: ReportOptions, output: &Output) -> Result<ExitCode, Failure> {
    let (app, _) = super::looked(&options.from, true, output).await?;
    let format = match options.format {
        _ if output.json => ReportFormat::Json,
        Form::Html => ReportFormat::Html,
        Form::Markdown => ReportFormat::Markdown,
        Form::Json => ReportFormat::Json,
        Form::Csv => ReportFormat::Csv,
    };
    let report =
        app.render_report(ReportRequest { format, redact: options.redact, about: ReportSubject::Scan }).await?;
    super::delivered(&report.content, options.output.as_deref(), output)?;
    Ok(ExitCode::SUCCESS)
}
