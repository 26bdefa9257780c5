//! What run and build logs say beside starting programs and falling under an emulator, one row each. A new message is a
//! new row here and a new line in `log/lines.rs`.
//!
//! Rank says how much a row explains: 3 names the cause, 2 names a failure, 1 is an effect or a hint. Certain: the words
//! are the tool's own and have one meaning. Likely: they have other origins too, or were not verified.

use super::{
    LogRow,
    Place::{Anywhere, AtTheEnd},
};
use crate::{
    finding::Confidence::{self, Certain, Likely},
    stopped::cause::{
        About::{self, No, Unknown, Yes},
        Cause::{self, *},
    },
};

const fn row(
    id: &'static str,
    cause: Cause,
    about: About,
    (rank, confidence): (u8, Confidence),
    pattern: &'static str,
    words: [&'static str; 3],
    source: &'static str,
) -> LogRow {
    let [title, why, remedy] = words;
    LogRow { id, pattern, cause, about, rank, confidence, title, why, remedy, source, place: Anywhere }
}

impl LogRow {
    /// It counts as the last thing a log says, and only in a log that speaks of another platform.
    const fn at_the_end(mut self) -> Self {
        self.place = AtTheEnd;
        self
    }
}

const NATIVE_WAY: &str = "Build it on, or for, the native platform: cross-compile instead of emulating the compiler.";
const COMPILER: [&str; 3] = [
    "A package is compiled here, and there is no compiler",
    "No ready-made wheel fits this platform and Python version, so pip compiles the source, and the image has no compiler.",
    "Take a version of the package that has a wheel for this platform, or install a compiler for the build: \
     apt-get install -y gcc python3-dev (Debian), apk add build-base python3-dev (Alpine).",
];
const HEADER: [&str; 3] = [
    "A package is compiled here, and a header or tool it needs is missing",
    "No ready-made wheel fits this platform and Python version, so the source is compiled, and the compiler asks for more than \
     the image has.",
    "Take a version of the package that has a wheel for this platform, or install the development package that has the \
     missing file.",
];
const NO_WHEEL: [&str; 3] = [
    "pip found nothing of a package that this platform can install",
    "The package has no wheel for this platform and Python version and no source to compile; a misspelt name or version says the \
     same.",
    "Ask which versions have a wheel for this platform (pip index versions NAME, or the package's files on PyPI), and take the \
     nearest.",
];
const NATIVE_MODULE: [&str; 3] = [
    "A package has no native part for this platform",
    "The package carries machine code in a package of its own for each platform, and the one for this platform is not installed: \
     the lock file was made on another system, or the package does not support this one.",
    "Delete node_modules, install on the platform of the image, and let the lock file list all platforms you build for.",
];
const HOST_MODULES: [&str; 3] = [
    "Packages were installed on another system and copied into the image",
    "node_modules of the host, or of another platform, came into the image or lies over it as a mount; its machine code does not \
     run here.",
    "Write node_modules into .dockerignore and install inside the image; keep a mounted project's node_modules in a volume of \
     its own.",
];
const WRONG_PACKAGE: [&str; 3] = [
    "A package or download is for another architecture",
    "What was fetched names another architecture than the system it was fetched for.",
    "Let the address follow the platform that is built: ARG TARGETARCH in the Dockerfile, and $TARGETARCH in the address.",
];
const X86_ONLY: [&str; 3] = [
    "The source or its compiler settings are for another processor",
    "A header, an option or an assembler file of one architecture was given to the compiler of another.",
    "Switch the option off for this architecture, or take a version of the source that knows it.",
];
const MEMORY: [&str; 3] = [
    "Memory ran out",
    "The kernel, or the program itself, gave up for want of memory.",
    "Give the container, or the machine of the runtime, more memory; for a build, let fewer jobs run at once.",
];
const QEMU_FALL: [&str; 3] =
    ["The program fell under QEMU", "QEMU itself, or what it translated, gave up.", NATIVE_WAY];
const OWN: &str = "Read on in the log from there: the platform has nothing to do with it.";

/// All rows; a line may match several.
pub const LOG_ROWS: &[LogRow] = &[
    // Images and platforms.
    row("no-match-for-platform", NoNativeManifest, Yes, (3, Certain), r"no match for platform in manifest", ["The image has no variant for this platform", "The tag leads to images of other platforms only.", "Take a newer tag that has one, or name a platform that the tag does have and let it be emulated."], "containerd images/image.go; BuildKit"),
    row("podman-no-image", NoNativeManifest, Yes, (3, Certain), r#"no image found in (image index|manifest list) for architecture "?\w+"?"#, ["The image has no variant for this platform", "The tag leads to images of other platforms only.", "Take a newer tag that has one, or name a platform that the tag does have and let it be emulated."], "containers/image"),
    row("several-platforms-driver", BuildTarget, No, (3, Certain), r"(?i)multi-?(ple )?platforms? (feature|build) is (currently )?not supported for (the )?docker driver", ["This builder makes one platform at a time", "The builder of the Docker engine with the older image store cannot make an image of several platforms.", "Make a builder for it (docker buildx create --use), or turn on the containerd image store."], "docker/buildx"),
    row("windows-image", NoNativeManifest, Yes, (3, Certain), r#"image operating system "windows" cannot be used on this platform"#, ["The image is for Windows", "This engine runs Linux images.", "Take the Linux variant of the image."], "moby distribution/pull_v2.go"),
    row("wrong-image-tag", ApplicationError, No, (2, Certain), r"manifest (for \S+ not found|unknown)|: not found: manifest unknown", ["There is no such tag", "The registry does not know the tag, whatever the platform.", "Check the name and tag."], "moby distribution"),
    row("pull-denied", ApplicationError, No, (2, Certain), r"pull access denied for \S+|insufficient_scope: authorization failed", ["The registry does not hand the image out", "It does not exist under this name, or the login is missing.", "Check the name, and log in with docker login."], "moby distribution"),
    row("pull-limit", ApplicationError, No, (2, Certain), r"toomanyrequests: ", ["The registry refuses for now", "Too many images were pulled.", "Log in, or wait."], "Docker Hub"),
    // QEMU beyond the catalogue of falls.
    row("qemu-internal", CrashUnderEmulation, Yes, (3, Certain), r"QEMU internal SIG(SEGV|ABRT|ILL|BUS)", QEMU_FALL, "QEMU linux-user/signal.c"),
    row("qemu-address-space", CrashUnderEmulation, Yes, (3, Certain), r"Unable to find a guest_base to satisfy all guest address mapping requirements|qemu-\S+: Unable to reserve 0x[0-9a-f]+ bytes", QEMU_FALL, "QEMU linux-user/elfload.c"),
    row("qemu-system-call", CrashUnderEmulation, Yes, (2, Certain), r"qemu: Unsupported syscall: \d+", ["QEMU does not know a system call", "The program asks the kernel for something that this QEMU does not pass on.", "Take a newer QEMU, or a native image."], "dotnet/coreclr#12972; dotnet/dotnet-docker#993"),
    row("qemu-dotnet", CrashUnderEmulation, Yes, (2, Likely), r"Failed to create CoreCLR|libcoreclr\.so.{0,80}(fail|error)", ["The .NET runtime did not start", ".NET is not supported under QEMU and is known to fall there.", "Build with the SDK of the native platform and --arch of the target; run a native image."], "dotnet/core release notes; NuGet/Home#12227"),
    row("qemu-build", CrashUnderEmulation, Yes, (1, Likely), r"\.buildkit_qemu_emulator", ["A step of the build ran under QEMU", "BuildKit put QEMU in front of the step's program.", NATIVE_WAY], "BuildKit solver/llbsolver/ops/exec_binfmt.go"),
    row("dotnet-hang", HangUnderEmulation, Yes, (3, Likely), r"Determining projects to restore", ["dotnet restore hangs under emulation", ".NET is not supported under QEMU; restore is known to stand still there for ever.", "FROM --platform=$BUILDPLATFORM for the SDK's stage, and dotnet publish --arch of the target; .NET 8 of late 2024 and .NET 9 are better."], "dotnet/runtime#97828, #97228; dotnet/dotnet-docker#5119").at_the_end(),
    row("npm-hang", HangUnderEmulation, Yes, (3, Likely), r"RUN .{0,60}\b(npm (ci|i|install)|yarn( install)?|pnpm i(nstall)?)\b|idealTree", ["npm or yarn hangs under emulation", "Node.js is known to stand still under QEMU, above all as 32-bit ARM.", "FROM --platform=$BUILDPLATFORM for the stage that installs and builds; copy its result into the target's stage."], "nodejs/docker-node#1798, #1946; docker/build-push-action#1071; docker/buildx#3272").at_the_end(),
    // How a step or a container ended.
    row("exit-139", Crash, Unknown, (1, Likely), r"did not complete successfully: exit code: 139|exited with code 139|Segmentation fault", ["A program ended with a memory fault (SIGSEGV)", "Under emulation that is how programs usually fall; elsewhere it is the program's own fault.", "If the step is emulated, build it natively; else look at the program."], "exit codes above 128 name the signal"),
    row("exit-132", Crash, Unknown, (1, Likely), r"did not complete successfully: exit code: 132|exited with code 132|Illegal instruction", ["A program ended over an instruction that the processor does not know (SIGILL)", "It was built for a newer processor, or the emulator lacks the instruction.", "Take a build for an older processor, or a native image."], "exit codes above 128 name the signal"),
    row("exit-137", OutOfMemory, No, (1, Likely), r"did not complete successfully: exit code: 137|exited with code 137|(^|\s)Killed\s*$|signal: killed", ["A program was ended at once (SIGKILL)", "Usually memory ran out; somebody may have ended it too.", "Give the container, or the machine of the runtime, more memory."], "exit codes above 128 name the signal"),
    // Memory.
    row("kernel-out-of-memory", OutOfMemory, No, (3, Certain), r"(?i)out of memory: kill(ed)? process|Memory cgroup out of memory|OOMKilled|oom-kill:", MEMORY, "Linux mm/oom_kill.c; Kubernetes"),
    row("compiler-out-of-memory", OutOfMemory, No, (3, Certain), r"fatal error: Killed signal terminated program|signal: 9, SIGKILL|internal compiler error: Killed", MEMORY, "gcc; rustc"),
    row("no-memory", OutOfMemory, No, (3, Certain), r"(?i)cannot allocate memory|std::bad_alloc|^MemoryError|fatal error: runtime: out of memory", MEMORY, "errno ENOMEM; Go; Python; C++"),
    row("heap-out-of-memory", OutOfMemory, No, (3, Certain), r"JavaScript heap out of memory|java\.lang\.OutOfMemoryError|allocation of \d+ bytes failed", ["The program ran into its own limit of memory", "Node.js, Java or the program itself sets a limit, and it was reached.", "Raise the limit (NODE_OPTIONS=--max-old-space-size, -Xmx), and the container's with it."], "Node.js; OpenJDK"),
    // Python.
    row("pip-no-compiler", WheelMissingCompiles, Unknown, (3, Certain), r"(?i)error: command '?[\w./-]*(gcc|g\+\+|cc|clang)'? failed: No such file|unable to execute '[\w./-]*(gcc|g\+\+|cc|clang)'|because gcc is not installed|C compiler .{0,40}not installed", COMPILER, "docker/for-mac#5274, #6044; setuptools"),
    row("pip-no-rust", WheelMissingCompiles, Unknown, (3, Certain), r"can't find Rust compiler|Cargo, the Rust package manager, is not installed", ["A package is compiled here, and there is no Rust compiler", "No ready-made wheel fits this platform and Python version, so pip compiles the source.", "Take a version that has a wheel for this platform, upgrade pip (old ones do not see newer wheels), or install Rust for the build."], "setuptools-rust; maturin"),
    row("pip-no-header", WheelMissingCompiles, Unknown, (3, Likely), r"fatal error: (Python|ffi|openssl/\w+|libpq-fe|mysql|libxml/\w+|jpeglib|zlib|hdf5|cairo|sqlite3|gmp|yaml)\.h: No such file|pg_config executable not found|mysql_config: not found|pkg-config probably not installed", HEADER, "interuss/monitoring#627; setuptools"),
    row("pip-build-failed", WheelMissingCompiles, Unknown, (2, Certain), r"Failed building wheel for \S+|Could not build wheels for|Failed to build installable wheels|legacy-install-failure", ["A package was compiled here, and that failed", "No ready-made wheel fits this platform and Python version.", "Take a version of the package that has a wheel for this platform; else the lines above say what the compiler misses."], "pip"),
    row("pip-nothing", WheelMissingFails, Unknown, (2, Certain), r"No matching distribution found for \S+|Could not find a version that satisfies the requirement \S+", NO_WHEEL, "pip"),
    row("pip-wheel-platform", WheelMissingFails, Yes, (3, Certain), r"\S+\.whl is not a supported wheel on this platform", ["A wheel is for another platform", "The file's name says which platform and Python version it is for, and this is another.", "Take the wheel of this platform, or let pip choose by name and version."], "pip"),
    row("uv-wheel-platform", WheelMissingFails, Yes, (3, Certain), r"has no wheels with a matching (platform|Python ABI) tag|doesn't have a source distribution or wheel for the current platform", NO_WHEEL, "uv"),
    row("poetry-nothing", WheelMissingFails, Unknown, (2, Certain), r"Unable to find installation candidates for \S+", NO_WHEEL, "Poetry"),
    row("conda-nothing", WheelMissingFails, Yes, (2, Likely), r"conda\.anaconda\.org/\S+/linux-(aarch64|64|ppc64le)\b", ["Conda looked in the channel of one platform only", "Channels have packages for each platform, and not all have all.", "Look whether the package is there for this platform; conda-forge has most."], "conda"),
    // Node.js.
    row("esbuild-other-platform", HostModulesCopied, Yes, (3, Certain), r"You installed esbuild (for|on) another platform than the one you're currently using", HOST_MODULES, "evanw/esbuild#2617, #1819; sst#3760"),
    row("npm-optional-native", NativeModuleMissing, Yes, (3, Certain), r"Cannot find module '?(@[\w.-]+/)?[\w.-]+-(linux(musl)?|darwin|win32)-(x64|arm64|arm|ia32)[\w-]*|npm has a bug related to optional dependencies", NATIVE_MODULE, "npm/cli#4828; rollup/rollup#5170, #5194"),
    row("native-node-file", NativeModuleMissing, Yes, (3, Certain), r"Cannot find module '\S+\.(linux|darwin|win32)-(x64|arm64)[\w-]*\.node'|Failed to load SWC binary for \S+|Cannot find native binding", NATIVE_MODULE, "parcel-bundler/lightningcss; vercel/next.js; napi-rs"),
    row("sharp-platform", NativeModuleMissing, Yes, (3, Certain), r#"Could not load the "sharp" module using the \S+ runtime|'?(darwin|win32|linux(musl)?)-\w+'? binaries cannot be used on the '?\S+'? platform"#, NATIVE_MODULE, "lovell/sharp lib/sharp.js"),
    row("npm-bad-platform", NativeModuleMissing, Yes, (3, Certain), r"(code EBADPLATFORM|notsup (Unsupported platform|Not compatible with your operating system or architecture))", ["A package says itself that it is not for this platform", "Its os or cpu field leaves this platform out.", "Make it optional, or take a package or version that supports this platform."], "npm"),
    row("prisma-engine", NativeModuleMissing, Yes, (3, Certain), r"could not locate the Query Engine for runtime", ["Prisma has no engine for this platform", "The client was generated on another platform.", "Add this platform to binaryTargets, or run prisma generate inside the image."], "prisma"),
    row("chrome-platform", NativeModuleMissing, Yes, (3, Certain), r"(?i)the chromium binary is not available for \w+", ["There is no such Chromium for this platform", "Google builds no Chrome for Linux on ARM.", "Install the distribution's Chromium, and point PUPPETEER_EXECUTABLE_PATH at it."], "puppeteer"),
    row("bundler-platform", NativeModuleMissing, Yes, (3, Certain), r"Your bundle only supports platforms \[", ["The lock file knows other platforms only", "Gemfile.lock lists the platforms it was made for, and this one is not among them.", "bundle lock --add-platform aarch64-linux x86_64-linux"], "Bundler"),
    row("gyp-tool", NativeModuleMissing, Unknown, (2, Likely), r"gyp ERR! (find Python|stack Error: not found: make)|node-pre-gyp ERR! .{0,60}(404|not found)", ["A native module is compiled here, and a tool is missing", "No ready-made build of the module fits this platform, so it is compiled.", "Take a version that has one, or install python3, make and g++ for the build."], "node-gyp; node-pre-gyp"),
    row("jar-native", NativeModuleMissing, Yes, (3, Certain), r"(?i)can't load [\w -]{2,20} \.so on a [\w -]{2,20} platform|No native library is found for os\.name=\w+ and os\.arch=\w+", ["A Java library carries machine code for another architecture", "The JAR has no native part for this platform, or the one of another was loaded.", "Take a newer version of the library, or the artifact with the classifier of this platform."], "OpenJDK os_linux.cpp; xerial"),
    // Compilers and packages of an operating system.
    row("dpkg-architecture", WrongDownload, Yes, (3, Certain), r"package architecture \(\w+\) does not match system \(\w+\)|is intended for a different architecture", WRONG_PACKAGE, "dpkg; rpm"),
    row("apt-architecture", WrongDownload, Yes, (2, Certain), r"doesn't support architecture '\w+'|Unable to find expected entry '\S+/binary-\w+/Packages'", ["A package source has nothing for this architecture", "The repository has no folder for the architecture that is built.", "Take a repository that has it, or write [arch=...] for the one it has and build for that platform."], "apt"),
    row("download-404", WrongDownload, Yes, (1, Likely), r"(404|Not Found).*(amd64|x86_64|arm64|aarch64)|(amd64|x86_64|arm64|aarch64).*404", ["A download for this architecture is not there", "The address names an architecture, and the server has nothing there.", "Look how the publisher names this architecture (amd64 or x86_64, arm64 or aarch64), and whether it has it."], "HTTP"),
    row("linker-format", WrongDownload, Yes, (3, Certain), r"Relocations in generic ELF \(EM: \d+\)|skipping incompatible \S+ when searching for|: file in wrong format", ["The linker was given files of another architecture", "Objects or libraries of another architecture lie among those that are joined: from a mount, a cache, or a download.", "Remove the build folder that came from the host, and take the libraries of this architecture."], "binutils"),
    row("compiler-flag", BuildTarget, Yes, (3, Certain), r"unrecognized command[- ]line option '?-m(64|32|sse|avx|fma|aes|pclmul|arch=(x86|haswell|skylake))|\b[ewptasni]mmintrin\.h: No such file|fatal error: (immintrin|cpuid)\.h|no such instruction: `", X86_ONLY, "gcc; binutils"),
    row("cross-linker", BuildTarget, Yes, (3, Certain), r"linker `\S+-linux-(gnu|musl)\S*` not found|can't find crate for `(core|std)`|the `\S+` target may not be installed", ["The compiler for the target is not installed", "A cross build asks for a linker or a standard library of the target, and the image has none.", "rustup target add the target, and install its cross compiler."], "rustc"),
    // The program's own errors.
    row("node-other-version", ApplicationError, No, (3, Certain), r"was compiled against a different Node\.js version|NODE_MODULE_VERSION \d+", ["A native module was built for another version of Node.js", "The platform is right; the version of Node.js is not.", "Install the packages again with the Node.js of the image (npm rebuild)."], "Node.js"),
    row("python-module", ApplicationError, No, (2, Certain), r"ModuleNotFoundError: No module named '[\w.]+'", ["A Python module is not installed", "Python did not find it.", OWN], "Python"),
    row("node-module", ApplicationError, No, (1, Likely), r"Error: Cannot find module '[^']{1,120}'", ["A Node.js module is not installed", "Node.js did not find it.", OWN], "Node.js"),
    row("address-taken", ApplicationError, No, (2, Certain), r"EADDRINUSE|(?i:address already in use)", ["Another program has the port", "The program asks for a port that is taken.", OWN], "errno EADDRINUSE"),
    row("nobody-answers", ApplicationError, No, (2, Certain), r"ECONNREFUSED|(?i:connection refused)|could not translate host name|getaddrinfo (ENOTFOUND|EAI_AGAIN)|(?i:temporary failure in name resolution)", ["Another service did not answer", "The program did not reach what it depends on.", OWN], "errno ECONNREFUSED; resolvers"),
    row("login-refused", ApplicationError, No, (2, Certain), r"password authentication failed|Access denied for user|(?i:authentication failed)", ["Another service refused the login", "The program was not let in.", OWN], "PostgreSQL; MySQL"),
    row("file-refused", ApplicationError, No, (2, Likely), r"EACCES: permission denied|PermissionError: \[Errno 13\]|: [Pp]ermission denied\s*$", ["The program may not read or write a file", "The file belongs to another user than the one the program runs as.", OWN], "errno EACCES"),
    row("copy-source", ApplicationError, No, (3, Certain), r"failed to compute cache key: .{0,200}not found|COPY failed: |failed to read dockerfile", ["The build context does not have a file", "A COPY or ADD line names a file that is not in the folder that is built, or .dockerignore leaves it out.", "Check the path, the folder that is built, and .dockerignore."], "BuildKit"),
    row("architecture-refused", ForeignBinary, Yes, (2, Likely), r"(?i)(unsupported|unknown|invalid|wrong|incompatible|mismatched) (cpu |machine |host )?architecture|wrong elf class|not (supported|available) (on|for) (arm64|aarch64|amd64|x86_64|this architecture)|incompatible cpu", ["The architecture is refused", "A program or a library says that it is not made for the architecture it was started on.", "Look which architecture the image has (silidock inside), and take or build one for the engine's own."], "conventions of programs and loaders"),
    row("program-error", ApplicationError, No, (1, Likely), r"^Traceback \(most recent call last\)|^panic: |^(Uncaught )?(\w+\.)*\w*(Error|Exception)(:|$)|Exception in thread \x22|(?i)^(\S+ )?\[?(fatal|error)\]?:? ", ["The program reported an error of its own", "Nothing in it speaks of the platform.", OWN], "conventions of Python, Go, Node.js, Java"),
];
