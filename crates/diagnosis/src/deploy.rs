//! Where what is built here will run: deploy targets of projects and images, and which image each of them is about.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{compose::place, fact::Gap, inventory::Inventory, platform::Platform, reference::normalise};

/// What somebody said of deploying.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct DeployFacts {
    /// One entry for each project folder that says where it runs.
    pub projects: Vec<DeployTargets>,
    /// Images of which somebody named the folder they are built from.
    pub named: Vec<NamedBuild>,
    /// What of it could not be understood.
    pub gaps: Vec<DeployGap>,
}

/// The deploy targets of one project folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct DeployTargets {
    /// The folder.
    pub folder: String,
    /// The file that says so; none where somebody told this program.
    pub path: Option<String>,
    /// Line of it, from 1.
    pub line: Option<u32>,
    /// Of everything in it that has none of its own.
    pub targets: Vec<Platform>,
    /// Of services, by name.
    pub services: BTreeMap<String, Vec<Platform>>,
    /// Of images, by reference.
    pub images: BTreeMap<String, Vec<Platform>>,
}

/// An image and the folder that it is built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct NamedBuild {
    /// In its full spelling.
    pub reference: String,
    /// The folder.
    pub context: String,
}

/// A part of a file that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct DeployGap {
    /// The file.
    pub path: String,
    /// Line, from 1.
    pub line: Option<u32>,
    /// What is wrong.
    pub gap: Gap,
}

/// What is built here: an image, the service that builds it, and where that will run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltHere {
    /// As its project spells it.
    pub reference: String,
    /// `project/service`; none for one whose folder was named.
    pub service: Option<String>,
    /// Where it will run; empty where nobody said.
    pub targets: Vec<Platform>,
    /// Who says so: a file with its line, or words.
    pub said_by: String,
    /// The folder that says so; where none does, the one whose file would.
    pub folder: Option<String>,
}

impl DeployTargets {
    fn of(&self, service: Option<&str>, reference: &str) -> &[Platform] {
        let wanted = normalise(reference);
        let by_image = self.images.iter().find(|(image, _)| normalise(image) == wanted).map(|(_, targets)| targets);
        let by_service = || service.and_then(|service| self.services.get(service));
        by_image.or_else(by_service).unwrap_or(&self.targets)
    }

    /// `/p/.silidock.toml:2`, or who was told.
    pub fn said_by(&self) -> String {
        match &self.path {
            Some(path) => place(path, self.line),
            None => format!("told to Silidock for {}", self.folder),
        }
    }
}

impl Inventory {
    /// Everything whose build is known, each image once.
    pub fn built_here(&self) -> Vec<BuiltHere> {
        let mut all: Vec<BuiltHere> = Vec::new();
        for project in &self.projects {
            for service in project.services.known().into_iter().flatten().filter(|service| service.build.is_some()) {
                let default = || format!("{}-{}", project.name, service.name);
                let reference = service.image.as_ref().map_or_else(default, |image| image.value.clone());
                let context = service.build.as_ref().and_then(|build| build.context.as_ref());
                let folders = [project.working_dir.as_deref(), context.map(|context| context.value.as_str())];
                let said = folders.into_iter().flatten().find_map(|folder| self.deploy.of_folder(folder));
                let whole = format!("{}/{}", project.name, service.name);
                let folder = folders.into_iter().flatten().next();
                all.push(built(reference, Some((whole, &service.name)), said, folder));
            }
        }
        for named in &self.deploy.named {
            let said = self.deploy.of_folder(&named.context);
            all.push(built(named.reference.clone(), None, said, Some(&named.context)));
        }
        let mut seen = Vec::new();
        all.retain(|one| {
            let full = normalise(&one.reference);
            full.is_some() && !seen.contains(&full) && {
                seen.push(full);
                true
            }
        });
        all
    }

    /// The build of a reference, where it is known.
    pub fn build_of(&self, reference: &str) -> Option<BuiltHere> {
        let wanted = normalise(reference)?;
        self.built_here().into_iter().find(|one| normalise(&one.reference).as_ref() == Some(&wanted))
    }
}

fn built(
    reference: String,
    service: Option<(String, &String)>,
    said: Option<&DeployTargets>,
    folder: Option<&str>,
) -> BuiltHere {
    let name = service.as_ref().map(|(_, name)| name.as_str());
    BuiltHere {
        targets: said.map(|said| said.of(name, &reference).to_vec()).unwrap_or_default(),
        said_by: said.map(DeployTargets::said_by).unwrap_or_default(),
        folder: said.map(|said| said.folder.as_str()).or(folder).map(str::to_owned),
        service: service.map(|(whole, _)| whole),
        reference,
    }
}

impl DeployFacts {
    /// What counts for a folder: what it says itself; a file counts before what was told.
    pub fn of_folder(&self, folder: &str) -> Option<&DeployTargets> {
        let folder = folder.trim_end_matches('/');
        let mut about = self.projects.iter().filter(|said| said.folder.trim_end_matches('/') == folder);
        about.clone().find(|said| said.path.is_some()).or_else(|| about.next())
    }
}
