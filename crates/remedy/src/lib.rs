//! Changes files: preview, apply, undo. The only crate that edits what belongs to the user.
//!
//! Why something should change is not known here: a `Fix` arrives as data. Whether it helped is
//! found out by whoever looks again. Nothing here talks to an engine, starts a process or runs a shell.

pub mod compose;
pub mod diff;
pub mod file;
pub mod line;
