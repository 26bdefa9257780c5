//! What a Compose service's `build:` leads to: the stages of its Dockerfile and the platforms they are fixed to.
//!
//! Only `FROM` and the `ARG` in front of the first one are looked at. Values of build arguments are used to replace
//! variables in those lines and are kept nowhere else.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use parse_dockerfile::{FromInstruction, Instruction};
use silidock_diagnosis::{
    compose::{BuildStage, ComposeBuild},
    fact::{Fact, Gap},
    platform::Platform,
};
use silidock_host::Host;
use yaml_serde::Value;

use crate::compose::scalar;

/// Larger files are no Dockerfiles.
const LIMIT: usize = 1 << 20;

/// Variables that BuildKit sets from the platform it builds on or for: what names one follows the build.
const FOLLOWS: [&str; 8] = [
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
];

/// Where the builds of one Compose file are.
pub(crate) struct Builds<'a> {
    pub(crate) host: &'a dyn Host,
    /// The Compose file.
    pub(crate) file: &'a Path,
    /// What contexts are relative to.
    pub(crate) folder: &'a Path,
}

impl Builds<'_> {
    /// Reads one `build:`.
    pub(crate) fn read(&self, build: &Value) -> ComposeBuild {
        let set = |key: &str| build.get(key).and_then(scalar);
        let platforms = build.get("platforms").and_then(Value::as_sequence);
        let mut read = ComposeBuild {
            dockerfile: None,
            platforms: platforms.into_iter().flatten().filter_map(scalar).collect(),
            stages: Vec::new(),
            gap: None,
        };
        let arguments = build.get("args").map(arguments).unwrap_or_default();
        let text = match set("dockerfile_inline") {
            Some(text) => {
                read.dockerfile = Some(self.file.display().to_string());
                let lines = false;
                (read.stages, read.gap) = stages(&text, &arguments, lines, self.file);
                return read;
            }
            None => self.dockerfile(scalar(build).or_else(|| set("context")), set("dockerfile")),
        };
        match text {
            Ok((path, text)) => {
                (read.stages, read.gap) = stages(&text, &arguments, true, &path);
                read.dockerfile = Some(path.display().to_string());
            }
            Err(gap) => read.gap = Some(gap),
        }
        read
    }

    fn dockerfile(&self, context: Option<String>, name: Option<String>) -> Result<(PathBuf, String), Gap> {
        let context = context.unwrap_or_else(|| ".".to_owned());
        let name = name.unwrap_or_else(|| "Dockerfile".to_owned());
        let gap = |why: &str| Gap::new(format!("the Dockerfile of {context}"), why);
        if context.contains('$') || name.contains('$') {
            return Err(gap("its place has a variable, which only Compose can replace"));
        }
        if context.contains("://") || context.starts_with("git@") || context.starts_with("github.com/") {
            return Err(gap("it is not on this machine"));
        }
        // Without the "./" that contexts often begin with.
        let path: PathBuf = self.folder.join(&context).join(&name).components().collect();
        let what = format!("the stages of {}", path.display());
        let bytes = self.host.read(&path, LIMIT).map_err(|error| match error.is_missing() {
            true => Gap::new(&what, format!("{} is not on this machine", path.display())),
            false => Gap::new(&what, error.to_string()),
        })?;
        let text = String::from_utf8(bytes).map_err(|_| Gap::new(&what, "it is not UTF-8 text"))?;
        Ok((path, text))
    }
}

/// `args:` as a mapping or as a list of `NAME=value`.
fn arguments(args: &Value) -> BTreeMap<String, String> {
    let pair = |text: String| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    match args {
        Value::Mapping(all) => all.iter().filter_map(|(k, v)| Some((scalar(k)?, scalar(v)?))).collect(),
        Value::Sequence(all) => all.iter().filter_map(scalar).filter_map(pair).collect(),
        _ => BTreeMap::new(),
    }
}

