//! Containers made anew for the engine's platform, on real engines: with the same configuration, back again when the new one
//! does not come up, after the engine or this program ended in the middle, and when somebody undoes it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)] // a test's way to fail

mod common;

use std::{
    path::Path,
    process::{Command, Stdio},
};

use common::{
    Ran,
    lab::{Lab, on_each},
    list, one,
    proxy::Proxy,
    ran,
    registry::{OCI, Registry},
    stage::{Project, SECRET, STAYS, Stage, configuration, machine_of, one_of, published},
    text,
};
use serde_json::{Value, json};

/// The arm64 machine of the lab is emulated itself: what is the same for every engine is not tried there again.
fn slow(lab: &Lab) -> bool {
    lab.name == "arm64"
}

#[test]
fn a_container_is_made_anew_as_it_was_and_taken_back() {
    on_each("a container made anew", |lab| {
        let stage = Stage::new(lab);
        let (front, back, volume) =
            (format!("{}-f", stage.own), format!("{}-b", stage.own), format!("{}-v", stage.own));
        lab.docker(&["network", "create", &front]);
        lab.docker(&["network", "create", &back]);
        let env = format!("TOKEN={SECRET}");
        let mount = format!("{volume}:/data");
        let name = stage.run(
            &[
                "--network",
                &front,
                "--network-alias",
                "door",
                "-p",
                "127.0.0.1::80",
                "-v",
                &mount,
                "-v",
                "/anonymous",
                "--mount",
                "type=volume,dst=/also",
                "--env",
                &env,
                "--label",
                "mine=1",
                "--memory",
                "48m",
                "--cpus",
                "0.5",
                "--restart",
                "unless-stopped",
                "--ulimit",
                "nofile=200:300",
                "--log-opt",
                "max-size=1m",
                "--init",
                "--read-only",
                "--tmpfs",
                "/tmp:size=1m",
                "--cap-drop",
                "NET_RAW",
                "--user",
                "0:0",
                "--workdir",
                "/bin",
                "--hostname",
                "chosen",
                "--add-host",
                "other:10.0.0.1",
                "--stop-timeout",
                "3",
                "--pids-limit",
                "50",
            ],
            STAYS,
        );
        lab.docker(&["network", "connect", "--alias", "rear", &back, &name]);
        lab.docker(&["exec", &name, "/bin/sh", "-c", "echo kept > /data/x; echo kept > /anonymous/x"]);
        let before = stage.inspect(&name);

        let finding = stage.finding(&name);
        assert_eq!(finding["fixes"][0]["safety"], "review", "it has volumes: {finding}");
        let shown = stage.silidock(&["fix", text(&finding, "id")]);
        assert!(shown.out.contains("/also, /anonymous, /data") && shown.out.contains("other ones"), "{shown:?}");
        assert!(shown.out.contains("\"docker rm -v\" will leave them: /also, /anonymous."), "{shown:?}");
        let state = |told: &Value| (told["Id"].clone(), told["State"].clone());
        assert_eq!(state(&stage.inspect(&name)), state(&before), "a preview changes nothing");

        let done = stage.fix(&name, "1");
        assert_eq!(done.document("change")["verified"], "verified", "{done:?}");
        let after = stage.inspect(&name);
        let (mut expected, mut found) = (configuration(&before), configuration(&after));
        let port = |told: &mut Value| told["ports"]["80/tcp"][0]["HostPort"].take();
        assert_ne!(port(&mut expected), Value::Null);
        port(&mut found);
        assert_eq!(found, expected);
        assert_eq!(after["State"]["Status"], "running");
        assert_eq!(stage.machine(&name), machine_of(&lab.native));
        let kept = lab.docker(&["exec", &name, "/bin/busybox", "cat", "/data/x", "/anonymous/x"]);
        assert_eq!(kept, "kept\nkept", "volumes are the same");
        nothing_of_the_secret(&stage, &done);

        let undone = stage.undo();
        assert_eq!(undone.status, 0, "{undone:?}");
        let mut again = configuration(&stage.inspect(&name));
        port(&mut again);
        assert_eq!(again, expected);
        assert_eq!(stage.machine(&name), machine_of(&lab.foreign));
        let receipts = stage.user.tmp().parent().unwrap().join("data/receipts");
        let saved = receipts.join(text(&stage.receipt(), "id")).join("engine");
        assert!(!saved.exists(), "what serves no way back is forgotten");
        let twice = stage.undo();
        assert!(twice.status == 2 && twice.err.contains("already undone"), "{twice:?}");
        let left = lab.docker(&["ps", "-a", "--format", "{{.Names}}"]);
        let left: Vec<&str> = left.lines().filter(|left| left.contains(&stage.own)).collect();
        assert_eq!(left, [name.as_str()], "nothing else stays behind");
    });
}

