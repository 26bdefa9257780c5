//! From a file of a container back to the user's own: through a bind mount, or through the COPY line of the image's history
//! and the folder that its Compose service is built from. A file counts only if it has the same content.

use std::path::{Component, Path, PathBuf};

use silidock_diagnosis::{
    compose::ComposeProject,
    inventory::{ComposeMembership, Inventory},
    stopped::facts::{DockerfilePlace, SourceFacts, SourceWay},
};
use silidock_engine::StartRecord;
use silidock_host::Host;
use yaml_serde::Value;

/// Larger files are not written by hand.
const LIMIT: usize = 4 << 20;

/// Where the files of one container may come from.
pub(super) struct Place<'a> {
    host: &'a dyn Host,
    record: &'a StartRecord,
    build: Option<Build>,
}

/// What a Compose service is built from.
struct Build {
    context: PathBuf,
    dockerfile: PathBuf,
}

impl<'a> Place<'a> {
    pub fn new(
        host: &'a dyn Host,
        inventory: &Inventory,
        compose: Option<&ComposeMembership>,
        record: &'a StartRecord,
    ) -> Self {
        let project = compose.and_then(|of| inventory.projects.iter().find(|project| project.name == of.project));
        let build = compose.zip(project).and_then(|(of, project)| build(host, project, &of.service));
        Self { host, record, build }
    }

    /// It is known what it is built from.
    pub fn builds(&self) -> bool {
        self.build.is_some()
    }

    /// The user's file behind a file of the container, of which the beginning is given.
    pub fn of(&self, in_container: &str, content: &[u8], copied: &[String]) -> Option<SourceFacts> {
        if content.is_empty() {
            return None;
        }
        let (path, by) = self.mounted(in_container).or_else(|| self.copied(in_container, content, copied))?;
        let bytes = self.same(&path, content)?;
        let text = std::str::from_utf8(&bytes).ok();
        let first_line = text.and_then(|text| text.lines().next()).map(|line| line.trim_end_matches('\r').to_owned());
        Some(SourceFacts {
            in_container: in_container.to_owned(),
            path: path.display().to_string(),
            by,
            first_line,
            carriage_returns: text.is_some_and(|text| text.contains("\r\n")),
        })
    }

    fn mounted(&self, in_container: &str) -> Option<(PathBuf, SourceWay)> {
        let within = |destination: &str| {
            let rest = in_container.strip_prefix(destination.trim_end_matches('/'))?;
            (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/').to_owned())
        };
        let mounts = self.record.mounts.iter().filter_map(|mount| Some((mount, within(&mount.destination)?)));
        let (mount, rest) = mounts.max_by_key(|(mount, _)| mount.destination.len())?;
        let source = Path::new(mount.source.as_ref()?);
        let path = if rest.is_empty() { source.to_owned() } else { source.join(rest) };
        Some((path, SourceWay::Mount { destination: mount.destination.clone() }))
    }

    fn copied(&self, in_container: &str, content: &[u8], copied: &[String]) -> Option<(PathBuf, SourceWay)> {
        let build = self.build.as_ref()?;
        let mut folder = "/".to_owned();
        let mut found = None;
        for line in copied {
            let line = line.trim_end_matches("# buildkit").trim_end();
            let (word, rest) = line.split_once(' ')?;
            if word == "WORKDIR" {
                folder = joined(&folder, rest.trim());
                continue;
            }
            // The last line that brings it counts.
            for candidate in candidates(&folder, rest, in_container) {
                let path = build.context.join(&candidate);
                if is_within(&path, &build.context) && self.same(&path, content).is_some() {
                    found = Some((path, line.to_owned()));
                }
            }
        }
        let (path, instruction) = found?;
        let dockerfile = self.line_of(&build.dockerfile, &instruction);
        let context = build.context.display().to_string();
        Some((path, SourceWay::Copy { context, instruction, dockerfile }))
    }

    /// The file's bytes, if it begins as the container's does.
    fn same(&self, path: &Path, content: &[u8]) -> Option<Vec<u8>> {
        let bytes = self.host.read(path, LIMIT).ok()?;
        (bytes.len() >= content.len() && bytes[..content.len()] == *content).then_some(bytes)
    }

    /// The line of the Dockerfile that the history repeats.
    fn line_of(&self, dockerfile: &Path, instruction: &str) -> Option<DockerfilePlace> {
        let text = String::from_utf8(self.host.read(dockerfile, LIMIT).ok()?).ok()?;
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        // The history leaves options out.
        let wanted = words(instruction);
        let plain = |line: &str| words(line).into_iter().filter(|word| !word.starts_with("--")).collect::<Vec<_>>();
        let (number, line) = (1..)
            .zip(text.lines())
            .filter(|(_, line)| {
                let mut found = plain(line);
                if let Some(first) = found.first_mut() {
                    first.make_ascii_uppercase();
                }
                found == wanted
            })
            .last()?;
        Some(DockerfilePlace { path: dockerfile.display().to_string(), line: number, text: line.to_owned() })
    }
}

/// Files of the build's folder that a COPY line could have put there.
fn candidates(folder: &str, arguments: &str, in_container: &str) -> Vec<PathBuf> {
    let words: Vec<&str> = arguments.split_whitespace().filter(|word| !word.starts_with("--")).collect();
    let Some((destination, sources)) = words.split_last() else { return Vec::new() };
    let target = joined(folder, destination);
    let name = Path::new(in_container).file_name();
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| !source.contains("://")) {
        let source = Path::new(source.trim_start_matches('/'));
        if target == in_container {
            found.push(source.to_owned());
        }
        let Some(rest) = in_container.strip_prefix(target.trim_end_matches('/')).and_then(|r| r.strip_prefix('/'))
        else {
            continue;
        };
        // A folder's content, a file under its own name, or one of several that a pattern names.
        found.push(source.join(rest));
        if source.file_name() == name {
            found.push(source.to_owned());
        }
        if source.to_string_lossy().contains('*') && !rest.contains('/') {
            found.push(source.parent().unwrap_or(Path::new("")).join(rest));
        }
    }
    found
}

