//! What somebody allows on purpose: comments `silidock: allow check-id  reason` in the files that findings are about, and the
//! `[allow]` table of `.silidock.toml`.
//!
//! A comment counts for the line it stands on or, alone on its line, for the next line that is none; above everything else
//! of a file, for the whole file. Deliberately not here: which findings that silences.

use std::{collections::BTreeSet, path::Path};

use silidock_diagnosis::{
    compose::place,
    fact::Gap,
    inventory::Inventory,
    silence::{Allowed, AllowedScope, Silences},
};
use silidock_host::Host;
use toml::de::{DeTable, DeValue};

use crate::project_file::{Entry, ProjectFile};

const MARK: &str = "silidock:";
const VERB: &str = "allow";
/// Larger files are not written by hand.
const LIMIT: usize = 4 << 20;

/// Reads it from every file that a finding can stand in, and from every project's folder. A file that cannot be read is a
/// gap of those who read it for what it is about.
pub(crate) fn read(host: &dyn Host, inventory: &Inventory) -> Silences {
    let mut files: BTreeSet<&str> = BTreeSet::new();
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    for project in &inventory.projects {
        folders.extend(project.working_dir.as_deref());
        files.extend(project.files.iter().map(|file| file.path.as_str()));
        let services = project.services.known().into_iter().flatten();
        files.extend(services.map(|service| service.path.as_str()));
    }
    let defaults = inventory.default_platforms.known().into_iter().flatten();
    files.extend(defaults.filter_map(|default| default.path.as_deref()));
    let mut silences = Silences::default();
    for path in files {
        if let Ok(bytes) = host.read(Path::new(path), LIMIT) {
            comments(path, &String::from_utf8_lossy(&bytes), &mut silences);
        }
    }
    for folder in folders.into_iter().map(Path::new).filter(|folder| folder.is_absolute()) {
        let Some(mut file) = ProjectFile::open(host, folder) else { continue };
        let read = file.read(|file, root| file.allow(root, &folder.display().to_string()));
        silences.allowed.extend(read.unwrap_or_default());
        silences.gaps.extend(file.odd.into_iter().map(|(_, gap)| gap));
    }
    silences
}

/// Reads the comments of one file, whatever else it is: in YAML, Dockerfiles, shells and .env files they begin with `#`.
fn comments(path: &str, text: &str, into: &mut Silences) {
    let mut waiting: Vec<Allowed> = Vec::new();
    let mut first = true;
    for (line, number) in text.lines().zip(1_u32..) {
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        let (content, comment) = split(line);
        let alone = content.trim().is_empty();
        if !alone {
            let scope = |first: bool| if first { AllowedScope::File } else { AllowedScope::Line { line: number } };
            into.allowed.extend(waiting.drain(..).map(|allowed| Allowed { scope: scope(first), ..allowed }));
            first = false;
        }
        let Some(said) = comment.and_then(|comment| comment.trim_start().strip_prefix(MARK)) else { continue };
        let said = words(said).map(|(checks, reason)| {
            let one = |check: &str| Allowed {
                check: check.trim().to_owned(),
                reason: reason.to_owned(),
                path: path.to_owned(),
                line: Some(number),
                scope: AllowedScope::Line { line: number },
            };
            checks.split(',').map(one).collect::<Vec<_>>()
        });
        match said {
            Ok(all) if alone => waiting.extend(all),
            Ok(all) => into.allowed.extend(all),
            Err(why) => into.gaps.push(Gap::new(place(path, Some(number)), why)),
        }
    }
    // Nothing but comments.
    into.allowed.extend(waiting.into_iter().map(|allowed| Allowed { scope: AllowedScope::File, ..allowed }));
}

/// A line before its comment, and the comment. A `#` inside a word is none.
fn split(line: &str) -> (&str, Option<&str>) {
    let starts = |at: &usize| line[..*at].chars().next_back().is_none_or(char::is_whitespace);
    let marks = |at: &usize| line[*at + 1..].trim_start().starts_with(MARK) || line[..*at].trim().is_empty();
    match line.match_indices('#').map(|(at, _)| at).filter(starts).find(marks) {
        Some(at) => (&line[..at], Some(&line[at + 1..])),
        None => (line, None),
    }
}