/// The stages of a Dockerfile as far as it can be read, and why not further.
fn stages(
    text: &str,
    arguments: &BTreeMap<String, String>,
    lines: bool,
    path: &Path,
) -> (Vec<BuildStage>, Option<Gap>) {
    let gap = |why: String| Gap::new(format!("the stages of {}", path.display()), why);
    let mut stages: Vec<BuildStage> = Vec::new();
    let mut variables = BTreeMap::new();
    // A file may begin with the mark that some editors of Windows write.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = &without_here_documents(text);
    let instructions = match parse_dockerfile::parse_iter(text) {
        Ok(instructions) => instructions,
        Err(error) => return (stages, Some(gap(error.to_string()))),
    };
    for instruction in instructions {
        match instruction {
            Ok(Instruction::Arg(arg)) if stages.is_empty() => {
                declare(&arg.arguments.value, arguments, &mut variables);
            }
            Ok(Instruction::From(from)) => {
                let line = text[..from.from.span.start].bytes().filter(|byte| *byte == b'\n').count() + 1;
                let line = u32::try_from(line).ok().filter(|_| lines);
                let written = text[from.from.span.start..].lines().next().unwrap_or_default().trim_end();
                stages.push(stage(&from, &variables, &stages, line, written));
            }
            Ok(_) => {}
            Err(error) => return (stages, Some(gap(format!("it could not be read to its end: {error}")))),
        }
    }
    let none = stages.is_empty().then(|| gap("it has no FROM".to_owned()));
    (stages, none)
}

/// The same lines with those of here-documents emptied. The parser knows only those at the start of an instruction, and
/// a line of a script or a query may begin like an instruction (`FROM users`).
fn without_here_documents(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\n', '\r']);
        if let Some(end) = open.first().filter(|_| inside) {
            if bare.trim_start_matches('\t') == end {
                open.remove(0);
                inside = !open.is_empty();
            }
            out.push_str(&line[bare.len()..]);
            continue;
        }
        let comment = bare.trim_start().starts_with('#');
        let mut kept = bare.to_owned();
        for word in bare.split_whitespace().filter(|_| !comment) {
            if let Some(end) = here_document(word) {
                // An instruction may need that many words.
                kept = kept.replacen(word, "x", 1);
                open.push(end);
            }
        }
        out.push_str(&kept);
        out.push_str(&line[bare.len()..]);
        // Its text begins after the last line of the instruction.
        inside = !open.is_empty() && !bare.trim_end().ends_with(['\\', '`']);
    }
    out
}

/// The word that ends a here-document, if this word of an instruction begins one: `<<EOF`, `<<-"EOF"`, `3<<EOF`.
fn here_document(word: &str) -> Option<String> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let name = rest.strip_prefix('-').unwrap_or(rest).trim_matches(['"', '\'']);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(plain))
        .then(|| name.to_owned())
}

/// `ARG NAME=default OTHER`: the value given to the build, else the default.
fn declare(text: &str, given: &BTreeMap<String, String>, variables: &mut BTreeMap<String, String>) {
    for word in text.split_whitespace() {
        let (name, default) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let default = default.map(|value| value.trim_matches(['"', '\'']).to_owned());
        if let Some(value) = given.get(name).cloned().or(default) {
            variables.insert(name.to_owned(), value);
        }
    }
}

fn stage(
    from: &FromInstruction<'_>,
    variables: &BTreeMap<String, String>,
    before: &[BuildStage],
    line: Option<u32>,
    text: &str,
) -> BuildStage {
    let image = replaced(&from.image.value, variables).unwrap_or_else(|_| from.image.value.clone().into_owned());
    let earlier = before.iter().filter_map(|stage| stage.name.as_deref()).any(|name| name.eq_ignore_ascii_case(&image));
    let written = from.options.iter().find(|flag| flag.name.value == "platform").and_then(|flag| flag.value.as_ref());
    BuildStage {
        name: from.as_.as_ref().map(|(_, name)| name.value.clone().into_owned()),
        internal: earlier || image == "scratch",
        platform: written.and_then(|written| fixed(&written.value, variables)),
        text: text.to_owned(),
        image,
        line,
    }
}

/// The platform a stage is fixed to; none where it follows the build.
fn fixed(written: &str, variables: &BTreeMap<String, String>) -> Option<Fact<Platform>> {
    let unknown = |why: String| Some(Fact::unknown(format!("the platform {written}"), why));
    match replaced(written, variables) {
        Ok(text) => match text.parse::<Platform>() {
            Ok(platform) => Some(Fact::Known(platform)),
            Err(error) => unknown(error.to_string()),
        },
        Err(name) if FOLLOWS.contains(&name.as_str()) => None,
        Err(name) => unknown(format!("the variable {name} has no value here")),
    }
}