fn joined(folder: &str, path: &str) -> String {
    let whole =
        if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", folder.trim_end_matches('/')) };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn is_within(path: &Path, folder: &Path) -> bool {
    path.starts_with(folder) && !path.components().any(|part| part == Component::ParentDir)
}

/// What a service is built from, by the last file of the project that says so.
fn build(host: &dyn Host, project: &ComposeProject, service: &str) -> Option<Build> {
    let working_dir = project.working_dir.as_ref()?;
    let mut found = None;
    for file in &project.files {
        let text = host.read(Path::new(&file.path), LIMIT).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(Ok(root)) = text.map(|text| yaml_serde::from_str::<Value>(&text)) else { continue };
        let build = root.get("services").and_then(|services| services.get(service)).and_then(|s| s.get("build"));
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let (context, dockerfile) = match build {
            Some(Value::String(context)) => (context.clone(), None),
            Some(build) => {
                (text(build.get("context")).unwrap_or_else(|| ".".to_owned()), text(build.get("dockerfile")))
            }
            None => continue,
        };
        // A variable or an address is not followed.
        if context.contains('$') || context.contains("://") {
            continue;
        }
        let context = PathBuf::from(joined(working_dir, &context));
        let dockerfile = context.join(dockerfile.unwrap_or_else(|| "Dockerfile".to_owned()));
        found = Some(Build { context, dockerfile });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_line_leads_back_to_the_file() {
        for (folder, arguments, path, expected) in [
            ("/", "run.sh /run.sh", "/run.sh", "run.sh"),
            ("/app", ". .", "/app/bin/run.sh", "bin/run.sh"),
            ("/", "docker/run.sh /usr/local/bin/", "/usr/local/bin/run.sh", "docker/run.sh"),
            ("/app", "scripts/*.sh ./bin/", "/app/bin/run.sh", "scripts/run.sh"),
            ("/", "--chmod=755 a b /x/", "/x/b", "b"),
            ("/", "src /app", "/app/run.sh", "src/run.sh"),
        ] {
            let found = candidates(folder, arguments, path);
            let found: Vec<String> =
                found.iter().map(|p| p.display().to_string().trim_start_matches("./").to_owned()).collect();
            assert!(found.contains(&expected.to_owned()), "{arguments} for {path}: {found:?}");
        }
        assert_eq!(candidates("/", "a /b", "/c"), Vec::<PathBuf>::new());
        assert_eq!(joined("/a/b", "../c/./d"), "/a/c/d");
        assert!(!is_within(Path::new("/a/../etc/passwd"), Path::new("/a")));
    }
}
