//! The way back of a change of an engine: at once when a step fails, and later when somebody undoes it, also after this program or
//! the engine ended in the middle. What is there is looked at first; what is not ours is left alone.

use jiff::Timestamp;
use serde_json::Value;

use super::carry::{CONTAINER, IMAGE, Work};
use super::replacing::{Replacing, Settled, Until, Wanted, found, id, name, replace, runs, settle};
use super::same::{self, Image, Likeness};
use super::{
    AlterFailed, ChangeError, Course, EngineRecord, Left, OldRecord, PulledTag, Record, Site, copies, service,
};
use crate::preview::{Preview, Refusal};
use crate::receipt::{Receipt, State};
use crate::undo::{self, Standing};

impl Work<'_> {
    /// Brings back how it was, as far as it got.
    pub(super) async fn roll_back(mut self, failed: &AlterFailed) -> ChangeError {
        let (receipt, cause, printed) = (self.receipt.id.clone(), failed.sentence(), failed.printed());
        self.site.course.say("Taking back what was done");
        let (mut done, mut stuck) = (Vec::new(), Vec::new());
        match self.bring_back().await {
            Ok(words) => done.extend(words),
            Err(error) => stuck.push(error.to_string()),
        }
        if stuck.is_empty() {
            self.receipt.state = State::TakenBack;
            // Nothing needs them any more, and what was saved holds secrets.
            self.let_go().await;
            if let Err(error) = self.site.journal.forget_private(&self.receipt) {
                stuck.push(error.to_string());
            }
        }
        if let Err(error) = self.save() {
            stuck.push(error.to_string());
        }
        if done.is_empty() {
            done.push("nothing was changed".to_owned());
        }
        match stuck.is_empty() {
            true => ChangeError::TakenBack { receipt, cause, back: done, left: Box::new(self.record.left), printed },
            false => ChangeError::HalfDone { receipt, cause, stuck, printed },
        }
    }

    /// The container, the tags and the files as they were. What was done, in words.
    pub(super) async fn bring_back(&mut self) -> Result<Vec<String>, AlterFailed> {
        let mut done = Vec::new();
        copies::clear(self).await?;
        if self.record.files_written && undo::put_back(self.site.journal, &self.receipt).map_err(of_files)? {
            done.push("files are as they were".to_owned());
        }
        // Before the container, which may be made again under the tag.
        for pulled in self.record.pulled.clone().iter().rev() {
            if self.tag_back(pulled).await? {
                done.push(format!("{} means what it meant", pulled.reference));
            }
        }
        if let Some(old) = self.record.old.clone() {
            done.extend(self.container_back(&old).await?);
        }
        Ok(done)
    }

    /// A tag that the pull moved means again what it meant; one that somebody else moved since is left alone.
    async fn tag_back(&self, pulled: &PulledTag) -> Result<bool, AlterFailed> {
        let now = self.means(&pulled.reference).await?;
        let ours = pulled.after.is_none() || now == pulled.after;
        let Some(before) = pulled.before.as_ref().filter(|before| ours && now.as_ref() != Some(before)) else {
            return Ok(false);
        };
        let kept = self.record.old.as_ref().filter(|old| old.image_id == *before).map(|old| &old.kept);
        let Some((repository, tag)) = pulled.reference.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) else {
            return Ok(false);
        };
        self.site.engine.tag_image(kept.unwrap_or(before), repository, tag).await?;
        Ok(true)
    }

    async fn container_back(&mut self, old: &OldRecord) -> Result<Vec<String>, AlterFailed> {
        let engine = self.site.engine;
        if let Some(backward) = &self.record.backward {
            // An undo that ended in the middle.
            if settle(engine, backward).await? == Settled::NewStays {
                return Ok(vec![format!("{} is as it was", old.name)]);
            }
            self.record.backward = None;
            self.save()?;
        }
        if found(engine, &old.id).await?.is_some() {
            service::clear(self, old, None).await?;
            let forward = self.record.forward.clone();
            let forward = forward.unwrap_or_else(|| Replacing::new(&old.name, Some(&old.id), old.running, self.tail()));
            if settle(engine, &Replacing { finished: false, ..forward }).await? == Settled::OldIsBack {
                return Ok(vec![format!("{} is the container it was", old.name)]);
            }
        }
        self.made_again(old).await
    }

    /// The old container does not exist any more: one like it is made of what was saved.
    async fn made_again(&mut self, old: &OldRecord) -> Result<Vec<String>, AlterFailed> {
        let holder = self.holder(old).await?;
        service::clear(self, old, holder.as_ref().map(id)).await?;
        let (like, until) = self.saved(old).await?;
        let failed = match self.put_again(old, &like, until).await {
            Ok(()) => return Ok(vec![format!("{} was made again as it was", old.name)]),
            Err(failed) => failed,
        };
        let refuses = matches!(failed, AlterFailed::Ended { .. } | AlterFailed::Unhealthy { .. });
        let copies: Vec<_> = old.copies.iter().filter(|copy| copy.whole).collect();
        if !refuses || copies.is_empty() {
            return Err(failed);
        }
        let like = Likeness { body: copies::instead(&like.body, &copies), ..like };
        self.put_again(old, &like, until).await?;
        Ok(vec![format!(
            "{} was made again as it was, with the copies of its volumes: it did not come up with what the new one left \
             there ({failed}), and that stays, too",
            old.name
        )])
    }

    async fn put_again(&mut self, old: &OldRecord, like: &Likeness, until: Until) -> Result<(), AlterFailed> {
        let engine = self.site.engine;
        let holder = self.holder(old).await?;
        let holds = holder.as_ref().map(id);
        let running = holder.as_ref().is_some_and(runs);
        self.record.backward = Some(Replacing::new(&old.name, holds, running, &format!("{}-back", self.tail())));
        self.save()?;
        // Whoever stopped the change wants the way back to be gone to its end.
        let course = Onward(self.site.course);
        let wanted = Wanted { like, platform: old.platform.as_deref(), start: old.running, until };
        let put = replace(engine, self, |work| work.record.backward.as_mut(), wanted, &course).await;
        let Err(failed) = put else { return Ok(()) };
        if let Some(backward) = &self.record.backward {
            settle(engine, backward).await?;
            if backward.old.is_none()
                && let Some(new) = &backward.new
            {
                engine.remove_container(new, true).await?;
            }
        }
        self.record.backward = None;
        self.save()?;
        Err(failed)
    }

    /// Whoever has the name now, if that is a container of this change.
    async fn holder(&self, old: &OldRecord) -> Result<Option<Value>, AlterFailed> {
        let Some(holder) = found(self.site.engine, &old.name).await? else { return Ok(None) };
        match self.made(&holder, old) {
            true => Ok(Some(holder)),
            false => Err(AlterFailed::Gone(format!("{} is another container by now", old.name))),
        }
    }

    fn made(&self, container: &Value, old: &OldRecord) -> bool {
        let by_this = self.record.forward.as_ref().and_then(|forward| forward.new.as_deref()) == Some(id(container));
        by_this || (!self.record.done && !old.service.is_empty() && service::is_new(container, old))
    }

    /// What the old container is made from again, and what it came to then.
    async fn saved(&self, old: &OldRecord) -> Result<(Likeness, Until), AlterFailed> {
        let read = |as_name: &str| -> Result<Value, AlterFailed> {
            let bytes = self.site.journal.private(&self.receipt, &self.private(as_name))?;
            serde_json::from_slice(&bytes)
                .map_err(|_| AlterFailed::Gone(format!("what was saved of {} is damaged", old.name)))
        };
        let reference = self.image_of(old).await?;
        let (container, image) = (read(CONTAINER)?, read(IMAGE)?);
        let like = same::likeness(&container, &image, Image::Same, &reference, self.endpoint_mac());
        Ok((like, Until::as_it_was(&container)))
    }

    /// Removes the names that nothing needs any more, and writes down what stays: a volume is never removed, and neither is the
    /// last name of an image that a container uses, which the engine refuses.
    pub(super) async fn let_go(&mut self) {
        let Some(old) = self.record.old.clone() else { return };
        let now = found(self.site.engine, &old.name).await.ok().flatten();
        let itself = now.as_ref().is_some_and(|now| id(now) == old.id);
        let by_kept = now.as_ref().is_none_or(|now| now["Config"]["Image"] == old.kept.as_str());
        let mut left = Left::default();
        // What it wrote is in the container itself, where that is back.
        for (image, needed) in [(Some(&old.kept), by_kept), (old.written.as_ref(), !itself)] {
            let Some(image) = image else { continue };
            if !needed {
                // Whether it went is asked below.
                let _ = self.site.engine.remove_image(image).await;
            }
            if !matches!(self.means(image).await, Ok(None)) {
                left.images.push(image.clone());
            }
        }
        for copy in &old.copies {
            if !matches!(self.site.engine.has_volume(&copy.copy).await, Ok(false)) {
                left.volumes.push(copy.copy.clone());
            }
        }
        self.record.left = left;
    }

    /// The name under which the old image is there: its own, else the one it is kept under.
    async fn image_of(&self, old: &OldRecord) -> Result<String, AlterFailed> {
        for reference in [&old.image, &old.kept, &old.image_id] {
            if self.means(reference).await?.as_ref() == Some(&old.image_id) {
                return Ok(reference.clone());
            }
        }
        Err(AlterFailed::Gone(format!(
            "the image that {} ran ({}) is not on the engine any more",
            old.name,
            silidock_diagnosis::reference::short_id(&old.image_id)
        )))
    }
}

