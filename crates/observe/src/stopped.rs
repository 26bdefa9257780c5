//! Reads what explains one container: how it is started and how that went, its last lines, and the few files that
//! starting it means, through the engine's archive calls. Nothing is started, and no file is read further than its head.

use jiff::Timestamp;
use silidock_diagnosis::{
    fact::{Fact, Gap},
    inventory::{ContainerState, Inventory, Locality},
    stopped::{
        facts::{FileRole, Looked, MountFacts, Seen, Start, StoppedContainer},
        spoken_of,
    },
};
use silidock_engine::{Engine, EngineError, PathError, PathKind, StartRecord};
use silidock_executable::{Entry, FileRecord, Kind, classify};
use silidock_host::Host;

mod sources;

/// The folders of a container without a `PATH` of its own, as runc has them.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// As much of a log as a failure needs to show itself.
const LOG_LINES: u32 = 200;
const LOG_BYTES: usize = 256 << 10;
/// As much of a file as tells what it is: its head, and the tables behind it.
const FILE_BYTES: usize = 128 << 10;
/// The kernel follows four interpreters; `env` makes it a few more.
const LONGEST_CHAIN: usize = 8;

/// One container as its engine tells of it. `container` is a name, an identifier or the beginning of one.
///
/// # Errors
/// Only where the engine does not know the container or cannot be asked; anything less is a gap.
pub async fn stopped(
    engine: &Engine,
    host: &dyn Host,
    inventory: &Inventory,
    container: &str,
) -> Result<StoppedContainer, EngineError> {
    let details = engine.inspect_container(container).await?;
    let record = engine.container_start(&details.id).await?;
    let known = inventory.containers.items.iter().find(|known| known.id == details.id);
    let name = known.map_or_else(|| container.to_owned(), |known| known.name.clone());
    let state = ContainerState::from_engine(&details.state);
    let log = match &details.started_at {
        Some(started) => last_run(engine, &details.id, &name, started).await,
        None => Fact::Known(String::new()),
    };
    let files = Files { engine, container: &details.id, record: &record };
    let start = match record.program.as_str() {
        "" => Fact::unknown(format!("what {name} starts"), "the engine names no program"),
        program => Fact::Known(files.start(program).await),
    };
    let mut suspects = Vec::new();
    for spoken in spoken_of(&details.error, log.known().map_or("", String::as_str)) {
        if spoken != record.program && !spoken.contains(".so") {
            suspects.push(files.start(&spoken).await);
        }
    }
    let compose = known.and_then(|known| known.compose.clone());
    let programs = start.known().into_iter().chain(&suspects);
    let mut sources = Vec::new();
    // Only files of this machine are the user's to mend.
    if inventory.engine.locality == Locality::Local {
        let place = sources::Place::new(host, inventory, compose.as_ref(), &record);
        let copied = match place.builds() {
            true => engine.copied_into(&details.image_id).await.unwrap_or_default(),
            false => Vec::new(),
        };
        for file in programs.flat_map(|start| &start.files).filter(|file| file.role == FileRole::Program) {
            if let Seen::File(seen) = &file.seen {
                let content = engine.container_file(&details.id, seen.path.text(), FILE_BYTES).await;
                let content = content.ok().flatten().map(|file| file.bytes).unwrap_or_default();
                sources.extend(place.of(seen.path.text(), &content, &copied));
            }
        }
    }
    let package_manager = files.package_manager().await;
    Ok(StoppedContainer {
        sources,
        package_manager,
        compose,
        platform: known.map_or_else(
            || Fact::unknown(format!("platform of {name}"), "it was made after the look"),
            |known| known.platform.clone(),
        ),
        name,
        state,
        started: details.started_at.is_some(),
        exit_code: details.exit_code,
        error: details.error,
        oom_killed: record.oom_killed,
        memory_limit: record.memory_limit,
        user: record.user.clone(),
        log,
        start,
        suspects,
    })
}

/// What was printed since the last start, and not before: an earlier run may have failed in another way.
async fn last_run(engine: &Engine, id: &str, name: &str, started: &str) -> Fact<String> {
    let what = || format!("the log of {name}");
    let since = match started.parse::<Timestamp>() {
        Ok(time) => time.as_second(),
        Err(error) => return Fact::unknown(what(), format!("the time of its start cannot be read: {error}")),
    };
    match engine.log_tail_since(id, since, LOG_LINES, LOG_BYTES).await {
        Ok(output) => {
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let newline = if out.is_empty() || out.ends_with('\n') { "" } else { "\n" };
            Fact::Known(format!("{out}{newline}{err}"))
        }
        Err(error) => Fact::unknown(what(), error.to_string()),
    }
}

/// Files of one container.
struct Files<'a> {
    engine: &'a Engine,
    container: &'a str,
    record: &'a StartRecord,
}

