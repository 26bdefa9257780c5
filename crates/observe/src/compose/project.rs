//! What Compose makes of a project: its files in order, with their variables, `extends`, `include` and profiles worked
//! out, and for each value the place that set it.
//!
//! Nothing is fetched: what lies on another machine is a gap. Whether the installed Compose says the same is asked in
//! `reference`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use silidock_diagnosis::{
    compose::{Placed, ResolvedBuild, ResolvedService},
    fact::{Fact, Gap},
};
use silidock_host::Host;

use super::{
    Instead, LIMIT, merge,
    tree::{self, Content, Node, Place},
    variables::Variables,
};

/// Files within files: more is a circle.
const DEPTH: usize = 24;

/// A project as somebody starts it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Start {
    /// Absolute paths, in the order they are merged.
    pub files: Vec<PathBuf>,
    /// What paths are relative to.
    pub folder: PathBuf,
    /// Files of variables that were named; none: the folder's `.env`.
    pub env_files: Vec<PathBuf>,
}

/// What came out.
pub(crate) struct Resolved {
    pub name: Option<String>,
    pub services: Fact<Vec<ResolvedService>>,
    pub gaps: Vec<Gap>,
    /// It names files of other machines, which Compose would fetch.
    pub remote: Option<String>,
    /// Files that its services name and that say nothing of platforms.
    pub beside: Vec<PathBuf>,
}

impl Resolved {
    /// Of a project whose files are not known.
    pub(crate) fn nothing(why: &str) -> Self {
        let services = Fact::unknown("what the files of the project say together", why);
        Self { name: None, services, gaps: Vec::new(), remote: None, beside: Vec::new() }
    }
}

/// Works out what Compose would see.
pub(crate) fn resolve(host: &dyn Host, start: &Start) -> Resolved {
    resolve_with(host, start, None)
}

/// The same with another text in place of one of the files.
pub(crate) fn resolve_with(host: &dyn Host, start: &Start, instead: Option<Instead<'_>>) -> Resolved {
    let mut loader = Loader {
        host,
        instead,
        gaps: Vec::new(),
        open: BTreeMap::new(),
        homes: BTreeMap::new(),
        remote: None,
        beside: Vec::new(),
    };
    let read = variables(host, start)
        .and_then(|variables| Ok((loader.model(&start.files, &start.folder, &variables, 0)?, variables)));
    let (name, services) = match read {
        Ok((model, variables)) => {
            let profiles = variables.get("COMPOSE_PROFILES").unwrap_or_default();
            let profiles: Vec<&str> = profiles.split(',').map(str::trim).filter(|p| !p.is_empty()).collect();
            let services = model.services.map().into_iter().flatten();
            let services = services.map(|(name, node)| loader.service(name, node, &profiles)).collect();
            let name = variables.get("COMPOSE_PROJECT_NAME").filter(|name| !name.is_empty());
            (name.or(model.name), Fact::Known(services))
        }
        Err(why) => (None, Fact::unknown("what the files of the project say together", why)),
    };
    let Loader { gaps, remote, beside, .. } = loader;
    Resolved {
        name: name.map(|name| normalised(&name)).filter(|name| !name.is_empty()),
        services,
        gaps,
        remote,
        beside,
    }
}

/// The name that Compose gives a project of this folder.
pub(crate) fn folder_name(folder: &Path) -> String {
    let name = normalised(&folder.file_name().unwrap_or_default().to_string_lossy());
    if name.is_empty() { "project".to_owned() } else { name }
}

fn normalised(name: &str) -> String {
    let kept = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    let name: String = name.to_lowercase().chars().filter(kept).collect();
    name.trim_start_matches(['_', '-']).to_owned()
}

/// The variables a project is read with.
pub(crate) fn variables<'a>(host: &'a dyn Host, start: &Start) -> Result<Variables<'a>, String> {
    let mut variables = Variables::of(host);
    match start.env_files.is_empty() {
        true => variables.read(&start.folder.join(".env"), false)?,
        // Of several files the last one wins.
        false => {
            for file in start.env_files.iter().rev() {
                variables.read(file, true)?;
            }
        }
    }
    Ok(variables)
}

