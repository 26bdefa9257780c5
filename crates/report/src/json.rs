//! The scan document as JSON, for programs. It is the model itself: nothing is left out, nothing is added.

use crate::{ReportError, Scan};

/// Indented JSON, `schema` first, with a line break at the end.
///
/// # Errors
/// [`ReportError::Json`].
pub fn json(scan: &Scan) -> Result<String, ReportError> {
    let mut text = serde_json::to_string_pretty(scan)?;
    text.push('\n');
    Ok(text)
}
