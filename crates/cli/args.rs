//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use silidock_app::diagnosis::{finding::Severity, platform::Platform};

use crate::output::typed;

/// Shows which containers run emulated, by what and why, and gets them off emulation.
///
/// Nothing is started, pulled or changed by looking. Exit status: 0 nothing at or above --fail-on, 1 findings,
/// 2 failed, 130 cancelled.
#[derive(Debug, Parser)]
#[command(name = "silidock", version, propagate_version = true, max_term_width = 100)]
pub struct Arguments {
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at an engine: which containers run emulated, by what, with evidence
    Scan(ScanOptions),
    /// Prove which emulator runs foreign programs, and read what is set (starts throw-away containers)
    Emulator(EmulatorOptions),
    /// List everything that needs translation, such as Intel's on an ARM Mac, and the way out of each
    #[command(name = "wayout")]
    WayOut(WayOutOptions),
    /// Ask registries which platforms references have, and for newer tags that have the engine's
    Registry(RegistryOptions),
    /// Say why a container stopped or will not start, or what a run or build log means
    Explain(ExplainOptions),
    /// Measure what emulation costs here: the same work natively and under each emulator (starts throw-away containers)
    Bench(Box<BenchOptions>),
    /// Look inside an image, a container or an archive: every program and library, its architecture, what does not fit
    Inside(InsideOptions),
    /// Preview a fix of a finding; with --apply carry it out, look again, and print the receipt
    Fix(FixOptions),
    /// Preview building an image or a service again for a platform; with --apply build it, and keep the image from before
    Rebuild(RebuildOptions),
    /// List the builders of buildx, what is native to their nodes, and who would build for a platform
    Builders(BuildersOptions),
    /// Say where what is built in a folder will run, or remember it
    Targets(TargetsOptions),
    /// Preview pinning a Compose service to a platform; with --apply do it
    Pin(PinOptions),
    /// Preview taking the platform of a Compose service out; with --apply do it
    Unpin(UnpinOptions),
    /// Preview taking a change back; with --apply do it
    Undo(UndoOptions),
    /// List every change that was made
    History(HistoryOptions),
    /// Make a report of a scan
    Report(ReportOptions),
    /// List the engines of this machine, without connecting to any
    Engines,
    /// Explain the checks, or one of them
    Checks {
        /// Check id, for example emulated-container
        id: Option<String>,
    },
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Where facts come from.
#[derive(Debug, Clone, Default, Args)]
pub struct From {
    /// Engine to look at: a Docker context, a runtime's name (orbstack, colima ...) or an address
    #[arg(long, value_name = "NAME|URL")]
    pub engine: Option<String>,
    /// Look at the embedded sample instead: a recorded Mac with every kind of finding
    #[arg(long, conflicts_with = "from")]
    pub sample: bool,
    /// Replay a capture instead of looking
    #[arg(long, value_name = "FILE", conflicts_with = "engine")]
    pub from: Option<PathBuf>,
    /// Judge a Compose project too, also where nothing of it was pulled yet: a file, a folder, or several files with commas
    /// between them
    #[arg(long, value_name = "FILE|DIR", conflicts_with_all = ["sample", "from"])]
    pub compose: Vec<String>,
    /// Ask the registries of images, containers and services too; uses the network and the logins of docker login
    #[arg(long, conflicts_with_all = ["sample", "from"])]
    pub ask_registry: bool,
    /// Look inside images, too, by throw-away containers: those that containers are made from, or with =all every one
    /// that is here
    #[arg(
        long,
        value_enum,
        value_name = "WHICH",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "used",
        conflicts_with_all = ["sample", "from"]
    )]
    pub inside: Option<Scope>,
}

impl From {
    /// The same words again, for a command line to copy.
    pub fn words(&self) -> String {
        let mut words = String::new();
        if let Some(engine) = &self.engine {
            words.push_str(&format!(" --engine {}", typed(engine)));
        }
        if self.sample {
            words.push_str(" --sample");
        }
        if let Some(file) = &self.from {
            words.push_str(&format!(" --from {}", typed(&file.to_string_lossy())));
        }
        for files in &self.compose {
            words.push_str(&format!(" --compose {}", typed(files)));
        }
        if self.ask_registry {
            words.push_str(" --ask-registry");
        }
        match self.inside {
            Some(Scope::Used) => words.push_str(" --inside"),
            Some(Scope::All) => words.push_str(" --inside=all"),
            None => {}
        }
        words
    }
}

