//! One run: from a request to a judged run that is kept. The containers are `measure`'s, the statistics `diagnosis`'s.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use silidock_diagnosis::{
    bench::{
        Busy, Conditions, Machine, Measured, Moment, NATIVE, OwnWork, PlatformEmulator,
        judge::{About, judge},
        switch::{nothing_runs, rosetta_lane},
        workload::{self, offered_by_id},
    },
    emulator::display_name,
    inventory::Inventory,
    platform::Platform,
    runtime::EmulationFacts,
};
use silidock_engine::Engine;
use silidock_measure::{
    Answer, BuildTool, Cpu, Identification, Options, Own, OwnBuild, Plan, Progress, Qemu, Stage, bench, identify, sweep,
};
use tempfile::TempDir;
use tokio::sync::watch;

use super::wire::{BenchPhase, BenchProgress, BenchRequest, BenchView, BuildRequest, OwnRequest};
use crate::{
    emulation::{fill, measure_failure},
    failure::{Failure, FailureCode},
    look::{Chosen, engine_failure, now},
    session::{App, Source},
    wire::{Event, Nothing},
};

/// One run of the user's own command.
const OWN_LIMIT: Duration = Duration::from_secs(30 * 60);
/// One of the user's builds.
const BUILD_LIMIT: Duration = Duration::from_secs(2 * 60 * 60);

/// How folders that containers write to are named.
const SHARED: &str = "bench-";

/// The run under way.
#[derive(Debug)]
pub(crate) struct Running {
    stop: watch::Sender<bool>,
    pub(crate) progress: BenchProgress,
}

/// Ends being under way when it is dropped, however the run ended.
struct UnderWay(Arc<App>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.session().bench = None;
    }
}

impl App {
    /// Measures, keeps the run, and looks again with what it says.
    ///
    /// # Errors
    /// There is no engine, another run is under way, nothing could be measured, or it was ended before anything was.
    pub async fn bench(self: &Arc<Self>, request: BenchRequest) -> Result<BenchView, Failure> {
        check(&request)?;
        let engine = match self.engine(request.engine.as_deref()).await? {
            Chosen::Engine(engine) => engine,
            Chosen::Sample(_) | Chosen::Recording => {
                return Err(Failure::new(
                    FailureCode::Refused,
                    "A sample or a recording has no engine on which anything could be started.",
                )
                .hint("Choose an engine of yours."));
            }
        };
        let (stop, stopped) = watch::channel(false);
        let _under_way = self.begin(stop)?;
        let began = Timestamp::now();
        let inventory = self.prepared(&engine).await?;
        check_lanes(&request.lanes, &inventory.1)?;
        let (machine, facts) = self.machine(&engine, &inventory.0, &inventory.1).await;
        let seed = request.seed.unwrap_or_else(|| began.subsec_nanosecond().unsigned_abs());
        let mut plan = self.plan(&request, &engine, seed, machine.cpus)?;
        // It goes with its files when the run has ended.
        let shared = self.shared_folder(&engine);
        plan.bind = shared.as_ref().map(|folder| folder.path().to_owned());
        let limits = plan.limits.clone();
        let installation = self.installation()?;
        let before = self.host_busy(&inventory.1);
        let app = Arc::clone(self);
        let told = move |progress: Progress| app.tell_bench(&progress);
        let measured = bench(&engine, &installation, plan, stopped, told).await.map_err(|error| {
            Failure::new(FailureCode::Engine, format!("Nothing could be measured: {error}.")).hint(error.hint())
        })?;
        let after = self.host_busy(&inventory.1);
        let measured = completed(measured, before, after, &inventory.1);
        if measured.series.is_empty() {
            return Err(nothing(&measured));
        }
        let about = About {
            id: name(began, seed),
            taken_at: whole_second(began),
            seconds: (Timestamp::now() - began).total(jiff::Unit::Second).unwrap_or_default().round(),
            silidock: env!("CARGO_PKG_VERSION").to_owned(),
            mode: request.mode,
            seed,
            machine,
            limits,
            own: own_work(&request),
        };
        let run = judge(about, measured);
        self.bench_store()?.keep(&run)?;
        self.remember_proof(&engine, &facts).await;
        self.look_again(engine).await;
        Ok(self.bench_view(run))
    }

