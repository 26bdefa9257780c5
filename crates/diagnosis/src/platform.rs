//! Platforms as the field writes them: `os/architecture[/variant]`, after containerd's normalisation.
//!
//! Whether a platform is *native* depends on the engine, never on this program.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use ts_rs::TS;

/// A normalised platform. `arm64/v8` is `arm64`, `x86_64` is `amd64`, `arm` is `arm/v7`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
#[ts(type = "string")]
pub struct Platform {
    /// `linux`, `windows`, `wasi` ...
    pub os: String,
    /// `amd64`, `arm64`, `arm`, `386` ...
    pub architecture: String,
    /// `v7`, `v3` ...; none where it is the default of the architecture.
    pub variant: Option<String>,
}

/// Text that is no platform.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{text}\" is not a platform: {why}")]
pub struct PlatformError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// How a platform runs on an engine, as far as the two names tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nativeness {
    /// The engine's processor runs it.
    Native,
    /// Needs an emulator.
    Foreign,
    /// Depends on the processor: some 64-bit ARM processors run 32-bit ARM programs, Apple's do not.
    DependsOnProcessor,
}

impl Platform {
    /// From the parts an image configuration or an index gives. Errors on empty and `unknown` ones.
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Result<Self, PlatformError> {
        let text = || match variant {
            Some(v) if !v.is_empty() => format!("{os}/{architecture}/{v}"),
            _ => format!("{os}/{architecture}"),
        };
        let bad = |why| PlatformError { text: text(), why };
        let word =
            |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
        if os.is_empty() || architecture.is_empty() {
            return Err(bad("the operating system or the architecture is empty"));
        }
        if os == "unknown" || architecture == "unknown" {
            return Err(bad("it says unknown"));
        }
        if !word(os) || !word(architecture) || variant.is_some_and(|v| !v.is_empty() && !word(v)) {
            return Err(bad("it has characters that no platform has"));
        }
        let os = match os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        let (architecture, variant) = normalise(&architecture.to_ascii_lowercase(), variant.unwrap_or_default());
        Ok(Self { os, architecture, variant })
    }

    /// Linux with an architecture as the kernel or an engine names it (`aarch64`, `x86_64`, `amd64` ...).
    pub fn linux(architecture: &str) -> Result<Self, PlatformError> {
        Self::new("linux", architecture, None)
    }

    /// How this platform runs on an engine of platform `engine`.
    pub fn on(&self, engine: &Self) -> Nativeness {
        let same = self.os == engine.os && self.architecture == engine.architecture;
        let compatible = matches!(
            (engine.architecture.as_str(), self.architecture.as_str()),
            ("amd64", "386") | ("ppc64", "ppc") | ("s390x", "s390")
        );
        if same || (self.os == engine.os && compatible) {
            Nativeness::Native
        } else if self.os == engine.os && engine.architecture == "arm64" && self.architecture == "arm" {
            Nativeness::DependsOnProcessor
        } else {
            Nativeness::Foreign
        }
    }

    /// "Intel" and "ARM" for the two a Mac's user meets, else the architecture's own name.
    pub fn family(&self) -> &str {
        match self.architecture.as_str() {
            "amd64" | "386" => "Intel",
            "arm64" | "arm" => "ARM",
            other => other,
        }
    }
}

/// The rules of containerd's `platforms.Normalize`.
fn normalise(architecture: &str, variant: &str) -> (String, Option<String>) {
    let variant = variant.to_ascii_lowercase();
    let some = |v: &str| Some(v.to_owned());
    match (architecture, variant.as_str()) {
        ("i386" | "i686" | "x86" | "386", _) => ("386".into(), None),
        ("x86_64" | "x86-64" | "amd64", "" | "v1") => ("amd64".into(), None),
        ("x86_64" | "x86-64" | "amd64", v) => ("amd64".into(), some(v)),
        ("aarch64" | "arm64", "" | "8" | "v8" | "v8.0") => ("arm64".into(), None),
        ("aarch64" | "arm64", v) => ("arm64".into(), some(v)),
        ("armhf" | "armv7l" | "armv7", _) => ("arm".into(), some("v7")),
        ("armel" | "armv6l" | "armv6", _) => ("arm".into(), some("v6")),
        ("arm", "" | "7") => ("arm".into(), some("v7")),
        ("arm", v @ ("5" | "6" | "8")) => ("arm".into(), Some(format!("v{v}"))),
        (other, "") => (other.into(), None),
        (other, v) => (other.into(), some(v)),
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    /// Reads `os/architecture[/variant]`; a bare architecture means Linux, as the Docker CLI takes it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |why| PlatformError { text: text.to_owned(), why };
        let parts: Vec<&str> = text.trim().split('/').collect();
        match parts.as_slice() {
            [architecture] if USUAL.contains(&normalise(architecture, "").0.as_str()) => Self::linux(architecture),
            [_] => Err(bad("write it as os/architecture, for example linux/arm64")),
            [os, architecture] => Self::new(os, architecture, None),
            [os, architecture, variant] => Self::new(os, architecture, Some(variant)),
            _ => Err(bad("it has more than three parts")),
        }
    }
}

/// Architectures that images are usually built for. They may stand alone.
pub const USUAL: [&str; 11] =
    ["amd64", "arm64", "arm", "386", "ppc64le", "ppc64", "s390x", "riscv64", "mips64", "mips64le", "loong64"];

