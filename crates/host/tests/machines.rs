//! The real machine and described ones answer by the same rules.

// The helpers of tests may fail loudly, too.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use silidock_host::{
    FixtureHost, Hardware, Host, KNOWN_FOLDERS, LocalHost, OsFamily, Output, ReadError, RunError, ToolRun,
};
use tempfile::TempDir;

const HOME: &str = "/Users/ada";
const VERSION_PLIST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>ProductName</key><string>macOS</string>
<key>ProductVersion</key><string>26.1</string></dict></plist>"#;

fn write(root: &TempDir, path: &str, content: &str, mode: u32) -> PathBuf {
    let place = root.path().join(path.trim_start_matches('/'));
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(&place, content).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(mode)).unwrap();
    place
}

fn mac() -> (TempDir, FixtureHost) {
    let root = tempfile::tempdir().unwrap();
    write(&root, "/System/Library/CoreServices/SystemVersion.plist", VERSION_PLIST, 0o644);
    let host = FixtureHost::new(root.path()).with_home(HOME);
    (root, host)
}

/// Which of the reasons it is, and the path it names.
fn reason(error: &ReadError) -> (&'static str, &Path) {
    match error {
        ReadError::Missing { path } => ("missing", path),
        ReadError::Permission { path } => ("permission", path),
        ReadError::TooLarge { path, .. } => ("too large", path),
        ReadError::WrongKind { path, .. } => ("wrong kind", path),
        ReadError::Io { path, .. } => ("other", path),
    }
}

#[test]
fn reading_is_bounded_and_says_why_it_fails() {
    let root = tempfile::tempdir().unwrap();
    let file = write(&root, "/file", "12345", 0o644);
    let fixture = FixtureHost::new(root.path());
    let hosts: [(&dyn Host, &Path); 2] = [(&LocalHost, root.path()), (&fixture, Path::new("/"))];
    for (host, base) in hosts {
        assert_eq!(host.read(&base.join("file"), 5).unwrap(), b"12345");
        for (path, limit, expected) in
            [("file", 4, "too large"), ("none", 9, "missing"), ("file/below", 9, "missing"), ("", 9, "wrong kind")]
        {
            let path = base.join(path);
            let error = host.read(&path, limit).unwrap_err();
            assert_eq!(reason(&error), (expected, path.as_path()), "{error}");
        }
        assert_eq!(reason(&host.list_dir(&base.join("file")).unwrap_err()).0, "wrong kind");
        let names: Vec<_> = host.list_dir(base).unwrap().into_iter().map(|entry| (entry.name, entry.is_dir)).collect();
        assert_eq!(names, [("file".into(), false)]);
    }
    assert_eq!(fixture.read(&file, 5).unwrap(), b"12345", "a path below the root is taken as it is");
    // A socket is there but is no file; reading it must not wait for anybody.
    let socket = root.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert_eq!(reason(&LocalHost.read(&socket, 5).unwrap_err()).0, "wrong kind");
}

#[test]
fn links_are_resolved_inside_a_described_machine() {
    let (root, host) = mac();
    write(&root, "/Users/ada/.orbstack/run/docker.sock", "", 0o644);
    fs::create_dir_all(root.path().join("private/var/run")).unwrap();
    symlink("/private/var", root.path().join("var")).unwrap();
    symlink("/Users/ada/.orbstack/run/docker.sock", root.path().join("private/var/run/docker.sock")).unwrap();
    symlink("../run/./docker.sock", root.path().join("private/var/run/again")).unwrap();
    symlink("/nowhere/docker.sock", root.path().join("private/var/run/dangling")).unwrap();
    symlink("loop", root.path().join("loop")).unwrap();
    let table = [
        ("/var/run/docker.sock", true, "/Users/ada/.orbstack/run/docker.sock"),
        ("/var/run/again", true, "/Users/ada/.orbstack/run/docker.sock"),
        ("/var/run/dangling", false, "/nowhere/docker.sock"),
        ("/../../Users/ada", true, "/Users/ada"),
    ];
    for (path, exists, real) in table {
        assert_eq!(host.exists(Path::new(path)), exists, "{path}");
        assert_eq!(host.real_path(Path::new(path)).unwrap(), Path::new(real), "{path}");
    }
    assert!(!host.exists(Path::new("/loop")), "a loop ends");
    assert_eq!(reason(&host.real_path(Path::new("/none")).unwrap_err()).0, "missing");
    assert!(!host.exists(Path::new("/etc/passwd")), "the real machine does not show through");

    let dangling = root.path().join("private/var/run/dangling");
    assert_eq!(LocalHost.real_path(&dangling).unwrap(), Path::new("/nowhere/docker.sock"));
}

