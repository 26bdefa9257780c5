//! Benchmarks as use cases: what can be measured, runs that are kept, what they mean for what is shown. Measuring is in
//! `run`, keeping in `store`; judging is `diagnosis`'s part.

pub(crate) mod run;
pub mod store;
pub mod wire;

use std::sync::Arc;

use silidock_diagnosis::{
    bench::{
        Bench, NATIVE,
        compare::{compare, rosetta_cost},
        meaning::{Fitting, Now, fitting, meaning, not_measured_yet},
        switch::{nothing_runs, rosetta_lane},
        words,
        workload::WORKLOADS,
    },
    check::Context,
    emulator::display_name,
    fact::{Fact, Gap},
    inventory::Inventory,
    platform::{Nativeness, Platform},
    runtime::{EmulationFacts, ProvenEmulator},
    schema::Schema,
};
use silidock_engine::Engine;
use silidock_report::{bench as faces, chart::chart, redact_bench};

use crate::{
    failure::{Failure, FailureCode},
    reports::secrets,
    session::{App, Source},
    wire::{Nothing, RenderedReport, ReportFormat},
};
use store::{Store, Stored};
use wire::{
    BenchCompareRequest, BenchComparison, BenchEntry, BenchHistory, BenchOffer, BenchReportRequest, BenchRowWords,
    BenchRunRequest, BenchView, DamagedBench, OfferedImage, OfferedLane, OfferedWorkload,
};

/// What [`BenchRunRequest`] calls the newest run.
const LATEST: &str = "latest";

impl App {
    /// What can be measured here. Starts nothing.
    ///
    /// # Errors
    /// Nothing was looked at yet.
    pub async fn bench_offer(self: &Arc<Self>, _: Nothing) -> Result<BenchOffer, Failure> {
        let seen = self.seen()?;
        let refused = match self.source()? {
            Source::Engine(_) => None,
            Source::Sample(_) => Some("The sample has no engine on which anything could be started."),
            Source::Recording => Some("A recording has no engine on which anything could be started."),
        };
        let workloads = WORKLOADS.iter().map(|offered| OfferedWorkload {
            id: offered.id.to_owned(),
            title: offered.title.to_owned(),
            what: offered.what.to_owned(),
            kind: offered.kind,
            quick: offered.quick,
        });
        Ok(BenchOffer {
            lanes: lanes(&seen.inventory),
            workloads: workloads.collect(),
            images: images(&seen.inventory),
            refused: refused.map(str::to_owned),
            running: self.session().bench.as_ref().map(|running| running.progress.clone()),
        })
    }

    /// Runs that are kept.
    ///
    /// # Errors
    /// Their folder cannot be read.
    pub async fn bench_history(self: &Arc<Self>, _: Nothing) -> Result<BenchHistory, Failure> {
        let mut history = BenchHistory { schema: Schema, runs: Vec::new(), damaged: Vec::new() };
        for stored in self.bench_store()?.list()? {
            match stored {
                Stored::Whole(run) => history.runs.push(entry(&run)),
                Stored::Damaged { id, why } => history.damaged.push(DamagedBench { id, why }),
            }
        }
        Ok(history)
    }

    /// One of them, with everything that is said of it.
    ///
    /// # Errors
    /// There is none of this name, or it cannot be read.
    pub async fn bench_run(self: &Arc<Self>, request: BenchRunRequest) -> Result<BenchView, Failure> {
        let run = self.kept_run(&request.id)?;
        Ok(self.bench_view(run))
    }

    /// Two of them side by side.
    ///
    /// # Errors
    /// As [`App::bench_run`].
    pub async fn bench_compare(self: &Arc<Self>, request: BenchCompareRequest) -> Result<BenchComparison, Failure> {
        Ok(compare(&self.kept_run(&request.before)?, &self.kept_run(&request.after)?))
    }

    /// Forgets one.
    ///
    /// # Errors
    /// There is none of this name, or it cannot be deleted.
    pub async fn bench_delete(self: &Arc<Self>, request: BenchRunRequest) -> Result<BenchHistory, Failure> {
        self.bench_store()?.delete(&request.id)?;
        self.bench_history(Nothing {}).await
    }

