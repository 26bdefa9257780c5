//! One row per kind of file, put together byte by byte: what it is, and what is said of it.

#![allow(clippy::unwrap_used, clippy::panic)] // a test's way to fail

use std::os::unix::fs::FileExt as _;

use silidock_executable::{
    Archive, Defect, Elf, Endian, FileRecord, Format, HEAD, Kind, Libc, Libraries, Linkage, READ_AT_MOST, Role,
    classify, libraries,
};

/// The parts of an ELF file that matter here.
#[derive(Clone)]
struct Made {
    bits: u8,
    big: bool,
    kind: u16,
    machine: u16,
    flags: u32,
    abi: u8,
    entry: u64,
    interpreter: Option<&'static [u8]>,
    dynamic: Vec<(u64, u64)>,
    texts: &'static [u8],
    /// Where program headers and what they point at begin.
    far: u64,
    attributes: Option<&'static [u8]>,
    loads: bool,
}

const BASE: Made = Made {
    bits: 64,
    big: false,
    kind: 2,
    machine: 62,
    flags: 0,
    abi: 0,
    entry: 0x40_1000,
    interpreter: None,
    dynamic: Vec::new(),
    texts: b"",
    far: 0,
    attributes: None,
    loads: true,
};

const GLIBC: Option<&[u8]> = Some(b"/lib64/ld-linux-x86-64.so.2\0");

impl Made {
    fn number(&self, out: &mut Vec<u8>, value: u64, width: usize) {
        let bytes = value.to_le_bytes();
        let mut bytes = bytes[..width].to_vec();
        if self.big {
            bytes.reverse();
        }
        out.extend(bytes);
    }

    fn word(&self, out: &mut Vec<u8>, value: u64) {
        self.number(out, value, usize::from(self.bits / 8));
    }

    fn segment(&self, out: &mut Vec<u8>, kind: u64, offset: u64, address: u64, size: u64) {
        self.number(out, kind, 4);
        if self.bits == 64 {
            self.number(out, 5, 4);
        }
        for value in [offset, address, address, size, size] {
            self.word(out, value);
        }
        if self.bits == 32 {
            self.number(out, 5, 4);
        }
        self.word(out, 0x1000);
    }

    /// Head, program headers, loader, dynamic section, texts, attributes, section headers; one segment loads everything.
    fn bytes(&self) -> Vec<u8> {
        let wide = self.bits == 64;
        let (head, entry, section) = if wide { (64, 56, 64) } else { (52, 32, 40) };
        let segments =
            usize::from(self.loads) + usize::from(self.interpreter.is_some()) + usize::from(!self.dynamic.is_empty());
        let table = head.max(self.far);
        let loader = table + (segments * entry) as u64;
        let dynamic = loader + self.interpreter.map_or(0, <[u8]>::len) as u64;
        let mut dynamic_bytes = Vec::new();
        let texts = dynamic + (self.dynamic.len() as u64 + 1) * if wide { 16 } else { 8 };
        for (tag, value) in self.dynamic.iter().copied().chain([(0, 0)]) {
            self.word(&mut dynamic_bytes, tag);
            // DT_STRTAB is an address; everything is loaded at 0x400000.
            self.word(&mut dynamic_bytes, if tag == 5 { 0x40_0000 + texts } else { value });
        }
        let attributes = texts + self.texts.len() as u64;
        let sections = attributes + self.attributes.map_or(0, <[u8]>::len) as u64;
        let mut out = vec![0x7f, b'E', b'L', b'F', if wide { 2 } else { 1 }, if self.big { 2 } else { 1 }, 1, self.abi];
        out.resize(16, 0);
        self.number(&mut out, self.kind.into(), 2);
        self.number(&mut out, self.machine.into(), 2);
        self.number(&mut out, 1, 4);
        self.word(&mut out, self.entry);
        self.word(&mut out, table);
        self.word(&mut out, if self.attributes.is_some() { sections } else { 0 });
        self.number(&mut out, self.flags.into(), 4);
        for value in [head, entry as u64, segments as u64, section, if self.attributes.is_some() { 1 } else { 0 }, 0] {
            self.number(&mut out, value, 2);
        }
        out.resize(usize::try_from(table).unwrap(), 0xcc);
        let end = sections + if self.attributes.is_some() { section } else { 0 };
        if self.loads {
            self.segment(&mut out, 1, 0, 0x40_0000, end);
        }
        if let Some(path) = self.interpreter {
            self.segment(&mut out, 3, loader, 0x40_0000 + loader, path.len() as u64);
        }
        if !self.dynamic.is_empty() {
            self.segment(&mut out, 2, dynamic, 0x40_0000 + dynamic, dynamic_bytes.len() as u64);
        }
        out.extend(self.interpreter.unwrap_or_default());
        out.extend(dynamic_bytes);
        out.extend(self.texts);
        if let Some(bytes) = self.attributes {
            out.extend(bytes);
            self.number(&mut out, 0, 4);
            self.number(&mut out, 0x7000_0003, 4);
            for value in [0, 0, attributes, bytes.len() as u64] {
                self.word(&mut out, value);
            }
            out.resize(usize::try_from(end).unwrap(), 0);
        }
        out
    }
}

