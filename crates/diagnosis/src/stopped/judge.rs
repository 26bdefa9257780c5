//! Holds what was read of a container against each other and comes to one cause, or to the honest short list.
//!
//! In this order: memory, what the engine or the log says about starting a program (held against the files), files that
//! cannot be started, signals, what else the log says, and last the plain exit code.

use silidock_executable::Kind;

use super::{
    Explained, Explanation,
    cause::{About, Cause},
    facts::{Looked, Seen, Start, StoppedContainer},
    fate::Fate,
    fixes,
    log::{Candidate, LogReading, told},
    said::Sense,
    wordings::{Says, Told, recognise},
    words,
};
use crate::{
    check::Context,
    crash::{RanUnder, signal},
    emulator::display_name,
    execution::{Expected, expected},
    fact::{Fact, Gap},
    finding::{Confidence, Evidence},
    inventory::ContainerState,
    platform::Platform,
};

/// Explains one container.
pub fn explain(context: &Context<'_>, stopped: &StoppedContainer) -> Explained {
    Judge::new(context, stopped).explain()
}

/// Programs and files that the engine or the log speaks of when it comes to starting one, the last ones of them: they are
/// worth a look.
pub fn spoken_of(error: &str, log: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for path in error.lines().chain(log.lines()).filter_map(|line| recognise(line)?.path) {
        names.retain(|known| *known != path);
        names.push(path);
    }
    names.split_off(names.len().saturating_sub(SUSPECTS))
}

/// As many files are looked up because somebody speaks of them.
const SUSPECTS: usize = 4;

/// A message about starting a program, and where it stood.
#[derive(Clone)]
struct Message {
    told: Told,
    place: String,
}

pub(super) struct Judge<'a> {
    pub context: &'a Context<'a>,
    pub stopped: &'a StoppedContainer,
    engine: Option<&'a Platform>,
    emulated: Fact<Expected>,
    message: Option<Message>,
    log: Vec<Candidate>,
    gaps: Vec<Gap>,
}

impl<'a> Judge<'a> {
    fn new(context: &'a Context<'a>, stopped: &'a StoppedContainer) -> Self {
        let engine = &context.inventory.engine;
        let emulated = expected(&stopped.platform, engine);
        let mut judge = Self {
            context,
            stopped,
            engine: engine.platform.known(),
            emulated,
            message: None,
            log: Vec::new(),
            gaps: Vec::new(),
        };
        judge.gaps.extend(stopped.log.gap().cloned());
        judge.gaps.extend(stopped.start.gap().cloned());
        judge.read();
        judge
    }

    /// The engine's words first, then the last of the log that speak of starting a program.
    fn read(&mut self) {
        let of_engine = recognise(&self.stopped.error).map(|told| Message { told, place: "engine".to_owned() });
        let Fact::Known(log) = &self.stopped.log else {
            self.message = of_engine;
            return;
        };
        let mut reading = LogReading::new(self.ran_under());
        let mut last = None;
        for (number, line) in (1usize..).zip(log.lines()) {
            reading.line(line);
            if let Some(told) = recognise(line) {
                last = Some(Message { told, place: format!("log line {number}") });
            }
        }
        self.message = of_engine.or(last);
        self.log = reading.candidates();
        self.log.sort_by_key(|c| (std::cmp::Reverse((c.rank, c.explanation.confidence)), c.line));
    }

