//! Registries by the command line: what it prints, what a scan makes of it, and that it works behind a company's proxy
//! with the company's certificates.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests fail like tests")]

mod common;

use std::sync::Arc;

use common::{
    User, finding, lab, list, one, ran,
    registry::{OCI, PASSWORD, Registry, USER, digest},
    text,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use silidock_testkit::{Reply, ScriptedServer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

/// A proxy that nobody answers at: what is not on this machine is not reached from a test.
const NO_NETWORK: &str = "http://127.0.0.1:1";

#[test]
fn platforms_and_newer_tags_are_printed() {
    let Some(registry) = Registry::start("silidock registry", true) else { return };
    let host = &registry.host;
    registry.image("db", Some("5.7-debian"), OCI, "linux/amd64");
    let index = registry.index("db", "8.0-debian", OCI, &["linux/amd64", "linux/arm64", "unknown/unknown"]);
    let user = User::new();
    let old = format!("{host}/db:5.7-debian");
    let config = user.home().join(".docker");
    std::fs::create_dir(&config).unwrap();
    let refused = user.run(&["registry", &old]);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.out.contains("docker login"), "{}", refused.out);

    let login = json!({ "auths": { host.as_str(): { "username": USER, "password": PASSWORD } } });
    std::fs::write(config.join("config.json"), login.to_string()).unwrap();
    let newest = format!("{host}/db:8.0-debian");
    let gone = format!("{host}/gone:1");
    let (status, document) = user.json("registry", &["registry", &old, &newest, &gone, "No Reference"]);
    assert_eq!(status, 0);
    let references = list(&document, "references");
    let said = |wanted: &str| one(references, "ref", wanted);
    assert_eq!((&said(&old)["platforms"], &said(&old)["kind"]), (&json!(["linux/amd64"]), &json!("manifest")));
    assert_eq!(
        (&said(&newest)["platforms"], &said(&newest)["kind"]),
        (&json!(["linux/amd64", "linux/arm64"]), &json!("index"))
    );
    assert_eq!(said(&newest)["digest"], json!(index));
    assert_eq!(text(said(&gone), "error"), format!("{host} has no gone:1"));
    assert!(text(said("No Reference"), "error").contains("is not an image reference"));
    assert_eq!(said(&old).get("newer"), None, "nobody asked");
    assert_eq!(said(&gone).get("advice"), None, "its hint says what to do");
    let kept = user.tmp().parent().unwrap().join("data/registry").join(format!("{}.json", index.replace(':', "-")));
    let kept = std::fs::read_to_string(kept).unwrap();
    assert!(kept.contains("linux/arm64") && !kept.contains("not-for-anybody"), "{kept}");

    for engine in lab::engines("newer tags").into_iter().filter(|engine| engine.native == "linux/amd64").take(1) {
        let ran = user.run(&["registry", "--newer", "--engine", &engine.endpoint, &old]);
        assert!(ran.out.contains("8.0-debian") && !ran.out.contains(PASSWORD), "{}", ran.out);
        registry.image("arm", Some("1"), OCI, "linux/arm64");
        registry.index("arm", "2", OCI, &["linux/amd64", "linux/arm64"]);
        let foreign = format!("{host}/arm:1");
        let ways = |options: &[&str], wanted: &str| -> Vec<String> {
            let asked = [&["registry", "--engine", &engine.endpoint, wanted][..], options].concat();
            let (_, document) = user.json("registry", &asked);
            assert_eq!(document["platform"], json!(engine.native));
            let advice = document["references"][0]["advice"].as_array().cloned();
            advice.into_iter().flatten().map(|way| text(&way, "title").to_owned()).collect()
        };
        assert_eq!(ways(&[], &newest), [format!("Pull {newest} for linux/amd64")], "nothing else is better");
        assert_eq!(ways(&[], &foreign)[0], "Look for newer tags");
        let ranked = ways(&["--newer"], &foreign);
        assert_eq!(ranked[0], "Move to 2", "{ranked:?}");
        assert!(ranked.last().unwrap().starts_with("Emulate it knowingly: pin it to linux/arm64"), "{ranked:?}");
        let told = user.run(&["registry", "--newer", "--engine", &engine.endpoint, &foreign]).out;
        assert!(told.contains("what to do 1. Move to 2") && told.contains("Risk: "), "{told}");
    }
}

#[test]
fn a_scan_asks_registries_when_it_is_told_to() {
    let Some(registry) = Registry::start("scan --ask-registry", false) else { return };
    let Some(engine) = lab::engines("scan --ask-registry").into_iter().find(|engine| engine.ours()) else { return };
    let name = |what: &str| format!("{}/registry-{what}", registry.host);
    let (both, old) = (format!("{}:1", name("both")), format!("{}:5.7", name("old")));
    registry.index("registry-both", "1", OCI, &[&engine.native, &engine.foreign]);
    registry.image("registry-old", Some("5.7"), OCI, &engine.foreign);
    registry.index("registry-old", "8.0", OCI, &[&engine.native, &engine.foreign]);
    let foreign = format!("silidock-lab/bb:{}", lab::Lab::arch(&engine.foreign));
    let kept = "silidock-kept/registry-old:20261120-000000-abcd";
    let _left =
        Left { engine: &engine, containers: ["registry-both", "registry-old"], images: vec![&both, &old, kept] };
    engine.docker(&["tag", &foreign, kept]);
    for (image, container) in [(&both, "registry-both"), (&old, "registry-old")] {
        engine.docker(&["tag", &foreign, image]);
        let platform = ["--platform", &engine.foreign];
        engine.docker(
            &[
                &["run", "-d", "--pull", "never", "--name", container][..],
                &platform,
                &[image, "/bin/sh", "-c", "while :; do sleep 1; done"],
            ]
            .concat(),
        );
    }

    let user = User::new();
    let quiet = user.json("scan", &["scan", "--engine", &engine.endpoint]).1;
    let image = |scan: &Value, tag: &str| {
        let has = |image: &&Value| list(image, "tags").contains(&json!(tag));
        list(scan, "images").iter().find(has).unwrap_or_else(|| panic!("{tag} is not listed")).clone()
    };
    assert_eq!(image(&quiet, &both)["upstream"]["unknown"]["why"], "no registry was asked");
    let unasked = one(list(&quiet, "notJudged"), "check", "no-native-manifest");
    assert!(text(&unasked["gap"], "why").ends_with("silidock scan --ask-registry"));

    registry.index("registry-never", "5.7", OCI, &[&engine.foreign, "linux/s390x"]);
    registry.image("registry-one", Some("1"), OCI, &engine.foreign);
    let shop = user.file("never");
    std::fs::create_dir_all(&shop).unwrap();
    std::fs::write(format!("{shop}/.env"), "TAG=5.7\n").unwrap();
    let compose = format!(
        "services:\n  never: {{image: \"${{R:-{}}}/registry-never:${{TAG}}\"}}\n  one: {{image: \"{}:1\", platform: {}}}\n  made: \
         {{build: ., image: \"{}:1\"}}\n",
        registry.host,
        name("one"),
        engine.native,
        name("made")
    );
    std::fs::write(format!("{shop}/compose.yaml"), compose).unwrap();
    let capture = user.file("asked.json");
    let scan =
        ["scan", "--engine", &engine.endpoint, "--ask-registry", "--compose", &shop, "--json", "--capture", &capture];
    let mut command = user.command(&scan);
    command.env("HTTPS_PROXY", NO_NETWORK);
    let asked = ran(command);
    assert_eq!(asked.status, 1, "what will not run is broken");
    let scan = asked.document("scan");
    let project = one(list(&scan, "compose"), "name", "never");
    let service = |service: &str| one(list(project, "services"), "name", service);
    assert_eq!(service("never")["upstream"], json!([engine.foreign, "linux/s390x"]), "variables are replaced first");
    assert_eq!(service("made")["upstream"]["unknown"]["why"], "it is built, not pulled");
    let captured: Value = serde_json::from_str(&std::fs::read_to_string(&capture).unwrap()).unwrap();
    let asked = |what: &str| {
        let all = list(&captured["upstream"], "references").iter();
        all.filter(|asked| text(asked, "reference").contains(what)).count()
    };
    assert_eq!((asked("registry-never"), asked("silidock-kept"), asked("registry-made")), (1, 0, 0), "names stay here");
    for service in ["never", "one"] {
        let fails = finding(&scan, "pull-fails", &format!("never/{service}"));
        assert_eq!(fails["severity"], "broken");
        assert!(text(fails, "title").starts_with(&format!("{service} will not run here")), "{fails}");
        assert_eq!(fails["fixes"][0]["title"], json!(format!("Pin {service} to {}", engine.foreign)), "{fails}");
        let plain = finding(&scan, "no-native-manifest", &format!("never/{service}"));
        assert!(plain["supersededBy"] == fails["id"] && text(plain, "why").contains("will not run"), "{plain}");
    }
    assert_eq!(image(&scan, &both)["upstream"], json!([engine.native, engine.foreign]));
    let needless = finding(&scan, "needless-emulation", "registry-both");
    assert!(text(needless, "title").ends_with("its registry has the native image"), "{needless}");
    let steps = list(&needless["fixes"][0], "steps");
    assert_eq!(steps[0], json!({ "kind": "pullPlatform", "reference": both, "platform": engine.native }));
    assert_eq!(steps[1]["kind"], "recreateContainer");
    let none = finding(&scan, "no-native-manifest", &old);
    assert_eq!(none["fixes"][0]["title"], "Move to 8.0", "{none}");
    let lost = list(&scan, "notJudged")
        .iter()
        .find(|n| n["check"] == "no-native-manifest" && n["subject"]["id"] == json!(foreign));
    assert!(lost.is_some(), "what Docker Hub would say is not known, and that is said");
}

/// What the test made on the engine, and takes away again.
struct Left<'a> {
    engine: &'a lab::Lab,
    containers: [&'a str; 2],
    images: Vec<&'a str>,
}

impl Drop for Left<'_> {
    fn drop(&mut self) {
        for (verb, names) in [(vec!["rm", "-f"], self.containers.to_vec()), (vec!["rmi", "-f"], self.images.clone())] {
            // Whatever is not there was never made.
            let _ = self.engine.client(&[verb, names].concat()).output();
        }
    }
}

