// Generated from the Rust types by `cargo test --test generated`; do not edit.

/**
 * Whether something has to do with the architecture.
 */
export type About = "yes" | "no" | "unknown";

/**
 * One thing that can be done.
 */
export type Advice = { 
/**
 * Which kind; `unknown` is the advice to ask.
 */
kind: WayKind, 
/**
 * As an order: "Pull redis:8 for linux/arm64".
 */
title: string, 
/**
 * What it costs, in a sentence.
 */
cost: string, 
/**
 * What it risks, in a sentence.
 */
risk: string, 
/**
 * Command lines, an argument vector each. Nothing is run.
 */
commands: Array<Array<string>>, };

/**
 * Every engine of this machine, looked at.
 */
export type AllEngines = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * What was seen of each.
 */
engines: Array<Scan>, 
/**
 * Those that could not be looked at.
 */
failed: Array<EngineFailure>, };

/**
 * What became of the safe fixes.
 */
export type AllSafeOutcome = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * Those that were carried out, each with a receipt to undo it by.
 */
done: Array<ChangeOutcome>, 
/**
 * The one that failed and ended it.
 */
failed: FixFailed | null, 
/**
 * Findings whose fixes were not begun after that.
 */
notBegun: Array<string>, };

/**
 * Every fix that is safe, as it would be carried out.
 */
export type AllSafePreview = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * In the order in which they would be carried out.
 */
fixes: Array<FixPreview>, 
/**
 * Fixes that count as safe and are left for a person, and why.
 */
left: Array<FixLeft>, };

/**
 * Safe fixes that were shown and are now wanted.
 */
export type AllSafeRequest = { 
/**
 * In the order in which they are carried out.
 */
fixes: Array<ApplyRequest>, };

/**
 * A rebuild that was shown and is now wanted.
 */
export type ApplyRebuildRequest = { 
/**
 * From the preview.
 */
token: string, };

/**
 * A fix that was shown and is now wanted.
 */
export type ApplyRequest = { 
/**
 * Id of the finding.
 */
finding: string, 
/**
 * Number of the fix, from 1.
 */
option: number, 
/**
 * From the preview: what was shown is what is done, or nothing is.
 */
token: string, };

/**
 * Which images to ask registries about.
 */
export type AskRegistryRequest = { 
/**
 * Their ids; none means all, and every container and service.
 */
images: Array<string>, };

/**
 * A step of the way back.
 */
export type BackStep = { 
/**
 * It is needed once this step of the fix was begun, from 0; the number of steps means "once all were done".
 */
from: number, 
/**
 * What is done.
 */
step: Step, };

/**
 * One run, judged.
 */
export type Bench = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * Name of the run, unique among those kept: `2026-11-20T20-15-07Z-3f2a`.
 */
id: string, 
/**
 * When it began, RFC 3339 in UTC.
 */
takenAt: string, 
/**
 * How long it took.
 */
seconds: number, 
/**
 * Version of Silidock that ran it.
 */
silidock: string, 
/**
 * Not from a real engine of the reader's: part of the sample.
 */
sample: boolean, 
/**
 * Host names, user names and addresses were replaced.
 */
redacted?: boolean, 
/**
 * How thorough.
 */
mode: BenchMode, 
/**
 * What the order of the lanes and the draws of the intervals came from.
 */
seed: number, 
/**
 * Nobody let it end: what there was until then.
 */
cutShort: boolean, 
/**
 * Where.
 */
machine: BenchMachine, 
/**
 * What every container was limited to.
 */
limits: BenchLimits, 
/**
 * The user's own image or Dockerfile, where one was measured.
 */
own: OwnWork | null, 
/**
 * What was measured, in the order shown.
 */
workloads: Array<BenchWorkload>, 
/**
 * Who ran it.
 */
lanes: Array<BenchLane>, 
/**
 * Who could not, and why.
 */
unavailable: Array<BenchUnavailableLane>, 
/**
 * One for each workload and lane.
 */
results: Array<BenchOutcome>, 
/**
 * All workloads of a lane in one number.
 */
overall: Array<BenchOverall>, 
/**
 * How busy the machines were.
 */
conditions: Array<BenchConditions>, 
/**
 * What speaks against the numbers.
 */
warnings: Array<BenchWarning>, };

/**
 * One ratio with its interval.
 */
export type BenchBar = { 
/**
 * Its lane.
 */
lane: string, 
/**
 * Where the ratio lies.
 */
at: number, 
/**
 * Where its interval begins; at the ratio itself where it has none.
 */
low: number, 
/**
 * Where it ends.
 */
high: number, 
/**
 * "21 % (19 % to 23 %)".
 */
label: string, 
/**
 * "21 %".
 */
short: string, };

/**
 * How busy one machine is.
 */
export type BenchBusy = { 
/**
 * Programs that ran or waited, over the last minute.
 */
load: number | null, 
/**
 * Processors.
 */
cpus: number | null, 
/**
 * Memory in bytes.
 */
memory: number | null, 
/**
 * Of that, what programs can still have.
 */
available: number | null, 
/**
 * Processor time that others took from this machine, as a share of all since the moment before.
 */
stolen: number | null, };

/**
 * One workload in one lane.
 */
export type BenchChange = { 
/**
 * Id of the workload.
 */
workload: string, 
/**
 * Name of the lane.
 */
lane: string, 
/**
 * Ratio to native in the run compared with; of the native lane its speed is 1.
 */
before: Estimate, 
/**
 * In the run compared.
 */
after: Estimate, 
/**
 * Speed now as a share of the speed then.
 */
change: Estimate, 
/**
 * In a word.
 */
verdict: BenchChangeVerdict, };

/**
 * What became of a speed.
 */
export type BenchChangeVerdict = "faster" | "slower" | "same" | "unknown";

/**
 * Speed as a share of native, for each workload and emulated lane.
 */
export type BenchChart = { 
/**
 * Each step to the right multiplies, because the numbers lie far apart.
 */
logarithmic: boolean, 
/**
 * The marks of the scale.
 */
ticks: Array<BenchTick>, 
/**
 * Where native speed is.
 */
native: number, 
/**
 * Names of the lanes drawn, in order.
 */
lanes: Array<string>, 
/**
 * One group for each workload.
 */
groups: Array<BenchGroup>, 
/**
 * All of it in words, for those who do not see it.
 */
words: string, };

/**
 * Which two runs.
 */
export type BenchCompareRequest = { 
/**
 * The one compared with.
 */
before: string, 
/**
 * The one compared.
 */
after: string, };

/**
 * Two runs side by side.
 */
export type BenchComparison = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * The run compared with.
 */
before: RunName, 
/**
 * The run compared.
 */
after: RunName, 
/**
 * Nothing differs that makes the change of a ratio mean something else than a change of the emulator.
 */
comparable: boolean, 
/**
 * What differs between the two.
 */
differences: Array<BenchDifference>, 
/**
 * Every workload and lane that both have.
 */
rows: Array<BenchChange>, };

/**
 * How busy the machines were at one moment.
 */
export type BenchConditions = { 
/**
 * Which moment.
 */
moment: BenchMoment, 
/**
 * The machine Silidock runs on; none where the engine is not on it, or it cannot be read.
 */
host: BenchBusy | null, 
/**
 * The engine's machine, as a container of it sees it.
 */
engine: BenchBusy | null, };

/**
 * Something that is not the same in both runs.
 */
export type BenchDifference = { 
/**
 * What: "kernel", "version of qemu".
 */
what: string, 
/**
 * In the run compared with.
 */
before: string, 
/**
 * In the run compared.
 */
after: string, 
/**
 * Numbers cannot be compared because of it. Otherwise it may be the very reason for comparing.
 */
prevents: boolean, };

/**
 * A run in a line.
 */
export type BenchEntry = { 
/**
 * Its name.
 */
id: string, 
/**
 * When it began, RFC 3339 in UTC.
 */
takenAt: string, 
/**
 * Part of the sample.
 */
sample: boolean, 
/**
 * Its one sentence.
 */
headline: string, 
/**
 * Runtime and version of the engine.
 */
engine: string, 
/**
 * Address of the engine.
 */
endpoint: string, 
/**
 * How thorough.
 */
mode: BenchMode, 
/**
 * It was ended before its time.
 */
cutShort: boolean, 
/**
 * How many warnings it has.
 */
warnings: number, };

/**
 * One workload.
 */
export type BenchGroup = { 
/**
 * Its id; `overall` is the geometric mean.
 */
workload: string, 
/**
 * What a person reads.
 */
title: string, 
/**
 * One for each lane that has a ratio.
 */
bars: Array<BenchBar>, };

/**
 * Runs that are kept.
 */
export type BenchHistory = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * The newest first.
 */
runs: Array<BenchEntry>, 
/**
 * Files that are no run (any more).
 */
damaged: Array<DamagedBench>, };

/**
 * One way to run programs, named by what was found in that very container.
 */
export type BenchLane = { 
/**
 * Unique in the run: `native`, `qemu`, `rosetta`, another emulator's name; with the platform where two have the same.
 */
name: string, 
/**
 * Platform of its programs.
 */
platform: Platform, 
/**
 * `qemu`, `rosetta` ...; none in the native lane.
 */
emulator: string | null, 
/**
 * Its version, where it can be read.
 */
version: string | null, 
/**
 * How its programs come to be run that way.
 */
way: BenchLaneWay, 
/**
 * Programs that its programs start run the same way. Where not, workloads that start some are left out.
 */
children: boolean, 
/**
 * What said so.
 */
evidence: Array<Evidence>, };

/**
 * How the programs of a lane come to be run by its emulator.
 */
export type BenchLaneWay = "native" | "registered" | "forcedQemu" | "direct";

/**
 * What a container of a run may use.
 */
export type BenchLimits = { 
/**
 * Processors.
 */
cpus: number, 
/**
 * Memory in bytes.
 */
memory: number, };

/**
 * Where a run was made: what must be the same for two runs to be compared.
 */
export type BenchMachine = { 
/**
 * Address of the engine.
 */
endpoint: string, 
/**
 * Its runtime: "Docker Desktop".
 */
runtime: string, 
/**
 * Its version.
 */
version: string, 
/**
 * Its platform.
 */
platform: Platform, 
/**
 * Its kernel.
 */
kernel: string | null, 
/**
 * The processor as its native programs see it, where it has a name.
 */
cpu: string | null, 
/**
 * Processors.
 */
cpus: number | null, 
/**
 * Memory in bytes.
 */
memory: number | null, 
/**
 * When it was started, in its own words; another start may have brought another emulator.
 */
started: string | null, 
/**
 * What ran foreign programs by itself while this was measured, by platform.
 */
emulators: Array<PlatformEmulator>, 
/**
 * System of the machine Silidock ran on: "macos 26.1". None where the engine is not on it.
 */
hostSystem: string | null, 
/**
 * Its processor.
 */
hostCpu: string | null, };

/**
 * Everything a scan says of a run that counts for its engine.
 */
export type BenchMeaning = { 
/**
 * The run.
 */
run: RunName, 
/**
 * Why it still counts.
 */
because: string, 
/**
 * What each emulator makes of programs.
 */
lanes: Array<LaneMeaning>, 
/**
 * All emulated containers whose processor time and lane are known, together.
 */
total: TotalNeed | null, 
/**
 * What all of this takes for granted.
 */
assumptions: Array<string>, };

/**
 * How thorough a run is.
 */
export type BenchMode = "normal" | "quick";

/**
 * When conditions were read.
 */
export type BenchMoment = "before" | "after";

/**
 * What can be measured on an engine. Nothing is started to find out.
 */
