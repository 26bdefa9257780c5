//! A build's folder as the tar file that an engine's own builder takes: what `.dockerignore` leaves out stays out, links stay
//! links. Needed only where there is no buildx, which does this itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

/// More than that is not held in memory; buildx sends it piece by piece.
const LARGEST: u64 = 256 << 20;
/// Names that a Dockerfile from elsewhere gets; nobody's own.
const BROUGHT: &str = ".silidock.Dockerfile";
const IGNORE: &str = ".dockerignore";

/// Why a folder could not be packed.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is too much of it.
    #[error("{} holds more than {} MB, which only buildx can send", folder.display(), LARGEST >> 20)]
    TooLarge {
        /// The folder.
        folder: PathBuf,
    },
}

/// The Dockerfile of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dockerfile {
    /// A file, in the folder or elsewhere.
    File(PathBuf),
    /// Its text.
    Text(String),
}

/// A packed folder, and the Dockerfile's name in it.
#[derive(Debug)]
pub(super) struct Packed {
    pub tar: Vec<u8>,
    pub dockerfile: String,
}

/// Packs a folder. Blocks.
pub(super) fn pack(folder: &Path, dockerfile: &Dockerfile) -> Result<Packed, ContextError> {
    let own = match dockerfile {
        Dockerfile::File(path) => path.strip_prefix(folder).ok().map(Path::to_owned),
        Dockerfile::Text(_) => None,
    };
    let ignored = match fs::read_to_string(folder.join(IGNORE)) {
        Ok(text) => Ignored::parse(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ignored::default(),
        Err(source) => return Err(ContextError::Read { path: folder.join(IGNORE), source }),
    };
    let always: Vec<PathBuf> = own.iter().cloned().chain([PathBuf::from(IGNORE)]).collect();
    let mut tar = Builder::new(Vec::new());
    tar.follow_symlinks(false);
    let mut packing = Packing { folder, ignored, always, tar, bytes: 0 };
    packing.folder(Path::new(""))?;
    let name = match (&own, dockerfile) {
        (Some(own), _) => own.display().to_string(),
        (None, Dockerfile::Text(text)) => packing.brought(text.as_bytes())?,
        (None, Dockerfile::File(path)) => {
            let bytes = fs::read(path).map_err(|source| ContextError::Read { path: path.clone(), source })?;
            packing.brought(&bytes)?
        }
    };
    let tar = packing.tar.into_inner().map_err(|source| ContextError::Read { path: folder.to_owned(), source })?;
    Ok(Packed { tar, dockerfile: name })
}

struct Packing<'a> {
    folder: &'a Path,
    ignored: Ignored,
    always: Vec<PathBuf>,
    tar: Builder<Vec<u8>>,
    bytes: u64,
}

impl Packing<'_> {
    fn folder(&mut self, within: &Path) -> Result<(), ContextError> {
        let here = self.folder.join(within);
        let failed = |path: &Path, source| ContextError::Read { path: path.to_owned(), source };
        let entries = fs::read_dir(&here).map_err(|source| failed(&here, source))?;
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry.map_err(|source| failed(&here, source))?.file_name());
        }
        names.sort();
        for name in names {
            let path = within.join(&name);
            let whole = self.folder.join(&path);
            let kind = fs::symlink_metadata(&whole).map_err(|source| failed(&whole, source))?;
            let out = self.ignored.leaves_out(&path) && !self.always.contains(&path);
            if kind.is_dir() {
                // Something in it may be taken back in, or be needed.
                let needed = self.ignored.takes_back || self.always.iter().any(|always| always.starts_with(&path));
                if out && !needed {
                    continue;
                }
                if !out {
                    self.tar.append_dir(&path, &whole).map_err(|source| failed(&whole, source))?;
                }
                self.folder(&path)?;
            } else if !out && (kind.is_file() || kind.is_symlink()) {
                self.bytes += if kind.is_file() { kind.len() } else { 0 };
                if self.bytes > LARGEST {
                    return Err(ContextError::TooLarge { folder: self.folder.to_owned() });
                }
                self.tar.append_path_with_name(&whole, &path).map_err(|source| failed(&whole, source))?;
            }
        }
        Ok(())
    }

    /// A Dockerfile from elsewhere.
    fn brought(&mut self, bytes: &[u8]) -> Result<String, ContextError> {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        let appended = self.tar.append_data(&mut header, BROUGHT, bytes);
        appended.map_err(|source| ContextError::Read { path: PathBuf::from(BROUGHT), source })?;
        Ok(BROUGHT.to_owned())
    }
}

/// The lines of a `.dockerignore`: the last one that is about a path, or about a folder above it, decides.
#[derive(Debug, Default)]
struct Ignored {
    lines: Vec<(Vec<String>, bool)>,
    takes_back: bool,
}

impl Ignored {
    fn parse(text: &str) -> Self {
        let mut ignored = Self::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let line = line.trim();
            let (line, out) = line.strip_prefix('!').map_or((line, true), |rest| (rest.trim(), false));
            let parts = line.split('/').filter(|part| !part.is_empty() && *part != ".");
            let parts: Vec<String> = parts.map(str::to_owned).collect();
            if !parts.is_empty() {
                ignored.takes_back |= !out;
                ignored.lines.push((parts, out));
            }
        }
        ignored
    }

    fn leaves_out(&self, path: &Path) -> bool {
        let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let about = |line: &[String]| (1..=parts.len()).any(|length| is_about(line, &parts[..length]));
        self.lines.iter().rev().find(|(line, _)| about(line)).is_some_and(|(_, out)| *out)
    }
}

