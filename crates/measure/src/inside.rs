//! Looks at every file of an image from within: the native probe walks the image's own root in a throw-away container
//! made from that image, whatever platform it is for. Nothing of the image is run, pulled or kept. What the files mean
//! is not known here.

use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use silidock_diagnosis::fact::Gap;
use silidock_engine::{Carrier, Engine, EngineError, Printed};
use silidock_executable::FileRecord;
use silidock_probe::inside::{INSIDE_SCHEMA, Line, Totals};
use tokio::sync::{mpsc, watch};

use crate::archive::tar;
use crate::error::MeasureError;
use crate::identify::linux_platform;
use crate::installation::{Busy, Installation};
use crate::options::Probes;
use crate::visit::{SIGNALS, insist, one_line, or_lost};

/// Where the probe lies: a volume, because the root is read-only.
const VOLUME: &str = "/.silidock";
const PROGRAM: &str = "probe";

/// Lines that wait to be taken; the probe waits when there are more.
const WAITING: usize = 16;
/// No line of the probe is longer.
const LONGEST_LINE: usize = 4 << 20;
const LONGEST_COMPLAINT: usize = 4096;

/// How an image is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsideOptions {
    /// What is carried in.
    pub probes: Probes,
    /// How long it may take: 10 minutes.
    pub run: Duration,
    /// The most memory the probe may use, in bytes: 512 MiB. Pages of files that it reads count, but give way.
    pub memory: u64,
    /// The most threads: 64.
    pub processes: u32,
}

impl Default for InsideOptions {
    fn default() -> Self {
        Self { probes: Probes::embedded(), run: Duration::from_secs(600), memory: 512 << 20, processes: 64 }
    }
}

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsideTarget {
    /// Reference or identifier of an image that the engine has.
    pub image: String,
    /// Which of its platforms, where there are several; else the one that is here.
    pub platform: Option<String>,
    /// Names of files that are to be told whatever they are.
    pub names: Vec<String>,
}

/// Something that was found, or how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InsideNews {
    /// Entries that matter, in no order.
    Found(Vec<FileRecord>),
    /// So many files and folders more were looked at.
    Progress(u64),
}

/// What is known when everything was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsideSummary {
    /// What was counted.
    pub totals: Totals,
    /// What could not be removed.
    pub gaps: Vec<Gap>,
}

/// Looks inside an image; news go to the channel as they come, and the probe waits for whoever takes them. When the
/// returned future is dropped, or nobody takes the news any more, everything is removed all the same;
/// [`Installation::settled`] waits for that.
///
/// # Errors
/// The engine does not make or start the container, or the probe's answer is not whole.
pub async fn look_inside(
    engine: &Engine,
    installation: &Installation,
    options: InsideOptions,
    target: InsideTarget,
    news: mpsc::Sender<InsideNews>,
) -> Result<InsideSummary, MeasureError> {
    let (_here, present) = watch::channel(());
    let work = Work {
        engine: engine.clone(),
        installation: installation.clone(),
        options,
        target,
        news,
        present,
        _busy: installation.busy(),
    };
    tokio::spawn(work.run()).await.unwrap_or(Err(MeasureError::Stopped))
}

/// A channel of the right size for [`look_inside`].
#[must_use]
pub fn inside_news() -> (mpsc::Sender<InsideNews>, mpsc::Receiver<InsideNews>) {
    mpsc::channel(WAITING)
}

struct Work {
    engine: Engine,
    installation: Installation,
    options: InsideOptions,
    target: InsideTarget,
    news: mpsc::Sender<InsideNews>,
    /// Ends when nobody waits any more.
    present: watch::Receiver<()>,
    _busy: Busy,
}

impl Work {
    async fn run(self) -> Result<InsideSummary, MeasureError> {
        let arch = linux_platform(&self.engine)?.architecture;
        let probe = self.options.probes.get(&arch).ok_or_else(|| MeasureError::NoProbe { arch: arch.clone() })?;
        let name = format!("silidock-{}-inside", self.installation.name());
        let mut heard = self.attempt(&arch, probe, &name).await;
        if matches!(heard, Ok(None)) && insist(|| self.engine.remove_throwaway(&name)).await.is_ok() {
            heard = self.attempt(&arch, probe, &name).await;
        }
        let nothing = || MeasureError::Garbage { arch: arch.clone(), why: "it is empty".to_owned() };
        let totals = heard.and_then(|totals| totals.ok_or_else(nothing));
        let removed = insist(|| self.engine.remove_throwaway(&name)).await;
        let gap = |error: EngineError| Gap::new(format!("whether container {name} is gone"), error.to_string());
        Ok(InsideSummary { totals: totals?, gaps: removed.err().map(gap).into_iter().collect() })
    }

    /// None where nothing was heard of a probe that ended well: a busy engine can lose all that a container printed which ends at
    /// once. Nobody has heard of it then, so it can be asked again.
    async fn attempt(&self, arch: &str, probe: &[u8], name: &str) -> Result<Option<Totals>, MeasureError> {
        let arch_of = || arch.to_owned();
        let program =
            tar(&[(PROGRAM, probe, 0o755)]).map_err(|source| MeasureError::Archive { arch: arch_of(), source })?;
        let refused = |source| MeasureError::ContainerRefused { arch: arch_of(), source };
        self.wanted(self.engine.create_carrier(&self.carrier(name))).await?.map_err(|e| or_lost(e, refused))?;
        let refused = |source| MeasureError::UploadRefused { arch: arch_of(), source };
        self.wanted(self.engine.upload(name, VOLUME, program)).await?.map_err(|e| or_lost(e, refused))?;
        let refused = |source| MeasureError::StartRefused { arch: arch_of(), source };
        self.wanted(self.engine.start_throwaway(name)).await?.map_err(|e| or_lost(e, refused))?;
        let reading = tokio::time::timeout(self.options.run, self.read(arch, name));
        let read = self.wanted(reading).await?;
        let read = read.map_err(|_| MeasureError::Hangs { arch: arch_of(), after: self.options.run })??;
        let status = self.wanted(self.engine.wait_throwaway(name, self.options.run)).await??;
        match (read.totals, status) {
            (Some(totals), 0) => Ok(Some(totals)),
            (None, 0) if !read.begun && read.rest.is_empty() => Ok(None),
            (_, 0) => Err(MeasureError::Garbage { arch: arch_of(), why: "it does not end".to_owned() }),
            (_, status) if status > SIGNALS => Err(MeasureError::Killed { arch: arch_of(), signal: status - SIGNALS }),
            (_, status) => Err(MeasureError::Failed { arch: arch_of(), status, complaint: one_line(&read.complaint) }),
        }
    }

