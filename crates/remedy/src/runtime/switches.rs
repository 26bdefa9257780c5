//! The settings files of a change: what they would say, and what brings them back. Reads, and writes through `file`.

use std::path::Path;

use silidock_diagnosis::fix::SettingValue;

use super::{StepFailed, Switch};
use crate::file::{self, UserFile};
use crate::json;
use crate::receipt::Change;
use crate::swap::Version;

/// A file that a step writes, with what it says before and after.
#[derive(Debug)]
pub(super) struct Edit {
    pub file: UserFile,
    pub after: Version,
}

fn refused(file: &UserFile) -> impl Fn(json::JsonRefused) -> StepFailed + '_ {
    |source| StepFailed::Json { path: file.real.display().to_string(), source }
}

pub(super) fn version(file: &UserFile, text: &str) -> Version {
    Version { there: true, bytes: text.as_bytes().to_vec(), mode: file.mode, uid: file.uid, gid: file.gid }
}

/// What a file would say with these values, on top of `text` where earlier steps have edited it.
pub(super) fn with(file: &UserFile, text: &str, values: &[SettingValue]) -> Result<String, StepFailed> {
    let set = |text: String, v: &SettingValue| json::set_switch(&text, &v.key, Some(v.value));
    values.iter().try_fold(text.to_owned(), set).map_err(refused(file))
}

/// What the switches of these values are now.
pub(super) fn read(file: &UserFile, values: &[SettingValue]) -> Result<Vec<Switch>, StepFailed> {
    let one = |v: &SettingValue| {
        let before = json::switch(&file.text, &v.key).map_err(refused(file))?;
        Ok(Switch { path: file.real.display().to_string(), key: v.key.clone(), before, after: v.value, written: false })
    };
    values.iter().map(one).collect()
}

/// What brings a file back: its bytes from before if nobody wrote since, else the switches alone. None where it is as
/// before already.
pub(super) fn back(change: &Change, backup: &Version, switches: &[Switch]) -> Result<Option<Edit>, StepFailed> {
    let file = file::read(Path::new(&change.path))?;
    let path = || change.path.clone();
    if file.real != Path::new(&change.path) {
        return Err(StepFailed::SwitchChanged { path: path(), key: "the file itself".to_owned() });
    }
    let mut mine = switches.iter().filter(|switch| switch.path == change.path && switch.written).peekable();
    if file.hash == change.before_hash || mine.peek().is_none() {
        return Ok(None);
    }
    if file.hash == change.after_hash {
        return Ok(Some(Edit { after: backup.clone(), file }));
    }
    let mut text = file.text.clone();
    for switch in mine {
        let now = json::switch(&text, &switch.key).map_err(refused(&file))?;
        if now == switch.before {
            continue;
        }
        if now != Some(switch.after) {
            return Err(StepFailed::SwitchChanged { path: path(), key: switch.key.clone() });
        }
        text = json::set_switch(&text, &switch.key, switch.before).map_err(refused(&file))?;
    }
    let changed = text != file.text;
    Ok(changed.then(|| Edit { after: version(&file, &text), file }))
}

/// Writes it, if the file is still the one that was read.
pub(super) fn write(edit: &Edit) -> Result<(), StepFailed> {
    let after = &edit.after;
    let content = file::Content { bytes: &after.bytes, mode: after.mode, uid: after.uid, gid: after.gid };
    Ok(file::replace(&edit.file.real, &edit.file.hash, content)?)
}