export type BenchOffer = { 
/**
 * Lanes, the native one first; a gap until the emulator was proven.
 */
lanes: Fact<Array<OfferedLane>>, 
/**
 * The probe's workloads.
 */
workloads: Array<OfferedWorkload>, 
/**
 * Images on this engine that hold more than one platform, or a foreign one: those worth comparing.
 */
images: Array<OfferedImage>, 
/**
 * Why nothing can be measured at all: a sample or a recording has no engine.
 */
refused: string | null, 
/**
 * A run is under way.
 */
running: BenchProgress | null, };

/**
 * One workload in one lane.
 */
export type BenchOutcome = { 
/**
 * Id of the workload.
 */
workload: string, 
/**
 * Name of the lane.
 */
lane: string, 
/**
 * As they were taken, none left out.
 */
samples: Array<number>, 
/**
 * Their median.
 */
median: number, 
/**
 * Lower end of its 95 % interval; none with fewer than five samples.
 */
low: number | null, 
/**
 * Upper end.
 */
high: number | null, 
/**
 * What they are in.
 */
unit: BenchUnit, 
/**
 * Speed as a share of the native lane's: 0.25 is a quarter of it, more than 1 is faster. None in the native lane,
 * and where that has no result.
 */
ratio: Estimate | null, 
/**
 * Time until the program itself began, in seconds, where that is told apart. Not in the samples.
 */
startUp: Estimate | null, 
/**
 * Time of each step of a build, in seconds.
 */
steps: Array<BenchStepOutcome>, 
/**
 * Of the work done, the same in every lane.
 */
checksum: string | null, 
/**
 * Blocks of work of one sample, calibrated for this lane.
 */
blocks: number | null, 
/**
 * Positions of samples that lie far from the others. They count all the same.
 */
outliers: Array<number>, 
/**
 * Whether it rose or fell while it was measured.
 */
drift: Drift | null, };

/**
 * All workloads of a lane in one number.
 */
export type BenchOverall = { 
/**
 * The lane.
 */
lane: string, 
/**
 * Geometric mean of its ratios, each workload alike.
 */
ratio: Estimate, 
/**
 * Ids of the workloads in it.
 */
workloads: Array<string>, 
/**
 * What it does not say.
 */
limits: string, };

/**
 * What a run is doing.
 */
export type BenchPhase = "preparing" | "calibrating" | "measuring" | "cleaningUp";

/**
 * How far a run is.
 */
export type BenchProgress = { 
/**
 * What it is doing.
 */
phase: BenchPhase, 
/**
 * Title of the workload at work.
 */
workload: string | null, 
/**
 * Name of the lane at work.
 */
lane: string | null, 
/**
 * Share that is done, 0 to 1; never falls.
 */
done: number, 
/**
 * Seconds that are probably left; none while that cannot be told.
 */
secondsLeft: number | null, };

/**
 * Which run, as what.
 */
export type BenchReportRequest = { 
/**
 * As in [`BenchRunRequest`].
 */
id: string, 
/**
 * Its form; as a table with every sample in a line of its own.
 */
format: ReportFormat, 
/**
 * Replace host names, user names and addresses.
 */
redact: boolean, };

/**
 * What to measure.
 */
export type BenchRequest = { 
/**
 * As in [`crate::wire::ScanRequest`].
 */
engine: string | null, 
/**
 * Names of lanes; none means every lane that can be had.
 */
lanes: Array<string>, 
/**
 * Ids of workloads; none means those of the mode.
 */
workloads: Array<string>, 
/**
 * How thorough.
 */
mode: BenchMode, 
/**
 * The user's own image, instead of the workloads unless those are named too.
 */
own: OwnRequest | null, 
/**
 * The user's own Dockerfile, likewise.
 */
build: BuildRequest | null, 
/**
 * A QEMU beside an emulator that is set: out of an image, run in native containers.
 */
qemu: QemuRequest | null, 
/**
 * Repeats the order of an earlier run.
 */
seed: number | null, };

/**
 * One result in words.
 */
export type BenchRowWords = { 
/**
 * Title of the workload.
 */
title: string, 
/**
 * "1.23 M blocks/s (1.20 M to 1.25 M)".
 */
speed: string, 
/**
 * "21 % (19 % to 23 %)"; none in the native lane and where nothing could be compared.
 */
ratio: string | null, };

/**
 * Which run.
 */
export type BenchRunRequest = { 
/**
 * Its name, or a beginning of it that only one has; `latest` is the newest.
 */
id: string, };

/**
 * One step of a build.
 */
export type BenchStepOutcome = { 
/**
 * As the builder names it: `RUN make`.
 */
name: string, 
/**
 * Time of each build, in seconds.
 */
samples: Array<number>, 
/**
 * Their median.
 */
time: Estimate, 
/**
 * Speed as a share of the native lane's same step.
 */
ratio: Estimate | null, };

/**
 * A mark of the scale.
 */
export type BenchTick = { 
/**
 * Where.
 */
at: number, 
/**
 * What stands there: "10 %".
 */
label: string, };

/**
 * A lane that could not be had.
 */
export type BenchUnavailableLane = { 
/**
 * As it would be named.
 */
name: string, 
/**
 * Platform of its programs.
 */
platform: Platform, 
/**
 * Why.
 */
why: string, 
/**
 * How to get it: each says what restarts. Measure again afterwards, and take it back.
 */
fixes: Array<Fix>, };

/**
 * What samples are in.
 */
export type BenchUnit = "blocks/s" | "MB/s" | "ops/s" | "ns" | "s";

/**
 * A run with everything that is said of it.
 */
export type BenchView = { 
/**
 * The run.
 */
run: Bench, 
/**
 * What each emulator makes of programs, in a sentence.
 */
headline: string, 
/**
 * Samples, time, mode, seed.
 */
effort: string, 
/**
 * What measuring itself costs.
 */
harness: string | null, 
/**
 * Every result in words, in the order of the run's results.
 */
rows: Array<BenchRowWords>, 
/**
 * The chart; none where nothing could be compared.
 */
chart: BenchChart | null, 
/**
 * What it means for the containers that are shown; a gap says why it means nothing for them.
 */
meaning: Fact<BenchMeaning>, 
/**
 * The emulated containers it means something for.
 */
needs: Array<NativeNeed>, 
/**
 * What Rosetta costs native programs, where a run with the other setting is kept.
 */
rosetta: RosettaCost | null, };

/**
 * Something that speaks against a number.
 */
export type BenchWarning = { 
/**
 * Of which kind.
 */
kind: BenchWarningKind, 
/**
 * Id of the workload it is about, if it is about one.
 */
workload: string | null, 
/**
 * Name of the lane it is about, if it is about one.
 */
lane: string | null, 
/**
 * In a sentence.
 */
text: string, };

/**
 * Kinds of warnings.
 */
export type BenchWarningKind = "checksum" | "load" | "memory" | "processors" | "drift" | "wide" | "outliers" | "time" | "missing" | "left";

/**
 * Something that was measured.
 */
export type BenchWorkload = { 
/**
 * Stable id: `integer`, `files-volume`; `own` and `build` for the user's own.
 */
id: string, 
/**
 * What a person reads.
 */
title: string, 
/**
 * What it does, in a sentence.
 */
what: string, 
/**
 * What it is mostly about.
 */
kind: BenchWorkloadKind, 
/**
 * What its samples are in.
 */
unit: BenchUnit, 
/**
 * Counts in the geometric mean.
 */
counts: boolean, };

/**
 * What a workload is mostly about.
 */
export type BenchWorkloadKind = "processor" | "memory" | "kernel" | "files" | "network" | "own" | "harness";

/**
 * What runs the steps of builds.
 */
export type BuildEmulator = { 
/**
 * What carried the step out: "BuildKit".
 */
builder: string, 
/**
 * What ran it.
 */
emulator: EffectiveEmulator, };

/**
 * A Dockerfile to build on each platform, without cache.
 */
export type BuildRequest = { 
/**
 * The folder it is built from, or the Dockerfile itself.
 */
path: string, 
/**
 * Platforms; none means the engine's own and the foreign one that is emulated.
 */
platforms: Array<Platform>, };

/**
 * A builder as buildx lists it.
 */
export type Builder = { 
/**
 * Its name.
 */
name: string, 
/**
 * `docker`, `docker-container`, `kubernetes`, `remote`, `cloud`.
 */
driver: string, 
/**
 * buildx takes it when nobody names one.
 */
current: boolean, 
/**
 * It is the engine that is looked at.
 */
own: boolean, 
/**
 * It can build for several platforms at once. Unknown where that depends on another engine's image store.
 */
several: boolean | null, 
/**
 * Its nodes.
 */
nodes: Array<BuilderNode>, 
/**
 * Why it cannot be used, in buildx's words.
 */
error: string | null, };

/**
 * One machine of a builder.
 */
export type BuilderNode = { 
/**
 * Its name.
 */
name: string, 
/**
 * Address or context.
 */
endpoint: string, 
/**
 * `running`, `inactive`, `stopped`.
 */
status: string, 
/**
 * Version of its BuildKit.
 */
version: string | null, 
/**
 * What it builds for, its own platform first.
 */
platforms: Array<NodePlatform>, 
/**
 * Why it cannot be used.
 */
error: string | null, };

/**
 * The builders, and who would build.
 */
export type BuildersDocument = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * Address of the engine.
 */
endpoint: string, 
/**
 * All of them, or why they cannot be listed.
 */
builders: Fact<Array<Builder>>, 
/**
 * Who would build for each wanted platform; empty where none can.
 */
platforms: Array<PlannedPlatform>, 
/**
 * What each builder lacks, where none can.
 */
lacking: Array<string>, 
/**
 * What makes a builder that can, where none can.
 */
proposal?: Fix, 
/**
 * What that would run.
 */
preview?: Preview, 
/**
 * Names exactly that for [`ProposalToken`].
 */
token?: string, 
/**
 * Several platforms are wanted, and only another image store lets this engine hold them under one tag.
 */
storeLacks?: boolean, 
/**
 * What switches on containerd's image store, where that was asked for; shown only where it cannot be done from here.
 */
storeProposal?: Fix, 
/**
 * What that would run and write.
 */
storePreview?: Preview, 
/**
 * Names exactly that for [`ProposalToken`].
 */
storeToken?: string, };

/**
 * Whose builders, and what they are wanted for.
 */
export type BuildersRequest = { 
/**
 * As in `ScanRequest`.
 */
engine: string | null, 
/**
 * Platforms to build for; without any, the engine's own.
 */
platforms: Array<string>, 
/**
 * What switches on containerd's image store is worked out, too. On a Mac that may read Docker Desktop's settings, for which macOS
 * may ask.
 */
containerd_store?: boolean, 
/**
 * Image that the new builder runs, where that is not moby/buildkit of Docker Hub.
 */
image?: string, };

/**
 * What one build did.
 */
export type BuiltOutcome = { 
/**
 * The first reference.
 */
reference: string, 
/**
 * Where the result went.
 */
output: RebuildOutput, 
/**
 * What the reference meant before.
 */
before: ImageState | null, 
/**
 * What it means now, on the engine.
 */
after: ImageState | null, 
/**
 * The tag under which the image from before is kept.
 */
kept: string | null, 
/**
 * What each platform of the result is, looked at again.
 */
checked: Array<CheckedPlatform>, 
/**
 * What the registry says of it, where it was pushed.
 */
pushed?: RegistryReference, };

/**
 * The catalogue as a document.
 */
export type Catalogue = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * All checks.
 */
checks: Array<CheckInfo>, };

/**
 * Why. In JSON the words with hyphens: `crlf-script`.
 */