/// A registry that only a proxy reaches, with a certificate that only the company knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_company_s_proxy_and_certificates_work() {
    let config = r#"{"os":"linux","architecture":"arm64"}"#;
    let manifest = json!({ "schemaVersion": 2, "config": { "mediaType": OCI.2, "digest": digest(config.as_bytes()) } })
        .to_string();
    let inside = ScriptedServer::start(move |request| match request.target.contains("/blobs/") {
        true => Reply::status(200).body(config),
        false => Reply::status(200)
            .header("Content-Type", OCI.1)
            .header("RateLimit-Limit", "100;w=21600")
            .header("RateLimit-Remaining", "76;w=21600")
            .body(manifest.clone()),
    })
    .await
    .unwrap();

    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let company = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let server_key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["registry.company.test".to_owned()])
        .unwrap()
        .signed_by(&server_key, &issuer)
        .unwrap();
    let tls =
        ServerConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(server_key.serialize_der().into()))
            .unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(tls)), TcpListener::bind(("127.0.0.1", 0)).await.unwrap());
    let (proxy, target) = (listener.local_addr().unwrap(), inside.host().to_owned());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (acceptor, target) = (acceptor.clone(), target.clone());
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                assert!(head.starts_with(b"CONNECT registry.company.test:443 "), "{}", String::from_utf8_lossy(&head));
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                // A client that does not know the company goes away here.
                let Ok(mut outside) = acceptor.accept(stream).await else { return };
                let mut inside = TcpStream::connect(target).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });

    let user = User::new();
    let authority = user.file("company.pem");
    std::fs::write(&authority, company.pem()).unwrap();
    let asked = |certificates: Option<&str>| {
        let mut command = user.command(&["registry", "registry.company.test/web:1", "--json"]);
        command.env("HTTPS_PROXY", format!("http://{proxy}")).env_remove("SSL_CERT_FILE").env_remove("NO_PROXY");
        if let Some(file) = certificates {
            command.env("SSL_CERT_FILE", file);
        }
        command
    };
    let command = asked(Some(&authority));
    let known = tokio::task::spawn_blocking(move || ran(command)).await.unwrap().document("registry");
    assert_eq!(known["references"][0]["platforms"], json!(["linux/arm64"]), "{known}");
    assert_eq!(known["limits"][0]["remaining"], 76);
    let command = asked(None);
    let unknown = tokio::task::spawn_blocking(move || ran(command)).await.unwrap();
    assert_eq!(unknown.status, 2, "{unknown:?}");
    assert!(unknown.out.contains("could not be reached") && unknown.out.contains("ertificate"), "{}", unknown.out);
}

