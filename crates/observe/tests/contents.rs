//! Images and file systems put together byte by byte, read in every way there is: the same answer from each, and a plain
//! word for what is damaged.

#![allow(clippy::unwrap_used, clippy::panic)] // a test's way to fail

mod archives;

use std::{
    collections::HashMap,
    io::Cursor,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use archives::{Image, Packing, Tar, elf};
use proptest::{collection::vec, prelude::*, sample::Index};
use silidock_executable::{Entry, Kind};
use silidock_observe::contents::{Contents, ContentsError, LayerCache, Request, Wanted, read_path, read_stream};

/// `layer path what`, one line per file that is seen.
fn shown(contents: &Contents) -> Vec<String> {
    let line = |found: &silidock_observe::contents::Found| {
        let what = match &found.record.entry {
            Entry::Link { target } => format!("-> {target}"),
            Entry::File { kind: Some(Kind::Elf(elf)), .. } => elf.platform.clone().unwrap_or_default(),
            Entry::File { kind: Some(Kind::Script(script)), .. } => format!("#!{}", script.interpreter),
            Entry::File { kind, .. } => format!("{kind:?}"),
            other => format!("{other:?}"),
        };
        let same = found.same_as.as_ref().map(|path| format!(" = {path}")).unwrap_or_default();
        format!("{} {} {what}{same}", found.layer, found.record.path)
    };
    contents.files.iter().map(line).collect()
}

fn stream(bytes: &[u8]) -> Result<Contents, ContentsError> {
    read_stream(Cursor::new(bytes), "the test", &Request::default())
}

fn layered() -> Image {
    let base = Tar::new()
        .folder("bin")
        .file("bin/tool", 0o755, &elf(62))
        .file("bin/gone", 0o755, &elf(62))
        .file("bin/replaced", 0o755, &elf(62))
        .file("opt/old/a", 0o755, &elf(62))
        .file("opt/old/b/c", 0o755, &elf(62))
        .file("etc/hosts", 0o644, b"127.0.0.1 localhost and some more text")
        .link("lib", "usr/lib")
        .hard_link("bin/second", "bin/tool");
    let upper = Tar::new()
        .file("bin/.wh.gone", 0o644, b"")
        .file("bin/replaced", 0o644, b"only some words, no program any more")
        .file("opt/old/.wh..wh..opq", 0o644, b"")
        .file("opt/old/new", 0o755, b"#!/bin/bash\n")
        .file("lib/x.so", 0o644, &elf(183))
        .hard_link("bin/third", "bin/tool");
    let top = Tar::new().file("app/run", 0o755, &elf(183)).file("bin/gone", 0o755, b"#!/bin/sh\r\n");
    Image::new("acme/web:1", "amd64")
        .layer(base, Packing::Gzip, "ADD rootfs.tar / # buildkit")
        .layer(upper, Packing::ZstdLarge, "RUN |1 TOKEN=s3cret /bin/sh -c ./setup # buildkit")
        .layer(top, Packing::Zstd, "COPY ./app /app # buildkit")
}

const LAYERED: [&str; 9] = [
    "2 /app/run linux/arm64",
    "2 /bin/gone #!/bin/sh",
    "0 /bin/second linux/amd64 = /bin/tool",
    "1 /bin/third linux/amd64 = /bin/tool",
    "0 /bin/tool linux/amd64",
    "0 /lib -> usr/lib",
    "1 /opt/old/new #!/bin/bash",
    "1 /usr/lib/x.so linux/arm64",
    "",
];

#[test]
fn every_form_of_an_image_gives_the_same() {
    let image = layered();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    image.write_layout(&at("layout"));
    std::fs::write(at("oci.tar"), image.layout_tar()).unwrap();
    std::fs::write(at("old.tar"), image.saved_tar()).unwrap();
    std::fs::write(at("old.tar.gz"), Packing::Gzip.pack(&image.saved_tar())).unwrap();
    std::fs::write(at("oci.tar.zst"), Packing::ZstdLarge.pack(&image.layout_tar())).unwrap();
    let read = |name: &str| read_path(&at(name), &Request::default()).unwrap();
    let all = [
        ("layout", read("layout")),
        ("oci.tar", read("oci.tar")),
        ("old.tar", read("old.tar")),
        ("old.tar.gz", read("old.tar.gz")),
        ("oci.tar.zst", read("oci.tar.zst")),
        ("oci pipe", stream(&image.layout_tar()).unwrap()),
        ("old pipe", stream(&image.saved_tar()).unwrap()),
    ];
    let expected: Vec<&str> = LAYERED.into_iter().filter(|line| !line.is_empty()).collect();
    for (form, contents) in &all {
        assert_eq!(shown(contents), expected, "{form}");
        assert_eq!(contents.gaps, [], "{form}");
        assert_eq!(contents.variant.as_ref().unwrap().name.as_deref(), Some("acme/web:1"), "{form}");
        let settings = contents.image.as_ref().unwrap();
        assert_eq!((settings.platform.as_deref(), settings.user.as_deref()), (Some("linux/amd64"), Some("1000")));
        assert_eq!(
            (settings.entrypoint.as_slice(), settings.path.as_deref()),
            (&["/app/run".to_owned()][..], Some("/bin"))
        );
        let brought: Vec<_> = contents.layers.iter().map(|layer| layer.created_by.as_deref().unwrap()).collect();
        assert_eq!(brought, ["ADD rootfs.tar /", "RUN ./setup", "COPY ./app /app"], "{form}");
        assert_eq!((contents.counts.files, contents.counts.whiteouts), (13, 2), "{form}");
        let text = serde_json::to_string(contents).unwrap();
        assert!(!text.contains("s3cret"), "{form} keeps a secret");
        assert_eq!(&serde_json::from_str::<Contents>(&text).unwrap(), contents);
    }
    let packed: Vec<_> = all[0].1.layers.iter().map(|layer| layer.compression.as_deref()).collect();
    assert_eq!(packed, [Some("gzip"), Some("zstd"), Some("zstd")]);
}

#[test]
fn a_platform_is_chosen_and_the_others_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let one = |architecture: &str, machine| {
        let files = Tar::new().file("bin/x", 0o755, &elf(machine));
        Image::new("acme/multi:1", architecture).layer(files, Packing::Gzip, "COPY x /bin/x")
    };
    let both = [one("amd64", 62), one("arm64", 183)];
    archives::write_index(folder.path(), &both, &["s390x"]);
    let read = |platform: Option<&str>| {
        let platform = platform.map(|text| text.parse().unwrap());
        let wanted = Wanted { name: None, platform };
        read_path(folder.path(), &Request { wanted, ..Request::default() })
    };
    for (asked, expected) in [(None, "0 /bin/x linux/amd64"), (Some("linux/arm64/v8"), "0 /bin/x linux/arm64")] {
        let contents = read(asked).unwrap();
        assert_eq!(shown(&contents), [expected]);
        let others: Vec<_> = contents.others.iter().map(|other| (other.platform.as_deref(), other.available)).collect();
        assert!(others.len() == 2 && others.contains(&(Some("linux/s390x"), false)), "{others:?}");
    }
    assert!(matches!(read(Some("linux/s390x")), Err(ContentsError::Missing { .. })));
    let refused = read(Some("linux/riscv64")).unwrap_err().to_string();
    assert_eq!(
        refused,
        "linux/riscv64 is not there; there is acme/multi:1 for linux/amd64, acme/multi:1 for linux/arm64, \
         acme/multi:1 for linux/s390x"
    );
}

