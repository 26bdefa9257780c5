//! Proving which emulator runs foreign programs: reads what is set, starts throw-away containers, and looks again with
//! what they said.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use silidock_diagnosis::{
    crash::{ContainerCrash, RanUnder, explain},
    emulation::ended_badly,
    execution::{Expected, expected},
    fact::{Fact, Gap},
    finding::Evidence,
    inventory::Inventory,
    runtime::{EmulationFacts, NO_EMULATOR, ProvenBuild, ProvenEmulator, ProvenSign, UnprovenPlatform},
    schema::Schema,
};
use silidock_engine::Engine;
use silidock_measure::{
    Builder, Effective, Identification, Installation, MeasureError, Options, Says, Sign, Source as SignSource,
    TargetEmulation, builds, identify, sweep,
};
use silidock_observe::runtimes::{self, GuardedFiles};

use crate::{
    failure::{Failure, FailureCode},
    look::engine_failure,
    session::App,
    wire::{EmulatorDocument, EmulatorRequest},
};

/// As much of a log as a crash needs to show itself.
const LOG_LINES: u32 = 200;
const LOG_BYTES: usize = 256 << 10;

/// Containers that are being removed get this long before the program ends.
const SETTLE: Duration = Duration::from_secs(60);

/// The installation whose containers this process may have started.
static OPENED: Mutex<Option<Installation>> = Mutex::new(None);

pub(crate) async fn settle() {
    let opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(installation) = opened {
        installation.settled(SETTLE).await;
    }
}

impl App {
    /// Proves which emulator runs foreign programs. Starts throw-away containers without a network, and removes them.
    ///
    /// # Errors
    /// There is no engine, or its own platform's probe could not be run on it.
    pub async fn emulator(self: &Arc<Self>, request: EmulatorRequest) -> Result<EmulatorDocument, Failure> {
        let _turn = self.looking.lock().await;
        let engine = self.engine_to_start_on(request.engine.as_deref()).await?;
        let installation = self.installation()?;
        let mut facts = self.settings(&engine, request.guarded).await;
        let mut gaps = match sweep(&engine, &installation).await {
            Ok(swept) => swept.gaps,
            Err(error) => vec![Gap::new("whether an earlier run left something behind", error.to_string())],
        };
        let found =
            identify(&engine, &installation, Options::default()).await.map_err(|error| measure_failure(&error))?;
        gaps.extend(found.gaps.iter().cloned());
        fill(&mut facts, &found);
        // What was proven of builds stays as long as containers run as they did; builds are not tried unasked.
        let before = self.remembered(&engine).await;
        if before.effective == facts.effective {
            facts.builds = before.builds;
        }
        if request.builds {
            facts.builds = self.builds(&engine, &installation, &mut gaps).await;
        }
        self.look(self.next_generation(), &engine, None).await.map_err(|error| engine_failure(&error))?;
        facts.crashes = crashes(&engine, &self.last_inventory()?, &facts).await;
        self.remember_proof(&engine, &facts).await;
        let view = self.look(self.next_generation(), &engine, None).await.map_err(|error| engine_failure(&error))?;
        let about_emulation = |check: &str| EMULATION_CHECKS.contains(&check);
        Ok(EmulatorDocument {
            schema: Schema,
            endpoint: view.scan.engine.endpoint.clone(),
            engine_arch: view.scan.engine.arch.clone(),
            targets: view.scan.engine.emulation.targets,
            findings: view.scan.findings.into_iter().filter(|f| about_emulation(&f.check)).collect(),
            gaps,
        })
    }

    async fn builds(
        &self,
        engine: &Engine,
        installation: &Installation,
        gaps: &mut Vec<Gap>,
    ) -> Fact<Vec<ProvenBuild>> {
        let what = "which emulator runs the steps of builds";
        let found = match builds(engine, installation, Options::default(), self.host().clone()).await {
            Ok(found) => found,
            Err(error) => return Fact::unknown(what, error.to_string()),
        };
        gaps.extend(found.gaps);
        let mut proven = Vec::new();
        for (builder, target) in &found.targets {
            match proven_of(target) {
                Ok(found) => proven.extend(found.map(|proven| ProvenBuild { builder: name_of(*builder), proven })),
                Err(why) => gaps.push(Gap::new(format!("what runs {} in builds", target.platform), why)),
            }
        }
        match (proven.is_empty(), gaps.last()) {
            (true, Some(last)) => Fact::unknown(what, last.why.clone()),
            (true, None) => Fact::unknown(what, "there is no foreign platform to build for"),
            (false, _) => Fact::Known(proven),
        }
    }

    /// Settings judge only an engine of this machine.
    pub(crate) async fn settings(&self, engine: &Engine, guarded: bool) -> EmulationFacts {
        let host = self.host().as_ref();
        match engine.target().endpoint.locality() {
            silidock_engine::Locality::Local => {
                runtimes::read(host, if guarded { GuardedFiles::Read } else { GuardedFiles::Leave }).await
            }
            silidock_engine::Locality::Remote | silidock_engine::Locality::Unknown => EmulationFacts {
                runtimes: Fact::unknown("the settings of the runtime", "the engine is not known to be on this machine"),
                ..EmulationFacts::default()
            },
        }
    }

