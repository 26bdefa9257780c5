//! How far builds are, told to whoever listens: the step and its number, and what it printed.

use std::sync::Arc;

use silidock_remedy::build::BuildNews;

use super::wire::{PlannedBuild, RebuildProgress};
use crate::{session::App, wire::Event};

/// Tells how far builds are.
pub(super) struct Teller {
    app: Arc<App>,
    subjects: Vec<String>,
    progress: std::sync::Mutex<RebuildProgress>,
}

impl Teller {
    pub(super) fn new(app: &Arc<App>, builds: &[PlannedBuild]) -> Self {
        let subjects: Vec<String> = builds.iter().map(|build| build.subject.clone()).collect();
        let progress = RebuildProgress {
            subject: String::new(),
            number: 0,
            of: u32::try_from(subjects.len()).unwrap_or(u32::MAX),
            done: 0,
            total: 0,
            step: String::new(),
            line: None,
        };
        Self { app: Arc::clone(app), subjects, progress: progress.into() }
    }

    /// What is done once everything is built.
    pub(super) fn after_builds(&self, words: &str) {
        let mut progress = self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        progress.subject = self.subjects.join(", ");
        (progress.number, progress.line) = (progress.of, None);
        (progress.done, progress.total) = (0, 0);
        words.clone_into(&mut progress.step);
        self.app.tell(Event::Rebuild { progress: progress.clone() });
    }

    pub(super) fn tell(&self, news: BuildNews) {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut progress = self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        progress.line = None;
        match news {
            BuildNews::Begun(number) => {
                progress.subject = self.subjects.get(number).cloned().unwrap_or_default();
                progress.number = count(number + 1);
                (progress.done, progress.total) = (0, 0);
                progress.step.clear();
            }
            BuildNews::Step { done, total, name } => {
                (progress.done, progress.total, progress.step) = (count(done), count(total), name);
            }
            BuildNews::Printed(line) => progress.line = Some(line),
        }
        self.app.tell(Event::Rebuild { progress: progress.clone() });
    }
}
