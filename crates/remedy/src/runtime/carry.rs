//! One step carried out or taken back, and written into the receipt: before it is begun, and after it has ended.

use std::collections::BTreeSet;
use std::path::Path;

use silidock_diagnosis::fix::{CommandKind, RuntimeStep, SettingValue, Step};
use silidock_host::{Output, ToolRun};

use super::{Ran, RuntimeRecord, StepFailed, Switch, Tools, limit, switches};
use crate::diff;
use crate::file;
use crate::receipt::{Journal, Receipt};

/// As much of what a command printed as a receipt keeps, in bytes.
const KEPT: usize = 2000;

/// A change on its way.
pub(super) struct Work<'a> {
    pub journal: &'a Journal,
    pub tools: &'a dyn Tools,
    pub receipt: Receipt,
    pub record: RuntimeRecord,
    /// Files that were edited in this run.
    pub edited: BTreeSet<String>,
}

impl Work<'_> {
    /// Writes down how far it got.
    pub(super) fn save(&mut self) -> Result<(), StepFailed> {
        self.receipt.runtime = Some(Box::new(self.record.clone()));
        Ok(self.journal.save(&self.receipt)?)
    }

    /// Carries out step number `place`.
    pub(super) fn forward(&mut self, place: u32, step: &Step) -> Result<(), StepFailed> {
        self.record.reached = Some(place);
        self.save()?;
        match step.of_runtime() {
            Some(RuntimeStep::Command { argv, does, says }) => self.run(argv, does, says),
            Some(RuntimeStep::Settings { path, values }) => self.edit(path, values),
            None => Err(StepFailed::ByHand { title: step.title() }),
        }
    }

    /// Carries out a step of the way back.
    pub(super) fn back(&mut self, step: &Step) -> Result<(), StepFailed> {
        match step.of_runtime() {
            Some(RuntimeStep::Command { argv, does, says }) => self.run(argv, does, says),
            Some(RuntimeStep::Settings { path, .. }) => self.restore(path),
            None => Err(StepFailed::ByHand { title: step.title() }),
        }
    }

    fn run(&mut self, argv: &[String], does: CommandKind, says: Option<&str>) -> Result<(), StepFailed> {
        let command = argv.join(" ");
        let (name, arguments) = argv.split_first().ok_or_else(|| StepFailed::NoTool { name: String::new() })?;
        let tool = self.tools.find(name).ok_or_else(|| StepFailed::NoTool { name: name.clone() })?;
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ended = self.tools.run(&ToolRun::new(tool, &words).timeout(limit(does)));
        let output = ended.as_ref().ok().cloned().unwrap_or_default();
        let printed = printed(&output);
        self.record.ran.push(Ran { argv: argv.to_vec(), status: output.status, printed: printed.clone() });
        self.save()?;
        ended.map_err(|source| StepFailed::Run { command: command.clone(), source })?;
        if !output.success() {
            let status = output.status.map_or_else(|| "a signal".to_owned(), |status| format!("status {status}"));
            return Err(StepFailed::Ended { command, status, said: last_line(&printed, None) });
        }
        match says {
            Some(says) if !printed.contains(says) => {
                let topic = says.split(' ').next();
                Err(StepFailed::Unsaid { command, said: last_line(&printed, topic) })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn edit(&mut self, path: &str, values: &[SettingValue]) -> Result<(), StepFailed> {
        let file = file::read(Path::new(path))?;
        let real = file.real.display().to_string();
        let Some(place) = self.receipt.changes.iter().position(|change| change.path == real) else {
            return Err(StepFailed::SwitchChanged { path: real, key: "the file itself".to_owned() });
        };
        let first = self.edited.insert(real.clone());
        if first && file.hash != self.receipt.changes[place].before_hash {
            // A runtime that stops may write its settings: others' keys are its own, ours must be as they were seen.
            self.unchanged(&switches::read(&file, values)?)?;
            self.journal.back_up(&self.receipt, place, file.text.as_bytes())?;
            let change = &mut self.receipt.changes[place];
            (change.before_hash, change.mode) = (file.hash.clone(), file.mode);
            (change.uid, change.gid) = (file.uid, file.gid);
        }
        let text = switches::with(&file, &file.text, values)?;
        let counted = diff::diff(&file.real, &file.text, &text, 0);
        let change = &mut self.receipt.changes[place];
        change.after_hash = file::hash(text.as_bytes());
        (change.added, change.removed) = (counted.added, counted.removed);
        for value in values {
            let mine = |s: &&mut Switch| s.path == real && s.key == value.key;
            if let Some(switch) = self.record.switches.iter_mut().find(mine) {
                (switch.after, switch.written) = (value.value, true);
            }
        }
        self.save()?;
        let after = switches::version(&file, &text);
        switches::write(&switches::Edit { file, after })
    }

    fn unchanged(&self, now: &[Switch]) -> Result<(), StepFailed> {
        let seen = |n: &&Switch| self.record.switches.iter().any(|s| (&s.key, s.before) == (&n.key, n.before));
        match now.iter().find(|n| !seen(n)) {
            Some(other) => Err(StepFailed::SwitchChanged { path: other.path.clone(), key: other.key.clone() }),
            None => Ok(()),
        }
    }

    fn restore(&mut self, path: &str) -> Result<(), StepFailed> {
        let backups = self.journal.backups(&self.receipt)?;
        let named = |asked: &str, real: &str| {
            asked == real || Path::new(asked).canonicalize().is_ok_and(|p| p == Path::new(real))
        };
        for (change, backup) in self.receipt.changes.iter().zip(&backups).filter(|(c, _)| named(path, &c.path)) {
            if let Some(edit) = switches::back(change, backup, &self.record.switches)? {
                switches::write(&edit)?;
            }
        }
        Ok(())
    }
}

/// The end of what was printed, both streams, without what stands before the `@` of an address.
pub(crate) fn printed(output: &Output) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let text = text.trim();
    let mut start = text.len().saturating_sub(KEPT);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text[start..].split_inclusive(char::is_whitespace).map(without_password).collect()
}

fn without_password(word: &str) -> String {
    match word.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?))) {
        Some((scheme, (login, rest))) if !login.contains('/') => format!("{scheme}://…@{rest}"),
        _ => word.to_owned(),
    }
}

/// The last line, or the last that speaks of the topic.
pub(crate) fn last_line(printed: &str, topic: Option<&str>) -> String {
    let lines = || printed.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let told = topic.and_then(|topic| lines().find(|line| line.contains(topic))).or_else(|| lines().next());
    told.map(|line| format!(": {line}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_the_output_is_its_end_without_passwords() {
        let output = |text: &str| Output { status: Some(1), stdout: text.into(), stderr: b"fatal\n".to_vec() };
        assert_eq!(printed(&output("via http://me:pw@proxy:80/ ok\n")), "via http://…@proxy:80/ ok\nfatal");
        assert_eq!(printed(&output("see https://a.example/@me\n")), "see https://a.example/@me\nfatal");
        let long = printed(&output(&"é".repeat(KEPT)));
        assert!(long.len() <= KEPT && long.ends_with("fatal"));
        assert_eq!(last_line("installing: arm64 exists\n{}\n", Some("installing:")), ": installing: arm64 exists");
        assert_eq!(last_line("", None), "");
    }
}