/// Operating systems and architectures that containerd knows, and `wasi`, which Docker takes.
const SYSTEMS: [&str; 19] = [
    "linux",
    "windows",
    "darwin",
    "freebsd",
    "wasi",
    "wasip1",
    "aix",
    "android",
    "dragonfly",
    "hurd",
    "illumos",
    "ios",
    "js",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "zos",
    "nacl",
];
const ARCHITECTURES: [&str; 30] = [
    "amd64",
    "arm64",
    "arm",
    "386",
    "ppc64le",
    "s390x",
    "riscv64",
    "mips64le",
    "loong64",
    "wasm",
    "wasm32",
    "ppc64",
    "ppc",
    "mips",
    "mipsle",
    "mips64",
    "riscv",
    "s390",
    "sparc",
    "sparc64",
    "armbe",
    "arm64be",
    "amd64p32",
    "mips64p32",
    "mips64p32le",
    "mips64n32",
    "loongarch64",
    "alpha",
    "m68k",
    "sh4",
];

/// Text that Docker reads as a platform that exists: `os/architecture[/variant]`, or one of the two alone.
pub fn known(text: &str) -> bool {
    let lower = text.trim().to_ascii_lowercase();
    let parts: Vec<&str> = lower.split('/').collect();
    let system = |os: &str| os == "macos" || SYSTEMS.contains(&os);
    let architecture = |name: &str| ARCHITECTURES.contains(&normalise(name, "").0.as_str());
    match parts.as_slice() {
        [one] => system(one) || architecture(one),
        [os, name] | [os, name, _] => system(os) && architecture(name) && text.parse::<Platform>().is_ok(),
        _ => false,
    }
}

/// The platform that a misspelled one most likely means; none where nothing is near.
pub fn nearest(text: &str) -> Option<Platform> {
    let lower = text.trim().to_ascii_lowercase();
    let (os, rest) = lower.split_once('/').unwrap_or(("linux", &lower));
    let architecture = rest.split('/').next().unwrap_or_default();
    let near = |word: &str, among: &[&'static str]| {
        // Letters left off at the end are the likeliest mistake.
        let far = |known: &str| if word.len() > 2 && known.starts_with(word) { 0 } else { distance(word, known) };
        let best = among.iter().map(|known| (far(known), *known)).min_by_key(|(far, _)| *far)?;
        // Half of the letters may be wrong, no more: else it is a guess out of nothing.
        (best.0 * 2 <= word.len()).then_some(best.1)
    };
    let architecture = match normalise(architecture, "").0 {
        known if ARCHITECTURES.contains(&known.as_str()) => known,
        _ => near(architecture, &["amd64", "arm64", "x86_64", "aarch64", "386", "arm", "riscv64", "ppc64le", "s390x"])?
            .to_owned(),
    };
    Platform::new(near(os, &SYSTEMS)?, &architecture, None).ok()
}

/// How many letters have to be put in, taken out, replaced or swapped with the next.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(x != y);
            let mut least = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

impl TryFrom<String> for Platform {
    type Error = PlatformError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Platform> for String {
    fn from(platform: Platform) -> Self {
        platform.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_normalised_as_containerd_does() {
        for (given, expected) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/aarch64", "linux/arm64"),
            ("Linux/ARM64", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/6", "linux/arm/v6"),
            ("linux/armhf", "linux/arm/v7"),
            ("linux/i386", "linux/386"),
            ("wasi/wasm", "wasi/wasm"),
            ("arm64", "linux/arm64"),
        ] {
            assert_eq!(given.parse::<Platform>().map(|p| p.to_string()), Ok(expected.to_owned()), "{given}");
        }
    }

    #[test]
    fn what_is_no_platform_says_why() {
        for (given, why) in [
            ("", "write it as"),
            ("/", "empty"),
            ("linux/", "empty"),
            ("unknown/unknown", "says unknown"),
            ("linux/amd64/v2/x", "more than three"),
            ("linux/<b>", "characters"),
            ("tablet", "write it as"),
        ] {
            let error = given.parse::<Platform>().unwrap_err().to_string();
            assert!(error.contains(why), "{given:?}: {error}");
        }
    }

    #[test]
    fn misspelled_platforms_are_told_and_the_nearest_is_named() {
        for (text, expected) in [
            ("linux/amd46", Some("linux/amd64")),
            ("linux/amd", Some("linux/amd64")),
            ("linux/arm46", Some("linux/arm64")),
            ("linux/x86-46", Some("linux/amd64")),
            ("linux/aarch46", Some("linux/arm64")),
            ("linx/arm64", Some("linux/arm64")),
            ("linux/arm64v8", Some("linux/arm64")),
            ("amd46", Some("linux/amd64")),
            ("tablet", None),
            ("", None),
            ("linux/", None),
            ("größe/日本", None),
        ] {
            assert!(!known(text), "{text}");
            assert_eq!(nearest(text).map(|p| p.to_string()).as_deref(), expected, "{text}");
        }
        for text in ["linux/amd64", "linux/arm64/v8", "Linux/X86_64", "arm64", "linux", "linux/arm/v7", "wasi/wasm"] {
            assert!(known(text), "{text}");
        }
    }

    #[test]
    fn native_is_what_the_engine_says_not_what_this_machine_is() {
        use Nativeness::{DependsOnProcessor, Foreign, Native};
        for (image, engine, expected) in [
            ("linux/amd64", "linux/arm64", Foreign),
            ("linux/arm64", "linux/arm64", Native),
            ("linux/arm64", "linux/amd64", Foreign),
            ("linux/amd64", "linux/amd64", Native),
            ("linux/amd64/v3", "linux/amd64", Native),
            ("linux/386", "linux/amd64", Native),
            ("linux/386", "linux/arm64", Foreign),
            ("linux/arm/v7", "linux/arm64", DependsOnProcessor),
            ("windows/amd64", "linux/amd64", Foreign),
        ] {
            let on = |t: &str| t.parse::<Platform>().unwrap();
            assert_eq!(on(image).on(&on(engine)), expected, "{image} on {engine}");
        }
    }
}
