//! One line of a text file, such as a shell start-up file or `.env`.

use std::path::Path;

use crate::line;
use crate::plan::Plan;
use crate::preview::Refusal;

pub(super) fn add(
    path: &str,
    number: u32,
    expected: &str,
    replacement: Option<&str>,
    plan: &mut Plan,
) -> Result<(), Refusal> {
    let path = Path::new(path);
    // No lines around it: these files hold passwords, and a diff may be exported.
    plan.edit(path, 0, |text| {
        line::replace_line(text, number as usize, expected, replacement).map_err(|refused| Refusal {
            why: format!("{}: {refused}", path.display()),
            lines_to_type: replacement.map(str::to_owned).into_iter().collect(),
        })
    })
}
