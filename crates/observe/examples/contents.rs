//! Reads what lies in FILE, a folder, `-` (standard input) or an engine's IMAGE, and prints how long that took and how much
//! memory. For `scripts/bench-stream.sh` and for a look by hand; what it finds is printed with `--list`.
//!
//!     contents FILE|FOLDER|-|engine:IMAGE [--list] [--engine URL] [--platform P]
//!     contents make ENTRIES > FILE      a tar file of so many small files, every hundredth of them a program

#![allow(clippy::print_stdout)] // it is a program

use std::{
    error::Error,
    io::{self, BufWriter, Write},
    sync::atomic::Ordering,
    time::Instant,
};

use silidock_engine::{ConnectOptions, Engine};
use silidock_host::LocalHost;
use silidock_observe::contents::{Contents, Request, read_image, read_path, read_stream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let subject = arguments.next().ok_or("what is to be read?")?;
    if subject == "make" {
        return Ok(make(arguments.next().ok_or("how many entries?")?.parse()?)?);
    }
    let (mut list, mut engine, mut request) = (false, None, Request::default());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => list = true,
            "--engine" => engine = arguments.next(),
            "--platform" => request.wanted.platform = arguments.next().map(|text| text.parse()).transpose()?,
            other => return Err(format!("{other} is not known").into()),
        }
    }
    let begin = Instant::now();
    let contents = match subject.strip_prefix("engine:") {
        Some(image) => {
            let host = LocalHost::new();
            let engine = Engine::find(&host, engine.as_deref(), ConnectOptions::on(&host)).await?;
            read_image(&engine, image, &request).await?
        }
        None if subject == "-" => read_stream(std::io::stdin().lock(), "standard input", &request)?,
        None => read_path(subject.as_ref(), &request)?,
    };
    let seconds = begin.elapsed().as_secs_f64();
    if list {
        print(&contents);
    }
    println!(
        "{seconds:.3} s, {} bytes, {} entries, {} listed, {} KiB at most, gaps: {:?}",
        request.watch.bytes.load(Ordering::Relaxed),
        request.watch.entries.load(Ordering::Relaxed),
        contents.files.len(),
        peak().unwrap_or_default(),
        contents.gaps
    );
    Ok(())
}

/// Writes a tar file whose names do not tell that they need not be looked at.
fn make(entries: u64) -> io::Result<()> {
    let program = std::fs::read("/proc/self/exe").unwrap_or_default();
    let program = &program[..program.len().min(1000)];
    let mut tar = tar::Builder::new(BufWriter::with_capacity(1 << 20, io::stdout().lock()));
    for n in 0..entries {
        let mut header = tar::Header::new_ustar();
        let (content, mode) = if n % 100 == 0 { (program, 0o755) } else { (&[b'a'; 200][..], 0o644) };
        header.set_size(content.len() as u64);
        header.set_mode(mode);
        tar.append_data(&mut header, format!("srv/part-{}/module-{}/resource-{n}", n / 10_000, n / 100), content)?;
    }
    tar.into_inner()?.flush()
}

fn print(contents: &Contents) {
    println!("{:?}\n{:?}\nothers: {:?}", contents.variant, contents.image, contents.others);
    for (n, layer) in contents.layers.iter().enumerate() {
        println!("layer {n}: {:?} {:?} {:?} {:?}", layer.digest, layer.created_by, layer.compression, layer.counts);
    }
    for found in &contents.files {
        println!(
            "{} {:o} {} {:?} {:?}",
            found.layer, found.record.mode, found.record.path, found.record.entry, found.same_as
        );
    }
}

/// The most memory this process has had, in KiB; none where the system does not tell that way.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().split(' ').next()?.parse().ok()
}
