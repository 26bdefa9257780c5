//! Compose files and folders that somebody opens: judged before anything of them is pulled or started, and looked at
//! again with every look.

use std::path::PathBuf;

use silidock_diagnosis::compose::ComposeProject;
use silidock_observe::open_compose;

use crate::{
    failure::{Failure, FailureCode},
    session::App,
};

impl App {
    /// Takes Compose files from now on, a list for each project. One that cannot be opened leaves everything as it was.
    pub(crate) async fn open_compose(&self, named: &[Vec<String>]) -> Result<(), Failure> {
        let mut opened = Vec::with_capacity(named.len());
        for files in named {
            let absolute = |file: &String| {
                std::path::absolute(file).map_err(|error| Failure::new(FailureCode::File, format!("{file}: {error}.")))
            };
            let files: Vec<PathBuf> = files.iter().map(absolute).collect::<Result<_, _>>()?;
            open_compose(self.host().as_ref(), &files)
                .await
                .map_err(|error| Failure::new(FailureCode::NotFound, format!("{error}.")))?;
            opened.push(files);
        }
        let mut session = self.session();
        for files in opened {
            if !session.opened.contains(&files) {
                session.opened.push(files);
            }
        }
        Ok(())
    }

    /// The projects that were opened, as they are now. One that has gone since is left out: nothing of it is left to judge.
    pub(crate) async fn opened(&self) -> Vec<ComposeProject> {
        let all = self.session().opened.clone();
        let mut projects = Vec::with_capacity(all.len());
        for files in all {
            projects.extend(open_compose(self.host().as_ref(), &files).await.ok());
        }
        projects
    }
}
