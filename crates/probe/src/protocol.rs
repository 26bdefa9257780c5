//! What is said to `silidock-probe bench` and what it answers: one line of JSON each way. Durations are nanoseconds of
//! a clock that never goes back. What follows from them is the reader's.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::Answer;

/// The first key of [`Hello`].
pub const BENCH_SCHEMA: &str = "silidock-bench/1";

/// The port of a partner container.
pub const SERVE_PORT: u16 = 7411;

/// One line to the probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Command {
    /// Who are you? Answered by [`Reply::Hello`].
    Hello,
    /// How busy is it there? Answered by [`Reply::Surroundings`].
    Surroundings,
    /// Warm up, and find out by it how many blocks take so long. Answered by [`Reply::Calibrated`].
    #[serde(rename_all = "camelCase")]
    Calibrate {
        /// What is done.
        work: Work,
        /// How long a sample is to take.
        nanoseconds: u64,
    },
    /// Do so many blocks. Answered by [`Reply::Ran`].
    #[serde(rename_all = "camelCase")]
    Run {
        /// What is done.
        work: Work,
        /// How many times.
        blocks: u64,
    },
    /// Give back the memory, files and connections of everything done so far. Answered by [`Reply::Done`].
    Forget,
}

/// A workload with where it is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Work {
    /// One of [`WORKLOADS`].
    pub workload: String,
    /// The folder, for those that use files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The partner's address, for those that use a network: `172.20.0.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
}

/// One line from the probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Reply {
    /// Who it is.
    Hello(Box<Hello>),
    /// How busy it is there.
    Surroundings(Surroundings),
    /// How many blocks take about as long as asked.
    #[serde(rename_all = "camelCase")]
    Calibrated {
        /// At least 1.
        blocks: u64,
    },
    /// It was done.
    Ran(Ran),
    /// Everything is given back.
    Done,
    /// It cannot be done there.
    #[serde(rename_all = "camelCase")]
    Refused {
        /// Why, in the system's words.
        why: String,
    },
}

/// One sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ran {
    /// How many blocks were done.
    pub blocks: u64,
    /// How long all of them took.
    pub nanoseconds: u64,
    /// What each of them computed: the same on every processor.
    pub checksum: u64,
    /// How long the main thread was ready to run and had no processor.
    pub waited: Option<u64>,
    /// What was done otherwise than asked: without the instructions that the processor does not have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Who the probe is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// [`BENCH_SCHEMA`].
    pub schema: String,
    /// What the probe sees of itself.
    pub own: Answer,
    /// What a child of it, the same program, sees of itself, an [`Answer`] passed on unread; absent where none could be
    /// started.
    pub child: Option<Value>,
    /// Why there is no child's answer.
    pub childless: Option<String>,
}

/// How busy the machine of the container is. What cannot be read is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Surroundings {
    /// Processors this container may use at once, by affinity and control group.
    pub processors: Option<u32>,
    /// Processes that ran or waited for a processor, averaged over a minute.
    pub load: Option<f64>,
    /// Share of the last 10 s in which something waited for a processor, in percent.
    pub cpu_pressure: Option<f64>,
    /// The same for memory.
    pub memory_pressure: Option<f64>,
    /// The same for disks.
    pub io_pressure: Option<f64>,
    /// Memory of the machine in bytes.
    pub memory: Option<u64>,
    /// Memory that programs could still have, in bytes.
    pub memory_available: Option<u64>,
    /// How long the container was held back by its processor limit since it began, in microseconds.
    pub throttled: Option<u64>,
    /// Processor time since the machine started, in ticks: all of it, and what a machine around it took.
    pub ticks: Option<Ticks>,
}

/// Processor time in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ticks {
    /// All of it, idle or not.
    pub all: u64,
    /// Taken by the machine around this one.
    pub stolen: u64,
}

/// Numbers of workloads that decide how much a block is.
#[allow(missing_docs)]
pub mod size {
    pub const HASHED: u64 = 64 * 1024;
    pub const FUNCTIONS: u64 = 64;
    pub const REWRITES: u64 = 4;
    pub const LINES: u64 = 256 * 1024;
    pub const NUMBERS: u64 = 2 * 1024 * 1024;
    pub const THREADS: u64 = 2;
    pub const OPERATIONS: u64 = 4000;
    pub const CALLS: u64 = 1000;
    pub const FILES: u64 = 4;
    pub const QUESTIONS: u64 = 20;
}

/// A workload that the probe knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workload {
    /// Its name.
    pub id: &'static str,
    /// What every block of it computes, on every processor.
    pub checksum: u64,
    /// How much a block is: bytes, accesses, operations.
    pub amount: u64,
}

const fn workload(id: &'static str, checksum: u64, amount: u64) -> Workload {
    Workload { id, checksum, amount }
}

/// All workloads. The checksums were computed on both architectures.
pub const WORKLOADS: [Workload; 16] = [
    workload("empty", 0, 1),
    workload("integer", 0x4ced_0b91_3704_a533, 1),
    workload("hash", 0x9dc2_a100_54a6_7534, size::HASHED),
    workload("hash-hardware", 0x9dc2_a100_54a6_7534, size::HASHED),
    workload("float", 0xde2c_89a8_364f_c2a4, 1),
    workload("simd", 0xfa9d_e600_53c5_b193, 1),
    workload("interpreter", 0x3_3ce1, 1),
    workload("dynamic-code", 0x20_7600, size::FUNCTIONS * size::REWRITES),
    workload("memory-latency", 0x0b02_7af3_fe1a_c827, size::LINES),
    // Two numbers read and one written.
    workload("memory-bandwidth", 0x00c1_6fec_494a_6f73, size::NUMBERS * 3 * 8),
    workload("atomics", size::OPERATIONS, size::OPERATIONS * size::THREADS),
    workload("locks", size::OPERATIONS, size::OPERATIONS * size::THREADS),
    workload("system-calls", size::CALLS, size::CALLS),
    workload("spawn", 1, 1),
    workload("files", 0x120, size::FILES),
    workload("tcp", 0x4_00d2, size::QUESTIONS),
];
