//! From the probes' answers to the emulator of each platform. Every sign is kept with what it says, so that two that
//! disagree (a program that calls itself Rosetta while the processor is QEMU's) show as just that.

use serde::Serialize;
use silidock_diagnosis::emulator::recognise;
use silidock_diagnosis::platform::Platform;
use silidock_probe::{Answer, Cpu, Ended, Exe, Refusal, Seen};

use crate::error::MeasureError;

/// One platform and what runs its programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetEmulation {
    /// The platform: `linux/amd64`.
    pub platform: Platform,
    /// What runs its programs, by the most telling sign.
    pub effective: Effective,
    /// Everything that was seen, most telling first.
    pub signs: Vec<Sign>,
    /// Whether the signs name the same; `None` where there are not two.
    pub agrees: Option<bool>,
    /// What went wrong although the programs were started; `None` where they did their work.
    pub trouble: Option<String>,
    /// Features of the processor that its programs see, in Linux's words (`avx2`); `None` where none could be asked.
    pub features: Option<Vec<String>>,
}

/// What runs the programs of a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Effective {
    /// The engine's own processor.
    Native,
    /// An emulator.
    Emulator {
        /// `qemu`, `rosetta`, `fex`, `box64`, or another name as found.
        name: String,
        /// Its version, where it can be read: `7.2.22`.
        version: Option<String>,
    },
    /// Nothing: "exec format error".
    Nothing,
    /// Not known.
    Unknown {
        /// Why.
        why: String,
    },
}

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sign {
    /// Where it was looked for.
    pub source: Source,
    /// What it says by itself.
    pub says: Says,
    /// What was seen, as a sentence with the words found.
    pub evidence: String,
}

/// Where a sign was looked for, most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// Instructions that ask the processor, run by the platform's own probe.
    Cpu,
    /// Bytes of the program that the kernel runs for it.
    Program,
    /// The name of that program.
    Interpreter,
    /// `/proc/cpuinfo` as the platform's own probe sees it.
    Cpuinfo,
    /// Whether the kernel starts such programs.
    Kernel,
}

/// What a sign says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Says {
    /// An emulator of this name.
    Emulator {
        /// Its name.
        name: String,
    },
    /// The engine's processor.
    Native,
    /// Nothing runs such programs.
    Nothing,
}

fn emulator(name: &str) -> Says {
    Says::Emulator { name: name.to_owned() }
}

/// The parts of a processor's names by which an emulator can be told.
const PROCESSORS: [(&str, &str); 5] =
    [("QEMU", "qemu"), ("TCGTCGTCGTCG", "qemu"), ("VirtualApple", "rosetta"), ("FEX", "fex"), ("Box64", "box64")];

/// The part number of the processor QEMU makes up, with the implementer that is reserved for software.
const QEMU_PART: (u8, u16) = (0, 0x051);

/// What runs programs of a platform, from how its stub fared and what its own probe answered, if there is one.
pub(crate) fn judge(
    platform: Platform,
    stub: Option<&Seen>,
    own: Option<&Result<Answer, MeasureError>>,
) -> TargetEmulation {
    let mut gathered = Gathered::default();
    if let Some(seen) = stub {
        gathered.stub(&platform, seen);
    }
    match own {
        Some(Ok(answer)) => gathered.answer(&platform, answer, stub),
        Some(Err(error)) if error.is_exec_format_error() => {
            gathered.say(Source::Kernel, Says::Nothing, format!("a {platform} container: {error}"));
        }
        Some(Err(error)) => gathered.trouble = Some(error.to_string()),
        None => {}
    }
    gathered.conclude(platform)
}

#[derive(Default)]
struct Gathered {
    signs: Vec<Sign>,
    version: Option<String>,
    trouble: Option<String>,
    unknown: Option<String>,
    features: Option<Vec<String>>,
}

impl Gathered {
    fn say(&mut self, source: Source, says: Says, evidence: String) {
        self.signs.push(Sign { source, says, evidence });
    }

