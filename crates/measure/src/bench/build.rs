//! A Dockerfile of the user's, built without cache for each platform that has a lane, in turns, timed as a whole and step
//! by step. The Docker command builds: by buildx where it is there, by the engine's classic builder else. A builder keeps
//! what it built in its cache, as after any build; the image of the classic one is removed.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use fastrand::Rng;
use silidock_diagnosis::bench::{LaneWay, Measured, Series, StepSeries, Warning, WarningKind, workload};
use silidock_engine::BuildLog;
use silidock_host::Group;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use super::builder_output::{Classic, Step, steps};
use super::course::Ended;
use super::own::left;
use super::site::Site;
use super::{BuildTool, OwnBuild, Progress, Stage, Told};

const LONGEST_COMPLAINT: usize = 500;

/// One finished build.
struct Built {
    seconds: f64,
    steps: Vec<Step>,
}

/// The builds of one lane.
struct Variant {
    lane: usize,
    platform: String,
    samples: Vec<f64>,
    steps: Vec<StepSeries>,
}

pub(crate) async fn run(site: &Site, wanted: &OwnBuild, told: &Told, measured: &mut Measured) -> Result<(), Ended> {
    let folder = wanted
        .context
        .file_name()
        .map_or_else(|| wanted.context.display().to_string(), |name| name.to_string_lossy().into_owned());
    measured.workloads.push(workload::build(&folder));
    let lanes = measured.lanes.iter().enumerate();
    let mut variants: Vec<Variant> = lanes
        .filter(|(_, lane)| matches!(lane.way, LaneWay::Native | LaneWay::Registered))
        .map(|(at, lane)| Variant {
            lane: at,
            platform: lane.platform.to_string(),
            samples: Vec::new(),
            steps: Vec::new(),
        })
        .collect();
    let by_buildx = has_buildx(&wanted.tool).await;
    let mut order = Rng::with_seed(u64::from(site.plan.seed));
    let (begun, mut done) = (Instant::now(), 0);
    let rounds = usize::try_from(wanted.rounds.max(1)).unwrap_or(usize::MAX);
    for _ in 0..rounds {
        order.shuffle(&mut variants);
        let mut failed = Vec::new();
        for (at, variant) in variants.iter_mut().enumerate() {
            let name = measured.lanes[variant.lane].name.clone();
            let total = rounds.saturating_mul(measured.lanes.len());
            told(Progress {
                stage: Stage::Building,
                workload: Some(workload::BUILD.to_owned()),
                lane: Some(name.clone()),
                done,
                total,
                left: left(begun, done, total),
            });
            let building = tokio::time::timeout(wanted.limit, build(site, wanted, &variant.platform, by_buildx));
            let built = site.course.unless_ended(building).await?;
            done += 1;
            match built.unwrap_or_else(|_| Err(format!("it did not end within {} s", wanted.limit.as_secs()))) {
                Ok(built) => variant.keep(built),
                Err(why) => {
                    failed.push(at);
                    let text = format!("{folder} could not be built for {}: {why}", variant.platform);
                    measured.warnings.push(Warning::new(WarningKind::Missing, text).about(workload::BUILD, name));
                }
            }
        }
        for at in failed.into_iter().rev() {
            variants.remove(at);
        }
    }
    variants.sort_by_key(|variant| variant.lane);
    for variant in variants {
        let lane = measured.lanes[variant.lane].name.clone();
        let series = Series::new(workload::BUILD, lane, variant.samples);
        measured.series.push(Series { steps: variant.steps, ..series });
    }
    Ok(())
}

impl Variant {
    fn keep(&mut self, built: Built) {
        self.samples.push(built.seconds);
        for (name, seconds) in built.steps {
            match self.steps.iter_mut().find(|step| step.name == name) {
                Some(step) => step.samples.push(seconds),
                None => self.steps.push(StepSeries { name, samples: vec![seconds] }),
            }
        }
    }
}

impl BuildTool {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

async fn has_buildx(tool: &BuildTool) -> bool {
    tool.command(&["buildx", "version"]).output().await.is_ok_and(|output| output.status.success())
}

async fn build(site: &Site, wanted: &OwnBuild, platform: &str, by_buildx: bool) -> Result<Built, String> {
    let context = text(&wanted.context)?;
    let file = wanted.file.as_deref().map(text).transpose()?;
    let file = file.map_or(Vec::new(), |file| vec!["--file", file]);
    let common = ["--no-cache", "--platform", platform];
    let begun = Instant::now();
    if by_buildx {
        let words = ["buildx", "build", "--progress=rawjson", "--output=type=cacheonly"];
        let words: Vec<&str> = words.into_iter().chain(common).chain(file).chain(["--", context]).collect();
        let mut seen = BuildLog::default();
        let status = follow(wanted.tool.command(&words), |line| drop(seen.line(line))).await?;
        let seconds = begun.elapsed().as_secs_f64();
        return match status {
            true => Ok(Built { seconds, steps: steps(&seen) }),
            false => {
                let failed = seen.failed().map(|step| step.error.clone());
                Err(shortened(&failed.unwrap_or_else(|| seen.said().join(" "))))
            }
        };
    }
    let image = site.image("build");
    let labels: Vec<String> = site.labels().iter().map(|(name, value)| format!("--label={name}={value}")).collect();
    let words = ["build", "--force-rm", "--tag", &image].into_iter().chain(labels.iter().map(String::as_str));
    let words: Vec<&str> = words.chain(common).chain(file).chain(["--", context]).collect();
    let mut seen = Classic::default();
    let mut command = wanted.tool.command(&words);
    command.env("DOCKER_BUILDKIT", "0");
    let status = follow(command, |line| seen.line(line, begun.elapsed())).await?;
    let took = begun.elapsed();
    if !status {
        return Err(shortened(seen.last().unwrap_or("the builder gave no reason")));
    }
    Ok(Built { seconds: took.as_secs_f64(), steps: seen.steps(took) })
}

/// Runs it to its end, with each line of what it prints. Whether it ended well.
async fn follow(command: Command, mut line: impl FnMut(&str)) -> Result<bool, String> {
    // It ends with whoever asked for it, its plugins too; a builder gives up what nobody waits for.
    let mut group = Group::start(command).map_err(|error| format!("the Docker command does not start: {error}"))?;
    let child = group.leader();
    let unpiped = || "the Docker command says nothing".to_owned();
    let mut output = lines(child.stdout.take().ok_or_else(unpiped)?);
    let mut complaints = lines(child.stderr.take().ok_or_else(unpiped)?);
    let (mut more_output, mut more_complaints) = (true, true);
    while more_output || more_complaints {
        let (said, ended) = tokio::select! {
            said = output.next_line(), if more_output => (said, &mut more_output),
            said = complaints.next_line(), if more_complaints => (said, &mut more_complaints),
        };
        match said {
            Ok(Some(said)) => line(&said),
            Ok(None) => *ended = false,
            Err(error) => return Err(format!("what the Docker command says cannot be read: {error}")),
        }
    }
    let status = child.wait().await.map_err(|error| format!("the Docker command's end: {error}"))?;
    Ok(status.success())
}

fn lines(from: impl AsyncRead + Unpin) -> tokio::io::Lines<BufReader<impl AsyncRead + Unpin>> {
    BufReader::new(from).lines()
}

fn text(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("{} has a name that is no text", path.display()))
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_COMPLAINT).collect()
}
