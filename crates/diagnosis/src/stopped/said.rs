//! What a message about starting a program means by itself, where nothing else is known: for logs, and for containers
//! whose files could not be looked at. Several causes share their words; then the honest list is in the text.

use super::{
    Explanation,
    cause::{About, Cause},
    log::{Candidate, told},
    wordings::{Says, Told},
};
use crate::finding::{Confidence, Evidence};

/// What a message means by itself.
pub(crate) struct Sense {
    pub cause: Cause,
    pub about: About,
    pub rank: u8,
    pub confidence: Confidence,
    pub title: String,
    pub why: &'static str,
    pub remedy: &'static str,
}

impl Sense {
    pub(crate) fn of(told: &Told) -> Self {
        let name = told.path.as_deref();
        let of = |cause, about, rank, confidence, title: String, [why, remedy]: [&'static str; 2]| Self {
            cause,
            about,
            rank,
            confidence,
            title,
            why,
            remedy,
        };
        let (sure, may) = (told.confidence, Confidence::Likely);
        match told.says {
            Says::ExecFormat => of(
                Cause::ExecFormatError,
                About::Unknown,
                3,
                may,
                format!("{} is no program for this machine", or(name, "The file")),
                EXEC_FORMAT,
            ),
            Says::ProgramAsScript if sure == may => of(
                Cause::ForeignBinary,
                About::Unknown,
                3,
                may,
                format!("{} may be a program for another architecture", or(name, "The file")),
                LIKE_SCRIPT,
            ),
            Says::ProgramAsScript => of(
                Cause::ForeignBinary,
                About::Yes,
                3,
                sure,
                format!("{} is a program for another architecture", or(name, "The file")),
                AS_SCRIPT,
            ),
            Says::NoSuchFile => of(
                Cause::Unknown,
                About::Unknown,
                3,
                may,
                format!("{} is not there, or what starts it is not", or(name, "The file")),
                NO_SUCH_FILE,
            ),
            Says::FileMissing => of(
                Cause::CommandNotFound,
                About::No,
                3,
                sure,
                format!("There is no {}", or(name, "such file")),
                FILE_MISSING,
            ),
            Says::NotFound => of(
                Cause::CommandNotFound,
                About::No,
                2,
                sure.min(may),
                format!("{} was not found", or(name, "The command")),
                NOT_FOUND,
            ),
            Says::NotPermitted => of(
                Cause::NotExecutable,
                About::No,
                3,
                sure,
                format!("{} may not be executed", or(name, "The file")),
                NOT_PERMITTED,
            ),
            Says::IsDirectory => of(
                Cause::IsDirectory,
                About::No,
                3,
                sure,
                format!("{} is a folder, not a program", or(name, "The command")),
                DIRECTORY,
            ),
            Says::LinkLoop => of(
                Cause::LinkLoop,
                About::No,
                3,
                sure,
                format!("{} is a link that leads back to itself", or(name, "The command")),
                LOOP,
            ),
            Says::CarriageReturn => of(
                Cause::CrlfScript,
                About::No,
                3,
                sure,
                format!("{} has line endings of Windows", or(name, "A script")),
                CRLF,
            ),
            Says::InterpreterMissing => of(
                Cause::MissingInterpreter,
                About::No,
                3,
                sure,
                format!("The interpreter of {} is not there", or(name, "a script")),
                INTERPRETER,
            ),
            Says::LibraryMissing => of(
                Cause::MissingLibrary,
                About::No,
                3,
                sure,
                format!("The library {} is not there", or(name, "of a program")),
                LIBRARY,
            ),
            Says::LibraryForeign if name.is_some_and(|n| n.ends_with(".node")) => of(
                Cause::HostModulesCopied,
                About::Yes,
                3,
                sure,
                "Packages were installed on another system and copied into the image".to_owned(),
                NODE_MODULES,
            ),
            Says::LibraryForeign => of(
                Cause::ForeignLibrary,
                About::Yes,
                3,
                sure,
                format!("The library {} is for another architecture", or(name, "of a program")),
                FOREIGN_LIBRARY,
            ),
            Says::LibcDiffers => of(
                Cause::LibcDiffers,
                About::No,
                3,
                sure,
                "The image's C library is not the one the program was built for".to_owned(),
                LIBC,
            ),
            Says::UserMissing => of(
                Cause::UserMissing,
                About::No,
                3,
                sure,
                format!("The image has no user {}", or(name, "of that name")),
                USER,
            ),
            Says::StartedOutOfMemory => of(
                Cause::OutOfMemory,
                About::No,
                3,
                sure,
                "Memory ran out before the program was started".to_owned(),
                START_MEMORY,
            ),
            Says::SetupRefused => of(
                Cause::SetupRefused,
                About::No,
                3,
                sure,
                "The engine could not set the container up".to_owned(),
                SETUP,
            ),
            Says::DiskFull => {
                of(Cause::DiskFull, About::No, 3, sure, "The disk of the engine's machine is full".to_owned(), DISK)
            }
        }
    }
}

