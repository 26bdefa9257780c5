//! Pinning Compose services by name: in their file, or in an override file that leaves the team's file alone. Without a
//! finding: somebody says what they want.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use silidock_diagnosis::{
    compose::{Comparison, ComposeService, DeclaredPlatform, Placed, ResolvedService, place},
    fact::Fact,
    fix::{Fix, Safety, Step, YamlEdit},
    platform::{Platform, USUAL, known, nearest},
    text::list,
};
use silidock_host::Host;
use silidock_observe::{
    COMPOSE_FILES, COMPOSE_OVERRIDES, Instead, compose_together, read_compose_file, resolve_compose,
};
use silidock_remedy::{Preview, Refusal, Subject, Verified, apply, files_after, preview};

use crate::{
    changes::{apply_failure, blocking, token},
    failure::{Failure, FailureCode},
    session::{App, Source},
    wire::{ChangeOutcome, PinRequest, PinShown, PinToken, ScanRequest},
};

/// What to pin, or no longer.
#[derive(Debug, Clone)]
pub struct Pin {
    /// The Compose file.
    pub file: PathBuf,
    /// The services; all are changed, or none.
    pub services: Vec<String>,
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
    /// The file cannot be read, or has no such service; or the platform is none that anything is built for.
    pub async fn preview_pin(self: &Arc<Self>, mut pin: Pin) -> Result<PinPreview, Failure> {
        let file = |error: std::io::Error| Failure::new(FailureCode::File, format!("{}: {error}.", pin.file.display()));
        pin.file = std::path::absolute(&pin.file).map_err(file)?;
        if let Some(platform) = &pin.platform {
            refuse_unknown(platform)?;
        }
        let host = self.host().as_ref();
        let services = find_services(host, &pin)?;
        pin.services = services.iter().map(|service| service.name.clone()).collect();
        let written = if pin.in_override { override_of(host, &pin.file) } else { pin.file.clone() };
        let edit = |service: ComposeService| {
            // Merge keys are applied there; only a line of its own can be changed.
            let pinned = service.platform.as_ref().is_some_and(|set| set.line.is_some());
            let service = service.name;
            let edit = match (pin.platform.clone(), pin.in_override) {
                (None, _) => YamlEdit::RemovePlatform { service },
                (Some(platform), true) => YamlEdit::OverridePlatform { service, platform },
                (Some(platform), false) if pinned => YamlEdit::ChangePlatform { service, platform },
                (Some(platform), false) => YamlEdit::SetPlatform { service, platform },
            };
            Step::EditYaml { path: written.display().to_string(), edit }
        };
        let names = list(&pin.services);
        let title = match &pin.platform {
            Some(platform) => format!("Pin {names} to {platform}"),
            None => format!("Unpin {names}"),
        };
        let only = if services.len() == 1 { "Only this value changes" } else { "Only these values change" };
        let fix = Fix {
            option: 1,
            title,
            summary: format!("{only}; every other byte stays. No container is touched."),
            safety: Safety::Review,
            steps: services.into_iter().map(edit).collect(),
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
        if let Some(platform) = pin.platform.as_ref().filter(|p| !matches!(p.os.as_str(), "linux" | "wasi" | "wasip1"))
        {
            preview.told.push(format!(
                "Engines of Linux run nothing that is {platform}: this service would not start on them."
            ));
        }
        if preview.refused.is_none() {
            self.look_ahead(&pin, &fix, &mut preview).await?;
        }
        Ok(PinPreview { pin, fix, preview, written })
    }

    /// The same for the window.
    ///
    /// # Errors
    /// As [`Self::preview_pin`]; or the platform is none, or a recording is shown.
    pub async fn show_pin(self: &Arc<Self>, request: PinRequest) -> Result<PinShown, Failure> {
        if matches!(self.source()?, Source::Recording) {
            return Err(Failure::new(
                FailureCode::Refused,
                "This is a recording: its files belong to another machine.",
            ));
        }
        let platform = request.platform.map(|text| text.parse::<Platform>()).transpose();
        let platform = platform.map_err(|error| Failure::new(FailureCode::Refused, format!("{error}.")))?;
        let (file, services, in_override) = (PathBuf::from(request.file), request.services, request.in_override);
        let shown = self.preview_pin(Pin { file, services, platform, in_override }).await?;
        let token = token(&shown.fix.title, &shown.fix, &shown.preview);
        let (title, summary) = (shown.fix.title.clone(), shown.fix.summary.clone());
        let preview = shown.preview.clone();
        self.session().pins.insert(token.clone(), shown);
        Ok(PinShown { title, summary, preview, token })
    }

    /// Carries out a pin that was shown, and looks at the engine again.
    ///
    /// # Errors
    /// As [`Self::apply_pin`]; or it was not shown.
    pub async fn set_pin(self: &Arc<Self>, request: PinToken) -> Result<ChangeOutcome, Failure> {
        let shown = self.session().pins.remove(&request.token).ok_or_else(|| {
            Failure::new(FailureCode::Changed, "This pin was not shown, or was already set.")
                .hint("Look at the preview again.")
        })?;
        let mut outcome = self.apply_pin(shown).await?;
        if let Err(failure) = self.scan(ScanRequest::default()).await {
            outcome.words = format!("{} Looking at the engine again failed: {failure}", outcome.words);
        }
        Ok(outcome)
    }

    /// Works out what the project would say with the files as they would be, and asks the installed Compose. What it takes
    /// now and would not take then is refused; a file that would win all the same is named.
    async fn look_ahead(&self, pin: &Pin, fix: &Fix, preview: &mut Preview) -> Result<(), Failure> {
        let host = self.host().as_ref();
        let after = {
            let fix = fix.clone();
            blocking(move || files_after(&fix)).await?
        };
        for file in after {
            let instead = Instead { path: &file.path, text: &file.text };
            let Ok(then) = compose_together(host, &pin.file, Some(instead)).await else { continue };
            if let Fact::Known(Comparison::Refuses { why }) = &then.compared {
                let now = compose_together(host, &pin.file, None).await.map(|now| now.compared);
                match now {
                    Ok(Fact::Known(Comparison::Refuses { why: now })) => {
                        preview.told.push(format!("Compose does not take the project as it is, either: {now}"));
                    }
                    Ok(_) | Err(_) => {
                        let why = format!("Compose would not take the project any more: {why}");
                        preview.refused = Some(Refusal::new(why));
                    }
                }
            }
            for winner in winners(pin, &then.services) {
                preview.told.push(winner.words(pin, "stays"));
            }
        }
        Ok(())
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
        let words = self.noted(&receipt.id, verified, words).await?;
        Ok(ChangeOutcome::of(receipt, verified, words, changes))
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
        let wanted = pin.platform.as_ref().map(ToString::to_string);
        let says = |name: &String| {
            let own = services.iter().find(|s| s.name == *name).and_then(|s| s.platform.as_ref());
            own.map(|p| &p.value) == wanted.as_ref()
        };
        if !pin.services.iter().all(says) {
            return (Verified::StillPresent, "Looked again: the file does not say so.".to_owned());
        }
        let words = "Looked again: the file says so";
        let Ok(together) = compose_together(host, &shown.written, None).await else {
            return (Verified::CouldNotTell, format!("{words}, but its project could not be read."));
        };
        if let Fact::Known(Comparison::Refuses { why }) = &together.compared {
            let words = format!("{words}, but docker compose config does not take the project: {why}");
            return (Verified::CouldNotTell, words);
        }
        let winners = winners(pin, &together.services);
        if !winners.is_empty() {
            let all: Vec<String> = winners.iter().map(|winner| winner.words(pin, "is still")).collect();
            return (Verified::StillPresent, format!("{words}, but that changes nothing. {}", all.join(" ")));
        }
        if let Some(why) = untold(pin, &together.services) {
            return (Verified::CouldNotTell, format!("{words}, but what counts in the end is not known: {why}."));
        }
        match together.compared {
            Fact::Known(_) => (Verified::Verified, format!("{words}, and docker compose config takes it.")),
            Fact::Unknown { .. } => (Verified::Verified, format!("{words}.")),
        }
    }
}

/// A service that goes on with another platform, because another place counts more.
struct Winner<'a> {
    service: &'a str,
    /// Where that stands; none where the service has no platform in the end.
    set: Option<&'a Placed>,
}

