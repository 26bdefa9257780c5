//! Walks a whole file system once, with several threads: each folder is read once, relative to its parent, and each
//! file is looked at once, however many names it has. Links are told and never followed. What a file is, is decided
//! in `look`; here is the order of things, the counting and the printing.

use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, CString};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, openat, readlinkat};
use rustix::io::Errno;
use silidock_executable::{Entry, FileRecord, PathText};
use silidock_probe::built_for;
use silidock_probe::inside::{INSIDE_SCHEMA, Line, Totals};

use crate::look::{Content, File, Number};
use crate::mounts;

/// More threads than processors help where a disk is slow, and a container is given few processes.
const MOST_THREADS: usize = 16;
const LEAST_THREADS: usize = 2;

/// As many entries make a line; what is said of them all is said once.
const LONGEST_LINE: usize = 128;
/// Somebody wants to know how far it is.
const TELL_EVERY: u64 = 20_000;
/// More than this is not printed; the rest is counted.
const LONGEST_OUTPUT: u64 = 72 << 20;

const EXAMPLES: usize = 20;

/// Everybody's, as the kernel says of every link.
const LINK_MODE: u32 = 0o777;

/// Never read: the kernel's and the engine's own.
const SKIPPED: [&[u8]; 4] = [b"/proc", b"/sys", b"/dev", b"/.silidock"];
/// Files that an engine puts into each container.
const MARKS: [&[u8]; 2] = [b"/.dockerenv", b"/run/.containerenv"];

/// Walks from a root and prints what it finds. Names in `wanted` are listed whatever they are.
///
/// # Errors
/// Nothing can be printed.
pub fn run(root: &CStr, wanted: HashSet<Vec<u8>>) -> io::Result<()> {
    let begin = Line::Begin { schema: INSIDE_SCHEMA.to_owned(), built_for: built_for().to_owned() };
    let walk = Walk {
        wanted,
        mounts: mounts::to_skip(),
        queue: Mutex::new(Queue {
            waiting: vec![Task { parent: None, name: root.to_owned(), path: Vec::new() }],
            busy: 0,
        }),
        changed: Condvar::new(),
        numbers: Mutex::new(HashMap::new()),
        totals: Mutex::new(Totals::default()),
        printed: AtomicU64::new(0),
        broken: AtomicBool::new(false),
    };
    walk.print(&begin);
    let threads = thread::available_parallelism().map_or(LEAST_THREADS, usize::from).clamp(LEAST_THREADS, MOST_THREADS);
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| walk.work());
        }
        walk.work();
    });
    walk.print(&Line::End(held(&walk.totals).clone()));
    if walk.broken.load(Ordering::Relaxed) { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
}

/// A thread that panicked has printed nothing wrong; what it counted still holds.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder to be read. Its parent is kept open until then, so that no path is too long.
struct Task {
    parent: Option<Arc<OwnedFd>>,
    name: CString,
    /// Absolute path without a slash at its end: empty for the root.
    path: Vec<u8>,
}

struct Queue {
    waiting: Vec<Task>,
    busy: usize,
}

struct Walk {
    wanted: HashSet<Vec<u8>>,
    mounts: HashSet<Vec<u8>>,
    queue: Mutex<Queue>,
    changed: Condvar,
    /// Files with several names that were looked at.
    numbers: Mutex<HashMap<Number, Content>>,
    totals: Mutex<Totals>,
    printed: AtomicU64,
    broken: AtomicBool,
}

impl Walk {
    fn work(&self) {
        let mut worker = Worker { walk: self, found: Vec::new(), totals: Totals::default(), told: 0 };
        while let Some(task) = self.next() {
            let mut below = Vec::new();
            worker.folder(&task, &mut below);
            let mut queue = held(&self.queue);
            queue.busy -= 1;
            queue.waiting.append(&mut below);
            self.changed.notify_all();
        }
        worker.finish();
    }

    /// Prints a line, never mixed with that of another thread.
    fn print(&self, line: &Line) {
        let mut bytes = serde_json::to_vec(line).unwrap_or_default();
        bytes.push(b'\n');
        self.printed.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if io::stdout().lock().write_all(&bytes).is_err() {
            self.broken.store(true, Ordering::Relaxed);
        }
    }