/// Replaces `$NAME`, `${NAME}`, `${NAME-other}` and `${NAME:-other}`; the name of the first variable without a value
/// where there is one.
fn replaced(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (inside, then) = match after.strip_prefix('{') {
            Some(braced) => braced.split_once('}').unwrap_or((braced, "")),
            None => after.split_at(after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len())),
        };
        let (name, other) = inside.split_once('-').map_or((inside, None), |(name, other)| (name, Some(other)));
        let name = name.trim_end_matches(':');
        match variables.get(name).map(String::as_str).filter(|value| !value.is_empty()).or(other) {
            Some(value) => out.push_str(value),
            None => return Err(name.to_owned()),
        }
        rest = then;
    }
    Ok(out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, given: &[(&str, &str)]) -> (Vec<String>, Option<String>) {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (stages, gap) = stages(text, &given, true, Path::new("/p/Dockerfile"));
        let words = |stage: BuildStage| {
            let platform = match stage.platform {
                None => "follows".to_owned(),
                Some(Fact::Known(platform)) => platform.to_string(),
                Some(Fact::Unknown { unknown }) => unknown.why,
            };
            let inside = if stage.internal { " internal" } else { "" };
            format!("{:?} {} {platform}{inside}", stage.line.unwrap_or_default(), stage.image)
        };
        (stages.into_iter().map(words).collect(), gap.map(|gap| gap.why))
    }

    #[test]
    fn a_stage_is_fixed_follows_the_build_or_cannot_be_told() {
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);
        let rows: [Row<'_>; 14] = [
            ("FROM --platform=linux/amd64 debian:13\n", &[], &["1 debian:13 linux/amd64"]),
            ("\u{feff}# one\r\nFROM debian:13\r\n", &[], &["2 debian:13 follows"]),
            (
                "FROM --platform=$BUILDPLATFORM golang AS b\nFROM b\n",
                &[],
                &["1 golang follows", "2 b follows internal"],
            ),
            ("FROM --platform=linux/${TARGETARCH} x\n", &[], &["1 x follows"]),
            ("ARG A=amd64\nFROM --platform=linux/$A x:1\n", &[], &["2 x:1 linux/amd64"]),
            ("ARG A=amd64\nFROM --platform=linux/$A x\n", &[("A", "arm64")], &["2 x linux/arm64"]),
            ("ARG A\nFROM --platform=linux/$A x\n", &[], &["2 x the variable A has no value here"]),
            ("FROM --platform=${P:-linux/386} x\n", &[], &["1 x linux/386"]),
            ("ARG V=\"3\"\nFROM x:${V}-slim\nRUN cat <<A\nFROM y\nA\n", &[], &["2 x:3-slim follows"]),
            ("FROM a\nRUN psql <<-'Q' && \\\n  true\nFROM users\n\tQ\nFROM b\n", &[], &["1 a follows", "6 b follows"]),
            (
                "FROM a\nRUN <<A cat && echo $((1<<4)) <<<B\nFROM x\nA\nCOPY <<C /c\nFROM\nC\nFROM b\n",
                &[],
                &["1 a follows", "8 b follows"],
            ),
            ("FROM scratch\nCOPY a /\n", &[], &["1 scratch follows internal"]),
            (
                "from --platform=tablet x as y\n",
                &[],
                &["1 x \"tablet\" is not a platform: write it as os/architecture, for example linux/arm64"],
            ),
            ("# escape=`\nFROM --platform=linux/amd64 `\n  x\n", &[], &["2 x linux/amd64"]),
        ];
        for (text, given, expected) in rows {
            assert_eq!(read(text, given), (expected.iter().map(|s| (*s).to_owned()).collect(), None), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_and_the_stages_before_it_stay() {
        for (text, stages, why) in [
            ("", 0, "FROM"),
            ("FROM --platform=linux/amd64 x\nRUNN y\nFROM z\n", 1, "to its end"),
            ("not a Dockerfile", 0, ""),
        ] {
            let (read, gap) = read(text, &[]);
            assert_eq!(read.len(), stages, "{text}: {gap:?}");
            assert!(gap.as_ref().is_some_and(|gap| gap.contains(why)), "{text}: {gap:?}");
        }
    }
}
