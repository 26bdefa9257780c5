//! The workloads that can be measured: ids, words and units. How each works is the probe's part.

use super::{Unit, Workload, WorkloadKind};

/// A workload as it is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    /// Stable id.
    pub id: &'static str,
    /// What a person reads.
    pub title: &'static str,
    /// What it does.
    pub what: &'static str,
    /// What it is mostly about.
    pub kind: WorkloadKind,
    /// What its samples are in.
    pub unit: Unit,
    /// Starts programs, which lanes whose children run otherwise cannot measure.
    pub starts: bool,
    /// Part of the quick run.
    pub quick: bool,
}

const fn offered(id: &'static str, title: &'static str, what: &'static str, kind: WorkloadKind, unit: Unit) -> Offered {
    Offered { id, title, what, kind, unit, starts: false, quick: true }
}

impl Offered {
    const fn starts(mut self) -> Self {
        self.starts = true;
        self
    }
    const fn slow(mut self) -> Self {
        self.quick = false;
        self
    }
    /// As it stands in a run.
    pub fn workload(&self) -> Workload {
        Workload {
            id: self.id.to_owned(),
            title: self.title.to_owned(),
            what: self.what.to_owned(),
            kind: self.kind,
            unit: self.unit,
            counts: self.counts(),
        }
    }
    /// Counts in the geometric mean: what an emulator translates. Disks and networks would water it down.
    pub fn counts(&self) -> bool {
        matches!(self.kind, WorkloadKind::Processor | WorkloadKind::Memory | WorkloadKind::Kernel)
    }
}

use Unit::{
    BlocksPerSecond as Blocks, MegabytesPerSecond as Megabytes, Nanoseconds, OperationsPerSecond as Operations,
};
use WorkloadKind::{Files, Harness, Kernel, Memory, Network, Processor};

/// The probe's workloads, in the order shown.
pub const WORKLOADS: &[Offered] = &[
    offered("integer", "Whole numbers", "Additions, multiplications, divisions and shifts.", Processor, Blocks),
    offered("hash", "Hashing", "SHA-256 by plain instructions.", Processor, Megabytes),
    offered(
        "hash-hardware",
        "Hashing by the processor",
        "SHA-256 by the processor's own instructions for it, where the lane has them.",
        Processor,
        Megabytes,
    ),
    offered("float", "Floating point", "Sums and products of 64-bit floating point numbers.", Processor, Blocks),
    offered("simd", "SIMD", "Several numbers per instruction, 128 bits at a time.", Processor, Blocks),
    offered(
        "interpreter",
        "Interpreter",
        "A small interpreter at work: branches that are hard to foresee.",
        Processor,
        Blocks,
    ),
    offered(
        "dynamic-code",
        "Code made while running",
        "Writes machine code, flushes and runs it, as the JIT compilers of Java, Node and PHP do.",
        Processor,
        Operations,
    ),
    offered(
        "memory-latency",
        "Memory latency",
        "One read after the other, each at a place the last one tells.",
        Memory,
        Nanoseconds,
    ),
    offered("memory-bandwidth", "Memory bandwidth", "Copies blocks larger than the caches.", Memory, Megabytes),
    offered(
        "atomics",
        "Atomics",
        "Two threads count in the same place, with the memory order of the architecture.",
        Memory,
        Operations,
    ),
    offered("locks", "Locks", "Two threads take turns with a lock.", Memory, Operations),
    offered("system-calls", "System calls", "The cheapest calls of the kernel.", Kernel, Operations),
    offered("spawn", "Starting programs", "Starts a tiny program and waits for its end.", Kernel, Operations).starts(),
    offered(
        "files",
        "Files of the container",
        "Creates, writes, syncs and reads small files on the container's own writable layer.",
        Files,
        Operations,
    )
    .slow(),
    offered("files-volume", "Files on a volume", "The same on a volume of the engine.", Files, Operations).slow(),
    offered("files-bind", "Files on a bind mount", "The same on a folder of this machine.", Files, Operations).slow(),
    offered(
        "tcp-loopback",
        "TCP on the loopback",
        "Questions and answers over a connection within the container.",
        Network,
        Operations,
    ),
    offered("tcp-between", "TCP between containers", "The same between two containers.", Network, Operations).slow(),
    offered("empty", "Nothing", "A block without work: what measuring itself costs.", Harness, Operations),
];

/// The id of an image and a command of the user's.
pub const OWN: &str = "own";
/// The id of a Dockerfile of the user's.
pub const BUILD: &str = "build";

/// The offered workload of this id.
pub fn offered_by_id(id: &str) -> Option<&'static Offered> {
    WORKLOADS.iter().find(|offered| offered.id == id)
}

/// The user's own command, as a workload.
pub fn own(image: &str) -> Workload {
    Workload {
        id: OWN.to_owned(),
        title: format!("Your command in {image}"),
        what: "From the program's start to its end; what the container took to start is told apart.".to_owned(),
        kind: WorkloadKind::Own,
        unit: Unit::Seconds,
        counts: false,
    }
}

/// The user's own Dockerfile, as a workload.
pub fn build(folder: &str) -> Workload {
    Workload {
        id: BUILD.to_owned(),
        title: format!("Your build of {folder}"),
        what: "The whole build without cache, and each of its steps.".to_owned(),
        kind: WorkloadKind::Own,
        unit: Unit::Seconds,
        counts: false,
    }
}
