//! A real registry on loopback, Debian's own, holding images that are made here. It ends when dropped.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// The only user of a registry that wants a login.
pub const USER: &str = "ada";
/// Her password.
pub const PASSWORD: &str = "s3cret pass";
/// The same as htpasswd keeps it.
const HASHED: &str = "$2b$05$abcdefghijklmnopqrstuu1qdcFaS0PtqFUPzaCxLQ8/0lspH0ZEW";

pub const OCI: (&str, &str, &str) = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.config.v1+json",
);
pub const DOCKER: (&str, &str, &str) = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.container.image.v1+json",
);

/// A running registry.
pub struct Registry {
    child: Child,
    pub host: String,
    login: bool,
    folder: TempDir,
    /// The same again, where an engine sees it.
    twin: Option<Child>,
}

impl Registry {
    /// Starts one. None, told on standard error, where `SILIDOCK_LAB=skip` says to do without.
    pub fn start(what: &str, login: bool) -> Option<Self> {
        let program = program(what)?;
        let folder = TempDir::new().unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let host = format!("127.0.0.1:{port}");
        let users = folder.path().join("htpasswd");
        fs::write(&users, format!("{USER}:{HASHED}\n")).unwrap();
        let auth = match login {
            true => format!("auth: {{htpasswd: {{realm: lab, path: {}}}}}\n", users.display()),
            false => String::new(),
        };
        let config = folder.path().join("config.yml");
        let data = folder.path().join("data");
        fs::write(
            &config,
            format!(
                "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
                 storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{host}\"}}\n{auth}",
                data.display()
            ),
        )
        .unwrap();
        let child = serving(&program, &config, &host);
        Some(Self { child, host, login, folder, twin: None })
    }

    /// Ends it as `kill -9` does.
    #[allow(dead_code, reason = "for tests that kill it")]
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again after it was killed, with what it held, under the same address.
    #[allow(dead_code, reason = "for tests that kill it")]
    pub fn start_again(&mut self) {
        let program = program("a registry that is started again").unwrap();
        self.child = serving(&program, &self.folder.path().join("config.yml"), &self.host);
    }

    /// The same registry, with the same content under the same address, in the network of an engine of ours: its own
    /// loopback is not this machine's.
    #[allow(dead_code, reason = "for tests that build")]
    pub fn also_where(self, engine: &str) -> Self {
        let network = Path::new(&std::env::var("SILIDOCK_LAB").unwrap()).with_file_name(engine).join("netns");
        self.also_in(&network)
    }

