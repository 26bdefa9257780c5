//! A change of an engine carried out step by step, each written into the receipt before it is begun.

use jiff::Timestamp;
use serde_json::Value;
use silidock_diagnosis::fix::{Fix, Step};
use silidock_diagnosis::platform::Platform;
use silidock_diagnosis::reference::{KEPT, normalise};
use silidock_engine::{ApiVersion, Origin, Pull};
use silidock_host::credential;

use super::plan::Plan;
use super::replacing::{Replacing, Until, Wanted, id, name, replace, runs};
use super::same::{self, Image};
use super::{AlterFailed, ChangeError, EngineRecord, Left, OldRecord, PulledTag, Record, Site, copies, service};
use crate::apply::Subject;
use crate::preview::Preview;
use crate::receipt::{Change, JournalError, Receipt, State};
use crate::swap::{self, Swap};

/// From here on an address of a network card belongs to a network.
const MAC_OF_ENDPOINT: ApiVersion = ApiVersion::new(1, 44);
/// A helper may ask the person for a password.
const HELPER: std::time::Duration = std::time::Duration::from_secs(60);
/// Under which name a receipt keeps what the engine said.
pub(super) const CONTAINER: &str = "container.json";
pub(super) const IMAGE: &str = "image.json";

/// A change on its way.
pub(super) struct Work<'a> {
    pub site: Site<'a>,
    pub receipt: Receipt,
    pub record: EngineRecord,
    /// Its place among the containers that follow a build; none where the receipt is about this change alone.
    pub after_build: Option<usize>,
}

impl Record for Work<'_> {
    fn save(&mut self) -> Result<(), JournalError> {
        let record = self.record.clone();
        match (self.after_build, &mut self.receipt.build) {
            (Some(place), Some(build)) => match build.containers.get_mut(place) {
                Some(known) => *known = record,
                None => build.containers.push(record),
            },
            (Some(_) | None, _) => self.receipt.engine = Some(Box::new(record)),
        }
        self.site.journal.save(&self.receipt)
    }
}

/// Carries out a change as it was `shown`.
///
/// # Errors
/// See [`ChangeError`]; only after [`ChangeError::HalfDone`] something is not as before.
pub async fn apply(
    site: &Site<'_>,
    fix: &Fix,
    shown: &Preview,
    subject: &Subject,
    now: Timestamp,
) -> Result<Receipt, ChangeError> {
    if let Some(refusal) = &shown.refused {
        return Err(ChangeError::Refused(refusal.clone()));
    }
    let _turn = site.journal.turn()?;
    let plan = Plan::of(site, &fix.steps, &[]).await.map_err(ChangeError::Refused)?;
    plan.as_shown(shown)?;
    let swaps: Vec<Swap> = plan.files.files.iter().map(crate::apply::swap_of).collect();
    let mut work = begin(site, fix, subject, &plan, &swaps, now)?;
    match work.all(&plan, &swaps).await {
        Ok(()) => Ok(work.receipt),
        Err(failed) => Err(work.roll_back(&failed).await),
    }
}

fn begin<'a>(
    site: &Site<'a>,
    fix: &Fix,
    subject: &Subject,
    plan: &Plan,
    swaps: &[Swap],
    now: Timestamp,
) -> Result<Work<'a>, ChangeError> {
    let record = record_of(site, &fix.steps);
    let draft = Receipt {
        changes: plan.files.files.iter().map(|planned| Change::of(&planned.file, &planned.after)).collect(),
        engine: Some(Box::new(record.clone())),
        ..Receipt::of_fix(fix, subject, now)
    };
    let receipt = site.journal.start(draft, swaps)?;
    let mut work = Work { site: site.clone(), receipt, record, after_build: None };
    work.saw(plan)?;
    Ok(work)
}