/// Environments are in one file, which only its owner may read, and nowhere that is shown.
fn nothing_of_the_secret(stage: &Stage<'_>, done: &Ran) {
    let receipt = text(&stage.receipt(), "id").to_owned();
    let folder = stage.user.tmp().parent().unwrap().join("data/receipts").join(receipt);
    let saved = folder.join("engine/container.json");
    assert!(std::fs::read_to_string(&saved).unwrap().contains(SECRET));
    assert_eq!(common::lab::mode(&saved), 0o600);
    let written = std::fs::read_to_string(folder.join("receipt.json")).unwrap();
    let history = stage.silidock(&["history", "--json"]);
    for told in [&written, &done.out, &done.err, &history.out] {
        assert!(!told.contains(SECRET), "{told}");
    }
}

/// What a program prints before it ends.
const LAST_WORDS: &str = "my last words";

/// What the new container printed is in the failure, and nowhere that lasts.
fn told_to_the_person_alone(stage: &Stage<'_>, failed: &Ran) {
    let detail = failed.out.contains("printed last:") && failed.out.contains(LAST_WORDS);
    assert!(detail, "{failed:?}");
    let kept = stage.receipt();
    assert!(!kept.to_string().contains(LAST_WORDS), "{kept}");
    let folder = stage.user.tmp().parent().unwrap().join("data/receipts").join(text(&kept, "id"));
    let written = std::fs::read_to_string(folder.join("receipt.json")).unwrap();
    assert!(!written.contains(LAST_WORDS), "{written}");
}

#[test]
fn the_old_container_comes_back_when_the_new_one_does_not_come_up() {
    on_each("a new container that fails", |lab| {
        if slow(lab) {
            return;
        }
        let foreign = machine_of(&lab.foreign);
        let here = format!("test \"$(/bin/busybox uname -m)\" = {foreign}");
        // (options, what runs, what is said)
        let health =
            ["--health-interval", "1s", "--health-retries", "1", "--health-timeout", "20s", "--health-cmd", &here];
        let fails = format!("{here} || {{ echo {LAST_WORDS} >&2; exit 7; }}; {STAYS}");
        let rows: [(&[&str], &str, &str); 3] = [
            (&[], &fails, "ended with status 7"),
            (&["--restart", "always"], &fails, "ended"),
            (&health, STAYS, "runs, and its health check fails"),
        ];
        for (options, script, said) in rows {
            let stage = Stage::new(lab);
            let name = stage.run(options, script);
            let before = stage.inspect(&name);
            let failed = stage.fix(&name, "1");
            assert_eq!(failed.status, 2, "{failed:?}");
            let said = format!("{name} {said}");
            assert!(failed.out.contains(&said) && failed.out.contains("is the container it was"), "{said}: {failed:?}");
            if script != STAYS {
                told_to_the_person_alone(&stage, &failed);
            }
            let kept = lab.docker(&["images", "--format", "{{.Repository}}"]);
            assert!(!kept.contains(&format!("silidock-kept/{name}")), "nothing needs that name: {kept}");
            let after = stage.inspect(&name);
            assert_eq!((&after["Id"], &after["Name"]), (&before["Id"], &before["Name"]), "{said}");
            assert_eq!(stage.machine(&name), foreign, "{said}: it runs");
            assert_eq!(stage.receipt()["state"], "takenBack");
            assert_eq!(stage.undo().status, 2, "there is nothing left to undo");
            let left = lab.docker(&["ps", "-a", "--format", "{{.Names}}"]);
            assert_eq!(left.lines().filter(|left| left.contains(&stage.own)).count(), 1, "{said}: {left}");
        }
    });
}