export type Cause = "exec-format-error" | "foreign-binary" | "emulator-missing" | "emulator-settings" | "no-native-manifest" | "platform-differs" | "crlf-script" | "bad-shebang" | "missing-interpreter" | "missing-loader" | "missing-library" | "foreign-library" | "libc-differs" | "empty-executable" | "truncated-executable" | "not-a-program" | "host-binary" | "host-modules-copied" | "native-module-missing" | "wheel-missing-compiles" | "wheel-missing-fails" | "wrong-download" | "build-target" | "not-executable" | "noexec-mount" | "command-not-found" | "is-directory" | "link-loop" | "crash-under-emulation" | "hang-under-emulation" | "cpu-feature-missing" | "crash" | "out-of-memory" | "killed" | "stopped" | "user-missing" | "setup-refused" | "disk-full" | "application-error" | "success" | "running" | "never-started" | "unknown";

/**
 * What is asked of a runtime.
 */
export type Change = "rosettaOn" | "rosettaOff" | "toggle" | "restart" | "register" | "builder" | "containerdStore";

/**
 * What a change did.
 */
export type ChangeOutcome = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * Id of the receipt.
 */
receipt: string, 
/**
 * Something was changed.
 */
applied: boolean, 
/**
 * Whether looking again found the finding gone.
 */
verified: Verified, 
/**
 * Why, in a sentence.
 */
words: string, 
/**
 * What changed.
 */
changes: Array<Diff>, 
/**
 * Commands that ran, in order.
 */
ran: Array<Ran>, };

/**
 * How far a change of an engine is.
 */
export type ChangeProgress = { 
/**
 * What is done now.
 */
words: string, 
/**
 * Bytes that were pulled, while it pulls.
 */
done: number | null, 
/**
 * Bytes that are to be pulled, as far as that is known.
 */
total: number | null, };

/**
 * How far a change got.
 */
export type ChangeState = "interrupted" | "applied" | "undone" | "takenBack" | "damaged";

/**
 * One check of the catalogue, as the window and `silidock checks` show it.
 */
export type CheckInfo = { 
/**
 * Stable id.
 */
id: string, 
/**
 * What it finds.
 */
title: string, 
/**
 * Why it matters and what to do.
 */
why: string, 
/**
 * How bad its findings are.
 */
severity: Severity, 
/**
 * Situations in which it fires.
 */
fires: Array<string>, 
/**
 * Situations in which it stays silent.
 */
silent: Array<string>, };

/**
 * What a platform of the result is.
 */
export type CheckedPlatform = { 
/**
 * Which.
 */
platform: string, 
/**
 * Whether it is what was wanted.
 */
verified: Verified, 
/**
 * Why, in words.
 */
words: string, 
/**
 * Programs and libraries in it, by architecture.
 */
executables: { [key in string]: number }, };

/**
 * What a command of a runtime is for.
 */
export type CommandKind = "stop" | "start" | "restart" | "set" | "register";

/**
 * What `docker compose config` says beside what was worked out here.
 */
export type Comparison = { "kind": "agrees" } | { "kind": "differs", 
/**
 * Their names.
 */
services: Array<string>, } | { "kind": "refuses", 
/**
 * In its words.
 */
why: string, };

/**
 * Compose labels of a container.
 */
export type ComposeMembership = { 
/**
 * Project name.
 */
project: string, 
/**
 * Service name.
 */
service: string, };

/**
 * How sure.
 */
export type Confidence = "likely" | "certain" | "measured";

/**
 * A setting that names an emulator.
 */
export type ConfiguredEmulator = { 
/**
 * What it is set to.
 */
value: string, 
/**
 * Where that is written.
 */
source: string, };

/**
 * State of a container.
 */
export type ContainerState = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead" | "other";

/**
 * How much was looked at.
 */
export type Coverage = { 
/**
 * Images.
 */
images: Seen, 
/**
 * Containers.
 */
containers: Seen, 
/**
 * Everything that could not be read, and why.
 */
gaps: Array<Gap>, };

/**
 * A file that is no run.
 */
export type DamagedBench = { 
/**
 * Its name.
 */
id: string, 
/**
 * What is wrong.
 */
why: string, };

/**
 * Where an image that is built here will run.
 */
export type Deploys = { 
/**
 * `project/service`; none for one whose folder was named.
 */
service: string | null, 
/**
 * Where it will run; empty where nobody said.
 */
targets: Array<Platform>, 
/**
 * Who says so: a file with its line, or words; empty where nobody does.
 */
saidBy: string, 
/**
 * The folder that says so, or could.
 */
folder: string | null, };

/**
 * What is known of it.
 */
export type DeploysDocument = { 
/**
 * None where nothing here says what the image is built from.
 */
built: Deploys | null, };

/**
 * Which image.
 */
export type DeploysRequest = { 
/**
 * Its reference.
 */
image: string, };

/**
 * The change to one file.
 */
export type Diff = { 
/**
 * The file that changes, after following links.
 */
path: string, 
/**
 * The changed places, top to bottom; empty when nothing changes.
 */
hunks: Array<Hunk>, 
/**
 * Lines added in all hunks.
 */
added: number, 
/**
 * Lines removed in all hunks.
 */
removed: number, };

/**
 * One line of a hunk, without its line ending.
 */
export type DiffLine = { 
/**
 * What happens to the line.
 */
kind: LineKind, 
/**
 * Its number in the old text, from 1; absent for an added line.
 */
old?: number, 
/**
 * Its number in the new text, from 1; absent for a removed line.
 */
new?: number, 
/**
 * Its text. In a context line the value of an environment variable reads `…`.
 */
text: string, 
/**
 * How it ends, where that is not by a line feed alone.
 */
ending?: LineEnding, };

/**
 * A trend over the samples in the order they were taken.
 */
export type Drift = { 
/**
 * Mann's test statistic in standard deviations; negative where samples fall.
 */
z: number, 
/**
 * Sen's slope over the whole list as a share of the median: -0.1 is "fell by a tenth".
 */
change: number, };

/**
 * The emulators seen at work.
 */
export type EffectiveEmulator = { 
/**
 * As people write it: "QEMU", "Rosetta", "QEMU and Rosetta".
 */
emulator: string, 
/**
 * Its version where that can be read.
 */
version: string | null, 
/**
 * What showed it.
 */
evidence: Array<Evidence>, };

/**
 * What is set to run foreign programs, and what was seen to.
 */
export type Emulation = { 
/**
 * What a setting says.
 */
configured: Fact<ConfiguredEmulator>, 
/**
 * What running processes show.
 */
effective: Fact<EffectiveEmulator>, 
/**
 * Each foreign platform that was tried or is asked for, its two columns side by side.
 */
targets: Array<EmulatorTarget>, };

/**
 * Containers under one emulator.
 */
export type EmulatorCount = { 
/**
 * As people write it: "QEMU".
 */
name: string, 
/**
 * How many containers.
 */
count: number, };

/**
 * What is set to run foreign programs on an engine, and what really does.
 */
export type EmulatorDocument = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * Address of the engine.
 */
endpoint: string, 
/**
 * Its architecture: `arm64`, `amd64`.
 */
engineArch: string, 
/**
 * Every foreign platform that was tried.
 */
targets: Array<EmulatorTarget>, 
/**
 * Findings about emulation, now that it is proven.
 */
findings: Array<Finding>, 
/**
 * What could not be tried or read.
 */
gaps: Array<Gap>, };

/**
 * Which engine's emulator to prove.
 */
export type EmulatorRequest = { 
/**
 * As in [`ScanRequest`].
 */
engine: string | null, 
/**
 * Read settings too that macOS guards with a question to the user: Docker Desktop's.
 */
guarded: boolean, 
/**
 * Prove builds too: by a build of one step, of which nothing stays but an entry in the engine's build history.
 */
builds: boolean, };

/**
 * One foreign platform.
 */
export type EmulatorTarget = { 
/**
 * Which.
 */
platform: Platform, 
/**
 * What a setting says.
 */
configured: Fact<ConfiguredEmulator>, 
/**
 * What was proven; "none" where nothing runs its programs.
 */
effective: Fact<EffectiveEmulator>, 
/**
 * What was proven of the steps of builds.
 */
builds: Fact<BuildEmulator>, 
/**
 * Setting and proof, and all signs of the proof, say the same. None where there are not two to compare.
 */
agrees: boolean | null, 
/**
 * Who says what, where they do not agree: "the process list says Rosetta; the processor says QEMU".
 */
disagreement: string | null, 
/**
 * Everybody who says something, each with its evidence.
 */
voices: Array<Voice>, };

/**
 * One engine that could be looked at.
 */
export type EngineChoice = { 
/**
 * What to give to `scan` to choose it.
 */
choose: string, 
/**
 * Its name for people: "OrbStack", "context build-server".
 */
name: string, 
/**
 * Address.
 */
endpoint: string, 
/**
 * Something is there to connect to (always true for remote ones: nobody asked).
 */
present: boolean, 
/**
 * The one Docker would use.
 */
current: boolean, 
/**
 * Part of the embedded sample.
 */
sample: boolean, 
/**
 * Why it cannot be used, if that is known without connecting.
 */
problem: string | null, };

/**
 * An engine that could not be looked at.
 */
export type EngineFailure = { 
/**
 * Its name for people.
 */
name: string, 
/**
 * Address.
 */
endpoint: string, 
/**
 * What to give to `scan` to choose it.
 */
choose: string, 
/**
 * Why.
 */
failure: Failure, };

/**
 * The engines of this machine.
 */
export type Engines = { 
/**
 * The one Docker would use first.
 */
engines: Array<EngineChoice>, };

/**
 * A number with its 95 % interval.
 */
export type Estimate = { 
/**
 * The number: a median, or a ratio or mean of medians.
 */
median: number, 
/**
 * Lower end of the 95 % interval; none with fewer than five samples.
 */
low: number | null, 
/**
 * Its upper end.
 */
high: number | null, };

/**
 * What the app tells the window without being asked.
 */
export type Event = { "kind": "scan", 
/**
 * What is known now.
 */
view: ScanView, } | { "kind": "inside", 
/**
 * How far.
 */
progress: InsideProgress, } | { "kind": "lost", 
/**
 * Why.
 */
failure: Failure, } | { "kind": "rebuild", 
/**
 * How far.
 */
progress: RebuildProgress, } | { "kind": "change", 
/**
 * How far.
 */
progress: ChangeProgress, } | { "kind": "bench", 
/**
 * How far.
 */
progress: BenchProgress, };

/**
 * One thing that was seen.
 */
export type Evidence = { 
/**
 * Where: `process 4711`, `/home/me/shop/compose.yaml:12`, `engine`.
 */
place: string, 
/**
 * What stood there.
 */
text: string, };

/**
 * Programs and libraries that were counted.
 */
export type Executables = { 
/**
 * All of machine code; scripts are not counted here.
 */
count: number, 
/**
 * By platform: `linux/arm64`, `darwin/arm64`; `unknown` where the file does not say.
 */
byArch: Record<string, number>, 
/**
 * Scripts that name their interpreter.
 */
scripts: number, };

/**
 * What the process list says happens.
 */
export type Execution = "native" | "emulated" | "mixed" | "unknown" | "notRunning";

/**
 * What the platforms say will happen.
 */
export type Expected = "native" | "emulated";

/**
 * A log to explain.
 */
export type ExplainLogRequest = { 
/**
 * The text, as it was printed or pasted. Nothing of it is kept but the words that are recognised.
 */
text: string, };

/**
 * Which container to explain.
 */
export type ExplainRequest = { 
/**
 * As in [`ScanRequest`].
 */
engine: string | null, 
/**
 * Its name, its identifier or the beginning of that.
 */
container: string, };

/**
 * One explanation.
 */
