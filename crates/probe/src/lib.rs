//! What the probe is asked and answers, and the tiny programs it starts. Facts only: which of them prove what is decided by
//! whoever reads the answer.
#![forbid(unsafe_code)]

mod answer;
pub mod elf;
pub mod inside;
mod marks;
mod protocol;

pub use answer::{Answer, Arm, Cpu, Ended, Exe, Mark, Own, Refusal, SCHEMA, Seen, Stub, X86};
pub use elf::{Machine, STUB_STATUS};
pub use marks::{Known, MARKS, find};
pub use protocol::{
    BENCH_SCHEMA, Command, Hello, Ran, Reply, SERVE_PORT, Surroundings, Ticks, WORKLOADS, Work, Workload, size,
};

/// The architecture this is built for, in Go's word.
#[must_use]
pub fn built_for() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