/// A path that Compose would fetch.
pub(crate) fn is_remote(path: &str) -> bool {
    path.contains("://") || ["git@", "github.com/", "oci:"].iter().any(|start| path.starts_with(start))
}

/// `a/./b/../c` is `a/c`, without asking the disk.
pub(crate) fn clean(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.components().next_back().is_some_and(|p| matches!(p, Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

struct Loader<'a> {
    host: &'a dyn Host,
    instead: Option<Instead<'a>>,
    gaps: Vec<Gap>,
    /// Services that may be otherwise, and why.
    open: BTreeMap<String, String>,
    /// Every place that names a service.
    homes: BTreeMap<String, Vec<Place>>,
    remote: Option<String>,
    beside: Vec<PathBuf>,
}

struct Model {
    name: Option<String>,
    services: Node,
}

impl Loader<'_> {
    /// Files that are merged, in order.
    fn model(
        &mut self,
        files: &[PathBuf],
        folder: &Path,
        variables: &Variables<'_>,
        depth: usize,
    ) -> Result<Model, String> {
        if depth > DEPTH {
            return Err("its files include each other without end".to_owned());
        }
        let nothing =
            Node { at: Place { file: "".into(), line: None, own: true }, tag: None, content: Content::Map(Vec::new()) };
        let mut model = Model { name: None, services: nothing };
        for file in files {
            for document in self.documents(file, variables)? {
                self.add(document, &mut model, folder, variables, depth)?;
            }
        }
        Ok(model)
    }

    fn add(
        &mut self,
        document: Node,
        model: &mut Model,
        folder: &Path,
        variables: &Variables<'_>,
        depth: usize,
    ) -> Result<(), String> {
        if let Some(name) = document.get("name").and_then(Node::text) {
            model.name = Some(name.to_owned());
        }
        let mut services = document.get("services").cloned().unwrap_or_else(|| document.empty());
        let file = document.at.file.to_string();
        if !services.is_null() && services.map().is_none() {
            return Err(format!("{file}: its services are not a list of names with settings"));
        }
        settle_contexts(&mut services, folder, self.host);
        self.beside.extend(beside(&services, folder));
        let names: Vec<(String, Place)> =
            services.map().into_iter().flatten().map(|(name, node)| (name.clone(), node.at.clone())).collect();
        let plain = services.clone();
        for (name, place) in names {
            let whole = self.extended(&plain, &name, folder, variables, &mut Vec::new())?;
            if let Some((_, node)) = services.map_mut().into_iter().flatten().find(|(known, _)| *known == name) {
                *node = whole;
            }
            self.homes.entry(name).or_default().push(place);
        }
        merge::take_back(&mut model.services, &mut services);
        let mut included = services.empty();
        for include in document.get("include").and_then(Node::list).cloned().unwrap_or_default() {
            self.include(&include, &mut included, folder, variables, depth)?;
        }
        for (name, _) in included.map().into_iter().flatten() {
            if services.get(name).is_some() {
                return Err(format!("{file} has a service {name}, and so has a file that it includes"));
            }
        }
        merge::services(&mut model.services, included);
        merge::services(&mut model.services, services);
        Ok(())
    }

    /// The documents of a file, their variables replaced.
    fn documents(&mut self, file: &Path, variables: &Variables<'_>) -> Result<Vec<Node>, String> {
        let shown = file.display();
        let other = self.instead.filter(|instead| instead.path == file).map(|instead| instead.text.as_bytes().to_vec());
        let bytes = other.map_or_else(|| self.host.read(file, LIMIT), Ok);
        let bytes = bytes.map_err(|error| match error.is_missing() {
            true => format!("{shown} is not on this machine"),
            false => error.to_string(),
        })?;
        let text = String::from_utf8(bytes).map_err(|_| format!("{shown} is not UTF-8 text"))?;
        let mut documents = tree::documents(file, &text).map_err(|why| format!("{shown}: {why}"))?;
        for document in &mut documents {
            replace(document, variables)?;
        }
        Ok(documents)
    }

    fn include(
        &mut self,
        include: &Node,
        into: &mut Node,
        folder: &Path,
        variables: &Variables<'_>,
        depth: usize,
    ) -> Result<(), String> {
        let texts = |key: &str| include.get(key).map(texts).unwrap_or_default();
        let paths = if include.map().is_some() { texts("path") } else { self::texts(include) };
        let Some(first) = paths.first() else { return Ok(()) };
        if let Some(remote) = paths.iter().find(|path| is_remote(path)) {
            self.remote = Some(remote.clone());
            let place = silidock_diagnosis::compose::place(&include.at.file, include.at.line);
            self.gaps.push(Gap::new(
                format!("what {place} includes"),
                format!("{place} includes {remote}, which is not on this machine and was not fetched"),
            ));
            return Ok(());
        }
        let files: Vec<PathBuf> = paths.iter().map(|path| clean(&folder.join(path))).collect();
        let own = match texts("project_directory").first() {
            Some(named) => clean(&folder.join(named)),
            None => clean(&folder.join(first)).parent().unwrap_or(folder).to_owned(),
        };
        let mut variables = variables.clone();
        let named = texts("env_file");
        match named.is_empty() {
            true => variables.read(&own.join(".env"), false)?,
            false => {
                for file in named.iter().rev().filter(|file| *file != "/dev/null") {
                    variables.read(&clean(&folder.join(file)), true)?;
                }
            }
        }
        let model = self.model(&files, &own, &variables, depth + 1)?;
        merge::services(into, model.services);
        Ok(())
    }

    /// A service with what it extends worked into it.
    fn extended(
        &mut self,
        services: &Node,
        name: &str,
        folder: &Path,
        variables: &Variables<'_>,
        behind: &mut Vec<(String, String)>,
    ) -> Result<Node, String> {
        let Some(mut service) = services.get(name).cloned() else {
            return Err(format!("a service extends {name}, and {} has no such service", services.at.file));
        };
        let link = service.get("extends").filter(|link| !link.is_null()).cloned();
        let Some(link) = link else { return Ok(service) };
        let here = (services.at.file.to_string(), name.to_owned());
        if behind.contains(&here) || behind.len() > DEPTH {
            return Err(format!("service {name} extends itself in a circle"));
        }
        behind.push(here);
        if let Some(entries) = service.map_mut() {
            entries.retain(|(key, _)| key != "extends");
        }
        let base = link.text().or_else(|| link.get("service").and_then(Node::text)).unwrap_or_default();
        let mut whole = match link.get("file").and_then(Node::text) {
            None => self.extended(services, base, folder, variables, behind)?,
            Some(file) if is_remote(file) => {
                self.remote = Some(file.to_owned());
                let root = behind.first().map_or(name, |(_, root)| root);
                let why = format!("it extends a service of {file}, which is not on this machine and was not fetched");
                self.open.insert(root.to_owned(), why);
                return Ok(service);
            }
            Some(file) => {
                let path = clean(&folder.join(file));
                let own = path.parent().unwrap_or(folder).to_owned();
                let mut others = service.empty();
                for document in self.documents(&path, variables)? {
                    let mut more = document.get("services").cloned().unwrap_or_else(|| document.empty());
                    settle_contexts(&mut more, &own, self.host);
                    self.beside.extend(beside(&more, &own));
                    others.at = document.at;
                    merge::services(&mut others, more);
                }
                self.extended(&others, base, &own, variables, behind)?
            }
        };
        whole.disown();
        merge::take_back(&mut whole, &mut service);
        whole.at = service.at.clone();
        merge::one(&mut whole, service);
        Ok(whole)
    }

    fn service(&self, name: &str, node: &Node, profiles: &[&str]) -> ResolvedService {
        let image = node.get("image").and_then(setting);
        let build = node.get("build").filter(|build| !build.is_null()).cloned().map(merge::spelled_out);
        let build = build.map(|build| built(&build));
        let platform = node.get("platform").and_then(setting);
        let source = [&image, &build.as_ref().and_then(|build| build.context.clone())];
        let source = source.into_iter().flatten().find(|set| set.own).map(|set| set.path.clone());
        let homes = self.homes.get(name).map(Vec::as_slice).unwrap_or_default();
        let home =
            homes.iter().find(|home| Some(&*home.file) == source.as_deref()).or(homes.first()).unwrap_or(&node.at);
        let unset = platform.as_ref().map(|set| set.unset.clone()).unwrap_or_default();
        let why = self.open.get(name).cloned().or_else(|| {
            let names = unset.join(", ");
            (!unset.is_empty())
                .then(|| format!("{names} has no value here; the shell that runs Compose may give it one"))
        });
        let wanted: Vec<String> = node.get("profiles").map(texts).unwrap_or_default();
        ResolvedService {
            name: name.to_owned(),
            path: home.file.to_string(),
            line: home.line,
            image,
            // Empty is the same as none.
            platform: platform.filter(|set| !set.value.is_empty()),
            build,
            active: wanted.is_empty()
                || wanted.iter().any(|p| profiles.contains(&p.as_str()) || profiles.contains(&"*")),
            profiles: wanted,
            gap: why.map(|why| Gap::new(format!("the platform of service {name}"), why)),
        }
    }
}

fn built(build: &Node) -> ResolvedBuild {
    let set = |key: &str| build.get(key).and_then(setting);
    let platforms = build.get("platforms").and_then(Node::list).into_iter().flatten();
    let args = build.get("args").map(merge::named).unwrap_or_default();
    ResolvedBuild {
        context: set("context"),
        dockerfile: set("dockerfile"),
        target: set("target"),
        platforms: platforms.filter_map(setting).collect(),
        args: args.into_iter().filter_map(|(name, node)| setting(&node.with_text(&name))).collect(),
    }
}

fn setting(node: &Node) -> Option<Placed> {
    let value = node.text()?.to_owned();
    let Place { file, line, own } = node.at.clone();
    Some(Placed { value, path: file.to_string(), line, own, unset: node.unset().to_vec() })
}

/// A text, or a list of texts.
fn texts(node: &Node) -> Vec<String> {
    match node.list() {
        Some(items) => items.iter().filter_map(Node::text).map(str::to_owned).collect(),
        None => node.text().map(str::to_owned).into_iter().collect(),
    }
}

/// Replaces the variables of every text.
fn replace(node: &mut Node, variables: &Variables<'_>) -> Result<(), String> {
    let Node { at, content, .. } = node;
    match content {
        Content::Scalar { text, is_text: true, unset } => {
            let place = silidock_diagnosis::compose::place(&at.file, at.line);
            let replaced = variables.replace(text).map_err(|why| format!("{place}: {why}"))?;
            at.own &= !replaced.any;
            *text = replaced.text;
            *unset = replaced.unset;
        }
        Content::Map(entries) => entries.iter_mut().try_for_each(|(_, node)| replace(node, variables))?,
        Content::List(items) => items.iter_mut().try_for_each(|node| replace(node, variables))?,
        Content::Null | Content::Scalar { .. } => {}
    }
    Ok(())
}

/// Files of variables and labels that services are given.
fn beside(services: &Node, folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (_, service) in services.map().into_iter().flatten() {
        for named in ["env_file", "label_file"].into_iter().filter_map(|key| service.get(key)) {
            let long = named.list().into_iter().flatten().filter_map(|entry| entry.get("path").and_then(Node::text));
            files.extend(texts(named).iter().map(String::as_str).chain(long).map(|file| clean(&folder.join(file))));
        }
    }
    files
}

/// Build contexts are relative to the folder of the model that names them.
fn settle_contexts(services: &mut Node, folder: &Path, host: &dyn Host) {
    for (_, service) in services.map_mut().into_iter().flatten() {
        let entries = service.map_mut().into_iter().flatten();
        for (_, build) in entries.filter(|(key, node)| key == "build" && !node.is_null()) {
            *build = merge::spelled_out(build.clone());
            let contexts = build.map_mut().into_iter().flatten().filter(|(key, _)| key == "context");
            for (_, context) in contexts {
                let Some(text) = context.text().filter(|text| !is_remote(text)) else { continue };
                let path = match (text.strip_prefix("~/"), host.home()) {
                    (Some(rest), Some(home)) => home.join(rest),
                    _ => folder.join(text),
                };
                *context = context.with_text(&clean(&path).display().to_string());
            }
        }
    }
}