    pub(crate) fn bench_store(&self) -> Result<Store, Failure> {
        if let Some(Source::Sample(sample)) = &self.session().source {
            return Ok(Store::new(&sample.data()));
        }
        let data = self.host().data_dir().ok_or_else(|| {
            Failure::new(FailureCode::File, "There is no folder to keep benchmarks in: no home folder is known.")
                .hint("Set SILIDOCK_DATA_DIR to a folder.")
        })?;
        Ok(Store::new(&data))
    }

    pub(crate) fn kept_run(&self, id: &str) -> Result<Bench, Failure> {
        let store = self.bench_store()?;
        if id != LATEST {
            return store.find(id);
        }
        store.whole().into_iter().next().ok_or_else(|| {
            Failure::new(FailureCode::NotFound, "No benchmark is kept yet.").hint("Run one: silidock bench")
        })
    }

    pub(crate) fn bench_view(&self, run: Bench) -> BenchView {
        let (meaning, needs) = self.bench_meaning(&run);
        let others: Vec<Bench> = self
            .bench_store()
            .map(|store| store.whole())
            .unwrap_or_default()
            .into_iter()
            .filter(|other| other.id != run.id)
            .collect();
        let rows = run.results.iter().map(|result| BenchRowWords {
            title: run.workload(&result.workload).map_or_else(|| result.workload.clone(), |w| w.title.clone()),
            speed: words::speed(result),
            ratio: result.ratio.as_ref().map(words::share),
        });
        BenchView {
            headline: words::headline(&run),
            effort: words::effort(&run),
            harness: words::harness(&run),
            rows: rows.collect(),
            chart: chart(&run),
            meaning,
            needs,
            rosetta: rosetta_cost(&run, &others),
            run,
        }
    }

    /// What a run means for the containers seen last: of this very engine, judged by the run that counts there.
    fn bench_meaning(
        &self,
        run: &Bench,
    ) -> (Fact<silidock_diagnosis::bench::meaning::Meaning>, Vec<silidock_diagnosis::bench::meaning::NativeNeed>) {
        let Ok(seen) = self.seen() else {
            return (Fact::unknown("what it means for containers", "no engine was looked at yet"), Vec::new());
        };
        let counting = match &seen.inventory.benchmark {
            Fact::Known(fitting) if fitting.run.id == run.id => seen.inventory.benchmark.clone(),
            Fact::Known(fitting) if fitting.own.iter().any(|own| own.id == run.id) => {
                Fact::Known(Fitting { run: run.clone(), because: fitting.because.clone(), own: Vec::new() })
            }
            Fact::Known(fitting) => {
                Gap::new("what it means for containers", format!("the run of {} counts now", fitting.run.taken_at))
                    .into()
            }
            Fact::Unknown { unknown } => unknown.clone().into(),
        };
        let context = Context::new(&seen.inventory);
        let (meaning, needs) = meaning(&counting, &context.containers);
        (meaning, needs.into_iter().flatten().collect())
    }

    /// The stored run that still counts for an engine. Asks nothing of engines that were never measured.
    pub(crate) async fn counting_bench(&self, engine: &Engine, emulation: &EmulationFacts) -> Fact<Fitting> {
        let endpoint = engine.target().endpoint.to_string();
        let Ok(store) = self.bench_store() else { return not_measured_yet().into() };
        let runs: Vec<Bench> = store.whole().into_iter().filter(|run| run.machine.endpoint == endpoint).collect();
        if runs.is_empty() {
            return not_measured_yet().into();
        }
        // An engine that does not tell is compared by its kernel and emulator.
        let started = engine.started().await.ok().flatten();
        let kernel = engine.about().await.ok().map(|about| about.kernel);
        let version = engine.version();
        let platform = Platform::new(&version.os, &version.arch, None).ok();
        let now = Now {
            endpoint: &endpoint,
            platform: platform.as_ref(),
            kernel: kernel.as_deref().filter(|kernel| !kernel.is_empty()),
            started: started.as_deref(),
            emulation,
        };
        match fitting(runs, &now) {
            Ok(fitting) => Fact::Known(fitting),
            Err(gap) => gap.into(),
        }
    }

