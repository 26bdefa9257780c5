//! Every place that sets DOCKER_DEFAULT_PLATFORM: this program's environment, the start-up files of the user's
//! shells, the `.env` files of Compose projects. Only lines that name the variable are looked at.

use std::path::{Path, PathBuf};

use silidock_diagnosis::{
    compose::ComposeProject,
    fact::Fact,
    inventory::{DefaultPlatform, DefaultPlatformScope},
};
use silidock_host::{Host, ReadError};

const VARIABLE: &str = "DOCKER_DEFAULT_PLATFORM";
const LIMIT: usize = 1 << 20;

/// Start-up files below the home folder, of zsh, bash, POSIX shells and fish.
const SHELL_FILES: [&str; 11] = [
    ".zshenv",
    ".zprofile",
    ".zshrc",
    ".zlogin",
    ".profile",
    ".bash_profile",
    ".bash_login",
    ".bashrc",
    ".bash_aliases",
    ".config/fish/config.fish",
    ".config/zsh/.zshrc",
];

/// All places, or why they could not be looked at. Files that are missing set nothing.
pub(crate) fn find(host: &dyn Host, projects: &[ComposeProject]) -> Fact<Vec<DefaultPlatform>> {
    let mut found = Vec::new();
    if let Some(value) = host.env(VARIABLE) {
        let scope = DefaultPlatformScope::Environment;
        found.push(DefaultPlatform { value, scope, path: None, line: None, text: None });
    }
    let mut files: Vec<(PathBuf, DefaultPlatformScope)> = Vec::new();
    if let Some(home) = host.home() {
        files.extend(SHELL_FILES.iter().map(|name| (home.join(name), DefaultPlatformScope::ShellFile)));
    }
    for project in projects {
        if let Some(folder) = &project.working_dir {
            let scope = DefaultPlatformScope::Project { project: project.name.clone() };
            files.push((Path::new(folder).join(".env"), scope));
        }
    }
    let mut unread = Vec::new();
    for (path, scope) in files {
        match host.read(&path, LIMIT) {
            Ok(bytes) => found.extend(in_file(&path, &scope, &String::from_utf8_lossy(&bytes))),
            Err(ReadError::Missing { .. }) => {}
            Err(error) => unread.push(error.to_string()),
        }
    }
    match unread.is_empty() {
        true => Fact::Known(found),
        false => Fact::unknown(format!("all places that set {VARIABLE}"), unread.join("; ")),
    }
}

/// The assignments of one file. A later one wins in a shell, so only the last counts.
fn in_file(path: &Path, scope: &DefaultPlatformScope, text: &str) -> Option<DefaultPlatform> {
    let numbered = (1u32..).zip(text.split('\n'));
    let mut before = "";
    let mut last = None;
    for (number, line) in numbered {
        let line = line.trim_end_matches('\r');
        if let Some(mut found) = assignment(line) {
            if *scope == DefaultPlatformScope::ShellFile && (line.starts_with([' ', '\t']) || goes_on(before)) {
                found.whole = None;
            }
            last = Some((number, found));
        }
        before = line;
    }
    let (line, found) = last?;
    if found.value.is_empty() {
        return None;
    }
    Some(DefaultPlatform {
        value: found.value,
        scope: scope.clone(),
        path: Some(path.display().to_string()),
        line: Some(line),
        text: found.whole,
    })
}

/// A line that needs the next one. Taking the next one out would break the file, as it would inside `if ... fi`, which
/// people indent.
fn goes_on(line: &str) -> bool {
    let line = line.trim_end();
    ["\\", "&&", "||", "|", "then", "else", "do", "{"].iter().any(|end| line.ends_with(end))
}

#[derive(Debug, PartialEq)]
struct Assignment {
    value: String,
    /// The line, if it holds nothing else than this assignment and perhaps a comment.
    whole: Option<String>,
}

