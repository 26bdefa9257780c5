//! Odd files that are meant to be where they are, or that nothing starts by itself: a table of places. The rule that
//! decided is always told. What is run first is under no rule.

use std::sync::LazyLock;

use regex::Regex;

/// A reason for an odd file to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its stable name, told with every file it was applied to.
    pub id: &'static str,
    /// What it says, in a few words.
    pub why: &'static str,
    /// The checks it is for.
    checks: Checks,
    /// Places, as a regular expression over the path in small letters.
    places: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checks {
    /// Machine code for something else.
    Code,
    /// Whatever is only a matter when somebody starts it.
    Started,
    /// Both.
    All,
}

impl Checks {
    fn covers(self, check: &str) -> bool {
        let code = matches!(check, "foreign-binary" | "host-binary" | "missing-loader" | "truncated-executable");
        match self {
            Self::All => true,
            Self::Code => code,
            Self::Started => !code,
        }
    }
}

const fn rule_of(id: &'static str, why: &'static str, checks: Checks, places: &'static str) -> Rule {
    Rule { id, why, checks, places }
}

/// All rules; the first that fits is told.
pub const RULES: [Rule; 14] = [
    rule_of(
        "emulator",
        "an emulator, there to run foreign programs",
        Checks::Code,
        r"/(qemu-[a-z0-9_]+(-static)?|rosetta|fexinterpreter|fexloader|box64|box86|blink)$",
    ),
    rule_of(
        "cross-toolchain",
        "part of a cross toolchain or of a system for another target",
        Checks::Code,
        r"^/usr/(local/)?[a-z0-9_]+(-[a-z0-9_]+)?-(linux|elf|eabi|none|w64|apple)[a-z0-9_-]*/|/gcc-cross/|/(cross|crosstool|toolchains?|x-tools)[^/]*/|/sys-?roots?/|/rustlib/[a-z0-9_]+-|/(android-)?ndk[^/]*/|/zig/lib/",
    ),
    rule_of(
        "go-toolchain",
        "part of the Go tools, which bring every target",
        Checks::Code,
        r"/pkg/tool/[a-z0-9]+_[a-z0-9]+/|/go/(src|pkg)/.*testdata/|^/usr/local/go/pkg/",
    ),
    rule_of(
        "prebuilt-for-all",
        "a package that brings its library for every platform and takes the right one",
        Checks::Code,
        r"/(prebuilds?|prebuilt|prebuilt-binaries)/|/runtimes/[a-z0-9.-]+/native/",
    ),
    rule_of(
        "java-natives",
        "native parts of Java libraries, taken by platform",
        Checks::Code,
        r"/meta-inf/(versions/[0-9]+/)?native|/(natives?|jni|jnilibs?)/|/com/sun/jna/",
    ),
    rule_of(
        "launcher-templates",
        "templates that a Python tool copies on Windows",
        Checks::Code,
        r"/(setuptools|distlib|pip|uv|pipx|virtualenv)/.*\.exe$|/[a-z]+(-?(32|64|arm|arm64))+\.exe$",
    ),
    rule_of(
        "firmware",
        "for devices, machines and kernels, not for this system",
        Checks::Code,
        r"^/(usr/)?lib/(firmware|modules)/|^/boot/|^/usr/share/(qemu|ovmf|seabios|edk2|ipxe|u-boot|opensbi)|/(grub2?|syslinux|isolinux|efi|u-?boot)/|\.(efi|ko|rom|fw)$",
    ),
    rule_of("debug-symbols", "symbols for a debugger", Checks::Code, r"^/usr/lib/debug/|\.(debug|dbg)$"),
    rule_of(
        "stored-images",
        "stored images of containers",
        Checks::All,
        r"^/var/lib/(docker|containerd|containers|buildkit|rancher|kubelet)/",
    ),
    rule_of(
        "package-cache",
        "in the cache of a package manager",
        Checks::All,
        r"/(\.npm/_cacache|\.cache|\.cargo/registry|go/pkg/mod|\.m2/repository|\.gradle|\.nuget|\.pnpm-store|\.yarn/cache)/",
    ),
    rule_of(
        "test-data",
        "data of tests",
        Checks::All,
        r"/(testdata|test-data|test_data|tests?|testing|fixtures?|specs?|__tests__|mocks?|corpus)/",
    ),
    rule_of(
        "documentation",
        "documentation and examples",
        Checks::All,
        r"^/usr/(local/)?share/(doc|man|gtk-doc|info|licenses)/|/(docs?|examples?|samples?|demos?|tutorials?)/",
    ),
    rule_of(
        "part-of-a-package",
        "inside a package that somebody else made; nothing starts it by itself",
        Checks::Started,
        r"/(node_modules|site-packages|dist-packages|gems|vendor|bower_components|perl5)/|^/(usr/)?(lib(32|64|x32)?|libexec|share|src|include)/|^/usr/local/(lib|libexec|share|go|src)/|^/opt/(conda|venv)/|^/(etc|var)/",
    ),
    rule_of(
        "system-command",
        "a command of the system's own packages, which needs another package",
        Checks::Started,
        r"^/(usr/)?s?bin/",
    ),
];

