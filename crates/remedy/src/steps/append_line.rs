//! One line at the end of a file such as `.gitattributes` or `.dockerignore`, which is made where it is not there.

use std::path::Path;

use crate::diff;
use crate::line;
use crate::plan::Plan;
use crate::preview::Refusal;

pub(super) fn add(path: &str, text: &str, plan: &mut Plan) -> Result<(), Refusal> {
    let path = Path::new(path);
    plan.edit_or_make(path, diff::CONTEXT, |content| {
        line::append_line(content, text).map_err(|refused| Refusal {
            why: format!("{}: {refused}", path.display()),
            lines_to_type: vec![text.to_owned()],
        })
    })
}
