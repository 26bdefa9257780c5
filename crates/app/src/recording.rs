//! Captures: an inventory written to a file, and read again elsewhere.

use std::path::Path;

use silidock_diagnosis::inventory::Inventory;

use crate::failure::{Failure, FailureCode};

/// Larger captures do not come from this program.
const LIMIT: u64 = 256 << 20;

/// Writes an inventory as JSON.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, inventory: &Inventory) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(inventory)
        .map_err(|error| Failure::new(FailureCode::File, format!("The capture could not be made: {error}.")))?;
    std::fs::write(path, json + "\n")
        .map_err(|error| Failure::new(FailureCode::File, format!("{} could not be written: {error}.", path.display())))
}

/// Reads an inventory that [`write`] wrote.
///
/// # Errors
/// The file cannot be read, or is no capture of a version that this one reads.
pub fn read(path: &Path) -> Result<Inventory, Failure> {
    let failure = |why: String| {
        Failure::new(FailureCode::File, format!("{} cannot be replayed: {why}.", path.display()))
            .hint("Make a capture with silidock scan --capture FILE.")
    };
    let size = std::fs::metadata(path).map_err(|error| failure(error.to_string()))?.len();
    if size > LIMIT {
        return Err(failure(format!("it is larger than {} MiB", LIMIT >> 20)));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failure(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| failure(error.to_string()))
}
