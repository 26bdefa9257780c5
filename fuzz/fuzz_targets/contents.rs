//! Any bytes as an archive. Most headers would fail by their checksum, so each that is nearly one gets its right one.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use silidock_observe::contents::{Request, read_stream};

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    for block in bytes.as_chunks_mut::<512>().0 {
        if &block[257..262] == b"ustar" {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        }
    }
    if let Ok(contents) = read_stream(Cursor::new(&bytes), "the fuzzer", &Request::default()) {
        assert!(contents.files.iter().all(|found| found.layer < contents.layers.len()));
    }
});
