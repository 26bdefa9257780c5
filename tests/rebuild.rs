//! Building images again on real engines, by the real Docker command: from foreign to native and back with the program in
//! the image looked at, with the service made anew from it and taken back, builds that fail, are stopped or cannot begin, and a
//! result for two platforms in a real registry.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use common::{
    Ran, User,
    guard::Guard,
    images::stub,
    lab::{Lab, engines},
    list,
    proxy::Proxy,
    ran,
    registry::Registry,
    stage::{STAYS, machine_of},
    text,
};
use serde_json::{Value, json};

/// No base image and no network is needed: the program is the stub of the wanted architecture.
const DOCKERFILE: &str = "FROM scratch\nARG TARGETARCH\nARG SECRET\nCOPY stub-${TARGETARCH} /app\nCMD [\"/app\"]\n";

/// A Compose project of one service that is built, with a container that was made and not started.
struct Shop<'l> {
    lab: &'l Lab,
    user: User,
    name: String,
    folder: PathBuf,
}

impl<'l> Shop<'l> {
    fn new(lab: &'l Lab, what: &str) -> Self {
        let user = User::new();
        let folder = user.tmp().join("shop");
        fs::create_dir(&folder).unwrap();
        let name = format!("rebuild-{what}-{}", std::process::id());
        for arch in [&lab.native, &lab.foreign] {
            let arch = Lab::arch(arch);
            fs::write(folder.join(format!("stub-{arch}")), stub(arch)).unwrap();
        }
        let shop = Self { lab, user, name, folder };
        shop.dockerfile(DOCKERFILE);
        let compose = format!(
            "name: {name}\nservices:\n  web:\n    image: {image}\n    platform: {foreign}\n    build:\n      context: .\n      \
             args: {{SECRET: not-for-anybody}}\n    network_mode: none\n",
            name = shop.name,
            image = shop.image(),
            foreign = lab.foreign
        );
        fs::write(shop.folder.join("compose.yaml"), compose).unwrap();
        shop.compose(&["create", "--build"]);
        shop
    }

    /// The service, told apart from those of other tests that are there at the same time.
    fn web(&self) -> String {
        format!("{}/web", self.name)
    }

    fn image(&self) -> String {
        format!("{}/web:1", self.name)
    }

    fn dockerfile(&self, text: &str) {
        fs::write(self.folder.join("Dockerfile"), text).unwrap();
    }

    fn compose(&self, words: &[&str]) {
        let file = self.folder.join("compose.yaml").display().to_string();
        self.lab.docker(&[&["compose", "--progress", "quiet", "-f", &file], words].concat());
    }

    /// The program, with the lab's Docker command in its path.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.user.command(arguments);
        command.env("PATH", self.lab.client_folder()).env("DOCKER_CONFIG", self.lab.docker_config());
        command.env("DOCKER_HOST", &self.lab.endpoint);
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments))
    }

    fn json(&self, schema: &str, arguments: &[&str]) -> (i32, Value) {
        let ran = self.run(&[arguments, &["--json"]].concat());
        assert!(ran.status != 2, "{arguments:?} on {}: {ran:?}", self.lab.name);
        (ran.status, ran.document(schema))
    }

    /// What the image's name means: its id, and which of the two programs is in it.
    fn now(&self) -> (String, String) {
        let id = self.lab.docker(&["image", "inspect", "--format", "{{.Id}}", &self.image()]);
        let container = format!("{}-look", self.name);
        self.lab.docker(&["create", "--pull", "never", "--name", &container, &self.image()]);
        let file = self.user.tmp().join("app");
        self.lab.docker(&["cp", &format!("{container}:/app"), file.to_str().unwrap()]);
        self.lab.docker(&["rm", "--force", &container]);
        let bytes = fs::read(&file).unwrap();
        let program = [&self.lab.native, &self.lab.foreign].into_iter().find(|arch| stub(Lab::arch(arch)) == bytes);
        (id, program.unwrap().clone())
    }

    /// Tags under which images of this shop are kept.
    fn kept(&self) -> Vec<String> {
        let filter = format!("reference=silidock-kept/{}/*", self.name);
        let listed = self.lab.docker(&["images", "--filter", &filter, "--format", "{{.Repository}}:{{.Tag}}"]);
        listed.lines().map(str::to_owned).collect()
    }
}

impl Drop for Shop<'_> {
    fn drop(&mut self) {
        let file = self.folder.join("compose.yaml").display().to_string();
        // A test that has failed says so itself.
        let _ = self.lab.client(&["compose", "-f", &file, "down", "--timeout", "0"]).output();
        let _ = self.lab.client(&["rm", "--force", &format!("{}-look", self.name)]).output();
        let mut images = self.kept();
        images.push(self.image());
        let images: Vec<&str> = images.iter().map(String::as_str).collect();
        let _ = self.lab.client(&[&["rmi", "--force"], images.as_slice()].concat()).output();
    }
}

const HIDDEN: &str = "hunter2-rebuild";

