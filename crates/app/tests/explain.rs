//! Every cause as a real container on real engines, really run, so that the failure is the engine's own; and what is
//! said of it. What the engine did is asked of the Docker client, which knows nothing of this program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test's ways to fail"
)]

#[path = "../../../tests/common/lab.rs"]
#[allow(dead_code, reason = "shared with the black-box tests")]
mod lab;

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    process::Stdio,
    sync::Arc,
};

use lab::{Lab, on_each};
use serde_json::{Value, json};
use silidock_app::{
    App, AppOptions,
    host::FixtureHost,
    wire::{ApplyRequest, ExplainRequest, FixRequest, ReceiptRequest},
};
use tempfile::TempDir;

/// One container.
struct Case {
    name: &'static str,
    /// Arguments of `docker run` before the image.
    options: &'static [&'static str],
    /// What is started.
    command: &'static [&'static str],
    /// Exit codes that engines give it, of whatever year.
    codes: &'static [i64],
    cause: &'static str,
    architecture: &'static str,
    /// Run on slow machines too.
    everywhere: bool,
    trace: Trace,
}

/// What an engine has of it afterwards. A busy one can miss the last words of a program, and that its memory limit ended it; what it
/// does not know cannot be told, so it is run again then.
#[derive(Clone, Copy)]
enum Trace {
    /// Its own error, or a line of the log.
    Words,
    /// That the memory limit ended it.
    Memory,
    /// A code alone.
    Code,
}

const fn case(
    name: &'static str,
    command: &'static [&'static str],
    codes: &'static [i64],
    cause: &'static str,
) -> Case {
    Case { name, options: &[], command, codes, cause, architecture: "no", everywhere: false, trace: Trace::Words }
}

impl Case {
    const fn with(mut self, options: &'static [&'static str]) -> Self {
        self.options = options;
        self
    }
    const fn about(mut self, architecture: &'static str) -> Self {
        self.architecture = architecture;
        self
    }
    const fn leaves(mut self, trace: Trace) -> Self {
        self.trace = trace;
        self
    }
    const fn everywhere(mut self) -> Self {
        self.everywhere = true;
        self
    }
}

const CASES: &[Case] = &[
    case("crlf", &["/app/crlf.sh"], &[255, 1], "crlf-script").everywhere(),
    case("crlf-link", &["/app/link"], &[255, 1], "crlf-script"),
    case("crlf-env", &["/app/envcrlf.py"], &[127], "crlf-script"),
    case("crlf-later", &["/app/latercrlf.sh"], &[2], "crlf-script"),
    case("crlf-inner", &["/app/inner"], &[127], "crlf-script"),
    case("crlf-init", &["/app/crlf.sh"], &[127], "crlf-script").with(&["--init"]),
    case("crlf-no-log", &["/app/crlf.sh"], &[255, 1], "crlf-script")
        .with(&["--log-driver", "none"])
        .leaves(Trace::Code),
    case("no-shebang", &["/app/plain.sh"], &[255, 1], "bad-shebang").everywhere(),
    case("no-shebang-terminal", &["/app/plain.sh"], &[255, 1], "bad-shebang").with(&["--tty"]),
    case("bom", &["/app/bom.sh"], &[255, 1], "bad-shebang"),
    case("no-bash", &["/app/bash.sh"], &[255, 1], "missing-interpreter").everywhere(),
    case("no-python", &["/app/python.py"], &[127], "missing-interpreter"),
    case("no-loader", &["/app/dynamic"], &[255, 1], "missing-loader"),
    case("foreign", &["/app/riscv"], &[255, 1], "foreign-binary").about("yes").everywhere(),
    case("foreign-inner", &["/bin/sh", "-c", "/app/riscv"], &[127, 126, 2], "foreign-binary").about("yes"),
    case("empty", &["/app/empty"], &[255, 1], "empty-executable"),
    case("cut", &["/app/cut"], &[255, 1], "truncated-executable"),
    case("half", &["/app/half"], &[139], "truncated-executable").everywhere().leaves(Trace::Code),
    case("zeros", &["/app/zeros"], &[255, 1], "not-a-program"),
    case("class", &["/app/x.class"], &[255, 1], "not-a-program"),
    case("mac", &["/app/mac"], &[255, 1], "host-binary").about("yes"),
    case("mode", &["/app/mode.sh"], &[126], "not-executable").everywhere(),
    case("folder", &["/app"], &[126], "is-directory"),
    case("loop", &["/app/loop"], &[128, 127], "link-loop"),
    case("dangling", &["/app/dangling"], &[127], "command-not-found"),
    case("unknown-command", &["nosuch"], &[127], "command-not-found").everywhere(),
    case("unknown-in-shell", &["/bin/sh", "-c", "nosuch"], &[127], "command-not-found"),
    case("noexec", &["/bin/sh", "-c", "cp /app/ok.sh /mnt/; /mnt/ok.sh"], &[126], "noexec-mount")
        .with(&["--tmpfs", "/mnt:rw,noexec,mode=777"]),
    case("fault", &["/app/fault"], &[139], "crash").leaves(Trace::Code),
    case("memory", &["/bin/sh", "-c", "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done"], &[137, 128], "out-of-memory")
        .with(&["--memory", "8m"])
        .leaves(Trace::Memory),
    case("user", &["/app/ok.sh"], &[128, 126], "user-missing").with(&["--user", "nobodyx"]),
    case("own-error", &["/app/fail.sh"], &[1], "application-error").everywhere(),
    case("own-code", &["/bin/sh", "-c", "exit 3"], &[3], "application-error").leaves(Trace::Code),
    case(
        "own-database",
        &["/bin/sh", "-c", "echo 'Error: connect ECONNREFUSED 10.0.0.1:5432'; exit 1"],
        &[1],
        "application-error",
    ),
    case("well", &["/app/ok.sh"], &[0], "success").leaves(Trace::Code),
];

