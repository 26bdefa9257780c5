//! One new line in front of a line that was shown, such as a RUN line of a Dockerfile or the first line of a script.

use std::path::Path;

use crate::diff;
use crate::line;
use crate::plan::Plan;
use crate::preview::Refusal;

pub(super) fn add(path: &str, before: u32, expected: &str, text: &str, plan: &mut Plan) -> Result<(), Refusal> {
    let path = Path::new(path);
    plan.edit(path, diff::CONTEXT, |content| {
        line::insert_line(content, before as usize, expected, text).map_err(|refused| Refusal {
            why: format!("{}: {refused}", path.display()),
            lines_to_type: vec![text.to_owned()],
        })
    })
}