/// A shop whose service runs on an image that was built for the foreign platform.
struct Open<'l> {
    shop: Shop<'l>,
    file: String,
}

impl<'l> Open<'l> {
    /// `more` of the service stands in its file as it is.
    fn new(lab: &'l Lab, what: &str, more: &str) -> Self {
        let user = User::new();
        let folder = user.tmp().join("shop");
        fs::create_dir(&folder).unwrap();
        let shop = Shop { lab, user, name: format!("rebuild-{what}-{}", std::process::id()), folder };
        shop.dockerfile("FROM silidock-lab/bb:${TARGETARCH}\nLABEL shop=1\n");
        let file = shop.folder.join("compose.yaml").display().to_string();
        let compose = format!(
            "name: {}\nservices:\n  web:\n    image: {}\n    build: .\n    network_mode: none\n    stop_signal: SIGKILL\n    \
             environment: [\"TOKEN={HIDDEN}\"]\n    volumes: [\"data:/data\"]\n    command: [\"/bin/sh\", \"-c\", \"{STAYS}\"]\n\
             {more}volumes:\n  data:\n",
            shop.name,
            shop.image(),
        );
        fs::write(&file, compose).unwrap();
        let mut up = lab.client(&["compose", "--progress", "quiet", "-f", &file, "up", "-d", "--build"]);
        let up = up.env("DOCKER_DEFAULT_PLATFORM", &lab.foreign).output().unwrap();
        assert!(up.status.success(), "{}: {}", lab.name, String::from_utf8_lossy(&up.stderr));
        Self { shop, file }
    }

    fn container(&self) -> String {
        format!("{}-web-1", self.shop.name)
    }

    fn means(&self) -> String {
        self.shop.lab.docker(&["image", "inspect", "--format", "{{.Id}}", &self.shop.image()])
    }

    /// Id of a container, the reference it was made from, and the machine its programs see.
    fn runs(&self, container: &str) -> (String, String, String) {
        let lab = self.shop.lab;
        let id = lab.docker(&["inspect", "--format", "{{.Id}}", container]);
        let image = lab.docker(&["inspect", "--format", "{{.Config.Image}}", container]);
        (id, image, lab.docker(&["exec", container, "/bin/busybox", "uname", "-m"]))
    }

    /// Everything of this shop that is there: containers, volumes and tags of images.
    fn all(&self) -> Vec<String> {
        let lab = self.shop.lab;
        let listed = [
            lab.docker(&["ps", "--all", "--format", "{{.Names}}"]),
            lab.docker(&["volume", "ls", "--format", "volume {{.Name}}"]),
            lab.docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]),
        ];
        let lines = listed.iter().flat_map(|text| text.lines());
        let mut all: Vec<String> = lines.filter(|line| line.contains(&self.shop.name)).map(str::to_owned).collect();
        all.sort();
        all
    }

    fn recreate(&self, more: &[&str]) -> Ran {
        let web = self.shop.web();
        self.shop.run(&[&["rebuild", &web, "--recreate"], more].concat())
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        // A test that has failed says so itself.
        let _ = self.shop.lab.client(&["compose", "-f", &self.file, "down", "--timeout", "0", "--volumes"]).output();
        let left = self.all();
        for (verb, volumes) in
            [(&["rm", "--force"][..], false), (&["volume", "rm"], true), (&["rmi", "--force"], false)]
        {
            let of = |line: &&String| line.starts_with("volume ") == volumes;
            let names: Vec<&str> = left.iter().filter(of).map(|line| line.trim_start_matches("volume ")).collect();
            if !names.is_empty() {
                let _ = self.shop.lab.client(&[verb, &names].concat()).output();
            }
        }
    }
}

#[test]
fn a_service_is_made_anew_from_what_was_built_and_both_are_taken_back() {
    let labs = labs("a rebuild that recreates its service", &["v28", "v28-overlay2", "v20"]);
    std::thread::scope(|scope| labs.iter().for_each(|lab| drop(scope.spawn(|| built_and_made_anew(lab)))));
}