#[derive(Debug, Args)]
pub struct ScanOptions {
    #[command(flatten)]
    pub from: From,
    /// Look at every engine of this machine
    #[arg(long, conflicts_with_all = ["engine", "sample", "from", "capture", "compose"])]
    pub all_engines: bool,
    /// Write what was seen to a file that --from can replay on another machine
    #[arg(long, value_name = "FILE")]
    pub capture: Option<PathBuf>,
    /// Exit with 1 when there is a finding of this severity or worse
    #[arg(long, value_enum, default_value_t = FailOn::Broken)]
    pub fail_on: FailOn,
    /// Exit with 1 also when something could not be judged
    #[arg(long)]
    pub fail_on_gaps: bool,
    /// Ask each running container for its processor time too
    #[arg(long)]
    pub cpu: bool,
}

#[derive(Debug, Args)]
pub struct RegistryOptions {
    /// Image reference: nginx:1, ghcr.io/acme/web:2, localhost:5000/app@sha256:...
    #[arg(required = true, value_name = "REF")]
    pub references: Vec<String>,
    /// Look for newer tags of the same repository that have the engine's platform
    #[arg(long)]
    pub newer: bool,
    /// Engine that newer tags and advice are for: a Docker context, a runtime's name or an address
    #[arg(long, value_name = "NAME|URL")]
    pub engine: Option<String>,
}

#[derive(Debug, Args)]
pub struct EmulatorOptions {
    /// Engine to prove it on: a Docker context, a runtime's name or an address
    #[arg(long, value_name = "NAME|URL")]
    pub engine: Option<String>,
    /// Read Docker Desktop's settings too; macOS may ask you whether Silidock may
    #[arg(long)]
    pub read_guarded: bool,
    /// Prove builds too, by a build of one step; nothing of it stays but an entry in the engine's build history
    #[arg(long)]
    pub builds: bool,
}

/// Measures, or shows what was measured before.
#[derive(Debug, Args)]
pub struct BenchOptions {
    /// Engine to measure: a Docker context, a runtime's name or an address
    #[arg(long, value_name = "NAME|URL")]
    pub engine: Option<String>,
    /// Lanes to measure: native, qemu, rosetta ...; every one that can be had when left out
    #[arg(long, value_name = "LANES", value_delimiter = ',')]
    pub lanes: Vec<String>,
    /// Workloads to measure, by id (--list names them)
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub workloads: Vec<String>,
    /// Fewer samples and workloads: under a minute
    #[arg(long)]
    pub quick: bool,
    /// Time a command in this image instead; it must be on the engine
    #[arg(long, value_name = "REF", conflicts_with = "build")]
    pub image: Option<String>,
    /// Time building this folder or Dockerfile without cache instead
    #[arg(long, value_name = "DIR|DOCKERFILE")]
    pub build: Option<String>,
    /// Platforms for --image or --build
    #[arg(long, value_name = "PLATFORMS", value_delimiter = ',')]
    pub platforms: Vec<Platform>,
    /// Measure QEMU, too, where another emulator is set: with the static QEMU of this image, such as tonistiigi/binfmt
    #[arg(long, value_name = "REF")]
    pub qemu_from: Option<String>,
    /// Pull the image of --qemu-from where it is not on the engine
    #[arg(long, requires = "qemu_from")]
    pub pull: bool,
    /// Repeat the order of an earlier run
    #[arg(long, value_name = "N")]
    pub seed: Option<u32>,
    #[command(flatten)]
    pub kept: KeptRuns,
    /// Write a report of the run to this file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Its form
    #[arg(long, value_enum, default_value_t = BenchForm::Html, requires = "output")]
    pub format: BenchForm,
    /// Hide host names, user names and addresses in the report
    #[arg(long, requires = "output")]
    pub redact: bool,
    /// The command for --image, and its arguments
    #[arg(last = true, value_name = "COMMAND", requires = "image")]
    pub command: Vec<String>,
}

