//! The container of a Compose service made anew by Compose itself, as an argument vector. Compose deletes the old container before
//! the new one has started, so what is needed to make the old one again was saved before.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use silidock_diagnosis::fix::OldContainer;
use silidock_diagnosis::platform::Platform;
use silidock_engine::{DockerClient, Engine, EngineError};
use silidock_host::Output;

use super::carry::{Work, stopped};
use super::plan::Seen;
use super::replacing::{Replacing, id, up};
use super::typed::{as_run, typed};
use super::{AlterFailed, OldRecord, Record, Site};
use crate::preview::Refusal;
use crate::runtime::{Ran, last_line, printed};

const SHORT: Duration = Duration::from_secs(30);
/// Stopping may take as long as the service wants.
const LONG: Duration = Duration::from_secs(600);

pub(super) const PROJECT: &str = "com.docker.compose.project";
pub(super) const SERVICE: &str = "com.docker.compose.service";
const HASH: &str = "com.docker.compose.config-hash";
/// Switches all profiles on; what is made is named, so nothing else is.
const ALL_PROFILES: [&str; 2] = ["--profile", "*"];

/// What Compose is told.
#[derive(Debug, Clone)]
pub(super) struct ServicePlan {
    /// What the Docker command is told.
    pub argv: Vec<String>,
    /// The same as a command of its own, with the variable it is run with.
    pub whole: Vec<String>,
    pub told: Vec<String>,
    /// Identifiers of the service's containers.
    pub containers: Vec<String>,
    client: DockerClient,
}

fn refused(why: String, lines: &[String]) -> Refusal {
    Refusal { why, lines_to_type: lines.to_vec() }
}

/// Works out what Compose is told, and whether it can be.
pub(super) async fn plan(
    site: &Site<'_>,
    of: &OldContainer,
    project: &str,
    service: &str,
    platform: Option<&Platform>,
    seen: Option<&Seen>,
) -> Result<ServicePlan, Refusal> {
    let labels = seen.map(|seen| seen.container["Config"]["Labels"].clone()).unwrap_or_default();
    let label = |key: &str| labels[format!("com.docker.compose.{key}")].as_str().filter(|text| !text.is_empty());
    if label("project") != Some(project) || label("service") != Some(service) {
        return Err(refused(format!("{} is not the container of {service} in {project}", of.name), &[]));
    }
    let folder = label("project.working_dir");
    let all = |key: &str| -> Vec<String> {
        let listed = label(key).into_iter().flat_map(|files| files.split(','));
        listed.map(|file| absolute(folder, file)).collect()
    };
    let (files, extra) = (all("project.config_files"), all("project.environment_file"));
    if files.is_empty() {
        return Err(refused(format!("the containers of {project} do not say which Compose files they come from"), &[]));
    }
    if let Some(gone) = files.iter().chain(&extra).find(|file| !site.host.exists(Path::new(file))) {
        return Err(refused(format!("{gone}, of which {project} was made, is not on this machine"), &[]));
    }
    let mut common = vec!["docker", "compose", "-p", project];
    if let Some(folder) = folder {
        common.extend(["--project-directory", folder]);
    }
    common.extend(files.iter().flat_map(|file| ["-f", file.as_str()]));
    common.extend(extra.iter().flat_map(|file| ["--env-file", file.as_str()]));
    let with = |all: &[&str], rest: &[&str]| -> Vec<String> {
        common.iter().chain(all).chain(rest).map(|word| (*word).to_owned()).collect()
    };
    let up = ["up", "-d", "--no-deps", "--no-build", "--pull", "never", "--force-recreate", service];
    let argv = with(&[], &up);
    let containers =
        containers(site.engine, project, service).await.map_err(|error| refused(error.to_string(), &[]))?;
    if containers.len() > 1 {
        let why = format!(
            "{service} has {0} containers, and all of them would be made anew; if {0} is how many there shall be, type it",
            containers.len()
        );
        let mut all = argv;
        all.insert(all.len() - 1, "--scale".to_owned());
        all.insert(all.len() - 1, format!("{service}={}", containers.len()));
        return Err(refused(why, &[typed(&all, platform)]));
    }
    let unusable = |why: String| refused(why, &[typed(&argv, platform)]);
    let host = site.host.as_ref();
    let client = DockerClient::of(host, site.engine).map_err(|error| unusable(error.to_string()))?;
    client.plugin(host, "compose").await.map_err(|error| unusable(error.to_string()))?;
    let question = ["config", "--hash", service];
    let mut all: &[&str] = &[];
    let mut hash = run(site, &client, &with(all, &question), None, SHORT).await;
    if let Err(ComposeFailed::Ended(..)) = &hash {
        // A service with `profiles:` is not there for Compose unless one is on, nor is what it depends on.
        all = &ALL_PROFILES;
        hash = run(site, &client, &with(all, &question), None, SHORT).await;
    }
    let hash = hash.map_err(|error| unusable(format!("docker compose config {error}")))?;
    let argv = with(all, &up);
    let now = hash.text().split_whitespace().last().map(str::to_owned);
    let mut told = Vec::new();
    if now.as_deref() != label("config-hash") {
        told.push(format!(
            "The Compose files say something else of {service} than when its container was made, or another Compose made it: \
             what they say today counts."
        ));
    }
    Ok(ServicePlan { whole: as_run(&argv, platform), argv, told, containers, client })
}