    fn stub(&mut self, platform: &Platform, seen: &Seen) {
        match seen {
            Seen::Native { ended } => {
                let evidence = format!("the kernel runs a {platform} program by itself");
                self.say(Source::Kernel, Says::Native, evidence);
                self.ended(platform, ended, "");
            }
            Seen::Interpreted { exe, ended, complaint } => {
                self.exe(platform, exe);
                self.ended(platform, ended, complaint);
            }
            Seen::Refused { refusal: Refusal::NoHandler } => {
                let evidence = format!("the kernel refuses a {platform} program: exec format error");
                self.say(Source::Kernel, Says::Nothing, evidence);
            }
            Seen::Refused { refusal: Refusal::HandlerMissing } => {
                let evidence =
                    format!("an emulator is registered for {platform}, but its program is not there: ENOENT");
                self.trouble = Some(evidence.clone());
                self.say(Source::Kernel, Says::Nothing, evidence);
            }
            Seen::Refused { refusal: Refusal::Errno { number } } => {
                self.unknown = Some(format!("the kernel refuses a {platform} program with error {number}"));
            }
            Seen::Unknown { why } => self.unknown = Some(why.clone()),
        }
    }

    fn exe(&mut self, platform: &Platform, exe: &Exe) {
        let Exe { link, marks, .. } = exe;
        // The table is for command lines, in which a program follows.
        let known = recognise(&format!("{link} program")).emulator.map(|sign| sign.emulator);
        let name = known.unwrap_or_else(|| link.rsplit('/').next().unwrap_or(link).to_owned());
        let evidence = format!("/proc/PID/exe of a {platform} program leads to {link}");
        self.say(Source::Interpreter, emulator(&name), evidence);
        for mark in marks {
            let evidence = format!("the bytes of {link} hold \"{}\"", mark.text);
            self.say(Source::Program, emulator(&mark.emulator), evidence);
            self.version = self.version.take().or_else(|| version(&mark.text));
        }
    }

    fn ended(&mut self, platform: &Platform, ended: &Ended, complaint: &str) {
        let how = match ended {
            Ended::Well => return,
            Ended::Status { status } => format!("ended with status {status}"),
            Ended::Signal { signal } => format!("was killed by signal {signal}"),
            Ended::Never => "did not end".to_owned(),
        };
        let said = if complaint.is_empty() { String::new() } else { format!(": {complaint}") };
        self.trouble = Some(format!("a {platform} program was started, but {how}{said}"));
    }

    fn answer(&mut self, platform: &Platform, answer: &Answer, stub: Option<&Seen>) {
        match &answer.cpu {
            Cpu::X86(cpu) => {
                let words = [cpu.brand.as_deref(), Some(cpu.vendor.as_str()), cpu.hypervisor.as_deref()];
                let words: Vec<&str> = words.into_iter().flatten().filter(|word| !word.is_empty()).collect();
                let known = words.iter().find_map(|word| named(word));
                let evidence = format!("CPUID in a {platform} container says {}", quoted(&words));
                // Where the kernel runs such programs itself, the name is that of a real processor.
                let found = known.or(words.first().copied().filter(|_| !matches!(stub, Some(Seen::Native { .. }))));
                if let Some(name) = found {
                    self.say(Source::Cpu, emulator(name), evidence);
                }
                self.features = Some(cpu.features.clone());
            }
            Cpu::Arm(cpu) => {
                if let Some((implementer, part)) = cpu.implementer_and_part()
                    && (implementer, part) == QEMU_PART
                {
                    let evidence = format!(
                        "the processor in a {platform} container calls itself implementer {implementer:#04x}, part {part:#05x}: QEMU's own"
                    );
                    self.say(Source::Cpu, emulator("qemu"), evidence);
                }
                self.features = Some(cpu.features.clone());
            }
            Cpu::Other => {}
        }
        for line in &answer.cpuinfo {
            if let Some(name) = named(line) {
                let evidence = format!("/proc/cpuinfo in a {platform} container says \"{line}\"");
                self.say(Source::Cpuinfo, emulator(name), evidence);
            }
        }
        // The stub has told the same already where there is one.
        if self.signs.iter().all(|sign| sign.source != Source::Interpreter)
            && let Some(exe) = answer.own.exe.as_ref().filter(|exe| Some(&exe.link) != answer.own.claimed.as_ref())
        {
            self.exe(platform, exe);
        }
    }

