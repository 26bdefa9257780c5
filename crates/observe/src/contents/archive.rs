//! Images and file systems from files, folders and streams. A file that can be jumped about in is indexed first, and only
//! the layers of the wanted image are read, several at once; anything else is read in one pass.

use std::{
    collections::HashMap,
    fs::File,
    io::Read,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    Contents, ContentsError, Request,
    assemble::{Part, file_system, image, loose_layers, started_names},
    cache,
    entries::{Entries, Kind, TarError},
    image::{Documents, Plan, PlannedLayer, plan},
    layer::{self, Packing, Place, SNIFF, unpack},
    pass::{LONGEST_DOCUMENT, collect, is_root_like, link_of, name_of, resolve},
    summary::{Context, Summary},
    tape::{FilePart, Forward, Origin, Part as TapePart, StoppedByCaller, Tape},
};

/// More layers at once do not help, and each takes memory.
const WORKERS: usize = 4;
/// Entries of an archive that are remembered; an image has some hundred.
const INDEXED: usize = 50_000;

/// Reads an image or a file system from a tar file (also compressed), or an OCI layout from a folder. Blocking.
///
/// # Errors
/// Nothing at all could be read. Anything less is a gap.
pub fn read_path(path: &Path, request: &Request) -> Result<Contents, ContentsError> {
    let open = |source| ContentsError::Open { path: path.to_owned(), source };
    let file = File::open(path).map_err(open)?;
    let about = file.metadata().map_err(open)?;
    if about.is_dir() {
        let folder = path.canonicalize().map_err(open)?;
        return read_store(&Folder { folder }, request, None)?.ok_or_else(|| ContentsError::NotAnImage {
            what: path.display().to_string(),
            why: "it has neither an index.json nor a manifest.json".to_owned(),
        });
    }
    if !about.is_file() {
        return read_stream(file, &path.display().to_string(), request);
    }
    let file = Arc::new(file);
    let whole = || FilePart::new(Arc::clone(&file), 0, about.len());
    let mut first = vec![0; SNIFF];
    let read = whole().read(&mut first).map_err(open)?;
    if Packing::of(&first[..read]) != Packing::Plain {
        return one_pass(whole(), &path.display().to_string(), request);
    }
    let archive = Archive::index(Arc::clone(&file), about.len(), fingerprint(&about), request);
    if archive.root_like {
        return one_pass(whole(), &path.display().to_string(), request);
    }
    match read_store(&archive, request, archive.broken.as_ref())? {
        Some(contents) => Ok(contents),
        None => one_pass(whole(), &path.display().to_string(), request),
    }
}

/// Reads the same from anything that can only be read on: a pipe, an engine's answer. Blocking. `what` names it in errors.
///
/// # Errors
/// Nothing at all could be read. Anything less is a gap.
pub fn read_stream(stream: impl Read, what: &str, request: &Request) -> Result<Contents, ContentsError> {
    one_pass(Forward(stream), what, request)
}

pub(super) fn context(request: &Request, more: impl IntoIterator<Item = String>) -> Context {
    let names = request.names.iter().cloned().chain(more).map(String::into_bytes).collect();
    Context { watch: Arc::clone(&request.watch), names: Arc::new(names), ..Context::default() }
}

fn one_pass(origin: impl Origin, what: &str, request: &Request) -> Result<Contents, ContentsError> {
    let (contents, _) = one_pass_with_parts(origin, what, request)?;
    Ok(contents)
}