/// Hears how far it is, and does not stop.
struct Onward<'a>(&'a dyn Course);

impl Course for Onward<'_> {
    fn say(&self, words: &str) {
        self.0.say(words);
    }

    fn pulled(&self, done: u64, total: u64) {
        self.0.pulled(done, total);
    }

    fn stopped(&self) -> bool {
        false
    }
}

fn of_files(error: undo::UndoError) -> AlterFailed {
    match error {
        undo::UndoError::File(refused) => AlterFailed::File(refused),
        undo::UndoError::Journal(error) => AlterFailed::Journal(error),
        other => AlterFailed::Gone(other.to_string()),
    }
}

/// What undoing would do. What stands in the way is in `refused`.
///
/// # Errors
/// Receipts that are unknown, damaged, or of which nothing lasts; an engine that does not answer.
pub async fn undo_preview(site: &Site<'_>, receipt: &str) -> Result<Preview, ChangeError> {
    let work = open(site, receipt)?;
    let mut preview = Preview::default();
    work.show_back(&mut preview).await?;
    Ok(preview)
}

impl Work<'_> {
    /// Adds what bringing everything back would do.
    pub(super) async fn show_back(&self, preview: &mut Preview) -> Result<(), ChangeError> {
        if let Err(error) = self.as_it_was_left().await {
            preview.refused = Some(Refusal::new(error.to_string()));
            return Ok(());
        }
        if self.record.files_written {
            preview.diffs = undo::diffs(self.site.journal, &self.receipt).unwrap_or_default();
        }
        if let Some(old) = &self.record.old {
            let there = found(self.site.engine, &old.id).await.map_err(ChangeError::Engine)?.is_some();
            preview.restarts.push(old.name.clone());
            preview.told.push(match there {
                true if self.record.forward.is_none() => {
                    format!("{} is still the container it was, and is started if it ran.", old.name)
                }
                true => format!("{} becomes the container it was; the new one is removed.", old.name),
                false => format!(
                    "{} is made again as it was, for {}, and takes the place of the new one. Volumes stay.",
                    old.name,
                    old.platform.as_deref().unwrap_or("its platform")
                ),
            });
            if old.copies.iter().any(|copy| copy.whole) {
                preview.told.push(
                "If it does not come up with its volumes as they are now, it gets the copies that were made before the change."
                    .to_owned(),
            );
            }
        }
        for pulled in &self.record.pulled {
            preview.told.push(match pulled.before == pulled.after {
                _ if pulled.after.is_none() => {
                    format!("The pull of {} did not end; it means what it meant.", pulled.reference)
                }
                true => format!("What was pulled of {} stays; nothing uses it.", pulled.reference),
                false => {
                    format!("{} means again what it meant; what was pulled stays without a name.", pulled.reference)
                }
            });
        }
        Ok(())
    }
}