#[test]
fn odd_archives_are_read_as_far_as_they_go() {
    let program = elf(62);
    let deep = "d/".repeat(1000) + "x";
    let long = "l".repeat(5000);
    let one = || Tar::new().file("bin/x", 0o755, &program);
    let cut = |tar: Tar, from_end: usize| {
        let bytes = tar.bytes();
        bytes[..bytes.len() - from_end].to_vec()
    };
    let mut bad_sum = one().file("bin/y", 0o755, &program).bytes();
    let second = bad_sum.windows(5).position(|bytes| bytes == b"bin/y").unwrap();
    bad_sum[second + 1] = b'X';
    let sparse = |form| shown(&stream(&Tar::new().sparse("bin/s", &program, 9000, form).bytes()).unwrap());
    for form in 0..4 {
        assert_eq!(sparse(form), ["0 /bin/s linux/amd64"], "sparse form {form}");
    }
    let table: [(&str, Vec<u8>, Vec<String>, &str); 15] = [
        (
            "leaves the root",
            one().file("../../etc/evil", 0o755, &program).bytes(),
            vec!["0 /bin/x linux/amd64".into(), "0 /etc/evil linux/amd64".into()],
            "",
        ),
        (
            "absolute",
            Tar::new().file("/bin/x", 0o755, &program).link("/a", "/etc/../x").bytes(),
            vec!["0 /a -> /etc/../x".into(), "0 /bin/x linux/amd64".into()],
            "",
        ),
        (
            "devices",
            one().special("dev/null", b'3').special("run/pipe", b'6').bytes(),
            vec!["0 /bin/x linux/amd64".into()],
            "",
        ),
        ("deep", Tar::new().file(&deep, 0o755, &program).bytes(), vec![format!("0 /{deep} linux/amd64")], ""),
        (
            "not UTF-8",
            Tar::new().raw(b"bin/caf\xe9", 0o755, &program).bytes(),
            vec![r"0 /bin/caf\xe9 linux/amd64".into()],
            "",
        ),
        ("long name", Tar::new().file(&long, 0o755, &program).bytes(), vec![format!("0 /{long} linux/amd64")], ""),
        ("pax name and size", Tar::new().pax("bin/pax", &program).bytes(), vec!["0 /bin/pax linux/amd64".into()], ""),
        ("twice", one().file("bin/x", 0o755, b"#!/bin/sh\n").bytes(), vec!["0 /bin/x #!/bin/sh".into()], ""),
        (
            "huge pax",
            one().huge_extension(b'x', 2 << 20).file("bin/y", 0o755, &program).file("bin/z", 0o755, &program).bytes(),
            vec!["0 /bin/x linux/amd64".into(), "0 /bin/z linux/amd64".into()],
            "1 entries: their names or headers are longer",
        ),
        (
            "huge name",
            one().huge_extension(b'L', 2 << 20).file("bin/y", 0o755, &program).bytes(),
            vec!["0 /bin/x linux/amd64".into()],
            "1 entries: their names",
        ),
        ("no end", cut(one(), 1024), vec!["0 /bin/x linux/amd64".into()], ""),
        (
            "cut",
            cut(one().file("bin/y", 0o644, &[7; 9000]), 1024 + 3000),
            vec!["0 /bin/x linux/amd64".into()],
            "the rest of the archive: it ends at byte 7752, within /bin/y",
        ),
        (
            "bad checksum",
            bad_sum,
            vec!["0 /bin/x linux/amd64".into()],
            "the rest of the archive: there is no tar header at byte 1024, behind /bin/x: a checksum is wrong",
        ),
        (
            "one empty header",
            [cut(one(), 1024), vec![0; 512], vec![1; 512]].concat(),
            vec!["0 /bin/x linux/amd64".into()],
            "a header is empty",
        ),
        (
            "whiteouts of a plain file system",
            one().file("bin/.wh.x", 0o755, b"#!/x\n").bytes(),
            vec!["0 /bin/.wh.x #!/x".into(), "0 /bin/x linux/amd64".into()],
            "",
        ),
    ];
    for (name, bytes, expected, gap) in table {
        let contents = stream(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(shown(&contents), expected, "{name}");
        let gaps: Vec<String> = contents.gaps.iter().map(|gap| format!("{}: {}", gap.what, gap.why)).collect();
        assert!(
            gaps.len() == usize::from(!gap.is_empty()) && gaps.iter().all(|said| said.contains(gap)),
            "{name}: {gaps:?}"
        );
        assert_eq!(contents.counts.escaping, u64::from(name == "leaves the root"), "{name}");
    }
}

#[test]
fn what_is_nothing_is_an_error() {
    let garbage = vec![b'x'; 2000];
    for (bytes, expected) in [
        (&b""[..], "the test holds no image: it is an empty archive"),
        (&garbage, "the test holds no image: it is no tar archive: a checksum is no number"),
        (&[0; 1024], "the test holds no image: it is an empty archive"),
        (b"\x1f\x8b\x08garbage", "the test holds no image: reading failed at byte 0"),
        (b"BZh91AY&SY", "the test holds no image: it is compressed with bzip2"),
    ] {
        let error = stream(bytes).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let missing = read_path(Path::new("/no/such/file"), &Request::default()).unwrap_err();
    assert!(matches!(missing, ContentsError::Open { .. }), "{missing}");
    let index = Tar::new().file("index.json", 0o644, b"{\"manifests\":7}").bytes();
    assert!(matches!(stream(&index), Err(ContentsError::Document { .. })));
}

#[test]
fn a_damaged_layer_leaves_the_others() {
    let image = layered();
    let whole = image.layout_tar();
    let place = whole.windows(3).position(|bytes| bytes == b"\x1f\x8b\x08").unwrap();
    let mut damaged = whole.clone();
    damaged[place + 60..place + 90].fill(0xff);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("damaged.tar");
    std::fs::write(&file, &damaged).unwrap();
    for contents in [stream(&damaged).unwrap(), read_path(&file, &Request::default()).unwrap()] {
        assert_eq!(contents.layers[0].gap.as_ref().unwrap().what, "the rest of layer 1 of 3");
        assert!(shown(&contents).contains(&"2 /app/run linux/arm64".to_owned()));
    }
    // Broken off before the list of layers: what came is told, without their order.
    let contents = stream(&whole[..whole.len() - 6000]).unwrap();
    assert!(contents.image.is_none() && contents.layers.len() == 3, "{:?}", contents.gaps);
    assert_eq!(contents.gaps.len(), 2);
    std::fs::write(&file, &whole[..whole.len() - 6000]).unwrap();
    assert_eq!(read_path(&file, &Request::default()).unwrap().gaps.len(), 2);
    // A layer that is elsewhere.
    let layout = folder.path().join("layout");
    image.write_layout(&layout);
    let mut blobs = std::fs::read_dir(layout.join("blobs/sha256")).unwrap().map(|entry| entry.unwrap().path());
    let layer = blobs.find(|path| std::fs::read(path).unwrap().starts_with(b"\x28\xb5\x2f\xfd")).unwrap();
    std::fs::remove_file(layer).unwrap();
    let contents = read_path(&layout, &Request::default()).unwrap();
    assert_eq!(contents.gaps[0].why, "the archive does not have it");
    assert!(shown(&contents).contains(&"0 /bin/tool linux/amd64".to_owned()));
}

#[derive(Default)]
struct Remembering {
    kept: Mutex<HashMap<String, Vec<u8>>>,
    hits: AtomicUsize,
}

impl LayerCache for Remembering {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        let found = self.kept.lock().unwrap().get(key).cloned();
        self.hits.fetch_add(usize::from(found.is_some()), Ordering::Relaxed);
        found
    }
    fn put(&self, key: &str, bytes: &[u8]) {
        self.kept.lock().unwrap().insert(key.to_owned(), bytes.to_vec());
    }
}

#[test]
fn a_layer_is_read_once_until_its_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    std::fs::write(&file, layered().layout_tar()).unwrap();
    let cache = Arc::new(Remembering::default());
    let request = || Request { cache: Some(cache.clone()), ..Request::default() };
    let read = || {
        let request = request();
        let contents = read_path(&file, &request).unwrap();
        (contents, request.watch.entries.load(Ordering::Relaxed))
    };
    let (first, entries) = read();
    assert!(entries > 0 && cache.kept.lock().unwrap().len() == 3);
    assert_eq!(read(), (first.clone(), 0));
    assert_eq!(cache.hits.load(Ordering::Relaxed), 3);
    // Bytes that changed in the cache, or an image that starts a file nobody cared for.
    for bytes in cache.kept.lock().unwrap().values_mut() {
        bytes[40] ^= 1;
    }
    assert_eq!(read(), (first.clone(), entries));
    let request = Request { names: ["hosts".to_owned()].into(), ..request() };
    let with_hosts = read_path(&file, &request).unwrap();
    assert_eq!(with_hosts.files.len(), first.files.len() + 1);
    // Another file under the same name.
    let other =
        Image::new("b:1", "amd64").layer(Tar::new().file("only", 0o755, &elf(62)), Packing::Plain, "COPY only /");
    std::fs::write(&file, other.layout_tar()).unwrap();
    assert_eq!(shown(&read().0), ["0 /only linux/amd64"]);
}

