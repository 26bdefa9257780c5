//! What is carried into containers, and how long and how much they may.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

/// The probes this program was built with, by architecture.
const EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/probes.rs"));

/// Probes by architecture in Go's word: `amd64`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Probes {
    programs: BTreeMap<String, Cow<'static, [u8]>>,
}

impl Probes {
    /// Those this program was built with; one that was not there when it was built is missing.
    #[must_use]
    pub fn embedded() -> Self {
        let programs = EMBEDDED.iter().map(|(arch, bytes)| ((*arch).to_owned(), Cow::Borrowed(*bytes)));
        Self { programs: programs.collect() }
    }

    /// The same with another program for an architecture.
    #[must_use]
    pub fn with(mut self, arch: &str, program: Vec<u8>) -> Self {
        self.programs.insert(arch.to_owned(), Cow::Owned(program));
        self
    }

    /// The same without one.
    #[must_use]
    pub fn without(mut self, arch: &str) -> Self {
        self.programs.remove(arch);
        self
    }

    /// The program for an architecture.
    #[must_use]
    pub fn get(&self, arch: &str) -> Option<&[u8]> {
        self.programs.get(arch).map(AsRef::as_ref)
    }

    /// The architectures there are programs for.
    pub fn architectures(&self) -> impl Iterator<Item = &str> {
        self.programs.keys().map(String::as_str)
    }
}

/// The architectures Silidock has probes for when it is built whole.
pub(crate) const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// How a measurement is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What is carried in.
    pub probes: Probes,
    /// How long one container may run: 60 s. An emulated engine needs several.
    pub run: Duration,
    /// The most memory it may use, in bytes: 128 MiB, which is mostly the emulator's.
    pub memory: u64,
    /// The most processes it may have: 32.
    pub processes: u32,
    /// The longest output that is read, in bytes: 256 KiB.
    pub output: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            probes: Probes::embedded(),
            run: Duration::from_secs(60),
            memory: 128 << 20,
            processes: 32,
            output: 256 << 10,
        }
    }
}
