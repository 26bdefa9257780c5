//! Deploy targets: what project folders say themselves, what somebody told this program, and which folders count.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::{
    deploy::{BuiltHere, DeployFacts, DeployTargets, NamedBuild},
    fact::Gap,
    inventory::Inventory,
    platform::Platform,
    schema::Schema,
};
use silidock_host::Host;
use silidock_observe::deploy::{FILE, read};
use ts_rs::TS;

use crate::{
    failure::{Failure, FailureCode},
    pins::refuse_unknown,
    rebuild::memory::RememberedBuilds,
    session::{App, Source},
};

const TOLD: &str = "targets.json";
const LIMIT: usize = 4 << 20;

/// Which folder, and what to remember of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct TargetsRequest {
    /// The project's folder.
    pub folder: String,
    /// To be remembered from now on; an empty list forgets. None only asks.
    #[serde(default)]
    pub set: Option<Vec<String>>,
}

/// Where what is built in a folder will run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct TargetsDocument {
    /// Always "silidock/1".
    pub schema: Schema,
    /// The folder.
    pub folder: String,
    /// The file that says so; none where this program was told.
    pub path: Option<String>,
    /// Line of it, from 1.
    pub line: Option<u32>,
    /// Of everything in it that has none of its own.
    pub targets: Vec<Platform>,
    /// Of services, by name.
    pub services: BTreeMap<String, Vec<Platform>>,
    /// Of images, by reference.
    pub images: BTreeMap<String, Vec<Platform>>,
    /// What of the file could not be understood, with its line.
    pub gaps: Vec<Gap>,
}

/// Which image.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DeploysRequest {
    /// Its reference.
    pub image: String,
}

/// Where an image that is built here will run.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Deploys {
    /// `project/service`; none for one whose folder was named.
    pub service: Option<String>,
    /// Where it will run; empty where nobody said.
    pub targets: Vec<Platform>,
    /// Who says so: a file with its line, or words; empty where nobody does.
    pub said_by: String,
    /// The folder that says so, or could.
    pub folder: Option<String>,
}

/// What is known of it.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DeploysDocument {
    /// None where nothing here says what the image is built from.
    pub built: Option<Deploys>,
}

impl App {
    /// Says where what is built in a folder will run; remembers it where that is asked for and no file of the folder says
    /// so itself.
    ///
    /// # Errors
    /// There is no such folder, it has a file that counts instead, or it could not be remembered.
    pub async fn targets(self: &Arc<Self>, request: TargetsRequest) -> Result<TargetsDocument, Failure> {
        let host = self.host().as_ref();
        let folder = std::path::absolute(&request.folder)
            .map_err(|error| Failure::new(FailureCode::File, format!("{}: {error}.", request.folder)))?;
        let folder: PathBuf = folder.components().collect();
        if host.list_dir(&folder).is_err() {
            return Err(Failure::new(FailureCode::NotFound, format!("There is no folder {}.", folder.display())));
        }
        let mut facts = DeployFacts::default();
        read(host, &folder, &mut facts);
        if let Some(wanted) = &request.set {
            if matches!(self.source(), Ok(Source::Sample(_) | Source::Recording)) {
                return Err(Failure::new(FailureCode::Refused, "Nothing is remembered of a sample or a recording.")
                    .hint("Write it into the sample's own file instead, or leave the sample."));
            }
            // A file that is not understood may say it, too; one that only allows findings does not.
            if !facts.gaps.is_empty() || facts.projects.iter().any(|said| said.path.is_some()) {
                let file = folder.join(FILE);
                return Err(Failure::new(FailureCode::Refused, format!("{} says it, and counts.", file.display()))
                    .hint("Change targets = [..] in its [deploy] table."));
            }
            let parsed: Result<Vec<Platform>, _> = wanted.iter().map(|text| text.parse()).collect();
            let wanted = parsed.map_err(|error| Failure::new(FailureCode::Refused, format!("{error}.")))?;
            wanted.iter().try_for_each(refuse_unknown)?;
            remember(host, &folder, wanted)?;
        }
        facts.projects.extend(told(host).get(&folder).map(|targets| told_of(&folder, targets)));
        let name = folder.display().to_string();
        let said = facts.of_folder(&name).cloned().unwrap_or_default();
        Ok(TargetsDocument {
            schema: Schema,
            folder: name,
            path: said.path,
            line: said.line,
            targets: said.targets,
            services: said.services,
            images: said.images,
            gaps: facts.gaps.into_iter().map(|gap| gap.gap).collect(),
        })
    }

