//! What mends a cause: edits of the user's own files where those are known, the existing ways for emulators, and words for
//! the rest. After an edit the image is built again by hand; that is told.

use super::{
    cause::Cause,
    facts::{Looked, Seen, SourceFacts, SourceWay},
    judge::Judge,
};
use crate::{
    checks::emulator_missing,
    finding::{Confidence, Finding, Severity, Subject, SubjectKind},
    fix::{Fix, Safety, Step},
    platform::Platform,
};

/// A fix that is words, with commands to copy.
pub(super) fn tell(title: &str, text: &str, commands: Vec<Vec<String>>) -> Fix {
    let steps = vec![Step::Tell { text: text.to_owned(), commands }];
    let summary = "Nothing is changed here.".to_owned();
    Fix { option: 1, title: title.to_owned(), summary, safety: Safety::ShowOnly, steps, promise: None, runtime: None }
}

/// A fix that edits files, and says what to do then.
fn edit(judge: &Judge<'_>, title: String, source: &SourceFacts, mut steps: Vec<Step>) -> Fix {
    let summary = match &source.by {
        SourceWay::Mount { .. } => "The file is mounted, so that the change counts at the next start.".to_owned(),
        SourceWay::Copy { .. } => {
            "The image and the container stay as they are until the image is built again.".to_owned()
        }
    };
    steps.push(then(judge, source));
    Fix { option: 1, title, summary, safety: Safety::Review, steps, promise: None, runtime: None }
}

/// Building again, or starting again where the file is mounted.
fn then(judge: &Judge<'_>, source: &SourceFacts) -> Step {
    let name = &judge.stopped.name;
    let (text, command) = match (&source.by, &judge.stopped.compose) {
        (SourceWay::Mount { .. }, _) => ("Then start it again.", vec!["docker".into(), "start".into(), name.clone()]),
        (SourceWay::Copy { .. }, Some(of)) => {
            let mut command = judge.context.recreate(of);
            if let Some(at) = command.iter().position(|word| word == "up") {
                command.insert(at + 1, "--build".to_owned());
            }
            ("Then build the image again and make the container anew.", command)
        }
        (SourceWay::Copy { context, .. }, None) => {
            ("Then build the image again.", vec!["docker".into(), "build".into(), context.clone()])
        }
    };
    Step::Tell { text: text.to_owned(), commands: vec![command] }
}

/// For a cause that lies in a file.
pub(super) fn of_file(judge: &Judge<'_>, cause: Cause, file: &Looked, remedy: &str) -> Vec<Fix> {
    let path = match &file.seen {
        Seen::File(record) => record.path.text(),
        _ => file.name.as_str(),
    };
    let source = judge.stopped.sources.iter().find(|source| source.in_container == path);
    // What is missing is missing to the script that names it.
    let script = || judge.stopped.sources.first().filter(|_| cause == Cause::MissingInterpreter);
    let mut fixes = source.or_else(script).map(|source| of_source(judge, cause, file, source)).unwrap_or_default();
    fixes.push(tell("Show the way out", remedy, Vec::new()));
    numbered(fixes)
}