#[test]
fn what_kind_of_machine_it_is() {
    let (_root, host) = mac();
    let bare = host.facts();
    assert_eq!((bare.os, bare.os_version.as_deref()), (OsFamily::MacOs, Some("26.1")));
    assert_eq!((bare.apple_silicon, bare.translated, bare.arch), (None, None, None), "no sysctl, no answer");

    let silicon = host
        .clone()
        .with_hardware(Hardware { arch: Some("x86_64".to_owned()), ..Hardware::default() })
        .with_sysctl("kern.ostype", "Darwin")
        .with_sysctl("hw.optional.arm64", "1")
        .with_sysctl("sysctl.proc_translated", "1")
        .with_sysctl("hw.machine", "x86_64")
        .with_sysctl("hw.logicalcpu", "10")
        .with_sysctl("hw.memsize", "34359738368")
        .with_sysctl("machdep.cpu.brand_string", "Apple M3 Max");
    let facts = silicon.facts();
    assert_eq!((facts.apple_silicon, facts.translated), (Some(true), Some(true)));
    assert_eq!(facts.arch.as_deref(), Some("arm64"), "the machine's, not this translated program's");
    assert_eq!((facts.logical_cores, facts.memory), (Some(10), Some(34_359_738_368)));
    assert_eq!(facts.cpu_brand.as_deref(), Some("Apple M3 Max"));

    let intel = host.with_sysctl("kern.ostype", "Darwin").with_sysctl("hw.machine", "x86_64").facts();
    assert_eq!(
        (intel.apple_silicon, intel.translated, intel.arch.as_deref()),
        (Some(false), Some(false), Some("x86_64"))
    );

    let root = tempfile::tempdir().unwrap();
    assert_eq!(FixtureHost::new(root.path()).facts().os, OsFamily::Other);
    write(&root, "/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n", 0o644);
    let linux = FixtureHost::new(root.path()).with_sysctl("hw.optional.arm64", "1").facts();
    assert_eq!((linux.os, linux.os_version.as_deref()), (OsFamily::Linux, Some("Debian GNU/Linux 12 (bookworm)")));
    assert_eq!(linux.apple_silicon, None, "asked on a Mac only");

    let here = LocalHost.facts();
    assert_ne!(here.os, OsFamily::Other);
    assert!(here.logical_cores.is_some_and(|cores| cores > 0) && here.memory.is_some_and(|bytes| bytes > 1 << 20));
    assert!(here.arch.is_some() && here.os_version.is_some());
}

#[test]
fn places_and_names() {
    let (_root, host) = mac();
    assert_eq!(host.data_dir().unwrap(), Path::new("/Users/ada/Library/Application Support/dev.silidock"));
    assert_eq!(host.user_name().as_deref(), Some("ada"), "from the home folder");
    let root = tempfile::tempdir().unwrap();
    let linux = FixtureHost::new(root.path()).with_home("/home/ada").with_env("LOGNAME", "bob").with_host_name("box");
    let table = [
        (linux.clone(), "/home/ada/.local/share/silidock"),
        (linux.clone().with_env("XDG_DATA_HOME", "/data"), "/data/silidock"),
        (linux.clone().with_env("XDG_DATA_HOME", "relative"), "/home/ada/.local/share/silidock"),
        (linux.clone().with_env("SILIDOCK_DATA_DIR", "/mine").with_env("XDG_DATA_HOME", "/data"), "/mine"),
        (linux.clone().with_env("SILIDOCK_DATA_DIR", ""), "/home/ada/.local/share/silidock"),
    ];
    for (host, expected) in table {
        assert_eq!(host.data_dir().unwrap(), Path::new(expected));
    }
    assert_eq!(FixtureHost::new(root.path()).data_dir(), None, "no home, no place");
    assert_eq!((linux.user_name().as_deref(), linux.host_name().as_deref()), (Some("bob"), Some("box")));
    assert_eq!(linux.temp_dir(), Path::new("/tmp"));
}

#[test]
fn tools_are_found_in_known_folders_with_a_bare_path() {
    let (root, host) = mac();
    let host = host.with_env("PATH", "/usr/bin:relative:/bin");
    write(&root, "/Users/ada/.orbstack/bin/docker", "", 0o755);
    write(&root, "/Users/ada/.docker/bin/docker", "", 0o644);
    write(&root, "/opt/homebrew/bin/colima", "", 0o755);
    write(&root, "/usr/bin/ssh", "", 0o755);
    write(&root, "/relative/limactl", "", 0o755);
    let table = [
        ("docker", Some("/Users/ada/.orbstack/bin/docker")),
        ("colima", Some("/opt/homebrew/bin/colima")),
        ("ssh", Some("/usr/bin/ssh")),
        ("/usr/bin/ssh", Some("/usr/bin/ssh")),
        ("./ssh", None),
        ("limactl", None),
        ("podman", None),
    ];
    for (name, expected) in table {
        assert_eq!(host.find_tool(name).as_deref(), expected.map(Path::new), "{name}");
    }
    let expected = "/usr/bin:/bin:/opt/homebrew/bin:/Users/ada/.docker/bin:/Users/ada/.orbstack/bin";
    assert_eq!(host.tool_path(), expected, "PATH first, then the folders that exist, each once");
    for (index, folder) in KNOWN_FOLDERS.iter().enumerate() {
        assert!(folder.path.starts_with(['/', '~']) && !folder.source.is_empty());
        assert!(KNOWN_FOLDERS[..index].iter().all(|other| other.path != folder.path), "{} is there twice", folder.path);
    }
}

