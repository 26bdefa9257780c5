//! Reports: one model, and its faces as JSON, HTML and Markdown. Pure: the same inventory gives the same bytes.
//!
//! Deliberately not here: judging (that is `diagnosis`), reading, writing files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use ts_rs::TS;

pub mod bench;
pub mod chart;
mod csv_form;
pub mod docs;
mod html;
mod json;
mod markdown;
mod marks;
mod redact;
pub mod scan;
pub mod targets;
mod view;
mod visible;
pub mod wayout;

pub use docs::checks_markdown;
pub use html::html;
pub use json::json;
pub use markdown::markdown;
pub use redact::{Secrets, redact, redact_bench};
pub use scan::Scan;
pub use visible::visible;
pub use wayout::{WayOutDocument, render_way_out};

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// One file that any browser shows, without scripts and without a network.
    Html,
    /// For an issue or a pull request.
    Markdown,
    /// For programs: the scan document itself.
    Json,
    /// For spreadsheets: one line for each finding, or for each thing of a way out list.
    Csv,
}

impl Format {
    /// Ending of a file of this form, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Markdown => "md",
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }
}

/// A report could not be made. None of these depends on what the scan says, so each is a defect of this crate.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The page could not be written.
    #[error("the report could not be laid out as HTML")]
    Html(#[from] askama::Error),
    /// The document could not be written as JSON, or read back after redaction.
    #[error("the report could not be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The table could not be written.
    #[error("the report could not be written as a table")]
    Csv(#[from] csv::Error),
    /// A rule of redaction could not be built. Nothing is given out then.
    #[error("the report could not be redacted")]
    Redaction(#[from] regex::Error),
}

/// The report in one of its forms: text in UTF-8 that ends with a line break.
///
/// # Errors
/// See [`ReportError`].
pub fn render(scan: &Scan, format: Format) -> Result<String, ReportError> {
    match format {
        Format::Html => html(scan),
        Format::Markdown => Ok(markdown(scan)),
        Format::Json => json(scan),
        Format::Csv => csv_form::findings(scan),
    }
}

/// A name for the file, made of when the facts were taken: `silidock-2026-11-20-0900.html`.
/// A sample and a redacted report say so in their names.
pub fn file_name(scan: &Scan, format: Format) -> String {
    named("silidock", scan, format)
}

fn named(start: &str, scan: &Scan, format: Format) -> String {
    let mut name = start.to_owned();
    for (mark, set) in [("-sample", scan.sample), ("-redacted", scan.redacted)] {
        if set {
            name.push_str(mark);
        }
    }
    if let Ok(taken) = scan.taken_at.parse::<jiff::Timestamp>() {
        name.push_str(&taken.strftime("-%Y-%m-%d-%H%M").to_string());
    }
    name.push('.');
    name.push_str(format.extension());
    name
}