export type Explanation = { 
/**
 * Why, as a stable word: `crlf-script`, `out-of-memory`, `application-error`.
 */
cause: Cause, 
/**
 * The check whose finding says the same, where there is one.
 */
check: string | null, 
/**
 * How sure.
 */
confidence: Confidence, 
/**
 * Whether the architecture has to do with it.
 */
architecture: About, 
/**
 * What, in one line.
 */
title: string, 
/**
 * Why, in a sentence or two.
 */
why: string, 
/**
 * What was seen.
 */
evidence: Array<Evidence>, 
/**
 * What would mend it, best first.
 */
fixes: Array<Fix>, };

/**
 * Why a container stopped or will not start, or what a log means.
 */
export type ExplanationDocument = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * Name of the container; none for a log.
 */
container: string | null, 
/**
 * Its exit code, where it has one.
 */
exitCode: number | null, 
/**
 * Id to preview and apply a fix by, as for a finding of a scan. None for a log.
 */
finding: string | null, 
/**
 * What else is likely or was found; none where one cause explains all.
 */
others: Array<Explanation>, 
/**
 * What could not be read.
 */
gaps: Array<Gap>, 
/**
 * Why, as a stable word: `crlf-script`, `out-of-memory`, `application-error`.
 */
cause: Cause, 
/**
 * The check whose finding says the same, where there is one.
 */
check: string | null, 
/**
 * How sure.
 */
confidence: Confidence, 
/**
 * Whether the architecture has to do with it.
 */
architecture: About, 
/**
 * What, in one line.
 */
title: string, 
/**
 * Why, in a sentence or two.
 */
why: string, 
/**
 * What was seen.
 */
evidence: Array<Evidence>, 
/**
 * What would mend it, best first.
 */
fixes: Array<Fix>, };

/**
 * Known, or a gap in the value's place: in JSON the bare value, or `{"unknown": {"what", "why"}}`.
 */
export type Fact<T> = { 
/**
 * What is missing and why.
 */
unknown: Gap, } | T;

/**
 * A failure of a use case.
 */
export type Failure = { 
/**
 * For branching.
 */
code: FailureCode, 
/**
 * What happened, in a sentence.
 */
message: string, 
/**
 * What to do, in a sentence.
 */
hint: string | null, 
/**
 * The rest: places looked at, the text of the cause.
 */
detail: Array<string>, };

/**
 * Codes that callers branch on.
 */
export type FailureCode = "noEngine" | "engine" | "notFound" | "changed" | "refused" | "file" | "runtime" | "stopped";

/**
 * Files that were counted.
 */
export type FileCounts = { 
/**
 * Seen.
 */
seen: number, 
/**
 * Of them, those that could not be read, and folders.
 */
unreadable: number, };

/**
 * One finding.
 */
export type Finding = { 
/**
 * Stable over rescans: made of check, engine and subject.
 */
id: string, 
/**
 * Which check.
 */
check: string, 
/**
 * How bad.
 */
severity: Severity, 
/**
 * How sure.
 */
confidence: Confidence, 
/**
 * About what.
 */
subject: Subject, 
/**
 * What, in one line.
 */
title: string, 
/**
 * Why it matters here, in a sentence or two.
 */
why: string, 
/**
 * What was seen.
 */
evidence: Array<Evidence>, 
/**
 * What would fix it, best first.
 */
fixes: Array<Fix>, 
/**
 * Id of the more exact finding that says the same, if there is one. Such a finding is folded under it.
 */
supersededBy?: string, };

/**
 * One way to fix a finding.
 */
export type Fix = { 
/**
 * Number among the fixes of its finding, from 1.
 */
option: number, 
/**
 * What it does, as a button says it: "Pin db to linux/amd64".
 */
title: string, 
/**
 * What it costs and what it leaves as it is.
 */
summary: string, 
/**
 * What pressing the button means.
 */
safety: Safety, 
/**
 * What is done, in order; all or nothing.
 */
steps: Array<Step>, 
/**
 * Check whose finding must be gone afterwards. None where nothing is changed.
 */
promise: string | null, 
/**
 * What it does to a runtime, where it runs a runtime's own tools.
 */
runtime?: RuntimeChange, };

/**
 * A fix that failed.
 */
export type FixFailed = { 
/**
 * Id of the finding.
 */
finding: string, 
/**
 * Why.
 */
failure: Failure, };

/**
 * A fix that is left for a person.
 */
export type FixLeft = { 
/**
 * Id of the finding.
 */
finding: string, 
/**
 * Number of the fix, from 1.
 */
option: number, 
/**
 * The fix in words.
 */
title: string, 
/**
 * Why.
 */
why: string, };

/**
 * What a fix would do.
 */
export type FixPreview = { 
/**
 * The finding it is for.
 */
finding: Finding, 
/**
 * The fix.
 */
fix: Fix, 
/**
 * Its steps in words, in order.
 */
steps: Array<string>, 
/**
 * What changes.
 */
preview: Preview, 
/**
 * To give back with `apply_fix`.
 */
token: string, };

/**
 * Which fix of which finding.
 */
export type FixRequest = { 
/**
 * Id of the finding.
 */
finding: string, 
/**
 * Number of the fix, from 1.
 */
option: number, };

/**
 * Something that could not be learned.
 */
export type Gap = { 
/**
 * What is not known, as a noun: "platform of image web:1".
 */
what: string, 
/**
 * Why, in plain words.
 */
why: string, };

/**
 * What a statement rests on, surest first.
 */
export type Grounds = "maker" | "report" | "inference";

/**
 * Every change that was made.
 */
export type History = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * Newest first.
 */
receipts: Array<HistoryEntry>, };

/**
 * One change.
 */
export type HistoryEntry = { 
/**
 * Id of the receipt.
 */
id: string, 
/**
 * When, RFC 3339 in UTC; none where the receipt is damaged.
 */
at: string | null, 
/**
 * What was done, as the button said it.
 */
title: string, 
/**
 * Check whose finding it was for.
 */
check: string | null, 
/**
 * Files it changed.
 */
files: Array<string>, 
/**
 * Commands it ran, in order.
 */
commands: Array<Array<string>>, 
/**
 * How far it got.
 */
state: ChangeState, 
/**
 * What looking again found.
 */
verified: Verified | null, 
/**
 * More about the state, if there is more to say.
 */
note: string | null, };

/**
 * The machine this program runs on.
 */
export type HostFacts = { 
/**
 * `macos`, `linux` ...
 */
os: string, 
/**
 * Its version.
 */
osVersion: string | null, 
/**
 * Architecture of the machine, seen through translation where that can be told.
 */
arch: string, 
/**
 * A Mac with Apple's own processor.
 */
appleSilicon: Fact<boolean>, 
/**
 * This very program runs translated.
 */
translated: Fact<boolean>, 
/**
 * Processor as it calls itself.
 */
cpu: string | null, 
/**
 * Logical processors.
 */
cores: number | null, 
/**
 * Memory in bytes.
 */
memory: number | null, };

/**
 * One changed place with its surroundings.
 */
export type Hunk = { 
/**
 * First line in the old text, from 1 (0 where the old text is empty).
 */
oldStart: number, 
/**
 * First line in the new text, from 1 (0 where the new text is empty).
 */
newStart: number, 
/**
 * The lines in order.
 */
lines: Array<DiffLine>, };

/**
 * One platform of an image.
 */
export type ImagePlatform = { 
/**
 * Which.
 */
platform: Fact<Platform>, 
/**
 * Its content is on this engine, not just listed.
 */
available: boolean, 
/**
 * Digest of its manifest.
 */
digest: string | null, 
/**
 * Bytes on the engine's disk.
 */
size: number | null, };

/**
 * What a reference means.
 */
export type ImageState = { 
/**
 * Id of the image.
 */
id: string, 
/**
 * Platforms of it that are on the engine.
 */
platforms: Array<string>, };

/**
 * Where an engine keeps its images.
 */
export type ImageStore = "containerd" | "classic" | "unknown";

/**
 * What lies inside one image or container.
 */
export type InsideDocument = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * What was looked into, as it was named.
 */
subject: string, 
/**
 * An image or a container.
 */
kind: SubjectKind, 
/**
 * What it says it is built for.
 */
platform: Fact<Platform>, 
/**
 * How it was looked at.
 */
via: Via, 
/**
 * Why another way was taken than the one that is tried first.
 */
fallback?: string, 
/**
 * Files.
 */
files: FileCounts, 
/**
 * Programs and libraries.
 */
executables: Executables, 
/**
 * What does not fit: what is run first in front, what is meant to be there last.
 */
problems: Array<InsideProblem>, 
/**
 * What it runs first, in the order the kernel takes it.
 */
start: Array<StartStep>, 
/**
 * Its layers, lowest first; none where the way of looking does not show them.
 */
layers: Array<InsideLayer>, 
/**
 * Every folder that holds programs, libraries or problems, by path.
 */
folders: Array<InsideFolder>, 
/**
 * The same problems, but for those that are meant to be there, as findings with words and fixes.
 */
findings: Array<Finding>, 
/**
 * What could not be read.
 */
gaps: Array<Gap>, };

/**
 * A folder.
 */
export type InsideFolder = { 
/**
 * Absolute path.
 */
path: string, 
/**
 * Programs and libraries right in it, by platform.
 */
byArch: Record<string, number>, 
/**
 * The layers that brought them.
 */
layers: Array<number>, 
/**
 * Problems in it, as numbers into `problems`.
 */
problems: Array<number>, };

/**
 * Which images to look into, of the engine that was looked at last.
 */
export type InsideImagesRequest = { 
/**
 * Which.
 */
scope: InsideScope, };

/**
 * A layer.
 */
export type InsideLayer = { 
/**
 * Its digest, where it is known.
 */
digest: string | null, 
/**
 * The line of the Dockerfile that brought it, where the image's history tells.
 */
createdBy: string | null, 
/**
 * Its programs and libraries by platform.
 */
byArch: Record<string, number>, };

/**
 * A file that does not fit, or many of one kind in one place.
 */
export type InsideProblem = { 
/**
 * Which check.
 */
check: string, 
/**
 * How bad that is, unless it is meant to be there.
 */
severity: Severity, 
/**
 * The file; the folder, where there are many.
 */
path: string, 
/**
 * What it is built for.
 */
arch: string | null, 
/**
 * What does not fit.
 */
detail: string, 
/**
 * It is run first.
 */
first: boolean, 
/**
 * How many files it stands for.
 */
count: number, 
/**
 * Some of them, where there are many.
 */
examples?: Array<string>, 
/**
 * The layer that brought it, as a number into `layers`.
 */
layer?: number, 
/**
 * The line of the Dockerfile that did.
 */
createdBy?: string, 
/**
 * It is meant to be there, or harms nobody.
 */
intended: boolean, 
/**
 * The rule that says so.
 */
rule?: InsideRule, };

/**
 * How far a look inside is.
 */
export type InsideProgress = { 
/**
 * What is looked into.
 */
subject: string, 
/**
 * Files and folders seen so far.
 */
seen: number, 
/**
 * Programs, libraries, scripts and links among them.
 */
found: number, 
/**
 * Which of how many, where several are looked into one after the other; from 1.
 */
number: number, 
/**
 * How many.
 */
of: number, };

/**
 * What to look into.
 */
export type InsideRequest = { 
/**
 * As in `ScanRequest`.
 */
engine: string | null, 
/**
 * An image's reference or id, a container's name or id, or the path of an archive or of an OCI layout's folder.
 */
subject: string, 
/**
 * An image or a container; none takes a path for a file, else an image of that name, else a container.
 */
kind: SubjectKind | null, 
/**
 * From within or by the stream; none tries the first for an image, and the second where that is refused.
 */
via: Via | null, 
/**
 * Which platform of an image that has several here.
 */
platform: string | null, };