#[tokio::test]
async fn running_has_limits() {
    let host: Arc<dyn Host> = Arc::new(LocalHost::new());
    let sh = |script: &str| ToolRun::new("/bin/sh", &["-c", script]);
    let output = host.run(&sh("echo \"$A|$1\"; echo bad >&2; exit 3").env("A", "x y")).await.unwrap();
    assert_eq!((output.status, output.text().as_str(), output.stderr.as_slice()), (Some(3), "x y|", &b"bad\n"[..]));
    assert!(!output.success());
    let widened = host.run(&sh("printf %s \"$PATH\"")).await.unwrap();
    assert_eq!(widened.text(), host.tool_path().to_string_lossy());

    let root = tempfile::tempdir().unwrap();
    let told = root.path().join("pid");
    let plugin = sh("sleep 600 & echo $! > \"$TOLD\"; wait").env("TOLD", &told.display().to_string());
    let error = host.run(&plugin.timeout(Duration::from_secs(8))).await.unwrap_err();
    assert!(matches!(error, RunError::TimedOut { .. }), "{error:?}");
    is_gone(fs::read_to_string(told).unwrap().trim()).await;
    let error = host.run(&sh("cat /dev/zero").output_limit(1000)).await.unwrap_err();
    assert!(matches!(error, RunError::TooMuchOutput { limit: 1000, .. }), "{error:?}");
    let error = host.run(&ToolRun::new("/nowhere/tool", &[])).await.unwrap_err();
    assert!(matches!(error, RunError::NotFound { .. }), "{error:?}");
    let plain = write(&root, "/plain", "text", 0o644);
    let error = host.run(&ToolRun::new(plain, &[])).await.unwrap_err();
    assert!(matches!(error, RunError::Permission { .. }), "{error:?}");
}

#[tokio::test]
async fn a_tool_that_works_for_long_is_followed_line_by_line() {
    let host: Arc<dyn Host> = Arc::new(LocalHost::new());
    let sh = |script: &str| ToolRun::new("/bin/sh", &["-c", script]).input("given\n");
    let long = "x".repeat(3 << 20);
    let table = [
        ("cat; echo a >&2; printf 'b\\r\\nc'; exit 3", Some(3), vec!["given", "a", "b", "c"]),
        ("head -c 3145728 /dev/zero | tr '\\0' x; echo; echo end", Some(0), vec![&long[..1 << 20], "end"]),
        ("kill -9 $$", None, vec![]),
    ];
    for (script, status, lines) in table {
        let mut seen = Vec::new();
        let ended = host.follow(&sh(script), &mut |line: &str| seen.push(line.to_owned())).await.unwrap();
        let mut expected: Vec<String> = lines.into_iter().map(str::to_owned).collect();
        // The two streams have no order between them.
        seen.sort();
        expected.sort();
        assert_eq!((ended, seen), (status, expected), "{script}");
    }
    let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut line = |line: &str| drop(sender.send(line.to_owned()));
    let endless = sh("sleep 600 & echo $!; wait");
    let pid = tokio::select! {
        ended = host.follow(&endless, &mut line) => panic!("it ended: {ended:?}"),
        pid = told.recv() => pid.unwrap(),
    };
    is_gone(&pid).await;
}

/// Waits for the end of what a tool has started, after nobody waits for the tool any more.
async fn is_gone(pid: &str) {
    let gone = || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.map_or(true, |stat| stat.contains(") Z "))
    };
    for _ in 0..500 {
        if gone() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{pid} goes on although nobody waits for it");
}

#[tokio::test]
async fn a_described_machine_answers_only_the_commands_it_knows() {
    let (_root, host) = mac();
    let on = Output { status: Some(0), stdout: b"true\n".to_vec(), stderr: Vec::new() };
    let host = host.with_command(&["orb", "config", "get", "rosetta"], on);
    let asked = ToolRun::new("/usr/local/bin/orb", &["config", "get", "rosetta"]);
    assert_eq!(host.run(&asked).await.unwrap().text(), "true");
    let error = host.run(&ToolRun::new("/usr/local/bin/orb", &["stop"])).await.unwrap_err();
    assert!(matches!(error, RunError::NotFound { .. }), "{error:?}");
}