    fn carrier(&self, name: &str) -> Carrier {
        let command = [format!("{VOLUME}/{PROGRAM}"), "inside".to_owned()];
        Carrier {
            name: name.to_owned(),
            image: self.target.image.clone(),
            platform: self.target.platform.clone(),
            volume: VOLUME.to_owned(),
            command: command.into_iter().chain(self.target.names.iter().cloned()).collect(),
            labels: self.installation.labels(self.options.run),
            memory: self.options.memory,
            processes: self.options.processes,
        }
    }

    /// The answer, unless nobody waits for it any more.
    async fn wanted<T>(&self, asking: impl Future<Output = T>) -> Result<T, MeasureError> {
        let mut present = self.present.clone();
        tokio::select! {
            answer = asking => Ok(answer),
            // Nothing is ever sent; it ends when the other side is gone.
            _ = present.changed() => Err(MeasureError::Stopped),
            () = self.news.closed() => Err(MeasureError::Stopped),
        }
    }

    /// Hands on what the probe prints, line by line.
    async fn read(&self, arch: &str, name: &str) -> Result<Read, MeasureError> {
        let mut output = std::pin::pin!(self.engine.follow(name));
        let mut read = Read::default();
        while let Some(printed) = output.next().await {
            match printed? {
                Printed::Out(bytes) => {
                    for line in read.lines(&bytes) {
                        let line = line.and_then(|line| read.line(arch, &line));
                        let line = line.map_err(|why| MeasureError::Garbage { arch: arch.to_owned(), why })?;
                        if let Some(news) = line {
                            self.news.send(news).await.map_err(|_| MeasureError::Stopped)?;
                        }
                    }
                }
                Printed::Err(bytes) => {
                    let room = LONGEST_COMPLAINT.saturating_sub(read.complaint.len());
                    read.complaint.extend_from_slice(&bytes[..bytes.len().min(room)]);
                }
            }
        }
        Ok(read)
    }
}

/// What was read so far.
#[derive(Debug, Default)]
struct Read {
    /// A line that is not whole yet.
    rest: Vec<u8>,
    begun: bool,
    totals: Option<Totals>,
    complaint: Vec<u8>,
}

impl Read {
    /// The lines that are whole now.
    fn lines(&mut self, bytes: &[u8]) -> Vec<Result<Vec<u8>, String>> {
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            let endless = self.rest.len() > LONGEST_LINE;
            return if endless { vec![Err("a line of it does not end".to_owned())] } else { Vec::new() };
        };
        let behind = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, behind);
        whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| Ok(line.to_vec())).collect()
    }

    fn line(&mut self, arch: &str, line: &[u8]) -> Result<Option<InsideNews>, String> {
        let line = serde_json::from_slice(line).map_err(|error| format!("a line of it is not its JSON ({error})"))?;
        match line {
            Line::Begin { schema, built_for } if schema == INSIDE_SCHEMA && built_for == arch && !self.begun => {
                self.begun = true;
                Ok(None)
            }
            Line::Begin { schema, built_for } => Err(format!("it is {schema} of a probe for {built_for}")),
            _ if !self.begun || self.totals.is_some() => Err("its lines are out of order".to_owned()),
            Line::Found { records } => Ok(Some(InsideNews::Found(records))),
            Line::Progress { files } => Ok(Some(InsideNews::Progress(files))),
            Line::End(totals) => {
                self.totals = Some(totals);
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_however_it_is_cut_and_nonsense_is_told() {
        let whole = concat!(
            "{\"line\":\"begin\",\"schema\":\"silidock-inside/1\",\"builtFor\":\"amd64\"}\n",
            "{\"line\":\"progress\",\"files\":7}\n",
            "{\"line\":\"end\",\"files\":7,\"folders\":0,\"links\":0,\"unreadable\":0,\"examples\":[],\"opened\":1,\"dropped\":0}\n",
        );
        for length in 1..=whole.len() {
            let mut read = Read::default();
            let mut news = Vec::new();
            for piece in whole.as_bytes().chunks(length) {
                for line in read.lines(piece) {
                    news.extend(read.line("amd64", &line.unwrap()).unwrap());
                }
            }
            assert_eq!(news, [InsideNews::Progress(7)], "in pieces of {length}");
            assert_eq!(read.totals.as_ref().map(|totals| totals.files), Some(7));
        }
        for nonsense in [
            "{\"line\":\"progress\",\"files\":7}",
            "hello",
            "{}",
            "{\"line\":\"begin\",\"schema\":\"x\",\"builtFor\":\"amd64\"}",
        ] {
            assert!(Read::default().line("amd64", nonsense.as_bytes()).is_err(), "{nonsense}");
        }
        assert!(Read::default().lines(&vec![b'x'; LONGEST_LINE + 1])[0].is_err());
    }
}
