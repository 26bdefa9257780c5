//! The report as one HTML file: no script, nothing loaded, for the screen in light and dark and for paper.
//!
//! The words are worked out in `view`; escaping is the template's escaper (`visible`), for every value alike.

use askama::Template;

use crate::{ReportError, Scan, view::View};

#[derive(Template)]
#[template(path = "report.html", whitespace = "minimize")]
struct Page<'a> {
    view: View<'a>,
}

/// The page.
///
/// # Errors
/// [`ReportError::Html`].
pub fn html(scan: &Scan) -> Result<String, ReportError> {
    let mut page = Page { view: View::new(scan) }.render()?;
    page.push('\n');
    Ok(page)
}
