//! What the installed Compose says of the same files: `docker compose config`, which reads them and starts nothing.
//!
//! It prints whole environments; of its answer only image, platform and build are read. It would fetch files of other
//! machines, so it is not asked about projects that name some.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use silidock_diagnosis::{
    compose::{Comparison, ResolvedService},
    fact::{Fact, Gap},
};
use silidock_host::{Host, Output, ToolRun};

use super::{
    answers::{ComposeAnswers, Seen},
    open::{self, OpenError},
    project::{self, Resolved, Start},
};

/// A project may have many files.
const TIME: Duration = Duration::from_secs(20);
/// Projects with hundreds of services stay far below.
const OUTPUT: usize = 16 << 20;

/// What it said, as far as it is compared.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// It takes the project.
    Takes(Config),
    /// It does not, and why.
    Refuses(String),
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    services: BTreeMap<String, Said>,
}

#[derive(Debug, Clone, Deserialize)]
struct Said {
    image: Option<String>,
    platform: Option<String>,
    build: Option<SaidBuild>,
}

#[derive(Debug, Clone, Deserialize)]
struct SaidBuild {
    #[serde(default)]
    context: String,
    dockerfile: Option<String>,
    target: Option<String>,
    #[serde(default)]
    platforms: Vec<String>,
}

/// Asks, unless everything is as it was `seen` when it was asked before; compares, and marks services of which Compose says
/// something else.
pub(crate) async fn compare(
    host: &dyn Host,
    start: &Start,
    resolved: &mut Resolved,
    (answers, seen): (&ComposeAnswers, Seen),
) -> Fact<Comparison> {
    let what = "what docker compose config says";
    if let Some(remote) = &resolved.remote {
        return Fact::unknown(what, format!("it was not asked: it would fetch {remote}"));
    }
    let Some(docker) = host.find_tool("docker") else {
        return Fact::unknown(what, "the docker program was not found here");
    };
    let words: Vec<String> = [docker.display().to_string()].into_iter().chain(arguments(start, None)).collect();
    let answer = match answers.of(&words, &seen) {
        Some(answer) => answer,
        None => match ask(host, docker, &words[1..], None).await {
            Ok(answer) => {
                answers.keep(words, seen, &answer);
                answer
            }
            Err(why) => return Fact::unknown(what, why),
        },
    };
    compared(answer, resolved)
}

fn compared(answer: Answer, resolved: &mut Resolved) -> Fact<Comparison> {
    match answer {
        Answer::Takes(config) => differences(&config, resolved),
        Answer::Refuses(why) => Fact::Known(Comparison::Refuses { why }),
    }
}

/// Why there is no answer, where there is none.
async fn ask(host: &dyn Host, docker: PathBuf, arguments: &[String], input: Option<&str>) -> Result<Answer, String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = ToolRun::new(docker, &words).timeout(TIME).output_limit(OUTPUT);
    let run = match input {
        Some(text) => run.input(text),
        None => run,
    };
    let output = host.run(&run).await.map_err(|error| error.to_string())?;
    if !output.success() {
        let why = complaint(&output).ok_or("the docker program here has no Compose")?;
        return Ok(Answer::Refuses(why));
    }
    // The answer holds environments, so nothing of it is repeated.
    let config = serde_json::from_slice(&output.stdout).map_err(|_| "its answer could not be read")?;
    Ok(Answer::Takes(config))
}

/// A file with another text than it has on the disk.
#[derive(Debug, Clone, Copy)]
pub struct Instead<'a> {
    /// The file; it need not be there.
    pub path: &'a Path,
    /// What it would say.
    pub text: &'a str,
}

/// What the files of a project say together.
#[derive(Debug, Clone, PartialEq)]
pub struct Together {
    /// Its services; those of which the installed Compose says something else carry a gap.
    pub services: Fact<Vec<ResolvedService>>,
    /// Whether the installed Compose says the same.
    pub compared: Fact<Comparison>,
}

/// Works out what the project of a file says, also with another text in place of one of its files, and asks the installed
/// Compose. An override is read with the file that it is of. Starts, pulls and fetches nothing.
///
/// # Errors
/// There is no such file.
pub async fn compose_together(
    host: &dyn Host,
    file: &Path,
    instead: Option<Instead<'_>>,
) -> Result<Together, OpenError> {
    let mut start = open::start_with(host, file)?;
    if let Some(instead) = instead {
        // It may have been named by a link.
        let same = |file: &PathBuf| file == instead.path || host.real_path(file).is_ok_and(|real| real == instead.path);
        match start.files.iter_mut().find(|file| same(file)) {
            Some(file) => instead.path.clone_into(file),
            None => start.files.push(instead.path.to_owned()),
        }
    }
    let mut resolved = project::resolve_with(host, &start, instead);
    let what = "what docker compose config says";
    let compared = match (&resolved.remote, host.find_tool("docker")) {
        (Some(remote), _) => Fact::unknown(what, format!("it was not asked: it would fetch {remote}")),
        (None, None) => Fact::unknown(what, "the docker program was not found here"),
        (None, Some(docker)) => {
            let arguments = arguments(&start, instead.map(|instead| instead.path));
            match ask(host, docker, &arguments, instead.map(|instead| instead.text)).await {
                Ok(answer) => compared(answer, &mut resolved),
                Err(why) => Fact::unknown(what, why),
            }
        }
    };
    Ok(Together { services: resolved.services, compared })
}