#[test]
fn a_look_can_be_stopped() {
    let request = Request::default();
    request.watch.stop.store(true, Ordering::Relaxed);
    let stopped = read_stream(Cursor::new(layered().layout_tar()), "the test", &request);
    assert!(matches!(stopped, Err(ContentsError::Stopped)));
}

/// What is in a program counts, however it came: jumped to in a file, or passed by in a stream.
#[test]
fn programs_of_this_machine_are_the_same_from_a_file_and_from_a_stream() {
    let mut tar = Tar::new();
    let programs = std::fs::read_dir("/usr/bin").unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<_> =
        programs.filter(|path| path.metadata().is_ok_and(|about| (30_000..800_000).contains(&about.len()))).collect();
    names.sort();
    for path in names.iter().take(20) {
        if let Ok(bytes) = std::fs::read(path) {
            tar = tar.file(&path.to_string_lossy(), 0o755, &bytes);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let image = Image::new("a:1", "amd64").layer(tar, Packing::Plain, "COPY usr /usr");
    let file = folder.path().join("image.tar");
    std::fs::write(&file, image.saved_tar()).unwrap();
    let (by_jumps, passing) = (read_path(&file, &Request::default()).unwrap(), stream(&image.saved_tar()).unwrap());
    assert_eq!(by_jumps.files, passing.files);
    let libraries = |found: &silidock_observe::contents::Found| {
        matches!(&found.record.entry, Entry::File { libraries: Some(_), .. })
    };
    assert!(passing.files.iter().any(libraries) || cfg!(target_vendor = "apple"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_archives_do_no_harm(
        form in 0..4_usize,
        changes in vec((any::<Index>(), any::<u8>()), 1..12),
        cut in proptest::option::of(any::<Index>()),
    ) {
        thread_local!(static FORMS: [Vec<u8>; 4] = [
            layered().layout_tar(),
            layered().saved_tar(),
            Packing::Gzip.pack(&layered().saved_tar()),
            Tar::new().sparse("s", &elf(62), 9000, 0).sparse("t", &elf(62), 9000, 3).pax("p", &elf(40)).bytes(),
        ]);
        let mut bytes = FORMS.with(|forms| forms[form].clone());
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            // Headers with a right checksum lead further.
            archives::mend(&mut bytes, at);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(contents) = stream(&bytes) {
            prop_assert!(contents.files.len() < 100);
        }
    }
}
