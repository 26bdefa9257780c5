//! Variables of Compose files: where their values come from, and `${...}` replaced as Compose does it.
//!
//! Values are held while files are read and kept nowhere, but for the few settings that platforms are judged by.

use std::{collections::BTreeMap, path::Path};

use silidock_host::Host;

/// No `.env` file comes near this.
pub(super) const LIMIT: usize = 1 << 20;
/// How far variables stand in each other's defaults.
const DEPTH: usize = 32;

/// Where a model's variables come from: the environment first, then files, the earlier ones winning.
#[derive(Clone)]
pub(super) struct Variables<'a> {
    host: &'a dyn Host,
    files: Vec<BTreeMap<String, String>>,
}

/// A text with its variables replaced.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Replaced {
    pub text: String,
    /// It had variables.
    pub any: bool,
    /// Names without a value.
    pub unset: Vec<String>,
}

impl<'a> Variables<'a> {
    pub fn of(host: &'a dyn Host) -> Self {
        Self { host, files: Vec::new() }
    }

    pub fn get(&self, name: &str) -> Option<String> {
        self.host.env_or_empty(name).or_else(|| self.files.iter().find_map(|file| file.get(name)).cloned())
    }

    /// Adds what a `.env` file says. A file that is not there says nothing, unless it is asked for by name.
    pub fn read(&mut self, path: &Path, asked_for: bool) -> Result<(), String> {
        let bytes = match self.host.read(path, LIMIT) {
            Ok(bytes) => bytes,
            Err(error) if error.is_missing() && !asked_for => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        let text = String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8 text", path.display()))?;
        let file = self.parse(&text).map_err(|line| format!("{}:{line} is not NAME=value", path.display()))?;
        self.files.push(file);
        Ok(())
    }

    /// The assignments of a `.env` file, or the line that is none.
    fn parse(&self, text: &str) -> Result<BTreeMap<String, String>, usize> {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
        let mut rest = text.as_str();
        let line_of = |rest: &str| text[..text.len() - rest.len()].matches('\n').count() + 1;
        while !rest.is_empty() {
            let (line, next) = rest.split_once('\n').unwrap_or((rest, ""));
            let trimmed = line.trim_start();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                rest = next;
                continue;
            }
            let assignment = trimmed.strip_prefix("export ").unwrap_or(trimmed).trim_start();
            let end = assignment.find(['=', ':']).unwrap_or(assignment.len());
            let name = assignment[..end].trim();
            if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']'))
            {
                return Err(line_of(rest));
            }
            let Some(value) = assignment.get(end + 1..) else {
                // A name alone takes its value from the environment.
                found.extend(self.get(name).map(|value| (name.to_owned(), value)));
                rest = next;
                continue;
            };
            let from = &rest[line.len() - value.len()..];
            let (value, after) = self.value(from, &found).ok_or_else(|| line_of(rest))?;
            found.insert(name.to_owned(), value);
            rest = after;
        }
        Ok(found)
    }

    /// A value, and what follows its line. Quoted ones may go over several lines.
    fn value<'t>(&self, from: &'t str, so_far: &BTreeMap<String, String>) -> Option<(String, &'t str)> {
        let after_line = |text: &'t str| text.split_once('\n').map_or("", |(_, next)| next);
        let start = from.trim_start_matches([' ', '\t']);
        let look =
            |name: &str| self.host.env_or_empty(name).or_else(|| so_far.get(name).cloned()).or_else(|| self.get(name));
        for quote in ['"', '\''] {
            let Some(inside) = start.strip_prefix(quote) else { continue };
            let end = closing(inside, quote)?;
            let raw = &inside[..end];
            let value = match quote {
                '\'' => raw.to_owned(),
                _ => replace_with(&unescaped(raw), &look, DEPTH).ok()?.text,
            };
            return Some((value, after_line(&inside[end + 1..])));
        }
        let line = from.split('\n').next().unwrap_or_default();
        let bare = line.find(" #").map_or(line, |at| &line[..at]).trim();
        Some((replace_with(bare, &look, DEPTH).ok()?.text, after_line(from)))
    }

    /// Replaces the variables of a text; the reason where Compose would refuse it.
    pub fn replace(&self, text: &str) -> Result<Replaced, String> {
        replace_with(text, &|name: &str| self.get(name), DEPTH)
    }
}

fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '\\' if quote == '"' && !escaped => escaped = true,
            c if c == quote && !escaped => return Some(at),
            _ => escaped = false,
        }
    }
    None
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match (c, c == '\\') {
            (_, true) => match letters.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('$') => out.push_str("$$"),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            (c, false) => out.push(c),
        }
    }
    out
}

fn replace_with(text: &str, look: &dyn Fn(&str) -> Option<String>, depth: usize) -> Result<Replaced, String> {
    let mut out = Replaced::default();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.text.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(then) = after.strip_prefix('$') {
            out.text.push('$');
            rest = then;
            continue;
        }
        out.any = true;
        let inside = match after.strip_prefix('{') {
            Some(braced) => {
                let end = end_of_braces(braced).ok_or("a ${ has no }")?;
                rest = &braced[end + 1..];
                &braced[..end]
            }
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                rest = &after[end..];
                &after[..end]
            }
        };
        one(inside, look, depth, &mut out)?;
    }
    out.text.push_str(rest);
    Ok(out)
}

