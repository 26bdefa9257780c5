//! Takes the samples of the probe's workloads: warms up, then goes round and round, workloads and lanes in a new order
//! each time, so that whatever changes on the machine meanwhile hits all lanes alike. It ends when the intervals are
//! tight, or the time is up.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fastrand::Rng;
use silidock_diagnosis::bench::workload::offered_by_id;
use silidock_diagnosis::bench::{Busy, Measured, Series, Unit, Warning, WarningKind, Workload};
use silidock_diagnosis::statistics::{estimate, median};
use silidock_probe::{Command, Ran, Reply, Surroundings, WORKLOADS, Work};

use super::course::Ended;
use super::site::Site;
use super::station::{Answer, Station};
use super::{Progress, Stage, Told};

/// A workload may kill the container of a lane so often.
const RESTARTS: u32 = 5;

/// Work that had to wait for a processor this share of the time was disturbed.
const DISTURBED: f64 = 0.1;

/// Workloads of one thread that never waits for anything but a processor.
const ALONE: [&str; 11] = [
    "empty",
    "integer",
    "hash",
    "hash-hardware",
    "float",
    "simd",
    "interpreter",
    "dynamic-code",
    "memory-latency",
    "memory-bandwidth",
    "system-calls",
];

/// Time without a processor because of the container's own limit from which it matters, in microseconds.
const HELD_BACK: u64 = 250_000;

/// Share of time in which programs waited for memory from which it is short, in percent.
const MEMORY_PRESSURE: f64 = 5.0;

/// One workload in one lane.
struct Cell {
    workload: String,
    unit: Unit,
    lane: usize,
    work: Work,
    blocks: u64,
    /// How much a block is, in the probe's count.
    amount: f64,
    /// Time of each sample, and of that the main thread's without a processor, in seconds.
    times: Vec<(f64, Option<f64>)>,
    checksum: Option<u64>,
    note: Option<String>,
}

impl Cell {
    /// The samples in the workload's unit. Of work that one thread does, time in which it had no processor is not
    /// counted, if that is known `everywhere`: it says how busy the machine is, and nothing of who runs the work.
    fn samples(&self, everywhere: bool) -> Vec<f64> {
        let alone = everywhere && ALONE.contains(&self.workload.as_str());
        let time = |(seconds, waited): &(f64, Option<f64>)| {
            let worked = waited.filter(|_| alone).map(|waited| seconds - waited);
            worked.filter(|worked| *worked > 0.0).unwrap_or(*seconds)
        };
        let (blocks, amount) = (self.blocks as f64, self.amount * self.blocks as f64);
        let sample = |seconds: f64| match self.unit {
            Unit::BlocksPerSecond => blocks / seconds,
            Unit::MegabytesPerSecond => amount / 1e6 / seconds,
            Unit::OperationsPerSecond => amount / seconds,
            Unit::Nanoseconds => seconds * 1e9 / amount,
            Unit::Seconds => seconds,
        };
        self.times.iter().map(|times| sample(time(times))).collect()
    }

    fn knows_waiting(&self) -> bool {
        self.times.iter().all(|(_, waited)| waited.is_some())
    }
}

/// Whether every lane tells how long a workload waited for a processor.
fn everywhere(cells: &[Cell], workload: &str) -> bool {
    cells.iter().filter(|cell| cell.workload == workload).all(Cell::knows_waiting)
}

/// How busy the engine's machine was.
pub(crate) struct Around {
    seen: Surroundings,
    /// How often the lane that saw it had been started anew by then: its container counts from nothing since.
    anew: u32,
}

impl Around {
    pub fn stolen_since(&self, before: &Self) -> Option<f64> {
        let (now, then) = (self.seen.ticks?, before.seen.ticks?);
        let all = now.all.checked_sub(then.all).filter(|ticks| *ticks > 0)?;
        Some(now.stolen.saturating_sub(then.stolen) as f64 / all as f64)
    }

    pub fn busy(self, stolen: Option<f64>) -> Busy {
        let seen = self.seen;
        Busy { load: seen.load, cpus: seen.processors, memory: seen.memory, available: seen.memory_available, stolen }
    }
}

pub(crate) struct Sampling<'a> {
    site: &'a Site,
    told: &'a Told,
    stations: Vec<Station>,
    cells: Vec<Cell>,
    warnings: Vec<Warning>,
    restarts: BTreeMap<usize, u32>,
    begun: Instant,
    /// Time spent taking samples, and how many were taken.
    spent: (Duration, usize),
}

impl<'a> Sampling<'a> {
    pub fn new(site: &'a Site, told: &'a Told, stations: Vec<Station>) -> Self {
        let (cells, warnings, restarts) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { site, told, stations, cells, warnings, restarts, begun: Instant::now(), spent: (Duration::ZERO, 0) }
    }

    /// How busy it is, as the native lane sees it.
    pub async fn surroundings(&mut self) -> Option<Around> {
        let anew = self.restarts.get(&0).copied().unwrap_or_default();
        match self.stations.first_mut()?.ask(self.site, &Command::Surroundings).await {
            Ok(Answer::Reply(Reply::Surroundings(seen))) => Some(Around { seen, anew }),
            // The run goes on without; who reads it finds the gap.
            _ => None,
        }
    }