#[test]
fn an_end_in_the_middle_is_told_and_can_be_undone() {
    on_each("a change that ends in the middle", |lab| {
        if slow(lab) {
            return;
        }
        // The question at which the engine goes away.
        for asked in ["/rename", "/start", "DELETE /"] {
            let stage = Stage::new(lab);
            let name = stage.run(&[], STAYS);
            let before = stage.inspect(&name);
            let door = Proxy::shuts_at(&lab.endpoint, asked);
            let listed = ran(stage.command(&door.endpoint(), &["fix", "--list", "--json"])).document("fix-list");
            let id = text(one_of(&listed, &name), "id").to_owned();
            let failed = ran(stage.command(&door.endpoint(), &["fix", &id, "--apply", "--yes"]));
            assert_eq!(failed.status, 2, "{asked}: {failed:?}");
            assert!(failed.err.contains("silidock undo"), "{asked}: {failed:?}");
            door.open();
            let receipt = stage.receipt();
            assert_eq!(receipt["state"], "interrupted", "{asked}");
            assert!(text(&receipt, "note").contains("Undo brings back"), "{receipt}");
            let undone = stage.undo();
            assert_eq!(undone.status, 0, "{asked}: {undone:?}");
            let after = stage.inspect(&name);
            assert_eq!(after["State"]["Status"], "running", "{asked}");
            assert_eq!(stage.machine(&name), machine_of(&lab.foreign), "{asked}");
            assert_eq!(configuration(&after), configuration(&before), "{asked}");
            let left = lab.docker(&["ps", "-a", "--format", "{{.Names}}"]);
            assert_eq!(left.lines().filter(|left| left.contains(&stage.own)).count(), 1, "{asked}: {left}");
        }
    });
}

#[test]
fn a_service_is_made_anew_by_compose_and_made_again_when_that_fails() {
    on_each("a Compose service made anew", |lab| {
        if slow(lab) {
            return;
        }
        let foreign = machine_of(&lab.foreign);
        let here = format!("test \"$(/bin/busybox uname -m)\" = {foreign}");
        let fails = format!("{here} || {{ echo {LAST_WORDS}; exit 7; }}; {STAYS}");
        let pinned = format!("    platform: {}\n", lab.foreign);
        // (what runs, more of the file, it works)
        let profile = "    profiles: [odd]\n";
        let rows = [(STAYS, profile, true), (STAYS, pinned.as_str(), true), (fails.as_str(), "", false)];
        for (script, more, works) in rows {
            let stage = Stage::new(lab);
            let project = Project::up(&stage, script, more, 1);
            let name = project.container();
            lab.docker(&["exec", &name, "/bin/sh", "-c", "echo kept > /data/x"]);
            let before = stage.inspect(&name);
            let shown = stage.silidock(&["fix", text(&stage.finding(&name), "id")]).out;
            assert!(shown.contains("Compose removes the old container before"), "{shown}");
            assert!(!shown.contains("Nothing is restarted") && !shown.contains("old container is kept"), "{shown}");
            assert!(shown.contains(&format!("env DOCKER_DEFAULT_PLATFORM={} docker compose", lab.native)), "{shown}");
            assert!(!shown.contains("say something else"), "a profile changes nothing of the service: {shown}");
            let done = stage.fix(&name, "1");
            if works {
                assert_eq!(done.document("change")["verified"], "verified", "{done:?}");
                assert_eq!(stage.machine(&name), machine_of(&lab.native));
                assert_eq!(lab.docker(&["exec", &name, "/bin/busybox", "cat", "/data/x"]), "kept");
                let written = std::fs::read_to_string(&project.file).unwrap();
                assert_eq!(written, project.text.replace(&pinned, ""), "only the pin goes");
                nothing_of_the_secret(&stage, &done);
                let undone = stage.undo();
                assert_eq!(undone.status, 0, "{undone:?}");
            } else {
                assert_eq!(done.status, 2, "{done:?}");
                assert!(done.out.contains("status 7") && done.out.contains("was made again as it was"), "{done:?}");
                told_to_the_person_alone(&stage, &done);
                let receipt = stage.receipt();
                assert_eq!(receipt["state"], "takenBack");
                // The tag means another image, so the container is made again from the one that was kept.
                let stays = format!("docker image rm silidock-kept/{}", name.trim_end_matches("-app-1"));
                assert!(done.out.contains(&stays) && text(&receipt, "note").contains(&stays), "{done:?} {receipt}");
            }
            let after = stage.inspect(&name);
            assert_eq!(configuration(&after), configuration(&before), "{more}");
            assert_eq!(stage.machine(&name), foreign);
            assert_eq!(std::fs::read_to_string(&project.file).unwrap(), project.text);
            let of_project = project.compose(&["ps", "-a", "--format", "{{.Name}}"]).output().unwrap();
            assert_eq!(String::from_utf8(of_project.stdout).unwrap().trim(), name, "Compose knows it as its own");
        }
        let stage = Stage::new(lab);
        let project = Project::up(&stage, STAYS, &pinned, 2);
        let refused = stage.fix(&project.container(), "1");
        assert!(refused.status == 2 && refused.out.contains("has 2 containers"), "{refused:?}");
        let typed = [
            "silidock unpin",
            &format!("DOCKER_DEFAULT_PLATFORM={} docker compose", lab.native),
            "--scale 'app=2' app",
        ];
        assert!(typed.iter().all(|line| refused.out.contains(line)), "{refused:?}");
        let untouched = std::fs::read_to_string(&project.file).unwrap();
        assert_eq!(untouched, project.text);
    });
}

