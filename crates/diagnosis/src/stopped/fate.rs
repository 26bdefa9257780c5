//! What the kernel would say to a program, from the files that starting it means: the cause, and the words that go with it.

use silidock_executable::{Before, Defect, Entry, FileRecord, Format, Kind, Role, Wording};

use super::{
    cause::Cause,
    facts::{FileRole, Looked, Seen, Start},
    wordings::Says,
};
use crate::{
    fact::Gap,
    platform::{Nativeness, Platform},
};

/// What becomes of a program that is started.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fate<'a> {
    /// The engine's own processor starts it.
    Starts,
    /// It is sound and for another processor.
    Foreign {
        /// The file.
        file: &'a Looked,
        /// What it is for.
        platform: Platform,
    },
    /// It cannot be started.
    Fails {
        /// Why.
        cause: Cause,
        /// The file that is the reason.
        file: &'a Looked,
        /// What is seen of it, in words.
        seen: String,
    },
    /// A file on the way could not be read.
    Unknown(Gap),
}

impl<'a> Fate<'a> {
    /// From the files, for an engine of a platform.
    pub(crate) fn of(start: &'a Start, engine: Option<&Platform>, user: &str) -> Self {
        let mut foreign = None;
        for file in &start.files {
            let record = match &file.seen {
                Seen::File(record) => record,
                // Without an emulator the kernel never comes to a foreign program's loader; with one, that says so itself.
                Seen::Missing { .. } | Seen::Dangling { .. } if foreign.is_some() && file.role == FileRole::Loader => {
                    continue;
                }
                Seen::Missing { looked_in } => return missing(file, looked_in),
                Seen::Dangling { target } => {
                    return fails(absent(file.role), file, format!("it is a link to {target}, which is not there"));
                }
                Seen::LinkLoop => return fails(Cause::LinkLoop, file, "its links lead in a circle".to_owned()),
                Seen::Unreadable(gap) => {
                    let mount = file.mount.as_ref().filter(|mount| mount.noexec);
                    return match mount {
                        Some(mount) => fails(Cause::NoexecMount, file, noexec(&mount.destination)),
                        None => Self::Unknown(gap.clone()),
                    };
                }
            };
            if let Some((cause, seen)) = permission(file, record, user).or_else(|| content(record)) {
                return fails(cause, file, seen);
            }
            match foreign_platform(record, engine) {
                Some(platform) if foreign.is_none() => foreign = Some((file, platform)),
                _ => {}
            }
        }
        match foreign {
            Some((file, platform)) => Self::Foreign { file, platform },
            None if start.files.is_empty() => Self::Unknown(Gap::new("what it starts", "it names no program")),
            None if engine.is_none() => Self::Unknown(Gap::new("the engine's platform", "it is not known")),
            None => Self::Starts,
        }
    }

    /// The kernel, or a shell, words this fate so.
    pub(crate) fn goes_with(&self, says: Says) -> bool {
        let Self::Fails { cause, file, .. } = self else {
            return matches!((self, says), (Self::Foreign { .. }, Says::ExecFormat | Says::ProgramAsScript));
        };
        let absent = matches!(file.seen, Seen::Missing { .. } | Seen::Dangling { .. });
        match says {
            Says::ExecFormat | Says::ProgramAsScript => matches!(
                cause,
                Cause::EmptyExecutable
                    | Cause::TruncatedExecutable
                    | Cause::NotAProgram
                    | Cause::HostBinary
                    | Cause::BadShebang
            ),
            Says::NoSuchFile | Says::NotFound => {
                // Of a cut program the loader may be missing, too, and the kernel says that first.
                let why =
                    [Cause::CrlfScript, Cause::MissingInterpreter, Cause::MissingLoader, Cause::TruncatedExecutable];
                absent || why.contains(cause)
            }
            Says::FileMissing => absent && file.role == FileRole::Program,
            Says::InterpreterMissing => matches!(cause, Cause::MissingInterpreter | Cause::CrlfScript),
            Says::CarriageReturn => *cause == Cause::CrlfScript,
            Says::NotPermitted => matches!(cause, Cause::NotExecutable | Cause::NoexecMount | Cause::IsDirectory),
            Says::IsDirectory => *cause == Cause::IsDirectory,
            Says::LinkLoop => *cause == Cause::LinkLoop,
            _ => false,
        }
    }
}

fn fails(cause: Cause, file: &Looked, seen: String) -> Fate<'_> {
    Fate::Fails { cause, file, seen }
}

fn absent(role: FileRole) -> Cause {
    match role {
        FileRole::Program => Cause::CommandNotFound,
        FileRole::Interpreter | FileRole::EnvProgram => Cause::MissingInterpreter,
        FileRole::Loader => Cause::MissingLoader,
    }
}

fn missing<'a>(file: &'a Looked, looked_in: &[String]) -> Fate<'a> {
    let seen = match looked_in {
        [] => "it is not there".to_owned(),
        folders => format!("it is in none of the folders of PATH: {}", folders.join(":")),
    };
    fails(absent(file.role), file, seen)
}

fn noexec(mount: &str) -> String {
    format!("it lies on the mount {mount}, which is noexec")
}