/**
 * Why an odd file is meant to be where it is.
 */
export type InsideRule = { 
/**
 * Its stable name.
 */
id: string, 
/**
 * What it says.
 */
why: string, };

/**
 * Some images of an engine.
 */
export type InsideScope = "used" | "all";

/**
 * One emulator in a sentence.
 */
export type LaneMeaning = { 
/**
 * Name of the lane.
 */
lane: string, 
/**
 * Speed as a share of native: the geometric mean, and where four of five workloads lie.
 */
speed: Estimate, 
/**
 * "QEMU 7.2.22 runs linux/amd64 at 21 % of native speed (6 % to 48 % by workload)".
 */
words: string, };

/**
 * How a line ends.
 */
export type LineEnding = "lf" | "crLf" | "none";

/**
 * What happens to a line.
 */
export type LineKind = "context" | "added" | "removed";

/**
 * Whether an engine runs on this machine.
 */
export type Locality = "local" | "remote" | "unknown";

/**
 * What a container would need natively.
 */
export type NativeNeed = { 
/**
 * Lane of the run that was taken for it.
 */
lane: string, 
/**
 * That run.
 */
run: string, 
/**
 * Its processor time natively as a share of what it takes emulated. The interval is the range in which four of five
 * of the workloads lie, or, for its own image, that of the measurement.
 */
share: Estimate, 
/**
 * Measured with this very image, not with Silidock's workloads.
 */
ownImage: boolean, 
/**
 * Processor time it used so far, in seconds, where the engine told.
 */
usedSeconds: number | null, 
/**
 * What that would be natively.
 */
nativeSeconds: Estimate | null, 
/**
 * In a sentence.
 */
words: string, };

/**
 * A tag of the same repository.
 */
export type NewerTag = { 
/**
 * Its name, without the repository.
 */
tag: string, 
/**
 * All its platforms.
 */
platforms: Array<Platform>, };

/**
 * A platform of a node.
 */
export type NodePlatform = { 
/**
 * Which.
 */
platform: Platform, 
/**
 * It runs there without an emulator.
 */
native: boolean, 
/**
 * Somebody gave it to the node by hand.
 */
assigned: boolean, };

/**
 * A check that does not apply.
 */
export type NotApplicable = { 
/**
 * Which check.
 */
check: string, 
/**
 * Why not.
 */
why: string, };

/**
 * A check that could not judge a subject, or anything.
 */
export type NotJudged = { 
/**
 * Which check.
 */
check: string, 
/**
 * What it could not judge.
 */
subject: Subject, 
/**
 * What was missing.
 */
gap: Gap, };

/**
 * A request without content.
 */
export type Nothing = Record<symbol, never>;

/**
 * An image whose platforms can be compared.
 */
export type OfferedImage = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its platforms on this engine.
 */
platforms: Array<Platform>, };

/**
 * A way to run programs.
 */
export type OfferedLane = { 
/**
 * Its name.
 */
name: string, 
/**
 * "QEMU 7.2.22, linux/amd64".
 */
words: string, 
/**
 * Platform of its programs.
 */
platform: Platform, 
/**
 * Why it cannot be had now.
 */
unavailable: string | null, 
/**
 * How it could be had: each says what restarts. Measure afterwards, then take it back.
 */
fixes: Array<Fix>, };

/**
 * A workload of the probe.
 */
export type OfferedWorkload = { 
/**
 * Its id.
 */
id: string, 
/**
 * What a person reads.
 */
title: string, 
/**
 * What it does.
 */
what: string, 
/**
 * What it is mostly about.
 */
kind: BenchWorkloadKind, 
/**
 * Part of the quick run.
 */
quick: boolean, };

/**
 * A container that a step is about, as it was seen.
 */
export type OldContainer = { 
/**
 * Its full identifier: another container of the same name is not meant.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * The reference it was made from.
 */
image: string, };

/**
 * What was opened.
 */
export type OpenedDocument = { 
/**
 * A list of files or a folder for each project.
 */
projects: Array<Array<string>>, 
/**
 * Those of earlier runs that were no longer there at the start, and are not kept any more.
 */
gone: Array<Array<string>>, 
/**
 * Why it is not kept, if so.
 */
unkept: string | null, };

/**
 * Which of what was opened to forget.
 */
export type OpenedRequest = { 
/**
 * As they are listed. Their files stay as they are.
 */
forget: Array<Array<string>>, };

/**
 * What is announced, and what nobody knows.
 */
export type Outlook = { 
/**
 * Why none of this is about this engine; none where it is.
 */
elsewhere: string | null, 
/**
 * What was said, oldest first.
 */
announced: Array<Statement>, 
/**
 * What nobody has said.
 */
open: Array<Statement>, };

/**
 * An image and a command to time on each platform.
 */
export type OwnRequest = { 
/**
 * The image, which must be on the engine.
 */
image: string, 
/**
 * Platforms; none means each that is on the engine.
 */
platforms: Array<Platform>, 
/**
 * The command and its arguments; none means the image's own.
 */
command: Array<string>, };

/**
 * The user's own work. Arguments are not kept: they may hold secrets.
 */
export type OwnWork = { 
/**
 * Id of its workload: `own` or `build`.
 */
workload: string, 
/**
 * The image as it was named; of a build, the name of its folder.
 */
image: string, 
/**
 * The Dockerfile, where a build was measured.
 */
build: string | null, 
/**
 * First word of the command; none where the image's own was run.
 */
program: string | null, 
/**
 * SHA-256 of everything that decides what is done, so that two runs of the same can be told.
 */
digest: string, };

/**
 * Parts of a scan that arrive later than the rest.
 */
export type Part = "containers" | "images" | "cpu";

/**
 * Compose services to pin, or no longer.
 */
export type PinRequest = { 
/**
 * The Compose file.
 */
file: string, 
/**
 * The services; all are changed, or none.
 */
services: Array<string>, 
/**
 * To what; none takes the pin out.
 */
platform: string | null, 
/**
 * Leave the file alone and write beside it.
 */
inOverride: boolean, };

/**
 * What pinning would change.
 */
export type PinShown = { 
/**
 * As a button says it.
 */
title: string, 
/**
 * What it leaves as it is.
 */
summary: string, 
/**
 * What changes, or why nothing can.
 */
preview: Preview, 
/**
 * Names exactly this for [`PinToken`].
 */
token: string, };

/**
 * A pin that was shown.
 */
export type PinToken = { 
/**
 * From [`PinShown`].
 */
token: string, };

/**
 * A value of a Compose file, and the place that set it.
 */
export type Placed = { 
/**
 * With its variables replaced.
 */
value: string, 
/**
 * Absolute path of the file.
 */
path: string, 
/**
 * Line, from 1.
 */
line: number | null, 
/**
 * It stands under the service's own name there, and no merge key, `extends` or variable brings it: it can be edited
 * for this service alone.
 */
own: boolean, 
/**
 * Variables in it that have no value here.
 */
unset?: Array<string>, };

/**
 * One build, worked out.
 */
export type PlannedBuild = { 
/**
 * As it was asked for.
 */
subject: string, 
/**
 * The service that says how it is built, as `project/service`.
 */
service: string | null, 
/**
 * How that is known, in words.
 */
knownBy: string, 
/**
 * Folder or address that is sent to the builder.
 */
context: string, 
/**
 * The Dockerfile, where it is not the context's own.
 */
dockerfile: string | null, 
/**
 * Stage.
 */
target: string | null, 
/**
 * Names of the build arguments; their values are handed over and not shown.
 */
arguments: Array<string>, 
/**
 * What the result is called.
 */
references: Array<string>, 
/**
 * Who builds for each platform.
 */
platforms: Array<PlannedPlatform>, 
/**
 * Where the result goes.
 */
output: RebuildOutput, 
/**
 * What the first reference means now; none where there is no such image.
 */
before: ImageState | null, 
/**
 * The command, values of build arguments left out.
 */
command: Array<string>, };

/**
 * A container that is made anew from what is built.
 */
export type PlannedContainer = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its Compose service, as `project/service`; then Compose makes it.
 */
service: string | null, 
/**
 * The reference it is made from.
 */
image: string, 
/**
 * The platform it runs now; none where that is not known.
 */
before: string | null, 
/**
 * The platform it is to run.
 */
platform: string, };

/**
 * Who builds for a platform.
 */
export type PlannedPlatform = { 
/**
 * Which.
 */
platform: string, 
/**
 * The builder.
 */
builder: string, 
/**
 * Its node, where that is known before it runs.
 */
node: string | null, 
/**
 * Without an emulator; none where the node does not say.
 */
native: boolean | null, 
/**
 * The same in words, with the emulator.
 */
words: string, };

/**
 * A normalised platform. `arm64/v8` is `arm64`, `x86_64` is `amd64`, `arm` is `arm/v7`.
 */
export type Platform = string;

/**
 * What the engine runs the programs of a platform with.
 */
export type PlatformEmulator = { 
/**
 * The platform.
 */
platform: Platform, 
/**
 * `qemu`, `rosetta`, another name as found, or `none`.
 */
emulator: string, 
/**
 * Its version.
 */
version: string | null, };

/**
 * Everything a fix or an undo would change. Making one changes nothing.
 */
export type Preview = { 
/**
 * What changes in which file.
 */
diffs: Array<Diff>, 
/**
 * Command lines, an argument vector each: those that are run in their order, or, where the fix only shows what to
 * do, for the user to run.
 */
commands: Array<Array<string>>, 
/**
 * Containers that would stop or restart.
 */
restarts: Array<string>, 
/**
 * What else to know, a sentence each.
 */
told: Array<string>, 
/**
 * Why a person should look at it first although the fix counts as safe, a sentence each.
 */
review?: Array<string>, 
/**
 * The files as they were seen; applying is refused when one of them differs by then.
 */
files: Array<SeenFile>, 
/**
 * Why nothing can be applied.
 */
refused?: Refusal, };

/**
 * A Compose project, service by service.
 */
export type ProjectProspect = { 
/**
 * Project name.
 */
name: string, 
/**
 * Its folder.
 */
folder: string | null, 
/**
 * Its files, in the order Compose merges them.
 */
files: Array<string>, 
/**
 * Somebody opened it; nothing here says that it was ever started.
 */
opened: boolean, 
/**
 * Its services by name, or why they are not known.
 */
services: Fact<Array<ServiceProspect>>, 
/**
 * Whether the installed Compose sees the same.
 */
compared: Fact<Comparison>, 
/**
 * Parts that were not read.
 */
gaps: Array<Gap>, };

/**
 * Something that was proposed and is now wanted.
 */
export type ProposalToken = { 
/**
 * From [`BuildersDocument`]: what was shown is what is done, or nothing is.
 */
token: string, };

/**
 * What a service would run here.
 */
export type Prospect = { 
/**
 * In one word.
 */
kind: ProspectKind, 
/**
 * The platform it would be.
 */
platform: Platform | null, 
/**
 * What would run that, as people write it, where it is emulated and known.
 */
emulator: string | null, 
/**
 * Why, in a sentence.
 */
why: string, };

/**
 * Kinds of prospects.
 */
export type ProspectKind = "native" | "emulated" | "willNotRun" | "unknown";

/**
 * An image with a static QEMU, such as `tonistiigi/binfmt`; it is never started, the program is copied out of it.
 */
export type QemuRequest = { 
/**
 * The image.
 */
image: string, 
/**
 * Whether it may be pulled where it is not on the engine. Only a person says so.
 */
pull: boolean, };

/**
 * A command that ran.
 */
export type Ran = { 
/**
 * The tool by its name, and its arguments.
 */
argv: Array<string>, 
/**
 * Its exit status; none where it did not run to its end.
 */
status: number | null, 
/**
 * The end of what it printed.
 */
printed: string, };

