//! Emulators' marks: texts that an emulator's own program file holds. Each is one row.

use std::io::{self, Read};

use memchr::memmem;

use crate::answer::Mark;

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The emulator.
    pub emulator: &'static str,
    /// The text that begins the mark.
    pub begins: &'static str,
    /// What the text must go on with somewhere, or the find is chance; may be empty.
    pub holds: &'static str,
}

/// All rows. QEMU prints its version from one literal; Rosetta makes up a processor's name; the others read settings
/// by these names.
pub const MARKS: [Known; 4] = [
    Known { emulator: "qemu", begins: "qemu-", holds: " version " },
    Known { emulator: "rosetta", begins: "VirtualApple", holds: "" },
    Known { emulator: "fex", begins: "FEX_APP_CONFIG", holds: "" },
    Known { emulator: "box64", begins: "BOX64_LOG", holds: "" },
];

/// No emulator is larger.
const LONGEST_FILE: u64 = 128 * 1024 * 1024;
const PIECE: usize = 256 * 1024;
const LONGEST_TEXT: usize = 120;

/// The first mark of each emulator in a file's bytes, and how many bytes were looked at.
///
/// # Errors
/// The bytes cannot be read.
pub fn find(source: impl Read) -> io::Result<(u64, Vec<Mark>)> {
    let mut source = source.take(LONGEST_FILE);
    let finders = MARKS.map(|known| (known, memmem::Finder::new(known.begins)));
    let mut found: Vec<Mark> = Vec::new();
    let mut window = Vec::with_capacity(PIECE + LONGEST_TEXT);
    let mut seen = 0;
    loop {
        let read = (&mut source).take(PIECE as u64).read_to_end(&mut window)?;
        seen += read as u64;
        for (known, finder) in &finders {
            if found.iter().any(|mark| mark.emulator == known.emulator) {
                continue;
            }
            let text = finder.find_iter(&window).find_map(|at| text(&window[at..], known));
            found.extend(text.map(|text| Mark { emulator: known.emulator.to_owned(), text }));
        }
        if read < PIECE {
            return Ok((seen, found));
        }
        // A mark may lie across the border.
        window.drain(..window.len().saturating_sub(LONGEST_TEXT));
    }
}

/// The text at the beginning of these bytes, if it is the row's.
fn text(bytes: &[u8], known: &Known) -> Option<String> {
    let printable = bytes.iter().take(LONGEST_TEXT).take_while(|byte| matches!(byte, b' '..=b'~'));
    let text: String = printable.map(|byte| char::from(*byte)).collect();
    text.contains(known.holds).then(|| text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_wherever_they_lie() {
        let version = "qemu-x86_64 version 10.1.0 (Debian 1:10.1.0+ds-5)";
        for before in [0, 1, PIECE - 10, PIECE, 2 * PIECE - 1] {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(b"qemu-user is no mark\0qemu-");
            bytes.extend_from_slice(version.strip_prefix("qemu-").unwrap().as_bytes());
            bytes.extend_from_slice(b"\nCopyright\0VirtualApple @ %u.%02uGHz\0");
            let (length, marks) = find(bytes.as_slice()).unwrap();
            let told: Vec<_> = marks.iter().map(|mark| (mark.emulator.as_str(), mark.text.as_str())).collect();
            assert_eq!(told, [("qemu", version), ("rosetta", "VirtualApple @ %u.%02uGHz")], "after {before}");
            assert_eq!(length, bytes.len() as u64);
        }
        assert_eq!(find(&b"an ordinary program"[..]).unwrap().1, []);
    }
}