    /// The same in any network, named by its file.
    #[allow(dead_code, reason = "for tests that build")]
    pub fn also_in(mut self, network: &Path) -> Self {
        let inside = |program: &Path| {
            let mut command = Command::new("nsenter");
            command.arg(format!("--net={}", network.display())).arg(program);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let program = program("a registry in an engine's network").unwrap();
        let config = self.folder.path().join("config.yml");
        self.twin = Some(inside(&program).arg("serve").arg(config).spawn().unwrap());
        let (address, port) = self.host.split_once(':').unwrap();
        let late = Instant::now() + Duration::from_secs(20);
        let opens = format!("exec 3<>/dev/tcp/{address}/{port}");
        while !inside(Path::new("/bin/bash")).args(["-c", &opens]).status().unwrap().success() {
            assert!(Instant::now() < late, "docker-registry did not open its port in {}", network.display());
            std::thread::sleep(Duration::from_millis(20));
        }
        self
    }

    /// Puts a manifest under a tag, or under its digest alone. Gives the digest.
    pub fn manifest(&self, repository: &str, tag: Option<&str>, media_type: &str, manifest: &Value) -> String {
        let body = manifest.to_string().into_bytes();
        let digest = digest(&body);
        let target = format!("/v2/{repository}/manifests/{}", tag.unwrap_or(&digest));
        let (status, _) = self.put("PUT", &target, media_type, &body);
        assert_eq!(status, 201, "{target}: {manifest}");
        digest
    }

    pub fn blob(&self, repository: &str, content: &[u8]) -> String {
        let (status, location) = self.put("POST", &format!("/v2/{repository}/blobs/uploads/"), "", b"");
        assert_eq!(status, 202);
        let digest = digest(content);
        let target = location.split_once(&self.host).map_or(location.as_str(), |(_, path)| path);
        let (status, _) = self.put("PUT", &format!("{target}&digest={digest}"), "application/octet-stream", content);
        assert_eq!(status, 201);
        digest
    }

    /// A single image for a platform (`linux/arm/v7`). Gives the digest of its manifest.
    pub fn image(&self, repository: &str, tag: Option<&str>, types: (&str, &str, &str), platform: &str) -> String {
        let mut config = written(platform);
        config["config"] = json!({ "Env": ["TOKEN=not-for-anybody"] });
        config["rootfs"] = json!({ "type": "layers", "diff_ids": [] });
        let config = self.blob(repository, config.to_string().as_bytes());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": types.1, "layers": [],
            "config": { "mediaType": types.2, "digest": config, "size": 1 },
        });
        self.manifest(repository, tag, types.1, &manifest)
    }

    /// An index of images for these platforms. Gives its digest.
    pub fn index(&self, repository: &str, tag: &str, types: (&str, &str, &str), platforms: &[&str]) -> String {
        let entry = |platform: &&str| {
            let image = self.image(repository, None, types, platform);
            json!({ "mediaType": types.1, "digest": image, "size": 1, "platform": written(platform) })
        };
        let entries: Vec<Value> = platforms.iter().map(entry).collect();
        self.index_of(repository, Some(tag), types, &entries)
    }

    pub fn index_of(
        &self,
        repository: &str,
        tag: Option<&str>,
        types: (&str, &str, &str),
        entries: &[Value],
    ) -> String {
        let index = json!({ "schemaVersion": 2, "mediaType": types.0, "manifests": entries });
        self.manifest(repository, tag, types.0, &index)
    }

    /// One request over one connection; the status and where it points.
    fn put(&self, method: &str, target: &str, media_type: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        // ada:s3cret pass
        let login = if self.login { "Authorization: Basic YWRhOnMzY3JldCBwYXNz\r\n" } else { "" };
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: {media_type}\r\n{login}Content-Length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        let location = rest.lines().find_map(|line| line.strip_prefix("Location: ")).unwrap_or_default();
        (status, location.to_owned())
    }
}

/// Runs the program until it has opened its port.
fn serving(program: &Path, config: &Path, host: &str) -> Child {
    let mut command = Command::new(program);
    command.arg("serve").arg(config).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let late = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(host).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "docker-registry ended");
        assert!(Instant::now() < late, "docker-registry did not open its port");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself.
        for child in [Some(&mut self.child), self.twin.as_mut()].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A platform as indexes and configurations write it.
pub fn written(platform: &str) -> Value {
    let mut parts = platform.split('/');
    let mut value = json!({ "os": parts.next().unwrap(), "architecture": parts.next().unwrap() });
    if let Some(variant) = parts.next() {
        value["variant"] = json!(variant);
    }
    value
}

pub fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// `tests/lab/lab.sh up` unpacks it beside the engines.
fn program(what: &str) -> Option<PathBuf> {
    let lab = std::env::var("SILIDOCK_LAB").unwrap_or_default();
    assert!(
        !lab.is_empty(),
        "{what}: this needs a real registry. `make test` brings one; or run `tests/lab/lab.sh up` and set SILIDOCK_LAB to \
         the endpoints.json it writes. SILIDOCK_LAB=skip leaves these tests out."
    );
    let program = Path::new(&lab).with_file_name("registry").join("docker-registry");
    if lab == "skip" || !program.exists() {
        eprintln!("SKIPPED, because {} is not there: {what}, on a real registry", program.display());
        return None;
    }
    Some(program)
}
