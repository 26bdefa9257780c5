//! Preview and apply of a change of a runtime.

use std::path::Path;

use jiff::Timestamp;
use silidock_diagnosis::fix::{CommandKind, Fix, RuntimeChange, RuntimeStep, Step};

use super::carry::Work;
use super::{RuntimeError, RuntimeRecord, StepFailed, Switch, Tools, switches};
use crate::apply::Subject;
use crate::diff::{self, Diff};
use crate::file::{self, UserFile};
use crate::preview::{Preview, Refusal, SeenFile};
use crate::receipt::{Change, Journal, Receipt, State};
use crate::swap::Swap;

/// Everything worked out, nothing run.
#[derive(Default)]
struct Plan {
    files: Vec<(UserFile, String)>,
    switches: Vec<Switch>,
    commands: Vec<Vec<String>>,
    told: Vec<String>,
}

impl Plan {
    fn of(fix: &Fix, tools: &dyn Tools) -> Result<Self, Refusal> {
        let mut plan = Self::default();
        for step in &fix.steps {
            plan.add(step).map_err(|error| Refusal::new(error.to_string()))?;
        }
        let back = fix.runtime.iter().flat_map(|runtime| &runtime.back).map(|back| &back.step);
        plan.tools(fix.steps.iter().chain(back), tools)?;
        Ok(plan)
    }

    fn add(&mut self, step: &Step) -> Result<(), StepFailed> {
        match step.of_runtime() {
            Some(RuntimeStep::Command { argv, .. }) => self.commands.push(argv.to_vec()),
            Some(RuntimeStep::Settings { path, values }) => {
                let file = file::read(Path::new(path))?;
                for switch in switches::read(&file, values)? {
                    if !self.switches.iter().any(|s| (&s.path, &s.key) == (&switch.path, &switch.key)) {
                        self.switches.push(switch);
                    }
                }
                match self.files.iter_mut().find(|(known, _)| known.real == file.real) {
                    Some((known, after)) => *after = switches::with(known, after, values)?,
                    None => {
                        let after = switches::with(&file, &file.text, values)?;
                        self.files.push((file, after));
                    }
                }
            }
            None => return Err(StepFailed::ByHand { title: step.title() }),
        }
        Ok(())
    }

    /// Says where each tool is, or which is missing: also those of the way back, before anything is begun.
    fn tools<'a>(&mut self, steps: impl Iterator<Item = &'a Step>, tools: &dyn Tools) -> Result<(), Refusal> {
        let mut seen: Vec<&str> = Vec::new();
        for step in steps {
            let Step::RuntimeCommand { argv, .. } = step else { continue };
            let Some(name) = argv.first().filter(|name| !seen.contains(&name.as_str())) else { continue };
            seen.push(name);
            let Some(found) = tools.find(name) else {
                let lines_to_type = self.commands.iter().map(|argv| argv.join(" ")).collect();
                return Err(Refusal { why: StepFailed::NoTool { name: name.clone() }.to_string(), lines_to_type });
            };
            self.told.push(format!("{name} is {}.", found.display()));
        }
        Ok(())
    }

    fn diffs(&self) -> Vec<Diff> {
        // Off and on again leaves the file as it was.
        let changed = self.files.iter().filter(|(file, after)| *after != file.text);
        changed.map(|(file, after)| diff::diff(&file.real, &file.text, after, diff::CONTEXT)).collect()
    }

    fn seen(&self) -> Vec<SeenFile> {
        let one = |(file, _): &(UserFile, String)| SeenFile {
            path: file.real.display().to_string(),
            hash: file.hash.clone(),
        };
        self.files.iter().map(one).collect()
    }
}

/// What the change would run and write. Always answers: what stands in the way is in `refused`. Which containers stop
/// meanwhile is added by whoever knows the engine.
#[must_use]
pub fn preview(fix: &Fix, tools: &dyn Tools) -> Preview {
    match Plan::of(fix, tools) {
        Ok(plan) => Preview {
            diffs: plan.diffs(),
            files: plan.seen(),
            commands: plan.commands,
            told: plan.told,
            ..Preview::default()
        },
        Err(refusal) => Preview { refused: Some(refusal), ..Preview::default() },
    }
}