    fn conclude(mut self, platform: Platform) -> TargetEmulation {
        self.signs.sort_by_key(|sign| sign.source);
        let effective = match self.signs.first().map(|sign| &sign.says) {
            Some(Says::Emulator { name }) => Effective::Emulator { name: name.clone(), version: self.version },
            Some(Says::Native) => Effective::Native,
            Some(Says::Nothing) => Effective::Nothing,
            None => Effective::Unknown {
                why: self.unknown.or_else(|| self.trouble.clone()).unwrap_or_else(|| "it was not tried".to_owned()),
            },
        };
        let agrees = match self.signs.as_slice() {
            [first, rest @ ..] if !rest.is_empty() => Some(rest.iter().all(|sign| sign.says == first.says)),
            _ => None,
        };
        TargetEmulation {
            platform,
            effective,
            signs: self.signs,
            agrees,
            trouble: self.trouble,
            features: self.features,
        }
    }
}

fn named(word: &str) -> Option<&'static str> {
    PROCESSORS.iter().find(|(part, _)| word.contains(part)).map(|(_, name)| *name)
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// `7.2.22` in `qemu-aarch64 version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)`.
fn version(text: &str) -> Option<String> {
    let word = text.split_once(" version ")?.1.split(' ').next()?;
    word.starts_with(|c: char| c.is_ascii_digit()).then(|| word.trim_end_matches(',').to_owned())
}

#[cfg(test)]
mod tests {
    use silidock_engine::EngineError;
    use silidock_probe::{Arm, Mark, Own, SCHEMA, X86};

    use super::*;

    fn interpreted(link: &str, marks: &[(&str, &str)], ended: Ended, complaint: &str) -> Seen {
        let marks = marks.iter().map(|(name, text)| Mark { emulator: (*name).to_owned(), text: (*text).to_owned() });
        let exe = Exe { link: link.to_owned(), length: Some(1), marks: marks.collect() };
        Seen::Interpreted { exe, ended, complaint: complaint.to_owned() }
    }

    fn answered(cpu: Cpu, cpuinfo: &[&str]) -> Result<Answer, MeasureError> {
        Ok(Answer {
            schema: SCHEMA.to_owned(),
            built_for: "amd64".to_owned(),
            kernel: None,
            page_size: None,
            cpu,
            cpuinfo: cpuinfo.iter().map(|line| (*line).to_owned()).collect(),
            own: Own::default(),
            stubs: Vec::new(),
        })
    }

    fn x86(brand: &str, vendor: &str, hypervisor: &str) -> Cpu {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Cpu::X86(X86 { vendor: vendor.to_owned(), brand: some(brand), hypervisor: some(hypervisor), ..X86::default() })
    }

    fn arm(midr: u64) -> Cpu {
        Cpu::Arm(Arm { midr: Some(midr), ..Arm::default() })
    }

