//! What registries answered, kept by digest in the app's data folder: what a digest leads to never changes. Only
//! platforms and digests are kept.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};
use silidock_diagnosis::{schema::Schema, upstream::UpstreamContent};
use silidock_observe::registry::Answers;

/// Larger files are none of ours.
const LIMIT: u64 = 256 << 10;
/// With more files than this, the older half goes.
const FILES: usize = 4000;

/// The folder; none where there is no place for data, and then nothing is kept.
#[derive(Debug)]
pub(crate) struct DiskAnswers {
    folder: Option<PathBuf>,
    written: AtomicU64,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    schema: Schema,
    content: UpstreamContent,
}

impl DiskAnswers {
    pub(crate) fn below(data: Option<&Path>) -> Self {
        let folder = data.map(|data| data.join("registry"));
        if let Some(folder) = &folder {
            thin_out(folder);
        }
        Self { folder, written: AtomicU64::new(0) }
    }

    /// A digest is checked before it is a file's name.
    fn file(&self, digest: &str) -> Option<PathBuf> {
        let (algorithm, hex) = digest.split_once(':')?;
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
        (plain(algorithm) && plain(hex)).then_some(())?;
        Some(self.folder.as_ref()?.join(format!("{algorithm}-{hex}.json")))
    }
}

impl Answers for DiskAnswers {
    fn known(&self, digest: &str) -> Option<UpstreamContent> {
        let file = self.file(digest)?;
        if std::fs::metadata(&file).ok()?.len() > LIMIT {
            return None;
        }
        // A damaged file knows nothing, and is written again.
        let kept: Kept = serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
        (kept.content.digest == digest).then_some(kept.content)
    }

    fn keep(&self, content: &UpstreamContent) {
        let Some(file) = self.file(&content.digest) else { return };
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let new = file.with_extension(format!("{}-{number}.new", std::process::id()));
        let Ok(json) = serde_json::to_vec(&Kept { schema: Schema, content: content.clone() }) else { return };
        let folder = file.parent().unwrap_or(&file);
        // Whole or not there; that it could not be kept costs one question next time.
        let kept = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&new, json));
        if kept.and_then(|()| std::fs::rename(&new, &file)).is_err() {
            let _ = std::fs::remove_file(&new);
        }
    }
}

fn thin_out(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut files: Vec<(std::time::SystemTime, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
        })
        .collect();
    if files.len() <= FILES {
        return;
    }
    files.sort();
    for (_, file) in files.iter().take(files.len() - FILES / 2) {
        // Another run may have removed it first.
        let _ = std::fs::remove_file(file);
    }
}

#[cfg(test)]
mod tests {
    use silidock_diagnosis::upstream::UpstreamKind;

    use super::*;

    fn content(digest: &str) -> UpstreamContent {
        let platforms = vec!["linux/arm64".parse().unwrap()];
        UpstreamContent { digest: digest.to_owned(), kind: UpstreamKind::Manifest, platforms, gaps: Vec::new() }
    }

    #[test]
    fn answers_are_kept_whole_and_bounded() {
        let data = tempfile::tempdir().unwrap();
        let answers = DiskAnswers::below(Some(data.path()));
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(answers.known(&digest), None);
        answers.keep(&content(&digest));
        assert_eq!(DiskAnswers::below(Some(data.path())).known(&digest), Some(content(&digest)));

        let folder = data.path().join("registry");
        let file = folder.join(format!("sha256-{}.json", "a".repeat(64)));
        for damaged in ["", "{", r#"{"schema":"silidock/2","content":{}}"#, "[]"] {
            std::fs::write(&file, damaged).unwrap();
            assert_eq!(answers.known(&digest), None, "{damaged}");
        }
        std::fs::write(
            folder.join("sha256-bb.json"),
            serde_json::to_vec(&Kept { schema: Schema, content: content("sha256:cc") }).unwrap(),
        )
        .unwrap();
        assert_eq!(answers.known("sha256:bb"), None, "it is about another digest");
        for strange in ["../x", "sha256:../../x", "sha256", ""] {
            answers.keep(&content(strange));
            assert_eq!(answers.known(strange), None, "{strange}");
        }
        answers.keep(&content(&digest));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "nothing half written is left");

        for number in 0..=FILES {
            std::fs::write(folder.join(format!("sha256-{number}.json")), "").unwrap();
        }
        DiskAnswers::below(Some(data.path()));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), FILES / 2);
        DiskAnswers::below(None).keep(&content(&digest));
    }
}
