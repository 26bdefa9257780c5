//! Makes contents of what was found: counts, works out the start, asks the checks about each file, says which odd files
//! are meant to be there, and folds what is many of a kind.

use std::collections::BTreeMap;

use silidock_executable::{FileRecord, Kind, Role};

use super::{
    Executables, Found, ImageContents, Look, OddFile, StartSettings,
    fold::fold,
    intended::{self, Siblings},
    libraries::Libraries,
    odd::{QUESTIONS, fits},
    start::{Start, start},
    tree::Tree,
};
use crate::{
    checks::wrong_label::{self, Userland},
    platform::Platform,
};

/// Contents, and the folders in which programs and libraries lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// What is kept and judged.
    pub contents: ImageContents,
    /// Folders that hold programs or libraries: how many for which platform, and how many by layer.
    pub folders: BTreeMap<String, BTreeMap<(String, Option<u32>), u64>>,
}

/// Makes contents of what was found.
pub fn survey(found: &Found) -> Survey {
    let tree = Tree::new(found);
    let all = tree.all();
    let libraries = Libraries::new(&all);
    let settings = found.start.known().cloned().unwrap_or_default();
    let start = start(&tree, &libraries, &settings);
    let label = found.platform.known();
    let (executables, folders) = counted(&all);
    let asked = Asked { found, tree: &tree, libraries: &libraries, settings: &settings, start: &start, label };
    let mut odd = asked.odd(&all);
    if let Some(wrong) = label.and_then(|label| wrong_label::odd(label, &asked.userland(&all), &start.steps)) {
        // The image is for that platform, whatever it says; its own files are not foreign to it.
        odd.retain(|file| file.check != "foreign-binary" || file.arch != wrong.arch);
        odd.insert(0, wrong);
    }
    let contents = ImageContents {
        subject: found.subject.clone(),
        kind: found.kind,
        platform: found.platform.clone(),
        via: found.via,
        files: found.files,
        executables,
        start: start.steps,
        layers: found.layers.clone(),
        odd: fold(odd),
        gaps: found.start.gap().into_iter().chain(&found.gaps).cloned().collect(),
    };
    Survey { contents, folders }
}

/// The platforms of machine code as one word; none for what is none, and for what .NET runs anywhere.
fn code_platform(record: &FileRecord) -> Option<String> {
    let kind = record.kind()?;
    let code = match kind {
        Kind::Elf(elf) => matches!(elf.role, Role::Program | Role::Library),
        Kind::MachO(mach) => mach.role != Role::Object,
        Kind::Pe(pe) => !pe.managed,
        _ => false,
    };
    let names: Vec<&str> = kind.platforms().collect();
    let unknown = || "unknown".to_owned();
    code.then(|| if names.is_empty() { unknown() } else { names.join(" and ") })
}

type Folders = BTreeMap<String, BTreeMap<(String, Option<u32>), u64>>;

fn counted(all: &[(&FileRecord, Option<u32>)]) -> (Executables, Folders) {
    let mut executables = Executables::default();
    let mut folders = Folders::new();
    for (record, layer) in all {
        executables.scripts += u64::from(matches!(record.kind(), Some(Kind::Script(_))));
        let Some(platform) = code_platform(record) else { continue };
        executables.count += 1;
        *executables.by_arch.entry(platform.clone()).or_default() += 1;
        let folder = record.path.text().rsplit_once('/').map_or("/", |(above, _)| above);
        let folder = if folder.is_empty() { "/" } else { folder };
        *folders.entry(folder.to_owned()).or_default().entry((platform, *layer)).or_default() += 1;
    }
    (executables, folders)
}

struct Asked<'l, 'a> {
    found: &'a Found,
    tree: &'l Tree<'a>,
    libraries: &'l Libraries<'a>,
    settings: &'l StartSettings,
    start: &'l Start<'a>,
    label: Option<&'l Platform>,
}

impl<'a> Asked<'_, 'a> {
    fn odd(&self, all: &[(&'a FileRecord, Option<u32>)]) -> Vec<OddFile> {
        let siblings = self.label.map(|label| {
            let own = all.iter().filter(|(record, _)| {
                let machine = record.kind().and_then(|kind| kind.platforms().next());
                machine.is_some_and(|platform| fits(platform, label))
            });
            Siblings::new(&label.to_string(), own.map(|(record, _)| record.path.text()))
        });
        let siblings = siblings.unwrap_or_default();
        all.iter().filter_map(|(record, layer)| self.one(record, *layer, &siblings)).collect()
    }

    fn one(&self, record: &'a FileRecord, layer: Option<u32>, siblings: &Siblings) -> Option<OddFile> {
        let path = record.path.text();
        let first = self.start.first.contains(path);
        let role = self.start.steps.iter().find(|step| step.path.as_deref() == Some(path)).map(|step| step.role);
        let missing = self.start.missing.iter().find(|(asks, _)| asks.path == record.path);
        let look = Look {
            record,
            role,
            label: self.label,
            tree: self.tree,
            start: self.settings,
            libcs: self.libraries.libcs(),
            missing: missing.map_or(&[], |(_, names)| names.as_slice()),
        };
        let (check, odd) = QUESTIONS.iter().find_map(|(check, ask)| Some((*check, ask(&look)?)))?;
        let intended = match first {
            true => None,
            false => intended::by_place(check, path)
                .or_else(|| siblings.rule(check, path, odd.arch.as_deref().unwrap_or_default())),
        };
        Some(OddFile {
            check: check.to_owned(),
            path: path.to_owned(),
            arch: odd.arch.or_else(|| code_platform(record)),
            detail: odd.detail,
            first,
            intended: intended.map(|rule| rule.id.to_owned()),
            count: 1,
            examples: Vec::new(),
            layer: layer.filter(|layer| (*layer as usize) < self.found.layers.len()),
        })
    }

    /// Machine code by platform, without what is there for other platforms.
    fn userland(&self, all: &[(&FileRecord, Option<u32>)]) -> Userland {
        let mut userland = Userland::default();
        for (record, layer) in all {
            let Some(Kind::Elf(elf)) = record.kind() else { continue };
            let path = record.path.text();
            let Some(platform) = elf.platform.as_deref() else { continue };
            let own = self.label.is_some_and(|label| fits(platform, label));
            let counts = own || intended::by_place("foreign-binary", path).is_none();
            if counts && matches!(elf.role, Role::Program | Role::Library) {
                userland.add(platform, path, *layer, own);
            }
        }
        userland
    }
}
