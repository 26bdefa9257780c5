//! What a container of this image runs first: the entry point, the command, scripts handed to a shell, interpreters,
//! loaders and libraries. These are judged strictly; nothing here is judged yet. Of arguments only the names of
//! programs are kept.

use std::collections::HashSet;

use silidock_executable::{FileRecord, Kind, Linkage};

use super::{
    StartRole, StartSettings, StartStep,
    libraries::Libraries,
    tree::{Lookup, Tree},
};

/// A script's interpreter may be a script; the kernel goes this far.
const DEEPEST: usize = 5;
/// As many libraries are followed; no program has more.
const MOST_LIBRARIES: usize = 400;
/// As many words of a start are looked at.
const MOST_WORDS: usize = 32;

const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "zsh", "ksh"];
/// Programs that run the one they are given.
const WRAPPERS: [&str; 8] = ["tini", "dumb-init", "docker-init", "catatonit", "env", "exec", "nice", "setsid"];

/// The start of an image.
#[derive(Debug, Default)]
pub(super) struct Start<'a> {
    pub(super) steps: Vec<StartStep>,
    /// Every file that is part of it.
    pub(super) first: HashSet<&'a str>,
    /// Libraries that are nowhere in the image: the file that asks, and their names.
    pub(super) missing: Vec<(&'a FileRecord, Vec<String>)>,
}

/// Works out the start.
pub(super) fn start<'a>(tree: &Tree<'a>, libraries: &Libraries<'a>, settings: &StartSettings) -> Start<'a> {
    let mut maker = Maker { tree, libraries, settings, start: Start::default() };
    let runs_command = |name: &str| {
        let found = tree.program(name, settings.search_path.as_deref(), &settings.working_dir);
        matches!(found, Lookup::File(record, _) if matches!(record.kind(), Some(Kind::Script(_) | Kind::Text(_))))
    };
    for (role, name) in programs(settings, runs_command) {
        maker.program(role, &name);
    }
    maker.start
}

/// The words that name programs which are run for certain. A script of an image's maker runs the command in the end; what
/// any other program does with its arguments is its own matter.
fn programs(settings: &StartSettings, is_script: impl Fn(&str) -> bool) -> Vec<(StartRole, String)> {
    let words: Vec<&String> = settings.entrypoint.iter().chain(&settings.command).take(MOST_WORDS).collect();
    let Some((program, mut rest)) = words.split_first() else { return Vec::new() };
    let role = if settings.entrypoint.is_empty() { StartRole::Command } else { StartRole::Entrypoint };
    let mut programs = vec![(role, (*program).clone())];
    let mut program = program.as_str();
    while WRAPPERS.contains(&name_of(program)) {
        // Its own options stand in front; `--` ends them.
        let after = rest.iter().position(|word| *word == "--").map(|at| at + 1);
        let at = after.or_else(|| rest.iter().position(|word| !word.starts_with('-') && !word.contains('=')));
        let Some((next, behind)) = at.and_then(|at| rest.get(at..)).and_then(|rest| rest.split_first()) else {
            return programs;
        };
        programs.push((StartRole::Command, (*next).clone()));
        (program, rest) = (next, behind);
    }
    if SHELLS.contains(&name_of(program)) {
        programs.extend(of_shell(rest));
    } else if let Some(command) = settings.command.first()
        && !settings.entrypoint.is_empty()
        && is_script(program)
        && !command.starts_with('-')
    {
        programs.push((StartRole::Command, command.clone()));
    }
    programs
}

fn name_of(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// What a shell is told to run: a line (`-c`, also together with other letters), or a script.
fn of_shell(words: &[&String]) -> Option<(StartRole, String)> {
    let is_line = |word: &&String| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c');
    let at = words.iter().position(|word| !word.starts_with('-') || is_line(word))?;
    if is_line(&words[at]) {
        return first_of_line(words.get(at + 1)?).map(|word| (StartRole::Command, word));
    }
    Some((StartRole::Script, words[at].clone()))
}

/// The program in a line of a shell: `exec node app.js`, `cd /app && ...` names none.
fn first_of_line(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().skip_while(|word| *word == "exec" || word.contains('='));
    let word = words.next()?;
    let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./+".contains(&byte));
    (plain && word != "cd" && !word.starts_with('-')).then(|| word.to_owned())
}

/// Where a relative path begins.
fn folder_for<'w>(name: &str, working_dir: &'w str) -> &'w str {
    if name.starts_with('/') { "" } else { working_dir }
}

struct Maker<'a, 's> {
    tree: &'s Tree<'a>,
    libraries: &'s Libraries<'a>,
    settings: &'s StartSettings,
    start: Start<'a>,
}