#[test]
fn every_cause_is_named_for_what_the_engine_really_did() {
    on_each("causes of stopped containers", |lab| {
        let image = Image::native(lab);
        let slow = lab.name == "arm64";
        let cases: Vec<&Case> = CASES.iter().filter(|case| !slow || case.everywhere).collect();
        let wrong: Vec<String> = std::thread::scope(|scope| {
            let running: Vec<_> = cases
                .chunks(cases.len().div_ceil(4))
                .map(|some| scope.spawn(|| some.iter().filter_map(|case| judge(lab, &image, case)).collect::<Vec<_>>()))
                .collect();
            running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert!(wrong.is_empty(), "{}:\n{}", lab.name, wrong.join("\n"));
    });
}

/// Runs one case; what is wrong about what is said, if anything.
fn judge(lab: &Lab, image: &Image<'_>, case: &Case) -> Option<String> {
    let name = format!("explain-test-{}", case.name);
    let made = Made::run(lab, &name, case.options, &image.tag, case.command, case.trace);
    let (code, error): (i64, String) = made.ended();
    if !case.codes.contains(&code) {
        return Some(format!("{}: the engine ended it with {code} ({error})", case.name));
    }
    let before = lab.inventory();
    let said = explain(lab, &made.name);
    let text = serde_json::to_string(&said).unwrap();
    let got = (said["cause"].as_str().unwrap(), said["architecture"].as_str().unwrap());
    let evidence = said["evidence"].as_array().unwrap();
    let sound = got == (case.cause, case.architecture)
        && said["exitCode"].as_i64() == Some(code)
        && !evidence.is_empty()
        && !text.contains("hunter2")
        && lab.docker(&["inspect", "--format", "{{.State.ExitCode}}", &made.name]) == code.to_string()
        && before.iter().any(|line| line.contains(&made.name));
    (!sound).then(|| format!("{}: {got:?} instead of {:?}: {said:#}", case.name, (case.cause, case.architecture)))
}

#[test]
fn an_image_for_a_platform_that_nothing_runs_is_told_from_a_foreign_file() {
    on_each("an image without an emulator", |lab| {
        let image = Image::riscv(lab);
        let made = Made::run(
            lab,
            "explain-test-platform",
            &["--platform", "linux/riscv64"],
            &image.tag,
            &["/app/riscv"],
            Trace::Words,
        );
        let (code, _) = made.ended();
        assert!([255, 1].contains(&code), "{}: {code}", lab.name);
        let said = explain(lab, &made.name);
        assert_eq!((&said["cause"], &said["architecture"]), (&json!("emulator-missing"), &json!("yes")), "{said:#}");
        assert_eq!(said["confidence"], "certain");
        assert!(!said["fixes"].as_array().unwrap().is_empty());
    });
}

/// A file of the user's project, what it becomes in the image, the fix, and the files after it.
struct Mended {
    file: &'static str,
    before: &'static str,
    mode: u32,
    title: &'static str,
    after: &'static [(&'static str, &'static str)],
}

const DOCKERFILE: &str = "FROM alpine:3.22\nCOPY run.sh /app/\nCMD [\"/app/run.sh\"]\n";

const MENDED: &[Mended] = &[
    Mended {
        file: "run.sh",
        before: "#!/bin/sh\r\necho hi\r\n",
        mode: 0o755,
        title: "to LF",
        after: &[("run.sh", "#!/bin/sh\necho hi\n"), (".gitattributes", "*.sh text eol=lf\n")],
    },
    Mended {
        file: "run.sh",
        before: "echo hi\n",
        mode: 0o755,
        title: "begin with its interpreter",
        after: &[("run.sh", "#!/bin/sh\necho hi\n")],
    },
    Mended {
        file: "run.sh",
        before: "\u{feff}#!/bin/sh\necho hi\n",
        mode: 0o755,
        title: "begin with its interpreter",
        after: &[("run.sh", "#!/bin/sh\necho hi\n")],
    },
    Mended {
        file: "run.sh",
        before: "#!/bin/bash\necho hi\n",
        mode: 0o755,
        title: "Install bash",
        after: &[(
            "Dockerfile",
            "FROM alpine:3.22\nRUN apk add --no-cache bash\nCOPY run.sh /app/\nCMD [\"/app/run.sh\"]\n",
        )],
    },
    Mended {
        file: "run.sh",
        before: "#!/bin/sh\necho hi\n",
        mode: 0o644,
        title: "copy it as executable",
        after: &[("Dockerfile", "FROM alpine:3.22\nCOPY --chmod=755 run.sh /app/\nCMD [\"/app/run.sh\"]\n")],
    },
];

#[test]
fn the_cause_is_mended_where_it_came_from_and_taken_back_byte_for_byte() {
    let Some(lab) =
        lab::engines("fixes in the user's source").into_iter().find(|lab| lab.endpoint.starts_with("unix:"))
    else {
        return;
    };
    for (number, case) in MENDED.iter().enumerate() {
        let user = TempDir::new().unwrap();
        let project = user.path().join("shop");
        std::fs::create_dir_all(&project).unwrap();
        let write = |name: &str, text: &str| std::fs::write(project.join(name), text).unwrap();
        write("Dockerfile", DOCKERFILE);
        write("compose.yaml", "services:\n  web:\n    build: .\n");
        write(case.file, case.before);
        let files = |project: &std::path::Path| -> std::collections::BTreeMap<String, Vec<u8>> {
            let entries = std::fs::read_dir(project).unwrap().map(|entry| entry.unwrap().path());
            entries
                .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
                .collect()
        };
        let before = files(&project);

        let content = [
            ("app/run.sh", case.mode, case.before.as_bytes().to_vec()),
            ("bin/busybox", 0o755, busybox(&lab, Lab::arch(&lab.native))),
            ("sbin/apk", 0o755, Vec::new()),
        ];
        let image = Image::load(&lab, &format!("mended{number}"), Lab::arch(&lab.native), &content);
        let label = |key: &str, value: &str| format!("--label=com.docker.compose.{key}={value}");
        let compose = project.join("compose.yaml").display().to_string();
        let labels = [
            label("project", "explain-shop"),
            label("service", "web"),
            label("project.working_dir", &project.display().to_string()),
            label("project.config_files", &compose),
        ];
        let options: Vec<&str> = labels.iter().map(String::as_str).collect();
        let name = format!("explain-test-mended{number}");
        let made = Made::run(&lab, &name, &options, &image.tag, &["/app/run.sh"], Trace::Words);

        let host = FixtureHost::new("/").with_home(user.path().to_str().unwrap());
        let app = App::start(AppOptions { host: Arc::new(host), ..AppOptions::default() });
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let request = ExplainRequest { engine: Some(lab.endpoint.clone()), container: made.name.clone() };
        let document = runtime.block_on(app.explain(request)).unwrap();
        let fix = document.explanation.fixes.iter().find(|fix| fix.title.contains(case.title));
        let fix = fix.unwrap_or_else(|| panic!("{}: {:#?}", case.title, document.explanation));
        let finding = document.finding.clone().unwrap();
        let shown =
            runtime.block_on(app.preview_fix(FixRequest { finding: finding.clone(), option: fix.option })).unwrap();
        assert_eq!(shown.preview.diffs.len(), case.after.len(), "{:#?}", shown.preview);
        assert_eq!(files(&project), before, "a preview changes nothing");
        assert!(format!("{:?}", shown.preview.commands).contains("--build"), "{:?}", shown.preview.commands);

        let request = ApplyRequest { finding, option: fix.option, token: shown.token };
        let outcome = runtime.block_on(app.apply_fix(request)).unwrap();
        let mut expected = before.clone();
        expected.extend(case.after.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())));
        assert_eq!(files(&project), expected, "{}", case.title);
        assert!(outcome.words.contains("built again"), "{}", outcome.words);
        runtime.block_on(app.apply_undo(ReceiptRequest { receipt: outcome.receipt })).unwrap();
        assert_eq!(files(&project), before, "{}: taken back", case.title);
    }
}