fn built_and_made_anew(lab: &Lab) {
    let open = Open::new(lab, "anew", "");
    let (shop, web) = (&open.shop, open.container());
    let (image, before, all) = (open.means(), open.runs(&web), open.all());
    assert_eq!(before.2, machine_of(&lab.foreign));
    lab.docker(&["exec", &web, "/bin/sh", "-c", "echo kept > /data/x; echo mine > /written"]);

    let (status, shown) = shop.json("rebuild-preview", &["rebuild", &shop.web(), "--recreate", "--copy-volumes"]);
    let planned = &list(&shown, "containers")[0];
    let platforms = (text(planned, "before"), text(planned, "platform"));
    assert_eq!((status, platforms), (0, (lab.foreign.as_str(), lab.native.as_str())));
    assert_eq!((text(planned, "name"), text(planned, "service")), (web.as_str(), shop.web().as_str()));
    let commands = list(&shown["preview"], "commands");
    assert!(
        commands[0].to_string().contains("buildx") && commands[1].to_string().contains("force-recreate"),
        "{shown}"
    );
    assert_eq!((commands.len(), &shown["preview"]["restarts"]), (2, &json!([web])));
    assert!(shown["preview"]["review"].to_string().contains("is kept as an image"), "{shown}");
    assert_eq!((open.means(), open.runs(&web), open.all()), (image.clone(), before.clone(), all.clone()));

    let done = open.recreate(&["--copy-volumes", "--apply", "--yes", "--json"]);
    assert!(!done.out.contains(HIDDEN) && !done.err.contains(HIDDEN), "environments are nobody's business");
    let done = done.document("rebuild");
    let made = &list(&done, "containers")[0];
    assert_eq!(
        (text(&done, "verified"), text(made, "after")),
        ("verified", lab.native.as_str()),
        "{}: {done}",
        lab.name
    );
    let after = open.runs(&web);
    assert_eq!((after.1.as_str(), after.2.as_str()), (shop.image().as_str(), machine_of(&lab.native)), "{}", lab.name);
    assert_eq!(lab.docker(&["exec", &web, "/bin/busybox", "cat", "/data/x"]), "kept", "volumes are used again");
    let written = format!("{}-written", text(made, "kept"));
    assert_ne!(lab.docker(&["image", "inspect", "--format", "{{.Id}}", &written]), image, "{}", lab.name);
    assert!(
        !String::from_utf8_lossy(&lab.client(&["save", &written]).output().unwrap().stdout).contains(HIDDEN),
        "{}: no secret gets into an image",
        lab.name
    );
    let history = shop.run(&["history", "--json"]).document("history");
    assert_eq!(
        (list(&history, "receipts").len(), list(made, "copies").len()),
        (1, 1),
        "one change, one receipt: {history}"
    );

    let receipt = text(&done, "receipt");
    let shown = shop.run(&["undo", receipt]);
    let told = ["means again", "is made again as it was", &lab.foreign];
    assert!(shown.status == 0 && told.iter().all(|word| shown.out.contains(word)), "{shown:?}");
    let undone = shop.run(&["undo", receipt, "--apply", "--yes"]);
    assert_eq!(undone.status, 0, "{}: {undone:?}", lab.name);
    let again = open.runs(&web);
    assert_eq!((open.means(), &again.1, &again.2), (image, &before.1, &before.2), "{}", lab.name);
    let stays = |line: &String| !line.starts_with("volume ") && !line.ends_with("-written");
    let left: Vec<String> = open.all().into_iter().filter(stays).collect();
    assert_eq!(left, all.into_iter().filter(stays).collect::<Vec<_>>(), "{}", lab.name);
    let twice = shop.run(&["undo", receipt]);
    assert!(twice.status == 2 && twice.err.contains("already undone"), "{twice:?}");
}

#[test]
fn what_does_not_come_up_comes_back_with_its_image() {
    let labs = labs("a rebuild whose service fails", &["v28", "v20"]);
    std::thread::scope(|scope| labs.iter().for_each(|lab| drop(scope.spawn(|| fails_anew(lab)))));
}

fn fails_anew(lab: &Lab) {
    let health = format!(
        "    healthcheck:\n      test: test \"$$(/bin/busybox uname -m)\" = {}\n      interval: 1s\n      timeout: 20s\n      \
         retries: 1\n",
        machine_of(&lab.foreign)
    );
    let open = Open::new(lab, "sick", &health);
    let (shop, web) = (&open.shop, open.container());
    // A second container of the same image, of no project: it is made anew first or last, and comes back as well.
    let other = format!("{}-other", shop.name);
    let run =
        ["run", "--detach", "--name", &other, "--network", "none", "--stop-signal", "KILL", "--platform", &lab.foreign];
    lab.docker(&[&run[..], &[&shop.image(), "/bin/sh", "-c", STAYS]].concat());
    let (image, before, all) = (open.means(), (open.runs(&web), open.runs(&other)), open.all());
    let as_before = |what: &str| {
        let now = (open.runs(&web), open.runs(&other));
        // By their ids where they were never touched; Compose deletes the old one, which is made again.
        assert_eq!((&now.0.1, &now.0.2), (&before.0.1, &before.0.2), "{what} on {}", lab.name);
        assert_eq!((&now.1.1, &now.1.2), (&before.1.1, &before.1.2), "{what} on {}", lab.name);
        assert_eq!((open.means(), open.all()), (image.clone(), all.clone()), "{what} on {}", lab.name);
        now
    };

    let failed = open.recreate(&["--apply", "--yes"]);
    assert!(failed.status == 2 && failed.err.contains("its health check fails"), "{}: {failed:?}", lab.name);
    let told = format!("{} means what it meant", shop.image());
    assert!(failed.err.contains(&told) && failed.err.contains("without a name"), "{failed:?}");
    let now = as_before("a new one that is not healthy");
    let history = shop.run(&["history", "--json"]).document("history");
    assert_eq!(history["receipts"][0]["state"], "takenBack", "{history}");

    shop.dockerfile("FROM silidock-lab/bb:${TARGETARCH}\nRUN exit 3\n");
    let failed = open.recreate(&["--apply", "--yes"]);
    assert!(failed.status == 2 && failed.err.contains("no container was touched"), "{failed:?}");
    assert_eq!(as_before("a build that fails"), now, "the same containers run");
}