/// Of a change that has done nothing so far.
pub(super) fn record_of(site: &Site<'_>, steps: &[Step]) -> EngineRecord {
    let target = site.engine.target();
    EngineRecord {
        endpoint: target.endpoint.to_string(),
        context: target.context.clone().filter(|_| target.origin != Origin::DockerHost),
        tls: target.endpoint.tls_folder().map(|folder| folder.display().to_string()),
        steps: steps.to_vec(),
        reached: None,
        done: false,
        files_written: false,
        old: None,
        pulled: Vec::new(),
        forward: None,
        backward: None,
        ran: Vec::new(),
        left: Left::default(),
    }
}

/// A container's name as a part of an image's: those know no capitals, and no two marks in a row.
pub(crate) fn tagged(name: &str) -> String {
    let mut tagged = String::new();
    for letter in name.to_ascii_lowercase().chars() {
        match letter {
            'a'..='z' | '0'..='9' => tagged.push(letter),
            _ if tagged.is_empty() || tagged.ends_with('-') => {}
            _ => tagged.push('-'),
        }
    }
    let tagged = tagged.trim_end_matches('-');
    if tagged.is_empty() { "container".to_owned() } else { tagged.to_owned() }
}

impl Work<'_> {
    /// Saves the container as it is now: what the way back is made from.
    pub(super) fn saw(&mut self, plan: &Plan) -> Result<(), JournalError> {
        let Some(seen) = &plan.seen else { return Ok(()) };
        for (as_name, told) in [(CONTAINER, &seen.container), (IMAGE, &seen.image)] {
            self.site.journal.keep_private(&self.receipt, &self.private(as_name), told.to_string().as_bytes())?;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.record.old = Some(OldRecord {
            id: id(&seen.container).to_owned(),
            name: name(&seen.container).to_owned(),
            image: text(&seen.container["Config"]["Image"]),
            image_id: text(&seen.container["Image"]),
            platform: seen.platform.clone(),
            running: runs(&seen.container),
            kept: format!("{KEPT}/{}:{}{}", tagged(name(&seen.container)), self.receipt.id, self.place()),
            service: seen.service.clone(),
            copies: Vec::new(),
            written: None,
        });
        self.save()
    }

    /// Under which name the receipt keeps what the engine said.
    pub(super) fn private(&self, as_name: &str) -> String {
        self.after_build.map_or_else(|| as_name.to_owned(), |place| format!("{place}-{as_name}"))
    }

    /// Tells containers of one receipt apart in names of things that are kept.
    pub(super) fn place(&self) -> String {
        self.after_build.map(|place| format!("-{place}")).unwrap_or_default()
    }

    pub(super) async fn all(&mut self, plan: &Plan, swaps: &[Swap]) -> Result<(), AlterFailed> {
        if let Some(old) = &self.record.old {
            // First of all, so that a pull that moves its tag does not leave it without a name.
            let (repository, tag) = old.kept.rsplit_once(':').unwrap_or((&old.kept, "latest"));
            self.site.engine.tag_image(&old.image_id, repository, tag).await?;
        }
        for (place, step) in (0_u32..).zip(self.record.steps.clone()) {
            if self.site.course.stopped() {
                return Err(AlterFailed::Stopped);
            }
            self.record.reached = Some(place);
            self.save()?;
            self.carry(&step, plan, swaps).await?;
        }
        self.record.done = true;
        if self.after_build.is_none() {
            self.receipt.state = State::Applied;
        }
        Ok(self.save()?)
    }

    async fn carry(&mut self, step: &Step, plan: &Plan, swaps: &[Swap]) -> Result<(), AlterFailed> {
        match step {
            Step::PullPlatform { reference, platform } => self.pull(reference, platform).await,
            Step::CopyVolumes { .. } => copies::copy(self).await,
            Step::KeepWritten { .. } => copies::keep_written(self).await,
            Step::RecreateContainer { of, platform } => {
                self.recreate(plan, &of.image, platform.as_ref().map(ToString::to_string).as_deref()).await
            }
            Step::RecreateService { platform, .. } => {
                let Some(service) = &plan.service else { return Err(AlterFailed::Lost) };
                service::recreate(self, service, platform.as_ref()).await
            }
            Step::EditYaml { .. }
            | Step::EditLine { .. }
            | Step::InsertLine { .. }
            | Step::AppendLine { .. }
            | Step::ConvertLineEndings { .. } => self.write(swaps),
            Step::Tell { .. } => Ok(()),
            Step::RuntimeCommand { .. } | Step::EditSettings { .. } | Step::BuildImage { .. } => {
                Err(AlterFailed::ByHand { title: step.title() })
            }
        }
    }

    /// All files at once: they were worked out together.
    fn write(&mut self, swaps: &[Swap]) -> Result<(), AlterFailed> {
        if self.record.files_written {
            return Ok(());
        }
        self.record.files_written = true;
        self.save()?;
        swap::swap_all(swaps).map_err(|failed| AlterFailed::File(failed.cause))
    }

    async fn pull(&mut self, reference: &str, platform: &Platform) -> Result<(), AlterFailed> {
        let engine = self.site.engine;
        self.site.course.say(&format!("Pulling {platform} of {reference}"));
        let before = self.means(reference).await?;
        self.record.pulled.push(PulledTag { reference: reference.to_owned(), before, after: None });
        self.save()?;
        let full = normalise(reference).unwrap_or_else(|| reference.to_owned());
        let registry = full.split('/').next().unwrap_or_default();
        // A login that cannot be had is no reason not to try: most images are public.
        let login = credential(self.site.host.as_ref(), registry, HELPER).await.ok().flatten();
        let login = login.map(|login| login.for_engine(registry));
        let (platform, course) = (platform.to_string(), self.site.course);
        let pull = Pull { reference, platform: &platform, login: login.as_deref() };
        let tell = |pulling: silidock_engine::Pulling| course.pulled(pulling.done, pulling.total);
        let pulling = engine.pull_platform(pull, &tell);
        tokio::select! {
            pulled = pulling => pulled?,
            () = stopped(course) => return Err(AlterFailed::Stopped),
        }
        let after = self.means(reference).await?;
        if let Some(pulled) = self.record.pulled.last_mut() {
            pulled.after = after;
        }
        Ok(self.save()?)
    }

    /// The image that a reference means now.
    pub(super) async fn means(&self, reference: &str) -> Result<Option<String>, AlterFailed> {
        match self.site.engine.image_json(reference, None).await {
            Ok(image) => Ok(image["Id"].as_str().map(str::to_owned)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn endpoint_mac(&self) -> bool {
        self.site.engine.api_version() >= MAC_OF_ENDPOINT
    }

    /// The end of the names that this change gives to things of its own.
    pub(super) fn tail(&self) -> &str {
        self.receipt.id.rsplit('-').next().unwrap_or_default()
    }

    async fn recreate(&mut self, plan: &Plan, image: &str, platform: Option<&str>) -> Result<(), AlterFailed> {
        let (Some(seen), Some(old)) = (&plan.seen, &self.record.old) else { return Err(AlterFailed::Lost) };
        let like = same::likeness(&seen.container, &seen.image, Image::Another, image, self.endpoint_mac());
        let start = old.running;
        self.record.forward = Some(Replacing::new(&old.name, Some(&old.id), old.running, self.tail()));
        self.save()?;
        let (engine, course) = (self.site.engine, self.site.course);
        let wanted = Wanted { like: &like, platform, start, until: Until::Up };
        replace(engine, self, |work| work.record.forward.as_mut(), wanted, course).await.map(drop)
    }
}

/// Ends when somebody wants the change stopped.
pub(super) async fn stopped(course: &dyn super::Course) {
    while !course.stopped() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::tagged;

    #[test]
    fn names_of_containers_become_names_of_images() {
        for (name, expected) in [("web", "web"), ("Shop_db.1", "shop-db-1"), ("a__b--c", "a-b-c"), ("__", "container")]
        {
            assert_eq!(tagged(name), expected);
        }
    }
}
