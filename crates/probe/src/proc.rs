//! What `/proc` tells: kernel, auxiliary vector, processor lines and the program behind a process. Whatever cannot be
//! read is absent.

use std::fs::{self, File};
use std::io::Read;

use silidock_probe::{Exe, Own, find};

/// Some values of the auxiliary vector, which kernel or emulator hand to every program.
#[derive(Debug, Clone, Copy, Default)]
pub struct Auxiliary {
    pub page_size: Option<u64>,
    pub hwcap: Option<u64>,
    pub hwcap2: Option<u64>,
}

const PAGE_SIZE: u64 = 6;
const HWCAP: u64 = 16;
const HWCAP2: u64 = 26;

/// The keys of `/proc/cpuinfo` by which a processor can be told.
const TELLING: [&str; 5] = ["vendor_id", "model name", "CPU implementer", "CPU part", "Hardware"];
const LONGEST_LINE: usize = 120;

/// More than any of these files has that matters; `/proc/cpuinfo` repeats itself for each processor.
const LONGEST_TEXT: u64 = 64 * 1024;

pub fn kernel() -> Option<String> {
    text("/proc/sys/kernel/osrelease").map(|release| release.trim().to_owned()).filter(|release| !release.is_empty())
}

pub fn auxiliary() -> Auxiliary {
    let bytes = read("/proc/self/auxv").unwrap_or_default();
    let mut values = Auxiliary::default();
    for pair in bytes.chunks_exact(16) {
        let (Ok(key), Ok(value)) = (pair[..8].try_into(), pair[8..].try_into()) else { continue };
        let value = Some(u64::from_ne_bytes(value));
        match u64::from_ne_bytes(key) {
            PAGE_SIZE => values.page_size = value,
            HWCAP => values.hwcap = value,
            HWCAP2 => values.hwcap2 = value,
            _ => {}
        }
    }
    values
}

pub fn cpuinfo() -> Vec<String> {
    let text = text("/proc/cpuinfo").unwrap_or_default();
    let first = |key: &&str| {
        let value = text.lines().find_map(|line| line.split_once(':').filter(|(name, _)| name.trim() == *key))?.1;
        Some(format!("{key}: {}", value.trim()).chars().take(LONGEST_LINE).collect())
    };
    TELLING.iter().filter_map(first).collect()
}

/// Emulators answer for `/proc/self` themselves; a thread's folder is left to the kernel. The probe's own bytes are
/// not searched: the marks it knows are in it.
pub fn own() -> Own {
    const ASKED_OF_THE_KERNEL: &str = "/proc/thread-self/exe";
    let claimed = link("/proc/self/exe");
    let real = link(ASKED_OF_THE_KERNEL);
    let exe = if real == claimed { real.map(|link| Exe { link, ..Exe::default() }) } else { exe(ASKED_OF_THE_KERNEL) };
    Own { claimed, exe }
}

/// The program behind such a link.
pub fn exe(path: &str) -> Option<Exe> {
    let link = link(path)?;
    let looked = File::open(path).and_then(find).ok();
    let (length, marks) = looked.map_or((None, Vec::new()), |(length, marks)| (Some(length), marks));
    Some(Exe { link, length, marks })
}

fn link(path: &str) -> Option<String> {
    fs::read_link(path).ok().map(|target| target.to_string_lossy().into_owned())
}

fn text(path: &str) -> Option<String> {
    read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn read(path: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LONGEST_TEXT).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