    /// Ends the run under way early; what it measured until then is kept.
    ///
    /// # Errors
    /// None is under way.
    pub async fn bench_cancel(self: &Arc<Self>, _: Nothing) -> Result<Nothing, Failure> {
        match &self.session().bench {
            // Its other end is gone only when the run has just ended.
            Some(running) => drop(running.stop.send(true)),
            None => return Err(Failure::new(FailureCode::NotFound, "No benchmark is under way.")),
        }
        Ok(Nothing {})
    }

    fn begin(self: &Arc<Self>, stop: watch::Sender<bool>) -> Result<UnderWay, Failure> {
        let mut session = self.session();
        if session.bench.is_some() {
            return Err(Failure::new(FailureCode::Refused, "A benchmark is under way already.")
                .hint("Wait for its end, or cancel it."));
        }
        let progress =
            BenchProgress { phase: BenchPhase::Preparing, workload: None, lane: None, done: 0.0, seconds_left: None };
        session.bench = Some(Running { stop, progress });
        Ok(UnderWay(Arc::clone(self)))
    }

    /// Removes what an earlier run left, finds out who runs foreign programs, and looks.
    async fn prepared(&self, engine: &Engine) -> Result<(Identification, Inventory), Failure> {
        let installation = self.installation()?;
        // What cannot be swept does not keep anybody from measuring; `silidock emulator` tells of it.
        drop(sweep(engine, &installation).await);
        let found =
            identify(engine, &installation, Options::default()).await.map_err(|error| measure_failure(&error))?;
        let mut facts = self.remembered(engine).await;
        if facts.effective.known().is_none() {
            facts = self.settings(engine, false).await;
        }
        fill(&mut facts, &found);
        self.remember_proof(engine, &facts).await;
        let _turn = self.looking.lock().await;
        self.look(self.next_generation(), engine, None).await.map_err(|error| engine_failure(&error))?;
        Ok((found, self.last_inventory()?))
    }

    async fn machine(
        &self,
        engine: &Engine,
        found: &Identification,
        inventory: &Inventory,
    ) -> (Machine, EmulationFacts) {
        let seen = &inventory.engine;
        let local = engine.target().endpoint.locality() == silidock_engine::Locality::Local;
        let host = &inventory.host;
        let system = format!("{} {}", host.os, host.os_version.as_deref().unwrap_or_default());
        let emulators = inventory.emulation.effective.known().into_iter().flatten().map(|proven| PlatformEmulator {
            platform: proven.platform.clone(),
            emulator: proven.emulator.clone(),
            version: proven.version.clone(),
        });
        let machine = Machine {
            endpoint: seen.endpoint.clone(),
            runtime: seen.runtime.name.clone(),
            version: seen.version.clone(),
            platform: found.platform.clone(),
            kernel: found.native.kernel.clone().or_else(|| seen.kernel.clone()),
            cpu: processor(&found.native),
            cpus: seen.cpus,
            memory: seen.memory,
            // An engine that does not tell is compared by kernel and emulator.
            started: engine.started().await.ok().flatten(),
            emulators: emulators.collect(),
            host_system: local.then(|| system.trim().to_owned()),
            host_cpu: host.cpu.clone().filter(|_| local),
        };
        (machine, inventory.emulation.clone())
    }

    fn plan(&self, request: &BenchRequest, engine: &Engine, seed: u32, cpus: Option<u32>) -> Result<Plan, Failure> {
        // One is left for everything else, where there are enough.
        let cpus = cpus.map_or(2, |cpus| if cpus > 2 { (cpus - 1).min(4) } else { cpus });
        let mut plan = Plan::new(request.mode, seed, cpus);
        let own = request.own.is_some() || request.build.is_some();
        if !request.workloads.is_empty() || own {
            plan.workloads.clone_from(&request.workloads);
        }
        plan.lanes = (!request.lanes.is_empty()).then(|| request.lanes.clone());
        plan.own = request.own.as_ref().map(own_plan);
        plan.qemu = request.qemu.as_ref().map_or_else(Qemu::default, |qemu| Qemu {
            image: Some(qemu.image.clone()).filter(|image| !image.trim().is_empty()),
            pull: qemu.pull,
        });
        plan.build = match &request.build {
            Some(build) => Some(self.build_plan(build, engine, request.mode)?),
            None => None,
        };
        Ok(plan)
    }

    /// An empty folder of this machine that containers may write to, under the home folder, which the runtimes of a Mac
    /// share with their machine. None for engines elsewhere: they would make a folder of that name on their machine.
    fn shared_folder(&self, engine: &Engine) -> Option<TempDir> {
        let local = engine.target().endpoint.locality() == silidock_engine::Locality::Local;
        let parent = self.host().data_dir().filter(|_| local)?;
        forget_old(&parent);
        let folder = tempfile::Builder::new().prefix(SHARED).tempdir_in(parent).ok()?;
        // A container's user is another than this one.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).ok()?;
        Some(folder)
    }