/// What the library says, as a document.
fn explain(lab: &Lab, container: &str) -> Value {
    let user = TempDir::new().unwrap();
    let (app, runtime) = (app(&user), tokio::runtime::Runtime::new().unwrap());
    let request = ExplainRequest { engine: Some(lab.endpoint.clone()), container: container.to_owned() };
    let document = runtime.block_on(app.explain(request)).unwrap_or_else(|failure| panic!("{container}: {failure:?}"));
    serde_json::to_value(document).unwrap()
}

fn app(user: &TempDir) -> Arc<App> {
    let host = FixtureHost::new(user.path()).with_home("/Users/ada");
    App::start(AppOptions { host: Arc::new(host), ..AppOptions::default() })
}

/// A container that goes with the test.
struct Made<'a> {
    lab: &'a Lab,
    name: String,
}

impl<'a> Made<'a> {
    /// Runs it to its end, or to the engine's refusal.
    fn run(lab: &'a Lab, name: &str, options: &[&str], image: &str, command: &[&str], trace: Trace) -> Self {
        let made = Self { lab, name: format!("{name}-{}", std::process::id()) };
        let head = ["run", "--name", &made.name, "--network", "none", "--pull", "never", "--env", "TOKEN=hunter2"];
        let words: Vec<&str> =
            head.iter().chain(options).copied().chain([image]).chain(command.iter().copied()).collect();
        for _ in 0..5 {
            // A refusal is what some of them are about.
            lab.client(&words).stdin(Stdio::null()).output().unwrap();
            if made.left(trace) {
                return made;
            }
            lab.docker(&["rm", "-v", &made.name]);
        }
        panic!("{name}: {} never has a trace of it", lab.name)
    }