#[test]
fn copies_of_volumes_are_the_way_back_of_a_database_that_was_upgraded() {
    on_each("volumes that are copied first", |lab| {
        if slow(lab) {
            return;
        }
        let stage = Stage::new(lab);
        let native = machine_of(&lab.native);
        // The native program upgrades its files, and the old one refuses them.
        let script = format!(
            "if test \"$(/bin/busybox uname -m)\" = {native}; then echo new > /data/version; elif test -e /data/version; then \
             read -r version < /data/version; test \"$version\" = old || exit 9; else echo old > /data/version; fi; {STAYS}"
        );
        let mount = format!("{}-v:/data", stage.own);
        let name = stage.run(&["-v", &mount], &script);
        let finding = stage.finding(&name);
        let titles: Vec<&str> = list(&finding, "fixes").iter().map(|fix| text(fix, "title")).collect();
        assert!(titles[1].ends_with("and copy its volumes first"), "{titles:?}");
        let done = stage.fix(&name, "2");
        assert_eq!(done.document("change")["verified"], "verified", "{done:?}");
        let version = || lab.docker(&["exec", &name, "/bin/busybox", "cat", "/data/version"]);
        assert_eq!(version(), "new");
        let undone = stage.undo();
        assert_eq!(undone.status, 0, "{undone:?}");
        assert_eq!((version(), stage.machine(&name)), ("old".to_owned(), machine_of(&lab.foreign).to_owned()));
        let volumes = lab.docker(&["volume", "ls", "--format", "{{.Name}}"]);
        let copy = volumes.lines().find(|volume| volume.contains("-silidock-") && volume.contains(&stage.own)).unwrap();
        let (named, receipt) = (format!("docker volume rm {copy}"), stage.receipt());
        assert!(undone.out.contains(&named) && text(&receipt, "note").contains(&named), "{undone:?} {receipt}");
        assert_eq!(volumes.lines().filter(|volume| volume.contains(&stage.own)).count(), 2, "both stay: {volumes}");
    });
}