impl<'a> Maker<'a, '_> {
    fn program(&mut self, role: StartRole, name: &str) {
        let settings = self.settings;
        // A shell takes a bare name for a file of its folder.
        let found = match role {
            StartRole::Script => self.tree.at(&format!("{}/{name}", folder_for(name, &settings.working_dir))),
            _ => self.tree.program(name, settings.search_path.as_deref(), &settings.working_dir),
        };
        match found {
            Lookup::File(record, _) => self.file(role, name, record, 0),
            Lookup::Folder | Lookup::Missing => self.step(role, name, None),
        }
    }

    fn step(&mut self, role: StartRole, name: &str, record: Option<&'a FileRecord>) {
        let path = record.map(|record| record.path.text());
        self.start.first.extend(path);
        let arch = record.and_then(FileRecord::kind).and_then(|kind| kind.platforms().next());
        self.start.steps.push(StartStep {
            role,
            name: name.to_owned(),
            path: path.map(str::to_owned),
            arch: arch.map(str::to_owned),
        });
    }

    fn file(&mut self, role: StartRole, name: &str, record: &'a FileRecord, depth: usize) {
        let known = self.start.first.contains(record.path.text());
        self.step(role, name, Some(record));
        if known || depth > DEEPEST {
            return;
        }
        match record.kind() {
            // What a shell reads itself needs no interpreter.
            Some(Kind::Script(script)) if !script.interpreter.is_empty() && role != StartRole::Script => {
                self.next(StartRole::Interpreter, &script.interpreter, depth);
                if let Some(program) = script.env.as_ref().and_then(|call| call.program.as_deref()) {
                    self.next(StartRole::EnvProgram, program, depth);
                }
            }
            Some(Kind::Elf(elf)) if elf.linkage != Linkage::Static => {
                if let Some(loader) = &elf.interpreter {
                    self.next(StartRole::Loader, loader, depth);
                }
                self.libraries_of(record);
            }
            _ => {}
        }
    }

    fn next(&mut self, role: StartRole, name: &str, depth: usize) {
        let search_path = self.settings.search_path.as_deref();
        match self.tree.program(name, search_path, &self.settings.working_dir) {
            Lookup::File(record, _) => self.file(role, name, record, depth + 1),
            Lookup::Folder | Lookup::Missing => self.step(role, name, None),
        }
    }

    /// Everything that a program loads before its first own instruction.
    fn libraries_of(&mut self, program: &'a FileRecord) {
        let mut waiting = vec![program];
        let mut seen = HashSet::new();
        while let Some(asks) = waiting.pop() {
            let mut missing = Vec::new();
            for (name, library) in self.libraries.of(self.tree, asks, program) {
                match library {
                    Some(library) if seen.len() < MOST_LIBRARIES && seen.insert(library.path.text()) => {
                        self.start.first.insert(library.path.text());
                        waiting.push(library);
                    }
                    Some(_) => {}
                    None => missing.push(name.to_owned()),
                }
            }
            for name in &missing {
                self.step(StartRole::Library, name, None);
            }
            if !missing.is_empty() {
                self.start.missing.push((asks, missing));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_name_programs_are_told_from_arguments() {
        let words = |text: &str| text.split('|').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        for (entrypoint, command, expected) in [
            ("/app/server|--port|80", "", "/app/server"),
            ("", "nginx|-g|daemon off;", "nginx"),
            ("/entrypoint.sh", "nginx|-g", "/entrypoint.sh nginx"),
            ("/entrypoint.sh", "--flag", "/entrypoint.sh"),
            ("python", "/app/main.py", "python"),
            ("/sbin/tini|-g|--|/app/run", "--token=x", "/sbin/tini /app/run"),
            ("tini|bash|/start.sh", "", "tini bash /start.sh"),
            ("", "env|A=1|node|x.js", "env node"),
            ("/bin/sh|-c|exec node app.js", "", "/bin/sh node"),
            ("", "/bin/sh|-c|A=1 ./run --x", "/bin/sh ./run"),
            ("", "sh|-ec|cd /app && ./run", "sh"),
            ("bash|-e|/start.sh", "x", "bash /start.sh"),
            ("", "", ""),
        ] {
            let settings =
                StartSettings { entrypoint: words(entrypoint), command: words(command), ..StartSettings::default() };
            let told: Vec<String> =
                programs(&settings, |name| name.ends_with(".sh")).into_iter().map(|(_, name)| name).collect();
            assert_eq!(told.join(" "), expected, "{entrypoint} {command}");
        }
    }
}
