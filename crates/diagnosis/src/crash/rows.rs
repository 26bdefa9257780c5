//! The known messages, one row each, in five groups. How a row is matched and when it counts stands in the parent.
//!
//! Certain: the words are the maker's own, or name the emulator and have one known cause. Likely: users' reports only.

use super::{Belongs, CrashRow, Proof};
use crate::finding::Confidence::{self, Certain, Likely};

const fn row(
    id: &'static str,
    belongs: Belongs,
    confidence: Confidence,
    pattern: &'static str,
    cause: &'static str,
    remedy: &'static str,
    source: &'static str,
) -> CrashRow {
    CrashRow {
        id,
        pattern,
        belongs,
        proof: Proof::Words,
        cause,
        remedy,
        source,
        confidence,
        features: &[],
        harmless: false,
    }
}

impl CrashRow {
    /// The words have other causes as well.
    const fn under_it_only(mut self) -> Self {
        self.proof = Proof::Circumstances;
        self
    }
    /// A sign of the emulator and no fault.
    const fn harmless(mut self) -> Self {
        self.harmless = true;
        self
    }
    /// The program asks for these features of the processor.
    const fn asks_for(mut self, features: &'static [&'static str]) -> Self {
        self.features = features;
        self
    }
}

/// All known messages.
pub const ROWS: &[CrashRow] = &[
    // Choosing an image's platform.
    row(
        "platform-differs",
        Belongs::Selection,
        Certain,
        r"The requested image's platform \(.+?\) does not match the detected host platform \(.+?\) and no specific platform was requested",
        "The image is built for another processor than the engine's, so it will be emulated.",
        "Pull or build the native variant; where there is none, pin the platform so that the choice is on record.",
        "moby daemon/create.go",
    ),
    row(
        "no-matching-manifest",
        Belongs::Selection,
        Certain,
        r"no matching manifest for \S+ in the manifest list entries",
        "The tag has no variant for this engine's platform.",
        "Take a newer tag that has one, or name a platform that the tag does have and let it be emulated.",
        "moby distribution/pull_v2.go; docker-library/mysql#778",
    ),
    row(
        "other-platform-here",
        Belongs::Selection,
        Certain,
        r"image with reference \S+ was found but does not provide the specified platform \(.+?\)",
        "The image is here for another platform only.",
        "Pull it again with --platform.",
        "moby daemon/containerd/image.go",
    ),
    row(
        "platform-moved",
        Belongs::Selection,
        Certain,
        r"image with reference \S+ was found but (its platform \(.+?\) )?does not match the specified platform",
        "This engine keeps one platform per tag, and the one that is here is not the one asked for.",
        "Pull it again with --platform; that moves the tag.",
        "moby daemon/images/image.go",
    ),
    row(
        "base-image-platform",
        Belongs::Selection,
        Certain,
        r#"Base image \S+ was pulled with platform ".+?", expected ".+?" for current build"#,
        "A FROM line leads to an image of another platform than the build's.",
        "Let the FROM line follow the build's platform, or take a digest that covers it.",
        "BuildKit linter rule InvalidBaseImagePlatform",
    ),
    row(
        "platform-not-emulated",
        Belongs::NoEmulator,
        Certain,
        r"platform \S+ cannot pass the validation, kernel support for miscellaneous binary may have not enabled",
        "The builder found nothing that runs programs of that platform.",
        "Bring the emulator back: restart the runtime, or toggle its emulation switch.",
        "BuildKit util/archutil/detect.go",
    ),
    // No working emulator.
    row(
        "exec-format-error",
        Belongs::NoEmulator,
        Likely,
        r"(?i)exec \S+: exec format error|exec user process caused:? .{0,40}exec format error|exec format error: unknown",
        "Nothing on this engine runs programs of that architecture, or the file is a script without a first line, empty or cut off.",
        "For a foreign image: restart the runtime or toggle its emulation switch, since a privileged container may have \
         displaced the emulator. For a native one: look at the file itself.",
        "docker/for-mac#7147, #7168, #7810, #7849; orbstack#829; docker/desktop-feedback#498",
    ),
    row(
        "mac-program-needs-rosetta",
        Belongs::Host,
        Certain,
        r"Bad CPU type in executable",
        "A Mac program for Intel was started on a Mac without Rosetta for Mac programs. Linux containers are another matter.",
        "Get the Apple-silicon build of that program. On macOS 27 this says nothing about Intel containers.",
        "orbstack#2698; Apple, About the Rosetta translation environment",
    ),
    row(
        "colima-no-rosetta",
        Belongs::Host,
        Certain,
        r"Unable to enable Rosetta: Rosetta2 is not installed",
        "Colima looked for the process oahd, did not find it, and went on with QEMU.",
        "Up to macOS 26 install Rosetta and start any Intel Mac program once. On macOS 27 this test of Colima's is \
         doubtful: prove what runs with silidock emulator.",
        "Colima environment/vm/lima/yaml.go; colima#1069",
    ),
    row(
        "lima-built-for-older-macos",
        Belongs::Host,
        Certain,
        r"Unable to configure Rosetta: failed to create a new rosetta directory share caching option: unsupported build target macOS version",
        "This limactl was built against an older macOS than it runs on.",
        "Install Lima's build for your macOS.",
        "lima#2753; colima#1204",
    ),
    row(
        "lima-rosetta-not-configured",
        Belongs::Host,
        Certain,
        r"Unable to configure Rosetta: ",
        "Lima could not lend Rosetta to its machine and went on without.",
        "Up to macOS 26: softwareupdate --install-rosetta, then stop and start the machine.",
        "Lima pkg/driver/vz",
    ),
    row(
        "container-rosetta-not-installed",
        Belongs::Host,
        Certain,
        r#"VZErrorDomain Code=2 "Rosetta is not installed"#,
        "macOS 26 without Rosetta was asked to lend it to a Linux machine.",
        "softwareupdate --install-rosetta",
        "apple/container#103",
    ),
    row(
        "finch-kernel",
        Belongs::Host,
        Certain,
        r"Rosetta does not support Linux kernel 6\.18 on macOS < 26",
        "The machine's kernel is too new for this macOS's Rosetta.",
        "Update to macOS 26 or later, or set rosetta: false.",
        "Finch's source",
    ),
    row(
        "install-under-rosetta",
        Belongs::Host,
        Likely,
        r"Installing Rosetta 2 on this system is not supported",
        "The terminal itself runs translated, or this Mac is an Intel one.",
        "Open the terminal without translation and run softwareupdate --install-rosetta there.",
        "docker/docs#13940; orbstack#633; docker/for-mac#7106",
    ),
    // A foreign program inside an image of the right architecture.
    row(
        "rosetta-no-intel-loader",
        Belongs::Rosetta,
        Certain,
        r"rosetta error: failed to open elf at /lib(64)?/ld-\S+",
        "An Intel program was started in an image that has no Intel loader: it is an ARM image, or one with musl.",
        "Fetch the ARM build of that program, or run the whole image as linux/amd64.",
        "docker/for-mac#7644; byrongamatos/slopsmith#3",
    ),
    row(
        "qemu-no-loader",
        Belongs::Qemu,
        Certain,
        r"(qemu-\S+|\S+-binfmt-P): Could not open '/lib\S*': No such file or directory",
        "A foreign program was started in an image that has no loader for it.",
        "Fetch the native build of that program, or run the whole image for the program's platform.",
        "docker/buildx#1014; nodejs/help#3239; mavlink/qgc-dev-guide#154",
    ),
    row(
        "arm-loader-missing",
        Belongs::NoEmulator,
        Likely,
        r"cannot execute binary file: Exec format error|/lib/ld-linux-aarch64\.so\.1: No such file",
        "A program of another architecture than the image's was started.",
        "Fetch the build of that program that fits the image.",
        "not verified; the reverse of docker/buildx#1014",
    ),
    // Rosetta and the kernel.
    row(
        "rosetta-auxiliary-vector",
        Belongs::Rosetta,
        Certain,
        r"rosetta error: unhandled auxillary vector type (28|29)",
        "The machine's kernel is newer than this macOS's Rosetta understands: type 28 comes with Linux 6.3, type 29 with 6.13.",
        "Update macOS (26 or later for type 29), take a runtime with an older kernel, or run it under QEMU.",
        "colima#855; lima#3592; containers/podman-machine-os 8efc249",
    ),
    row(
        "rosetta-vdso",
        Belongs::Rosetta,
        Certain,
        r"assertion failed \[hash_table != nullptr\]: Failed to find vdso DT_HASH",
        "Linux 6.11 and later build their vDSO in a way that Rosetta before macOS 26 does not read.",
        "Update to macOS 26 or later, take a runtime with an older kernel, or run it under QEMU.",
        "UTM#6771; nerdctl#3958",
    ),
    // Rosetta itself.
    row(
        "rosetta-basic-block",
        Belongs::Rosetta,
        Likely,
        r"assertion failed \[block != nullptr\]: BasicBlock requested for unrecognized address",
        "Rosetta lost its way in code that a program makes while it runs.",
        "Take a native image, or run this one under QEMU.",
        "orbstack#1396",
    ),
    row(
        "rosetta-shared-memory",
        Belongs::Rosetta,
        Likely,
        r"\bremove_shared_mem\b|VMAllocationTracker\.cpp:745",
        "Rosetta since macOS 14.4 stumbles over System V shared memory, which Qt, X11 and Electron use.",
        "Update macOS, or run it under QEMU.",
        "docker/for-mac#7220",
    ),
    row(
        "rosetta-existing-mapping",
        Belongs::Rosetta,
        Likely,
        r"assertion failed \[result\.value != EEXIST\]: VmTracker attempted to allocate existing mapping",
        "A fault of Rosetta's memory bookkeeping, seen with compilers in 2023.",
        "Update macOS.",
        "docker/roadmap#384",
    ),
    row(
        "rosetta-futex",
        Belongs::Rosetta,
        Likely,
        r"rosetta error: futex\(FUTEX_LOCK_PI_PRIVATE\) failure: 35",
        "Rosetta does not do locks with priority inheritance.",
        "OrbStack works around it since 0.13; elsewhere run it under QEMU.",
        "orbstack#380",
    ),
    row(
        "rosetta-proc-self-exe",
        Belongs::Rosetta,
        Likely,
        r"rosetta error: Unable to open /proc/self/exe: \d+",
        "The program moved to a root without /proc, and Rosetta needs to read it there.",
        "Let it keep /proc, or do not let it change its root. Docker Desktop 4.26 mended the case with error 40.",
        "orbstack#1401; docker/for-mac#6973",
    ),
    row(
        "rosetta-system-call",
        Belongs::Rosetta,
        Likely,
        r"rosetta error: Unimplemented syscall number \d+",
        "The program makes a system call that Rosetta does not know.",
        "Take a native image, or run this one under QEMU.",
        "docker/for-mac#7475; ksg97031/frida-gadget#19",
    ),
    row(
        "rosetta-chrome-gpu",
        Belongs::Rosetta,
        Likely,
        r"Failed to open file: /run/rosetta/rosetta",
        "Chrome's GPU process is shut off from Rosetta's own file.",
        "Start Chrome with --disable-gpu, or use an ARM Chromium.",
        "docker/for-mac#7552",
    ),
    row(
        "rosetta-thread-sanitizer",
        Belongs::Rosetta,
        Likely,
        r"ThreadSanitizer: memory layout is incompatible",
        "ThreadSanitizer wants addresses that Rosetta keeps for itself.",
        "Run it on a native image or machine.",
        "users' reports",
    )
    .under_it_only(),
    row(
        "rosetta-udev",
        Belongs::Rosetta,
        Likely,
        r"udev_enumerate_scan_devices",
        "libudev falls under Rosetta; licence managers such as Vivado's ask it for devices.",
        "Put a libudev without function in its way, or run it under QEMU.",
        "docker/for-mac#7320",
    )
    .under_it_only(),
    row(
        "rosetta-java",
        Belongs::Rosetta,
        Likely,
        r"A fatal error has been detected by the Java Runtime Environment",
        "An Intel Java machine fell under Rosetta.",
        "Use an ARM image with Java of its own, or run this one under QEMU.",
        "docker/for-mac#7320",
    )
    .under_it_only(),
    row(
        "rosetta-seccomp",
        Belongs::Rosetta,
        Likely,
        r"unable to load seccomp BPF program: Invalid argument",
        "The program's filter for system calls is written for Intel, and the kernel is ARM.",
        "For Nix: filter-syscalls = false.",
        "orbstack#2606",
    )
    .under_it_only(),
    row(
        "rosetta-libcrun",
        Belongs::Rosetta,
        Likely,
        r"Failed to re-execute libcrun via memory file descriptor",
        "crun starts itself anew from memory, which Rosetta does not do.",
        "Use runc, or an ARM build of crun.",
        "containers/crun#1434",
    )
    .under_it_only(),
    row(
        "rosetta-systemd",
        Belongs::Rosetta,
        Likely,
        r"Failed to allocate manager object: Invalid argument",
        "Newer systemd needs system calls that Rosetta answers with \"not implemented\".",
        "Take an older distribution; for services that end with SIGTRAP set MemoryDenyWriteExecute=no.",
        "users' reports about Rosetta 27.0",
    )
    .under_it_only(),
    row(
        "orbstack-rosetta-path",
        Belongs::Rosetta,
        Likely,
        r"FileNotFoundError.*'/mnt/rv/\[rosetta\]'",
        "The program looks at its own file through /proc and finds OrbStack's Rosetta instead.",
        "Turn Rosetta off for it, or use a native image.",
        "orbstack#2440",
    ),
    row(
        "orbstack-rosetta-cpuinfo",
        Belongs::Rosetta,
        Likely,
        r"stat /run/rosetta-cpuinfo: no such file",
        "A fault of OrbStack 1.7.4.",
        "Update OrbStack to 1.7.5 or later.",
        "orbstack#1483",
    ),
    row(
        "rosetta-wrong-results",
        Belongs::Rosetta,
        Likely,
        r"(?i)\bbad record mac\b",
        "Rosetta 367.4 gets one multiplication wrong (MULX), which breaks cryptography; OrbStack may carry that version \
         although the Mac has a newer one. A disturbed connection looks the same.",
        "Update OrbStack, or turn Rosetta off for now.",
        "orbstack#2683, #2167",
    )
    .under_it_only(),
    row(
        "rosetta-netlink",
        Belongs::Rosetta,
        Likely,
        r"(?i)(micromamba|libmamba).*netlink|netlink.*(micromamba|libmamba)",
        "libmamba asks the kernel for network interfaces in a way that Rosetta does not pass on.",
        "Turn Rosetta off for it, or use a native image.",
        "users' reports",
    )
    .under_it_only(),
    row(
        "rosetta-other",
        Belongs::Rosetta,
        Likely,
        r"rosetta error: (unexpectedly|thread|mmap|mprotect|bss_size|Rosetta is only|assertion)",
        "Rosetta itself gave up.",
        "Take a native image, or run this one under QEMU.",
        "the words name Rosetta; the cause is not known",
    ),
    // QEMU's user mode.
    row(
        "qemu-segmentation-fault",
        Belongs::Qemu,
        Certain,
        r"qemu: uncaught target signal 11 \(Segmentation fault\)",
        "The program fell under QEMU. Compilers (Go, Rust), npm and Python are known for it.",
        "Build natively or cross-compile; where Rosetta can be had, try it.",
        "docker/for-mac#5123, #6204, #6657; moby/buildkit#2541",
    ),
    row(
        "qemu-illegal-instruction",
        Belongs::Qemu,
        Certain,
        r"qemu: uncaught target signal 4 \(Illegal instruction\)",
        "The program uses an instruction that this QEMU does not have.",
        "Take a native image, or a newer QEMU; Rosetta on macOS 15 and later knows AVX and AVX2.",
        "orbstack#530",
    ),
    row(
        "qemu-other-signal",
        Belongs::Qemu,
        Likely,
        r"qemu: uncaught target signal (5|6|7|8)\b",
        "The program fell under QEMU.",
        "Build natively or cross-compile; where Rosetta can be had, try it.",
        "the words name QEMU; the exact text is not verified",
    ),
    row(
        "qemu-go-pointers",
        Belongs::Qemu,
        Likely,
        r"runtime: lfstack\.push invalid packing",
        "Go packs pointers into 48 bits, and QEMU hands out addresses above that.",
        "Cross-compile with GOARCH on the native platform, or try Rosetta.",
        "argoproj/argo-cd#26916; golang/go#69255",
    )
    .under_it_only(),
    row(
        "qemu-ptrace",
        Belongs::Qemu,
        Likely,
        r"(?i)ptrace(\(\w*\)|_traceme)?: Function not implemented",
        "QEMU's user mode has no ptrace, so debuggers, strace and Chrome's crash reporter do not work.",
        "Use native tools, or QEMU's own debug port.",
        "docker/for-mac#5191, #6921; puppeteer#7916",
    )
    .under_it_only(),
    row(
        "qemu-not-implemented",
        Belongs::Qemu,
        Likely,
        r"Function not implemented \(os error 38\)|\[Errno 38\] Function not implemented|IOException: Function not implemented",
        "QEMU's user mode lacks what the program asks the kernel for; with file watchers that is inotify.",
        "Let it poll for changes instead of watching, or run it natively; Rosetta knows inotify.",
        "Docker's known issues; docker/for-mac#5321, #6174; notify-rs#423; watchfiles#167; deno#14684",
    )
    .under_it_only(),
    row(
        "qemu-sql-server",
        Belongs::Qemu,
        Certain,
        r"Invalid mapping of address 0x[0-9a-fA-F]+ in reserved address space below 0x400000000000",
        "SQL Server wants a place in memory that QEMU does not give it.",
        "SQL Server has no ARM image; it is known to run under Rosetta.",
        "microsoft/mssql-docker#668, #787, #848",
    ),
    row(
        "qemu-jemalloc",
        Belongs::Qemu,
        Certain,
        r"<jemalloc>: \(This is the expected behaviour if you are running under QEMU\)",
        "A harmless note, and a sure sign of QEMU.",
        "Nothing to mend by itself; a native image is rid of it.",
        "better-auth#5615",
    )
    .harmless(),
    row(
        "cpu-x86-64-v2",
        Belongs::AnyEmulator,
        Certain,
        r"CPU does not support x86-64-v2",
        "The distribution is built for a newer Intel processor than this emulator shows.",
        "Take a newer emulator, an image built for the first level, or a native image.",
        "podman#15456; IBM/mcp-context-forge#1581",
    )
    .asks_for(&["sse4_2"]),
    row(
        "cpu-x86-64-v3",
        Belongs::AnyEmulator,
        Certain,
        r"CPU does not support x86-64-v3",
        "The distribution is built for a newer Intel processor, with AVX2, than this emulator shows.",
        "macOS 15 and later give Rosetta AVX2; else take an image built for a lower level, or a native one.",
        "awslabs dynamodb-local-samples#23",
    )
    .asks_for(&["avx2"]),
    row(
        "mongodb-avx",
        Belongs::AnyEmulator,
        Certain,
        r"MongoDB 5\.0\+ requires a CPU with AVX support, and your current system does not appear to have that",
        "MongoDB 5 and later need AVX, which this emulator does not show.",
        "Take MongoDB's ARM image. Rosetta has AVX on macOS 15 and later.",
        "docker/for-mac#7137; docker-library/mongo#485; orbstack#482",
    )
    .asks_for(&["avx"]),
    row(
        "bitnami-illegal-instruction",
        Belongs::AnyEmulator,
        Likely,
        r"libos\.sh: line \d+:.*Illegal instruction",
        "The program uses an instruction that this emulator does not have; with MongoDB that is AVX.",
        "Take a native image. Rosetta has AVX on macOS 15 and later.",
        "docker/for-mac#7137",
    ),
    row(
        "tensorflow-avx",
        Belongs::AnyEmulator,
        Certain,
        r"The TensorFlow library was compiled to use AVX\d? instructions, but these aren't available",
        "TensorFlow's Intel build needs AVX, which this emulator does not show.",
        "Use the ARM build. Rosetta has AVX on macOS 15 and later.",
        "TensorFlow core/platform/cpu_feature_guard.cc",
    )
    .asks_for(&["avx"]),
    row(
        "qemu-native-io",
        Belongs::Qemu,
        Likely,
        // EAGAIN has nothing to do with architectures: then a limit of the machine is used up.
        r"Kernel asynchronous I/O not (initialized|supported)|io_setup\(\) failed( with (error )?(ENOSYS|38)\b|: Function not implemented|\.?\s*$)|Linux Native AIO interface is not supported on this platform",
        "QEMU's user mode has no native asynchronous input and output.",
        "For MySQL and MariaDB: innodb_use_native_aio=0; better a native image.",
        "docker/for-mac#6396; docker-library/mysql#371, #727",
    )
    .under_it_only(),
    // Debuggers under Rosetta.
    row(
        "rosetta-registers",
        Belongs::Rosetta,
        Likely,
        r"(Couldn't get CS register|Cannot PTRACE_GETREGS|Couldn't get registers): Input/output error",
        "Debuggers cannot read registers of a translated program.",
        "Start it with ROSETTA_DEBUGSERVER_PORT=1234 and let gdb connect to that port.",
        "apple/container#766; pwndbg#2190; docker/for-mac#6921",
    )
    .under_it_only(),
    row(
        "rosetta-core-dump",
        Belongs::Rosetta,
        Likely,
        r"Selected architecture i386:x86-64 is not compatible with reported target architecture aarch64|Core was generated by .{0,3}/run/rosetta/rosetta",
        "The core file is the translator's own, so it is ARM.",
        "Start the program with ROSETTA_DEBUGSERVER_PORT=1234 and let gdb connect to that port.",
        "users' reports",
    ),
];
