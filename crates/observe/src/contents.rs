//! What lies in an image or a file system, read from a stream: `docker save` of every engine, OCI layouts as a folder or an
//! archive, a container's export, a tar file. Of each file the head and the first bytes are looked at; nothing is
//! written to disk, and memory has a bound whatever the image. The same records as the look from within an engine
//! (`measure`), which is faster there; nothing is judged here.
//!
//! ```no_run
//! # fn main() -> Result<(), silidock_observe::contents::ContentsError> {
//! use silidock_observe::contents::{Request, read_path};
//! let contents = read_path("image.tar".as_ref(), &Request::default())?;   // blocking; a folder is an OCI layout
//! for found in &contents.files {
//!     let by = contents.layers[found.layer].created_by.as_deref().unwrap_or("?");
//!     eprintln!("{} from {by}: {:?}", found.record.path, found.record.kind());
//! }
//! # Ok(()) }
//! ```
//!
//! From an engine: [`read_image`] and [`read_container`], which are async. Progress and stopping go over
//! [`Request::watch`], what is known of layers over [`Request::cache`].

mod archive;
mod assemble;
mod cache;
mod engine;
mod entries;
mod history;
mod image;
mod layer;
mod merge;
mod pass;
mod sparse;
mod summary;
mod tape;
mod trace;

use std::{collections::BTreeSet, fmt, io, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use silidock_diagnosis::{fact::Gap, platform::Platform};
use silidock_engine::EngineError;
use silidock_executable::{FileRecord, PathText};

pub use archive::{read_path, read_stream};
pub use cache::LayerCache;
pub use engine::{read_container, read_image};
pub use tape::Watch;

/// What is looked for, and what the caller lends.
#[derive(Clone, Default)]
pub struct Request {
    /// Which of several images and platforms.
    pub wanted: Wanted,
    /// Names of files (not paths) that are recorded whatever they are: what the image starts. The image's own entrypoint and
    /// command are added where they are known beforehand.
    pub names: BTreeSet<String>,
    /// Progress, and the way to stop.
    pub watch: Arc<Watch>,
    /// What is known of layers from before.
    pub cache: Option<Arc<dyn LayerCache>>,
}

/// Which image of an archive.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// By name: `web:1`; else the first.
    pub name: Option<String>,
    /// For this platform; else the first that is here.
    pub platform: Option<Platform>,
}

/// What lies in an image or a file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contents {
    /// The image's own words; none for a plain file system.
    pub image: Option<ImageSettings>,
    /// Which image of those in the archive this is; none for a plain file system.
    pub variant: Option<Variant>,
    /// The others in the archive or index, also those whose content is elsewhere.
    pub others: Vec<Variant>,
    /// Lowest first. A plain file system is one layer.
    pub layers: Vec<Layer>,
    /// What is seen from above, by path: files that can be run, loaded or were asked for, and all links. Folders are not
    /// listed.
    pub files: Vec<Found>,
    /// Sums over all layers.
    pub counts: Counts,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// What an image says of itself. Of its environment only `PATH` is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageSettings {
    /// Its label: `linux/arm64`; none where it says nothing sensible.
    pub platform: Option<String>,
    /// What it starts.
    pub entrypoint: Vec<String>,
    /// Arguments for it, or what it starts without one.
    pub command: Vec<String>,
    /// Where programs are looked for: the value of `PATH`.
    pub path: Option<String>,
    /// The folder it starts in.
    pub working_dir: Option<String>,
    /// The user it starts as, as written: `1000:1000`, `node`.
    pub user: Option<String>,
}

/// One of the images in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Variant {
    /// Its name: `docker.io/library/web:1`.
    pub name: Option<String>,
    /// Its platform; none where nothing says it.
    pub platform: Option<String>,
    /// Whether it is here; an index lists platforms that were never pulled.
    pub available: bool,
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    /// The digest of its unpacked content, as the image's configuration says it; none for a plain file system.
    pub digest: Option<String>,
    /// The line that brought it: `COPY ./app /app`. Without values of build arguments.
    pub created_by: Option<String>,
    /// `gzip` or `zstd`; none where it is not compressed.
    pub compression: Option<String>,
    /// What was counted.
    pub counts: Counts,
    /// Why it was not, or not wholly, read.
    pub gap: Option<Gap>,
}

/// A file or link, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// What it is.
    pub record: FileRecord,
    /// Which of [`Contents::layers`] brought it, from 0.
    pub layer: usize,
    /// The first name of a file that has several; what is wrong with it is wrong once.
    pub same_as: Option<PathText>,
}

/// What was counted. A file that a higher layer replaces counts in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Regular files, each name counted.
    pub files: u64,
    /// Folders.
    pub folders: u64,
    /// Symbolic links.
    pub links: u64,
    /// Devices, pipes and sockets.
    pub special: u64,
    /// Marks that something below is gone.
    pub whiteouts: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// Files whose first bytes were looked at.
    pub read: u64,
    /// Entries that could not be read: a name or a header of more than a megabyte.
    pub skipped: u64,
    /// Names that try to leave the root; they are taken as below it.
    pub escaping: u64,
    /// Files that would have been listed, but there were too many.
    pub left_out: u64,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.folders += other.folders;
        self.links += other.links;
        self.special += other.special;
        self.whiteouts += other.whiteouts;
        self.bytes += other.bytes;
        self.read += other.read;
        self.skipped += other.skipped;
        self.escaping += other.escaping;
        self.left_out += other.left_out;
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let platform = self.platform.as_deref().unwrap_or("a platform that is not known");
        match &self.name {
            Some(name) => write!(f, "{name} for {platform}"),
            None => f.write_str(platform),
        }
    }
}

/// Why nothing could be read. Anything less is a gap in the contents.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    /// The file or folder cannot be opened.
    #[error("{} cannot be read: {source}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is neither an image nor a file system.
    #[error("{what} holds no image: {why}")]
    NotAnImage {
        /// What was read.
        what: String,
        /// Why.
        why: String,
    },
    /// A document of the image is no such document.
    #[error("{what} cannot be read: {source}")]
    Document {
        /// Which.
        what: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A document that everything else depends on is not there.
    #[error("{what} is missing")]
    Missing {
        /// Which.
        what: String,
    },
    /// The image or platform that was asked for is not there.
    #[error("{wanted} is not there; there is {there}")]
    NotThere {
        /// What was asked for.
        wanted: String,
        /// What there is.
        there: String,
    },
    /// The engine does not give it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// [`Watch::stop`] was set.
    #[error("stopped")]
    Stopped,
}