#[test]
fn the_native_variant_is_pulled_with_the_user_s_login() {
    on_each("a native variant that is pulled", |lab| {
        let network = Path::new(&std::env::var("SILIDOCK_LAB").unwrap()).with_file_name(&lab.name).join("netns");
        if !network.exists() {
            eprintln!("SKIPPED on {}: a registry cannot be put into its network", lab.name);
            return;
        }
        let Some(registry) = Registry::start("a native variant that is pulled", true) else { return };
        let registry = registry.also_where(&lab.name);
        let mut stage = Stage::new(lab);
        let reference = format!("{}/{}:1", registry.host, stage.own);
        let manifests: Vec<Value> =
            [&lab.foreign, &lab.native].map(|platform| published(&registry, &stage, platform, None)).into();
        let index = json!({ "schemaVersion": 2, "mediaType": OCI.0, "manifests": manifests });
        registry.manifest(&stage.own, Some("1"), OCI.0, &index);
        std::fs::create_dir(stage.user.home().join(".docker")).unwrap();
        // ada:s3cret pass
        let settings = json!({ "auths": { &registry.host: { "auth": "YWRhOnMzY3JldCBwYXNz" } } });
        std::fs::write(stage.user.home().join(".docker/config.json"), settings.to_string()).unwrap();
        let config = stage.user.home().join(".docker");
        let pulled = lab
            .client(&["pull", "--quiet", "--platform", &lab.foreign, &reference])
            .env("DOCKER_CONFIG", &config)
            .output();
        let pulled = pulled.unwrap();
        assert!(pulled.status.success(), "{}", String::from_utf8_lossy(&pulled.stderr));
        stage.image = reference.clone();
        let name = format!("{}-c", stage.own);
        let run = [
            "run",
            "--detach",
            "--pull",
            "never",
            "--name",
            &name,
            "--stop-signal",
            "KILL",
            "--platform",
            &lab.foreign,
            "--init",
            "--tmpfs",
            "/scratch",
        ];
        lab.docker(&[&run[..], &[&reference, "/bin/sh", "-c", STAYS]].concat());

        let silidock = |words: &[&str]| {
            let mut command = stage.command(&lab.endpoint, words);
            command.env("DOCKER_CONFIG", &config).env("HTTPS_PROXY", "http://127.0.0.1:9");
            ran(command)
        };
        let listed = silidock(&["fix", "--list", "--ask-registry", "--json"]).document("fix-list");
        let found = one_of(&listed, &name);
        assert_eq!(found["fixes"][0]["safety"], "safe", "the same content, and nothing to lose: {found}");
        let id = text(found, "id");
        let done = silidock(&["fix", id, "--ask-registry", "--apply", "--yes", "--json"]);
        assert_eq!(done.document("change")["verified"], "verified", "{done:?}");
        assert!(!format!("{done:?}").contains("s3cret"));
        assert_eq!(stage.machine(&name), machine_of(&lab.native));
        let undone = stage.undo();
        assert_eq!(undone.status, 0, "{undone:?}");
        assert_eq!(stage.machine(&name), machine_of(&lab.foreign));
        if !lab.containerd_store() {
            let means = lab.docker(&["image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", &reference]);
            assert_eq!(means, lab.foreign, "the tag means what it meant");
        }
    });
}