/// Classifies from the head and a reader over the rest, which counts what it gives.
fn look(bytes: &[u8]) -> Kind {
    let mut given = 0;
    let kind = classify(&bytes[..bytes.len().min(HEAD)], bytes.len() as u64, &mut reader(bytes, &mut given));
    assert!(given <= READ_AT_MOST, "{given} bytes were asked for");
    kind
}

fn reader<'a>(bytes: &'a [u8], given: &'a mut usize) -> impl FnMut(u64, &mut [u8]) -> usize + 'a {
    move |offset, buffer| {
        let there = usize::try_from(offset).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
        let length = there.len().min(buffer.len());
        buffer[..length].copy_from_slice(&there[..length]);
        *given += length;
        length
    }
}

fn elf(bytes: &[u8]) -> Elf {
    match look(bytes) {
        Kind::Elf(elf) => elf,
        other => panic!("{other:?}"),
    }
}

#[test]
fn machines_have_the_names_of_platforms() {
    let arm = |arch: u8| -> &'static [u8] {
        vec![b'A', 17, 0, 0, 0, b'a', b'e', b'a', b'b', b'i', 0, 1, 7, 0, 0, 0, 6, arch].leak()
    };
    let narrow = || Made { bits: 32, ..BASE };
    for (made, platform) in [
        (Made { machine: 62, ..BASE }, Some("linux/amd64")),
        (Made { machine: 62, ..narrow() }, Some("linux/amd64")),
        (Made { machine: 3, ..narrow() }, Some("linux/386")),
        (Made { machine: 183, ..BASE }, Some("linux/arm64")),
        (Made { machine: 183, big: true, ..BASE }, Some("linux/arm64be")),
        (Made { machine: 243, ..BASE }, Some("linux/riscv64")),
        (Made { machine: 21, ..BASE }, Some("linux/ppc64le")),
        (Made { machine: 21, big: true, ..BASE }, Some("linux/ppc64")),
        (Made { machine: 22, big: true, ..BASE }, Some("linux/s390x")),
        (Made { machine: 8, ..BASE }, Some("linux/mips64le")),
        (Made { machine: 8, big: true, ..BASE }, Some("linux/mips64")),
        (Made { machine: 8, ..narrow() }, Some("linux/mipsle")),
        (Made { machine: 8, big: true, ..narrow() }, Some("linux/mips")),
        (Made { machine: 8, flags: 0x20, ..narrow() }, Some("linux/mips64le")),
        (Made { machine: 258, ..BASE }, Some("linux/loong64")),
        (Made { machine: 62, abi: 9, ..BASE }, Some("freebsd/amd64")),
        (Made { machine: 183, interpreter: Some(b"/system/bin/linker64\0"), ..BASE }, Some("android/arm64")),
        (Made { machine: 0x4242, ..BASE }, None),
        // 32-bit ARM: attributes, then the loader, then nothing.
        (Made { machine: 40, attributes: Some(arm(10)), ..narrow() }, Some("linux/arm/v7")),
        (Made { machine: 40, flags: 0x400, attributes: Some(arm(6)), ..narrow() }, Some("linux/arm/v6")),
        (Made { machine: 40, attributes: Some(arm(4)), far: 9000, ..narrow() }, Some("linux/arm/v5")),
        (
            Made { machine: 40, flags: 0x400, interpreter: Some(b"/lib/ld-linux-armhf.so.3\0"), ..narrow() },
            Some("linux/arm/v7"),
        ),
        (
            Made { machine: 40, flags: 0x200, interpreter: Some(b"/lib/ld-linux.so.3\0"), ..narrow() },
            Some("linux/arm/v5"),
        ),
        (Made { machine: 40, flags: 0x500_0400, ..narrow() }, Some("linux/arm")),
    ] {
        let seen = elf(&made.bytes());
        assert_eq!(seen.platform.as_deref(), platform, "{} {:?}", made.machine, seen);
        assert_eq!((seen.bits, seen.endian == Endian::Big, seen.defect), (made.bits, made.big, None));
    }
}

