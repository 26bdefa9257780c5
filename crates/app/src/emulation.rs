//! Proving which emulator runs foreign programs: reads what is set, starts throw-away containers, and looks again with
//! what they said.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use silidock_diagnosis::{
    crash::{ContainerCrash, RanUnder, explain},
    emulation::ended_badly,
    emulator::display_name,
    execution::{Expected, expected},
    fact::{Fact, Gap},
    finding::Evidence,
    inventory::{ConfiguredEmulator, Inventory},
    runtime::{EmulationFacts, NO_EMULATOR, ProvenEmulator, ProvenSign, UnprovenPlatform, not_proven_yet},
    schema::Schema,
};
use silidock_engine::Engine;
use silidock_measure::{
    Effective, Identification, Installation, MeasureError, Options, Says, Sign, Source as SignSource, TargetEmulation,
    identify, sweep,
};
use silidock_observe::runtimes::{self, GuardedFiles};
use silidock_report::scan::EffectiveEmulator;

use crate::{
    failure::{Failure, FailureCode},
    look::engine_failure,
    session::{App, Source},
    wire::{EmulatorDocument, EmulatorRequest, EmulatorTarget},
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
        self.look(self.next_generation(), &engine, None).await.map_err(|error| engine_failure(&error))?;
        facts.crashes = crashes(&engine, &self.last_inventory()?, &facts).await;
        self.remember_proof(&engine, &facts).await;
        let view = self.look(self.next_generation(), &engine, None).await.map_err(|error| engine_failure(&error))?;
        self.session().source = Some(Source::Engine(engine));
        let inventory = self.last_inventory()?;
        let targets = found.targets.iter().filter(|t| t.effective != Effective::Native);
        let about_emulation = |check: &str| EMULATION_CHECKS.contains(&check);
        Ok(EmulatorDocument {
            schema: Schema,
            endpoint: view.scan.engine.endpoint.clone(),
            engine_arch: view.scan.engine.arch.clone(),
            targets: targets.map(|target| document_target(target, &facts, &inventory.engine.configured)).collect(),
            findings: view.scan.findings.into_iter().filter(|f| about_emulation(&f.check)).collect(),
            gaps,
        })
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

/// Puts what the probes said into the facts that checks judge.
pub(crate) fn fill(facts: &mut EmulationFacts, found: &Identification) {
    let mut proven = Vec::new();
    for target in &found.targets {
        let (emulator, version) = match &target.effective {
            Effective::Native => continue,
            Effective::Emulator { name, version } => (name.clone(), version.clone()),
            Effective::Nothing => (NO_EMULATOR.to_owned(), None),
            Effective::Unknown { why } => {
                let gap = Gap::new(format!("what runs {}", target.platform), why.clone());
                facts.unproven.push(UnprovenPlatform { platform: target.platform.clone(), gap });
                continue;
            }
        };
        proven.push(ProvenEmulator {
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
        });
    }
    facts.effective = Fact::Known(proven);
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

fn document_target(
    target: &TargetEmulation,
    facts: &EmulationFacts,
    configured: &Fact<ConfiguredEmulator>,
) -> EmulatorTarget {
    let configured = match target.platform.architecture.as_str() {
        "amd64" => configured.clone(),
        other => Fact::unknown(
            format!("what is set for linux/{other}"),
            "runtimes have a setting for 64-bit Intel programs only",
        ),
    };
    let proven = facts.proven(&target.platform.architecture);
    let effective = match proven {
        Some(proven) => Fact::Known(EffectiveEmulator {
            emulator: if proven.works() { display_name(&proven.emulator).to_owned() } else { NO_EMULATOR.to_owned() },
            version: proven.version.clone(),
            evidence: proven.evidence.clone(),
        }),
        None => {
            let why = facts.unproven.iter().find(|u| u.platform == target.platform).map(|u| u.gap.clone());
            why.unwrap_or_else(not_proven_yet).into()
        }
    };
    let as_set = configured.known().zip(effective.known()).map(|(set, seen)| set.value == seen.emulator);
    let agrees = match (as_set, target.agrees) {
        (None, None) => None,
        (set, signs) => Some(set.unwrap_or(true) && signs.unwrap_or(true)),
    };
    EmulatorTarget { platform: target.platform.clone(), configured, effective, agrees }
}
