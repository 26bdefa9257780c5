//! Reports of what was seen last.

use std::sync::Arc;

use silidock_diagnosis::{
    check::Context,
    wayout::{WayOut, way_out},
};
use silidock_host::Host;
use silidock_report::{Format, Scan, Secrets, file_name, redact, render, render_way_out, scan::catalogue};

use crate::{
    failure::{Failure, FailureCode},
    session::{App, Seen},
    wire::{Nothing, RenderedReport, ReportFormat, ReportRequest, ReportSubject, WayOutDocument},
};
use silidock_report::scan::Catalogue;

impl App {
    /// Makes a report of what was seen last.
    ///
    /// # Errors
    /// Nothing was seen yet.
    pub async fn render_report(self: &Arc<Self>, request: ReportRequest) -> Result<RenderedReport, Failure> {
        let seen = self.seen()?;
        report(&with_way_out(&seen), request, self.host().as_ref())
    }

    /// Everything of what was seen last that needs translation.
    ///
    /// # Errors
    /// Nothing was seen yet.
    pub async fn wayout(self: &Arc<Self>, _: Nothing) -> Result<WayOutDocument, Failure> {
        let seen = self.seen()?;
        Ok(WayOutDocument::new(&seen.scan, listed(&seen)))
    }

    /// The catalogue of checks.
    ///
    /// # Errors
    /// None today; the window's commands all may fail.
    pub async fn checks(self: &Arc<Self>, _: Nothing) -> Result<Catalogue, Failure> {
        Ok(catalogue())
    }
}

fn listed(seen: &Seen) -> WayOut {
    way_out(&Context::new(&seen.inventory))
}

fn with_way_out(seen: &Seen) -> Scan {
    Scan { way_out: Some(listed(seen)), ..seen.scan.clone() }
}

/// Renders one scan.
///
/// # Errors
/// The renderer failed.
pub fn report(scan: &Scan, request: ReportRequest, host: &dyn Host) -> Result<RenderedReport, Failure> {
    let format = match request.format {
        ReportFormat::Html => Format::Html,
        ReportFormat::Markdown => Format::Markdown,
        ReportFormat::Json => Format::Json,
        ReportFormat::Csv => Format::Csv,
    };
    let failed = |error: silidock_report::ReportError| {
        Failure::new(FailureCode::File, format!("The report could not be made: {error}."))
    };
    let scan = match request.redact {
        true => &redact(scan, &secrets(host)).map_err(failed)?,
        false => scan,
    };
    let (file_name, content) = match request.about {
        ReportSubject::Scan => (file_name(scan, format), render(scan, format).map_err(failed)?),
        ReportSubject::WayOut => render_way_out(scan, format).map_err(failed)?.ok_or_else(|| {
            Failure::new(FailureCode::Refused, "The way out list is no page of its own.")
                .hint("Choose Markdown, a table or JSON; the report as a page has it too.")
        })?,
    };
    Ok(RenderedReport { file_name, content })
}

/// What on this machine names its user.
pub fn secrets(host: &dyn Host) -> Secrets {
    Secrets {
        user_names: host.user_name().into_iter().collect(),
        host_names: host.host_name().into_iter().collect(),
        home_paths: host.home().map(|home| home.display().to_string()).into_iter().collect(),
    }
}