/// Takes a change back. `now` becomes the time of the undo.
///
/// # Errors
/// See [`ChangeError`].
pub async fn undo(site: &Site<'_>, receipt: &str, now: Timestamp) -> Result<Receipt, ChangeError> {
    // Asked first without taking a turn: an unknown receipt must not make folders.
    site.journal.load(receipt)?;
    let _turn = site.journal.turn()?;
    let mut work = open(site, receipt)?;
    work.as_it_was_left().await?;
    let failed = |cause: AlterFailed| match cause {
        AlterFailed::Gone(cause) => ChangeError::ChangedSince { receipt: receipt.to_owned(), cause },
        other => ChangeError::UndoFailed { receipt: receipt.to_owned(), cause: other.to_string(), stuck: Vec::new() },
    };
    work.bring_back().await.map_err(failed)?;
    work.let_go().await;
    work.receipt.state = State::Undone;
    work.receipt.undone_at = Some(now);
    work.save()?;
    site.journal.forget_private(&work.receipt)?;
    Ok(work.receipt)
}

fn open<'a>(site: &Site<'a>, id: &str) -> Result<Work<'a>, ChangeError> {
    let receipt = site.journal.load(id)?;
    let nothing = |why: String| ChangeError::NothingToTakeBack { receipt: id.to_owned(), why };
    let Some(record) = receipt.engine.as_deref().cloned() else {
        return Err(nothing("it changed no engine".to_owned()));
    };
    match receipt.state {
        State::Undone => {
            let at = receipt.undone_at.map_or_else(|| "at an unknown time".to_owned(), |t| t.to_string());
            Err(nothing(format!("it was already undone ({at})")))
        }
        State::TakenBack => Err(nothing("it failed and was taken back at once".to_owned())),
        State::Applied | State::Started => Ok(Work { site: site.clone(), receipt, record, after_build: None }),
    }
}