/// The ids and the reason of `allow id, id  reason`.
fn words(said: &str) -> Result<(&str, &str), String> {
    const FORM: &str = "write: silidock: allow check-id  reason";
    let said = said.trim();
    let rest = said.strip_prefix(VERB).filter(|rest| rest.starts_with(char::is_whitespace) || rest.is_empty());
    let rest = rest.ok_or_else(|| format!("\"{said}\" is not known; {FORM}"))?.trim_start();
    let end = ids_end(rest);
    let (checks, reason) = (rest[..end].trim(), rest[end..].trim());
    match (checks.is_empty(), reason.is_empty()) {
        (true, _) => Err(format!("it names no check; {FORM}")),
        (_, true) => Err(format!("it gives no reason, so it allows nothing; {FORM}")),
        _ => Ok((checks, reason)),
    }
}

/// Where the list of ids ends: at the first blank that no comma stands before or after.
fn ids_end(rest: &str) -> usize {
    let blanks = rest.match_indices(char::is_whitespace).map(|(at, _)| at);
    let mut ends =
        blanks.filter(|at| !rest[..*at].trim_end().ends_with(',') && !rest[*at..].trim_start().starts_with(','));
    ends.next().unwrap_or(rest.len())
}

impl ProjectFile {
    fn allow(&mut self, root: &DeTable<'_>, folder: &str) -> Option<Vec<Allowed>> {
        let (_, allow) = root.iter().find(|(key, _)| key.get_ref().as_ref() == "allow")?;
        let mut all = Vec::new();
        for (key, value) in self.table(allow, "allow")? {
            match key.get_ref().as_ref() {
                "services" => {
                    for (name, value) in self.table(value, "allow.services").unwrap_or_default() {
                        let service = name.get_ref().to_string();
                        let scope = AllowedScope::Service { folder: folder.to_owned(), service };
                        self.checks(value, &format!("allow.services.{}", name.get_ref()), &scope, &mut all);
                    }
                }
                "images" => {
                    for (name, value) in self.table(value, "allow.images").unwrap_or_default() {
                        let reference = name.get_ref().to_string();
                        let scope = AllowedScope::Image { folder: folder.to_owned(), reference };
                        self.checks(value, &format!("allow.images.{}", name.get_ref()), &scope, &mut all);
                    }
                }
                check => {
                    let scope = AllowedScope::Folder { folder: folder.to_owned() };
                    all.extend(self.check(check, value, scope));
                }
            }
        }
        Some(all)
    }

    fn checks(&mut self, value: Entry<'_, '_>, name: &str, scope: &AllowedScope, into: &mut Vec<Allowed>) {
        for (key, value) in self.table(value, name).unwrap_or_default() {
            into.extend(self.check(key.get_ref(), value, scope.clone()));
        }
    }

