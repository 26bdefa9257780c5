//! What the documents of an image say: which platforms there are, which layers in which order, what brought each, and
//! what the image starts. Reads OCI indexes and `docker save`'s manifest; where the documents lie is the caller's.

use serde::Deserialize;
use silidock_diagnosis::platform::Platform;

use super::{ContentsError, ImageSettings, Variant, Wanted, history};

/// Where an image's documents and layers are, by path.
pub(super) trait Documents {
    /// A document; none where there is none, or where it is no document.
    fn document(&self, path: &str) -> Option<Vec<u8>>;
    /// Whether there is anything at the path.
    fn has(&self, path: &str) -> bool;
}

/// An image as its documents describe it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) settings: ImageSettings,
    pub(super) layers: Vec<PlannedLayer>,
    pub(super) chosen: Variant,
    pub(super) others: Vec<Variant>,
}

/// A layer, lowest first.
#[derive(Debug, Clone)]
pub(super) struct PlannedLayer {
    pub(super) path: String,
    pub(super) digest: Option<String>,
    pub(super) created_by: Option<String>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    #[serde(default)]
    platform: Option<RawPlatform>,
    #[serde(default)]
    annotations: Option<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Deserialize)]
struct RawPlatform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
}

/// An index, a manifest, or both at once.
#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    manifests: Vec<Descriptor>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(flatten)]
    platform: RawPlatform,
    #[serde(default)]
    config: Option<Run>,
    #[serde(default)]
    rootfs: Option<RootFs>,
    #[serde(default)]
    history: Option<Vec<history::Step>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Run {
    #[serde(default)]
    entrypoint: Option<Vec<String>>,
    #[serde(default)]
    cmd: Option<Vec<String>>,
    #[serde(default)]
    env: Option<Vec<String>>,
    #[serde(default)]
    working_dir: Option<String>,
    #[serde(default)]
    user: Option<String>,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

/// An image that could be taken.
struct Candidate {
    variant: Variant,
    config: String,
    layers: Vec<(String, Option<String>)>,
}

/// Indexes within indexes are followed so far, and so many manifests looked at.
const DEEPEST: usize = 4;
const MOST: usize = 256;

/// The image that is wanted. None where the documents are not those of an image.
pub(super) fn plan(documents: &dyn Documents, wanted: &Wanted) -> Result<Option<Plan>, ContentsError> {
    let mut candidates = Vec::new();
    if let Some(index) = documents.document("index.json") {
        let node: Node = parse(&index, "index.json")?;
        collect(documents, node, None, 0, &mut candidates)?;
    }
    // An engine's archive has both; where the index leads to nothing that is here, the other may.
    if !candidates.iter().any(|candidate| candidate.variant.available)
        && let Some(saved) = documents.document("manifest.json")
    {
        for entry in parse::<Vec<Saved>>(&saved, "manifest.json")? {
            candidates.push(saved_candidate(documents, entry));
        }
    }
    if candidates.is_empty() {
        return Ok(None);
    }
    let chosen = choose(&candidates, wanted)?;
    let chosen = candidates.swap_remove(chosen);
    let others = candidates.into_iter().map(|candidate| candidate.variant).collect();
    read_config(documents, chosen, others).map(Some)
}

fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &str) -> Result<T, ContentsError> {
    serde_json::from_slice(bytes).map_err(|source| ContentsError::Document { what: what.to_owned(), source })
}

/// Where a blob lies in a layout. None for a digest that is no name of a file.
fn blob(digest: &str) -> Option<String> {
    let (algorithm, hex) = digest.split_once(':')?;
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (word(algorithm) && word(hex)).then(|| format!("blobs/{algorithm}/{hex}"))
}

