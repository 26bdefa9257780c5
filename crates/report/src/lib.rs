//! Reports: one model, and its faces as JSON, HTML and Markdown. Pure: the same inventory gives the same bytes.
//!
//! Deliberately not here: judging (that is `diagnosis`), reading, writing files.

pub mod scan;

pub use scan::Scan;