fn absolute(folder: Option<&str>, file: &str) -> String {
    match folder {
        Some(folder) if !file.starts_with('/') => format!("{folder}/{file}"),
        Some(_) | None => file.to_owned(),
    }
}

/// Has Compose make the container anew, and waits until it is up.
pub(super) async fn recreate(
    work: &mut Work<'_>,
    plan: &ServicePlan,
    platform: Option<&Platform>,
) -> Result<(), AlterFailed> {
    let Some(old) = work.record.old.clone() else { return Err(AlterFailed::Lost) };
    work.record.forward = Some(Replacing::new(&old.name, Some(&old.id), old.running, work.tail()));
    work.save()?;
    work.site.course.say(&format!("Running {}", typed(&plan.argv, platform)));
    let ran = tokio::select! {
        ran = run(&work.site, &plan.client, &plan.argv, platform, LONG) => ran,
        () = stopped(work.site.course) => return Err(AlterFailed::Stopped),
    };
    let output = match &ran {
        Ok(output) | Err(ComposeFailed::Ended(_, output)) => output.clone(),
        Err(ComposeFailed::Run(_)) => Output::default(),
    };
    let printed = printed(&output);
    work.record.ran.push(Ran { argv: plan.whole.clone(), status: output.status, printed });
    work.save()?;
    let command = typed(&plan.argv, platform);
    ran.map_err(|error| AlterFailed::Command { command: command.clone(), how: error.to_string() })?;
    let engine = work.site.engine;
    let made = new_ones(work, &old).await?;
    let [new] = made.as_slice() else {
        let how = format!("made {} containers where one was expected", made.len());
        return Err(AlterFailed::Command { command, how });
    };
    if let Some(forward) = &mut work.record.forward {
        forward.new = Some(new.clone());
    }
    work.save()?;
    if old.running {
        up(engine, new, work.site.course).await?;
    }
    if let Some(forward) = &mut work.record.forward {
        forward.finished = true;
    }
    Ok(work.save()?)
}

/// Removes what Compose made of the service in a change that did not end, but for the container that holds the old one's name.
pub(super) async fn clear(work: &Work<'_>, old: &OldRecord, holder: Option<&str>) -> Result<(), AlterFailed> {
    if old.service.is_empty() || work.record.done {
        return Ok(());
    }
    for new in new_ones(work, old).await?.into_iter().filter(|new| Some(new.as_str()) != holder) {
        work.site.engine.remove_container(&new, true).await?;
    }
    Ok(())
}

async fn new_ones(work: &Work<'_>, old: &OldRecord) -> Result<Vec<String>, AlterFailed> {
    let saved = work.record.steps.iter().find_map(|step| match step {
        silidock_diagnosis::fix::Step::RecreateService { project, service, .. } => Some((project, service)),
        _ => None,
    });
    let Some((project, service)) = saved else { return Ok(Vec::new()) };
    let all = containers(work.site.engine, project, service).await?;
    Ok(all.into_iter().filter(|container| !old.service.contains(container)).collect())
}

/// A container of the same service that was not there before.
pub(super) fn is_new(container: &Value, old: &OldRecord) -> bool {
    [SERVICE, HASH].iter().all(|label| container["Config"]["Labels"].get(label).is_some())
        && !old.service.iter().any(|known| known == id(container))
}

/// The containers of a service, but for those of single commands (`docker compose run`).
async fn containers(engine: &Engine, project: &str, service: &str) -> Result<Vec<String>, EngineError> {
    let all = engine.containers_json().await?;
    let of = |container: &&Value| {
        let labels = &container["Labels"];
        // What Compose has built names project and service, too, and so does a container that is made of it by hand.
        labels.get(HASH).is_some()
            && labels[PROJECT] == project
            && labels[SERVICE] == service
            && labels["com.docker.compose.oneoff"] != "True"
    };
    Ok(all.iter().filter(of).map(|container| id(container).to_owned()).collect())
}

#[derive(Debug, thiserror::Error)]
enum ComposeFailed {
    #[error("did not run: {0}")]
    Run(#[from] silidock_host::RunError),
    #[error("{0}")]
    Ended(String, Output),
}

/// Runs the Docker client for the engine of the change.
async fn run(
    site: &Site<'_>,
    client: &DockerClient,
    argv: &[String],
    platform: Option<&Platform>,
    limit: Duration,
) -> Result<Output, ComposeFailed> {
    let words: Vec<&str> = argv.iter().skip(1).map(String::as_str).collect();
    let mut tool = client.tool(&words).timeout(limit);
    if let Some(platform) = platform {
        // Over what the shell or the project's .env says; a platform: line in the files is over this.
        tool = tool.env("DOCKER_DEFAULT_PLATFORM", &platform.to_string());
    }
    let output = site.host.run(&tool).await?;
    if output.success() {
        return Ok(output);
    }
    let status = output.status.map_or_else(|| "a signal".to_owned(), |status| format!("status {status}"));
    let said = last_line(&printed(&output), None);
    Err(ComposeFailed::Ended(format!("ended with {status}{said}"), output))
}