    fn left(&self, trace: Trace) -> bool {
        let state =
            |what: &str| self.lab.docker(&["inspect", "--format", &format!("{{{{.State.{what}}}}}"), &self.name]);
        match trace {
            Trace::Code => true,
            Trace::Memory => state("OOMKilled") == "true" || !state("Error").is_empty(),
            Trace::Words if !state("Error").is_empty() => true,
            Trace::Words => {
                let log = self.lab.client(&["logs", &self.name]).output().unwrap();
                !(log.stdout.is_empty() && log.stderr.is_empty())
            }
        }
    }

    fn ended(&self) -> (i64, String) {
        let text = self.lab.docker(&["inspect", "--format", "{{.State.ExitCode}} {{.State.Error}}", &self.name]);
        let (code, error) = text.split_once(' ').unwrap_or((&text, ""));
        (code.parse().unwrap(), error.to_owned())
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        let _ = self.lab.client(&["rm", "-f", "-v", &self.name]).output();
    }
}

/// An image that goes with the test.
struct Image<'a> {
    lab: &'a Lab,
    tag: String,
}

impl Drop for Image<'_> {
    fn drop(&mut self) {
        let _ = self.lab.client(&["rmi", "-f", &self.tag]).output();
    }
}

impl<'a> Image<'a> {
    fn native(lab: &'a Lab) -> Self {
        let arch = Lab::arch(&lab.native);
        let busybox = busybox(lab, arch);
        let mut files = scripts();
        files.push(("app/half", 0o755, busybox[..busybox.len() / 2].to_vec()));
        files.push(("app/dynamic", 0o755, elf(arch, Some("/lib/ld-nowhere.so.1"), b"")));
        files.push(("app/fault", 0o755, elf(arch, None, fault(arch))));
        files.push(("bin/busybox", 0o755, busybox));
        Self::load(lab, "native", arch, &files)
    }

