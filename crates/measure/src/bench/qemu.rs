//! Where a QEMU can be had that is a program of its own: on the engine's machine, or in an image. It has to be static,
//! because it runs in a container that has nothing else; whether it is shows when it is tried.

use std::io::Read;
use std::time::Duration;

use silidock_engine::Workbench;

use super::site::Site;

/// Pulling an image of some 30 MB.
const PULL: Duration = Duration::from_secs(300);

/// Found, to be tried.
pub(crate) enum Source {
    /// A path on the engine's machine.
    OnEngine(String),
    /// The program itself.
    Program(Vec<u8>),
}

/// Where it usually lies; `{}` is QEMU's word for the architecture.
const ON_ENGINE: [&str; 2] = ["/usr/bin/qemu-{}-static", "/usr/bin/qemu-{}"];
const IN_IMAGE: [&str; 3] = ["/usr/bin/qemu-{}", "/usr/bin/qemu-{}-static", "/qemu-{}-static"];

/// Everything worth trying, an image that was named first.
pub(crate) async fn sources(site: &Site, arch: &str) -> Vec<Result<Source, String>> {
    let word = match arch {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        other => other,
    };
    let mut sources = Vec::new();
    if let Some(image) = &site.plan.qemu.image {
        sources.push(from_image(site, image, word).await.map(Source::Program));
    }
    sources.extend(ON_ENGINE.iter().map(|path| Ok(Source::OnEngine(path.replace("{}", word)))));
    sources
}

/// Takes the program out of a container that is made for it and never started.
async fn from_image(site: &Site, image: &str, word: &str) -> Result<Vec<u8>, String> {
    let version = site.engine.version();
    let platform = format!("linux/{}", version.arch);
    let present = site.engine.inspect_image(image).await.is_ok();
    if !present && !site.plan.qemu.pull {
        return Err(format!("image {image} is not on the engine, and pulling it was not asked for"));
    }
    if !present {
        let pulled = site.engine.pull(image, &platform, PULL).await;
        pulled.map_err(|error| format!("image {image} could not be pulled: {error}"))?;
    }
    let container = site.container("qemu");
    let wanted = Workbench {
        name: container.clone(),
        image: image.to_owned(),
        platform,
        command: vec!["/never-started".to_owned()],
        labels: site.labels(),
        memory: site.plan.limits.memory,
        cpus: 1.0,
        processes: 1,
        ..Workbench::default()
    };
    site.engine.create_workbench(&wanted).await.map_err(|error| format!("image {image}: {error}"))?;
    let mut found = Err(format!("image {image} has no QEMU for {word}"));
    for path in IN_IMAGE.map(|path| path.replace("{}", word)) {
        if let Ok(archive) = site.engine.file_of(&container, &path).await
            && let Some(program) = only_file(&archive)
        {
            found = Ok(program);
            break;
        }
    }
    site.discard(&container).await.map_err(|error| error.to_string())?;
    found
}

fn only_file(archive: &[u8]) -> Option<Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let mut file =
        archive.entries().ok()?.filter_map(Result::ok).find(|entry| entry.header().entry_type().is_file())?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
