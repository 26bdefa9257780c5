//! Copies made before a container is replaced: of its volumes, each into a new one, and of what it wrote outside of them, as an
//! image. The copies stay; nothing is ever removed but the container that was made for copying.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::carry::{CONTAINER, Work, tagged};
use super::replacing::stop;
use super::{AlterFailed, OldRecord, Record, VolumeCopy};

/// Large layers take long to pack.
const PACKING: Duration = Duration::from_secs(1800);

/// Stops the container and copies each of its volumes.
pub(super) async fn copy(work: &mut Work<'_>) -> Result<(), AlterFailed> {
    let Some(old) = work.record.old.clone() else { return Err(AlterFailed::Lost) };
    let engine = work.site.engine;
    let container = saved(work)?;
    work.site.course.say(&format!("Stopping {}", old.name));
    stop(engine, &old.id).await?;
    let mounts = container["Mounts"].as_array().into_iter().flatten().filter(|mount| mount["Type"] == "volume");
    for (place, mount) in mounts.enumerate() {
        if work.site.course.stopped() {
            return Err(AlterFailed::Stopped);
        }
        let text = |key: &str| mount[key].as_str().unwrap_or_default().to_owned();
        let (volume, target) = (text("Name"), text("Destination"));
        let copy = format!("{}-silidock-{}{}-{}", tagged(&old.name), work.tail(), work.place(), place + 1);
        work.site.course.say(&format!("Copying volume {volume}"));
        let labels = BTreeMap::from([("dev.silidock.copy-of".to_owned(), volume.clone())]);
        work.push_copy(VolumeCopy { volume: volume.clone(), copy: copy.clone(), target, whole: false })?;
        engine.create_volume(&copy, &labels).await?;
        // Two containers that never run: while an engine reads from one, it lets nobody write to it.
        let [from, to] = helpers(work, &old.name);
        let from = helper(work, &old, &from, &format!("{volume}:/copy:ro")).await?;
        let to = helper(work, &old, &to, &format!("{copy}:/copy:nocopy")).await?;
        engine.copy_folder((&from, "/copy"), (&to, "/copy")).await?;
        clear(work).await?;
        if let Some(copied) = work.record.old.as_mut().and_then(|old| old.copies.last_mut()) {
            copied.whole = true;
        }
        work.save()?;
    }
    Ok(())
}

impl Work<'_> {
    fn push_copy(&mut self, copy: VolumeCopy) -> Result<(), AlterFailed> {
        if let Some(old) = &mut self.record.old {
            old.copies.push(copy);
        }
        Ok(self.save()?)
    }
}

fn helpers(work: &Work<'_>, name: &str) -> [String; 2] {
    ["from", "to"].map(|end| format!("{name}-silidock-{}{}-copy-{end}", work.tail(), work.place()))
}

async fn helper(work: &Work<'_>, old: &OldRecord, name: &str, mount: &str) -> Result<String, AlterFailed> {
    let body = json!({
        "Image": old.kept, "Entrypoint": ["/silidock"], "Cmd": [], "NetworkDisabled": true,
        "Labels": { "dev.silidock.receipt": work.receipt.id },
        "HostConfig": { "NetworkMode": "none", "Binds": [mount] }
    });
    Ok(work.site.engine.create_container(name, old.platform.as_deref(), &body).await?.id)
}

fn saved(work: &Work<'_>) -> Result<Value, AlterFailed> {
    let bytes = work.site.journal.private(&work.receipt, &work.private(CONTAINER))?;
    serde_json::from_slice(&bytes).map_err(|_| AlterFailed::Lost)
}

/// Removes what was made for copying, also should it have ended in the middle.
pub(super) async fn clear(work: &Work<'_>) -> Result<(), AlterFailed> {
    let Some(old) = work.record.old.as_ref().filter(|old| !old.copies.is_empty()) else { return Ok(()) };
    for helper in helpers(work, &old.name) {
        work.site.engine.remove_container(&helper, true).await?;
    }
    Ok(())
}

/// A body whose volumes are their copies.
pub(super) fn instead(body: &Value, copies: &[&VolumeCopy]) -> Value {
    let mut body = body.clone();
    let copy_of = |volume: &str| copies.iter().find(|copy| copy.volume == volume).map(|copy| copy.copy.as_str());
    if let Some(Value::Array(binds)) = body.pointer_mut("/HostConfig/Binds") {
        for bind in binds {
            let parts = bind.as_str().and_then(|bind| bind.split_once(':'));
            if let Some((copy, rest)) = parts.and_then(|(volume, rest)| Some((copy_of(volume)?, rest))) {
                *bind = json!(format!("{copy}:{rest}"));
            }
        }
    }
    if let Some(Value::Array(mounts)) = body.pointer_mut("/HostConfig/Mounts") {
        for mount in mounts {
            if let Some(copy) = mount["Source"].as_str().and_then(copy_of).filter(|_| mount["Type"] == "volume") {
                mount["Source"] = json!(copy);
            }
        }
    }
    body
}

/// Keeps what the container wrote outside of volumes, under a name beside that of its image.
pub(super) async fn keep_written(work: &mut Work<'_>) -> Result<(), AlterFailed> {
    let Some(old) = work.record.old.clone() else { return Err(AlterFailed::Lost) };
    work.site.course.say(&format!("Keeping what {} wrote outside of volumes", old.name));
    let (repository, tag) = old.kept.rsplit_once(':').unwrap_or((&old.kept, "latest"));
    let tag = format!("{tag}-written");
    if let Some(old) = &mut work.record.old {
        old.written = Some(format!("{repository}:{tag}"));
    }
    work.save()?;
    let names = (repository, tag.as_str());
    Ok(work.site.engine.keep_files(&old.id, names, old.platform.as_deref(), PACKING).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_mounted_in_place_of_their_volumes() {
        let copy = VolumeCopy { volume: "data".into(), copy: "db-copy".into(), target: "/d".into(), whole: true };
        let body = json!({ "HostConfig": {
            "Binds": ["data:/d:ro", "other:/o", "/data:/h"],
            "Mounts": [{ "Type": "volume", "Source": "data" }, { "Type": "bind", "Source": "data" }]
        } });
        assert_eq!(
            instead(&body, &[&copy]),
            json!({ "HostConfig": {
                "Binds": ["db-copy:/d:ro", "other:/o", "/data:/h"],
                "Mounts": [{ "Type": "volume", "Source": "db-copy" }, { "Type": "bind", "Source": "data" }]
            } })
        );
    }
}