    #[test]
    fn emulators_are_told_by_what_was_seen() {
        const QEMU: (&str, &str) = ("qemu", "qemu-x86_64 version 10.1.0 (Debian 1:10.1.0+ds-5)");
        const APPLE: (&str, &str) = ("rosetta", "VirtualApple @ %u.%02uGHz");
        let well = || Ended::Well;
        let qemu = || interpreted("/usr/bin/qemu-x86_64", &[QEMU], well(), "");
        let disguised = || interpreted("/run/rosetta/rosetta", &[QEMU], well(), "");
        let rosetta = || interpreted("/mnt/rv/[rosetta]", &[APPLE], well(), "");
        let apple = || answered(x86("VirtualApple @ 2.50GHz", "VirtualApple", ""), &["vendor_id: VirtualApple"]);
        let tcg = || answered(x86("QEMU TCG CPU version 2.5+", "AuthenticAMD", "TCGTCGTCGTCG"), &[]);
        let foreign = || {
            let complaint = "exec /silidock-probe: exec format error".to_owned();
            Err(MeasureError::Failed { arch: "amd64".to_owned(), status: 255, complaint })
        };
        let refused = || {
            let (endpoint, during) = ("unix:///x".to_owned(), "starting".to_owned());
            let message = "exec: \"/silidock-probe\": exec format error: unknown".to_owned();
            let source = EngineError::Status { endpoint, during, code: 400, message };
            Err(MeasureError::StartRefused { arch: "amd64".to_owned(), source })
        };
        let no_handler = || Seen::Refused { refusal: Refusal::NoHandler };
        // What was seen of the stub, what the probe answered -> what runs it, and whether all agree.
        let table = [
            ("QEMU", Some(qemu()), Some(tcg()), "qemu 10.1.0", Some(true)),
            ("Rosetta", Some(rosetta()), Some(apple()), "rosetta", Some(true)),
            ("QEMU under Rosetta's name", Some(disguised()), Some(tcg()), "qemu 10.1.0", Some(false)),
            (
                "Rosetta by name alone",
                Some(interpreted("/run/rosetta/rosetta", &[], well(), "")),
                None,
                "rosetta",
                None,
            ),
            ("QEMU for ARM", None, Some(answered(arm(0x000f_0510), &[])), "qemu", None),
            ("an Apple core", None, Some(answered(arm(0x610f_0220), &[])), "unknown: it was not tried", None),
            ("a new one", Some(interpreted("/opt/newemu", &[], well(), "")), None, "newemu", None),
            ("FEX", None, Some(answered(x86("FEX-2409 on M2", "GenuineIntel", "FEXIFEXIEMU"), &[])), "fex", None),
            (
                "an unknown processor",
                None,
                Some(answered(x86("Blinkenlights", "GenuineBlink", ""), &[])),
                "Blinkenlights",
                None,
            ),
            ("32-bit Intel on Intel", Some(Seen::Native { ended: well() }), None, "native", None),
            ("no handler", Some(no_handler()), Some(foreign()), "nothing", Some(true)),
            ("no handler, said at the start", Some(no_handler()), Some(refused()), "nothing", Some(true)),
            ("switched in between", Some(no_handler()), Some(tcg()), "qemu", Some(false)),
            ("not tried", None, None, "unknown: it was not tried", None),
        ];
        for (name, stub, own, expected, agrees) in table {
            let told = judge(Platform::linux("amd64").unwrap(), stub.as_ref(), own.as_ref());
            let effective = match &told.effective {
                Effective::Emulator { name, version: Some(version) } => format!("{name} {version}"),
                Effective::Emulator { name, version: None } => name.clone(),
                Effective::Native => "native".to_owned(),
                Effective::Nothing => "nothing".to_owned(),
                Effective::Unknown { why } => format!("unknown: {why}"),
            };
            assert_eq!((effective.as_str(), told.agrees), (expected, agrees), "{name}: {told:?}");
            assert!(told.signs.iter().all(|sign| !sign.evidence.is_empty()), "{name}");
        }
    }

    #[test]
    fn trouble_is_told_with_the_emulators_own_words() {
        let words = "rosetta error: Unimplemented syscall number 282";
        let signal = Ended::Signal { signal: 5 };
        let table = [
            (
                interpreted("/run/rosetta/rosetta", &[], signal, words),
                "a linux/amd64 program was started, but was killed by signal 5: rosetta error: Unimplemented syscall number 282",
            ),
            (
                interpreted("/usr/bin/qemu-x86_64", &[], Ended::Never, ""),
                "a linux/amd64 program was started, but did not end",
            ),
            (
                Seen::Refused { refusal: Refusal::HandlerMissing },
                "an emulator is registered for linux/amd64, but its program is not there: ENOENT",
            ),
        ];
        for (seen, expected) in table {
            let told = judge(Platform::linux("amd64").unwrap(), Some(&seen), None);
            assert_eq!(told.trouble.as_deref(), Some(expected));
        }
        let hangs = Err(MeasureError::Hangs { arch: "amd64".to_owned(), after: std::time::Duration::from_secs(2) });
        let told = judge(Platform::linux("amd64").unwrap(), None, Some(&hangs));
        assert!(
            matches!(&told.effective, Effective::Unknown { why } if why.contains("did not end within 2 s")),
            "{told:?}"
        );
    }
}