/**
 * What a rebuild did.
 */
export type RebuildOutcome = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * Id of the receipt.
 */
receipt: string, 
/**
 * Something was built.
 */
applied: boolean, 
/**
 * Whether looking again found what was wanted.
 */
verified: Verified, 
/**
 * Why, in a sentence.
 */
words: string, 
/**
 * Each build.
 */
builds: Array<BuiltOutcome>, 
/**
 * Each container that was made anew.
 */
containers?: Array<RecreatedContainer>, };

/**
 * Where the result of a build goes.
 */
export type RebuildOutput = "load" | "push";

/**
 * What a rebuild would do.
 */
export type RebuildPreview = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * Commands, what else to know, and why it cannot be done, if so.
 */
preview: Preview, 
/**
 * Each build, in order.
 */
builds: Array<PlannedBuild>, 
/**
 * Each container that is made anew afterwards, in order.
 */
containers?: Array<PlannedContainer>, 
/**
 * To give back with `apply_rebuild`; none where it is refused.
 */
token?: string, };

/**
 * How far a rebuild is.
 */
export type RebuildProgress = { 
/**
 * What is being built.
 */
subject: string, 
/**
 * Which of the builds, from 1.
 */
number: number, 
/**
 * Of so many.
 */
of: number, 
/**
 * Steps that have ended.
 */
done: number, 
/**
 * Steps that are known of.
 */
total: number, 
/**
 * The step that was last heard of.
 */
step: string, 
/**
 * The line it has printed last; none for a report of the step itself.
 */
line: string | null, };

/**
 * What to build again, and how.
 */
export type RebuildRequest = { 
/**
 * As in `ScanRequest`.
 */
engine: string | null, 
/**
 * Images, services (`web`, `shop/web`) or containers.
 */
subjects: Array<string>, 
/**
 * `linux/arm64`; without any, the engine's own and the deploy targets.
 */
platforms: Array<string>, 
/**
 * Where the result goes.
 */
output: RebuildOutput, 
/**
 * Builder to take; without, the one that runs most of it natively.
 */
builder: string | null, 
/**
 * Folder to build, where it is not known from elsewhere.
 */
context: string | null, 
/**
 * Dockerfile in it, where that has another name or place.
 */
file: string | null, 
/**
 * Stage to build.
 */
target: string | null, 
/**
 * Services and containers that run on the image from before are made anew from the new one, in the same change.
 */
recreate?: boolean, 
/**
 * Their volumes are copied before.
 */
copyVolumes?: boolean, };

/**
 * Which change.
 */
export type ReceiptRequest = { 
/**
 * Id of its receipt.
 */
receipt: string, };

/**
 * A container that was made anew.
 */
export type RecreatedContainer = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its Compose service, as `project/service`.
 */
service: string | null, 
/**
 * The platform it ran before.
 */
before: string | null, 
/**
 * The platform it runs now.
 */
after: string | null, 
/**
 * Whether it runs what was built, looked at again.
 */
verified: Verified, 
/**
 * The same in words.
 */
words: string, 
/**
 * The name under which the image of the container from before is kept.
 */
kept: string | null, 
/**
 * The image that holds what it wrote outside of volumes.
 */
written?: string, 
/**
 * Copies of its volumes.
 */
copies: Array<string>, };

/**
 * Why something is not changed by us, and what to type instead.
 */
export type Refusal = { 
/**
 * In words, with the file.
 */
why: string, 
/**
 * Lines to type by hand; empty where typing does not help.
 */
linesToType: Array<string>, };

/**
 * What registries said.
 */
export type RegistryDocument = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * The platform that newer tags and advice are about.
 */
platform: Platform | null, 
/**
 * In the order they were asked for.
 */
references: Array<RegistryReference>, 
/**
 * How many questions registries still allow, where they say.
 */
limits: Array<RegistryLimit>, };

/**
 * How many questions a registry allows.
 */
export type RegistryLimit = { 
/**
 * Host and port.
 */
host: string, 
/**
 * In a window.
 */
limit: number, 
/**
 * Left in it.
 */
remaining: number, 
/**
 * Its length.
 */
windowSeconds: number | null, };

/**
 * What a registry said of one reference.
 */
export type RegistryReference = { 
/**
 * As it was given.
 */
ref: string, 
/**
 * Its platforms, attestations left out.
 */
platforms: Fact<Array<Platform>>, 
/**
 * Digest of the index or manifest.
 */
digest: string | null, 
/**
 * Which of the two.
 */
kind: UpstreamKind | null, 
/**
 * Parts of it that could not be read.
 */
gaps?: Array<Gap>, 
/**
 * Tags of the same repository that have the platform, the nearest newer one first.
 */
newer?: Fact<Array<NewerTag>>, 
/**
 * What can be done about it, best first, where it needs an emulator or nothing of it is here.
 */
advice?: Array<Advice>, 
/**
 * Why there is no answer.
 */
error?: string, 
/**
 * What to do about that.
 */
hint?: string, };

/**
 * Which references to ask registries about.
 */
export type RegistryRequest = { 
/**
 * `nginx:1`, `ghcr.io/acme/web@sha256:...`
 */
references: Array<string>, 
/**
 * Look for newer tags that have the engine's platform.
 */
newer: boolean, 
/**
 * As in `ScanRequest`: whose platform newer tags and advice are about. Without any engine it is this machine's.
 */
engine: string | null, };

/**
 * A report as text.
 */
export type RenderedReport = { 
/**
 * A name to save it under.
 */
fileName: string, 
/**
 * Its content.
 */
content: string, };

/**
 * Forms of a report.
 */
export type ReportFormat = "html" | "markdown" | "json" | "csv";

/**
 * What report to make.
 */
export type ReportRequest = { 
/**
 * Its form.
 */
format: ReportFormat, 
/**
 * Replace host names, user names, home paths, registry hosts and environment values.
 */
redact: boolean, 
/**
 * What it is about.
 */
about: ReportSubject, };

/**
 * What a report is about.
 */
export type ReportSubject = "scan" | "wayOut";

/**
 * A `build:` as Compose would see it. Values of arguments are not kept: they may be secrets.
 */
export type ResolvedBuild = { 
/**
 * Absolute folder, or an address.
 */
context: Placed | null, 
/**
 * Relative to the context, as written.
 */
dockerfile: Placed | null, 
/**
 * The stage that is built.
 */
target: Placed | null, 
/**
 * `platforms:`.
 */
platforms: Array<Placed>, 
/**
 * Names of build arguments.
 */
args: Array<Placed>, };

/**
 * What it costs native programs that Rosetta is on.
 */
export type RosettaCost = { 
/**
 * The run with Rosetta on.
 */
on: RunName, 
/**
 * The run with it off.
 */
off: RunName, 
/**
 * Native speed with Rosetta on as a share of that with it off, over all workloads that count.
 */
overall: Estimate, 
/**
 * The same for each workload.
 */
rows: Array<BenchChange>, 
/**
 * What else differs between the two runs.
 */
differences: Array<BenchDifference>, };

/**
 * Which run.
 */
export type RunName = { 
/**
 * Its name.
 */
id: string, 
/**
 * When it began.
 */
takenAt: string, };

/**
 * The product that runs the engine, and how it gave itself away.
 */
export type Runtime = { 
/**
 * Stable name: `docker-desktop`, `orbstack`, `colima`, `lima`, `rancher-desktop`, `podman`, `finch`, `docker-engine`.
 */
id: string, 
/**
 * As its makers write it: "Docker Desktop".
 */
name: string, 
/**
 * What said so.
 */
evidence: string, 
/**
 * Runs its engine in a virtual machine on a Mac.
 */
macVirtualMachine: boolean, };

/**
 * A change of a runtime, or of what its engine registers: which one, and the way back.
 */
export type RuntimeChange = { 
/**
 * Runtime id, as in [`crate::inventory::Runtime::id`].
 */
runtime: string, 
/**
 * As people call it: "Docker Desktop".
 */
name: string, 
/**
 * Profile, instance or machine; none where a runtime has only one.
 */
instance: string | null, 
/**
 * What is asked of it.
 */
change: Change, 
/**
 * The engine goes on restarting after the last command has returned.
 */
inBackground: boolean, 
/**
 * What brings back how it was, in order.
 */
back: Array<BackStep>, };

/**
 * What pressing the button means.
 */
export type Safety = "safe" | "review" | "showOnly";

/**
 * Everything known of one engine at one time, judged.
 */
export type Scan = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * When the facts were taken, RFC 3339 in UTC.
 */
takenAt: string, 
/**
 * Made from the embedded sample, not from a real engine.
 */
sample: boolean, 
/**
 * A capture that was replayed, not a look at an engine now.
 */
replayed?: boolean, 
/**
 * Host names, user names, home paths, registry hosts and environment values were replaced.
 */
redacted: boolean, 
/**
 * The one sentence.
 */
verdict: VerdictWords, 
/**
 * Containers counted by how they run.
 */
tally: Tally, 
/**
 * The engine.
 */
engine: ScanEngine, 
/**
 * The machine this program ran on.
 */
host: HostFacts, 
/**
 * Images, by name.
 */
images: Array<ScanImage>, 
/**
 * Containers, the running ones first, by name.
 */
containers: Array<ScanContainer>, 
/**
 * Compose projects, service by service, with what each would run here. Older documents have none.
 */
compose: Array<ProjectProspect>, 
/**
 * Worst first.
 */
findings: Array<Finding>, 
/**
 * Findings that somebody allows on purpose, by a comment or in `.silidock.toml`; they are not among the findings.
 */
silenced?: Array<Silenced>, 
/**
 * What could not be judged.
 */
notJudged: Array<NotJudged>, 
/**
 * Checks that do not apply here.
 */
notApplicable: Array<NotApplicable>, 
/**
 * How much was looked at.
 */
coverage: Coverage, 
/**
 * Everything that needs translation. Only in reports, which are made of one value; else it is a document of its own.
 */
wayOut?: WayOut, 
/**
 * What emulation costs here, by a benchmark that counts for this engine.
 */
benchmark: Fact<BenchMeaning>, 
/**
 * That benchmark itself.
 */
bench?: Bench, };

/**
 * One container.
 */
export type ScanContainer = { 
/**
 * Full id.
 */
id: string, 
/**
 * Name.
 */
name: string, 
/**
 * Image reference it was made from.
 */
image: string, 
/**
 * Platform of the image it runs.
 */
platform: Fact<Platform>, 
/**
 * State as the engine names it.
 */
state: ContainerState, 
/**
 * The engine's status line.
 */
status: string, 
/**
 * What its platform leads one to expect.
 */
expected: Fact<Expected>, 
/**
 * How it runs.
 */
execution: Execution, 
/**
 * Why that is unknown, if it is.
 */
executionGap: Gap | null, 
/**
 * `qemu`, `rosetta`, another name as found, or none.
 */
emulator: string | null, 
/**
 * What was seen.
 */
evidence: Array<Evidence>, 
/**
 * Place in Compose.
 */
compose: ComposeMembership | null, 
/**
 * Its processes: how many show which emulator.
 */
processes: Fact<Array<ScanProcess>>, 
/**
 * Processor time since its start, in seconds.
 */
cpuSeconds: Fact<number>, 
/**
 * Its share of all containers' processor time, 0 to 1. None while not known.
 */
cpuShare: number | null, 
/**
 * What it would need natively, where that was measured.
 */
nativeNeed: NativeNeed | null, };

/**
 * The engine, with its emulation.
 */