/// What the files of a file's project say together, as it is worked out here. Nobody is asked.
///
/// # Errors
/// There is no such file.
pub fn resolve_compose(host: &dyn Host, file: &Path) -> Result<Fact<Vec<ResolvedService>>, OpenError> {
    Ok(project::resolve(host, &open::start_with(host, file)?).services)
}

/// The files, every profile, as JSON. The text of one file may come by standard input.
fn arguments(start: &Start, by_input: Option<&Path>) -> Vec<String> {
    let mut words = vec!["compose".to_owned()];
    let mut pair = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    for file in &start.files {
        let read = if Some(file.as_path()) == by_input { "-".to_owned() } else { file.display().to_string() };
        pair("-f", read);
    }
    for file in &start.env_files {
        pair("--env-file", file.display().to_string());
    }
    pair("--project-directory", start.folder.display().to_string());
    pair("--profile", "*".to_owned());
    words.extend(["config", "--format", "json"].map(str::to_owned));
    words
}

/// Why Compose does not take a project, in its own words without values; none where it is not Compose that speaks.
fn complaint(output: &Output) -> Option<String> {
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let no_compose =
        |line: &&str| line.contains("unknown command: docker compose") || line.contains("is not a docker command");
    if lines.iter().any(no_compose) || lines.iter().any(|line| line.starts_with("unknown shorthand flag")) {
        return None;
    }
    let last = lines.last().copied().unwrap_or("it does not say why");
    // A value that could not be read stands at the end of such a line, and may be a secret.
    let last = match last.split_once("invalid interpolation format") {
        Some(_) => last.split(": ").next().unwrap_or("invalid interpolation format"),
        None => last,
    };
    Some(last.chars().take(300).collect())
}

fn differences(config: &Config, resolved: &mut Resolved) -> Fact<Comparison> {
    let Fact::Known(services) = &mut resolved.services else {
        let names = config.services.keys().cloned().collect();
        return Fact::Known(Comparison::Differs { services: names });
    };
    let mut differ = Vec::new();
    for service in services.iter_mut() {
        let Some(why) = difference(service, config.services.get(&service.name)) else { continue };
        differ.push(service.name.clone());
        service.gap.get_or_insert_with(|| Gap::new(format!("the platform of service {}", service.name), why));
    }
    let known = |name: &String| services.iter().any(|service| service.name == *name);
    let unseen: Vec<String> = config.services.keys().filter(|name| !known(name)).cloned().collect();
    for name in &unseen {
        let why = format!("docker compose config has a service {name}, and it was not found in the files");
        resolved.gaps.push(Gap::new(format!("where the service {name} comes from"), why));
    }
    differ.extend(unseen);
    match differ.is_empty() {
        true => Fact::Known(Comparison::Agrees),
        false => Fact::Known(Comparison::Differs { services: differ }),
    }
}

/// What Compose says otherwise.
fn difference(service: &ResolvedService, said: Option<&Said>) -> Option<String> {
    let Some(said) = said else {
        return Some("docker compose config does not have this service".to_owned());
    };
    let ours = |set: &Option<silidock_diagnosis::compose::Placed>| set.as_ref().map(|set| set.value.clone());
    // It prints what could be read again, so a $ is doubled.
    let plain = |text: &str| text.replace("$$", "$");
    let filled = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(plain);
    let words = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let mut rows = vec![
        ("platform", ours(&service.platform), filled(&said.platform)),
        ("image", ours(&service.image).filter(|image| !image.is_empty()), filled(&said.image)),
    ];
    match (&service.build, &said.build) {
        (Some(build), Some(said)) => {
            let context = ours(&build.context).filter(|context| !context.is_empty());
            // Compose fills in its defaults, and links it follows are its own.
            if context.is_some() {
                rows.push(("build.context", context, Some(plain(&said.context))));
            }
            if build.dockerfile.is_some() {
                rows.push(("build.dockerfile", ours(&build.dockerfile), filled(&said.dockerfile)));
            }
            rows.push(("build.target", ours(&build.target), filled(&said.target)));
            let listed: Vec<String> = build.platforms.iter().map(|set| set.value.clone()).collect();
            let listed = (!listed.is_empty()).then(|| listed.join(", "));
            rows.push(("build.platforms", listed, Some(said.platforms.join(", ")).filter(|text| !text.is_empty())));
        }
        (None, None) => {}
        (ours, _) => {
            let here = if ours.is_some() { "has" } else { "has not" };
            return Some(format!("the files say that it {here} a build, and docker compose config says otherwise"));
        }
    }
    let (key, ours, said) = rows.into_iter().find(|(_, ours, said)| ours != said)?;
    Some(format!("the files say {key} is {}, and docker compose config says {}", words(&ours), words(&said)))
}
