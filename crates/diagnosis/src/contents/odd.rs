//! Looking at one file of an image: what the checks are given, and the order in which they are asked. What does not fit
//! is said by the checks themselves.

use std::collections::BTreeSet;

use silidock_executable::{Elf, FileRecord, Kind, Libc, Role};

use super::{
    StartRole, StartSettings,
    tree::{SEARCH_PATH, Tree},
};
use crate::{
    checks::{
        bad_shebang, crlf_script, empty_executable, exec_format_error, foreign_binary, host_binary,
        missing_interpreter, missing_loader, truncated_executable,
    },
    platform::{Nativeness, Platform},
};

/// One file, with what has to be known to say whether it fits.
pub(crate) struct Look<'l, 'a> {
    pub(crate) record: &'a FileRecord,
    /// What it is there for in the start, where it has a step of its own.
    pub(crate) role: Option<StartRole>,
    /// What the image says it is built for; none where it does not.
    pub(crate) label: Option<&'l Platform>,
    pub(crate) tree: &'l Tree<'a>,
    pub(crate) start: &'l StartSettings,
    /// C libraries whose loaders are in the image.
    pub(crate) libcs: &'l BTreeSet<Libc>,
    /// Libraries that this file asks for and that are nowhere in the image; known for what is run first.
    pub(crate) missing: &'l [String],
}

/// What does not fit.
pub(crate) struct Odd {
    pub(crate) arch: Option<String>,
    pub(crate) detail: String,
}

impl Odd {
    pub(crate) fn new(detail: impl Into<String>) -> Self {
        Self { arch: None, detail: detail.into() }
    }
}

type Question = for<'l, 'a> fn(&Look<'l, 'a>) -> Option<Odd>;

/// The checks about single files. The first that has something to say of a file is the one that does.
pub(super) const QUESTIONS: [(&str, Question); 9] = [
    ("empty-executable", empty_executable::odd),
    ("truncated-executable", truncated_executable::odd),
    ("host-binary", host_binary::odd),
    ("foreign-binary", foreign_binary::odd),
    ("crlf-script", crlf_script::odd),
    ("bad-shebang", bad_shebang::odd),
    ("missing-interpreter", missing_interpreter::odd),
    ("missing-loader", missing_loader::odd),
    ("exec-format-error", exec_format_error::odd),
];

impl<'a> Look<'_, 'a> {
    pub(crate) fn kind(&self) -> Option<&'a Kind> {
        self.record.kind()
    }

    pub(crate) fn elf(&self) -> Option<&'a Elf> {
        match self.kind() {
            Some(Kind::Elf(elf)) => Some(elf),
            _ => None,
        }
    }

    /// The kernel is, or can be, asked to start it; not what a shell reads itself.
    pub(crate) fn is_started(&self) -> bool {
        self.record.may_execute() && self.role != Some(StartRole::Script) || self.is_run_first()
    }

    /// The kernel is asked to start it when the container starts.
    pub(crate) fn is_run_first(&self) -> bool {
        matches!(
            self.role,
            Some(StartRole::Entrypoint | StartRole::Command | StartRole::Interpreter | StartRole::EnvProgram)
        )
    }

    /// It lies in a folder of the search path, or is run first: somebody means to start it.
    pub(crate) fn is_a_command(&self) -> bool {
        let folder = self.record.path.text().rsplit_once('/').map_or("", |(above, _)| above);
        let search_path = self.start.search_path.as_deref().unwrap_or(SEARCH_PATH);
        self.is_run_first() || search_path.split(':').any(|place| place == folder)
    }

    /// Machine code that the label's processor cannot run.
    pub(crate) fn foreign_to_label(&self) -> Option<&'a str> {
        let elf = self.elf().filter(|elf| matches!(elf.role, Role::Program | Role::Library))?;
        let platform = elf.platform.as_deref()?;
        (!fits(platform, self.label?)).then_some(platform)
    }
}

/// Processors that no computer's programs run on: code for a graphics card, a controller or the kernel's own machine.
const DEVICES: [&str; 5] = ["bpf", "cuda", "amdgpu", "xtensa", "avr"];

/// Whether machine code of a platform runs on the processor that an image says it is for.
pub(super) fn fits(platform: &str, label: &Platform) -> bool {
    let Ok(platform) = platform.parse::<Platform>() else { return true };
    DEVICES.contains(&platform.architecture.as_str()) || platform.on(label) == Nativeness::Native
}