    pub(crate) fn installation(&self) -> Result<Installation, Failure> {
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(installation) = opened.as_ref() {
            return Ok(installation.clone());
        }
        let folder = self.host().data_dir().ok_or_else(|| {
            Failure::new(
                FailureCode::File,
                "There is no folder to note throw-away containers in: no home folder is known.",
            )
            .hint("Set SILIDOCK_DATA_DIR to a folder.")
        })?;
        let installation =
            Installation::open(&folder).map_err(|error| Failure::new(FailureCode::File, error.to_string()))?;
        *opened = Some(installation.clone());
        Ok(installation)
    }
}

/// What the last lines say of foreign containers that ended badly. The lines themselves are not kept.
async fn crashes(engine: &Engine, inventory: &Inventory, facts: &EmulationFacts) -> Vec<ContainerCrash> {
    let mut crashes = Vec::new();
    for container in &inventory.containers.items {
        let foreign = expected(&container.platform, &inventory.engine) == Fact::Known(Expected::Emulated);
        let Some(exit_code) = ended_badly(container.state, &container.status).filter(|_| foreign) else { continue };
        // A log that cannot be read stays a gap of the check that wants it.
        let Ok(output) = engine.log_tail(&container.id, LOG_LINES, LOG_BYTES).await else { continue };
        let text = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let proven = container.platform.known().and_then(|p| facts.proven(&p.architecture));
        let under = proven.filter(|p| p.works()).map_or(RanUnder::Unknown, |p| RanUnder::Emulator(&p.emulator));
        let matches = explain(text.lines(), under, Some(exit_code));
        crashes.push(ContainerCrash { container: container.name.clone(), exit_code: Some(exit_code), matches });
    }
    crashes
}

/// Checks whose findings answer "which emulator runs here, and is it the right one".
const EMULATION_CHECKS: [&str; 8] = [
    "emulated-engine",
    "rosetta-off",
    "rosetta-not-effective",
    "emulator-missing",
    "rosetta-kernel-mismatch",
    "rosetta-stale",
    "cpu-feature-missing",
    "crash-under-emulation",
];

pub(crate) fn measure_failure(error: &MeasureError) -> Failure {
    Failure::new(FailureCode::Engine, format!("The emulator could not be proven: {error}.")).hint(error.hint())
}

fn name_of(builder: Builder) -> String {
    match builder {
        Builder::BuildKit => "BuildKit".to_owned(),
        Builder::Classic => "the engine's older builder".to_owned(),
    }
}

/// Puts what the probes said into the facts that checks judge.
pub(crate) fn fill(facts: &mut EmulationFacts, found: &Identification) {
    let mut proven = Vec::new();
    for target in &found.targets {
        match proven_of(target) {
            Ok(found) => proven.extend(found),
            Err(why) => {
                let gap = Gap::new(format!("what runs {}", target.platform), why);
                facts.unproven.push(UnprovenPlatform { platform: target.platform.clone(), gap });
            }
        }
    }
    facts.effective = Fact::Known(proven);
}

/// What was proven of one platform; none where the engine's own processor runs it.
fn proven_of(target: &TargetEmulation) -> Result<Option<ProvenEmulator>, String> {
    let (emulator, version) = match &target.effective {
        Effective::Native => return Ok(None),
        Effective::Emulator { name, version } => (name.clone(), version.clone()),
        Effective::Nothing => (NO_EMULATOR.to_owned(), None),
        Effective::Unknown { why } => return Err(why.clone()),
    };
    Ok(Some(ProvenEmulator {
        platform: target.platform.clone(),
        emulator,
        version,
        evidence: target.signs.iter().map(evidence).collect(),
        signs: target.signs.iter().filter_map(sign).collect(),
        features: match &target.features {
            Some(features) => Fact::Known(features.clone()),
            None => Fact::unknown(
                format!("the processor that {} programs see", target.platform),
                "no probe of that platform answered",
            ),
        },
    }))
}

fn place(source: SignSource) -> &'static str {
    match source {
        SignSource::Cpu => "processor",
        SignSource::Program => "emulator's program",
        SignSource::Interpreter => "emulator's name",
        SignSource::Cpuinfo => "/proc/cpuinfo",
        SignSource::Kernel => "kernel",
    }
}

fn evidence(sign: &Sign) -> Evidence {
    Evidence::new(place(sign.source), sign.evidence.clone())
}

fn sign(sign: &Sign) -> Option<ProvenSign> {
    let emulator = match &sign.says {
        Says::Emulator { name } => name.clone(),
        Says::Nothing => NO_EMULATOR.to_owned(),
        Says::Native => return None,
    };
    Some(ProvenSign { sign: place(sign.source).to_owned(), emulator, evidence: evidence(sign) })
}