    /// Says where an image will run that is built here.
    ///
    /// # Errors
    /// Nothing was looked at yet.
    pub async fn deploys(self: &Arc<Self>, request: DeploysRequest) -> Result<DeploysDocument, Failure> {
        let built = self.last_inventory()?.build_of(&request.image);
        let built = built.map(|BuiltHere { service, targets, said_by, folder, .. }| Deploys {
            service,
            targets,
            said_by,
            folder,
        });
        Ok(DeploysDocument { built })
    }

    /// What the files of the sample's projects say now, in front of what was recorded.
    pub(crate) fn deploy_files(&self, inventory: &mut Inventory) {
        let folders: BTreeSet<String> = inventory.projects.iter().filter_map(|one| one.working_dir.clone()).collect();
        for folder in folders {
            read(self.host().as_ref(), Path::new(&folder), &mut inventory.deploy);
        }
    }

    /// Everything that is said of deploying what an inventory's projects build, and of images whose folder was named.
    pub(crate) fn deploy_facts(&self, inventory: &Inventory) -> DeployFacts {
        let host = self.host().as_ref();
        let remembered = RememberedBuilds::read(host);
        let named = remembered
            .all()
            .map(|(reference, build)| NamedBuild { reference: reference.clone(), context: build.context.clone() });
        let mut facts = DeployFacts { named: named.collect(), ..DeployFacts::default() };
        let mut folders: BTreeSet<PathBuf> = BTreeSet::new();
        for project in &inventory.projects {
            folders.extend(project.working_dir.iter().map(PathBuf::from));
            let services = project.services.known().into_iter().flatten();
            let contexts = services.filter_map(|service| service.build.as_ref()?.context.as_ref());
            folders.extend(contexts.map(|context| PathBuf::from(&context.value)));
        }
        folders.extend(facts.named.iter().map(|named| PathBuf::from(&named.context)));
        folders.retain(|folder| folder.is_absolute());
        let told = told(host);
        for folder in folders {
            read(host, &folder, &mut facts);
            facts.projects.extend(told.get(&folder).map(|targets| told_of(&folder, targets)));
        }
        facts
    }
}

fn told_of(folder: &Path, targets: &[Platform]) -> DeployTargets {
    DeployTargets { folder: folder.display().to_string(), targets: targets.to_vec(), ..DeployTargets::default() }
}

/// What this program was told, by folder. A file that cannot be read is as good as none: it can be told again.
fn told(host: &dyn Host) -> BTreeMap<PathBuf, Vec<Platform>> {
    let path = host.data_dir().map(|data| data.join(TOLD));
    let bytes = path.and_then(|path| host.read(&path, LIMIT).ok());
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn remember(host: &dyn Host, folder: &Path, targets: Vec<Platform>) -> Result<(), Failure> {
    let data = host.data_dir().ok_or_else(|| {
        Failure::new(FailureCode::File, "There is no folder to remember it in: no home folder is known.")
            .hint("Set SILIDOCK_DATA_DIR to a folder.")
    })?;
    let mut told = told(host);
    match targets.is_empty() {
        true => drop(told.remove(folder)),
        false => drop(told.insert(folder.to_owned(), targets)),
    }
    crate::rebuild::memory::write(&data.join(TOLD), &told)
}