#[test]
fn one_that_never_was_healthy_comes_back_all_the_same() {
    for lab in labs("a rebuild of a service that is not healthy", &["v28"]) {
        let health = "    healthcheck: {test: \"exit 1\", interval: 1s, timeout: 20s, retries: 1}\n";
        let open = Open::new(&lab, "never", health);
        let (web, image) = (open.container(), open.means());
        let late = Instant::now() + Duration::from_secs(30);
        while lab.docker(&["inspect", "--format", "{{.State.Health.Status}}", &web]) != "unhealthy" {
            assert!(Instant::now() < late, "its health check fails from the beginning");
            std::thread::sleep(Duration::from_millis(100));
        }
        let (before, all) = (open.runs(&web), open.all());
        let failed = open.recreate(&["--apply", "--yes"]);
        assert!(failed.status == 2 && failed.err.contains("was made again as it was"), "{failed:?}");
        let now = open.runs(&web);
        assert_eq!((open.means(), &now.1, &now.2, open.all()), (image, &before.1, &before.2, all));
    }
}

#[test]
fn what_compose_would_not_run_is_refused_before_anything_is_built() {
    for lab in labs("a rebuild of a pinned service", &["v28"]) {
        let open = Open::new(&lab, "pinned", &format!("    platform: {}\n", lab.foreign));
        let (before, all) = (open.runs(&open.container()), open.all());
        let refused = open.recreate(&["--apply", "--yes"]);
        let line = format!("silidock unpin {} web --apply", open.file);
        assert!(refused.status == 2 && refused.err.contains(&line), "{refused:?}");
        // For the platform that is pinned there is nothing in the way.
        let (status, shown) =
            open.shop.json("rebuild-preview", &["rebuild", &open.shop.web(), "--recreate", "--platform", &lab.foreign]);
        assert_eq!((status, text(&list(&shown, "containers")[0], "platform")), (0, lab.foreign.as_str()));
        lab.docker(&["stop", "--time", "0", &open.container()]);
        let (_, shown) = open.shop.json("rebuild-preview", &["rebuild", &open.shop.web(), "--recreate"]);
        assert!(shown.get("containers").is_none() && shown.to_string().contains("does not run and stays"), "{shown}");
        lab.docker(&["start", &open.container()]);
        assert_eq!((open.runs(&open.container()), open.all()), (before, all));
    }
}

/// Engines of ours, by name.
fn labs(what: &str, names: &[&str]) -> Vec<Lab> {
    engines(what).into_iter().filter(|lab| names.contains(&lab.name.as_str())).collect()
}

#[test]
fn from_foreign_to_native_and_back() {
    let labs = labs("rebuilding a service", &["v28", "v20"]);
    std::thread::scope(|scope| labs.iter().for_each(|lab| drop(scope.spawn(|| there_and_back(lab)))));
}

fn there_and_back(lab: &Lab) {
    let shop = Shop::new(lab, "round");
    let before = shop.now();
    assert_eq!(before.1, lab.foreign);

    let (status, shown) = shop.json("rebuild-preview", &["rebuild", &shop.web()]);
    let build = &list(&shown, "builds")[0];
    assert_eq!((status, text(build, "service")), (0, shop.web().as_str()));
    let on = &list(build, "platforms")[0];
    assert_eq!((text(on, "platform"), on["native"].as_bool()), (lab.native.as_str(), Some(true)));
    assert_eq!(build["before"]["id"], json!(before.0));
    let command: Vec<&str> = list(build, "command").iter().map(|word| word.as_str().unwrap()).collect();
    assert!(command.starts_with(&["docker", "buildx", "build", "--progress", "rawjson"]), "{command:?}");
    assert!(command.contains(&"SECRET") && !shown.to_string().contains("not-for-anybody"), "values are not shown");
    let told = shown["preview"]["told"].to_string();
    assert!(told.contains("pins web to"), "the pin that would keep it emulated is told: {told}");
    assert_eq!(shop.now(), before, "a preview builds nothing");

    let (status, done) = shop.json("rebuild", &["rebuild", &shop.web(), "--apply", "--yes"]);
    let built = &list(&done, "builds")[0];
    assert_eq!((status, text(&done, "verified")), (0, "verified"), "{}: {done}", lab.name);
    let after = shop.now();
    assert_eq!((&after.1, &built["after"]["id"]), (&lab.native, &json!(after.0)), "{}", lab.name);
    assert_eq!(list(built, "checked")[0]["executables"], json!({ lab.native.clone(): 1 }));
    assert_eq!(shop.kept(), [text(built, "kept")]);

    let receipt = text(&done, "receipt");
    let undone = shop.run(&["undo", receipt, "--apply", "--yes"]);
    assert_eq!((undone.status, shop.now(), shop.kept()), (0, before.clone(), Vec::new()), "{undone:?}");
    let again = shop.run(&["undo", receipt]);
    assert!(again.status == 2 && again.err.contains("already undone"), "{again:?}");

    failing(&shop, &before);
}

