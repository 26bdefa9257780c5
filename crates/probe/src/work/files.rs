//! Files: made, written, brought to the disk, read back and removed.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use silidock_probe::size::FILES;

use super::Load;

const PIECE: usize = 4096;
const PIECES: u64 = 8;

/// A folder of one probe's own, which goes with it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays goes with the container; of a folder of the user's, the caller removes it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn prepare(folder: Option<&str>) -> Result<Box<dyn Load>, String> {
    let above = folder.ok_or("no folder was named")?;
    // Several probes may share one folder, each with the process number 1.
    let name = (0..1000).map(|number| Path::new(above).join(format!("silidock-{number}")));
    let mut failure = String::new();
    for path in name {
        match fs::create_dir(&path) {
            Ok(()) => {
                let folder = Folder(path);
                return Ok(super::fallible(move || {
                    block(&folder.0).map_err(|error| format!("files in {}: {error}", folder.0.display()))
                }));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => failure = error.to_string(),
            Err(error) => return Err(format!("a folder in {above}: {error}")),
        }
    }
    Err(format!("a folder in {above}: {failure}"))
}

fn block(folder: &Path) -> io::Result<u64> {
    let mut sum = 0;
    for number in 0..FILES {
        let path = folder.join(format!("{number}"));
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        for piece in 0..PIECES {
            file.write_all(&[piece as u8 + 1; PIECE])?;
        }
        file.sync_all()?;
        file.seek(SeekFrom::Start(0))?;
        let mut piece = [0; PIECE];
        for _ in 0..PIECES {
            file.read_exact(&mut piece)?;
            sum += u64::from(piece[0]) + u64::from(piece[PIECE - 1]);
        }
        fs::remove_file(path)?;
    }
    Ok(sum)
}