    fn build_plan(
        &self,
        build: &BuildRequest,
        engine: &Engine,
        mode: silidock_diagnosis::bench::Mode,
    ) -> Result<OwnBuild, Failure> {
        let host = self.host();
        let program = host.find_tool("docker").ok_or_else(|| {
            Failure::new(FailureCode::NotFound, "The docker command was not found; it builds the image.")
                .hint("Install the Docker command line, or measure an image instead: --image.")
        })?;
        let path = Path::new(&build.path);
        let (context, file) = match path.is_dir() {
            true => (path.to_owned(), None),
            false => (path.parent().unwrap_or(Path::new(".")).to_owned(), Some(path.to_owned())),
        };
        let there = file.clone().unwrap_or_else(|| context.join("Dockerfile"));
        if !host.exists(&there) {
            return Err(Failure::new(FailureCode::NotFound, format!("There is no Dockerfile {}.", there.display())));
        }
        let path = host.tool_path().to_string_lossy().into_owned();
        let mut environment = silidock_engine::docker_variables(engine.target());
        environment.push(("PATH".to_owned(), path));
        let tool = BuildTool { program, environment };
        let rounds = if mode == silidock_diagnosis::bench::Mode::Quick { 1 } else { 3 };
        Ok(OwnBuild { context, file, rounds, limit: BUILD_LIMIT, tool })
    }

    /// How busy this machine is; none where the engine is on another.
    fn host_busy(&self, inventory: &Inventory) -> Option<Busy> {
        if inventory.engine.locality != silidock_diagnosis::inventory::Locality::Local {
            return None;
        }
        let load = self.host().load();
        Some(Busy {
            load: load.load,
            cpus: inventory.host.cores,
            memory: load.memory.or(inventory.host.memory),
            available: load.available,
            stolen: None,
        })
    }

    fn tell_bench(&self, progress: &Progress) {
        let mut session = self.session();
        let Some(running) = &mut session.bench else { return };
        let phase = match progress.stage {
            Stage::Preparing => BenchPhase::Preparing,
            Stage::WarmingUp => BenchPhase::Calibrating,
            Stage::Measuring | Stage::Own | Stage::Building => BenchPhase::Measuring,
            Stage::CleaningUp => BenchPhase::CleaningUp,
        };
        let title = |id: &String| match id.as_str() {
            workload::OWN => "Your command".to_owned(),
            workload::BUILD => "Your build".to_owned(),
            id => offered_by_id(id).map_or_else(|| id.to_owned(), |offered| offered.title.to_owned()),
        };
        let share = if progress.total == 0 { 0.0 } else { progress.done as f64 / progress.total as f64 };
        let done = match phase {
            BenchPhase::CleaningUp => 1.0,
            _ => share.clamp(running.progress.done, 1.0),
        };
        let told = BenchProgress {
            phase,
            workload: progress.workload.as_ref().map(title),
            lane: progress.lane.clone(),
            done,
            seconds_left: progress.left.map(|left| left.as_secs_f64()),
        };
        running.progress = told.clone();
        drop(session);
        self.tell(Event::Bench { progress: told });
    }

    /// Shows what the run means; that it cannot be shown takes nothing from the run.
    async fn look_again(self: &Arc<Self>, engine: Engine) {
        let _turn = self.looking.lock().await;
        if self.look(self.next_generation(), &engine, None).await.is_ok() {
            self.session().source = Some(Source::Engine(engine));
        }
    }
}

/// Ids and names that are none are told before anything is started.
fn check(request: &BenchRequest) -> Result<(), Failure> {
    match request.workloads.iter().find(|id| offered_by_id(id).is_none()) {
        Some(id) => Err(Failure::new(FailureCode::NotFound, format!("There is no workload {id}."))
            .hint("silidock bench --list names them.")),
        None => Ok(()),
    }
}

