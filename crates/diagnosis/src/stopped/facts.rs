//! What was read of one container that stopped or never started. Lives only while it is judged: the engine's words and the
//! log may hold secrets, so nothing here is written anywhere.

use silidock_executable::FileRecord;

use crate::{
    fact::{Fact, Gap},
    inventory::{ComposeMembership, ContainerState},
    platform::Platform,
};

/// One container.
#[derive(Debug, Clone)]
pub struct StoppedContainer {
    /// Its name.
    pub name: String,
    /// State as the engine names it.
    pub state: ContainerState,
    /// It was started at least once.
    pub started: bool,
    /// Exit code of the last run; none where the engine does not say.
    pub exit_code: Option<i64>,
    /// The engine's own words about why it could not be started; may be empty.
    pub error: String,
    /// The engine says that its memory ran out.
    pub oom_killed: bool,
    /// The most memory it may use, in bytes.
    pub memory_limit: Option<u64>,
    /// Platform of the image it runs.
    pub platform: Fact<Platform>,
    /// The user its program runs as, as written: `1000`, `1000:1000`, `app`; empty for root.
    pub user: String,
    /// The last lines that it printed.
    pub log: Fact<String>,
    /// The files that starting it means, in the order the kernel takes them.
    pub start: Fact<Start>,
    /// The same for programs that its log or the engine speaks of.
    pub suspects: Vec<Start>,
    /// Files of the user's own that became files of the container.
    pub sources: Vec<SourceFacts>,
    /// The package manager that the container has: `apk`, `apt-get`.
    pub package_manager: Option<&'static str>,
    /// Compose's names for it.
    pub compose: Option<ComposeMembership>,
}

/// A file of the user's own, on this machine, that a file of the container was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFacts {
    /// The file in the container.
    pub in_container: String,
    /// The file on this machine, absolute.
    pub path: String,
    /// How it came there.
    pub by: SourceWay,
    /// Its first line, without its ending; none where it is no text.
    pub first_line: Option<String>,
    /// A line of it ends with a carriage return.
    pub carriage_returns: bool,
}

/// How a file came into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceWay {
    /// It is mounted, so that a change counts at once.
    Mount {
        /// Where in the container.
        destination: String,
    },
    /// A build copied it into the image.
    Copy {
        /// The folder that is built, absolute.
        context: String,
        /// The line of the image's history, such as `COPY run.sh /app/`.
        instruction: String,
        /// The same line in the Dockerfile, if it was found there.
        dockerfile: Option<DockerfilePlace>,
    },
}

/// A line of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DockerfilePlace {
    /// The Dockerfile, absolute.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The whole line.
    pub text: String,
}

/// A program that was or would be started.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// As it is named: `/app/run.sh`, `python3`.
    pub name: String,
    /// The program itself first, then what starts it: interpreter, loader.
    pub files: Vec<Looked>,
}

/// One file that was looked up.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// What it is for.
    pub role: FileRole,
    /// As it is named where it is asked for.
    pub name: String,
    /// What was found.
    pub seen: Seen,
    /// The mount it lies on; none for the image's own files.
    pub mount: Option<MountFacts>,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRole {
    /// It is started.
    Program,
    /// The first line of a script names it.
    Interpreter,
    /// `env` in the first line of a script looks it up.
    EnvProgram,
    /// A program names it as its loader.
    Loader,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// A file, after links; its path is where it really lies.
    File(FileRecord),
    /// Nothing of that name; for a name without a path, in none of these folders.
    Missing {
        /// Folders of `PATH` that were looked in.
        looked_in: Vec<String>,
    },
    /// A link to nothing.
    Dangling {
        /// What it names.
        target: String,
    },
    /// A link that leads back to itself.
    LinkLoop,
    /// It could not be read.
    Unreadable(Gap),
}

/// A mount of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountFacts {
    /// Where in the container.
    pub destination: String,
    /// The folder or file of the engine's machine, for a bind mount.
    pub source: Option<String>,
    /// Nothing on it may be executed.
    pub noexec: bool,
}
