//! One file per kind of step: what it adds to a plan, or why it cannot.
//!
//! A new kind of step does not compile until it is planned here.

mod append_line;
mod convert_line_endings;
mod edit_line;
mod edit_yaml;
mod insert_line;
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
        Step::InsertLine { path, before, expected, text } => insert_line::add(path, *before, expected, text, plan),
        Step::AppendLine { path, text } => append_line::add(path, text, plan),
        Step::ConvertLineEndings { path } => convert_line_endings::add(path, plan),
        Step::Tell { text, commands } => {
            tell::add(text, commands, plan);
            Ok(())
        }
        // `build` carries it out, with an engine.
        Step::BuildImage { .. } => Err(Refusal::new(format!("\"{}\" needs an engine", step.title()))),
        // Their order among commands counts: `runtime` carries them out.
        Step::RuntimeCommand { .. } | Step::EditSettings { .. } => {
            Err(Refusal::new(format!("\"{}\" is a step of a runtime's change", step.title())))
        }
        // They need an engine: `recreate` carries them out.
        Step::PullPlatform { .. }
        | Step::CopyVolumes { .. }
        | Step::KeepWritten { .. }
        | Step::RecreateContainer { .. }
        | Step::RecreateService { .. } => {
            Err(Refusal::new(format!("\"{}\" is a step of an engine's change", step.title())))
        }
    }
}
