//! Pure judgement: same inventory, same findings.
//!
//! Deliberately not here: sockets, files, processes, clocks, the window, terminal colours. Facts arrive as an
//! [`inventory::Inventory`]; a missing fact is a named [`fact::Gap`]; what leaves is an [`examination::Examination`].

pub mod advice;
mod anew;
pub mod bench;
pub mod builders;
pub mod check;
pub mod checks;
pub mod compose;
pub mod contents;
pub mod contents_findings;
pub mod crash;
pub mod deploy;
pub mod emulation;
pub mod emulator;
pub mod examination;
pub mod example;
mod example_contents;
pub mod example_emulation;
pub mod execution;
pub mod fact;
pub mod finding;
pub mod fix;
pub mod inventory;
mod names;
pub mod platform;
pub mod prospect;
pub mod reference;
pub mod replacement;
pub mod runtime;
pub mod runtime_fix;
pub mod schema;
pub mod silence;
pub mod statistics;
pub mod stopped;
pub mod text;
pub mod ties;
pub mod upstream;
pub mod verdict;
pub mod voices;
pub mod wayout;
pub mod written;

pub use examination::examine;
