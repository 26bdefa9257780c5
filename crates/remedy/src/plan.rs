//! A fix worked out against the files as they are: what each would say afterwards. Nothing is written.
//!
//! Preview and apply make the same plan; that is what makes the preview true.

use std::path::Path;

use silidock_diagnosis::fix::Fix;

use crate::file::{self, FileRefused, UserFile};
use crate::preview::Refusal;
use crate::steps;

/// What a fix comes to.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Files that change, each once.
    pub files: Vec<PlannedFile>,
    /// Command lines for the user.
    pub commands: Vec<Vec<String>>,
    /// What the user should know.
    pub told: Vec<String>,
}

/// A file and its new text.
#[derive(Debug)]
pub(crate) struct PlannedFile {
    pub file: UserFile,
    pub after: String,
    /// Unchanged lines that its diff may show around a change.
    pub context: usize,
}

impl Plan {
    /// Works out all steps of `fix`, in order.
    pub(crate) fn of(fix: &Fix) -> Result<Self, Refusal> {
        let mut plan = Self::default();
        for step in &fix.steps {
            steps::add(step, &mut plan)?;
        }
        plan.files.retain(|f| f.after != f.file.text);
        Ok(plan)
    }

    /// Edits the text of a file; several steps may edit the same one, also under different names.
    pub(crate) fn edit(
        &mut self,
        path: &Path,
        context: usize,
        change: impl FnOnce(&str) -> Result<String, Refusal>,
    ) -> Result<(), Refusal> {
        self.change(file::read(path), context, change)
    }

    /// The same, of a file that need not be there yet.
    pub(crate) fn edit_or_make(
        &mut self,
        path: &Path,
        context: usize,
        change: impl FnOnce(&str) -> Result<String, Refusal>,
    ) -> Result<(), Refusal> {
        self.change(file::read_or_new(path), context, change)
    }

    fn change(
        &mut self,
        file: Result<UserFile, FileRefused>,
        context: usize,
        change: impl FnOnce(&str) -> Result<String, Refusal>,
    ) -> Result<(), Refusal> {
        let file = file.map_err(|e| Refusal::new(e.to_string()))?;
        if let Some(known) = self.files.iter_mut().find(|f| f.file.real == file.real) {
            known.after = change(&known.after)?;
            known.context = known.context.min(context);
            return Ok(());
        }
        if file.is_link() {
            let (link, real) = (file.asked.display(), file.real.display());
            self.told.push(format!("{link} is a link; the file behind it, {real}, is edited."));
        }
        let after = change(&file.text)?;
        self.files.push(PlannedFile { file, after, context });
        Ok(())
    }
}