/// Why the user may not execute it.
fn permission(file: &Looked, record: &FileRecord, user: &str) -> Option<(Cause, String)> {
    match &record.entry {
        Entry::Folder => return Some((Cause::IsDirectory, "it is a folder".to_owned())),
        Entry::Special | Entry::Link { .. } => {
            return Some((Cause::NotAProgram, "it is a device, pipe or socket".to_owned()));
        }
        Entry::File { .. } => {}
    }
    let mode = record.mode & 0o7777;
    let (owner, group) = match user.split_once(':') {
        Some((owner, group)) => (owner, Some(group)),
        None => (user, None),
    };
    let uid = match owner {
        "" | "root" => Some(0),
        number => number.parse().ok(),
    };
    // A loader need not be executable: it is read.
    if file.role != FileRole::Loader && !record.may_execute() {
        return Some((Cause::NotExecutable, format!("its mode is {mode:04o}: nobody may execute it")));
    }
    if let Some(uid) = uid {
        let group = group.and_then(|group| group.parse().ok());
        let groups: Vec<u32> = group.into_iter().chain((uid == 0).then_some(0)).collect();
        // Further groups of the user are not known, so that only a refusal for everybody else counts.
        let in_group = record.mode & 0o010 != 0 && group.is_none() && uid != 0;
        if file.role != FileRole::Loader && !in_group && !record.may_be_executed_by(uid, &groups) {
            let owned = format!("its mode is {mode:04o} and it belongs to user {}", record.uid);
            return Some((Cause::NotExecutable, format!("{owned}; the container runs as {owner}")));
        }
    }
    let mount = file.mount.as_ref().filter(|mount| mount.noexec)?;
    Some((Cause::NoexecMount, noexec(&mount.destination)))
}

/// Why its content is no program.
fn content(record: &FileRecord) -> Option<(Cause, String)> {
    let Entry::File { size, kind, .. } = &record.entry else { return None };
    let not = |what: &str| Some((Cause::NotAProgram, what.to_owned()));
    match kind.as_ref()? {
        Kind::Empty => Some((Cause::EmptyExecutable, "it is 0 bytes long".to_owned())),
        Kind::Zeros => not("it holds nothing but zeros as far as it was read"),
        Kind::Cut(Format::Elf) => {
            Some((Cause::TruncatedExecutable, format!("it is {size} bytes long, less than the head of a program")))
        }
        Kind::Cut(_) => not("it is cut off within its head"),
        Kind::Elf(elf) => match elf.defect {
            Some(Defect::ProgramHeadersCut { needs, has } | Defect::SegmentsCut { needs, has }) => {
                let seen = format!("it is {has} bytes long and says that it has {needs}");
                Some((Cause::TruncatedExecutable, seen))
            }
            Some(Defect::BadHead | Defect::BadProgramHeaders | Defect::NothingToLoad | Defect::BadInterpreter) => {
                not("its head is damaged")
            }
            None if matches!(elf.role, Role::Object | Role::Core) => not("it is an object file, not a program"),
            None => None,
        },
        Kind::MachO(_) => Some((Cause::HostBinary, "it is a program for macOS".to_owned())),
        Kind::Pe(_) => Some((Cause::HostBinary, "it is a program for Windows or .NET".to_owned())),
        Kind::Script(script) => {
            let bad = |what: String| Some((Cause::BadShebang, what));
            match script.before {
                Before::Nothing => {}
                Before::Utf8Mark => return bad("a mark of UTF-8 (EF BB BF) stands before its #!".to_owned()),
                Before::Utf16Little | Before::Utf16Big => return bad("it is UTF-16 text".to_owned()),
                Before::Blanks => return bad("blanks or empty lines stand before its #!".to_owned()),
            }
            if script.carriage_return {
                let argument = script.argument.as_ref().map(|a| format!(" {a}")).unwrap_or_default();
                let line = format!("#!{}{argument}", script.interpreter);
                return Some((Cause::CrlfScript, format!("its first line, {line}, ends with a carriage return")));
            }
            if script.interpreter.is_empty() {
                return bad("its first line #! names no interpreter".to_owned());
            }
            script.too_long.then(|| (Cause::BadShebang, "its first line is longer than the kernel reads".to_owned()))
        }
        Kind::Text(text) => match text.wording {
            Wording::Html => not("it is a web page: a download that failed"),
            Wording::GitLfsPointer => not("it is a stand-in of Git LFS: the file itself was not fetched"),
            Wording::Plain => Some((Cause::BadShebang, "it is text without a first line #!".to_owned())),
        },
        Kind::JavaClass => not("it is a Java class, which only java can start"),
        Kind::WebAssembly => not("it is WebAssembly"),
        Kind::Archive(_) => not("it is a compressed file or an archive"),
        Kind::Other => not("its first bytes are those of no known program"),
    }
}

fn foreign_platform(record: &FileRecord, engine: Option<&Platform>) -> Option<Platform> {
    let engine = engine?;
    let platform: Platform = record.kind()?.platforms().next()?.parse().ok()?;
    (platform.on(engine) == Nativeness::Foreign).then_some(platform)
}
