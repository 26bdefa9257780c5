//! Deploy targets: what project folders say themselves, what somebody told this program, and which folders count.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::{
    deploy::{DeployFacts, DeployTargets, NamedBuild},
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
    rebuild::memory::RememberedBuilds,
    session::App,
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

impl App {
    /// Says where what is built in a folder will run; remembers it where that is asked for and the folder has no file of its
    /// own that says so.
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
            if host.exists(&folder.join(FILE)) {
                let file = folder.join(FILE);
                return Err(Failure::new(FailureCode::Refused, format!("{} says it, and counts.", file.display()))
                    .hint("Change targets = [..] in its [deploy] table."));
            }
            let parsed: Result<Vec<Platform>, _> = wanted.iter().map(|text| text.parse()).collect();
            let wanted = parsed.map_err(|error| Failure::new(FailureCode::Refused, format!("{error}.")))?;
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