    fn check(&mut self, check: &str, value: Entry<'_, '_>, scope: AllowedScope) -> Option<Allowed> {
        let at = value.span().start;
        let reason = match value.get_ref() {
            DeValue::String(reason) if !reason.trim().is_empty() => reason.trim().to_owned(),
            other => {
                let what = match other {
                    DeValue::String(_) => "it gives no reason, so it allows nothing".to_owned(),
                    other => format!("what allows {check} is its reason as a text, and not {}", other.type_str()),
                };
                self.odd(at, what);
                return None;
            }
        };
        Some(Allowed { check: check.to_owned(), reason, path: self.path.clone(), line: self.line(at), scope })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use silidock_host::FixtureHost;

    fn shown(silences: &Silences) -> (Vec<String>, Vec<String>) {
        let scope = |scope: &AllowedScope| match scope {
            AllowedScope::Line { line } => format!("line {line}"),
            AllowedScope::File => "file".to_owned(),
            AllowedScope::Folder { .. } => "folder".to_owned(),
            AllowedScope::Service { service, .. } => format!("service {service}"),
            AllowedScope::Image { reference, .. } => format!("image {reference}"),
        };
        let one = |a: &Allowed| format!("{} @{} {}: {}", a.check, a.line.unwrap_or(0), scope(&a.scope), a.reason);
        let gaps = silences.gaps.iter().map(|gap| format!("{}: {}", gap.what, gap.why)).collect();
        (silences.allowed.iter().map(one).collect(), gaps)
    }

    fn row(name: &str, found: &Silences, allowed: &[&str], gaps: &[&str]) {
        let (seen, odd) = shown(found);
        assert_eq!(seen, allowed, "{name}");
        assert!(
            odd.len() == gaps.len() && odd.iter().zip(gaps).all(|(one, part)| one.contains(part)),
            "{name}: {odd:?}"
        );
    }

    #[test]
    fn a_comment_counts_for_its_line_the_next_one_or_the_file() {
        let rows: [(&str, &[&str], &[&str]); 12] = [
            ("a: 1\nb: 2 # silidock: allow pin-needless  servers\n", &["pin-needless @2 line 2: servers"], &[]),
            ("a: 1\n  # silidock: allow x  why so\n\n  # said twice\n  b: 2\n", &["x @2 line 5: why so"], &[]),
            ("\u{feff}# silidock: allow x  whole\r\n# other\r\na: 1\r\n", &["x @1 file: whole"], &[]),
            (
                "a: 1\n# silidock: allow x, y ,z one reason\nb: 1\n",
                &["x @2 line 3: one reason", "y @2 line 3: one reason", "z @2 line 3: one reason"],
                &[],
            ),
            ("#silidock:allow x r\na: 1\n# silidock: allow y  s\n", &["x @1 file: r", "y @3 file: s"], &[]),
            ("a: 'x#silidock: allow x r'\n", &[], &[]),
            ("a: \"#fff\" # silidock: allow x  r\n", &["x @1 line 1: r"], &[]),
            ("# silidock: allow\na: 1\n", &[], &["f.yaml:1: it names no check"]),
            ("a: 1 # silidock: allow pin-needless\n", &[], &["gives no reason"]),
            ("a: 1 # silidock: ignore x  r\n", &[], &["\"ignore x  r\" is not known"]),
            ("a: 1 # silidock: allowed x  r\n", &[], &["is not known"]),
            ("# about silidock: nothing\na: 1\n", &[], &[]),
        ];
        for (text, allowed, gaps) in rows {
            let mut found = Silences::default();
            comments("/p/f.yaml", text, &mut found);
            row(text, &found, allowed, gaps);
        }
    }

    #[test]
    fn the_table_allows_for_a_project_its_services_and_its_images() {
        let rows: [(&str, &[&str], &[&str]); 5] = [
            ("[allow]\npin-needless = \"all Intel\"\n", &["pin-needless @2 folder: all Intel"], &[]),
            (
                "[deploy]\ntargets = []\n[allow.services.web]\na = \"r\"\n[allow.images.\"m:5.7\"]\nb = \"s\"\n",
                &["b @6 image m:5.7: s", "a @4 service web: r"],
                &[],
            ),
            ("[allow]\na = true\nb = \"  \"\nc = \"r\"\n", &["c @4 folder: r"], &["line 2 of", "gives no reason"]),
            ("allow = 1\n", &[], &["allow is a table"]),
            ("[allow\n", &[], &["not valid TOML"]),
        ];
        for (text, allowed, gaps) in rows {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("p")).unwrap();
            std::fs::write(folder.path().join("p/.silidock.toml"), text).unwrap();
            let mut inventory = Inventory::not_looked_at("unix:///x");
            let project = silidock_diagnosis::example::project("p", "web", "m:5.7", None);
            inventory.projects =
                vec![silidock_diagnosis::compose::ComposeProject { working_dir: Some("/p".to_owned()), ..project }];
            row(text, &read(&FixtureHost::new(folder.path()), &inventory), allowed, gaps);
        }
    }
}
