//! Bytes made to break a reader: no panic, no more read than promised, and the same answer twice.

#![allow(clippy::unwrap_used)] // a test's way to fail

use proptest::{collection::vec, prelude::*, sample::Index};
use silidock_executable::{FileRecord, HEAD, PathText, READ_AT_MOST, classify, libraries};

/// Starts that lead into every reader.
const SEEDS: &[&[u8]] = &[
    include_bytes!("corpus/amd64-dynamic"),
    include_bytes!("corpus/amd64-far"),
    include_bytes!("corpus/amd64-static-pie"),
    include_bytes!("corpus/arm32-attributes"),
    include_bytes!("corpus/java-class"),
    include_bytes!("corpus/ppc64-static"),
    include_bytes!("corpus/macho-fat"),
    include_bytes!("corpus/macho-thin"),
    include_bytes!("corpus/pe-managed"),
    include_bytes!("corpus/script-env"),
    include_bytes!("corpus/script-utf16"),
];

fn check(bytes: &[u8], size: u64) {
    let mut asked = 0;
    let mut read = |offset: u64, buffer: &mut [u8]| {
        asked += buffer.len();
        let there = usize::try_from(offset).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
        let length = there.len().min(buffer.len());
        buffer[..length].copy_from_slice(&there[..length]);
        length
    };
    let head = &bytes[..bytes.len().min(HEAD)];
    let kind = classify(head, size, &mut read);
    let again = classify(head, size, &mut read);
    libraries(head, size, &mut read);
    assert!(asked <= 3 * READ_AT_MOST, "{asked} bytes were asked for");
    assert_eq!(kind, again);
    let text = serde_json::to_string(&kind).unwrap();
    assert_eq!(serde_json::from_str::<silidock_executable::Kind>(&text).unwrap(), kind);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_files_do_no_harm(
        seed in 0..SEEDS.len(),
        changes in vec((any::<Index>(), any::<u8>()), 0..24),
        cut in any::<Index>(),
        tail in vec(any::<u8>(), 0..64),
        pretended in prop_oneof![Just(None), any::<u64>().prop_map(Some)],
        extremes in vec((any::<Index>(), prop_oneof![Just(0_u8), Just(0xff), Just(0x7f), Just(0x80)], 1..9_usize), 0..4),
    ) {
        let mut bytes = SEEDS[seed].to_vec();
        for (at, byte) in changes {
            // Most fields lie in front.
            let at = if byte % 2 == 0 { at.index(bytes.len()) } else { at.index(bytes.len().min(256)) };
            bytes[at] = byte;
        }
        for (at, byte, length) in extremes {
            let at = at.index(bytes.len());
            bytes.iter_mut().skip(at).take(length).for_each(|place| *place = byte);
        }
        if tail.len() % 4 == 0 {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        bytes.extend(tail);
        check(&bytes, pretended.unwrap_or(bytes.len() as u64));
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..600), size in any::<u64>()) {
        check(&bytes, size);
        check(&bytes, bytes.len() as u64);
        for magic in [&b"\x7fELF\x02\x01\x01"[..], b"\x7fELF\x01\x02", b"\xca\xfe\xba\xbe\0\0\0", b"MZ", b"#!", b"\xff\xfe#\0"] {
            check(&[magic, &bytes].concat(), size);
        }
    }

    #[test]
    fn every_path_comes_back(bytes in vec(any::<u8>(), 0..40)) {
        let path = PathText::from_bytes(&bytes);
        prop_assert_eq!(path.to_bytes(), bytes);
        let record = serde_json::to_value(&path).unwrap();
        prop_assert_eq!(serde_json::from_value::<PathText>(record).unwrap(), path);
    }

    #[test]
    fn any_text_for_a_record_is_an_error_or_a_record(text in ".{0,80}") {
        let _ = serde_json::from_str::<FileRecord>(&text);
    }
}
