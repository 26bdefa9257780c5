//! Whose objects are whose. An installation is a folder with an identifier; a run is one process's stay in it, marked
//! by a file that stays locked as long as the process lives. So a run that crashed can be told from one that is
//! busy, whatever became of its process number.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// The label that says whose an object is: `INSTALLATION/RUN`.
pub const OWNER_LABEL: &str = "dev.silidock.owner";

/// The label that says until when it may be in use (RFC 3339).
pub const EXPIRES_LABEL: &str = "dev.silidock.expires";

/// Added to an object's own time limit: loading and cleaning up take time, too.
const GRACE: SignedDuration = SignedDuration::from_mins(15);

const IDENTIFIER_FILE: &str = "installation";
const RUNS: &str = "runs";

/// Why the installation's folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be used: {source}", path.display())]
pub struct InstallationError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// This installation and this run of it. Clones are the same run, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Installation {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    id: String,
    run: String,
    // Held for its lock.
    _mark: File,
    serial: AtomicU64,
    busy: watch::Sender<usize>,
}

/// Counts as busy as long as it lives.
#[derive(Debug)]
pub(crate) struct Busy(Installation);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.shared.busy.send_modify(|busy| *busy -= 1);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A file that stays is unlocked all the same, and the next sweep removes it.
        let _ = fs::remove_file(mark(&self.folder, &self.run));
    }
}

impl Installation {
    /// Opens the installation of a folder, which is made if it is not there, and begins a run.
    ///
    /// # Errors
    /// Names the file that cannot be read, written or locked.
    pub fn open(folder: &Path) -> Result<Self, InstallationError> {
        let runs = folder.join(RUNS);
        fs::create_dir_all(&runs).map_err(at(&runs))?;
        let (_lock, id) = identifier(folder)?;
        let run = random().map_err(at(Path::new(RANDOM)))?;
        let path = mark(folder, &run);
        let file = File::create_new(&path).map_err(at(&path))?;
        file.lock().map_err(at(&path))?;
        let shared = Shared {
            folder: folder.to_owned(),
            id,
            run,
            _mark: file,
            serial: AtomicU64::new(0),
            busy: watch::Sender::new(0),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The installation's identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// The run's identifier.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.shared.run
    }

    /// Waits until everything that was begun has cleaned up after itself, and says whether it has. To be called
    /// before the process ends, also after Ctrl-C.
    pub async fn settled(&self, limit: Duration) -> bool {
        let mut busy = self.shared.busy.subscribe();
        tokio::time::timeout(limit, busy.wait_for(|busy| *busy == 0)).await.is_ok_and(|answer| answer.is_ok())
    }

    pub(crate) fn busy(&self) -> Busy {
        self.shared.busy.send_modify(|busy| *busy += 1);
        Busy(self.clone())
    }

    /// A name no other object has.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.shared.run, self.shared.serial.fetch_add(1, Ordering::Relaxed))
    }

    /// The labels of an object that may be in use for so long.
    pub(crate) fn labels(&self, limit: Duration) -> BTreeMap<String, String> {
        let limit = SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
        let expires = Timestamp::now().saturating_add(GRACE.saturating_add(limit)).unwrap_or(Timestamp::MAX);
        let owner = format!("{}/{}", self.shared.id, self.shared.run);
        BTreeMap::from([(OWNER_LABEL.to_owned(), owner), (EXPIRES_LABEL.to_owned(), expires.to_string())])
    }

    /// Whether an object with these labels is this installation's and no longer in use.
    pub(crate) fn abandoned(&self, labels: &BTreeMap<String, String>) -> bool {
        let Some((id, run)) = labels.get(OWNER_LABEL).and_then(|owner| owner.split_once('/')) else {
            return false;
        };
        if id != self.shared.id || !is_identifier(run) {
            return false;
        }
        let expires = labels.get(EXPIRES_LABEL).and_then(|text| text.parse::<Timestamp>().ok());
        expires.is_some_and(|expires| expires < Timestamp::now()) || self.is_gone(run)
    }

    /// Removes the marks of runs that are gone.
    ///
    /// # Errors
    /// Names the file that cannot be read or removed.
    pub(crate) fn forget_gone_runs(&self) -> Result<(), InstallationError> {
        // Held so that no run begins meanwhile: its mark would be there, but not locked yet.
        let (_lock, _) = identifier(&self.shared.folder)?;
        let runs = self.shared.folder.join(RUNS);
        for entry in fs::read_dir(&runs).map_err(at(&runs))? {
            let path = entry.map_err(at(&runs))?.path();
            let run = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if is_identifier(run) && self.is_gone(run) {
                fs::remove_file(&path).or_else(absent).map_err(at(&path))?;
            }
        }
        Ok(())
    }