impl Winner<'_> {
    fn words(&self, pin: &Pin, stays: &str) -> String {
        let name = self.service;
        let Some(set) = self.set else {
            return format!("{name} {stays} without a platform: a later file takes it back.");
        };
        let command = match &pin.platform {
            Some(platform) => format!("silidock pin {} {name} {platform}", set.path),
            None => format!("silidock unpin {} {name}", set.path),
        };
        let there = if set.own { format!("; there it is: {command}") } else { String::new() };
        // Once the pin is out, the file has no say that others could count more than.
        let more = pin.platform.as_ref().map(|_| format!(", and counts more than {}", pin.file.display()));
        format!("{name} {stays} {}: {} says so{}{there}.", set.value, set.place(), more.unwrap_or_default())
    }
}

/// The services of which the project says something else in the end than what was asked for.
fn winners<'a>(pin: &'a Pin, services: &'a Fact<Vec<ResolvedService>>) -> Vec<Winner<'a>> {
    let Fact::Known(services) = services else { return Vec::new() };
    let other = |name: &'a String| {
        let service = services.iter().find(|service| service.name == *name).filter(|service| service.gap.is_none())?;
        let set = service.platform.as_ref();
        let says = set.map(|set| set.value.parse::<Platform>().ok());
        (says != pin.platform.clone().map(Some)).then_some(Winner { service: name, set })
    };
    pin.services.iter().filter_map(other).collect()
}