    /// The next folder; none when all are done. The last one found is the first: few are kept open so.
    fn next(&self) -> Option<Task> {
        let mut queue = held(&self.queue);
        loop {
            if self.broken.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(task) = queue.waiting.pop() {
                queue.busy += 1;
                return Some(task);
            }
            if queue.busy == 0 {
                return None;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

struct Worker<'a> {
    walk: &'a Walk,
    found: Vec<FileRecord>,
    totals: Totals,
    /// Files and folders told so far.
    told: u64,
}

impl Worker<'_> {
    fn folder(&mut self, task: &Task, below: &mut Vec<Task>) {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let parent = task.parent.as_ref().map_or(CWD, |parent| parent.as_fd());
        let opened = openat(parent, task.name.as_c_str(), flags, Mode::empty());
        let (mut entries, fd) = match opened.and_then(|fd| Ok((Dir::read_from(&fd)?, Arc::new(fd)))) {
            Ok(opened) => opened,
            Err(error) => return self.unreadable(&task.path, error),
        };
        self.totals.folders += 1;
        while let Some(entry) = entries.read() {
            let looked = entry.and_then(|entry| {
                let name = entry.file_name();
                match entry.file_type() {
                    _ if matches!(name.to_bytes(), b"." | b"..") => Ok(()),
                    FileType::Unknown => {
                        let kind = File::of(fd.as_fd(), name)?.kind();
                        self.entry(&fd, name, kind, &task.path, below)
                    }
                    kind => self.entry(&fd, name, kind, &task.path, below),
                }
            });
            if let Err(error) = looked {
                self.unreadable(&task.path, error);
            }
        }
        self.tell();
    }

    fn entry(
        &mut self,
        folder: &Arc<OwnedFd>,
        name: &CStr,
        kind: FileType,
        path: &[u8],
        below: &mut Vec<Task>,
    ) -> Result<(), Errno> {
        match kind {
            FileType::Directory => {
                let path = joined(path, name);
                if !SKIPPED.contains(&path.as_slice()) && !self.walk.mounts.contains(&path) {
                    below.push(Task { parent: Some(Arc::clone(folder)), name: name.to_owned(), path });
                }
            }
            FileType::RegularFile => self.file(folder.as_fd(), name, path),
            FileType::Symlink => self.link(folder.as_fd(), name, path),
            _ => {}
        }
        Ok(())
    }

    fn file(&mut self, folder: BorrowedFd<'_>, name: &CStr, path: &[u8]) {
        // A mounted file is the engine's, too.
        let mounts = self.walk.mounts.iter().map(Vec::as_slice);
        if mounts.chain(MARKS).any(|engines| is_in(engines, path, name)) {
            return;
        }
        self.totals.files += 1;
        let looked = File::of(folder, name).and_then(|file| Ok((self.content(&file)?, file)));
        match looked {
            Ok((content, file)) => {
                if file.matters(&content, self.walk.wanted.contains(name.to_bytes())) {
                    let path = PathText::from_bytes(&joined(path, name));
                    self.found(file.record(path, content));
                }
            }
            Err(error) => self.unreadable(&joined(path, name), error),
        }
    }

    /// A file with several names is read once, unless two threads come upon it at the same time.
    fn content(&mut self, file: &File<'_>) -> Result<Content, Errno> {
        if !file.is_worth_opening() {
            return Ok(file.unopened());
        }
        let number = file.number();
        if let Some(known) = number.and_then(|number| held(&self.walk.numbers).get(&number).cloned()) {
            return Ok(known);
        }
        self.totals.opened += 1;
        let content = file.content()?;
        if let Some(number) = number {
            held(&self.walk.numbers).insert(number, content.clone());
        }
        Ok(content)
    }

    fn link(&mut self, folder: BorrowedFd<'_>, name: &CStr, path: &[u8]) {
        self.totals.links += 1;
        let path = joined(path, name);
        match readlinkat(folder, name, Vec::new()) {
            Ok(target) => self.found(FileRecord {
                path: PathText::from_bytes(&path),
                mode: LINK_MODE,
                uid: 0,
                gid: 0,
                entry: Entry::Link { target: PathText::from_bytes(target.to_bytes()) },
            }),
            Err(error) => self.unreadable(&path, error),
        }
    }

    fn found(&mut self, record: FileRecord) {
        if self.walk.printed.load(Ordering::Relaxed) > LONGEST_OUTPUT {
            self.totals.dropped += 1;
            return;
        }
        self.found.push(record);
        if self.found.len() >= LONGEST_LINE {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.found.is_empty() {
            self.walk.print(&Line::Found { records: std::mem::take(&mut self.found) });
        }
    }

    fn unreadable(&mut self, path: &[u8], error: Errno) {
        self.totals.unreadable += 1;
        if self.totals.examples.len() < EXAMPLES {
            let path = PathText::from_bytes(if path.is_empty() { b"/" } else { path });
            self.totals.examples.push((path, io::Error::from(error).to_string()));
        }
    }

    fn tell(&mut self) {
        let now = self.totals.files + self.totals.folders;
        if now - self.told >= TELL_EVERY {
            self.flush();
            self.walk.print(&Line::Progress { files: now - self.told });
            self.told = now;
        }
    }

    fn finish(mut self) {
        self.flush();
        let mut all = held(&self.walk.totals);
        let mine = self.totals;
        all.files += mine.files;
        all.folders += mine.folders;
        all.links += mine.links;
        all.unreadable += mine.unreadable;
        all.opened += mine.opened;
        all.dropped += mine.dropped;
        all.examples.extend(mine.examples);
        all.examples.truncate(EXAMPLES);
    }
}

fn joined(folder: &[u8], name: &CStr) -> Vec<u8> {
    [folder, b"/", name.to_bytes()].concat()
}

/// Whether this path is that name in that folder, without putting them together.
fn is_in(path: &[u8], folder: &[u8], name: &CStr) -> bool {
    path.strip_prefix(folder).and_then(|rest| rest.strip_prefix(b"/")) == Some(name.to_bytes())
}