/// Also the image's layers, for a cache.
pub(super) fn one_pass_with_parts(
    origin: impl Origin,
    what: &str,
    request: &Request,
) -> Result<(Contents, Vec<(PlannedLayer, Summary)>), ContentsError> {
    stopped(request, None)?;
    let context = context(request, []);
    let not_an_image = |why: String| ContentsError::NotAnImage { what: what.to_owned(), why };
    let mut tape = Tape::new(origin, Some(Arc::clone(&request.watch)));
    let first = tape.peek(SNIFF).map_err(|error| not_an_image(error.to_string()))?.to_vec();
    let unpacked = unpack(&first, TapePart::new(&mut tape, u64::MAX), Place::Outermost)
        .map_err(|error| not_an_image(error.to_string()))?;
    let mut all = collect(Entries::new(Tape::new(unpacked.origin, None)), &context);
    stopped(request, all.broken.as_ref())?;
    let broken = all.broken.take();
    let planned = if all.root_like { None } else { plan(&all, &request.wanted)? };
    if let Some(plan) = planned {
        let mut layers = std::mem::take(&mut all.layers);
        // A layer that stands twice in an image is needed twice.
        let last_use = |path: &str, from: usize| {
            !plan.layers[from + 1..].iter().any(|later| all.resolved(&later.path) == all.resolved(path))
        };
        let parts = plan.layers.iter().enumerate().map(|(n, layer)| {
            let path = all.resolved(&layer.path);
            let summary = if last_use(&layer.path, n) { layers.remove(path) } else { layers.get(path).cloned() };
            Part { layer: layer.clone(), summary }
        });
        let parts: Vec<_> = parts.collect();
        let kept = parts.iter().filter_map(|part| Some((part.layer.clone(), part.summary.clone()?))).collect();
        let kept = if request.cache.is_some() { kept } else { Vec::new() };
        return Ok((image(plan, parts, broken.as_ref()), kept));
    }
    let root = std::mem::take(&mut all.root);
    let (nothing, found) = (root.counts.files + root.counts.links == 0, !all.layers.is_empty());
    match broken {
        // An image whose list of layers is lost: better than nothing are the layers.
        _ if nothing && found && !all.root_like => {
            let layers = all.order.iter().filter_map(|name| all.layers.remove(name)).collect();
            Ok((loose_layers(layers, broken.as_ref()), Vec::new()))
        }
        Some(error) if nothing => Err(not_an_image(error.to_string())),
        None if nothing && root.counts.folders == 0 => Err(not_an_image("it is an empty archive".to_owned())),
        broken => Ok((file_system(root, broken.as_ref()), Vec::new())),
    }
}

fn stopped(request: &Request, broken: Option<&TarError>) -> Result<(), ContentsError> {
    let by_caller = matches!(broken, Some(TarError::Source { source, .. })
        if source.get_ref().is_some_and(|inner| inner.is::<StoppedByCaller>()));
    if by_caller || request.watch.check().is_err() { Err(ContentsError::Stopped) } else { Ok(()) }
}

/// Documents and layers that can be had in any order.
trait Store: Documents + Sync {
    /// A layer's bytes, and a key for what is known of it from before.
    fn open(&self, path: &str) -> Option<(FilePart, String)>;
}

/// The image in a store; none where it holds none.
fn read_store(
    store: &dyn Store,
    request: &Request,
    broken: Option<&TarError>,
) -> Result<Option<Contents>, ContentsError> {
    stopped(request, broken)?;
    struct Seen<'a>(&'a dyn Store);
    impl Documents for Seen<'_> {
        fn document(&self, path: &str) -> Option<Vec<u8>> {
            self.0.document(path)
        }
        fn has(&self, path: &str) -> bool {
            self.0.has(path)
        }
    }
    let Some(plan) = plan(&Seen(store), &request.wanted)? else { return Ok(None) };
    let context = context(request, started_names(&plan.settings));
    let parts = read_layers(store, &plan, request, &context);
    stopped(request, broken)?;
    Ok(Some(image(plan, parts, broken)))
}

fn read_layers(store: &dyn Store, plan: &Plan, request: &Request, context: &Context) -> Vec<Part> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Summary>>> = plan.layers.iter().map(|_| Mutex::default()).collect();
    let work = || {
        while let Some((layer, result)) = {
            let n = next.fetch_add(1, Ordering::Relaxed);
            plan.layers.get(n).zip(results.get(n))
        } {
            let summary = read_layer(store, layer, plan, request, context);
            *result.lock().unwrap_or_else(PoisonError::into_inner) = summary;
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(WORKERS).min(plan.layers.len());
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    let results = results.into_iter().map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner));
    plan.layers.iter().cloned().zip(results).map(|(layer, summary)| Part { layer, summary }).collect()
}