/// Instead of measuring.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct KeptRuns {
    /// List the workloads
    #[arg(long)]
    pub list: bool,
    /// List the runs that are kept
    #[arg(long)]
    pub history: bool,
    /// Show a run that is kept: its name, the beginning of it, or latest
    #[arg(long, value_name = "RUN")]
    pub show: Option<String>,
    /// Compare two runs that are kept
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"])]
    pub compare: Option<Vec<String>>,
    /// Forget a run
    #[arg(long, value_name = "RUN")]
    pub delete: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum BenchForm {
    Html,
    Markdown,
    Json,
    Csv,
}

#[derive(Debug, Args)]
pub struct WayOutOptions {
    #[command(flatten)]
    pub from: From,
    /// Its form
    #[arg(long, value_enum, default_value_t = ListForm::Text)]
    pub format: ListForm,
    /// File to write; - or nothing for standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Hide host names, user names, home paths, registry hosts and environment values
    #[arg(long)]
    pub redact: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListForm {
    Text,
    Markdown,
    Csv,
    Json,
}

#[derive(Debug, Args)]
pub struct ExplainOptions {
    /// Name or identifier of the container
    #[arg(required_unless_present = "log", conflicts_with = "log")]
    pub container: Option<String>,
    /// Explain a log instead: of a container, a pull or a build; - reads standard input
    #[arg(long, value_name = "FILE|-")]
    pub log: Option<PathBuf>,
    /// Engine that has the container: a Docker context, a runtime's name or an address
    #[arg(long, value_name = "NAME|URL", conflicts_with = "log")]
    pub engine: Option<String>,
    /// Preview this one of the ways out; with --apply carry it out
    #[arg(long, value_name = "N", conflicts_with = "log")]
    pub fix: Option<u32>,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Args)]
pub struct InsideOptions {
    /// An image's reference or id, a container's name or id, an archive (docker save, OCI, tar), or the folder of an OCI
    /// layout; a path begins with / or ./ or ends with .tar and the like
    #[arg(value_name = "IMAGE|CONTAINER|FILE")]
    pub subject: String,
    /// How to look at what an engine has: from within, by a throw-away container, or by its archive, which is slower and
    /// shows layers. Without it an image is looked at from within, and by its archive where the engine refuses that
    #[arg(long, value_enum)]
    pub via: Option<Way>,
    /// Engine that has it: a Docker context, a runtime's name or an address
    #[arg(long, value_name = "NAME|URL")]
    pub engine: Option<String>,
    /// Which platform of an image that has several here, for example linux/amd64
    #[arg(long)]
    pub platform: Option<String>,
    /// List what is meant to be there, too, and every folder with programs
    #[arg(long)]
    pub all: bool,
    /// Exit with 1 when there is a finding of this severity or worse
    #[arg(long, value_enum, default_value_t = FailOn::Broken)]
    pub fail_on: FailOn,
    /// Exit with 1 also when something could not be read
    #[arg(long)]
    pub fail_on_gaps: bool,
}

#[derive(Debug, Args)]
pub struct FixOptions {
    /// Id of the finding, or its beginning
    #[arg(required_unless_present_any = ["list", "all_safe"], conflicts_with_all = ["list", "all_safe"])]
    pub finding: Option<String>,
    /// List the findings that have fixes
    #[arg(long)]
    pub list: bool,
    /// Every fix that cannot make anything worse, one after the other; the first that fails ends it
    #[arg(long, conflicts_with = "list")]
    pub all_safe: bool,
    /// Print it as a shell script to run by hand, and change nothing
    #[arg(long, conflicts_with_all = ["list", "apply"])]
    pub script: bool,
    /// Which of the finding's fixes
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with_all = ["list", "all_safe"])]
    pub option: u32,
    #[command(flatten)]
    pub consent: Consent,
    #[command(flatten)]
    pub from: From,
}