impl Files<'_> {
    /// The files that starting a program means.
    async fn start(&self, name: &str) -> Start {
        let mut files = vec![self.look_up(FileRole::Program, name).await];
        while files.len() < LONGEST_CHAIN {
            let next = match files.last().map(|file| &file.seen) {
                Some(Seen::File(record)) => next(record),
                _ => None,
            };
            let Some((role, name)) = next else { break };
            files.push(self.look_up(role, &name).await);
            if role == FileRole::Loader {
                break;
            }
            // The loader of env itself tells nothing: env is there to look up another program.
            let env = match files.iter().rev().nth(1).map(|file| &file.seen) {
                Some(Seen::File(record)) => env_program(record),
                _ => None,
            };
            if let (FileRole::Interpreter, Some(program), Some(Seen::File(_))) =
                (role, env, files.last().map(|file| &file.seen))
            {
                files.push(self.look_up(FileRole::EnvProgram, &program).await);
            }
        }
        Start { name: name.to_owned(), files }
    }

    async fn package_manager(&self) -> Option<&'static str> {
        for (path, name) in [("/sbin/apk", "apk"), ("/usr/bin/apt-get", "apt-get")] {
            if matches!(self.engine.container_path(self.container, path).await, Ok(Some(_))) {
                return Some(name);
            }
        }
        None
    }

    async fn look_up(&self, role: FileRole, name: &str) -> Looked {
        let looked = |seen, path: &str| Looked { role, name: name.to_owned(), seen, mount: self.mount(path) };
        if name.contains('/') {
            let path = self.absolute(name);
            let seen = self.see(&path).await;
            return looked(seen, &path);
        }
        let search = self.record.search_path.as_deref().unwrap_or(DEFAULT_PATH);
        let folders: Vec<&str> = search.split(':').filter(|folder| !folder.is_empty()).collect();
        let mut second_best = None;
        for folder in &folders {
            let path = format!("{}/{name}", folder.trim_end_matches('/'));
            let seen = self.see(&path).await;
            match &seen {
                Seen::Missing { .. } => {}
                Seen::File(record) if record.may_execute() && matches!(record.entry, Entry::File { .. }) => {
                    return looked(seen, &path);
                }
                _ if second_best.is_none() => second_best = Some(looked(seen, &path)),
                _ => {}
            }
        }
        let looked_in = folders.into_iter().map(str::to_owned).collect();
        second_best.unwrap_or_else(|| looked(Seen::Missing { looked_in }, ""))
    }

    fn absolute(&self, path: &str) -> String {
        let folder = self.record.working_dir.trim_end_matches('/');
        if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{}", path.trim_start_matches("./")) }
    }

    fn mount(&self, path: &str) -> Option<MountFacts> {
        let within = |destination: &str| {
            let folder = destination.trim_end_matches('/');
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mounts = self.record.mounts.iter().filter(|mount| within(&mount.destination));
        let mount = mounts.max_by_key(|mount| mount.destination.len())?;
        Some(MountFacts { destination: mount.destination.clone(), source: mount.source.clone(), noexec: mount.noexec })
    }

    /// What lies at an absolute path, links followed by the engine.
    async fn see(&self, path: &str) -> Seen {
        match self.try_to_see(path).await {
            Ok(Seen::Missing { .. }) if self.was_in_memory(path) => {
                Seen::Unreadable(Gap::new(path, "it lay on a mount in memory, of which nothing is left"))
            }
            Ok(seen) => seen,
            Err(PathError::LinkLoop) => Seen::LinkLoop,
            Err(error) => Seen::Unreadable(Gap::new(path, error.to_string())),
        }
    }

    fn was_in_memory(&self, path: &str) -> bool {
        let mount = self.mount(path);
        let same = |destination: &str| mount.as_ref().is_some_and(|mount| mount.destination == destination);
        self.record.mounts.iter().any(|mount| mount.in_memory && same(&mount.destination))
    }

    async fn try_to_see(&self, path: &str) -> Result<Seen, PathError> {
        let gone = Seen::Missing { looked_in: Vec::new() };
        let Some(stat) = self.engine.container_path(self.container, path).await? else { return Ok(gone) };
        let target = stat.link_target.clone();
        let (real, stat) = match stat.kind {
            PathKind::Link => match self.engine.container_path(self.container, &target).await? {
                Some(stat) if stat.kind != PathKind::Link => (target.as_str(), stat),
                _ => return Ok(Seen::Dangling { target }),
            },
            _ => (path, stat),
        };
        let record = |mode, uid, gid, entry| Seen::File(FileRecord { path: real.into(), mode, uid, gid, entry });
        match stat.kind {
            PathKind::Folder => Ok(record(stat.mode, 0, 0, Entry::Folder)),
            PathKind::Special | PathKind::Link => Ok(record(stat.mode, 0, 0, Entry::Special)),
            PathKind::File => {
                let Some(file) = self.engine.container_file(self.container, real, FILE_BYTES).await? else {
                    return Ok(gone);
                };
                let kind = kind(&file.bytes, file.size);
                let entry = Entry::File { size: file.size, kind: Some(kind), libraries: None };
                Ok(record(file.mode, file.uid, file.gid, entry))
            }
        }
    }
}

/// What a file is, from its beginning.
fn kind(bytes: &[u8], size: u64) -> Kind {
    let head = &bytes[..bytes.len().min(silidock_executable::HEAD)];
    classify(head, size, &mut |offset, buffer| {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let there = bytes.get(from..).unwrap_or_default();
        let length = there.len().min(buffer.len());
        buffer[..length].copy_from_slice(&there[..length]);
        length
    })
}

/// What the kernel takes next to start this file.
fn next(record: &FileRecord) -> Option<(FileRole, String)> {
    match record.kind()? {
        // With a carriage return the name is another one, and nobody has a file of that name.
        Kind::Script(script) if !script.carriage_return && !script.interpreter.is_empty() => {
            Some((FileRole::Interpreter, script.interpreter.clone()))
        }
        Kind::Elf(elf) => Some((FileRole::Loader, elf.interpreter.clone()?)),
        _ => None,
    }
}

fn env_program(record: &FileRecord) -> Option<String> {
    match record.kind()? {
        Kind::Script(script) => script.env.as_ref()?.program.clone(),
        _ => None,
    }
}