#[test]
fn a_fix_as_a_script_keeps_the_shell_s_rules_and_does_the_same() {
    on_each("a fix as a script", |lab| {
        if lab.endpoint.starts_with("tcp:") {
            return;
        }
        let stage = Stage::new(lab);
        let volume = format!("{}-v:/data", stage.own);
        let env = format!("TOKEN={SECRET}");
        let name = stage.run(&["-v", &volume, "-v", "/anonymous", "--env", &env, "--label", "a=it's $(odd)"], STAYS);
        let network = format!("{}-n", stage.own);
        let third = std::process::id() % 250;
        let (subnet, address) = (format!("10.214.{third}.0/24"), format!("10.214.{third}.9"));
        lab.docker(&["network", "create", "--subnet", &subnet, &network]);
        lab.docker(&["network", "connect", "--alias", "called", "--ip", &address, &network, &name]);
        lab.docker(&["exec", &name, "/bin/sh", "-c", "echo kept > /data/x"]);
        let before = stage.inspect(&name);
        let id = text(&stage.finding(&name), "id").to_owned();
        let written = |option: &str| stage.silidock(&["fix", &id, "--option", option, "--script"]);
        for option in ["1", "2"] {
            let script = written(option);
            assert!(script.status == 0 && !script.out.contains(SECRET), "{script:?}");
            for checker in [&["sh", "-n", "-"][..], &["shellcheck", "-s", "sh", "-"]] {
                checked(checker, &script.out);
            }
        }
        assert_eq!(stage.inspect(&name)["Id"], before["Id"], "a script changes nothing by being written");
        if !here("curl") || !here("jq") {
            return;
        }
        let done = stage.by_hand(&written("2").out);
        assert_eq!(done.status, 0, "{done:?}");
        let after = stage.inspect(&name);
        assert_eq!(stage.machine(&name), machine_of(&lab.native));
        let mounts = |told: &Value| configuration(told)["mounts"].clone();
        assert_eq!(mounts(&after), mounts(&before));
        assert_eq!(after["Config"]["Env"], before["Config"]["Env"]);
        assert_eq!(after["Config"]["Labels"]["a"], "it's $(odd)");
        let further = &after["NetworkSettings"]["Networks"][&network];
        assert_eq!(further["IPAMConfig"]["IPv4Address"], json!(address), "{further}");
        assert!(list(further, "Aliases").contains(&json!("called")), "{further}");
        let all_copies = ["1", "2"].map(|n| format!("{name}-copy-{n}"));
        // An archive of the file, without a program that prints it: a busy engine can lose what that prints.
        let holds = |copy: &String| {
            let reader = lab.docker(&["create", "-v", &format!("{copy}:/data"), &stage.image, "/bin/busybox"]);
            let archive = lab.client(&["cp", &format!("{reader}:/data/x"), "-"]).output().unwrap().stdout;
            lab.docker(&["rm", &reader]);
            archive.windows(5).any(|bytes| bytes == b"kept\n")
        };
        assert!(all_copies.iter().any(holds), "a copy holds the file");
        let all = stage.silidock(&["fix", "--all-safe", "--script"]);
        checked(&["shellcheck", "-s", "sh", "-"], &all.out);
    });
}

#[test]
fn a_script_whose_new_container_does_not_run_starts_the_old_one_again() {
    on_each("a fix as a script that fails", |lab| {
        if lab.endpoint.starts_with("tcp:") || !here("curl") || !here("jq") {
            return;
        }
        let stage = Stage::new(lab);
        let fails = format!("[ $(/bin/busybox uname -m) = {} ] || exit 3; {STAYS}", machine_of(&lab.foreign));
        let name = stage.run(&[], &fails);
        let before = stage.inspect(&name);
        let id = text(&stage.finding(&name), "id").to_owned();
        let script = stage.silidock(&["fix", &id, "--option", "1", "--script"]);
        let done = stage.by_hand(&script.out);
        assert!(done.status != 0 && done.err.contains(&format!("{name} does not come up")), "{done:?}");
        let after = stage.inspect(&name);
        assert_eq!((&after["Id"], &after["State"]["Status"]), (&before["Id"], &json!("running")));
        let kept = lab.docker(&["images", "--format", "{{.Repository}}"]);
        assert!(!kept.contains(&format!("silidock-kept/{name}")), "nothing needs that name: {kept}");
        let own = lab.docker(&["ps", "-a", "--format", "{{.Names}}"]);
        assert_eq!(own.lines().filter(|one| one.contains(&stage.own)).collect::<Vec<_>>(), [name.as_str()]);
    });
}

/// Whether a tool is on this machine; said where it is not.
fn here(tool: &str) -> bool {
    let found = tool == "sh" || Command::new(tool).arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED, because {tool} is not here: what it says of scripts");
    }
    found
}

