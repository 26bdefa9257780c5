//! Why a container stopped or a build failed: the stable names of causes, the check each belongs to, and whether the
//! architecture has to do with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why. In JSON the words with hyphens: `crlf-script`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The kernel took a file for no program, and which of the known reasons it had is not known.
    ExecFormatError,
    /// A program for another architecture than the image's, and nothing here runs it.
    ForeignBinary,
    /// The image is for another platform, and nothing on this engine runs its programs.
    EmulatorMissing,
    /// What is set for emulation does not work.
    EmulatorSettings,
    /// A tag or index has no image for the platform.
    NoNativeManifest,
    /// An image is here for another platform than the one asked for.
    PlatformDiffers,
    /// A script whose first line ends with a carriage return.
    CrlfScript,
    /// A script whose first line names no interpreter, or not at its very beginning.
    BadShebang,
    /// The interpreter that a script names is not there.
    MissingInterpreter,
    /// The loader that a program names is not there: glibc's in an image with musl, or the other way round.
    MissingLoader,
    /// A shared library is not there.
    MissingLibrary,
    /// A shared library is for another architecture.
    ForeignLibrary,
    /// The C library is older than, or another than, the one the program was built for.
    LibcDiffers,
    /// The file is empty.
    EmptyExecutable,
    /// The file is shorter than it says of itself.
    TruncatedExecutable,
    /// The file is damaged, or is something else than a program: an archive, a web page, a Java class.
    NotAProgram,
    /// A program for macOS or Windows.
    HostBinary,
    /// Packages were installed on another system and copied in.
    HostModulesCopied,
    /// A package has no native part for this platform.
    NativeModuleMissing,
    /// A Python package has no wheel for this platform and is compiled instead.
    WheelMissingCompiles,
    /// A Python package has nothing that this platform can install.
    WheelMissingFails,
    /// A download, a package or a compiler for another architecture was used.
    WrongDownload,
    /// The source or its compiler settings are for another architecture.
    BuildTarget,
    /// The file may not be executed.
    NotExecutable,
    /// It lies on a mount from which nothing may be executed.
    NoexecMount,
    /// There is no such command.
    CommandNotFound,
    /// The command is a folder.
    IsDirectory,
    /// The command is a link that leads back to itself.
    LinkLoop,
    /// An emulator, or a program under one, fell.
    CrashUnderEmulation,
    /// Work under an emulator that never ended.
    HangUnderEmulation,
    /// The program asks for a feature that the processor it sees does not have.
    CpuFeatureMissing,
    /// The program fell by itself.
    Crash,
    /// Memory ran out.
    OutOfMemory,
    /// It was ended from outside at once (SIGKILL).
    Killed,
    /// It was asked to end (SIGTERM, SIGINT).
    Stopped,
    /// Its user is not in the image's user list.
    UserMissing,
    /// The engine could not set it up: a folder, a mount, a port, a device.
    SetupRefused,
    /// The disk is full.
    DiskFull,
    /// The program itself reported an error.
    ApplicationError,
    /// It ended well.
    Success,
    /// It runs.
    Running,
    /// It was made and never started.
    NeverStarted,
    /// Not known.
    Unknown,
}

/// Whether something has to do with the architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum About {
    /// It has.
    Yes,
    /// It has not.
    No,
    /// Not known.
    Unknown,
}

impl Cause {
    /// The check whose finding says the same, where there is one.
    pub fn check(self) -> Option<&'static str> {
        Some(match self {
            Self::ExecFormatError => "exec-format-error",
            Self::ForeignBinary | Self::ForeignLibrary | Self::WrongDownload => "foreign-binary",
            Self::EmulatorMissing => "emulator-missing",
            Self::EmulatorSettings => "rosetta-not-effective",
            Self::NoNativeManifest => "no-native-manifest",
            Self::CrlfScript => "crlf-script",
            Self::BadShebang => "bad-shebang",
            Self::MissingInterpreter => "missing-interpreter",
            Self::MissingLoader => "missing-loader",
            Self::EmptyExecutable => "empty-executable",
            Self::TruncatedExecutable => "truncated-executable",
            Self::HostBinary => "host-binary",
            Self::HostModulesCopied => "host-modules-copied",
            Self::NativeModuleMissing => "native-module-missing",
            Self::WheelMissingCompiles => "wheel-missing-compiles",
            Self::WheelMissingFails => "wheel-missing-fails",
            Self::CrashUnderEmulation | Self::HangUnderEmulation => "crash-under-emulation",
            Self::CpuFeatureMissing => "cpu-feature-missing",
            _ => return None,
        })
    }

    /// Whether it has to do with the architecture, as far as the cause alone tells.
    pub fn about(self) -> About {
        match self {
            Self::ForeignBinary
            | Self::EmulatorMissing
            | Self::EmulatorSettings
            | Self::NoNativeManifest
            | Self::PlatformDiffers
            | Self::ForeignLibrary
            | Self::HostBinary
            | Self::HostModulesCopied
            | Self::NativeModuleMissing
            | Self::WrongDownload
            | Self::BuildTarget
            | Self::CrashUnderEmulation
            | Self::HangUnderEmulation
            | Self::CpuFeatureMissing => About::Yes,
            Self::ExecFormatError
            | Self::WheelMissingCompiles
            | Self::WheelMissingFails
            | Self::Crash
            | Self::Unknown => About::Unknown,
            _ => About::No,
        }
    }
}
