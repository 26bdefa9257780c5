//! One run from the first container to the last trace removed: what is on the engine because of it, and the order of
//! its parts.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use silidock_diagnosis::bench::{Conditions, Measured, Moment, Warning, WarningKind, workload};
use silidock_engine::{Engine, EngineError};

use super::course::{Course, Ended};
use super::lanes::Opened;
use super::sampling::{Sampling, pressed};
use super::{Plan, Progress, Stage, Told, build, lanes, own};
use crate::error::MeasureError;
use crate::installation::Installation;
use crate::visit::insist;

/// The end is prepared for so long after the last sample at the latest: user's programs and builds may take their time.
const LONGEST: Duration = Duration::from_secs(4 * 3600);

/// The engine, the plan, and everything that has to be removed.
pub(crate) struct Site {
    pub engine: Engine,
    pub installation: Installation,
    pub plan: Plan,
    pub course: Course,
    litter: Mutex<Litter>,
}

#[derive(Default)]
struct Litter {
    containers: BTreeSet<String>,
    networks: BTreeSet<String>,
    images: BTreeSet<String>,
}

impl Site {
    pub fn new(engine: Engine, installation: Installation, plan: Plan, course: Course) -> Self {
        Self { engine, installation, plan, course, litter: Mutex::default() }
    }

    /// Everything.
    pub async fn run(mut self, told: Told) -> Result<Measured, MeasureError> {
        let outcome = self.measure(&told).await;
        told(Progress::at(Stage::CleaningUp));
        let left = self.clean().await;
        let mut measured = outcome?;
        measured.warnings.extend(left);
        Ok(measured)
    }

    async fn measure(&mut self, told: &Told) -> Result<Measured, MeasureError> {
        let mut measured = Measured::default();
        told(Progress::at(Stage::Preparing));
        for id in &self.plan.workloads {
            match workload::offered_by_id(id) {
                Some(offered) => measured.workloads.push(offered.workload()),
                None => {
                    let text = format!("There is no workload called {id}.");
                    measured.warnings.push(Warning::new(WarningKind::Missing, text));
                }
            }
        }
        let Opened { stations, unavailable, warnings } = lanes::open(self).await?;
        measured.lanes = stations.iter().map(|station| station.lane.clone()).collect();
        measured.unavailable = unavailable;
        measured.warnings.extend(warnings);

        let mut sampling = Sampling::new(self, told, stations);
        let before = sampling.surroundings().await;
        let course = sampling.run(&measured.workloads).await;
        let after = sampling.surroundings().await;
        measured.warnings.extend(pressed(before.as_ref(), after.as_ref()));
        sampling.finish(&mut measured);
        let stolen = before.as_ref().zip(after.as_ref()).and_then(|(before, after)| after.stolen_since(before));
        let conditions = [(Moment::Before, before, None), (Moment::After, after, stolen)];
        measured.conditions = conditions
            .into_iter()
            .map(|(moment, seen, stolen)| Conditions { moment, host: None, engine: seen.map(|seen| seen.busy(stolen)) })
            .collect();

        measured.cut_short = match course {
            Ok(()) => self.users_own(told, &mut measured).await.is_err(),
            Err(Ended) => true,
        };
        if self.course.deserted() { Err(MeasureError::Stopped) } else { Ok(measured) }
    }

    async fn users_own(&self, told: &Told, measured: &mut Measured) -> Result<(), Ended> {
        if let Some(wanted) = &self.plan.own {
            own::run(self, wanted, told, measured).await?;
        }
        if let Some(wanted) = &self.plan.build {
            build::run(self, wanted, told, measured).await?;
        }
        Ok(())
    }

    /// A name of ours for a container, which will be removed whatever becomes of it.
    pub fn container(&self, what: &str) -> String {
        let name = format!("silidock-{}-{what}", self.installation.name());
        self.remember(|litter| litter.containers.insert(name.clone()));
        name
    }

    /// The same for a network.
    pub fn network(&self) -> String {
        let name = format!("silidock-{}", self.installation.name());
        self.remember(|litter| litter.networks.insert(name.clone()));
        name
    }

    /// The same for an image.
    pub fn image(&self, what: &str) -> String {
        let name = format!("silidock-probe:{}-{what}", self.installation.name());
        self.remember(|litter| litter.images.insert(name.clone()));
        name
    }

    /// Removes a container now.
    pub async fn discard(&self, container: &str) -> Result<(), EngineError> {
        insist(|| self.engine.remove_throwaway(container)).await?;
        self.remember(|litter| litter.containers.remove(container));
        Ok(())
    }

    /// Labels of everything made here.
    pub fn labels(&self) -> std::collections::BTreeMap<String, String> {
        self.installation.labels(LONGEST)
    }

    fn remember<T>(&self, change: impl FnOnce(&mut Litter) -> T) -> T {
        change(&mut self.litter.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Removes everything, and tells what could not be.
    async fn clean(&self) -> Vec<Warning> {
        let litter = self.remember(std::mem::take);
        let (engine, mut left) = (&self.engine, Vec::new());
        let containers = join_all(litter.containers.iter().map(|name| insist(move || engine.remove_throwaway(name))));
        left.extend(told("Container", &litter.containers, containers.await));
        let networks = join_all(litter.networks.iter().map(|name| insist(move || engine.remove_network(name))));
        left.extend(told("Network", &litter.networks, networks.await));
        let images = join_all(litter.images.iter().map(|name| insist(move || engine.remove_image(name))));
        left.extend(told("Image", &litter.images, images.await));
        left
    }
}

fn told(what: &str, names: &BTreeSet<String>, results: Vec<Result<(), EngineError>>) -> Vec<Warning> {
    let failed = names.iter().zip(results).filter_map(|(name, result)| Some((name, result.err()?)));
    let text = failed.map(|(name, error)| format!("{what} {name} could not be removed: {error}"));
    text.map(|text| Warning::new(WarningKind::Left, text)).collect()
}

impl Progress {
    pub(crate) fn at(stage: Stage) -> Self {
        Self { stage, workload: None, lane: None, done: 0, total: 0, left: None }
    }
}