/// Gives a program a text to read, and wants it content.
fn checked(program: &[&str], text: &str) {
    if !here(program[0]) {
        return;
    }
    let mut child = Command::new(program[0])
        .args(&program[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program[0]));
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program:?}: {}\n{text}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_program_that_is_ended_takes_it_back_and_a_killed_one_leaves_what_can_be_undone() {
    on_each("a program that is ended", |lab| {
        for (signal, state) in [("KILL", "interrupted"), ("INT", "takenBack")] {
            let stage = Stage::new(lab);
            // Nobody may end it by asking, so that stopping takes its time.
            let name = stage.run(&["--stop-signal", "CONT", "--stop-timeout", "4"], STAYS);
            let before = stage.inspect(&name);
            let id = text(&stage.finding(&name), "id").to_owned();
            let mut command = stage.command(&lab.endpoint, &["fix", &id, "--apply", "--yes"]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            let told = std::io::BufReader::new(child.stderr.take().unwrap());
            let mut told = std::io::BufRead::lines(told).map_while(Result::ok);
            assert!(told.any(|line| line.starts_with("Stopping")), "it never came to that");
            let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
            assert!(sent.success());
            let told: Vec<String> = told.collect();
            child.wait().unwrap();
            let said = told.iter().any(|line| line.contains("not finished, taken back. Receipt "));
            assert_eq!(said, signal == "INT", "{told:?}");
            assert_eq!(stage.receipt()["state"], state, "{signal}");
            if state == "interrupted" {
                let undone = stage.undo();
                assert_eq!(undone.status, 0, "{undone:?}");
            }
            assert_eq!(stage.inspect(&name)["Id"], before["Id"], "{signal}");
            assert_eq!(stage.machine(&name), machine_of(&lab.foreign), "{signal}");
        }
    });
}

#[test]
fn what_cannot_be_made_anew_is_refused_and_an_undo_that_would_lose_something_too() {
    on_each("refusals", |lab| {
        if slow(lab) {
            return;
        }
        let stage = Stage::new(lab);
        let name = stage.run(&["--rm"], STAYS);
        let refused = stage.fix(&name, "1");
        assert!(refused.status == 2 && refused.out.contains("--rm"), "{refused:?}");

        // Others that would lose something: (how they joined, a service of Compose, what is said, what is typed)
        let rows = [
            ("--network", true, "lives in its network", "--force-recreate app"),
            ("--pid", false, "lives among its processes", "docker rm --force"),
        ];
        for (joined, by_compose, said, typed) in rows {
            let stage = Stage::new(lab);
            let name = match by_compose {
                true => Project::up(&stage, STAYS, "", 1).container(),
                false => stage.run(&[], STAYS),
            };
            let (side, of) = (format!("{}-side", stage.own), format!("container:{name}"));
            lab.docker(&["run", "--detach", "--name", &side, joined, &of, &stage.image, "/bin/sh", "-c", STAYS]);
            let before = stage.inspect(&name)["State"].clone();
            let refused = stage.fix(&name, "1");
            assert!(refused.status == 2 && refused.out.contains(&format!("{side} {said}")), "{refused:?}");
            assert!(refused.out.contains(typed), "{refused:?}");
            assert_eq!(stage.inspect(&name)["State"], before, "{joined}");
            let all = stage.silidock(&["fix", "--all-safe"]);
            assert!(all.out.contains(&format!("{side} {said}")), "{all:?}");
        }

        let stage = Stage::new(lab);
        let name = stage.run(&[], STAYS);
        assert_eq!(stage.finding(&name)["fixes"][0]["safety"], "review", "another image: maybe another version");
        assert_eq!(stage.fix(&name, "1").status, 0);
        lab.docker(&["rm", "--force", &name]);
        lab.docker(&["run", "--detach", "--name", &name, &stage.image, "/bin/sh", "-c", STAYS]);
        let since = stage.undo();
        assert!(since.status == 2 && since.err.contains("another container by now"), "{since:?}");
        lab.docker(&["rm", "--force", &name]);
        let kept = lab.docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]);
        let kept = kept.lines().find(|image| image.contains("silidock-kept") && image.contains(&stage.own)).unwrap();
        let old =
            one(list(&stage.silidock(&["history", "--json"]).document("history"), "receipts"), "state", "applied")
                .clone();
        assert!(text(&old, "title").contains(&name));
        lab.docker(&["rmi", "--force", kept]);
        if lab.containerd_store() {
            let gone = stage.undo();
            let foreign_is_elsewhere = gone.status == 0;
            assert!(foreign_is_elsewhere || gone.err.contains("not on the engine any more"), "{gone:?}");
        }
    });
}