/// Builds that fail, or cannot begin, leave every name as it was.
fn failing(shop: &Shop<'_>, before: &(String, String)) {
    let rows = [
        (format!("{DOCKERFILE}COPY no-such-file /\n"), vec!["no-such-file", ">>>", "still has its name"]),
        ("FROM scratch\nNONSENSE\n".to_owned(), vec!["NONSENSE", "still has its name"]),
        (String::new(), vec!["Dockerfile is not there"]),
    ];
    for (dockerfile, expected) in rows {
        match dockerfile.is_empty() {
            true => fs::remove_file(shop.folder.join("Dockerfile")).unwrap(),
            false => shop.dockerfile(&dockerfile),
        }
        let failed = shop.run(&["rebuild", &shop.web(), "--apply", "--yes"]);
        assert_eq!(failed.status, 2, "{failed:?}");
        // Engine 20.10's BuildKit gives no excerpt.
        let wanted = expected.into_iter().filter(|word| *word != ">>>" || shop.lab.name != "v20");
        wanted.for_each(|word| assert!(failed.err.contains(word), "{word} on {}: {failed:?}", shop.lab.name));
        assert_eq!((shop.now(), shop.kept()), (before.clone(), Vec::new()), "{}", shop.lab.name);
    }
    let history = shop.run(&["history"]);
    assert_eq!(
        history.out.matches(&format!("Build {} again", shop.web())).count(),
        1,
        "what changed nothing is no change: {}",
        history.out
    );
}

#[test]
fn without_buildx_the_engine_itself_builds() {
    for lab in labs("building without buildx", &["v20"]) {
        let shop = Shop::new(&lab, "plain");
        let before = shop.now();
        let plain = shop.user.home().join("plain");
        fs::create_dir_all(&plain).unwrap();
        let run = |arguments: &[&str]| {
            let mut command = shop.command(arguments);
            command.env("DOCKER_CONFIG", &plain);
            ran(command)
        };
        fs::write(shop.folder.join(".dockerignore"), "*\n!stub-*\n").unwrap();
        let shown = run(&["rebuild", &shop.web()]);
        assert!(shown.status == 0 && shown.out.contains("older builder"), "{}: {shown:?}", lab.name);
        let done = run(&["rebuild", &shop.web(), "--apply", "--yes", "--json"]).document("rebuild");
        assert_eq!((text(&done, "verified"), shop.now().1), ("verified", lab.native.clone()), "{}: {done}", lab.name);
        let undone = run(&["undo", text(&done, "receipt"), "--apply", "--yes"]);
        assert_eq!((undone.status, shop.now()), (0, before.clone()), "{undone:?}");
        shop.dockerfile(&format!("{DOCKERFILE}COPY compose.yaml /\n"));
        let failed = run(&["rebuild", &shop.web(), "--apply", "--yes"]);
        assert!(failed.status == 2 && failed.err.contains("excluded by .dockerignore"), "it is ignored: {failed:?}");
        assert_eq!((shop.now(), shop.kept()), (before, Vec::new()));
        let refused = run(&["rebuild", &shop.web(), "--push"]);
        assert!(
            refused.status == 2
                && refused.out.contains("needs buildx for pushing the result, and the docker command here (/"),
            "{refused:?}"
        );
    }
}