fn of_source(judge: &Judge<'_>, cause: Cause, file: &Looked, source: &SourceFacts) -> Vec<Fix> {
    let path = &source.path;
    match cause {
        Cause::CrlfScript if source.carriage_returns => {
            let mut steps = vec![Step::ConvertLineEndings { path: path.clone() }];
            steps.extend(attributes(source));
            vec![edit(judge, format!("Convert {path} to LF"), source, steps)]
        }
        Cause::BadShebang => first_line(judge, source).into_iter().collect(),
        Cause::MissingInterpreter => interpreter(judge, &file.name, source),
        Cause::NotExecutable => may_execute(judge, source).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// A line that keeps git from bringing the carriage returns back.
fn attributes(source: &SourceFacts) -> Option<Step> {
    let (folder, name) = source.path.rsplit_once('/')?;
    let (folder, name) = match &source.by {
        SourceWay::Copy { context, .. } => {
            (context.as_str(), source.path.strip_prefix(context.as_str())?.trim_start_matches('/'))
        }
        SourceWay::Mount { .. } => (folder, name),
    };
    let pattern = if name.ends_with(".sh") { "*.sh".to_owned() } else { format!("/{name}") };
    // A blank would end the pattern.
    (!pattern.contains(char::is_whitespace)).then(|| Step::AppendLine {
        path: format!("{}/.gitattributes", folder.trim_end_matches('/')),
        text: format!("{pattern} text eol=lf"),
    })
}

/// A script without a usable first line gets one.
fn first_line(judge: &Judge<'_>, source: &SourceFacts) -> Option<Fix> {
    let (path, expected) = (source.path.clone(), source.first_line.clone()?);
    let marked = expected.strip_prefix('\u{feff}').map(str::to_owned);
    let step = match marked {
        Some(plain) if plain.starts_with("#!") => {
            Step::EditLine { path: path.clone(), line: 1, expected, replacement: Some(plain) }
        }
        None if !expected.starts_with("#!") => {
            Step::InsertLine { path: path.clone(), before: 1, expected, text: "#!/bin/sh".to_owned() }
        }
        Some(_) | None => return None,
    };
    Some(edit(judge, format!("Let {path} begin with its interpreter"), source, vec![step]))
}

/// The interpreter is installed in the image; a shell script may do with the shell that is there.
fn interpreter(judge: &Judge<'_>, name: &str, source: &SourceFacts) -> Vec<Fix> {
    let mut fixes = Vec::new();
    let package = name.rsplit('/').next().unwrap_or(name);
    let install = match judge.stopped.package_manager {
        Some("apk") => Some(format!("RUN apk add --no-cache {package}")),
        Some("apt-get") => Some(format!(
            "RUN apt-get update && apt-get install -y --no-install-recommends {package} && rm -rf /var/lib/apt/lists/*"
        )),
        _ => None,
    };
    if let (SourceWay::Copy { dockerfile: Some(place), .. }, Some(text)) = (&source.by, install)
        && package.chars().all(|c| c.is_ascii_alphanumeric() || "-._+".contains(c))
    {
        let (path, expected) = (place.path.clone(), place.text.clone());
        let step = Step::InsertLine { path: path.clone(), before: place.line, expected, text };
        fixes.push(edit(judge, format!("Install {package} in {path}"), source, vec![step]));
    }
    if let (true, Some(line)) = (package == "bash", source.first_line.clone()) {
        let replacement = Some("#!/bin/sh".to_owned());
        let step = Step::EditLine { path: source.path.clone(), line: 1, expected: line, replacement };
        fixes.push(edit(judge, format!("Let sh run {}", source.path), source, vec![step]));
    }
    fixes
}

/// The copy in the image gets the permission, whatever the file has.
fn may_execute(judge: &Judge<'_>, source: &SourceFacts) -> Option<Fix> {
    let SourceWay::Copy { dockerfile: Some(place), .. } = &source.by else { return None };
    let (word, rest) = place.text.split_once(' ')?;
    if !word.eq_ignore_ascii_case("COPY") || place.text.contains("--chmod") || place.text.trim_end().ends_with('\\') {
        return None;
    }
    let (path, replacement) = (place.path.clone(), Some(format!("{word} --chmod=755 {}", rest.trim_start())));
    let step = Step::EditLine { path: path.clone(), line: place.line, expected: place.text.clone(), replacement };
    Some(edit(judge, format!("Let {path} copy it as executable"), source, vec![step]))
}

/// For a foreign program in a native image.
pub(super) fn foreign_binary(judge: &Judge<'_>, file: &str, platform: &Platform) -> Vec<Fix> {
    let copied = judge.stopped.sources.iter().find(|source| source.in_container == file);
    let text = match copied {
        Some(source) => format!(
            "{file} was copied from {}, which is {platform}. Build it inside the image or for its platform instead.",
            source.path
        ),
        None => format!(
            "{file} is {platform}. Let its download follow the platform that is built: ARG TARGETARCH in the Dockerfile and \
             $TARGETARCH in the address; or build the whole image with --platform {platform}."
        ),
    };
    vec![tell("Show the way out", &text, Vec::new())]
}

/// node_modules of another system: kept out of the build.
pub(super) fn host_modules(judge: &Judge<'_>, remedy: &str) -> Vec<Fix> {
    let context = judge.stopped.sources.iter().find_map(|source| match &source.by {
        SourceWay::Copy { context, .. } => Some((context, source)),
        SourceWay::Mount { .. } => None,
    });
    let mut fixes = Vec::new();
    if let Some((context, source)) = context {
        let line = |text: &str| Step::AppendLine { path: format!("{context}/.dockerignore"), text: text.to_owned() };
        let title = format!("Keep node_modules out of the build in {context}");
        fixes.push(edit(judge, title, source, vec![line("node_modules"), line("**/node_modules")]));
    }
    fixes.push(tell("Show the way out", remedy, Vec::new()));
    numbered(fixes)
}

/// The runtime's own ways to bring its emulator back.
pub(super) fn emulator_missing(judge: &Judge<'_>, platform: Option<&Platform>) -> Vec<Fix> {
    let Some(platform) = platform else { return Vec::new() };
    let finding = Finding {
        id: String::new(),
        check: emulator_missing::CHECK.id.to_owned(),
        severity: Severity::Broken,
        confidence: Confidence::Certain,
        subject: Subject::new(SubjectKind::Container, &judge.stopped.name),
        title: String::new(),
        why: String::new(),
        evidence: Vec::new(),
        fixes: Vec::new(),
        superseded_by: None,
    };
    let mut fixes = emulator_missing::with_fixes(judge.context, finding, &[platform.architecture.as_str()]).fixes;
    let text = format!(
        "If the image has a variant for this engine, it needs no emulator: pull it without --platform {platform}."
    );
    fixes.push(tell("Look for a native variant", &text, Vec::new()));
    numbered(fixes)
}

fn numbered(mut fixes: Vec<Fix>) -> Vec<Fix> {
    for (option, fix) in (1..).zip(&mut fixes) {
        fix.option = option;
    }
    fixes
}
