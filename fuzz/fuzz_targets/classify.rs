//! Any bytes as a file: no panic, no more read than promised.

#![no_main]

use libfuzzer_sys::fuzz_target;
use silidock_executable::{HEAD, READ_AT_MOST, classify, libraries};

fuzz_target!(|bytes: &[u8]| {
    let mut asked = 0;
    let mut read = |offset: u64, buffer: &mut [u8]| {
        asked += buffer.len();
        let there = usize::try_from(offset).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
        let length = there.len().min(buffer.len());
        buffer[..length].copy_from_slice(&there[..length]);
        length
    };
    let head = &bytes[..bytes.len().min(HEAD)];
    for size in [bytes.len() as u64, u64::MAX, 1 << 32] {
        let _ = classify(head, size, &mut read);
        let _ = libraries(head, size, &mut read);
    }
    assert!(asked <= 6 * READ_AT_MOST);
});