export type ScanEngine = { 
/**
 * Address.
 */
endpoint: string, 
/**
 * Docker context it came from.
 */
context: string | null, 
/**
 * How it was chosen, in words.
 */
chosenBy: string, 
/**
 * Whether it runs on this machine.
 */
locality: Locality, 
/**
 * The product that runs it.
 */
runtime: Runtime, 
/**
 * Engine version.
 */
version: string, 
/**
 * API version spoken.
 */
apiVersion: string, 
/**
 * `linux`.
 */
os: string, 
/**
 * `arm64`, `amd64`.
 */
arch: string, 
/**
 * Its system's name.
 */
operatingSystem: string | null, 
/**
 * Kernel version.
 */
kernel: string | null, 
/**
 * Host name of its machine.
 */
hostName: string | null, 
/**
 * Where images are kept.
 */
imageStore: ImageStore, 
/**
 * Processors.
 */
cpus: number | null, 
/**
 * Bytes of memory.
 */
memory: number | null, 
/**
 * What runs foreign programs.
 */
emulation: Emulation, };

/**
 * One image.
 */
export type ScanImage = { 
/**
 * Engine's id.
 */
id: string, 
/**
 * Tags, sorted; none for an untagged image.
 */
tags: Array<string>, 
/**
 * Unix seconds.
 */
created: number | null, 
/**
 * Bytes.
 */
size: number | null, 
/**
 * All platforms it lists, and which of them are here.
 */
platforms: Fact<Array<ImagePlatform>>, 
/**
 * A platform that is native to the engine is here.
 */
native: Fact<boolean>, 
/**
 * Its platforms upstream: a gap until a registry was asked.
 */
upstream: Fact<Array<Platform>>, 
/**
 * Names of the containers made from it.
 */
usedBy: Array<string>, 
/**
 * What can be done about it, best first, where it needs an emulator here.
 */
advice?: Array<Advice>, };

/**
 * One process of a container.
 */
export type ScanProcess = { 
/**
 * Process id in the engine's machine.
 */
pid: string, 
/**
 * The program, without arguments.
 */
program: string, 
/**
 * The emulator in front of it, if one shows.
 */
emulator: string | null, };

/**
 * Which engine to look at.
 */
export type ScanRequest = { 
/**
 * A context, a runtime's name or an address; none means the one last looked at, or the one Docker would use.
 */
engine: string | null, 
/**
 * Look at the embedded sample instead.
 */
sample: boolean, 
/**
 * Ask the registries of everything that is seen, too.
 */
askRegistry?: boolean, 
/**
 * Compose files, or folders with one, to judge too, also where nothing of them runs: each list is one project. They
 * are looked at from then on.
 */
compose?: Array<Array<string>>, };

/**
 * What the window shows, complete or on the way.
 */
export type ScanView = { 
/**
 * Counts up with every look; a view with a lower number is old.
 */
generation: number, 
/**
 * The document so far.
 */
scan: Scan, 
/**
 * What is still being read.
 */
pending: Array<Part>, 
/**
 * Why the sample is shown although nobody asked for it: no engine was found.
 */
fallback: Failure | null, };

/**
 * Serialises as [`SCHEMA`], and refuses to read anything else.
 */
export type Schema = "silidock/1";

/**
 * A script to be run by hand.
 */
export type ScriptDocument = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * For a POSIX shell.
 */
script: string, };

/**
 * What to write as a script.
 */
export type ScriptRequest = { 
/**
 * Which fix; none means all safe ones.
 */
fix: FixRequest | null, };

/**
 * So many of so many.
 */
export type Seen = { 
/**
 * Fully read.
 */
seen: number, 
/**
 * There are.
 */
total: number, 
/**
 * The list itself was read.
 */
listed: boolean, };

/**
 * A file as it was seen.
 */
export type SeenFile = { 
/**
 * The file, after following links.
 */
path: string, 
/**
 * SHA-256 of its bytes, in hexadecimal; empty where there is no such file yet.
 */
hash: string, };

/**
 * A container of a service.
 */
export type ServiceContainer = { 
/**
 * Container name.
 */
name: string, 
/**
 * Platform of the image it runs.
 */
platform: Fact<Platform>, 
/**
 * How it runs.
 */
execution: Execution, 
/**
 * What runs it, if an emulator does.
 */
emulator: string | null, };

/**
 * A service, and what it would run here.
 */
export type ServiceProspect = { 
/**
 * Service name.
 */
name: string, 
/**
 * The file that is its home.
 */
path: string, 
/**
 * Line of its name there, from 1.
 */
line: number | null, 
/**
 * Its image, variables replaced.
 */
image: string | null, 
/**
 * Its build.
 */
build: ResolvedBuild | null, 
/**
 * Its `platform:`, and where that stands.
 */
platform: Placed | null, 
/**
 * Its profiles.
 */
profiles: Array<string>, 
/**
 * It belongs with the profiles that are set here.
 */
active: boolean, 
/**
 * Platforms of its image on this engine; none where it is not here.
 */
here: Fact<Array<Platform>>, 
/**
 * Platforms of its image upstream, where its registry was asked.
 */
upstream: Fact<Array<Platform>>, 
/**
 * Its containers now.
 */
running: Array<ServiceContainer>, 
/**
 * What it would run.
 */
would: Prospect, };

/**
 * A switch of a settings file.
 */
export type SettingValue = { 
/**
 * Key at the top of the file.
 */
key: string, 
/**
 * What it shall be.
 */
value: boolean, };

/**
 * How bad. A property of the check; ordered, worst first.
 */
export type Severity = "broken" | "slow" | "note";

/**
 * A finding that is allowed.
 */
export type Silenced = { 
/**
 * Id of the finding.
 */
id: string, 
/**
 * Which check.
 */
check: string, 
/**
 * How bad it is.
 */
severity: Severity, 
/**
 * About what.
 */
subject: Subject, 
/**
 * What, in one line.
 */
title: string, 
/**
 * Why it is allowed, in the words of who did.
 */
reason: string, 
/**
 * File and line that say so.
 */
saidBy: string, };

/**
 * What a file of the start is there for.
 */
export type StartRole = "entrypoint" | "command" | "script" | "interpreter" | "envProgram" | "loader" | "library";

/**
 * One file of what is run first.
 */
export type StartStep = { 
/**
 * What it is there for.
 */
role: StartRole, 
/**
 * As it is named where it is asked for: `nginx`, `/bin/sh`.
 */
name: string, 
/**
 * Where it lies in the end, after links; none where it is not there.
 */
path: string | null, 
/**
 * What it is built for; none for scripts and what is not there.
 */
arch: string | null, };

/**
 * One statement with what it rests on.
 */
export type Statement = { 
/**
 * In a sentence or two.
 */
text: string, 
/**
 * When it was said, `2026-09-01`; none where the source has no date.
 */
date: string | null, 
/**
 * Where it stands.
 */
source: string, 
/**
 * What it rests on.
 */
grounds: Grounds, };

/**
 * One step of a fix.
 */
export type Step = { "kind": "editYaml", 
/**
 * Absolute path.
 */
path: string, 
/**
 * What to change.
 */
edit: YamlEdit, } | { "kind": "editLine", 
/**
 * Absolute path.
 */
path: string, 
/**
 * Line, from 1.
 */
line: number, 
/**
 * What must stand there, without its line ending.
 */
expected: string, 
/**
 * What shall stand there; none takes the line out.
 */
replacement: string | null, } | { "kind": "insertLine", 
/**
 * Absolute path.
 */
path: string, 
/**
 * In front of this line, from 1.
 */
before: number, 
/**
 * What must stand in that line, without its line ending.
 */
expected: string, 
/**
 * The new line.
 */
text: string, } | { "kind": "appendLine", 
/**
 * Absolute path.
 */
path: string, 
/**
 * The line.
 */
text: string, } | { "kind": "convertLineEndings", 
/**
 * Absolute path.
 */
path: string, } | { "kind": "runtimeCommand", 
/**
 * In words.
 */
text: string, 
/**
 * The tool by its name, and its arguments.
 */
argv: Array<string>, 
/**
 * What it is for.
 */
does: CommandKind, 
/**
 * What it must have printed to count as done: some tools end with 0 whatever happened.
 */
says?: string, } | { "kind": "editSettings", 
/**
 * Absolute path.
 */
path: string, 
/**
 * What to set.
 */
values: Array<SettingValue>, } | { "kind": "pullPlatform", 
/**
 * The image, as its user spells it.
 */
reference: string, 
/**
 * Which of its platforms.
 */
platform: Platform, } | { "kind": "copyVolumes", 
/**
 * Which container.
 */
of: OldContainer, } | { "kind": "keepWritten", 
/**
 * Which container.
 */
of: OldContainer, } | { "kind": "recreateContainer", 
/**
 * Which container.
 */
of: OldContainer, 
/**
 * The platform to run; none leaves that to the engine.
 */
platform: Platform | null, } | { "kind": "recreateService", 
/**
 * Its container.
 */
of: OldContainer, 
/**
 * Project name.
 */
project: string, 
/**
 * Service name.
 */
service: string, 
/**
 * The platform to run; none leaves that to Compose.
 */
platform: Platform | null, } | { "kind": "buildImage", 
/**
 * The image's reference.
 */
image: string, 
/**
 * The Compose service that says how it is built, as `project/service`.
 */
service: string | null, 
/**
 * For which platforms; those of the engine and of the deploy targets where none is named.
 */
platforms: Array<Platform>, } | { "kind": "tell", 
/**
 * In words.
 */
text: string, 
/**
 * Command lines, an argument vector each.
 */
commands: Array<Array<string>>, };

/**
 * The thing a finding is about.
 */
export type Subject = { 
/**
 * What kind of thing.
 */
kind: SubjectKind, 
/**
 * Its name as a person knows it, stable over a rescan: container name, `project/service`, tag.
 */
id: string, 
/**
 * File it stands in.
 */
path?: string, 
/**
 * Line there, from 1.
 */
line?: number, 
/**
 * Column there, from 1.
 */
column?: number, };

/**
 * What kind of thing a finding is about.
 */
export type SubjectKind = "engine" | "container" | "image" | "service" | "setting";

/**
 * How the containers run, counted.
 */
export type Tally = { 
/**
 * Running or paused.
 */
running: number, 
/**
 * Of these, native.
 */
native: number, 
/**
 * Of these, under one emulator, by its name, most first.
 */
emulated: Array<EmulatorCount>, 
/**
 * Of these, mixed.
 */
mixed: number, 
/**
 * Of these, not known.
 */
unknown: number, 
/**
 * Not running.
 */
stopped: number, 
/**
 * Share of containers' processor time that emulated and mixed ones used, 0 to 1. None while not known.
 */
emulatedCpuShare: number | null, };

/**
 * What a folder's file shall say.
 */
export type TargetsChange = { 
/**
 * The project's folder.
 */
folder: string, 
/**
 * Where what is built there will run; without any, the list is taken out.
 */
targets: Array<string>, };

/**
 * Where what is built in a folder will run.
 */
export type TargetsDocument = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * The folder.
 */
folder: string, 
/**
 * The file that says so; none where this program was told.
 */
path: string | null, 
/**
 * Line of it, from 1.
 */
line: number | null, 
/**
 * Of everything in it that has none of its own.
 */
targets: Array<Platform>, 
/**
 * Of services, by name.
 */
services: { [key in string]: Array<Platform> }, 
/**
 * Of images, by reference.
 */
images: { [key in string]: Array<Platform> }, 
/**
 * What of the file could not be understood, with its line.
 */
gaps: Array<Gap>, };

/**
 * Which folder, and what to remember of it.
 */
export type TargetsRequest = { 
/**
 * The project's folder.
 */
folder: string, 
/**
 * To be remembered from now on; an empty list forgets. None only asks.
 */
set: Array<string> | null, };

/**
 * What writing it would change.
 */
