//! Changes files, runtimes, and containers and images of an engine: preview, apply, undo. The only crate that changes what
//! belongs to the user.
//!
//! Why something should change is not known here: a [`silidock_diagnosis::fix::Fix`] arrives as data. Whether it helped is
//! found out by whoever looks again. Tools are run by their argument vectors, never through a shell.

pub mod apply;
pub mod build;
pub mod compose;
pub mod diff;
pub mod file;
pub mod json;
pub mod line;
mod plan;
pub mod preview;
pub mod receipt;
pub mod recreate;
pub mod runtime;
pub mod script;
mod steps;
mod swap;
pub mod undo;

pub use apply::{ApplyError, Subject, apply};
pub use preview::{FileAfter, Preview, Refusal, SeenFile, files_after, preview};
pub use receipt::{Change, Journal, JournalError, Listed, Receipt, State, Verified};
pub use undo::{Interrupted, UndoError, interrupted, undo, undo_preview};
