//! The way out list as a document of its own, and its forms.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::{schema::Schema, wayout::WayOut};
use ts_rs::TS;

use crate::{Format, ReportError, Scan, csv_form, markdown::way_out_markdown, named};

/// Everything of one engine that needs translation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct WayOutDocument {
    /// Always "silidock/1".
    pub schema: Schema,
    /// When the facts were taken, RFC 3339 in UTC.
    pub taken_at: String,
    /// Made from the embedded sample, not from a real engine.
    pub sample: bool,
    /// Made from a capture, not from a look at an engine now.
    pub replayed: bool,
    /// As in a report.
    pub redacted: bool,
    /// The product that runs the engine.
    pub runtime: String,
    /// Address of the engine.
    pub endpoint: String,
    /// The list.
    #[serde(flatten)]
    pub way_out: WayOut,
}

impl WayOutDocument {
    /// From a scan and its list.
    pub fn new(scan: &Scan, way_out: WayOut) -> Self {
        Self {
            schema: Schema,
            taken_at: scan.taken_at.clone(),
            sample: scan.sample,
            replayed: scan.replayed,
            redacted: scan.redacted,
            runtime: scan.engine.runtime.name.clone(),
            endpoint: scan.engine.endpoint.clone(),
            way_out,
        }
    }
}

/// The list that a scan carries, in one of the forms it has, and a name for the file; none where the scan carries no
/// list, or the form is a page: then it is part of the report.
///
/// # Errors
/// See [`ReportError`].
pub fn render_way_out(scan: &Scan, format: Format) -> Result<Option<(String, String)>, ReportError> {
    let Some(way_out) = &scan.way_out else { return Ok(None) };
    let content = match format {
        Format::Html => return Ok(None),
        Format::Markdown => way_out_markdown(scan, way_out),
        Format::Json => serde_json::to_string_pretty(&WayOutDocument::new(scan, way_out.clone()))? + "\n",
        Format::Csv => csv_form::way_out(way_out)?,
    };
    Ok(Some((named("silidock-way-out", scan, format), content)))
}