/// Why it cannot be told what the project says of them in the end.
fn untold(pin: &Pin, services: &Fact<Vec<ResolvedService>>) -> Option<String> {
    let services = match services {
        Fact::Known(services) => services,
        Fact::Unknown { unknown } => return Some(unknown.why.clone()),
    };
    let gap = |name: &String| services.iter().find(|service| service.name == *name)?.gap.as_ref();
    pin.services.iter().find_map(gap).map(|gap| gap.why.clone())
}

/// What the check pin-unknown-platform would say the next moment.
pub(crate) fn refuse_unknown(platform: &Platform) -> Result<(), Failure> {
    let text = platform.to_string();
    if known(&text) {
        return Ok(());
    }
    let near = nearest(&text).map(|near| format!(" The nearest is {near}.")).unwrap_or_default();
    let known: Vec<String> = USUAL.iter().map(|name| format!("linux/{name}")).collect();
    let failure =
        Failure::new(FailureCode::Refused, format!("{text} is no platform that anything is built for.{near}"));
    Err(failure.hint(format!("Known are {}.", known.join(", "))))
}

/// The services that are meant, each once.
fn find_services(host: &dyn Host, pin: &Pin) -> Result<Vec<ComposeService>, Failure> {
    let path = pin.file.display();
    let together = resolve_compose(host, &pin.file).ok().and_then(|all| all.known().cloned()).unwrap_or_default();
    let services = match read_compose_file(host, &pin.file) {
        Fact::Known(services) => services,
        // Of a file that cannot be edited the editor says why, as long as there is something to edit.
        Fact::Unknown { .. } if !together.is_empty() => {
            together.iter().map(|service| as_in_file(service, pin)).collect()
        }
        Fact::Unknown { unknown } => {
            return Err(Failure::new(FailureCode::File, format!("{path} cannot be read: {}.", unknown.why)));
        }
    };
    let has = |services: &[ComposeService]| match services.iter().map(|s| s.name.clone()).collect::<Vec<_>>() {
        names if names.is_empty() => "It has no service at all.".to_owned(),
        names => format!("It has {}.", names.join(", ")),
    };
    if pin.services.iter().all(|name| name.trim().is_empty()) {
        return Err(Failure::new(FailureCode::NotFound, "No service was named.").hint(has(&services)));
    }
    let mut found: Vec<ComposeService> = Vec::with_capacity(pin.services.len());
    for name in &pin.services {
        let whole = together.iter().find(|service| service.name == *name);
        let service = services.iter().find(|s| s.name == *name).cloned().ok_or_else(|| match whole {
            Some(whole) => Failure::new(FailureCode::NotFound, format!("{path} has no service {name} itself."))
                .hint(format!("It comes from {}: name that file.", place(&whole.path, whole.line))),
            None => Failure::new(FailureCode::NotFound, format!("{path} has no service {name}.")).hint(has(&services)),
        })?;
        if pin.platform.is_none()
            && service.platform.is_none()
            && let Some(set) = whole.and_then(|whole| whole.platform.as_ref())
        {
            let why =
                format!("{name} has no platform of its own in {path}. {} sets platform: {}.", set.place(), set.value);
            return Err(Failure::new(FailureCode::Refused, why)
                .hint("Take it out there, where it may serve other services, or pin this one to another platform."));
        }
        if found.iter().all(|known| known.name != service.name) {
            found.push(service);
        }
    }
    Ok(found)
}

/// A service as its file would say it, from what the files say together.
fn as_in_file(service: &ResolvedService, pin: &Pin) -> ComposeService {
    let own = service.platform.as_ref().filter(|set| set.own && Path::new(&set.path) == pin.file);
    ComposeService {
        name: service.name.clone(),
        line: service.line,
        image: service.image.as_ref().map(|image| image.value.clone()),
        builds: service.build.is_some(),
        build: None,
        platform: own.map(|set| DeclaredPlatform { value: set.value.clone(), line: set.line }),
        extends: false,
    }
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