fn or<'a>(name: Option<&'a str>, otherwise: &'a str) -> &'a str {
    name.unwrap_or(otherwise)
}

/// A message in a log, by itself.
pub(crate) fn of_wording(said: &Told, line: usize) -> Candidate {
    let sense = Sense::of(said);
    let explanation = Explanation {
        cause: sense.cause,
        check: sense.cause.check().map(str::to_owned),
        confidence: sense.confidence,
        architecture: sense.about,
        title: sense.title,
        why: sense.why.to_owned(),
        evidence: vec![
            Evidence::new(format!("log line {line}"), said.quote.clone()),
            Evidence::new("words of", said.by),
        ],
        fixes: vec![told(sense.remedy)],
    };
    Candidate { rank: sense.rank, line, explanation }
}

const EXEC_FORMAT: [&str; 2] = [
    "The kernel took the file for no program. Either it is for another architecture and nothing here runs it, or it is a script \
     without a first line #!, or it is empty or damaged. The words alone do not tell which.",
    "Let silidock explain look at the container itself; it reads the file. For an image of another platform: prove the emulator \
     with silidock emulator, or take the image's native variant.",
];
const AS_SCRIPT: [&str; 2] = [
    "The kernel refused to run it, and the shell then read the machine code as if it were a script.",
    "Fetch the build of that program that fits the image, or build the image for the program's platform.",
];
const LIKE_SCRIPT: [&str; 2] = [
    "A shell that is handed a program for another architecture reads its machine code as a script and stumbles like this; a script \
     with a mistake, or one written for another shell, does so, too.",
    "Let silidock inside tell what the file is. A program: fetch its build for the image's platform. A script: name its shell in the first line.",
];
const NO_SUCH_FILE: [&str; 2] = [
    "The file may be missing. Where it is there, the kernel says the same of what starts it: a script whose first line ends with a \
     carriage return, an interpreter that is not installed, or a loader that the image does not have.",
    "Let silidock explain look at the container itself; it reads the file and what it names.",
];
const FILE_MISSING: [&str; 2] = [
    "The engine looked for exactly this path in the container and did not find it.",
    "Check the path in ENTRYPOINT or CMD, whether a COPY line brings it, and whether a mount hides it.",
];
const NOT_FOUND: [&str; 2] = [
    "No folder of PATH has a program of that name.",
    "Check the name, install the program, or give its full path. A command with arguments must be a list of words.",
];
const NOT_PERMITTED: [&str; 2] = [
    "The file has no permission to be executed for the user of the container, or lies on a mount where nothing may be executed.",
    "COPY --chmod=755 in the Dockerfile, or chmod +x before the build (git update-index --chmod=+x keeps it).",
];
const DIRECTORY: [&str; 2] = ["A folder cannot be started.", "Name the program itself in ENTRYPOINT or CMD."];
const LOOP: [&str; 2] = ["Following it never ends.", "Make the link anew in the Dockerfile."];
const CRLF: [&str; 2] = [
    "The carriage return at the end of the first line counts as a part of the interpreter's name, and there is no such program.",
    "Convert the file to LF and write a line *.sh text eol=lf into .gitattributes, then build again.",
];
const INTERPRETER: [&str; 2] = [
    "The first line of the script names a program that the image does not have.",
    "Install it in the image (apk add bash on Alpine), or name one that is there.",
];
const LIBRARY: [&str; 2] = [
    "The program was built against a library that the image does not have.",
    "Install the package that has it, or build the program in an image of the same distribution.",
];
const NODE_MODULES: [&str; 2] = [
    "The module's machine code is for another system or architecture: node_modules came from elsewhere.",
    "Write node_modules into .dockerignore and install inside the image.",
];
const FOREIGN_LIBRARY: [&str; 2] = [
    "The loader refused it because it is for another architecture, or is no library at all.",
    "Install the library inside the image instead of copying it in, and look for downloads that name an architecture.",
];
const LIBC: [&str; 2] = [
    "It was built on a newer distribution, or on one with another C library, than the image is made of.",
    "Build it in an image of the same distribution and version as the one it runs in, or link it statically.",
];
const USER: [&str; 2] = [
    "USER in the Dockerfile, or user: in Compose, names somebody who is not in /etc/passwd of the image.",
    "Add the user in the Dockerfile, or give a number.",
];
const START_MEMORY: [&str; 2] =
    ["The container's limit is too low even for the first steps of the engine.", "Raise the container's memory limit."];
const SETUP: [&str; 2] = [
    "A working folder, a mount, a port or a device is not as the container asks for it. The program was not started.",
    "The engine's words name the thing; put it right in the Compose file or the command.",
];
const DISK: [&str; 2] =
    ["Nothing could be written any more.", "docker system df shows what fills it; docker system prune makes room."];