export type TargetsShown = { 
/**
 * As a button says it.
 */
title: string, 
/**
 * What changes, or why nothing can.
 */
preview: Preview, 
/**
 * Names exactly this for [`TargetsToken`].
 */
token: string, };

/**
 * A change that was shown.
 */
export type TargetsToken = { 
/**
 * From [`TargetsShown`].
 */
token: string, };

/**
 * How bad it looks, as one word.
 */
export type Tone = "native" | "slow" | "broken" | "unclear";

/**
 * Processor time of all emulated containers that are known well enough.
 */
export type TotalNeed = { 
/**
 * How many containers.
 */
containers: number, 
/**
 * What they used, in seconds.
 */
usedSeconds: number, 
/**
 * What they would need natively. Its ends are the sums of the ends, as if all were at the same end.
 */
nativeSeconds: Estimate, 
/**
 * In a sentence.
 */
words: string, };

/**
 * What undoing would change.
 */
export type UndoPreview = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * The change.
 */
entry: HistoryEntry, 
/**
 * What would change.
 */
diffs: Array<Diff>, 
/**
 * Commands that would be run, in order.
 */
commands: Array<Array<string>>, 
/**
 * What else to know, a sentence each.
 */
told: Array<string>, 
/**
 * Why it cannot be undone, if so.
 */
refused: string | null, };

/**
 * Whether a tag can hold several platforms.
 */
export type UpstreamKind = "index" | "manifest";

/**
 * The verdict on one inventory.
 */
export type VerdictWords = { 
/**
 * "3 of 14 containers run emulated".
 */
headline: string, 
/**
 * A sentence or two more.
 */
detail: string, 
/**
 * How it is coloured and marked.
 */
tone: Tone, };

/**
 * Whether the finding was gone when it was looked at again.
 */
export type Verified = "verified" | "stillPresent" | "couldNotTell";

/**
 * A way of looking into an image.
 */
export type Via = "engine" | "stream";

/**
 * One that says what runs programs of a platform.
 */
export type Voice = { 
/**
 * Who: "the processor", "the process list".
 */
who: string, 
/**
 * What it says, as people write it: "QEMU", "no emulator".
 */
says: string, 
/**
 * Where that stands.
 */
evidence: Evidence, };

/**
 * What is known of doing without translation.
 */
export type Way = { 
/**
 * How far it is known.
 */
kind: WayKind, 
/**
 * What to do, as an order: "Take the pin out".
 */
title: string, 
/**
 * Why that is so here, and what it leaves open.
 */
why: string, 
/**
 * Command lines, an argument vector each. Nothing is run.
 */
commands: Array<Array<string>>, };

/**
 * How far a way out is known.
 */
export type WayKind = "here" | "unpin" | "pull" | "rebuild" | "newer" | "replace" | "newMachine" | "emulate" | "unknown";

/**
 * Everything that needs translation on one engine.
 */
export type WayOut = { 
/**
 * "3 containers, 4 images and 1 Compose service need Intel translation".
 */
headline: string, 
/**
 * How far a way out is known.
 */
detail: string, 
/**
 * What is native here.
 */
native: Fact<Platform>, 
/**
 * The things, by kind and name.
 */
items: Array<WayOutItem>, 
/**
 * What could not be told: any of it may belong to the list.
 */
gaps: Array<Gap>, 
/**
 * What is announced about the translation itself.
 */
outlook: Outlook, };

/**
 * Everything of one engine that needs translation.
 */
export type WayOutDocument = { 
/**
 * Always "silidock/1".
 */
schema: Schema, 
/**
 * When the facts were taken, RFC 3339 in UTC.
 */
takenAt: string, 
/**
 * Made from the embedded sample, not from a real engine.
 */
sample: boolean, 
/**
 * Made from a capture, not from a look at an engine now.
 */
replayed: boolean, 
/**
 * As in a report.
 */
redacted: boolean, 
/**
 * The product that runs the engine.
 */
runtime: string, 
/**
 * Address of the engine.
 */
endpoint: string, 
/**
 * "3 containers, 4 images and 1 Compose service need Intel translation".
 */
headline: string, 
/**
 * How far a way out is known.
 */
detail: string, 
/**
 * What is native here.
 */
native: Fact<Platform>, 
/**
 * The things, by kind and name.
 */
items: Array<WayOutItem>, 
/**
 * What could not be told: any of it may belong to the list.
 */
gaps: Array<Gap>, 
/**
 * What is announced about the translation itself.
 */
outlook: Outlook, };

/**
 * One thing that needs translation.
 */
export type WayOutItem = { 
/**
 * What kind of thing.
 */
kind: WayOutKind, 
/**
 * Its name as its owner gave it: a container's, `project/service`, a tag.
 */
name: string, 
/**
 * Compose project it belongs to.
 */
project: string | null, 
/**
 * Image it is made from.
 */
image: string | null, 
/**
 * The foreign platform that it needs.
 */
platform: Fact<Platform>, 
/**
 * What it does with it now: "runs under QEMU", "used by db".
 */
now: string, 
/**
 * File it stands in.
 */
path: string | null, 
/**
 * Line there, from 1.
 */
line: number | null, 
/**
 * What was seen.
 */
evidence: Array<Evidence>, 
/**
 * What is known of doing without translation.
 */
way: Way, 
/**
 * Everything that can be done about its image, best first, with costs and risks. Older documents have none.
 */
advice?: Array<Advice>, };

/**
 * Kinds of things that need translation, in the order of the list.
 */
export type WayOutKind = "engine" | "container" | "service" | "buildStage" | "image";

/**
 * A change to a YAML file.
 */
export type YamlEdit = { "kind": "setPlatform", 
/**
 * Service name.
 */
service: string, 
/**
 * To pin it to.
 */
platform: Platform, } | { "kind": "changePlatform", 
/**
 * Service name.
 */
service: string, 
/**
 * To pin it to.
 */
platform: Platform, } | { "kind": "overridePlatform", 
/**
 * Service name.
 */
service: string, 
/**
 * To pin it to.
 */
platform: Platform, } | { "kind": "removePlatform", 
/**
 * Service name.
 */
service: string, };

/** Every command, its request and its response. A rejection is a Failure. */
export interface Commands {
  /** Looks at an engine, or at the sample; parts arrive as events before the answer. */
  scan: { request: ScanRequest; response: ScanView };
  /** Looks at every engine of this machine; one that fails hides no other. */
  all_engines: { request: Nothing; response: AllEngines };
  /** Lists the engines of this machine without connecting to any. */
  engines: { request: Nothing; response: Engines };
  /** Shows what a fix would change. */
  preview_fix: { request: FixRequest; response: FixPreview };
  /** Carries out a fix that was previewed, looks again, and says whether it helped. */
  apply_fix: { request: ApplyRequest; response: ChangeOutcome };
  /** Shows what every fix that is safe would change. */
  preview_all_safe: { request: Nothing; response: AllSafePreview };
  /** Carries out the safe fixes that were previewed, one after the other; the first that fails ends it. */
  apply_all_safe: { request: AllSafeRequest; response: AllSafeOutcome };
  /** Writes a fix, or all safe ones, as a shell script to be run by hand. */
  fix_script: { request: ScriptRequest; response: ScriptDocument };
  /** Stops the change of an engine that is under way; what was done is taken back. */
  stop_change: { request: Nothing; response: Nothing };
  /** Proves which emulator runs foreign programs, by throw-away containers, and reads what is set. */
  emulator: { request: EmulatorRequest; response: EmulatorDocument };
  /** Lists everything of what the window shows that needs translation, and the way out of each. */
  wayout: { request: Nothing; response: WayOutDocument };
  /** Asks registries for the platforms of references, and for newer tags. */
  registry: { request: RegistryRequest; response: RegistryDocument };
  /** Asks the registries of images that were seen, and judges again; the new view arrives as an event. */
  ask_registry: { request: AskRegistryRequest; response: RegistryDocument };
  /** Looks inside an image, a container or an archive; tells how far it is by events. */
  inside: { request: InsideRequest; response: InsideDocument };
  /** Looks inside the images of the engine that is shown, and judges again. */
  inside_images: { request: InsideImagesRequest; response: ScanView };
  /** Stops every look inside that is under way, and removes what was started for it. */
  stop_inside: { request: Nothing; response: Nothing };
  /** Lists the builders of buildx, and who would build for which platform; where none can, what makes one. */
  builders: { request: BuildersRequest; response: BuildersDocument };
  /** Switches on containerd's image store as it was proposed, and asks the engine again. */
  switch_image_store: { request: ProposalToken; response: ChangeOutcome };
  /** Makes the builder that was proposed, and looks again. */
  create_builder: { request: ProposalToken; response: ChangeOutcome };
  /** Says where what is built in a folder will run, and remembers it. */
  targets: { request: TargetsRequest; response: TargetsDocument };
  /** Says where an image will run that is built here. */
  deploys: { request: DeploysRequest; response: DeploysDocument };
  /** Shows what saying in a folder's own file where its builds will run would change. */
  show_targets: { request: TargetsChange; response: TargetsShown };
  /** Writes targets that were shown, and looks again. */
  set_targets: { request: TargetsToken; response: ChangeOutcome };
  /** Shows what building an image or a service again would do: source, builder, platforms, command. */
  preview_rebuild: { request: RebuildRequest; response: RebuildPreview };
  /** Builds what was previewed, keeps the image from before, and looks at what came out; progress arrives as events. */
  apply_rebuild: { request: ApplyRebuildRequest; response: RebuildOutcome };
  /** Stops the rebuild under way; `apply_rebuild` answers once everything is as before. */
  stop_rebuild: { request: Nothing; response: Nothing };
  /** Lists Compose files and folders that were opened, and forgets some of them. */
  opened: { request: OpenedRequest; response: OpenedDocument };
  /** Shows what pinning Compose services, or no longer, would change; asks Compose whether it would take that. */
  show_pin: { request: PinRequest; response: PinShown };
  /** Carries out a pin that was shown, and looks again. */
  set_pin: { request: PinToken; response: ChangeOutcome };
  /** Lists every change that was made. */
  history: { request: Nothing; response: History };
  /** Shows what undoing a change would change. */
  preview_undo: { request: ReceiptRequest; response: UndoPreview };
  /** Undoes a change, and looks again. */
  apply_undo: { request: ReceiptRequest; response: ChangeOutcome };
  /** Says why a container stopped or will not start; reads only. */
  explain: { request: ExplainRequest; response: ExplanationDocument };
  /** Says what a pasted run or build log means. */
  explain_log: { request: ExplainLogRequest; response: ExplanationDocument };
  /** Makes a report of what the window shows. */
  render_report: { request: ReportRequest; response: RenderedReport };
  /** Lists the checks. */
  checks: { request: Nothing; response: Catalogue };
  /** What can be measured on the engine that is shown; starts nothing. */
  bench_offer: { request: Nothing; response: BenchOffer };
  /** Measures what emulation costs, in throw-away containers; progress arrives as events. */
  bench: { request: BenchRequest; response: BenchView };
  /** Ends the run under way; `bench` answers once everything it started is removed. */
  bench_cancel: { request: Nothing; response: Nothing };
  /** Lists the runs that are kept. */
  bench_history: { request: Nothing; response: BenchHistory };
  /** Shows a run that is kept. */
  bench_run: { request: BenchRunRequest; response: BenchView };
  /** Compares two runs that are kept. */
  bench_compare: { request: BenchCompareRequest; response: BenchComparison };
  /** Makes a report of a run that is kept. */
  bench_report: { request: BenchReportRequest; response: RenderedReport };
  /** Forgets a run. */
  bench_delete: { request: BenchRunRequest; response: BenchHistory };
}