/// Not in the table, because it asks for more than a place.
pub(super) const NAMED_FOR_ITS_PLATFORM: Rule =
    rule_of("named-for-its-platform", "named for its platform, beside the same for the image's own", Checks::Code, "");

static COMPILED: LazyLock<Vec<Option<Regex>>> =
    LazyLock::new(|| RULES.iter().map(|rule| Regex::new(rule.places).ok()).collect());

/// A rule by its name.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().chain([&NAMED_FOR_ITS_PLATFORM]).find(|rule| rule.id == id)
}

/// The first rule that fits a file.
pub(super) fn by_place(check: &str, path: &str) -> Option<&'static Rule> {
    let path = path.to_lowercase();
    let fits = |(rule, places): &(&Rule, &Option<Regex>)| {
        rule.checks.covers(check) && places.as_ref().is_some_and(|places| places.is_match(&path))
    };
    RULES.iter().zip(COMPILED.iter()).find(fits).map(|(rule, _)| rule)
}

/// Words for platforms in the names of files: architecture or system, and how people write it.
const WORDS: [(&str, &[&str]); 11] = [
    ("amd64", &["x64", "x86_64", "x86-64", "amd64", "intel64", "linux64"]),
    ("arm64", &["arm64", "aarch64", "armv8"]),
    ("arm", &["arm", "armv7", "armv7l", "armv6", "armv6l", "armhf", "armel", "arm32", "gnueabihf", "musleabihf"]),
    ("386", &["ia32", "i386", "i486", "i586", "i686", "x86", "386", "linux32"]),
    ("ppc64le", &["ppc64le", "ppc64el", "powerpc64le", "ppc64"]),
    ("s390x", &["s390x"]),
    ("riscv64", &["riscv64", "riscv64gc"]),
    ("loong64", &["loong64", "loongarch64"]),
    ("darwin", &["darwin", "macos", "mac", "osx", "apple", "universal"]),
    ("windows", &["win32", "win64", "windows", "win", "msvc"]),
    ("freebsd", &["freebsd"]),
];

/// The folder or the beginning of a name that a platform's word stands in, if the path has one of this platform's.
fn before_word<'p>(path: &'p str, platform: &str) -> Option<&'p str> {
    let mut parts = platform.split('/');
    let (system, architecture) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let wanted = if system == "linux" { architecture } else { system };
    let words = WORDS.iter().find(|(name, _)| *name == wanted)?.1;
    let at = words.iter().filter_map(|word| find_word(path, word)).min()?;
    Some(&path[..=path[..at].rfind('/').unwrap_or_default()])
}

fn find_word(path: &str, word: &str) -> Option<usize> {
    let letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = path.as_bytes();
    path.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        !letter(before) && !letter(bytes.get(at + word.len()))
    })
}

/// Files for the image's own platform that are named so, for finding those beside them.
#[derive(Debug, Default)]
pub(super) struct Siblings {
    /// Folders and beginnings of names, sorted.
    before: Vec<String>,
}