/// One variable: `NAME`, `NAME:-other`, `NAME-other`, `NAME:?why`, `NAME?why`, `NAME:+instead`, `NAME+instead`.
fn one(inside: &str, look: &dyn Fn(&str) -> Option<String>, depth: usize, out: &mut Replaced) -> Result<(), String> {
    let end = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inside.len());
    let (name, operator) = inside.split_at(end);
    if depth == 0 || !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Err("a $ does not begin a variable; a plain one is written $$".to_owned());
    }
    let (empty_too, operator) = operator.strip_prefix(':').map_or((false, operator), |rest| (true, rest));
    let value = look(name);
    let there = value.as_ref().filter(|value| !empty_too || !value.is_empty());
    let mut take = |other: &str| -> Result<(), String> {
        let other = replace_with(other, look, depth - 1)?;
        out.text.push_str(&other.text);
        out.unset.extend(other.unset);
        Ok(())
    };
    match (operator.chars().next(), there) {
        (None, _) if empty_too => Err(format!("${{{name}:}} is no variable"))?,
        (None, None) => out.unset.push(name.to_owned()),
        (Some('-'), None) => take(&operator[1..])?,
        (Some('+'), Some(_)) => take(&operator[1..])?,
        (Some('+'), None) => {}
        // Its own words may hold anything, so they are not repeated.
        (Some('?'), None) => return Err(format!("the variable {name} must be set, and it is not here")),
        (None | Some('-' | '?'), Some(value)) => out.text.push_str(value),
        (Some(_), _) => return Err(format!("${{{name}...}} is no variable")),
    }
    Ok(())
}

/// Where the brace ends that was opened before the text.
fn end_of_braces(text: &str) -> Option<usize> {
    let mut open = 1;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if at > 0 && bytes[at - 1] == b'$' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use silidock_host::FixtureHost;

    use super::*;

    #[test]
    fn variables_are_replaced_as_compose_does() {
        let folder = tempfile::tempdir().unwrap();
        let host = FixtureHost::new(folder.path()).with_env("TAG", "9").with_env("BLANK", "");
        std::fs::write(folder.path().join(".env"), "TAG=8\nEMPTY=\nARCH=arm64\nBLANK=file\n").unwrap();
        let mut variables = Variables::of(&host);
        variables.read(Path::new("/.env"), true).unwrap();
        for (text, expected) in [
            ("a:$TAG", Ok("a:9")),
            ("a:${TAG}b", Ok("a:9b")),
            ("${NO:-x}", Ok("x")),
            ("${EMPTY:-x}${EMPTY-y}", Ok("x")),
            ("${NO:-${ARCH:-z}}", Ok("arm64")),
            ("${NO-a-b:c}", Ok("a-b:c")),
            ("${TAG:+yes}${NO:+no}${EMPTY+set}${EMPTY:+no}", Ok("yesset")),
            ("${TAG?no}${EMPTY?no}", Ok("9")),
            // The environment's counts, be it empty.
            ("${BLANK-y}${BLANK:-x}${BLANK+set}${BLANK:+no}${BLANK?no}", Ok("xset")),
            ("${BLANK:?secret words}", Err("BLANK must be set")),
            ("$$TAG $${TAG}", Ok("$TAG ${TAG}")),
            ("linux/${ARCH}", Ok("linux/arm64")),
            ("${EMPTY:?secret words}", Err("EMPTY must be set")),
            ("${NO?secret words}", Err("NO must be set")),
            ("${TAG", Err("has no }")),
            ("pa$ word", Err("plain one is written $$")),
            ("${1A}", Err("plain one is written $$")),
            ("${TAG!}", Err("is no variable")),
        ] {
            match (variables.replace(text), expected) {
                (Ok(replaced), Ok(expected)) => assert_eq!(replaced.text, expected, "{text}"),
                (Err(why), Err(expected)) => {
                    assert!(why.contains(expected) && !why.contains("secret"), "{text}: {why}");
                }
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
        assert_eq!(variables.replace("a:$NO").unwrap().unset, ["NO"]);
    }

    #[test]
    fn env_files_are_read_as_compose_does() {
        let folder = tempfile::tempdir().unwrap();
        let host = FixtureHost::new(folder.path()).with_env("SHELL_ONE", "s");
        let variables = Variables::of(&host);
        let text = "# comment\n\nexport A=1\nB = two words # comment\nC='$A #x'\nD=\"$A\\n${B}\"\nE=\"x\ny\" # z\r\nF=$A-$E\n\
                    SHELL_ONE\nG: yaml\nH=a#b\nI=\n";
        let found = variables.parse(text).unwrap();
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "$A #x"),
            ("D", "1\ntwo words"),
            ("E", "x\ny"),
            ("F", "1-x\ny"),
            ("G", "yaml"),
            ("H", "a#b"),
            ("I", ""),
            ("SHELL_ONE", "s"),
        ];
        let expected: BTreeMap<String, String> =
            expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(found, expected);
        assert_eq!(variables.parse("A=1\nnot a name=2\n"), Err(2));
        assert_eq!(variables.parse("A=\"open\n"), Err(1));
    }
}