    fn ran_under(&self) -> RanUnder<'a> {
        match (&self.emulated, &self.stopped.platform) {
            (Fact::Known(Expected::Native), _) => RanUnder::Native,
            (Fact::Known(Expected::Emulated), Fact::Known(platform)) => {
                let proven = self.context.inventory.emulation.proven(&platform.architecture);
                proven.filter(|p| p.works()).map_or(RanUnder::Unknown, |p| RanUnder::Emulator(&p.emulator))
            }
            _ => RanUnder::Unknown,
        }
    }

    fn explain(mut self) -> Explained {
        let steps = [Self::state, Self::memory, Self::start, Self::files, Self::signals, Self::said_otherwise];
        let best = steps.iter().find_map(|step| step(&mut self)).unwrap_or_else(|| self.by_exit_code());
        let others = self.others(&best);
        Explained { best, others, gaps: self.gaps }
    }

    /// Not stopped at all, never started, or ended well.
    fn state(&mut self) -> Option<Explanation> {
        let name = &self.stopped.name;
        let status = |text: &str| Evidence::new("engine", text);
        match self.stopped.state {
            ContainerState::Running | ContainerState::Paused | ContainerState::Removing => Some(self.plain(
                Cause::Running,
                format!("{name} runs"),
                "It has not stopped. How it runs is in silidock scan.".to_owned(),
                vec![status("it is running")],
            )),
            _ if !self.stopped.started && self.stopped.error.is_empty() => Some(self.plain(
                Cause::NeverStarted,
                format!("{name} was made and never started"),
                "The engine tells of no try to start it.".to_owned(),
                vec![status("it was never started")],
            )),
            _ if self.stopped.started && self.stopped.exit_code == Some(0) => Some(self.plain(
                Cause::Success,
                format!("{name} ended by itself, and well"),
                "Its program came to its end. A container that shall stay needs a program that stays in the foreground.".to_owned(),
                vec![self.exit_evidence()],
            )),
            _ => None,
        }
    }

    fn memory(&mut self) -> Option<Explanation> {
        let at_start = self.message.as_ref().is_some_and(|m| m.told.says == Says::StartedOutOfMemory);
        let killed = self.stopped.oom_killed && self.stopped.exit_code == Some(137);
        if !at_start && !killed {
            return None;
        }
        let mut evidence = vec![Evidence::new("engine", "OOMKilled: true")];
        if at_start {
            evidence = self.message_evidence();
        }
        let limit = self.stopped.memory_limit.map(|bytes| format!("{:.0} MB", bytes as f64 / 1e6));
        let why = match &limit {
            Some(limit) => {
                evidence.push(Evidence::new("engine", format!("its memory limit is {limit}")));
                format!("It asked for more than its limit of {limit}, and the kernel ended it.")
            }
            None => "The memory of the engine's machine ran out, and the kernel ended it.".to_owned(),
        };
        let mut found =
            self.plain(Cause::OutOfMemory, format!("{} ran out of memory", self.stopped.name), why, evidence);
        let remedy = match limit {
            Some(_) => {
                "Raise its limit (mem_limit or deploy.resources in Compose, --memory), or let the program use less."
            }
            None => "Give the machine of the runtime more memory, or let the program use less.",
        };
        found.fixes = vec![told(remedy)];
        Some(found)
    }

    /// What the engine or the log says about starting a program, held against the files.
    fn start(&mut self) -> Option<Explanation> {
        let message = self.message.clone()?;
        self.of_message(&message)
    }

    fn of_message(&mut self, message: &Message) -> Option<Explanation> {
        let says = &message.told;
        // A shell that goes on after such words ends with its own code.
        let of_shell = message.place != "engine" && matches!(says.says, Says::NotFound | Says::NotPermitted);
        if of_shell && !matches!(self.stopped.exit_code, Some(126 | 127 | 255 | 1)) {
            return None;
        }
        if let Some((start, fate)) = self.borne_out(says) {
            return Some(self.of_fate(start, &fate, Confidence::Certain));
        }
        if says.says == Says::CarriageReturn
            && let Some((start, file)) =
                self.starts(says).into_iter().find_map(|start| Some((start, carriage_returns(start)?)))
        {
            let seen = "lines after its first end with carriage returns".to_owned();
            let fate = Fate::Fails { cause: Cause::CrlfScript, file, seen };
            return Some(self.of_fate(start, &fate, Confidence::Certain));
        }
        if says.says == Says::ExecFormat && self.needs_emulator() {
            return Some(self.emulator_missing(None));
        }
        let sense = Sense::of(says);
        let mut found = self.plain(sense.cause, sense.title, sense.why.to_owned(), self.message_words(message));
        (found.architecture, found.confidence) = (sense.about, sense.confidence);
        found.fixes = match sense.cause {
            Cause::HostModulesCopied => fixes::host_modules(self, sense.remedy),
            _ => vec![told(sense.remedy)],
        };
        self.narrow(&mut found, says);
        Some(found)
    }

    /// A program whose files bear out what a message says: the one that the container starts where the message speaks of
    /// one of its files, else the one that the message names.
    fn borne_out(&self, told: &Told) -> Option<(&'a Start, Fate<'a>)> {
        let of = |start: &'a Start| {
            let fate = self.fate(start);
            fate.goes_with(told.says).then_some((start, fate))
        };
        let spoken_of =
            |start: &&'a Start| told.path.as_ref().is_none_or(|path| start.files.iter().any(|file| file.name == *path));
        let main = self.stopped.start.known();
        main.filter(spoken_of).and_then(of).or_else(|| self.starts(told).into_iter().find_map(of))
    }

    /// The program that a message speaks of, before the one that the container starts.
    fn starts(&self, told: &Told) -> Vec<&'a Start> {
        let named = told.path.as_deref();
        let suspects = self.stopped.suspects.iter().filter(|s| named == Some(s.name.as_str()));
        suspects.chain(self.stopped.start.known()).collect()
    }

    fn fate(&self, start: &'a Start) -> Fate<'a> {
        Fate::of(start, self.engine, &self.stopped.user)
    }

    /// Words that the files do not bear out: what the files do say is added.
    fn narrow(&mut self, found: &mut Explanation, told: &Told) {
        let of_a_file = matches!(
            told.says,
            Says::ExecFormat
                | Says::NoSuchFile
                | Says::FileMissing
                | Says::NotFound
                | Says::NotPermitted
                | Says::InterpreterMissing
        );
        for start in self.starts(told).into_iter().take(usize::from(of_a_file)) {
            match self.fate(start) {
                Fate::Starts => {
                    found.evidence.push(Evidence::new(
                        start.name.clone(),
                        "as it is now, it could be started: it or its mount was changed since",
                    ));
                    found.confidence = Confidence::Likely;
                }
                Fate::Unknown(gap) if !self.gaps.contains(&gap) => self.gaps.push(gap),
                Fate::Unknown(_) | Fate::Foreign { .. } | Fate::Fails { .. } => {}
            }
        }
    }

    /// Files that cannot be started, where nobody said so: a log that is gone, an engine that words it in a new way.
    fn files(&mut self) -> Option<Explanation> {
        let start = self.stopped.start.known()?;
        let fate = self.fate(start);
        let code = self.stopped.exit_code;
        // Engines of the first years end with 1 what could not be started, and say so only in the log.
        let unsaid = code == Some(1) && self.stopped.log.known().is_none();
        let failed_to_start = unsaid || !self.stopped.started || matches!(code, Some(126..=128 | 255));
        match &fate {
            Fate::Fails { cause: Cause::TruncatedExecutable, .. } if matches!(code, Some(132 | 134 | 135 | 139)) => {
                Some(self.of_fate(start, &fate, Confidence::Certain))
            }
            Fate::Fails { .. } if failed_to_start => Some(self.of_fate(start, &fate, Confidence::Certain)),
            Fate::Foreign { .. } if failed_to_start && self.nothing_runs_it() => {
                Some(self.of_fate(start, &fate, Confidence::Certain))
            }
            _ => None,
        }
    }

    fn of_fate(&mut self, start: &'a Start, fate: &Fate<'a>, confidence: Confidence) -> Explanation {
        match fate {
            Fate::Fails { cause, file, seen } => {
                let path = match &file.seen {
                    Seen::File(record) => record.path.text().to_owned(),
                    _ => file.name.clone(),
                };
                let words = words::of_file(*cause, &self.stopped.name, &start.name, &path);
                let mut evidence = self.ending();
                evidence.push(Evidence::new(format!("{path} in the container"), seen.clone()));
                evidence.extend(self.way_to(start, &path));
                let mut found = self.plain(*cause, words.title, words.why, evidence);
                found.confidence = confidence;
                found.fixes = fixes::of_file(self, *cause, file, &words.remedy);
                found
            }
            Fate::Foreign { file, platform } => {
                let whole = self.stopped.platform.known().is_some_and(|p| p.architecture == platform.architecture);
                if whole {
                    return self.emulator_missing(Some((file.name.clone(), platform.clone())));
                }
                self.foreign_binary(&file.name, platform)
            }
            Fate::Starts | Fate::Unknown(_) => self.by_exit_code(),
        }
    }

    /// How the container comes to the file, where it does not name it itself.
    fn way_to(&self, start: &Start, path: &str) -> Option<Evidence> {
        let names: Vec<&str> = start.files.iter().map(|file| file.name.as_str()).collect();
        (start.name != path && names.len() > 1).then(|| Evidence::new("what is started", names.join(", which needs ")))
    }

    fn foreign_binary(&self, file: &str, platform: &Platform) -> Explanation {
        let mut evidence = self.ending();
        evidence.push(Evidence::new(format!("{file} in the container"), format!("it is a program for {platform}")));
        evidence.extend(self.platform_evidence());
        let title = format!("{file} is a program for {platform}, and nothing here runs it");
        let why = "The image is for another platform than this program in it: a download or a copied file of the wrong \
                   architecture.";
        let mut found = self.plain(Cause::ForeignBinary, title, why.to_owned(), evidence);
        found.fixes = fixes::foreign_binary(self, file, platform);
        found
    }

    fn emulator_missing(&self, file: Option<(String, Platform)>) -> Explanation {
        let of_file = file.as_ref().map(|(_, platform)| platform.clone());
        let platform = of_file.or_else(|| self.stopped.platform.known().cloned());
        let mut evidence = self.ending();
        if let Some((file, platform)) = &file {
            let text = format!("it is a program for {platform}");
            evidence.push(Evidence::new(format!("{file} in the container"), text));
        }
        evidence.extend(self.platform_evidence());
        evidence.extend(self.emulator_evidence());
        let words = platform.as_ref().map_or_else(|| "another platform".to_owned(), ToString::to_string);
        let title = format!("{} is {words}, and nothing on this engine runs that", self.stopped.name);
        let why = "The image is for another processor than the engine's, and no working emulator is registered for it. Usually the \
                   runtime had one and lost it: a privileged container displaced it, or an update did.";
        let mut found = self.plain(Cause::EmulatorMissing, title, why.to_owned(), evidence);
        found.confidence = if file.is_some() { Confidence::Certain } else { Confidence::Likely };
        found.fixes = fixes::emulator_missing(self, platform.as_ref());
        found
    }

    fn needs_emulator(&self) -> bool {
        self.emulated == Fact::Known(Expected::Emulated) && self.stopped.start.known().is_none()
    }

    fn nothing_runs_it(&self) -> bool {
        let platform = self.stopped.platform.known();
        let proven = platform.and_then(|p| self.context.inventory.emulation.proven(&p.architecture));
        proven.is_some_and(|p| !p.works())
    }

    /// Exit codes above 128 are signals.
    fn signals(&mut self) -> Option<Explanation> {
        let code = self.stopped.exit_code?;
        let fallen = matches!(code, 132..=136 | 139);
        let best = self.log.iter().find(|c| c.rank >= 2 && c.explanation.cause != Cause::ExecFormatError);
        if fallen {
            if let Some(candidate) = best.filter(|c| c.explanation.architecture == About::Yes) {
                return Some(self.of_log(candidate.explanation.clone()));
            }
            return Some(self.fallen(code));
        }
        let name = &self.stopped.name;
        match code {
            137 => match best.filter(|c| c.explanation.cause == Cause::OutOfMemory) {
                Some(candidate) => Some(self.of_log(candidate.explanation.clone())),
                None => Some(self.killed()),
            },
            130 | 143 => Some(self.plain(
                Cause::Stopped,
                format!("{name} was asked to end, and did"),
                "Somebody stopped it: docker stop, Compose, or the runtime as it shut down.".to_owned(),
                vec![self.exit_evidence()],
            )),
            _ => None,
        }
    }

    fn killed(&self) -> Explanation {
        let why = "The engine does not say that the container's own memory limit was the reason, and a busy one can miss that. What \
                   remains: docker kill, or docker stop when it did not end in time; or the whole machine of the engine ran out of memory.";
        let title = format!("{} was ended at once from outside", self.stopped.name);
        let mut found = self.plain(Cause::Killed, title, why.to_owned(), vec![self.exit_evidence()]);
        found.confidence = Confidence::Likely;
        found
    }

    fn fallen(&self, code: i64) -> Explanation {
        let name = &self.stopped.name;
        let signal_name = signal(code).map_or("a signal", |(name, _)| name);
        let mut evidence = vec![self.exit_evidence()];
        evidence.extend(self.platform_evidence());
        match (&self.emulated, self.ran_under()) {
            (Fact::Known(Expected::Emulated), under) => {
                let by = match under {
                    RanUnder::Emulator(emulator) => display_name(emulator),
                    _ => "an emulator",
                };
                let meaning = signal(code).map_or("the program or its emulator gave up", |(_, meaning)| meaning);
                let why = format!("That can be its own fault. Under emulation it usually means: {meaning}.");
                let title = format!("{name} ended with {signal_name} under {by}");
                let mut found = self.plain(Cause::CrashUnderEmulation, title, why, evidence);
                found.confidence = Confidence::Likely;
                found.fixes = vec![told(
                    "Run a native image of it, or try it under another emulator, before looking for a fault in the program.",
                )];
                found
            }
            (Fact::Known(Expected::Native), _) => {
                let why = match code {
                    132 => {
                        "It met an instruction that this processor does not have: it is built for a newer one, or it is damaged."
                    }
                    _ => "It runs on the engine's own processor, so no emulator has part in it.",
                };
                let mut found =
                    self.plain(Cause::Crash, format!("{name} fell with {signal_name}"), why.to_owned(), evidence);
                found.architecture = if code == 132 { About::Unknown } else { About::No };
                found
            }
            (Fact::Unknown { unknown }, _) => {
                let title = format!("{name} fell with {signal_name}");
                let why = format!("Whether it ran under an emulator is not known: {}.", unknown.why);
                let mut found = self.plain(Cause::Crash, title, why, evidence);
                (found.architecture, found.confidence) = (About::Unknown, Confidence::Likely);
                found
            }
        }
    }

    /// What else the log says.
    fn said_otherwise(&mut self) -> Option<Explanation> {
        let speaks = |c: &&Candidate| c.rank >= 2 || c.explanation.architecture == About::Yes;
        let candidate = self.log.iter().find(speaks)?;
        Some(self.of_log(candidate.explanation.clone()))
    }

    fn of_log(&self, mut found: Explanation) -> Explanation {
        found.evidence.insert(0, self.exit_evidence());
        if found.cause == Cause::HostModulesCopied {
            found.fixes =
                fixes::host_modules(self, "Write node_modules into .dockerignore and install inside the image.");
        }
        found
    }

    /// Nothing but the exit code is left. A program that was started and ended with a code of its own is not held up by
    /// the architecture.
    fn by_exit_code(&self) -> Explanation {
        let name = &self.stopped.name;
        let Some(code) = self.stopped.exit_code else {
            let why = "The engine says neither how it ended nor why.".to_owned();
            let mut found = self.plain(
                Cause::Unknown,
                format!("Why {name} stopped is not known"),
                why,
                vec![Evidence::new("engine", "no exit code")],
            );
            found.confidence = Confidence::Likely;
            return found;
        };
        let mut evidence = vec![self.exit_evidence()];
        let fate = self.stopped.start.known().map(|start| self.fate(start));
        let starts = fate == Some(Fate::Starts);
        if starts && let Some(start) = self.stopped.start.known() {
            evidence.push(Evidence::new(start.name.clone(), "the engine's own processor starts it"));
        }
        if let Some(Fate::Foreign { file, platform }) = &fate {
            evidence.push(Evidence::new(file.name.clone(), format!("it is a program for {platform}")));
        }
        evidence.extend(self.platform_evidence());
        let log_read = self.stopped.log.known().is_some();
        let ran = self.stopped.started && !matches!(code, 126..=128 | 255);
        let (cause, about, why) = match (ran || starts, log_read) {
            (true, true) => (
                Cause::ApplicationError,
                About::No,
                "Its program was started, ran, and ended with a code of its own. Nothing that it printed speaks of the platform: this is not the architecture.",
            ),
            (true, false) => (
                Cause::ApplicationError,
                About::No,
                "Its program was started, ran, and ended with a code of its own: this is hardly the architecture. Its log could not be read.",
            ),
            (false, _) => (
                Cause::Unknown,
                About::Unknown,
                "Codes like this one are given where a program could not be started, and also by shells and programs for a command that was not found; nobody says which it was.",
            ),
        };
        let title = match cause {
            Cause::ApplicationError => format!("{name} ended with code {code}: an error of its own"),
            _ => format!("Why {name} ended with code {code} is not known"),
        };
        let mut found = self.plain(cause, title, why.to_owned(), evidence);
        found.architecture = about;
        found.confidence = if starts && ran && log_read { Confidence::Certain } else { Confidence::Likely };
        let command = ["docker", "logs", "--tail", "50", name].map(str::to_owned).to_vec();
        found.fixes = vec![fixes::tell("Read its log", "Its own words say what went wrong.", vec![command])];
        found
    }

    /// What else is likely where the best is not certain.
    fn others(&self, best: &Explanation) -> Vec<Explanation> {
        if best.confidence != Confidence::Likely || matches!(best.cause, Cause::Running | Cause::NeverStarted) {
            return Vec::new();
        }
        let mut known = vec![best.cause];
        let mut others = Vec::new();
        for candidate in self.log.iter().filter(|c| c.rank >= 2) {
            if !known.contains(&candidate.explanation.cause) && others.len() < 3 {
                known.push(candidate.explanation.cause);
                others.push(candidate.explanation.clone());
            }
        }
        others
    }

    pub(super) fn plain(&self, cause: Cause, title: String, why: String, evidence: Vec<Evidence>) -> Explanation {
        Explanation {
            cause,
            check: cause.check().map(str::to_owned),
            confidence: Confidence::Certain,
            architecture: cause.about(),
            title,
            why,
            evidence,
            fixes: Vec::new(),
        }
    }

    fn exit_evidence(&self) -> Evidence {
        match (self.stopped.exit_code, signal_of(self.stopped.exit_code)) {
            (Some(code), Some(name)) => Evidence::new("engine", format!("exit code {code} ({name})")),
            (Some(code), None) => Evidence::new("engine", format!("exit code {code}")),
            (None, _) => Evidence::new("engine", "no exit code"),
        }
    }

    /// How it ended, as evidence: the code, and the message if there is one.
    fn ending(&self) -> Vec<Evidence> {
        let mut evidence = vec![self.exit_evidence()];
        evidence.extend(self.message_evidence());
        evidence
    }

    fn message_evidence(&self) -> Vec<Evidence> {
        self.message.as_ref().map(|m| vec![Evidence::new(m.place.clone(), m.told.quote.clone())]).unwrap_or_default()
    }

    fn message_words(&self, message: &Message) -> Vec<Evidence> {
        vec![
            self.exit_evidence(),
            Evidence::new(message.place.clone(), message.told.quote.clone()),
            Evidence::new("words of", message.told.by),
        ]
    }

    fn platform_evidence(&self) -> Option<Evidence> {
        let image = self.stopped.platform.known()?;
        let engine = self.engine?;
        Some(Evidence::new("engine", format!("its image is {image}, the engine is {engine}")))
    }

    fn emulator_evidence(&self) -> Option<Evidence> {
        let platform = self.stopped.platform.known()?;
        let proven = self.context.inventory.emulation.proven(&platform.architecture)?;
        (!proven.works()).then(|| proven.evidence.first().cloned()).flatten()
    }
}

/// The first script among the files whose later lines end with carriage returns.
fn carriage_returns(start: &Start) -> Option<&Looked> {
    start.files.iter().find(|file| match &file.seen {
        Seen::File(record) => matches!(record.kind(), Some(Kind::Script(script)) if script.later_carriage_returns),
        _ => false,
    })
}

fn signal_of(code: Option<i64>) -> Option<&'static str> {
    let code = code?;
    let others = [(130, "SIGINT"), (135, "SIGBUS"), (136, "SIGFPE"), (137, "SIGKILL"), (143, "SIGTERM")];
    signal(code)
        .map(|(name, _)| name)
        .or_else(|| others.iter().find(|(known, _)| *known == code).map(|(_, name)| *name))
}
