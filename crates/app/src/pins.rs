//! Pinning a Compose service by name: in its file, or in an override file that leaves the team's file alone. Without a
//! finding: somebody says what they want.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use silidock_diagnosis::{
    compose::ComposeService,
    fact::Fact,
    fix::{Fix, Safety, Step, YamlEdit},
    platform::Platform,
    schema::Schema,
};
use silidock_host::{Host, ToolRun};
use silidock_observe::{COMPOSE_FILES, COMPOSE_OVERRIDES, read_compose_file};
use silidock_remedy::{Preview, Subject, Verified, apply, preview};

use crate::{
    changes::{apply_failure, blocking},
    failure::{Failure, FailureCode},
    session::App,
    wire::ChangeOutcome,
};

/// Compose may read many files.
const COMPOSE_TIME: Duration = Duration::from_secs(20);

/// What to pin, or no longer.
#[derive(Debug, Clone)]
pub struct Pin {
    /// The Compose file.
    pub file: PathBuf,
    /// The service.
    pub service: String,
    /// To what; none takes the pin out.
    pub platform: Option<Platform>,
    /// Leave the file alone and write beside it.
    pub in_override: bool,
}

/// What pinning would change.
#[derive(Debug, Clone)]
pub struct PinPreview {
    /// What was asked for.
    pub pin: Pin,
    /// The same as a fix.
    pub fix: Fix,
    /// What changes.
    pub preview: Preview,
    /// The file that is written.
    pub written: PathBuf,
}

impl App {
    /// Shows what pinning a service would change. Changes nothing.
    ///
    /// # Errors
    /// The file cannot be read, or has no such service.
    pub async fn preview_pin(self: &Arc<Self>, mut pin: Pin) -> Result<PinPreview, Failure> {
        let file = |error: std::io::Error| Failure::new(FailureCode::File, format!("{}: {error}.", pin.file.display()));
        pin.file = std::path::absolute(&pin.file).map_err(file)?;
        let host = self.host().as_ref();
        let service = find_service(host, &pin)?;
        let written = if pin.in_override { override_of(host, &pin.file) } else { pin.file.clone() };
        let path = written.display().to_string();
        let name = || pin.service.clone();
        let edit = match (&pin.platform, pin.in_override, service.platform.is_some()) {
            (None, ..) => YamlEdit::RemovePlatform { service: name() },
            (Some(platform), true, _) => YamlEdit::OverridePlatform { service: name(), platform: platform.clone() },
            (Some(platform), false, true) => YamlEdit::ChangePlatform { service: name(), platform: platform.clone() },
            (Some(platform), false, false) => YamlEdit::SetPlatform { service: name(), platform: platform.clone() },
        };
        let title = match &pin.platform {
            Some(platform) => format!("Pin {} to {platform}", pin.service),
            None => format!("Unpin {}", pin.service),
        };
        let fix = Fix {
            option: 1,
            title,
            summary: "Only this value changes; every other byte stays. No container is touched.".to_owned(),
            safety: Safety::Review,
            steps: vec![Step::EditYaml { path, edit }],
            promise: None,
            runtime: None,
        };
        let mut preview = {
            let fix = fix.clone();
            blocking(move || preview(&fix)).await?
        };
        if pin.in_override && preview.refused.is_none() && !found_by_compose(&pin.file, &written) {
            preview.told.push(format!(
                "Compose does not find {} by itself here: give it both, with -f {} -f {}.",
                written.display(),
                pin.file.display(),
                written.display()
            ));
        }
        Ok(PinPreview { pin, fix, preview, written })
    }

    /// Carries out what was previewed, and reads the files again.
    ///
    /// # Errors
    /// A file changed since the preview, or it was refused. Then nothing is changed.
    pub async fn apply_pin(self: &Arc<Self>, shown: PinPreview) -> Result<ChangeOutcome, Failure> {
        let journal = self.journal()?;
        let changes = shown.preview.diffs.clone();
        let receipt = {
            let (journal, fix, preview) = (journal.clone(), shown.fix.clone(), shown.preview.clone());
            blocking(move || apply(&fix, &preview, &Subject::default(), &journal, Timestamp::now()))
                .await?
                .map_err(|error| apply_failure(&error))?
        };
        let (verified, words) = self.look_at_pin(&shown).await;
        let noted = {
            let id = receipt.id.clone();
            blocking(move || journal.set_verified(&id, verified)).await?
        };
        let words = match noted {
            Ok(_) => words,
            Err(error) => format!("{words} The receipt could not be completed: {error}."),
        };
        let ran = Vec::new();
        Ok(ChangeOutcome { schema: Schema, receipt: receipt.id, applied: true, verified, words, changes, ran })
    }