/// Carries out a change as `shown`, for the engine at `endpoint`. Takes minutes where a machine restarts.
///
/// # Errors
/// See [`RuntimeError`]; only after [`RuntimeError::HalfDone`] something is not as before.
pub fn apply(
    fix: &Fix,
    shown: &Preview,
    subject: &Subject,
    endpoint: &str,
    journal: &Journal,
    tools: &dyn Tools,
    now: Timestamp,
) -> Result<Receipt, RuntimeError> {
    if let Some(refusal) = &shown.refused {
        return Err(RuntimeError::Refused(refusal.clone()));
    }
    let Some(change) = &fix.runtime else {
        let why = format!("\"{}\" runs nothing", fix.title);
        return Err(RuntimeError::Refused(Refusal::new(why)));
    };
    let _turn = journal.turn()?;
    for seen in &shown.files {
        if file::hash_now(seen.path.as_ref()).map_err(RuntimeError::File)?.as_ref() != Some(&seen.hash) {
            return Err(RuntimeError::Changed { what: seen.path.clone() });
        }
    }
    let plan = Plan::of(fix, tools).map_err(RuntimeError::Refused)?;
    if plan.seen() != shown.files
        || plan.commands != shown.commands
        || !plan.told.iter().all(|t| shown.told.contains(t))
    {
        return Err(RuntimeError::Changed { what: "what would be run".to_owned() });
    }
    let mut work = begin(fix, change, subject, endpoint, journal, tools, &plan, now)?;
    for (place, step) in (0u32..).zip(&fix.steps) {
        if let Err(failed) = work.forward(place, step) {
            return Err(roll_back(work, place, &failed));
        }
    }
    work.record.reached = Some(fix.steps.len() as u32);
    work.record.done = true;
    work.receipt.state = State::Applied;
    match work.save() {
        Ok(()) => Ok(work.receipt),
        Err(failed) => Err(roll_back(work, fix.steps.len() as u32, &failed)),
    }
}

#[expect(clippy::too_many_arguments, reason = "they are those of its only caller")]
fn begin<'a>(
    fix: &Fix,
    change: &RuntimeChange,
    subject: &Subject,
    endpoint: &str,
    journal: &'a Journal,
    tools: &'a dyn Tools,
    plan: &Plan,
    now: Timestamp,
) -> Result<Work<'a>, RuntimeError> {
    let record = RuntimeRecord {
        endpoint: endpoint.to_owned(),
        change: change.clone(),
        reached: None,
        done: false,
        switches: plan.switches.clone(),
        ran: Vec::new(),
    };
    let swap = |(file, after): &(UserFile, String)| Swap {
        path: file.real.clone(),
        from: switches::version(file, &file.text),
        to: switches::version(file, after),
    };
    let swaps: Vec<Swap> = plan.files.iter().map(swap).collect();
    let draft = Receipt {
        changes: plan.files.iter().map(|(file, after)| Change::of(file, after)).collect(),
        runtime: Some(Box::new(record.clone())),
        ..Receipt::of_fix(fix, subject, now)
    };
    let receipt = journal.start(draft, &swaps)?;
    Ok(Work { journal, tools, receipt, record, edited: Default::default() })
}

/// Brings back how it was, as far as it got. What stops a machine may fail: it may not have started.
fn roll_back(mut work: Work<'_>, place: u32, failed: &StepFailed) -> RuntimeError {
    let (mut done, mut stuck) = (Vec::new(), Vec::new());
    for back in work.record.change.back.clone().into_iter().filter(|back| back.from <= place) {
        let may_fail = matches!(back.step, Step::RuntimeCommand { does: CommandKind::Stop, .. });
        match work.back(&back.step) {
            Ok(()) => done.push(in_words(&back.step)),
            Err(_) if may_fail => {}
            Err(error) => stuck.push(error.to_string()),
        }
    }
    let (receipt, cause) = (work.receipt.id.clone(), failed.to_string());
    if stuck.is_empty() {
        work.receipt.state = State::TakenBack;
    }
    if let Err(error) = work.save() {
        stuck.push(error.to_string());
    }
    let back = if done.is_empty() { "nothing was there to do".to_owned() } else { done.join(", ") };
    match stuck.is_empty() {
        true => RuntimeError::TakenBack { receipt, cause, back },
        false => RuntimeError::HalfDone { receipt, cause, stuck },
    }
}

/// A step of the way back, as a person would have typed it.
pub(super) fn in_words(step: &Step) -> String {
    match step.of_runtime() {
        Some(RuntimeStep::Command { argv, .. }) => argv.join(" "),
        Some(RuntimeStep::Settings { path, .. }) => format!("{path} as it was"),
        None => step.title(),
    }
}