    pub async fn run(&mut self, workloads: &[Workload]) -> Result<(), Ended> {
        self.begun = Instant::now();
        self.warm_up(workloads).await?;
        let (mode, budget) = (self.site.plan.mode, self.site.plan.budget);
        let mut order = Rng::with_seed(u64::from(self.site.plan.seed));
        for round in 0..mode.most_samples() {
            let mut open: Vec<&str> = workloads.iter().map(|workload| workload.id.as_str()).collect();
            open.retain(|id| self.cells.iter().any(|cell| cell.workload == *id));
            if round >= mode.fewest_samples() {
                open.retain(|id| !self.is_tight(id));
            }
            if open.is_empty() {
                return Ok(());
            }
            order.shuffle(&mut open);
            for id in open {
                let mut turn: Vec<usize> = (0..self.cells.len()).filter(|at| self.cells[*at].workload == id).collect();
                order.shuffle(&mut turn);
                // From the last to the first, because a cell that fails is taken out.
                let mut failed = Vec::new();
                for at in turn {
                    if self.begun.elapsed() > budget {
                        return Ok(());
                    }
                    if !self.sample(at).await? {
                        failed.push(at);
                    }
                }
                failed.sort_unstable();
                for at in failed.into_iter().rev() {
                    self.cells.remove(at);
                }
            }
        }
        Ok(())
    }

    fn is_tight(&self, id: &str) -> bool {
        let (mode, seed) = (self.site.plan.mode, u64::from(self.site.plan.seed));
        let everywhere = everywhere(&self.cells, id);
        let mut cells = self.cells.iter().filter(|cell| cell.workload == id);
        let tight = |cell: &Cell| estimate(&cell.samples(everywhere), seed).is_some_and(|e| e.tight(mode.tight()));
        cells.all(tight)
    }

    /// The first blocks everywhere, which also tell how many fit into a sample.
    async fn warm_up(&mut self, workloads: &[Workload]) -> Result<(), Ended> {
        let nanoseconds = u64::try_from(self.site.plan.sample.as_nanos()).unwrap_or(u64::MAX);
        for workload in workloads {
            for lane in 0..self.stations.len() {
                let work = match self.stations[lane].work(&workload.id, self.site.plan.bind.is_some()) {
                    Ok(work) => work,
                    Err(why) => {
                        self.miss(&workload.id, lane, &why);
                        continue;
                    }
                };
                self.tell(Stage::WarmingUp, &workload.id, lane);
                let command = Command::Calibrate { work: work.clone(), nanoseconds };
                match self.ask(lane, &workload.id, &command).await? {
                    Some(Reply::Calibrated { blocks }) => self.cells.push(Cell {
                        workload: workload.id.clone(),
                        unit: offered_by_id(&workload.id).map_or(workload.unit, |offered| offered.unit),
                        lane,
                        work,
                        blocks,
                        amount: 0.0,
                        times: Vec::new(),
                        checksum: None,
                        note: None,
                    }),
                    Some(other) => self.miss(&workload.id, lane, &unexpected(&other)),
                    None => {}
                }
            }
        }
        Ok(())
    }

    /// One more sample. Whether the cell can go on.
    async fn sample(&mut self, at: usize) -> Result<bool, Ended> {
        let begun = Instant::now();
        let (lane, id, work, blocks) = {
            let cell = &self.cells[at];
            (cell.lane, cell.workload.clone(), cell.work.clone(), cell.blocks)
        };
        self.tell(Stage::Measuring, &id, lane);
        let reply = self.ask(lane, &id, &Command::Run { work, blocks }).await?;
        self.spent = (self.spent.0 + begun.elapsed(), self.spent.1 + 1);
        match reply {
            Some(Reply::Ran(ran)) => Ok(self.keep(at, &ran)),
            Some(other) => {
                self.miss(&id, lane, &unexpected(&other));
                Ok(false)
            }
            None => Ok(false),
        }
    }

    /// Whether the cell can go on: one whose work came out wrong cannot.
    fn keep(&mut self, at: usize, ran: &Ran) -> bool {
        let cell = &mut self.cells[at];
        let Some(known) = WORKLOADS.iter().find(|workload| workload.id == cell.work.workload) else { return false };
        if ran.checksum != known.checksum || ran.blocks != cell.blocks || ran.nanoseconds == 0 {
            let lane = &self.stations[cell.lane].lane.name;
            let text = format!(
                "{} in {lane} computed {:#x} instead of {:#x}: what runs it computes wrongly.",
                cell.workload, ran.checksum, known.checksum
            );
            self.warnings.push(Warning::new(WarningKind::Checksum, text).about(&cell.workload, lane));
            return false;
        }
        cell.amount = known.amount as f64;
        cell.times.push((ran.nanoseconds as f64 / 1e9, ran.waited.map(|waited| waited as f64 / 1e9)));
        cell.checksum = Some(ran.checksum);
        cell.note.clone_from(&ran.note);
        true
    }

