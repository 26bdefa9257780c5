//! What a person has to do. Shown, never run.

use crate::plan::Plan;

pub(super) fn add(text: &str, commands: &[Vec<String>], plan: &mut Plan) {
    plan.told.push(text.to_owned());
    plan.commands.extend_from_slice(commands);
}
