//! Throw-away containers that carry the probe, for whoever asks: start one, read its answer, leave nothing behind.
//! Why somebody asks, and what follows from the answer, is not known here. Nothing is pulled, and no object of anybody
//! else is touched.

mod archive;
mod bench;
mod builds;
mod buildx;
mod error;
mod identify;
mod inside;
mod installation;
mod judge;
mod options;
mod sweep;
mod visit;

pub use bench::{BuildTool, Own, OwnBuild, Plan, Progress, Qemu, Stage, bench};
pub use builds::{Builder, Builds, builds};
pub use error::MeasureError;
pub use identify::{Identification, identify};
pub use inside::{InsideNews, InsideOptions, InsideSummary, InsideTarget, inside_news, look_inside};
pub use installation::{EXPIRES_LABEL, Installation, InstallationError, OWNER_LABEL};
pub use judge::{Effective, Says, Sign, Source, TargetEmulation};
pub use options::{Options, Probes};
pub use silidock_probe::inside::Totals;
pub use silidock_probe::{Answer, Arm, Cpu, X86};
pub use sweep::{Swept, sweep};