    fn riscv(lab: &'a Lab) -> Self {
        Self::load(lab, "riscv", "riscv64", &[("app/riscv", 0o755, elf("riscv64", None, b""))])
    }

    /// As a docker-archive, which engines of every year take.
    fn load(lab: &'a Lab, name: &str, arch: &str, files: &[(&str, u32, Vec<u8>)]) -> Self {
        let tag = format!("explain-test-{name}:{}", std::process::id());
        let mut layer = tar::Builder::new(Vec::new());
        let mut folders = BTreeSet::from(["app", "bin", "mnt", "sbin", "usr", "usr/bin"]);
        for folder in std::mem::take(&mut folders) {
            let mut header = header(0o755, 0);
            header.set_entry_type(tar::EntryType::Directory);
            layer.append_data(&mut header, folder, &[][..]).unwrap();
        }
        for (path, mode, bytes) in files {
            layer.append_data(&mut header(*mode, bytes.len()), path, bytes.as_slice()).unwrap();
        }
        let links = [
            ("bin/sh", "busybox"),
            ("bin/cp", "busybox"),
            ("usr/bin/env", "/bin/busybox"),
            ("app/link", "crlf.sh"),
            ("app/loop", "/app/loop"),
            ("app/dangling", "/nowhere"),
        ];
        for (path, target) in links {
            let mut header = header(0o777, 0);
            header.set_entry_type(tar::EntryType::Symlink);
            layer.append_link(&mut header, path, target).unwrap();
        }
        let layer = layer.into_inner().unwrap();
        let config = json!({
            "architecture": arch, "os": "linux", "config": { "Env": ["PATH=/bin:/app"] },
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", digest(&layer))] },
            "history": [{ "created_by": "COPY run.sh /app/ # buildkit" }],
        });
        let manifest = json!([{ "Config": "config.json", "RepoTags": [tag], "Layers": ["layer.tar"] }]);
        let mut archive = tar::Builder::new(Vec::new());
        let parts = [
            ("layer.tar", layer),
            ("config.json", config.to_string().into()),
            ("manifest.json", manifest.to_string().into()),
        ];
        for (path, bytes) in parts {
            archive.append_data(&mut header(0o644, bytes.len()), path, bytes.as_slice()).unwrap();
        }
        let mut load = lab.client(&["load", "-q"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        load.stdin.take().unwrap().write_all(&archive.into_inner().unwrap()).unwrap();
        assert!(load.wait().unwrap().success(), "{tag} on {}", lab.name);
        Self { lab, tag }
    }
}

fn header(mode: u32, size: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode);
    header.set_size(size as u64);
    header
}

fn digest(bytes: &[u8]) -> String {
    silidock_app::remedy::file::hash(bytes)
}

fn scripts() -> Vec<(&'static str, u32, Vec<u8>)> {
    let text = |path, text: &str| (path, 0o755, text.as_bytes().to_vec());
    vec![
        text("app/crlf.sh", "#!/bin/sh\r\necho hi\r\n"),
        text("app/envcrlf.py", "#!/usr/bin/env python\r\nprint()\r\n"),
        text("app/latercrlf.sh", "#!/bin/sh\nset -e\r\necho hi\r\n"),
        text("app/inner", "#!/bin/sh\n/app/crlf.sh\n"),
        text("app/plain.sh", "echo hi\n"),
        text("app/bom.sh", "\u{feff}#!/bin/sh\necho hi\n"),
        text("app/bash.sh", "#!/bin/bash\necho hi\n"),
        text("app/python.py", "#!/usr/bin/env python3\nprint()\n"),
        text("app/empty", ""),
        text("app/ok.sh", "#!/bin/sh\nexit 0\n"),
        text("app/fail.sh", "#!/bin/sh\necho 'fatal: no such table: users' >&2\nexit 1\n"),
        ("app/mode.sh", 0o644, b"#!/bin/sh\n".to_vec()),
        ("app/zeros", 0o755, vec![0; 5000]),
        ("app/cut", 0o755, b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0".to_vec()),
        ("app/x.class", 0o755, [b"\xca\xfe\xba\xbe\0\0\0\x34".as_slice(), &[0; 300]].concat()),
        ("app/mac", 0o755, [b"\xcf\xfa\xed\xfe\x0c\0\0\x01\0\0\0\0\x02\0\0\0".as_slice(), &[0; 200]].concat()),
        ("app/riscv", 0o755, elf("riscv64", None, b"")),
    ]
}

/// Reads address 0.
fn fault(arch: &str) -> &'static [u8] {
    if arch == "amd64" { b"\x31\xc0\x8b\x00" } else { b"\x00\x00\x80\xd2\x00\x00\x40\xf9" }
}

/// A small 64-bit program of one segment, with a loader if one is named.
fn elf(arch: &str, loader: Option<&str>, code: &[u8]) -> Vec<u8> {
    let machine: u16 = match arch {
        "amd64" => 62,
        "arm64" => 183,
        _ => 243,
    };
    const BASE: u64 = 0x40_0000;
    let headers: u64 = if loader.is_some() { 2 } else { 1 };
    let start = 64 + 56 * headers;
    let path = loader.map(|path| [path.as_bytes(), b"\0"].concat()).unwrap_or_default();
    let size = start + path.len() as u64 + code.len() as u64;
    let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let mut put = |bytes: &[u8]| out.extend_from_slice(bytes);
    put(&2_u16.to_le_bytes());
    put(&machine.to_le_bytes());
    put(&1_u32.to_le_bytes());
    put(&(BASE + start + path.len() as u64).to_le_bytes());
    put(&64_u64.to_le_bytes());
    put(&0_u64.to_le_bytes());
    put(&0_u32.to_le_bytes());
    for half in [64_u16, 56, headers as u16, 0, 0, 0] {
        put(&half.to_le_bytes());
    }
    let mut segment = |kind: u32, flags: u32, offset: u64, length: u64, align: u64| {
        put(&kind.to_le_bytes());
        put(&flags.to_le_bytes());
        for word in [offset, BASE + offset, BASE + offset, length, length, align] {
            put(&word.to_le_bytes());
        }
    };
    if loader.is_some() {
        segment(3, 4, start, path.len() as u64, 1);
    }
    segment(1, 5, 0, size, 4096);
    [out, path, code.to_vec()].concat()
}

/// The lab's own static busybox.
fn busybox(lab: &Lab, arch: &str) -> Vec<u8> {
    let id = lab.docker(&[
        "create",
        "--pull",
        "never",
        "--platform",
        &lab.native,
        &format!("silidock-lab/bb:{arch}"),
        "/bin/sh",
    ]);
    let output = lab.client(&["cp", &format!("{id}:/bin/busybox"), "-"]).output().unwrap();
    lab.docker(&["rm", &id]);
    let mut archive = tar::Archive::new(output.stdout.as_slice());
    let mut bytes = Vec::new();
    archive.entries().unwrap().next().unwrap().unwrap().read_to_end(&mut bytes).unwrap();
    assert!(bytes.starts_with(b"\x7fELF"));
    bytes
}