fn collect(
    documents: &dyn Documents,
    node: Node,
    name: Option<&str>,
    depth: usize,
    found: &mut Vec<Candidate>,
) -> Result<(), ContentsError> {
    for descriptor in node.manifests {
        if depth > DEEPEST || found.len() >= MOST {
            break;
        }
        let note = |key: &str| {
            descriptor
                .annotations
                .as_ref()
                .and_then(|all| all.get(key))
                .and_then(|value| value.as_str())
                .map(str::to_owned)
        };
        // Statements about an image are no image.
        if note("vnd.docker.reference.type").is_some() {
            continue;
        }
        let own = note("io.containerd.image.name").or_else(|| note("org.opencontainers.image.ref.name"));
        let name = own.as_deref().or(name);
        let platform = descriptor.platform.as_ref().and_then(RawPlatform::normal);
        let Some(bytes) = blob(&descriptor.digest).and_then(|path| documents.document(&path)) else {
            found.push(Candidate {
                variant: Variant { name: name.map(str::to_owned), platform, available: false },
                config: String::new(),
                layers: Vec::new(),
            });
            continue;
        };
        let node: Node = parse(&bytes, &descriptor.digest)?;
        match &node.config {
            None => collect(documents, node, name, depth + 1, found)?,
            Some(config) => {
                let config = blob(&config.digest).unwrap_or_default();
                let layer = |layer: &Descriptor| (blob(&layer.digest).unwrap_or_default(), Some(layer.digest.clone()));
                let variant = variant(documents, &config, name, platform);
                found.push(Candidate { variant, config, layers: node.layers.iter().map(layer).collect() });
            }
        }
    }
    Ok(())
}

fn saved_candidate(documents: &dyn Documents, saved: Saved) -> Candidate {
    let name = saved.repo_tags.and_then(|tags| tags.into_iter().next());
    let variant = variant(documents, &saved.config, name.as_deref(), None);
    Candidate { variant, config: saved.config, layers: saved.layers.into_iter().map(|path| (path, None)).collect() }
}

/// The configuration knows the platform best: an index may leave it out.
fn variant(documents: &dyn Documents, config: &str, name: Option<&str>, platform: Option<String>) -> Variant {
    let own = documents.document(config).and_then(|bytes| {
        let config: Config = serde_json::from_slice(&bytes).ok()?;
        config.platform.normal()
    });
    Variant { name: name.map(str::to_owned), platform: own.or(platform), available: documents.has(config) }
}

impl RawPlatform {
    fn normal(&self) -> Option<String> {
        Platform::new(&self.os, &self.architecture, self.variant.as_deref()).ok().map(|platform| platform.to_string())
    }
}

fn choose(candidates: &[Candidate], wanted: &Wanted) -> Result<usize, ContentsError> {
    let asked = wanted.platform.as_ref().map(ToString::to_string);
    let named = |candidate: &Candidate| {
        let name = candidate.variant.name.as_deref().unwrap_or_default();
        wanted.name.as_deref().is_none_or(|wanted| name == wanted || name.ends_with(&format!("/{wanted}")))
    };
    let fits = |candidate: &&Candidate| {
        named(candidate) && asked.as_ref().is_none_or(|asked| candidate.variant.platform.as_ref() == Some(asked))
    };
    let place = |fits: &dyn Fn(&&Candidate) -> bool| candidates.iter().position(|candidate| fits(&candidate));
    place(&|candidate| fits(candidate) && candidate.variant.available)
        .or_else(|| place(&|candidate| fits(candidate)))
        .ok_or_else(|| ContentsError::NotThere {
            wanted: [wanted.name.clone(), asked.clone()].into_iter().flatten().collect::<Vec<_>>().join(" for "),
            there: candidates.iter().map(|candidate| candidate.variant.to_string()).collect::<Vec<_>>().join(", "),
        })
}

fn read_config(documents: &dyn Documents, chosen: Candidate, others: Vec<Variant>) -> Result<Plan, ContentsError> {
    let Some(bytes) = documents.document(&chosen.config) else {
        return Err(ContentsError::Missing { what: format!("the configuration of {}", chosen.variant) });
    };
    let config: Config = parse(&bytes, "the image's configuration")?;
    let run = config.config.unwrap_or_default();
    let path = run.env.unwrap_or_default().into_iter().find_map(|line| line.strip_prefix("PATH=").map(str::to_owned));
    let settings = ImageSettings {
        platform: config.platform.normal(),
        entrypoint: run.entrypoint.unwrap_or_default(),
        command: run.cmd.unwrap_or_default(),
        path,
        working_dir: run.working_dir.filter(|folder| !folder.is_empty()),
        user: run.user.filter(|user| !user.is_empty()),
    };
    let diff_ids = config.rootfs.map(|root| root.diff_ids).unwrap_or_default();
    let steps = history::of_layers(config.history.unwrap_or_default(), chosen.layers.len());
    let layers = chosen.layers.into_iter().enumerate().map(|(n, (path, digest))| PlannedLayer {
        path,
        digest: diff_ids.get(n).cloned().or(digest),
        created_by: steps.get(n).cloned().flatten(),
    });
    Ok(Plan { settings, layers: layers.collect(), chosen: chosen.variant, others })
}