    /// A kept run as a report.
    ///
    /// # Errors
    /// As [`App::bench_run`].
    pub async fn bench_report(self: &Arc<Self>, request: BenchReportRequest) -> Result<RenderedReport, Failure> {
        let run = self.kept_run(&request.id)?;
        let failed = |error: silidock_report::ReportError| {
            Failure::new(FailureCode::File, format!("The report could not be made: {error}."))
        };
        let run = match request.redact {
            true => redact_bench(&run, &secrets(self.host().as_ref())).map_err(failed)?,
            false => run,
        };
        let (extension, content) = match request.format {
            ReportFormat::Html => ("html", faces::html(&run).map_err(failed)?),
            ReportFormat::Markdown => ("md", faces::markdown(&run)),
            ReportFormat::Json => ("json", faces::json(&run).map_err(failed)?),
            ReportFormat::Csv => ("csv", faces::csv(&run)),
        };
        Ok(RenderedReport { file_name: faces::file_name(&run, extension), content })
    }
}

fn entry(run: &Bench) -> BenchEntry {
    BenchEntry {
        id: run.id.clone(),
        taken_at: run.taken_at.clone(),
        sample: run.sample,
        headline: words::headline(run),
        engine: format!("{} {}", run.machine.runtime, run.machine.version),
        endpoint: run.machine.endpoint.clone(),
        mode: run.mode,
        cut_short: run.cut_short,
        warnings: run.warnings.len(),
    }
}

/// Lanes as far as they are known without starting anything.
fn lanes(inventory: &Inventory) -> Fact<Vec<OfferedLane>> {
    let Some(engine) = inventory.engine.platform.known() else {
        return Fact::unknown("what can be measured", "the engine's platform is not known");
    };
    let proven = match &inventory.emulation.effective {
        Fact::Known(proven) => proven,
        Fact::Unknown { unknown } => return unknown.clone().into(),
    };
    let mut lanes = vec![OfferedLane {
        name: NATIVE.to_owned(),
        words: format!("Native, {engine}"),
        platform: engine.clone(),
        unavailable: None,
        fixes: Vec::new(),
    }];
    // The probe that works is built for these two.
    let measured = proven.iter().filter(|p| ["amd64", "arm64"].contains(&p.platform.architecture.as_str()));
    lanes.extend(measured.filter(|p| p.works() && p.platform.on(engine) != Nativeness::Native).map(offered));
    lanes.extend([rosetta_lane(inventory), nothing_runs(inventory)].into_iter().flatten().map(|lane| OfferedLane {
        words: format!("{}, {}", display_name(&lane.name), lane.platform),
        name: lane.name,
        platform: lane.platform,
        unavailable: Some(lane.why),
        fixes: lane.fixes,
    }));
    Fact::Known(lanes)
}

fn offered(proven: &ProvenEmulator) -> OfferedLane {
    let version = proven.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    OfferedLane {
        name: proven.emulator.clone(),
        words: format!("{}{version}, {}", display_name(&proven.emulator), proven.platform),
        platform: proven.platform.clone(),
        unavailable: None,
        fixes: Vec::new(),
    }
}

/// Images with a foreign platform here: those that can be timed against native, or against another emulator.
fn images(inventory: &Inventory) -> Vec<OfferedImage> {
    let Some(engine) = inventory.engine.platform.known() else { return Vec::new() };
    let images = inventory.images.items.iter().filter_map(|image| {
        let here = image.platforms.known()?.iter().filter(|p| p.available);
        let platforms: Vec<Platform> = here.filter_map(|p| p.platform.known().cloned()).collect();
        let foreign = platforms.iter().any(|p| p.on(engine) != Nativeness::Native);
        let name = image.tags.first().filter(|_| foreign && platforms.len() > 1)?.clone();
        Some(OfferedImage { name, platforms })
    });
    images.collect()
}
