//! CR LF becomes LF in a whole text file; a carriage return within a line stays.

use std::path::Path;

use crate::plan::Plan;
use crate::preview::Refusal;

pub(super) fn add(path: &str, plan: &mut Plan) -> Result<(), Refusal> {
    plan.edit(Path::new(path), 0, |text| Ok(text.replace("\r\n", "\n")))
}
