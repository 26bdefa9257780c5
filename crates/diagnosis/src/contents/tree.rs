//! The records of an image by path, and what a path leads to through links. Only links, and files that can matter, have
//! records: a folder is where something lies below.

use std::collections::{HashMap, HashSet};

use silidock_executable::{Entry, FileRecord};

use super::Found;

/// More links than the kernel follows.
const MOST_LINKS: usize = 40;

/// The search path where an image names none.
pub(super) const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Records by path.
#[derive(Debug)]
pub struct Tree<'a> {
    records: HashMap<&'a str, (&'a FileRecord, Option<u32>)>,
    folders: HashSet<&'a str>,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup<'a> {
    /// A file, and the layer that brought it.
    File(&'a FileRecord, Option<u32>),
    /// A folder.
    Folder,
    /// Nothing that has a record.
    Missing,
}

impl<'a> Tree<'a> {
    /// Of everything that was found.
    pub fn new(found: &'a Found) -> Self {
        let records: HashMap<_, _> =
            found.records.iter().map(|(record, layer)| (record.path.text(), (record, *layer))).collect();
        let mut folders = HashSet::new();
        for path in records.keys() {
            let mut above = *path;
            while let Some((folder, _)) = above.rsplit_once('/') {
                if folder.is_empty() || !folders.insert(folder) {
                    break;
                }
                above = folder;
            }
        }
        Self { records, folders }
    }

    /// All records in order of their paths.
    pub fn all(&self) -> Vec<(&'a FileRecord, Option<u32>)> {
        let mut all: Vec<_> = self.records.values().copied().collect();
        all.sort_by(|(one, _), (other, _)| one.path.cmp(&other.path));
        all
    }

    /// What lies at an absolute path, links followed.
    pub fn at(&self, path: &str) -> Lookup<'a> {
        let mut todo: Vec<String> = parts(path).rev().map(str::to_owned).collect();
        let mut here = String::new();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == ".." {
                here.truncate(here.rfind('/').unwrap_or_default());
                continue;
            }
            let above = here.len();
            here.push('/');
            here.push_str(&part);
            match self.records.get(here.as_str()) {
                Some((record, layer)) => match &record.entry {
                    Entry::Link { target } => {
                        links += 1;
                        if links > MOST_LINKS {
                            return Lookup::Missing;
                        }
                        here.truncate(if target.text().starts_with('/') { 0 } else { above });
                        todo.extend(parts(target.text()).rev().map(str::to_owned));
                    }
                    Entry::Folder => {}
                    _ if todo.is_empty() => return Lookup::File(record, *layer),
                    _ => return Lookup::Missing,
                },
                None if self.folders.contains(here.as_str()) => {}
                None => return Lookup::Missing,
            }
        }
        Lookup::Folder
    }

    /// The program that a name leads to as the kernel or a shell takes it: a path as it is, from the working folder on
    /// where it is relative; a bare name along the search path, where only what may be executed counts.
    pub fn program(&self, name: &str, search_path: Option<&str>, working_dir: &str) -> Lookup<'a> {
        if name.contains('/') {
            let whole = if name.starts_with('/') { name.to_owned() } else { format!("{working_dir}/{name}") };
            return self.at(&whole);
        }
        let folders = search_path.unwrap_or(SEARCH_PATH).split(':').filter(|folder| folder.starts_with('/'));
        let found = folders.map(|folder| self.at(&format!("{folder}/{name}")));
        let runs = |found: &Lookup<'_>| matches!(found, Lookup::File(record, _) if record.may_execute());
        found.into_iter().find(runs).unwrap_or(Lookup::Missing)
    }
}

fn parts(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example_contents::{link, native, scratch};

    #[test]
    fn links_are_followed_as_a_kernel_does() {
        let found = scratch("arm64")
            .with(native("/usr/bin/busybox"))
            .with(link("/bin", "usr/bin"))
            .with(link("/usr/bin/sh", "busybox"))
            .with(link("/usr/bin/ash", "/bin/sh"))
            .with(link("/usr/bin/up", "../../usr/./bin/ash"))
            .with(link("/usr/bin/loop", "loop"))
            .with(link("/usr/bin/nowhere", "/opt/nothing"))
            .found;
        let tree = Tree::new(&found);
        for (path, expected) in [
            ("/usr/bin/busybox", Some("/usr/bin/busybox")),
            ("/bin/sh", Some("/usr/bin/busybox")),
            ("//bin//up", Some("/usr/bin/busybox")),
            ("/bin/../bin/ash", Some("/usr/bin/busybox")),
            ("/bin/loop", None),
            ("/bin/nowhere", None),
            ("/bin/sh/x", None),
            ("/nothing", None),
        ] {
            let there = match tree.at(path) {
                Lookup::File(record, _) => Some(record.path.text()),
                _ => None,
            };
            assert_eq!(there, expected, "{path}");
        }
        assert_eq!(tree.at("/bin"), Lookup::Folder);
        assert!(matches!(tree.program("sh", None, ""), Lookup::File(..)));
        assert!(matches!(tree.program("./ash", None, "/bin"), Lookup::File(..)));
        assert_eq!(tree.program("sh", Some("/sbin:bin"), "/"), Lookup::Missing);
    }
}