/// Reads `[export] NAME=value [# comment]` and fish's `set [-gx] NAME value`.
fn assignment(line: &str) -> Option<Assignment> {
    let trimmed = line.trim_start();
    if trimmed.starts_with('#') {
        return None;
    }
    let at = line.find(VARIABLE)?;
    let (before, after) = (&line[..at], &line[at + VARIABLE.len()..]);
    let words: Vec<&str> = before.split_whitespace().collect();
    let fish = words.first() == Some(&"set") && words[1..].iter().all(|w| w.starts_with('-'));
    let rest = if fish { after.trim_start() } else { after.strip_prefix('=')? };
    if !fish && !before.is_empty() && !before.ends_with([' ', '\t', ';']) {
        return None;
    }
    let (value, tail) = value(rest);
    let alone = fish || words.is_empty() || words == ["export"];
    let only_comment = tail.trim_start().is_empty() || tail.trim_start().starts_with('#');
    Some(Assignment { value, whole: (alone && only_comment).then(|| line.to_owned()) })
}

fn value(text: &str) -> (String, &str) {
    for quote in ['"', '\''] {
        if let Some((inner, tail)) = text.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return (inner.to_owned(), tail);
        }
    }
    let end = text.find(|c: char| c.is_whitespace() || c == ';' || c == '&').unwrap_or(text.len());
    (text[..end].to_owned(), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_shells_and_env_files_are_read() {
        for (line, value, whole) in [
            ("export DOCKER_DEFAULT_PLATFORM=linux/amd64", Some("linux/amd64"), true),
            ("DOCKER_DEFAULT_PLATFORM=\"linux/amd64\" # team", Some("linux/amd64"), true),
            ("  export DOCKER_DEFAULT_PLATFORM='linux/arm64'", Some("linux/arm64"), true),
            ("set -gx DOCKER_DEFAULT_PLATFORM linux/amd64", Some("linux/amd64"), true),
            ("export A=b DOCKER_DEFAULT_PLATFORM=linux/amd64", Some("linux/amd64"), false),
            ("export DOCKER_DEFAULT_PLATFORM=linux/amd64; export X=1", Some("linux/amd64"), false),
            ("alias d='DOCKER_DEFAULT_PLATFORM=linux/amd64 docker'", None, false),
            ("# export DOCKER_DEFAULT_PLATFORM=linux/amd64", None, false),
            ("unset DOCKER_DEFAULT_PLATFORM", None, false),
            ("export MY_DOCKER_DEFAULT_PLATFORM=x", None, false),
            ("echo $DOCKER_DEFAULT_PLATFORM", None, false),
        ] {
            let found = assignment(line);
            assert_eq!(found.as_ref().map(|f| f.value.as_str()), value, "{line}");
            assert_eq!(found.is_some_and(|f| f.whole.as_deref() == Some(line)), whole, "{line}");
        }
    }

    #[test]
    fn the_last_assignment_of_a_file_counts() {
        let text = "export DOCKER_DEFAULT_PLATFORM=linux/amd64\r\nx\r\nexport DOCKER_DEFAULT_PLATFORM=linux/arm64\r\n";
        let found = in_file(Path::new("/h/.zshrc"), &DefaultPlatformScope::ShellFile, text).unwrap();
        assert_eq!((found.value.as_str(), found.line), ("linux/arm64", Some(3)));
        for inside in [
            "if true; then\n  export DOCKER_DEFAULT_PLATFORM=linux/amd64\nfi\n",
            "if true; then\nexport DOCKER_DEFAULT_PLATFORM=linux/amd64\nfi\n",
            "test -n x &&\nexport DOCKER_DEFAULT_PLATFORM=linux/amd64\n",
        ] {
            let found = in_file(Path::new("/h/.zshrc"), &DefaultPlatformScope::ShellFile, inside).unwrap();
            assert_eq!(found.text, None, "taking it out would break {inside:?}");
        }
        let emptied = "DOCKER_DEFAULT_PLATFORM=linux/amd64\nexport DOCKER_DEFAULT_PLATFORM=\n";
        assert_eq!(in_file(Path::new("/h/.zshrc"), &DefaultPlatformScope::ShellFile, emptied), None);
    }
}