    /// The reply; `None`, told in a warning, where the lane did not survive the question.
    async fn ask(&mut self, lane: usize, id: &str, command: &Command) -> Result<Option<Reply>, Ended> {
        if self.restarts.get(&lane).is_some_and(|restarts| *restarts > RESTARTS) {
            self.miss(id, lane, "its containers do not stay alive");
            return Ok(None);
        }
        let why = match self.stations[lane].ask(self.site, command).await {
            Ok(Answer::Reply(reply)) => return Ok(Some(reply)),
            Ok(Answer::Dead(why)) => why,
            Err(_) => return Err(Ended),
        };
        self.miss(id, lane, &why);
        *self.restarts.entry(lane).or_default() += 1;
        if let Err(error) = self.stations[lane].again(self.site).await {
            self.site.course.go_on()?;
            self.restarts.insert(lane, RESTARTS + 1);
            self.miss(id, lane, &error.to_string());
        }
        Ok(None)
    }

    fn miss(&mut self, id: &str, lane: usize, why: &str) {
        let name = &self.stations[lane].lane.name;
        let text = format!("{id} could not be measured in {name}: {why}.");
        self.warnings.push(Warning::new(WarningKind::Missing, text).about(id, name));
    }

    fn tell(&self, stage: Stage, id: &str, lane: usize) {
        let fewest = self.site.plan.mode.fewest_samples();
        let done: usize = self.cells.iter().map(|cell| cell.times.len()).sum();
        let wanted = self.cells.len() * fewest;
        let open: usize = self.cells.iter().map(|cell| fewest.saturating_sub(cell.times.len())).sum();
        let (spent, taken) = self.spent;
        let left = u32::try_from(taken).ok().filter(|taken| *taken > 0).map(|taken| {
            let needed = spent / taken * u32::try_from(open).unwrap_or(u32::MAX);
            needed.min(self.site.plan.budget.saturating_sub(self.begun.elapsed()))
        });
        (self.told)(Progress {
            stage,
            workload: Some(id.to_owned()),
            lane: Some(self.stations[lane].lane.name.clone()),
            done,
            total: wanted.max(done),
            left,
        });
    }

    /// What came out.
    pub fn finish(self, into: &mut Measured) {
        into.warnings.extend(self.warnings);
        into.warnings.extend(disturbed(&self.cells));
        for cell in &self.cells {
            let lane = &self.stations[cell.lane].lane.name;
            if let Some(note) = &cell.note {
                let text = format!("{} in {lane} was done without special instructions: {note}.", cell.workload);
                into.warnings.push(Warning::new(WarningKind::Missing, text).about(&cell.workload, lane));
            }
            if cell.times.is_empty() {
                continue;
            }
            let samples = cell.samples(everywhere(&self.cells, &cell.workload));
            into.series.push(Series {
                checksum: cell.checksum.map(|sum| format!("{sum:016x}")),
                blocks: Some(cell.blocks),
                ..Series::new(&cell.workload, lane, samples)
            });
        }
    }
}

/// Whether something else had the processors.
fn disturbed(cells: &[Cell]) -> Option<Warning> {
    let alone = cells.iter().filter(|cell| ALONE.contains(&cell.workload.as_str()));
    let shares: Vec<f64> =
        alone.flat_map(|cell| &cell.times).filter_map(|(seconds, waited)| Some((*waited)? / seconds)).collect();
    let share = median(&shares).filter(|share| *share > DISTURBED)?;
    let text = format!(
        "Something else was busy: the work of one thread had no processor {:.0} % of its time. That time is not \
         counted where it is known, but caches and threads are shared.",
        share * 100.0
    );
    Some(Warning::new(WarningKind::Load, text))
}

/// Memory that is short, and processors that are held back: what the numbers of `Busy` do not say.
pub(crate) fn pressed(before: Option<&Around>, after: Option<&Around>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let seen = || before.into_iter().chain(after);
    let memory = seen().filter_map(|around| around.seen.memory_pressure).fold(0.0, f64::max);
    if memory > MEMORY_PRESSURE {
        let text = format!("Programs on the engine's machine waited for memory {memory:.0} % of the time.");
        warnings.push(Warning::new(WarningKind::Memory, text));
    }
    let throttled = after.and_then(|after| {
        let then = before.filter(|before| before.anew == after.anew).and_then(|before| before.seen.throttled);
        Some(after.seen.throttled?.saturating_sub(then.unwrap_or_default()))
    });
    if let Some(microseconds) = throttled.filter(|time| *time > HELD_BACK) {
        let seconds = Duration::from_micros(microseconds).as_secs_f64();
        let text = format!("The native lane was held back by its processor limit for {seconds:.1} s.");
        warnings.push(Warning::new(WarningKind::Processors, text));
    }
    warnings
}

fn unexpected(reply: &Reply) -> String {
    match reply {
        Reply::Refused { why } => why.clone(),
        other => format!("it answered {other:?}"),
    }
}