#[derive(Debug, Args)]
pub struct RebuildOptions {
    /// Image, Compose service (web, or shop/web) or container to build again
    #[arg(required = true, value_name = "IMAGE|SERVICE")]
    pub subjects: Vec<String>,
    /// Platform to build for; several with --push, or where the engine keeps several per tag. Without it, the engine's own and the
    /// deploy targets
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',')]
    pub platforms: Vec<Platform>,
    /// Push the result to the registry of its name, and read back what is there
    #[arg(long, conflicts_with = "load")]
    pub push: bool,
    /// Bring the result to the engine (this is so without --push)
    #[arg(long)]
    pub load: bool,
    /// Builder of buildx to take; without it, the one that runs most platforms natively
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,
    /// Folder it is built from, where nothing here says so; remembered for this image
    #[arg(long, value_name = "DIR")]
    pub context: Option<PathBuf>,
    /// Dockerfile, where it is not DIR/Dockerfile
    #[arg(long, value_name = "FILE", requires = "context")]
    pub file: Option<PathBuf>,
    /// Stage to build
    #[arg(long, value_name = "STAGE")]
    pub target: Option<String>,
    /// Then make what runs on the image anew from the new one: Compose services by Compose, other containers with the same
    /// configuration. What does not come up is brought back, and so is the image
    #[arg(long, conflicts_with = "push")]
    pub recreate: bool,
    /// Copy the volumes of what is made anew before; the copies stay
    #[arg(long, requires = "recreate")]
    pub copy_volumes: bool,
    /// Compose project whose services may be meant, also where nothing of it runs yet: a file, a folder, or several files with
    /// commas between them
    #[arg(long, value_name = "FILE|DIR")]
    pub compose: Vec<String>,
    /// Engine to build on: a Docker context, a runtime's name or an address
    #[arg(long, value_name = "NAME|URL")]
    pub engine: Option<String>,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Args)]
pub struct BuildersOptions {
    /// Platform to build for; several may be given. Without it, the engine's own
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',')]
    pub platforms: Vec<Platform>,
    /// Preview making a builder where none can build for them; with --apply make it
    #[arg(long)]
    pub create: bool,
    /// BuildKit's image for that builder, where it comes from a registry of your own
    #[arg(long, requires = "create", value_name = "REF")]
    pub image: Option<String>,
    /// Preview switching on containerd's image store, which holds several platforms under one tag; with --apply do it
    #[arg(long, conflicts_with = "create")]
    pub containerd_store: bool,
    /// Engine to build on: a Docker context, a runtime's name or an address
    #[arg(long, value_name = "NAME|URL")]
    pub engine: Option<String>,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Args)]
pub struct TargetsOptions {
    /// The project's folder
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
    /// Remember these platforms for it, where it has no .silidock.toml; none forgets
    #[arg(long, value_name = "PLATFORM", num_args = 0.., value_delimiter = ',')]
    pub set: Option<Vec<Platform>>,
}

#[derive(Debug, Args)]
pub struct PinOptions {
    /// Compose file
    pub file: PathBuf,
    /// Service in it; several with commas between them are changed together or not at all
    pub service: String,
    /// Platform, such as linux/arm64
    pub platform: String,
    /// Write into an override file beside it, and leave the file itself alone
    #[arg(long = "override")]
    pub in_override: bool,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Args)]
pub struct UnpinOptions {
    /// Compose file
    pub file: PathBuf,
    /// Service in it; several with commas between them are changed together or not at all
    pub service: String,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Args)]
pub struct UndoOptions {
    /// Receipt of the change, as history lists it
    pub receipt: String,
    #[command(flatten)]
    pub consent: Consent,
    /// A change of the embedded sample
    #[arg(long)]
    pub sample: bool,
}

/// Whether a preview may be carried out.
#[derive(Debug, Clone, Copy, Args)]
pub struct Consent {
    /// Carry it out after asking
    #[arg(long)]
    pub apply: bool,
    /// Do not ask
    #[arg(long, requires = "apply")]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct HistoryOptions {
    /// Changes of the embedded sample
    #[arg(long)]
    pub sample: bool,
}

#[derive(Debug, Args)]
pub struct ReportOptions {
    #[command(flatten)]
    pub from: From,
    /// Its form
    #[arg(long, value_enum, default_value_t = Form::Html)]
    pub format: Form,
    /// File to write; - or nothing for standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Hide host names, user names, home paths, registry hosts and environment values
    #[arg(long)]
    pub redact: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Way {
    Engine,
    Stream,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    Used,
    All,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FailOn {
    Broken,
    Slow,
    Note,
}

impl FailOn {
    pub fn severity(self) -> Severity {
        match self {
            Self::Broken => Severity::Broken,
            Self::Slow => Severity::Slow,
            Self::Note => Severity::Note,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Form {
    Html,
    Markdown,
    Json,
    Csv,
}