#[test]
fn programs_are_told_from_libraries_and_static_from_dynamic() {
    let pie = vec![(0x6fff_fffb, 0x0800_0000)];
    let soname = vec![(5, 0), (10, 1)];
    for (made, role, linkage, libc) in [
        (BASE, Role::Program, Linkage::Static, None),
        (Made { interpreter: GLIBC, ..BASE }, Role::Program, Linkage::Dynamic, Some(Libc::Glibc)),
        (
            Made { kind: 3, interpreter: GLIBC, dynamic: pie.clone(), ..BASE },
            Role::Program,
            Linkage::Dynamic,
            Some(Libc::Glibc),
        ),
        (Made { kind: 3, interpreter: GLIBC, far: 70_000, ..BASE }, Role::Program, Linkage::Dynamic, Some(Libc::Glibc)),
        (
            Made { interpreter: Some(b"/lib/ld-musl-aarch64.so.1\0"), ..BASE },
            Role::Program,
            Linkage::Dynamic,
            Some(Libc::Musl),
        ),
        (Made { kind: 3, dynamic: pie, ..BASE }, Role::Program, Linkage::Static, None),
        (Made { kind: 3, dynamic: soname.clone(), ..BASE }, Role::Library, Linkage::Dynamic, None),
        (Made { kind: 3, entry: 0, dynamic: soname, ..BASE }, Role::Library, Linkage::Dynamic, None),
        (Made { kind: 1, loads: false, ..BASE }, Role::Object, Linkage::Static, None),
        (Made { kind: 4, ..BASE }, Role::Core, Linkage::Static, None),
        (Made { kind: 0xfe00, ..BASE }, Role::Other, Linkage::Static, None),
    ] {
        let seen = elf(&made.bytes());
        assert_eq!((seen.role, seen.linkage, seen.libc, seen.defect), (role, linkage, libc, None), "{seen:?}");
    }
}

#[test]
fn what_no_kernel_loads_is_said() {
    let whole = Made { interpreter: GLIBC, ..BASE }.bytes();
    let size = whole.len() as u64;
    let cut = |n: usize| whole[..n].to_vec();
    let with = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        bytes
    };
    for (bytes, defect, truncated) in [
        (cut(whole.len() - 60), Some(Defect::ProgramHeadersCut { needs: 176, has: size - 60 }), true),
        (cut(whole.len() - 1), Some(Defect::SegmentsCut { needs: size, has: size - 1 }), true),
        (Made { interpreter: Some(b"/lib/x"), ..BASE }.bytes(), Some(Defect::BadInterpreter), false),
        (Made { interpreter: Some(b"\0\0"), ..BASE }.bytes(), Some(Defect::BadInterpreter), false),
        (Made { loads: false, ..BASE }.bytes(), Some(Defect::NothingToLoad), false),
        (BASE.bytes()[..119].to_vec(), Some(Defect::ProgramHeadersCut { needs: 120, has: 119 }), true),
        ([BASE.bytes(), vec![0]].concat(), None, false),
        (with(4, 7), Some(Defect::BadHead), false),
        (with(5, 0), Some(Defect::BadHead), false),
        (with(54, 1), Some(Defect::BadProgramHeaders), false),
        (with(57, 0xff), Some(Defect::BadProgramHeaders), false),
    ] {
        let seen = elf(&bytes);
        assert_eq!(seen.defect, defect, "{seen:?}");
        assert_eq!(defect.is_some_and(|defect| defect.is_truncation()), truncated);
    }
    let long = Made { far: 9000, texts: &[0; 500], ..BASE }.bytes();
    let needs = long.len() as u64;
    assert_eq!(elf(&long[..9100]).defect, Some(Defect::SegmentsCut { needs, has: 9100 }));
    // The reader cannot: not known is neither static nor broken.
    let Kind::Elf(blind) = classify(&long[..HEAD], needs, &mut |_, _| 0) else { panic!("no ELF file") };
    assert_eq!((blind.linkage, blind.defect, blind.platform.as_deref()), (Linkage::Unknown, None, Some("linux/amd64")));
}