    /// Whether the process of a run has ended. In doubt it has not.
    fn is_gone(&self, run: &str) -> bool {
        match File::open(mark(&self.shared.folder, run)) {
            Ok(file) => file.try_lock().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

fn mark(folder: &Path, run: &str) -> PathBuf {
    folder.join(RUNS).join(format!("{run}.run"))
}

/// Locks the identifier's file and reads it; the first one to come writes it.
fn identifier(folder: &Path) -> Result<(File, String), InstallationError> {
    let path = folder.join(IDENTIFIER_FILE);
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).open(&path).map_err(at(&path))?;
    file.lock().map_err(at(&path))?;
    let mut text = String::new();
    (&file).take(1024).read_to_string(&mut text).map_err(at(&path))?;
    if !is_identifier(text.trim()) {
        // Empty, or damaged: what an earlier identifier owned is then nobody's any more.
        text = random().map_err(at(Path::new(RANDOM)))?;
        file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).map_err(at(&path))?;
    }
    Ok((file, text.trim().to_owned()))
}

fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> InstallationError {
    let path = path.to_owned();
    |source| InstallationError { path, source }
}

const RANDOM: &str = "/dev/urandom";
const IDENTIFIER_LENGTH: usize = 16;

fn random() -> io::Result<String> {
    let mut bytes = [0; IDENTIFIER_LENGTH / 2];
    File::open(RANDOM)?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Labels come from the engine, and anybody may have written them.
fn is_identifier(text: &str) -> bool {
    text.len() == IDENTIFIER_LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_ours_and_gone_or_expired_is_abandoned() {
        let folder = tempfile::tempdir().unwrap();
        let here = Installation::open(folder.path()).unwrap();
        let neighbour = Installation::open(folder.path()).unwrap();
        assert_eq!(here.id(), neighbour.id());
        let elsewhere = Installation::open(tempfile::tempdir().unwrap().path()).unwrap();
        let gone = {
            let gone = Installation::open(folder.path()).unwrap();
            gone.run().to_owned()
        };
        let (future, past) = ("2999-01-01T00:00:00Z", "2001-01-01T00:00:00Z");
        let table = [
            (here.id(), here.run(), future, false),
            (here.id(), neighbour.run(), future, false),
            (here.id(), neighbour.run(), "soon", false),
            (here.id(), neighbour.run(), past, true),
            (here.id(), &gone, future, true),
            (here.id(), "../../installation", future, false),
            (elsewhere.id(), elsewhere.run(), past, false),
            (elsewhere.id(), &gone, past, false),
            ("", "", past, false),
        ];
        for (id, run, expires, expected) in table {
            let labels = [(OWNER_LABEL, format!("{id}/{run}")), (EXPIRES_LABEL, expires.to_owned())];
            let labels = labels.map(|(key, value)| (key.to_owned(), value)).into();
            assert_eq!(here.abandoned(&labels), expected, "{labels:?}");
        }
        assert!(!here.abandoned(&BTreeMap::new()));
        let labels = here.labels(Duration::from_secs(1));
        assert!(!neighbour.abandoned(&labels), "made now, used now: {labels:?}");
    }

    #[test]
    fn a_crashed_runs_mark_is_removed_and_a_living_ones_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (here, neighbour) =
            (Installation::open(folder.path()).unwrap(), Installation::open(folder.path()).unwrap());
        let crashed = mark(folder.path(), "0123456789abcdef");
        fs::write(&crashed, "").unwrap();
        here.forget_gone_runs().unwrap();
        assert!(!crashed.exists());
        assert!(mark(folder.path(), here.run()).exists() && mark(folder.path(), neighbour.run()).exists());
        let left = neighbour.run().to_owned();
        drop(neighbour);
        assert!(!mark(folder.path(), &left).exists());
    }

    #[test]
    fn a_damaged_identifier_is_replaced_and_an_unusable_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(IDENTIFIER_FILE), "half wri").unwrap();
        let first = Installation::open(folder.path()).unwrap();
        assert!(is_identifier(first.id()));
        assert_eq!(Installation::open(folder.path()).unwrap().id(), first.id());
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Installation::open(&file).unwrap_err();
        assert_eq!(error.path, file.join(RUNS));
    }
}