#[test]
fn services_are_pinned_by_name() {
    let user = User::new();
    let file = user.file("compose.yaml");
    let team = "# ours\nservices:\n  db:\n    image: 'mysql:5.7'   # keep\n  web:\n    image: nginx\n";
    let pinned = |platform: &str| team.replace("# keep\n", &format!("# keep\n    platform: {platform}\n"));
    let now = || std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, team).unwrap();

    let (status, preview) = user.json("preview", &["pin", &file, "db", "linux/amd64"]);
    assert_eq!((status, now().as_str()), (0, team), "a preview changes nothing");
    assert_eq!(preview["preview"]["diffs"][0]["added"], 1);
    let (status, change) = user.json("change", &["pin", &file, "db", "amd64", "--apply", "--yes"]);
    assert_eq!((status, now(), &change["verified"]), (0, pinned("linux/amd64"), &json!("verified")), "{change}");
    user.json("change", &["pin", &file, "db", "linux/arm64", "--apply", "--yes"]);
    assert_eq!(now(), pinned("linux/arm64"), "another value, in place");
    user.json("change", &["unpin", &file, "db", "--apply", "--yes"]);
    assert_eq!(now(), team);

    let over = user.file("compose.override.yaml");
    let (_, change) = user.json("change", &["pin", &file, "db", "linux/arm64", "--override", "--apply", "--yes"]);
    assert_eq!(std::fs::read_to_string(&over).unwrap(), "services:\n  db:\n    platform: linux/arm64\n");
    assert_eq!(now(), team, "the team's file is left alone");
    user.json("change", &["pin", &file, "web", "linux/arm64", "--override", "--apply", "--yes"]);
    assert_eq!(
        std::fs::read_to_string(&over).unwrap(),
        "services:\n  web:\n    platform: linux/arm64\n  db:\n    platform: linux/arm64\n"
    );
    let undone = user.run(&["undo", text(&change, "receipt"), "--apply", "--yes"]);
    assert_eq!(undone.status, 2, "the file has changed since: {undone:?}");

    let twice = user.run(&["pin", &file, "web,web", "linux/s390x"]);
    assert!(twice.status == 0 && twice.out.starts_with("Pin web to linux/s390x\n"), "{twice:?}");
    let windows = user.run(&["pin", &file, "web", "windows/amd64"]);
    assert!(windows.out.contains("would not start on them"), "{windows:?}");
    let targets = user.run(&["targets", &user.file(""), "--set", "linux/foo"]);
    assert!(targets.status == 2 && targets.err.contains("linux/arm64"), "{targets:?}");
    let parts = user.file("parts.yaml");
    std::fs::write(&parts, "include: [more.yaml]\nservices:\n  x:\n    extends: {file: more.yaml, service: i}\n")
        .unwrap();
    std::fs::write(user.file("more.yaml"), "services:\n  i:\n    image: a\n    platform: linux/amd64\n").unwrap();
    for (service, place) in [("x", "more.yaml:4 sets platform: linux/amd64"), ("i", "more.yaml:2")] {
        let refused = user.run(&["unpin", &parts, service, "--apply", "--yes"]);
        assert!(refused.status == 2 && refused.err.contains(place), "{refused:?}");
    }
    let documents = user.file("documents.yaml");
    std::fs::write(&documents, "services:\n  web:\n    image: a\n---\nservices: {}\n").unwrap();
    let refused = user.run(&["pin", &documents, "web", "linux/arm64"]);
    assert!(refused.status == 2 && refused.out.contains("    platform: linux/arm64"), "what to type: {refused:?}");

    for (arguments, words) in [
        (vec!["pin", &file, "gone", "linux/arm64"], "no service gone"),
        (vec!["pin", &file, "db", "tablet"], "is not a platform"),
        (vec!["unpin", &file, "db", "--apply", "--yes"], "has no platform"),
        (vec!["unpin", &file, "db", "--apply", "--yes"], "compose.override.yaml:5 sets platform: linux/arm64"),
        (
            vec!["pin", &file, "db", "linux/foo", "--apply", "--yes"],
            "linux/foo is no platform that anything is built for",
        ),
        (vec!["pin", &file, "", "linux/arm64"], "No service was named"),
        (vec!["pin", "/nowhere/compose.yaml", "db", "linux/arm64"], "cannot be read"),
    ] {
        let ran = user.run(&arguments);
        assert_eq!((ran.status, now().as_str()), (2, team), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(words), "{arguments:?}: {ran:?}");
    }
}