#[test]
fn libraries_and_their_folders_are_named() {
    let texts = b"\0libc.so.6\0libssl.so.3\0$ORIGIN/../lib::/opt/x\0";
    let dynamic = vec![(1, 1), (1, 11), (5, 0), (10, texts.len() as u64), (0x1d, 23)];
    let made = Made { kind: 3, interpreter: GLIBC, dynamic, texts, ..BASE };
    let read =
        |bytes: &[u8]| libraries(&bytes[..bytes.len().min(HEAD)], bytes.len() as u64, &mut reader(bytes, &mut 0));
    let expected = Libraries {
        needed: vec!["libc.so.6".into(), "libssl.so.3".into()],
        run_path: vec!["$ORIGIN/../lib".into(), "/opt/x".into()],
    };
    assert_eq!(expected.libc(), Some(Libc::Glibc));
    for made in
        [made.clone(), Made { far: 100_000, ..made.clone() }, Made { bits: 32, big: true, machine: 20, ..made.clone() }]
    {
        assert_eq!(read(&made.bytes()), Some(expected.clone()));
    }
    assert_eq!(read(&BASE.bytes()), None);
    assert_eq!(read(b"#!/bin/sh\n"), None);
}

#[test]
fn other_formats_are_told_apart() {
    let fat = |parts: &[(u32, u32)]| {
        let mut bytes = [0xcafe_babe_u32, u32::try_from(parts.len()).unwrap()].map(u32::to_be_bytes).concat();
        for (cpu, subtype) in parts {
            bytes.extend([*cpu, *subtype, 0x1000, 32, 12].map(u32::to_be_bytes).concat());
        }
        bytes.resize(0x1000, 0);
        bytes.extend([0xfeed_facf_u32, 0x0100_0007, 3, 2, 0, 0, 0, 0].map(u32::to_le_bytes).concat());
        bytes
    };
    let thin = [0xfeed_facf_u32, 0x0100_000c, 0, 6, 0, 0, 0, 0].map(u32::to_le_bytes).concat();
    let java = [0xcafe_babe_u32, 61, 0x000f_0a00].map(u32::to_be_bytes).concat();
    let pe = |machine: u16, characteristics: u16, managed: u32| {
        let mut bytes = b"MZ".to_vec();
        bytes.resize(0x3c, 0);
        bytes.extend(64_u32.to_le_bytes());
        bytes.extend(b"PE\0\0");
        bytes.extend(machine.to_le_bytes());
        bytes.resize(64 + 22, 0);
        bytes.extend(characteristics.to_le_bytes());
        bytes.extend(0x20b_u16.to_le_bytes());
        bytes.resize(64 + 24 + 108, 0);
        bytes.extend(16_u32.to_le_bytes());
        bytes.resize(64 + 24 + 112 + 14 * 8 + 4, 0);
        bytes.extend(managed.to_le_bytes());
        bytes.resize(512, 0);
        bytes
    };
    for (bytes, json) in [
        (
            fat(&[(0x0100_0007, 3), (0x0100_000c, 2)]),
            r#"{"type":"machO","platforms":["darwin/amd64","darwin/arm64e"],"fat":true,"role":"program"}"#,
        ),
        (thin.clone(), r#"{"type":"machO","platforms":["darwin/arm64"],"fat":false,"role":"library"}"#),
        (thin[..14].to_vec(), r#"{"type":"cut","format":"machO"}"#),
        (java, r#"{"type":"javaClass"}"#),
        (
            pe(0x8664, 0, 0),
            r#"{"type":"pe","platform":"windows/amd64","machine":34404,"library":false,"managed":false}"#,
        ),
        (
            pe(0xd11d, 0x2000, 72),
            r#"{"type":"pe","platform":"linux/arm64","machine":53533,"library":true,"managed":true}"#,
        ),
        (b"\x7fELF\x02\x01\x01".to_vec(), r#"{"type":"cut","format":"elf"}"#),
        (b"\0asm\x01\0\0\0".to_vec(), r#"{"type":"webAssembly"}"#),
        (b"\x1f\x8b\x08".to_vec(), r#"{"type":"archive","format":"gzip"}"#),
        (Vec::new(), r#"{"type":"empty"}"#),
        (vec![0; 5000], r#"{"type":"zeros"}"#),
        (b"<!DOCTYPE html><title>404".to_vec(), r#"{"type":"text","wording":"html","carriageReturns":false}"#),
        (
            b"version https://git-lfs.github.com/spec/v1\n".to_vec(),
            r#"{"type":"text","wording":"gitLfsPointer","carriageReturns":false}"#,
        ),
        (b"echo no line\r\n".to_vec(), r#"{"type":"text","wording":"plain","carriageReturns":true}"#),
        (b"MZ no program".to_vec(), r#"{"type":"text","wording":"plain","carriageReturns":false}"#),
        (b"\x01\x02\xff".to_vec(), r#"{"type":"other"}"#),
    ] {
        let kind = look(&bytes);
        assert_eq!(serde_json::to_string(&kind).unwrap(), json);
        assert_eq!(serde_json::from_str::<Kind>(json).unwrap(), kind);
    }
    assert_eq!(look(b"!<arch>\n"), Kind::Archive(Archive::Ar));
    assert_eq!(look(b"\x7fELF"), Kind::Cut(Format::Elf));
    assert_eq!(look(&fat(&[(0x0100_0007, 3), (0x0100_000c, 0)])).platforms().count(), 2);
}

#[test]
fn a_record_reads_back_as_it_was_written() {
    let json = r#"{"path":{"escaped":"/caf\\xe9"},"mode":493,"uid":0,"gid":0,"entry":{"is":"file","size":10,"kind":{"type":"empty"},"libraries":null}}"#;
    let record: FileRecord = serde_json::from_str(json).unwrap();
    assert_eq!((record.kind(), record.may_execute()), (Some(&Kind::Empty), true));
    assert_eq!(serde_json::to_string(&record).unwrap(), json);
}

/// Real files of this machine: whatever Linux ships parses as what it is.
#[test]
fn programs_of_this_machine_are_native_and_whole() {
    let mut seen = 0;
    for folder in ["/usr/bin", "/usr/sbin"] {
        for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let Ok(file) = std::fs::File::open(&path) else { continue };
            let size = file.metadata().unwrap().len();
            let mut read = |offset: u64, buffer: &mut [u8]| file.read_at(buffer, offset).unwrap_or(0);
            let mut head = vec![0; HEAD];
            let length = read(0, &mut head);
            let Kind::Elf(elf) = classify(&head[..length], size, &mut read) else { continue };
            seen += 1;
            assert_eq!(elf.defect, None, "{}", path.display());
            assert_ne!(elf.linkage, Linkage::Unknown, "{}", path.display());
            assert!(elf.platform.is_some(), "{}", path.display());
            if elf.linkage == Linkage::Dynamic {
                assert!(libraries(&head[..length], size, &mut read).is_some(), "{}", path.display());
            }
        }
    }
    // A Mac has none.
    assert!(seen > 0 || std::path::Path::new("/usr/lib/dyld").exists(), "no program was found");
}
