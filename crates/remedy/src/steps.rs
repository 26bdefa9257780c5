//! One file per kind of step: what it adds to a plan, or why it cannot.
//!
//! A new kind of step does not compile until it is planned here.

mod edit_line;
mod edit_yaml;
mod tell;

use silidock_diagnosis::fix::Step;

use crate::plan::Plan;
use crate::preview::Refusal;

/// Adds what `step` does to the plan.
pub(crate) fn add(step: &Step, plan: &mut Plan) -> Result<(), Refusal> {
    match step {
        Step::EditYaml { path, edit } => edit_yaml::add(path, edit, plan),
        Step::EditLine { path, line, expected, replacement } => {
            edit_line::add(path, *line, expected, replacement.as_deref(), plan)
        }
        Step::Tell { text, commands } => {
            tell::add(text, commands, plan);
            Ok(())
        }
        // Their order among commands counts: `runtime` carries them out.
        Step::RuntimeCommand { .. } | Step::EditSettings { .. } => Err(Refusal {
            why: format!("\"{}\" is a step of a runtime's change", step.title()),
            lines_to_type: Vec::new(),
        }),
    }
}
