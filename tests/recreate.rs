//! Containers made anew for the engine's platform, on real engines: with the same configuration, back again when the new one
//! does not come up, after the engine or this program ended in the middle, and when somebody undoes it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's way to fail

mod common;

use std::{
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use common::{
    Ran, User,
    lab::{Lab, on_each},
    list, one,
    proxy::Proxy,
    ran, text,
};
use serde_json::{Value, json};

const STAYS: &str = "while :; do /bin/busybox sleep 3600; done";
const SECRET: &str = "hunter2-recreate";

/// An image that is foreign while containers are made of it, and native from then on; with all that comes of it.
struct Stage<'l> {
    lab: &'l Lab,
    user: User,
    own: String,
    image: String,
}

impl<'l> Stage<'l> {
    fn new(lab: &'l Lab) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let own = format!("recreate-{}-{}x", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let stage = Self { lab, user: User::new(), image: format!("{own}:1"), own };
        stage.means(&lab.foreign);
        stage
    }

    fn means(&self, platform: &str) {
        self.lab.docker(&["tag", &format!("silidock-lab/bb:{}", Lab::arch(platform)), &self.image]);
    }

    /// A container of the foreign image that runs; then the tag means the native one.
    fn run(&self, options: &[&str], script: &str) -> String {
        let name = format!("{}-c", self.own);
        let first = ["run", "--detach", "--name", &name, "--stop-signal", "KILL", "--platform", &self.lab.foreign];
        let last = [self.image.as_str(), "/bin/sh", "-c", script];
        self.lab.docker(&first.iter().chain(options).chain(&last).copied().collect::<Vec<_>>());
        self.means(&self.lab.native);
        name
    }

    fn inspect(&self, name: &str) -> Value {
        let told: Value = serde_json::from_str(&self.lab.docker(&["inspect", "--type", "container", name])).unwrap();
        told[0].clone()
    }

    fn command(&self, endpoint: &str, arguments: &[&str]) -> Command {
        let mut command = self.user.command(arguments);
        let path = format!("{}:{}", self.lab.client_folder(), std::env::var("PATH").unwrap_or_default());
        command.env("PATH", path).env("DOCKER_HOST", endpoint).env("DOCKER_CONFIG", self.lab.docker_config());
        command
    }

    fn silidock(&self, arguments: &[&str]) -> Ran {
        ran(self.command(&self.lab.endpoint, arguments))
    }

    /// The finding that a native image is here for this container.
    fn finding(&self, name: &str) -> Value {
        let listed = self.silidock(&["fix", "--list", "--json"]).document("fix-list");
        let of = |f: &&Value| f["check"] == "needless-emulation" && f["subject"]["id"] == name;
        list(&listed, "findings").iter().find(of).unwrap_or_else(|| panic!("no finding of {name}: {listed}")).clone()
    }

    fn fix(&self, name: &str, option: &str) -> Ran {
        let id = text(&self.finding(name), "id").to_owned();
        self.silidock(&["fix", &id, "--option", option, "--apply", "--yes", "--json"])
    }

    /// The only receipt there is.
    fn receipt(&self) -> Value {
        let history = self.silidock(&["history", "--json"]).document("history");
        assert_eq!(list(&history, "receipts").len(), 1, "{history}");
        history["receipts"][0].clone()
    }

    fn undo(&self) -> Ran {
        let receipt = self.receipt();
        self.silidock(&["undo", text(&receipt, "id"), "--apply", "--yes"])
    }

    /// The platform that a container runs, as its own programs see it.
    fn machine(&self, name: &str) -> String {
        self.lab.docker(&["exec", name, "/bin/busybox", "uname", "-m"])
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        let all = |what: &[&str]| {
            let output = self.lab.client(what).output().unwrap();
            let names = String::from_utf8(output.stdout).unwrap();
            names.lines().filter(|name| name.contains(&self.own)).map(str::to_owned).collect::<Vec<_>>()
        };
        let remove = |verb: &[&str], names: &[String]| {
            if !names.is_empty() {
                // A test that has failed says so itself.
                let _ = self.lab.client(verb).args(names).output();
            }
        };
        remove(&["rm", "--force", "--volumes"], &all(&["ps", "-a", "--format", "{{.Names}}"]));
        remove(&["network", "rm"], &all(&["network", "ls", "--format", "{{.Name}}"]));
        remove(&["volume", "rm"], &all(&["volume", "ls", "--format", "{{.Name}}"]));
        remove(&["rmi", "--force"], &all(&["images", "--format", "{{.Repository}}:{{.Tag}}"]));
    }
}

