//! What a person types where a change is left to them: all of it, in order.

use silidock_diagnosis::fix::{Step, YamlEdit};
use silidock_diagnosis::platform::Platform;

use crate::preview::Refusal;
use crate::script::joined;

/// As a person types it.
pub(crate) fn typed(argv: &[String], platform: Option<&Platform>) -> String {
    let platform = platform.map(|platform| format!("DOCKER_DEFAULT_PLATFORM={platform} "));
    format!("{}{}", platform.unwrap_or_default(), joined(argv))
}

/// The same as an argument vector.
pub(super) fn as_run(argv: &[String], platform: Option<&Platform>) -> Vec<String> {
    let set = platform.map(|platform| ["env".to_owned(), format!("DOCKER_DEFAULT_PLATFORM={platform}")]);
    set.into_iter().flatten().chain(argv.iter().cloned()).collect()
}

/// Lines to type are all of the change, or none.
pub(super) fn with_steps_before(mut refusal: Refusal, steps: &[Step]) -> Refusal {
    if refusal.lines_to_type.is_empty() {
        return refusal;
    }
    let words = |words: &[&str]| joined(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    let line = |step: &Step| match step {
        Step::PullPlatform { reference, platform } => {
            Some(words(&["docker", "pull", "--platform", &platform.to_string(), reference]))
        }
        Step::EditYaml { path, edit } => Some(match edit {
            YamlEdit::RemovePlatform { service } => words(&["silidock", "unpin", path, service, "--apply"]),
            YamlEdit::SetPlatform { service, platform } | YamlEdit::ChangePlatform { service, platform } => {
                words(&["silidock", "pin", path, service, &platform.to_string(), "--apply"])
            }
            YamlEdit::OverridePlatform { service, platform } => {
                words(&["silidock", "pin", path, service, &platform.to_string(), "--override", "--apply"])
            }
        }),
        _ => None,
    };
    let before: Vec<String> = steps.iter().filter_map(line).collect();
    refusal.lines_to_type.splice(0..0, before);
    refusal
}