    /// The file says so, and Compose, where it is here, still takes it.
    async fn look_at_pin(&self, shown: &PinPreview) -> (Verified, String) {
        let (host, pin) = (self.host().as_ref(), &shown.pin);
        let services = match read_compose_file(host, &shown.written) {
            Fact::Known(services) => services,
            Fact::Unknown { unknown } => {
                return (
                    Verified::CouldNotTell,
                    format!("Looked again, but the file is not readable: {}.", unknown.why),
                );
            }
        };
        let says = services.iter().find(|s| s.name == pin.service).and_then(|s| s.platform.as_ref());
        if says.map(|p| p.value.clone()) != pin.platform.as_ref().map(ToString::to_string) {
            return (Verified::StillPresent, "Looked again: the file does not say so.".to_owned());
        }
        let words = "Looked again: the file says so";
        match compose_takes(host, pin, &shown.written).await {
            None => (Verified::Verified, format!("{words}.")),
            Some(Ok(())) => (Verified::Verified, format!("{words}, and docker compose config takes it.")),
            Some(Err(why)) => {
                (Verified::CouldNotTell, format!("{words}, but docker compose config does not take the project: {why}"))
            }
        }
    }
}

fn find_service(host: &dyn Host, pin: &Pin) -> Result<ComposeService, Failure> {
    let path = pin.file.display();
    let services = match read_compose_file(host, &pin.file) {
        Fact::Known(services) => services,
        Fact::Unknown { unknown } => {
            return Err(Failure::new(FailureCode::File, format!("{path} cannot be read: {}.", unknown.why)));
        }
    };
    let names: Vec<String> = services.iter().map(|s| s.name.clone()).collect();
    services.into_iter().find(|s| s.name == pin.service).ok_or_else(|| {
        Failure::new(FailureCode::NotFound, format!("{path} has no service {}.", pin.service)).hint(match names.len() {
            0 => "It has no service at all.".to_owned(),
            _ => format!("It has {}.", names.join(", ")),
        })
    })
}

/// The override file that Compose reads with this one, or would.
fn override_of(host: &dyn Host, file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let there = COMPOSE_OVERRIDES.iter().map(|name| folder.join(name)).find(|path| host.exists(path));
    match there.filter(|_| COMPOSE_FILES.contains(&name.as_ref())) {
        Some(there) => there,
        None => {
            let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, "yaml"));
            folder.join(format!("{stem}.override.{ending}"))
        }
    }
}

fn found_by_compose(file: &Path, written: &Path) -> bool {
    let is = |path: &Path, known: &[&str]| path.file_name().is_some_and(|name| known.iter().any(|k| *k == name));
    is(file, &COMPOSE_FILES) && is(written, &COMPOSE_OVERRIDES)
}

/// What Compose itself says of the files; none where it is not here.
async fn compose_takes(host: &dyn Host, pin: &Pin, written: &Path) -> Option<Result<(), String>> {
    let docker = host.find_tool("docker")?;
    let run = |arguments: Vec<String>| {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        ToolRun::new(&docker, &words).timeout(COMPOSE_TIME)
    };
    let version = run(vec!["compose".to_owned(), "version".to_owned()]);
    host.run(&version).await.ok().filter(silidock_host::Output::success)?;
    let mut files = vec![pin.file.as_path()];
    if written != pin.file {
        files.push(written);
    }
    let files = files.into_iter().flat_map(|file| ["-f".to_owned(), file.display().to_string()]);
    let rest = ["config", "--quiet"].map(str::to_owned);
    let config = run(["compose".to_owned()].into_iter().chain(files).chain(rest).collect());
    Some(match host.run(&config).await {
        Ok(output) if output.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(said.lines().last().unwrap_or("it does not say why").chars().take(300).collect())
        }
        Err(error) => Err(error.to_string()),
    })
}
