//! Reports of what was seen last.

use std::sync::Arc;

use silidock_host::Host;
use silidock_report::{Format, Scan, Secrets, file_name, redact, render, scan::catalogue};

use crate::{
    failure::{Failure, FailureCode},
    session::App,
    wire::{Nothing, RenderedReport, ReportFormat, ReportRequest},
};
use silidock_report::scan::Catalogue;

impl App {
    /// Makes a report of what was seen last.
    ///
    /// # Errors
    /// Nothing was seen yet.
    pub async fn render_report(self: &Arc<Self>, request: ReportRequest) -> Result<RenderedReport, Failure> {
        let scan = self.last_scan()?;
        report(&scan, request, self.host().as_ref())
    }

    /// The catalogue of checks.
    ///
    /// # Errors
    /// None today; the window's commands all may fail.
    pub async fn checks(self: &Arc<Self>, _: Nothing) -> Result<Catalogue, Failure> {
        Ok(catalogue())
    }
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
    };
    let failed = |error: silidock_report::ReportError| {
        Failure::new(FailureCode::File, format!("The report could not be made: {error}."))
    };
    let scan = match request.redact {
        true => &redact(scan, &secrets(host)).map_err(failed)?,
        false => scan,
    };
    Ok(RenderedReport { file_name: file_name(scan, format), content: render(scan, format).map_err(failed)? })
}

/// What on this machine names its user.
pub fn secrets(host: &dyn Host) -> Secrets {
    Secrets {
        user_names: host.user_name().into_iter().collect(),
        host_names: host.host_name().into_iter().collect(),
        home_paths: host.home().map(|home| home.display().to_string()).into_iter().collect(),
    }
}
