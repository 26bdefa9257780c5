//! Containers that did not come to run, as far as a look tells without reading their files: by the engine's own words, and
//! by the exit code of what cannot be started.

use super::wordings::{Says, recognise};
use crate::{
    check::{Check, Context, Words, container_subject},
    emulation::exit_code,
    execution::{ContainerExecution, Expected},
    fact::Fact,
    finding::{Confidence, Evidence, Finding},
    fix::{Safety, Step},
    inventory::{Container, ContainerState},
};

/// One finding for each container that the kernel refused, or may have refused.
pub(crate) fn findings(context: &Context<'_>, check: &Check) -> Vec<Finding> {
    context.containers.iter().filter_map(|(container, execution)| judge(context, check, container, execution)).collect()
}

fn judge(
    context: &Context<'_>,
    check: &Check,
    container: &Container,
    execution: &ContainerExecution,
) -> Option<Finding> {
    let told = container.start_error.as_deref().and_then(recognise).filter(|told| told.says == Says::ExecFormat);
    let foreign = execution.expected == Fact::Known(Expected::Emulated);
    let ended = matches!(container.state, ContainerState::Exited | ContainerState::Restarting | ContainerState::Dead);
    // 255 is what runc ends with when the kernel refuses the program; programs seldom choose it.
    let refused = ended && foreign && exit_code(&container.status) == Some(255);
    let platform = container.platform.known();
    let proven = platform.and_then(|p| context.inventory.emulation.proven(&p.architecture));
    let confidence = match (&told, proven) {
        (Some(told), _) => told.confidence,
        (None, Some(proven)) if refused && !proven.works() => Confidence::Certain,
        (None, None) if refused => Confidence::Likely,
        _ => return None,
    };
    let mut evidence = vec![Evidence::new("engine", &container.status)];
    evidence.extend(told.map(|told| Evidence::new("engine", told.quote)));
    if let Some(platform) = platform.filter(|_| foreign) {
        evidence.push(Evidence::new("engine", format!("its image is {platform}, which is emulated here")));
    }
    evidence.extend(proven.filter(|proven| !proven.works()).and_then(|proven| proven.evidence.first().cloned()));
    let name = &container.name;
    let (verb, why) = match (foreign, confidence) {
        (true, Confidence::Likely) => {
            ("may not have started", "Its image is for another processor, and it ended as what cannot be started does.")
        }
        (true, _) => {
            ("did not start", "Its image is for another processor, and nothing on this engine runs its programs.")
        }
        (false, _) => (
            "did not start",
            "Its image fits this engine, so it is the file itself: for another processor, a script without a first line, empty or damaged.",
        ),
    };
    let words = Words { title: format!("{name} {verb}: exec format error"), why: why.to_owned(), evidence };
    let finding = context.finding(check, confidence, container_subject(container), words);
    let command = ["silidock", "explain", name.as_str()].map(str::to_owned).to_vec();
    Some(finding.with_fix(
        "Look into its files",
        "Reads its log and the few files that starting it means. Nothing is started or changed.",
        Safety::ShowOnly,
        vec![Step::Tell { text: "Say which of the reasons it is.".to_owned(), commands: vec![command] }],
    ))
}