impl Siblings {
    pub(super) fn new<'p>(label: &str, fitting: impl Iterator<Item = &'p str>) -> Self {
        let mut before: Vec<String> =
            fitting.filter_map(|path| before_word(&path.to_lowercase(), label).map(str::to_owned)).collect();
        before.sort();
        before.dedup();
        Self { before }
    }

    /// The rule, where the file is named for its platform and the same is there for the image's own.
    pub(super) fn rule(&self, check: &str, path: &str, platform: &str) -> Option<&'static Rule> {
        static NAMED: Rule = NAMED_FOR_ITS_PLATFORM;
        let path = path.to_lowercase();
        let before = before_word(&path, platform).filter(|before| before.len() > 1)?;
        let beside = self.before.binary_search_by(|known| known.as_str().cmp(before)).is_ok();
        (beside && NAMED.checks.covers(check)).then_some(&NAMED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_by_the_rule_that_fits() {
        assert!(COMPILED.iter().all(Option::is_some), "every expression is one");
        for (check, path, expected) in [
            ("foreign-binary", "/usr/bin/qemu-aarch64-static", "emulator"),
            ("foreign-binary", "/usr/aarch64-linux-gnu/lib/libc.so.6", "cross-toolchain"),
            ("foreign-binary", "/usr/lib/gcc-cross/aarch64-linux-gnu/12/cc1", "cross-toolchain"),
            ("foreign-binary", "/opt/sysroot/usr/lib/libz.so.1", "cross-toolchain"),
            ("foreign-binary", "/usr/local/go/pkg/tool/linux_amd64/compile", "go-toolchain"),
            ("foreign-binary", "/app/node_modules/bufferutil/prebuilds/linux-x64/node.napi.node", "prebuilt-for-all"),
            ("foreign-binary", "/app/runtimes/linux-x64/native/libSkiaSharp.so", "prebuilt-for-all"),
            ("foreign-binary", "/srv/META-INF/native/libnetty_x86_64.so", "java-natives"),
            ("host-binary", "/usr/lib/python3/dist-packages/setuptools/cli-64.exe", "launcher-templates"),
            ("foreign-binary", "/usr/local/go/src/debug/elf/testdata/gcc-amd64-linux-exec", "go-toolchain"),
            ("foreign-binary", "/app/vendor/elf/testdata/arm", "test-data"),
            ("crlf-script", "/usr/share/doc/bash/examples/x.sh", "documentation"),
            ("missing-interpreter", "/app/node_modules/x/bin/y", "part-of-a-package"),
            ("missing-interpreter", "/usr/bin/c_rehash", "system-command"),
            ("missing-interpreter", "/usr/local/bin/deploy", ""),
            ("missing-loader", "/app/node_modules/sharp/build/sharp.node", ""),
            ("foreign-binary", "/app/server", ""),
            ("foreign-binary", "/usr/local/bin/tool-linux-amd64", ""),
            ("crlf-script", "/entrypoint.sh", ""),
        ] {
            assert_eq!(by_place(check, path).map_or("", |rule| rule.id), expected, "{check} {path}");
        }
    }

    #[test]
    fn one_package_for_each_platform_needs_the_one_for_the_image() {
        let modules = "/app/node_modules";
        let own =
            [format!("{modules}/@esbuild/linux-arm64/bin/esbuild"), "/usr/lib/aarch64-linux-gnu/libz.so".to_owned()];
        let siblings = Siblings::new("linux/arm64", own.iter().map(String::as_str));
        for (path, platform, expected) in [
            ("/app/node_modules/@esbuild/linux-x64/bin/esbuild", "linux/amd64", true),
            ("/app/node_modules/@esbuild/darwin-arm64/bin/esbuild", "darwin/arm64", true),
            ("/app/node_modules/@img/sharp-linux-x64/lib/sharp.node", "linux/amd64", false),
            ("/usr/lib/x86_64-linux-gnu/libz.so", "linux/amd64", true),
            ("/usr/lib/xx86_64/libz.so", "linux/amd64", false),
            ("/opt/tool", "linux/amd64", false),
        ] {
            assert_eq!(siblings.rule("foreign-binary", path, platform).is_some(), expected, "{path}");
        }
    }
}