/// Names nobody knows are refused; those that are known and cannot be had are told with the reason by the run.
fn check_lanes(wanted: &[String], inventory: &Inventory) -> Result<(), Failure> {
    let proven = inventory.emulation.effective.known().into_iter().flatten().map(|proven| proven.emulator.as_str());
    let here: Vec<&str> = std::iter::once(NATIVE).chain(proven.filter(|name| *name != "none")).collect();
    let named = |lane: &str| lane.split(' ').next().unwrap_or(lane).trim_end_matches("-direct").to_owned();
    let known = |lane: &String| {
        let name = named(lane);
        here.contains(&name.as_str()) || display_name(&name) != name
    };
    match wanted.iter().find(|lane| !known(lane)) {
        Some(lane) => {
            let mut there: Vec<&str> = here.clone();
            there.dedup();
            Err(Failure::new(FailureCode::NotFound, format!("There is no lane {lane}."))
                .hint(format!("This engine has {}.", there.join(", "))))
        }
        None => Ok(()),
    }
}

/// Folders of runs that were killed. None lasts so long.
fn forget_old(parent: &Path) {
    let old = |entry: &std::fs::DirEntry| {
        let age = entry.metadata().ok()?.modified().ok()?.elapsed().ok()?;
        Some(entry.file_name().to_string_lossy().starts_with(SHARED) && age > BUILD_LIMIT)
    };
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten().filter(|entry| old(entry) == Some(true)) {
        // One that stays is looked at again by the next run.
        let _stays = std::fs::remove_dir_all(entry.path());
    }
}

fn own_plan(own: &OwnRequest) -> Own {
    let platforms: Vec<String> = own.platforms.iter().map(Platform::to_string).collect();
    Own {
        image: own.image.clone(),
        command: own.command.clone(),
        platforms: (!platforms.is_empty()).then_some(platforms),
        network: false,
        limit: OWN_LIMIT,
    }
}

/// What the user's own work is, without arguments: they may hold secrets.
fn own_work(request: &BenchRequest) -> Option<OwnWork> {
    let digest = |parts: &[&str]| {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    if let Some(own) = &request.own {
        let words: Vec<&str> =
            std::iter::once(own.image.as_str()).chain(own.command.iter().map(String::as_str)).collect();
        return Some(OwnWork {
            workload: workload::OWN.to_owned(),
            image: own.image.clone(),
            build: None,
            program: own.command.first().cloned(),
            digest: digest(&words),
        });
    }
    let build = request.build.as_ref()?;
    let path = Path::new(&build.path);
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let (folder, file) = match path.is_dir() {
        true => (name(path), "Dockerfile".to_owned()),
        false => (path.parent().and_then(name), name(path).unwrap_or_default()),
    };
    Some(OwnWork {
        workload: workload::BUILD.to_owned(),
        image: folder.unwrap_or_else(|| ".".to_owned()),
        build: Some(file),
        program: None,
        digest: digest(&[&build.path]),
    })
}

/// Adds what only this machine and its settings know.
fn completed(mut measured: Measured, before: Option<Busy>, after: Option<Busy>, inventory: &Inventory) -> Measured {
    for (moment, busy) in [(Moment::Before, before), (Moment::After, after)] {
        match measured.conditions.iter_mut().find(|seen| seen.moment == moment) {
            Some(seen) => seen.host = busy,
            None if busy.is_some() => measured.conditions.push(Conditions { moment, host: busy, engine: None }),
            None => {}
        }
    }
    for lane in [rosetta_lane(inventory), nothing_runs(inventory)].into_iter().flatten() {
        let known = measured.lanes.iter().any(|had| had.name == lane.name);
        measured.unavailable.retain(|other| other.name != lane.name || known);
        if !known {
            measured.unavailable.push(lane);
        }
    }
    measured
}

fn nothing(measured: &Measured) -> Failure {
    let detail = measured.warnings.iter().map(|warning| warning.text.clone()).collect();
    match measured.cut_short {
        true => Failure::new(FailureCode::Refused, "It was ended before anything was measured.").detail(detail),
        false => Failure::new(FailureCode::Refused, "Nothing could be measured.").detail(detail),
    }
}

/// The processor as native programs see it.
fn processor(native: &Answer) -> Option<String> {
    match &native.cpu {
        Cpu::X86(cpu) => cpu.brand.clone(),
        Cpu::Arm(cpu) => cpu
            .implementer_and_part()
            .map(|(implementer, part)| format!("implementer {implementer:#04x}, part {part:#05x}")),
        Cpu::Other => None,
    }
}

/// `2026-11-20T20-15-07Z-3f2a`: sorts by time and can be a file's name.
fn name(began: Timestamp, seed: u32) -> String {
    format!("{}-{:04x}", whole_second(began).replace(':', "-"), seed & 0xffff)
}

fn whole_second(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).map_or_else(|_| now(), |time| time.to_string())
}