/// `**` stands for any number of folders.
fn is_about(line: &[String], path: &[String]) -> bool {
    match (line.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            is_about(rest, path) || path.split_first().is_some_and(|(_, below)| is_about(line, below))
        }
        (Some((first, rest)), Some((name, below))) => {
            let (first, name): (Vec<char>, Vec<char>) = (first.chars().collect(), name.chars().collect());
            fits(&first, &name) && is_about(rest, below)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// `*` stands for any letters, `?` for one, `[a-c]` for one of them, `\` takes the next as it is.
fn fits(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (['*', rest @ ..], _) => fits(rest, name) || (!name.is_empty() && fits(pattern, &name[1..])),
        (['?', rest @ ..], [_, below @ ..]) => fits(rest, below),
        (['[', inside @ ..], [letter, below @ ..]) if inside.contains(&']') => {
            let end = inside.iter().position(|c| *c == ']').unwrap_or_default();
            let (set, rest) = (&inside[..end], &inside[end + 1..]);
            let (set, other) = set.strip_prefix(&['^']).map_or((set, false), |set| (set, true));
            one_of(set, *letter) != other && fits(rest, below)
        }
        (['\\', plain, rest @ ..], [letter, below @ ..]) => plain == letter && fits(rest, below),
        ([plain, rest @ ..], [letter, below @ ..]) => plain == letter && fits(rest, below),
        (_, []) | ([], _) => false,
    }
}

fn one_of(set: &[char], letter: char) -> bool {
    match set {
        [from, '-', to, rest @ ..] => (*from..=*to).contains(&letter) || one_of(rest, letter),
        [one, rest @ ..] => *one == letter || one_of(rest, letter),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_stays_out_and_what_is_needed_comes_along() {
        let all = [
            "Dockerfile",
            ".git/HEAD",
            "a.md",
            "doc/a.md",
            "doc/keep.md",
            "src/x.rs",
            "src/gen/y1.rs",
            "src/gen/yz.rs",
        ];
        let rows: [(&str, &[&str]); 8] = [
            (
                "",
                &[
                    "Dockerfile",
                    ".git/HEAD",
                    "a.md",
                    "doc/a.md",
                    "doc/keep.md",
                    "src/gen/y1.rs",
                    "src/gen/yz.rs",
                    "src/x.rs",
                ],
            ),
            (
                "# no\n.git\n*.md\n",
                &["Dockerfile", "doc/a.md", "doc/keep.md", "src/gen/y1.rs", "src/gen/yz.rs", "src/x.rs"],
            ),
            ("**/*.md\n/src/\n.git", &["Dockerfile"]),
            ("*\n!src/x.rs\n", &["Dockerfile", "src/x.rs"]),
            ("doc\n!doc/keep.md\n.git\nsrc", &["Dockerfile", "a.md", "doc/keep.md"]),
            ("Dockerfile\n.git\ndoc\na.md\nsrc/gen/y[0-9].rs", &["Dockerfile", "src/gen/yz.rs", "src/x.rs"]),
            ("./doc/../x\n.git\n?.md\ndoc\nsrc/**/y*", &["Dockerfile", "src/x.rs"]),
            ("!a.md\n*.md\n.git\nsrc\ndoc/\n", &["Dockerfile"]),
        ];
        for (ignore, expected) in rows {
            let folder = tempfile::tempdir().unwrap();
            for file in all {
                let path = folder.path().join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, file).unwrap();
            }
            fs::write(folder.path().join(IGNORE), ignore).unwrap();
            let packed = pack(folder.path(), &Dockerfile::File(folder.path().join("Dockerfile"))).unwrap();
            assert_eq!(packed.dockerfile, "Dockerfile");
            let mut archive = tar::Archive::new(packed.tar.as_slice());
            let paths = archive.entries().unwrap().map(|entry| entry.unwrap());
            let files = paths.filter(|entry| entry.header().entry_type().is_file());
            let mut files: Vec<String> = files.map(|entry| entry.path().unwrap().display().to_string()).collect();
            files.retain(|path| path != IGNORE);
            files.sort();
            let mut expected: Vec<&str> = expected.to_vec();
            expected.sort_unstable();
            assert_eq!(files, expected, "{ignore}");
        }
    }

    #[test]
    fn a_dockerfile_from_elsewhere_is_brought_along() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = other.path().join("D");
        fs::write(&file, "FROM scratch\n").unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("link")).unwrap();
        for dockerfile in [Dockerfile::File(file), Dockerfile::Text("FROM scratch\n".to_owned())] {
            let packed = pack(folder.path(), &dockerfile).unwrap();
            let mut archive = tar::Archive::new(packed.tar.as_slice());
            let names: Vec<String> =
                archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
            assert_eq!((names, packed.dockerfile), (vec!["link".to_owned(), BROUGHT.to_owned()], BROUGHT.to_owned()));
        }
    }
}
