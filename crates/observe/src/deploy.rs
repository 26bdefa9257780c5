//! `.silidock.toml`: where what is built in a project will run. What is not understood is a gap with its file and line, and
//! the rest of the file counts all the same.

use std::collections::BTreeMap;
use std::path::Path;

use silidock_diagnosis::{
    deploy::{DeployFacts, DeployGap, DeployTargets},
    platform::Platform,
};
use silidock_host::Host;
use toml::de::{DeTable, DeValue};

use crate::project_file::{Entry, ProjectFile};

pub use crate::project_file::FILE;

/// Adds what the file of a folder says, if it has one.
pub fn read(host: &dyn Host, folder: &Path, into: &mut DeployFacts) {
    if let Some(file) = ProjectFile::open(host, folder) {
        add(file, folder, into);
    }
}

/// Adds what the file of a folder says with this text, also one that was not written yet.
pub fn understand(folder: &Path, text: String, into: &mut DeployFacts) {
    add(ProjectFile::with(folder, text), folder, into);
}

fn add(mut file: ProjectFile, folder: &Path, into: &mut DeployFacts) {
    into.projects.extend(file.read(|file, root| file.deploy(root, &folder.display().to_string())));
    let path = file.path;
    into.gaps.extend(file.odd.into_iter().map(|(line, gap)| DeployGap { path: path.clone(), line, gap }));
}

impl ProjectFile {
    fn deploy(&mut self, root: &DeTable<'_>, folder: &str) -> Option<DeployTargets> {
        let mut deploy = None;
        for (key, value) in root {
            match key.get_ref().as_ref() {
                "deploy" => deploy = Some(value),
                // Read where what is allowed is.
                "allow" => {}
                other => self.odd(key.span().start, format!("{other} is not known there; [deploy] and [allow] are")),
            }
        }
        let deploy = deploy?;
        let mut said =
            DeployTargets { folder: folder.to_owned(), path: Some(self.path.clone()), ..DeployTargets::default() };
        said.line = self.line(deploy.span().start);
        for (key, value) in self.table(deploy, "deploy")? {
            match key.get_ref().as_ref() {
                "targets" => {
                    said.line = self.line(key.span().start);
                    said.targets = self.platforms(value);
                }
                "services" => said.services = self.named(value, "deploy.services"),
                "images" => said.images = self.named(value, "deploy.images"),
                other => {
                    let why = format!("{other} is not known in [deploy]; targets, services and images are");
                    self.odd(key.span().start, why);
                }
            }
        }
        Some(said)
    }

    /// `[deploy.services.web]` with its own `targets`.
    fn named(&mut self, value: Entry<'_, '_>, name: &str) -> BTreeMap<String, Vec<Platform>> {
        let mut all = BTreeMap::new();
        for (key, value) in self.table(value, name).unwrap_or_default() {
            let whole = format!("{name}.{}", key.get_ref());
            for (inner, value) in self.table(value, &whole).unwrap_or_default() {
                match inner.get_ref().as_ref() {
                    "targets" => {
                        let platforms = self.platforms(value);
                        all.insert(key.get_ref().to_string(), platforms);
                    }
                    other => self.odd(inner.span().start, format!("{other} is not known in [{whole}]; targets is")),
                }
            }
        }
        all
    }

    fn platforms(&mut self, value: Entry<'_, '_>) -> Vec<Platform> {
        let DeValue::Array(listed) = value.get_ref() else {
            let why = format!("targets is a list such as [\"linux/amd64\"], and not {}", value.get_ref().type_str());
            self.odd(value.span().start, why);
            return Vec::new();
        };
        let mut platforms = Vec::new();
        for one in listed.iter() {
            let at = one.span().start;
            match one.get_ref() {
                DeValue::String(text) => match text.parse::<Platform>() {
                    Ok(platform) => platforms.push(platform),
                    Err(error) => self.odd(at, error.to_string()),
                },
                other => {
                    self.odd(at, format!("a target is a text such as \"linux/amd64\", and not {}", other.type_str()))
                }
            }
        }
        platforms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use silidock_host::FixtureHost;

    #[test]
    fn what_is_understood_counts_and_the_rest_is_named_with_its_line() {
        let rows = [
            ("[deploy]\ntargets = [\"linux/amd64\"]\n", "2 linux/amd64", vec![]),
            (
                "# x\n[deploy]\ntargets = []\n[deploy.services.web]\ntargets = [\"linux/arm64\"]\n[deploy.images.\"a/b:1\"]\ntargets = [\"linux/386\"]\n",
                "3  web=linux/arm64 a/b:1=linux/386",
                vec![],
            ),
            (
                "[deploy]\ntargets = [\"linux/amd64\", \"tablet\", 3]\n[other]\n",
                "2 linux/amd64",
                vec![(2, "not a platform"), (2, "a target is a text"), (3, "other is not known")],
            ),
            (
                "[deploy]\nplatforms = []\ntargets = \"linux/amd64\"\n",
                "3 ",
                vec![(2, "platforms is not known"), (3, "is a list")],
            ),
            ("deploy = 3\n", "", vec![(1, "deploy is a table")]),
            ("[deploy\n", "", vec![(1, "not valid TOML")]),
            ("[deploy.services]\nweb = []\n", "1 ", vec![(2, "deploy.services.web is a table")]),
        ];
        for (text, expected, wrong) in rows {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("p")).unwrap();
            std::fs::write(folder.path().join("p").join(FILE), text).unwrap();
            let mut facts = DeployFacts::default();
            read(&FixtureHost::new(folder.path()), Path::new("/p"), &mut facts);
            let words = |all: &[Platform]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            let seen: Vec<String> = facts
                .projects
                .iter()
                .map(|said| {
                    let named = said.services.iter().chain(&said.images);
                    let named: String = named.map(|(name, all)| format!(" {name}={}", words(all))).collect();
                    format!("{} {}{named}", said.line.unwrap_or_default(), words(&said.targets))
                })
                .collect();
            assert_eq!(seen.concat(), expected, "{text}");
            let mut gaps: Vec<(u32, String)> =
                facts.gaps.iter().map(|gap| (gap.line.unwrap_or_default(), gap.gap.why.clone())).collect();
            gaps.sort();
            assert_eq!(gaps.len(), wrong.len(), "{text}: {gaps:?}");
            for ((line, why), (wanted, part)) in gaps.iter().zip(wrong) {
                assert!(*line == wanted && why.contains(part), "{text}: {line} {why}");
            }
        }
    }
}