#[test]
fn a_folder_is_named_once() {
    for lab in labs("a folder that is named", &["v28"]) {
        let shop = Shop::new(&lab, "named");
        let (own, folder) = (format!("{}/own:1", shop.name), shop.folder.display().to_string());
        let unknown = shop.run(&["rebuild", &own]);
        assert!(unknown.status == 2 && unknown.err.contains("--context DIR"), "{unknown:?}");
        for path in ["../../../info", "/a/path"] {
            let no_name = shop.run(&["rebuild", path]);
            assert!(no_name.status == 2 && no_name.err.contains("no image can be called that"), "{no_name:?}");
        }
        // An id or a digest is no name for something new, unless it means a tag that is here.
        let id = lab.docker(&["image", "inspect", "--format", "{{.Id}}", &shop.image()]);
        let (status, shown) = shop.json("rebuild-preview", &["rebuild", id.get(7..19).unwrap(), "--context", &folder]);
        assert_eq!((status, &list(&shown, "builds")[0]["references"]), (0, &json!([shop.image()])));
        let digest = format!("{}@sha256:{:064x}", shop.image(), 1);
        for (content, said) in [(digest.as_str(), "is a digest"), ("0123456789ab", "is an id")] {
            let refused = shop.run(&["rebuild", content, "--context", &folder]);
            assert!(refused.status == 2 && refused.err.contains(said), "{refused:?}");
        }
        let pushed = shop.run(&["rebuild", &own, "--context", &folder, "--push"]);
        let said = "goes to docker.io (Docker Hub) as";
        assert!(pushed.out.contains(said) && pushed.out.contains("undo cannot bring it back"), "{pushed:?}");
        let first = shop.run(&["rebuild", &own, "--context", &folder, "--apply", "--yes"]);
        assert_eq!(first.status, 0, "{first:?}");
        let (status, shown) = shop.json("rebuild-preview", &["rebuild", &own, "--platform", &lab.foreign]);
        let build = &list(&shown, "builds")[0];
        assert_eq!((status, text(build, "context"), text(build, "knownBy")), (0, folder.as_str(), "named before"));
        // What is long is cut for a terminal, and what came later has to be undone first.
        let second = shop.run(&["rebuild", &own, "--platform", &lab.foreign, "--apply", "--yes"]);
        assert_eq!(second.status, 0, "{second:?}");
        let history = shop.run(&["history"]);
        assert!(history.out.lines().all(|line| line.chars().count() < 180), "{}", history.out);
        let (_, history) = shop.json("history", &["history"]);
        let [later, earlier] = [0, 1].map(|place| text(&list(&history, "receipts")[place], "id"));
        for arguments in [vec!["undo", earlier], vec!["undo", earlier, "--apply", "--yes"]] {
            let refused = shop.run(&arguments);
            let told = refused.err.contains(&format!("undo that first: silidock undo {later}"));
            assert!(refused.status == 2 && told, "{refused:?}");
        }
        lab.docker(&["rmi", "--force", &own]);
        // A label that names a source is told, and not taken for a folder.
        let labelled = format!("{DOCKERFILE}LABEL org.opencontainers.image.source=https://git.example/acme\n");
        shop.dockerfile(&labelled);
        let other = format!("{}/other:1", shop.name);
        lab.docker(&["build", "--quiet", "--tag", &other, &folder]);
        let told = shop.run(&["rebuild", &other]);
        lab.docker(&["rmi", "--force", &other]);
        assert!(told.status == 2 && told.err.contains("its source is https://git.example/acme"), "{told:?}");
    }
}

#[test]
fn a_project_of_which_nothing_runs_is_built_on_an_engine_behind_tls_and_taken_back() {
    for lab in labs("an engine behind TLS", &["v28"]) {
        let shop = Shop::new(&lab, "tls");
        shop.compose(&["down", "--timeout", "0"]);
        lab.docker(&["rmi", "--force", &shop.image()]);
        let file = shop.folder.join("compose.yaml");
        let tagged = format!("context: .\n      tags: [\"{}/web:extra\"]\n", shop.name);
        fs::write(&file, fs::read_to_string(&file).unwrap().replace("context: .\n", &tagged)).unwrap();
        let certificates = shop.user.home().join("certificates");
        let guard = Guard::new(&lab.endpoint, &certificates);
        let behind = |arguments: &[&str]| {
            let mut command = shop.command(arguments);
            command.env("DOCKER_HOST", format!("tcp://localhost:{}", guard.port));
            command.env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", &certificates);
            ran(command)
        };
        let folder = shop.folder.display().to_string();
        let unknown = behind(&["rebuild", &shop.web()]);
        assert!(unknown.status == 2 && unknown.err.contains("--compose FILE|DIR"), "{unknown:?}");
        let built = behind(&["rebuild", &shop.web(), "--compose", &folder, "--apply", "--yes", "--json"]);
        assert_eq!(built.status, 0, "{built:?}");
        let done = built.document("rebuild");
        assert_eq!(shop.now().1, lab.native);
        assert_eq!(text(&list(&done, "builds")[0], "reference"), shop.image(), "not one of its further tags");
        assert_eq!(behind(&["builders"]).status, 0);
        let lacking = behind(&["builders", "--platform", "linux/s390x"]);
        let wanted = format!("docker context create NAME --docker host=tcp://localhost:{},ca=", guard.port);
        assert!(lacking.status == 1 && lacking.out.contains(&wanted), "{lacking:?}");
        // The receipt says where the files are, so nothing has to be set again; here another engine is.
        let undone = shop.run(&["undo", text(&done, "receipt"), "--apply", "--yes"]);
        assert_eq!(undone.status, 0, "{undone:?}");
        assert!(lab.docker(&["images", "--quiet", &shop.image()]).is_empty(), "its name is gone again");
    }
}