fn machine_of(platform: &str) -> &'static str {
    if Lab::arch(platform) == "amd64" { "x86_64" } else { "aarch64" }
}

/// What a container is configured to be, without what every container has of its own.
fn configuration(told: &Value) -> Value {
    let mut config = told["Config"].clone();
    for key in ["Hostname", "Image"] {
        config.as_object_mut().unwrap().remove(key);
    }
    // The image's own.
    config["Labels"].as_object_mut().unwrap().retain(|label, _| !label.starts_with("dev.silidock.lab"));
    let mut host = told["HostConfig"].clone();
    // Volumes without a name are mounted by the one they have: what is mounted where is compared below.
    host["Binds"] = Value::Null;
    for mount in host["Mounts"].as_array_mut().into_iter().flatten() {
        mount.as_object_mut().unwrap().remove("Source");
    }
    let mut mounts: Vec<Value> = told["Mounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| json!([m["Type"], m["Name"], m["Source"], m["Destination"], m["RW"]]))
        .collect();
    mounts.sort_by_key(ToString::to_string);
    let short = &text(told, "Id")[..12];
    let networks: Vec<Value> = told["NetworkSettings"]["Networks"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, of)| {
            let aliases = of["Aliases"].as_array().into_iter().flatten().filter(|a| a.as_str() != Some(short));
            json!([name, of["IPAMConfig"], aliases.collect::<Vec<_>>()])
        })
        .collect();
    let ports = told["NetworkSettings"]["Ports"].clone();
    json!({ "config": config, "host": host, "mounts": mounts, "networks": networks, "ports": ports, "name": told["Name"] })
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

#[test]
fn the_old_container_comes_back_when_the_new_one_does_not_come_up() {
    on_each("a new container that fails", |lab| {
        let foreign = machine_of(&lab.foreign);
        let here = format!("test \"$(/bin/busybox uname -m)\" = {foreign}");
        // (options, what runs, what is said)
        let health =
            ["--health-interval", "1s", "--health-retries", "1", "--health-timeout", "20s", "--health-cmd", &here];
        let fails = format!("{here} || exit 7; {STAYS}");
        let rows: [(&[&str], &str, &str); 3] = [
            (&[], &fails, "status 7"),
            (&["--restart", "always"], &fails, "status 7"),
            (&health, STAYS, "its health check fails"),
        ];
        for (options, script, said) in rows {
            let stage = Stage::new(lab);
            let name = stage.run(options, script);
            let before = stage.inspect(&name);
            let failed = stage.fix(&name, "1");
            assert_eq!(failed.status, 2, "{failed:?}");
            assert!(failed.out.contains(said) && failed.out.contains("is the container it was"), "{said}: {failed:?}");
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

fn one_of<'a>(listed: &'a Value, name: &str) -> &'a Value {
    let of = |f: &&Value| f["check"] == "needless-emulation" && f["subject"]["id"] == name;
    list(listed, "findings").iter().find(of).unwrap_or_else(|| panic!("no finding of {name}: {listed}"))
}

#[test]
fn a_killed_program_leaves_what_can_be_undone() {
    on_each("a program that is killed", |lab| {
        let stage = Stage::new(lab);
        // Nobody may end it by asking, so that stopping takes its time.
        let name = stage.run(&["--stop-signal", "CONT", "--stop-timeout", "4"], STAYS);
        let before = stage.inspect(&name);
        let id = text(&stage.finding(&name), "id").to_owned();
        let mut command = stage.command(&lab.endpoint, &["fix", &id, "--apply", "--yes"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let told = std::io::BufReader::new(child.stderr.take().unwrap());
        let stopping = std::io::BufRead::lines(told).map_while(Result::ok).find(|line| line.starts_with("Stopping"));
        assert!(stopping.is_some(), "it never came to that");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(stage.receipt()["state"], "interrupted");
        let undone = stage.undo();
        assert_eq!(undone.status, 0, "{undone:?}");
        assert_eq!(stage.inspect(&name)["Id"], before["Id"]);
        assert_eq!(stage.machine(&name), machine_of(&lab.foreign));
    });
}

#[test]
fn what_cannot_be_made_anew_is_refused_and_an_undo_that_would_lose_something_too() {
    on_each("refusals", |lab| {
        let stage = Stage::new(lab);
        let name = stage.run(&["--rm"], STAYS);
        let refused = stage.fix(&name, "1");
        assert!(refused.status == 2 && refused.out.contains("--rm"), "{refused:?}");

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