fn read_layer(
    store: &dyn Store,
    layer: &PlannedLayer,
    plan: &Plan,
    request: &Request,
    context: &Context,
) -> Option<Summary> {
    let (origin, key) = store.open(&layer.path)?;
    if let Some(known) = cache::known(request, &key, &plan.settings) {
        return Some(known);
    }
    let mut tape = Tape::new(origin, Some(Arc::clone(&request.watch)));
    let first = match tape.peek(SNIFF) {
        Ok(first) => first.to_vec(),
        Err(error) => return Some(Summary { broken: Some(error.to_string()), ..Summary::default() }),
    };
    let summary = layer::read(&first, TapePart::new(&mut tape, u64::MAX), context);
    cache::remember(request, &key, &summary);
    Some(summary)
}

/// What tells one state of a file from another. A layer of a file is known under this and not under its digest, which
/// nobody has checked.
fn fingerprint(about: &std::fs::Metadata) -> String {
    let (changed, nanoseconds) = (about.ctime(), about.ctime_nsec());
    format!("{}-{}-{}-{changed}.{nanoseconds}", about.dev(), about.ino(), about.size())
}

/// An OCI layout, or an unpacked `docker save`.
struct Folder {
    folder: PathBuf,
}

impl Folder {
    /// A file below the folder; none for one that a link leads out.
    fn file(&self, path: &str) -> Option<File> {
        let path = self.folder.join(path.trim_start_matches('/')).canonicalize().ok()?;
        let file = path.starts_with(&self.folder).then(|| File::open(path).ok())??;
        file.metadata().ok()?.is_file().then_some(file)
    }
}

impl Documents for Folder {
    fn document(&self, path: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file(path)?.take(LONGEST_DOCUMENT + 1).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 <= LONGEST_DOCUMENT).then_some(bytes)
    }

    fn has(&self, path: &str) -> bool {
        self.file(path).is_some()
    }
}

impl Store for Folder {
    fn open(&self, path: &str) -> Option<(FilePart, String)> {
        let file = self.file(path)?;
        let about = file.metadata().ok()?;
        Some((FilePart::new(Arc::new(file), 0, about.len()), format!("file/{}", fingerprint(&about))))
    }
}

/// A tar file whose entries are known.
struct Archive {
    file: Arc<File>,
    fingerprint: String,
    entries: HashMap<String, (u64, u64)>,
    links: HashMap<String, String>,
    root_like: bool,
    broken: Option<TarError>,
}

impl Archive {
    fn index(file: Arc<File>, size: u64, fingerprint: String, request: &Request) -> Self {
        let mut entries = Entries::new(Tape::new(FilePart::new(Arc::clone(&file), 0, size), None));
        let mut found =
            Self { file, fingerprint, entries: HashMap::new(), links: HashMap::new(), root_like: false, broken: None };
        loop {
            let head = match entries.next() {
                Ok(Some(head)) => head,
                Ok(None) => return found,
                Err(error) => {
                    found.broken = Some(error);
                    return found;
                }
            };
            found.root_like |= is_root_like(&head.path) || found.entries.len() + found.links.len() > INDEXED;
            if found.root_like || request.watch.check().is_err() {
                return found;
            }
            let Some(name) = name_of(&head.path) else { continue };
            if let Some(target) = link_of(&head) {
                found.links.insert(name, target);
            } else if head.kind == Kind::File && head.sparse.is_none() {
                found.entries.insert(name, (entries.position(), entries.left()));
            }
        }
    }

    fn part(&self, path: &str) -> Option<(u64, u64)> {
        self.entries.get(resolve(&self.links, path)).copied()
    }
}

impl Documents for Archive {
    fn document(&self, path: &str) -> Option<Vec<u8>> {
        let (begin, length) = self.part(path).filter(|(_, length)| *length <= LONGEST_DOCUMENT)?;
        let mut bytes = Vec::new();
        FilePart::new(Arc::clone(&self.file), begin, length).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn has(&self, path: &str) -> bool {
        self.part(path).is_some()
    }
}

impl Store for Archive {
    fn open(&self, path: &str) -> Option<(FilePart, String)> {
        let (begin, length) = self.part(path)?;
        let key = format!("file/{}/{begin}-{length}", self.fingerprint);
        Some((FilePart::new(Arc::clone(&self.file), begin, length), key))
    }
}