#[test]
fn a_build_that_is_stopped_leaves_everything_as_it_was() {
    for lab in labs("stopping a build", &["v28"]) {
        let shop = Shop::new(&lab, "stopped");
        let before = shop.now();
        shop.dockerfile(&format!("FROM silidock-lab/bb:{}\nRUN echo begun; sleep 6543\n", Lab::arch(&lab.native)));
        let mut command = shop.command(&["rebuild", &shop.web(), "--apply", "--yes"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let begun = lines.any(|line| line.trim() == "begun");
        assert!(begun, "what a step prints is told while it runs");
        let signalled = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(signalled.success());
        let told: Vec<String> = lines.collect();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(told.iter().any(|line| line.contains("Ended before anything was changed")), "{told:?}");
        assert_eq!((shop.now(), shop.kept()), (before, Vec::new()));
        let late = Instant::now() + Duration::from_secs(20);
        while running("sleep 6543") {
            assert!(Instant::now() < late, "the step goes on although nobody waits for it");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A process of this machine, where the engine's steps run too, has these words.
fn running(words: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok()).any(|line| {
        let line: Vec<u8> = line.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect();
        String::from_utf8_lossy(&line).trim() == words
    })
}

#[test]
fn two_platforms_go_where_they_can_be_kept() {
    let labs = labs("two platforms", &["v28", "v28-overlay2"]);
    for lab in &labs {
        let Some(registry) = Registry::start("two platforms", false) else { return };
        let registry = if lab.containerd_store() { registry.also_where(&lab.name) } else { registry };
        let shop = Shop::new(lab, "two");
        let before = shop.now();
        let platforms = ["--platform", &lab.native, "--platform", &lab.foreign];
        let reference = format!("{}/{}/app:1", registry.host, shop.name);
        let folder = shop.folder.display().to_string();
        let push =
            [&["rebuild", &reference, "--context", &folder, "--push", "--apply", "--yes"][..], &platforms].concat();
        let web = shop.web();
        let load = [&["rebuild", &web, "--apply", "--yes"][..], &platforms].concat();
        if lab.containerd_store() {
            let (status, done) = shop.json("rebuild", &push);
            let built = &list(&done, "builds")[0];
            assert_eq!((status, text(&done, "verified")), (0, "verified"), "{done}");
            let mut there: Vec<&str> =
                list(&built["pushed"], "platforms").iter().map(|platform| platform.as_str().unwrap()).collect();
            there.sort_unstable();
            assert_eq!((there, text(&built["pushed"], "kind")), (vec!["linux/amd64", "linux/arm64"], "index"));
            let undo = shop.run(&["undo", text(&done, "receipt")]);
            assert!(undo.status == 2 && undo.err.contains("registry"), "{undo:?}");
            let here = lab.client(&["image", "inspect", &reference]).output().unwrap();
            assert!(!here.status.success(), "the engine's own images stay as they are");

            let (status, done) = shop.json("rebuild", &load);
            assert_eq!((status, list(&list(&done, "builds")[0], "checked").len()), (0, 2), "{done}");
            assert_eq!(shop.now().1, lab.native, "the engine takes its own of the two");
            continue;
        }
        let refused = shop.run(&load);
        assert!(refused.status == 2 && refused.err.contains("one platform per tag"), "{refused:?}");
        assert!(refused.err.contains("silidock builders --containerd-store"), "the way out is named: {refused:?}");
        let refused = shop.run(&push);
        assert!(refused.status == 2 && refused.err.contains("one platform at a time"), "{refused:?}");
        assert_eq!(shop.now(), before, "nothing was built");
    }
}

/// A question that changes nothing; the command's BuildKit asks by upgraded connections.
fn is_look(asked: &str) -> bool {
    ["GET ", "HEAD ", "POST /grpc", "POST /session"].iter().any(|look| asked.starts_with(look))
}

#[test]
fn another_image_store_is_offered_where_there_is_one() {
    for lab in labs("the image store", &["v28", "v28-overlay2", "v20"]) {
        let user = User::new();
        // Others build on this engine at the same time, so what it was asked is looked at, not what it holds.
        let door = Proxy::new(&lab.endpoint, usize::MAX);
        let asked = |arguments: &[&str]| {
            let mut command = user.command(arguments);
            command.env("PATH", lab.client_folder()).env("DOCKER_HOST", door.endpoint());
            ran(command)
        };
        let shown = asked(&["builders", "--containerd-store"]);
        let applied = asked(&["builders", "--containerd-store", "--apply", "--yes"]);
        let (status, words) = match lab.name.as_str() {
            "v28-overlay2" => (0, "/etc/docker/daemon.json"),
            "v28" => (2, "in containerd's store already"),
            _ => (2, "version 23 is the first"),
        };
        assert_eq!((shown.status, applied.status), (status, 2), "{}: {shown:?} {applied:?}", lab.name);
        assert!(format!("{}{}", shown.out, shown.err).contains(words), "{}: {shown:?}", lab.name);
        if lab.name == "v28-overlay2" {
            let document = asked(&["builders", "--containerd-store", "--json"]).document("builders");
            assert_eq!(document["storeProposal"]["safety"], "showOnly");
            assert_eq!(document["storePreview"]["commands"], json!([["sudo", "systemctl", "restart", "docker"]]));
            assert!(shown.out.contains("are not shown until it is switched back"), "{shown:?}");
        }
        let changing: Vec<String> = door.asked().into_iter().filter(|asked| !is_look(asked)).collect();
        assert!(changing.is_empty() && !door.asked().is_empty(), "{}: {changing:?}", lab.name);
    }
}

#[test]
fn where_it_is_deployed_decides_what_is_missing_and_what_is_built() {
    for lab in labs("deploy targets", &["v28", "v28-overlay2"]) {
        let shop = Shop::new(&lab, "deploy");
        let folder = shop.folder.display().to_string();
        let (_, untold) = shop.json("targets", &["targets", &folder]);
        assert_eq!((&untold["targets"], &untold["path"]), (&json!([]), &Value::Null));
        let both = [lab.native.as_str(), lab.foreign.as_str()];
        let (status, told) = shop.json("targets", &["targets", &folder, "--set", both[0], both[1]]);
        assert_eq!((status, &told["targets"]), (0, &json!(both)));

        // A file counts before what was told, and what is wrong in it is named with its line.
        let file = shop.folder.join(".silidock.toml");
        fs::write(&file, format!("[deploy]\ntargets = [\"{}\", \"{}\"]\nplatform = 1\n", both[0], both[1])).unwrap();
        let (status, said) = shop.json("targets", &["targets", &folder]);
        assert_eq!((status, said["line"].as_u64(), list(&said, "gaps").len()), (1, Some(2), 1), "{said}");
        assert!(list(&said, "gaps")[0]["what"].as_str().unwrap().starts_with("line 3 of "));
        let kept = shop.run(&["targets", &folder, "--set", both[0]]);
        assert!(kept.status == 2 && kept.err.contains("says it, and counts"), "{kept:?}");

        let (_, scan) = shop.json("scan", &["scan"]);
        let finding = common::finding(&scan, "target-missing", &shop.image());
        assert!(text(finding, "title").contains(&lab.native) && finding["severity"] == "broken", "{finding}");
        let fix = &list(finding, "fixes")[0];
        let preview = shop.run(&["rebuild", &shop.web()]);
        if !lab.containerd_store() {
            assert!(text(fix, "safety") == "showOnly" && fix.to_string().contains("--push"), "{fix}");
            assert!(preview.status == 0 && preview.out.contains("is built with --push alone"), "{preview:?}");
            continue;
        }
        let wanted = format!("--platform {},{}", both[0], both[1]);
        assert!(preview.status == 0 && preview.out.contains(&wanted), "targets are the default: {preview:?}");
        let (status, done) = shop.json("change", &["fix", text(finding, "id"), "--apply", "--yes"]);
        assert_eq!((status, text(&done, "verified")), (0, "verified"), "{done}");
        let (_, scan) = shop.json("scan", &["scan"]);
        let left = list(&scan, "findings")
            .iter()
            .any(|f| f["check"] == "target-missing" && f["subject"]["id"] == shop.image().as_str());
        assert!(!left, "built for both, nothing is missing");
    }
}

#[test]
fn builders_are_listed_and_made_and_one_that_cannot_be_made_leaves_nothing() {
    for lab in labs("builders", &["v28", "v28-overlay2"]) {
        let user = User::new();
        let asked = user.with_client(&lab);
        let both = ["--platform", &lab.native, "--platform", &lab.foreign];
        let ran = asked(&[&["builders", "--json"], &both[..]].concat());
        let document = ran.document("builders");
        let own = common::one(list(&document, "builders"), "name", "default");
        let node = &list(own, "nodes")[0];
        for (platform, native) in [(&lab.native, true), (&lab.foreign, false)] {
            let offered = common::one(list(node, "platforms"), "platform", platform);
            assert_eq!(offered["native"], json!(native), "{platform} on {}", lab.name);
        }
        assert_eq!(document["storeLacks"], json!(!lab.containerd_store()), "{document}");
        let one = asked(&["builders", "--platform", "linux/riscv64"]);
        assert!(one.out.contains("Make a builder") && !one.out.contains("containerd-store"), "{one:?}");
        assert_eq!((own["own"].as_bool(), own["several"].as_bool()), (Some(true), Some(lab.containerd_store())));
        if lab.containerd_store() {
            let taken: Vec<&Value> = list(&document, "platforms").iter().map(|on| &on["native"]).collect();
            assert_eq!((ran.status, taken), (0, vec![&json!(true), &json!(false)]));
            continue;
        }
        let commands = document["preview"]["commands"].to_string();
        assert!(ran.status == 1 && commands.contains("docker-container"), "{document}");
        // This engine has no network, so BuildKit's own image cannot be had.
        let failed = asked(&[&["builders", "--create", "--apply", "--yes"], &both[..]].concat());
        assert!(failed.status == 2 && failed.err.contains("was taken back"), "{failed:?}");
        let left = asked(&["builders", "--json"]).document("builders");
        assert_eq!(list(&left, "builders").iter().filter(|builder| builder["name"] == "silidock").count(), 0);
        let theirs = || {
            let containers = lab.docker(&["ps", "--all", "--format", "{{.Names}}"]);
            let volumes = lab.docker(&["volume", "ls", "--format", "{{.Name}}"]);
            format!("{containers}\n{volumes}").contains("buildx_buildkit_silidock")
        };
        assert!(!theirs());
    }
}
