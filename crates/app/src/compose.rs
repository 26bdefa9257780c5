//! Compose files and folders that somebody opens: judged before anything of them is pulled or started, and looked at
//! again with every look. The window's are kept, and opened again at its next start, until somebody forgets them.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use silidock_diagnosis::compose::ComposeProject;
use silidock_host::Host;
use silidock_observe::open_compose;
use ts_rs::TS;

use crate::{
    changes::blocking,
    failure::{Failure, FailureCode},
    rebuild::memory::write,
    session::App,
};

const FILE: &str = "opened.json";
const LIMIT: usize = 4 << 20;

/// What was opened.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    /// A list of files for each project.
    projects: Vec<Vec<PathBuf>>,
    /// Those of earlier runs that are no longer there.
    gone: Vec<Vec<PathBuf>>,
    /// Why it is not kept, if so.
    unkept: Option<String>,
}

/// Which of what was opened to forget.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct OpenedRequest {
    /// As they are listed. Their files stay as they are.
    #[serde(default)]
    pub forget: Vec<Vec<String>>,
}

/// What was opened.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct OpenedDocument {
    /// A list of files or a folder for each project.
    pub projects: Vec<Vec<String>>,
    /// Those of earlier runs that were no longer there at the start, and are not kept any more.
    pub gone: Vec<Vec<String>>,
    /// Why it is not kept, if so.
    pub unkept: Option<String>,
}

impl App {
    /// Lists what was opened, in this run and in earlier ones that kept it, and forgets what is named.
    ///
    /// # Errors
    /// None today; the window's commands all may fail.
    pub async fn opened(self: &Arc<Self>, request: OpenedRequest) -> Result<OpenedDocument, Failure> {
        self.reopen().await;
        if !request.forget.is_empty() {
            let forget: Vec<Vec<PathBuf>> =
                request.forget.iter().map(|files| files.iter().map(PathBuf::from).collect()).collect();
            self.session().opened.projects.retain(|files| !forget.contains(files));
            self.keep_opened();
        }
        let session = self.session();
        let shown = |all: &[Vec<PathBuf>]| {
            all.iter().map(|files| files.iter().map(|f| f.display().to_string()).collect()).collect()
        };
        let Opened { projects, gone, unkept, .. } = &session.opened;
        Ok(OpenedDocument { projects: shown(projects), gone: shown(gone), unkept: unkept.clone() })
    }

    /// Takes Compose files from now on, a list for each project. One that cannot be opened leaves everything as it was.
    pub(crate) async fn open_compose(&self, named: &[Vec<String>]) -> Result<(), Failure> {
        self.reopen().await;
        let mut opened = Vec::with_capacity(named.len());
        for files in named {
            let absolute = |file: &String| {
                std::path::absolute(file).map_err(|error| Failure::new(FailureCode::File, format!("{file}: {error}.")))
            };
            let files: Vec<PathBuf> = files.iter().map(absolute).collect::<Result<_, _>>()?;
            open_compose(self.host().as_ref(), &files, &self.compose_answers)
                .await
                .map_err(|error| Failure::new(FailureCode::NotFound, format!("{error}.")))?;
            opened.push(files);
        }
        if opened.is_empty() {
            return Ok(());
        }
        for files in opened {
            let all = &mut self.session().opened.projects;
            if !all.contains(&files) {
                all.push(files);
            }
        }
        self.keep_opened();
        Ok(())
    }

    /// The projects that were opened, as they are now. One that has gone since is left out: nothing of it is left to judge.
    pub(crate) async fn opened_projects(&self) -> Vec<ComposeProject> {
        let all = self.session().opened.projects.clone();
        let mut projects = Vec::with_capacity(all.len());
        for files in all {
            projects.extend(open_compose(self.host().as_ref(), &files, &self.compose_answers).await.ok());
        }
        projects
    }

    /// Reads, once, what earlier runs kept; whoever comes meanwhile waits. What has gone since is kept no longer, and told.
    async fn reopen(&self) {
        if self.options.remember_opened {
            self.reopened.get_or_init(|| self.read_kept()).await;
        }
    }

    async fn read_kept(&self) {
        let host = self.host().clone();
        let read = move || {
            let there = |files: &Vec<PathBuf>| files.iter().all(|file| host.exists(file));
            kept(host.as_ref()).into_iter().partition::<Vec<_>, _>(there)
        };
        let (there, gone) = blocking(read).await.unwrap_or_default();
        let some_gone = !gone.is_empty();
        {
            let opened = &mut self.session().opened;
            opened.projects = there;
            opened.gone = gone;
        }
        if some_gone {
            self.keep_opened();
        }
    }

    /// What cannot be kept is opened all the same, for this run.
    fn keep_opened(&self) {
        if !self.options.remember_opened {
            return;
        }
        let projects = self.session().opened.projects.clone();
        let unkept = match file(self.host().as_ref()) {
            Some(path) => write(&path, &projects).err().map(|failure| failure.message),
            None => Some("No home folder is known to keep it in.".to_owned()),
        };
        self.session().opened.unkept = unkept;
    }
}

fn file(host: &dyn Host) -> Option<PathBuf> {
    host.data_dir().map(|data| data.join(FILE))
}

/// A file that cannot be read is as good as none: what it held can be opened again.
fn kept(host: &dyn Host) -> Vec<Vec<PathBuf>> {
    let bytes = file(host).and_then(|path| host.read(&path, LIMIT).ok());
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}