impl Work<'_> {
    /// An undo must find what the change left: its own container, the old image, its files.
    pub(super) async fn as_it_was_left(&self) -> Result<(), ChangeError> {
        let since = |cause: String| ChangeError::ChangedSince { receipt: self.receipt.id.clone(), cause };
        let Some(old) = &self.record.old else { return Ok(()) };
        let engine = self.site.engine;
        let there = found(engine, &old.id).await.map_err(ChangeError::Engine)?;
        if there.as_ref().is_none_or(|there| name(there) != old.name) {
            let holder = found(engine, &old.name).await.map_err(ChangeError::Engine)?;
            let back = self.record.backward.as_ref().and_then(|backward| backward.new.as_deref());
            if let Some(holder) = holder
                && !self.made(&holder, old)
                && back != Some(id(&holder))
            {
                return Err(since(format!("{} is another container by now than the one this change made", old.name)));
            }
        }
        if there.is_none() {
            self.image_of(old).await.map_err(|error| match error {
                AlterFailed::Engine(error) => ChangeError::Engine(error),
                other => since(other.to_string()),
            })?;
        }
        let standings = undo::standings(&self.receipt);
        match standings.iter().find(|file| self.record.files_written && file.standing == Standing::Different) {
            Some(file) => Err(since(format!("{} was changed by something else", file.path))),
            None => Ok(()),
        }
    }
}

/// How an interrupted change stands, in words, as far as the record alone tells.
pub(crate) fn stands(record: &EngineRecord) -> String {
    let step = record.reached.and_then(|place| record.steps.get(place as usize));
    match step {
        Some(step) => format!("it had begun with \"{}\"", step.title()),
        None => "nothing had begun".to_owned(),
    }
}
