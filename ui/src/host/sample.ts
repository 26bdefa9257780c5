// The window without Tauri: answers from a recorded scan, for working on the window in a browser and for its tests.
// What it plays is chosen in the page's address: `?play=loading`, `none`, `error`, `lost`, `parts`, `clean`, `many`, `refused`, `measuring`, `gone`.
// Not part of the built app.

import type { AllSafePreview, BenchComparison, BenchEntry, BenchOffer, BenchView, ChangeOutcome, Commands, Event, Failure, FixPreview, HistoryEntry, InsideDocument, Scan, ScanView, UndoPreview, WayOutDocument } from "./generated";
import { known, type Host } from "./host";
import recordedBench from "./sample-bench.json";
import insides from "./inside.json";
import { BUILDERS, DIFF, listed, pinDiff, plannedBuild, recording, runningOn, runtimePreview, scriptOf, stepWords, targetsDiff } from "./sample-changes";
import wayOut from "./wayout.json";

const NO_ENGINE: Failure = {
  code: "noEngine",
  message: "No Docker engine was found.",
  hint: "Start Docker Desktop, OrbStack, Colima or another runtime, then look again.",
  detail: ["/var/run/docker.sock: nothing there", "/Users/me/.docker/run/docker.sock: nothing there", "/Users/me/.orbstack/run/docker.sock: nothing there"],
};
const REFUSED: Failure = {
  code: "engine",
  message: "Nobody answers at unix:///Users/me/.docker/run/docker.sock.",
  hint: "Docker Desktop is installed but not running. Start it, then try again.",
  detail: ["connect: connection refused"],
};

/** Two real runs on a test engine, marked as sample, and how they compare. */
const views = recordedBench.views as unknown as readonly BenchView[];
const measured = views[0] as BenchView;

const OFFER: BenchOffer = {
  lanes: [
    ...measured.run.lanes.map((lane) => ({ name: lane.name, words: lane.emulator === null ? `Native, ${lane.platform}` : `QEMU ${lane.version ?? ""}, ${lane.platform}`, platform: lane.platform, unavailable: null, fixes: [] })),
    ...measured.run.unavailable.map((lane) => ({ name: lane.name, words: `Rosetta, ${lane.platform}`, platform: lane.platform, unavailable: lane.why, fixes: lane.fixes })),
  ],
  workloads: measured.run.workloads.map(({ id, title, what, kind }) => ({ id, title, what, kind, quick: true })),
  images: [{ name: "postgres:17", platforms: ["linux/arm64", "linux/amd64"] }],
  refused: "The sample has no engine on which anything could be started.",
  running: null,
};

const entry = ({ run, headline }: BenchView): BenchEntry => ({
  id: run.id,
  takenAt: run.takenAt,
  sample: run.sample,
  headline,
  engine: `${run.machine.runtime} ${run.machine.version}`,
  endpoint: run.machine.endpoint,
  mode: run.mode,
  cutShort: run.cutShort,
  warnings: run.warnings.length,
});

function noBench(id: string): never {
  throw { code: "notFound", message: `There is no benchmark ${id}.`, hint: null, detail: [] } satisfies Failure;
}

const wait = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

export function sampleHost(play: string | null): Host {
  const listeners = new Set<(event: Event) => void>();
  const history: HistoryEntry[] = [];
  /** What the sample's folders say of where they run. */
  const targets = new Map<string, string[]>();
  const benches = [...views];
  const tell = (event: Event) => listeners.forEach((listener) => listener(event));
  let stopped = false;
  let generation = 0;

  const scan = (): Scan => {
    const now = { ...recording, takenAt: new Date().toISOString() };
    if (play === "many") {
      const copies = Array.from({ length: 300 }, (_, n) => recording.images.map((image) => ({ ...image, id: `${image.id}${n}`, tags: image.tags.map((tag) => `${tag}-${n}`) })));
      const images = copies.flat();
      return { ...now, images, coverage: { ...now.coverage, images: { seen: images.length, total: images.length, listed: true } } };
    }
    if (play !== "clean") return now;
    return {
      ...now,
      sample: false,
      findings: [],
      notJudged: [],
      verdict: { headline: "All 7 containers run natively", detail: "Nothing here needs an emulator now.", tone: "native" },
      tally: { running: 7, native: 7, emulated: [], mixed: 0, unknown: 0, stopped: 0, emulatedCpuShare: 0 },
      containers: now.containers.filter((one) => one.execution === "native"),
      coverage: { ...now.coverage, gaps: [] },
      engine: {
        ...now.engine,
        emulation: {
          ...now.engine.emulation,
          effective: { unknown: { what: "the emulator that is really used", why: "no running container of this linux/arm64 engine shows one, and looking starts none" } },
        },
      },
    };
  };
  const view = (changes: Partial<ScanView> = {}): ScanView => ({ generation, scan: scan(), pending: [], fallback: play === "none" ? NO_ENGINE : null, ...changes });

  /** A look of the app's own, after a change. */
  function seenAgain() {
    generation += 1;
    tell({ kind: "scan", view: view() });
  }

  async function look(): Promise<ScanView> {
    generation += 1;
    if (play === "loading") await wait(1e8);
    if (play === "error") throw REFUSED;
    if (play === "parts") {
      const whole = scan();
      const early = { ...whole, images: [], coverage: { ...whole.coverage, images: { seen: 0, total: 0, listed: false }, gaps: [] } };
      return view({ scan: early, pending: ["images", "cpu"] });
    }
    if (play === "lost") setTimeout(() => listeners.forEach((tell) => tell({ kind: "lost", failure: REFUSED })), 50);
    return view();
  }

  function preview(finding: string, option: number): FixPreview {
    const found = recording.findings.find((one) => one.id === finding);
    const fix = found?.fixes.find((one) => one.option === option);
    if (found === undefined || fix === undefined) throw { code: "notFound", message: "That finding is gone.", hint: null, detail: [] } satisfies Failure;
    const step = fix.steps[0];
    if (step !== undefined && ("of" in step || step.kind === "pullPlatform")) {
      const refusal = { why: "what is shown was recorded, and there is no engine here whose container could be made anew", linesToType: [] };
      return { finding: found, fix, token: "sample", steps: fix.steps.map(stepWords), preview: { diffs: [], commands: [], restarts: [], told: [], files: [], refused: refusal } };
    }
    if (fix.runtime !== undefined) return { finding: found, fix, token: "sample", steps: fix.steps.map(stepWords), preview: runtimePreview(fix) };
    const tell = step?.kind === "tell";
    const path = step !== undefined && "path" in step ? step.path : "";
    const refused = play === "refused" && !tell ? { why: "The service takes its settings from an anchor that other services use, too.", linesToType: ["    platform: linux/amd64"] } : undefined;
    return {
      finding: found,
      fix,
      token: "sample",
      steps: step === undefined ? [] : [tell ? step.text : `Change ${path}`],
      preview: {
        diffs: step === undefined || tell || refused ? [] : [DIFF(path)],
        commands: tell ? step.commands : [],
        restarts: [],
        told: tell ? [step.text] : [],
        files: [],
        refused,
      },
    };
  }

  function allSafe(): AllSafePreview {
    const safe = recording.findings.flatMap((found) => (found.supersededBy === undefined ? found.fixes.filter((fix) => fix.safety === "safe").map((fix) => preview(found.id, fix.option)) : []));
    const left = safe.flatMap(({ finding, fix, preview: { refused } }) => (refused ? [{ finding: finding.id, option: fix.option, title: fix.title, why: refused.why }] : []));
    return { schema: "silidock/1", fixes: safe.filter((one) => !one.preview.refused), left };
  }

  function change(words: string, diffs: UndoPreview["diffs"], receipt: string, ran: string[][] = []): ChangeOutcome {
    return { schema: "silidock/1", receipt, applied: true, verified: "verified", words, changes: diffs, ran: ran.map((argv) => ({ argv, status: 0, printed: "" })) };
  }

  const answers: { [K in keyof Commands]: (request: Commands[K]["request"]) => Commands[K]["response"] | Promise<Commands[K]["response"]> } = {
    scan: look,
    engines: () => ({
      engines: [
        { choose: "desktop-linux", name: "Docker Desktop", endpoint: recording.engine.endpoint, present: true, current: true, sample: false, problem: null },
        { choose: "orbstack", name: "OrbStack", endpoint: "unix:///Users/me/.orbstack/run/docker.sock", present: false, current: false, sample: false, problem: null },
        { choose: "build-server", name: "context build-server", endpoint: "ssh://ci@build.acme.example", present: true, current: false, sample: false, problem: null },
      ],
    }),
    all_engines: () => ({
      schema: "silidock/1",
      engines: [scan()],
      failed: [{ name: "context build-server", endpoint: "ssh://ci@build.acme.example", choose: "build-server", failure: REFUSED }],
    }),
    preview_fix: ({ finding, option }) => preview(finding, option),
    apply_fix: ({ finding, option }) => {
      const shown = preview(finding, option);
      const files = shown.preview.diffs.map((diff) => diff.path);
      const id = `r${history.length + 1}`;
      history.unshift({ id, at: new Date().toISOString(), title: shown.fix.title, check: shown.finding.check, files, commands: shown.preview.commands, state: "applied", verified: "verified", note: null });
      if (shown.fix.runtime !== undefined) return change("Looked again: the finding is gone; Rosetta 367.9 runs linux/amd64 programs.", shown.preview.diffs, id, shown.preview.commands);
      return change("The finding is gone. The container stays emulated until its image changes.", shown.preview.diffs, id);
    },
    emulator: () => {
      throw { code: "refused", message: "A sample has no engine on which anything could be started.", hint: null, detail: [] } satisfies Failure;
    },
    wayout: () => ({ ...(wayOut as unknown as WayOutDocument), takenAt: new Date().toISOString() }),
    registry: () => ({ schema: "silidock/1", platform: null, references: [], limits: [] }),
    ask_registry: async ({ images }) => {
      await wait(play === "loading" ? 1e8 : 300);
      const asked = recording.images.filter((image) => images.length === 0 || images.includes(image.id));
      const references = asked.flatMap((image) => image.tags.map((tag) => ({ ref: tag, platforms: image.upstream, digest: null, kind: null })));
      return { schema: "silidock/1", platform: "linux/arm64", references, limits: [{ host: "registry-1.docker.io", limit: 100, remaining: 76, windowSeconds: 21600 }] };
    },
    explain: ({ container }) => ({
      schema: "silidock/1",
      container,
      exitCode: 255,
      finding: "crlf-script-00000000",
      cause: "crlf-script",
      check: "crlf-script",
      confidence: "certain",
      architecture: "no",
      title: "/entrypoint.sh has line endings of Windows",
      why: "The carriage return at the end of its first line counts as a part of the interpreter's name, and there is no such program.",
      evidence: [
        { place: "engine", text: "exit code 255" },
        { place: "log line 1", text: "exec /entrypoint.sh: no such file or directory" },
        { place: "/entrypoint.sh in the container", text: "its first line, #!/bin/sh, ends with a carriage return" },
      ],
      fixes: [],
      others: [],
      gaps: [],
    }),
    explain_log: ({ text }) => {
      const line = text.split("\n").findIndex((one) => one.includes("exec format error"));
      const known = line >= 0;
      return {
        schema: "silidock/1",
        container: null,
        exitCode: null,
        finding: null,
        cause: known ? "exec-format-error" : "unknown",
        check: known ? "exec-format-error" : null,
        confidence: "likely",
        architecture: "unknown",
        title: known ? "The file is no program for this machine" : "The log names no known cause",
        why: known ? "The kernel took the file for no program. The words alone do not tell why." : "None of its lines says something that is known here.",
        evidence: known ? [{ place: `log line ${line + 1}`, text: "exec format error" }] : [],
        fixes: [],
        others: [],
        gaps: [],
      };
    },
    inside: ({ subject }) => ({ ...(insides as unknown as InsideDocument), subject }),
    inside_images: look,
    stop_inside: () => ({}),
    stop_change: () => ({}),
    preview_all_safe: allSafe,
    apply_all_safe: () => ({ schema: "silidock/1", done: [], failed: null, notBegun: [] }),
    fix_script: ({ fix }) => ({ schema: "silidock/1", script: scriptOf(fix === null ? allSafe().fixes : [preview(fix.finding, fix.option)]) }),
    show_pin: ({ file, services, platform }) => ({
      title: platform === null ? `Unpin ${listed(services)}` : `Pin ${listed(services)} to ${platform}`,
      summary: `${services.length === 1 ? "Only this value changes" : "Only these values change"}; every other byte stays. No container is touched.`,
      preview: { diffs: [pinDiff(file, services, platform)], commands: [], restarts: [], told: [], files: [] },
      token: JSON.stringify({ file, services, platform }),
    }),
    set_pin: ({ token }) => {
      const { file, services, platform } = JSON.parse(token) as { file: string; services: string[]; platform: string | null };
      const id = `r${history.length + 1}`;
      history.unshift({ id, at: new Date().toISOString(), title: `Pin of ${listed(services)}`, check: null, files: [file], commands: [], state: "applied", verified: "verified", note: null });
      return change("Looked again: the file says so, and docker compose config takes it.", [pinDiff(file, services, platform)], id);
    },
    builders: () => BUILDERS,
    create_builder: () => {
      throw { code: "changed", message: "This was not proposed, or was already done.", hint: "Look again.", detail: [] } satisfies Failure;
    },
    switch_image_store: () => {
      throw { code: "refused", message: "There is no image store to switch on: this engine keeps its images in containerd's store already.", hint: null, detail: [] } satisfies Failure;
    },
    opened: () => ({ projects: [], gone: play === "gone" ? [["/Users/me/old-shop"]] : [], unkept: null }),
    targets: ({ folder, set }) => {
      if (set) throw { code: "refused", message: "Nothing is remembered of a sample or a recording.", hint: "Write it into the sample's own file instead, or leave the sample.", detail: [] } satisfies Failure;
      const said = targets.get(folder) ?? [];
      return { schema: "silidock/1", folder, path: said.length > 0 ? `${folder}/.silidock.toml` : null, line: said.length > 0 ? 2 : null, targets: said, services: {}, images: {}, gaps: [] };
    },
    deploys: ({ image }) => {
      for (const project of recording.compose) {
        const service = (known(project.services) ?? []).find((one) => one.build !== null && one.image === image);
        if (service === undefined || project.folder === null) continue;
        const said = targets.get(project.folder) ?? [];
        return { built: { service: `${project.name}/${service.name}`, targets: said, saidBy: said.length > 0 ? `${project.folder}/.silidock.toml:2` : "", folder: project.folder } };
      }
      return { built: null };
    },
    show_targets: ({ folder, targets: wanted }) => ({
      title: `Say that ${folder.slice(folder.lastIndexOf("/") + 1)} runs on ${wanted.join(", ")}`,
      preview: { diffs: [targetsDiff(folder, targets.get(folder) ?? [], wanted)], commands: [], restarts: [], told: [], files: [] },
      token: `${folder}\n${wanted.join()}`,
    }),
    set_targets: ({ token }) => {
      const [folder = "", list = ""] = token.split("\n");
      const wanted = list === "" ? [] : list.split(",");
      const diff = targetsDiff(folder, targets.get(folder) ?? [], wanted);
      targets.set(folder, wanted);
      const id = `r${history.length + 1}`;
      history.unshift({ id, at: new Date().toISOString(), title: `Say where ${folder.slice(folder.lastIndexOf("/") + 1)} runs`, check: null, files: [diff.path], commands: [], state: "applied", verified: "verified", note: null });
      seenAgain();
      return change("Looked again: the file says so.", [diff], id);
    },
    preview_rebuild: plannedBuild,
    apply_rebuild: async ({ token }) => {
      const [where, how, subject = ""] = token.split(" ");
      const output = where === "push" ? ("push" as const) : ("load" as const);
      stopped = false;
      const steps = ["[internal] load build definition from Dockerfile", "[1/3] FROM docker.io/library/alpine:3", "[2/3] RUN apk add --no-cache build-base", "[3/3] RUN make", "exporting to image"];
      for (const [done, step] of steps.entries()) {
        const progress = { subject, number: 1, of: 1, done, total: steps.length, step, line: step.includes("make") ? "cc -o app main.c" : null };
        tell({ kind: "rebuild", progress });
        await wait(400);
        if (stopped) throw { code: "stopped", message: `Building ${subject} was stopped.`, hint: "The image from before still has its name, and no container was touched.", detail: [] } satisfies Failure;
      }
      const [planned] = plannedBuild({ subjects: [subject], output, context: ".", file: null }).builds;
      const checked = [{ platform: "linux/arm64", verified: "verified" as const, words: "is linux/arm64, and holds 41 linux/arm64", executables: { "linux/arm64": 41 } }];
      const after = output === "load" ? { id: "sha256:5f1c9a0d7b2e", platforms: ["linux/arm64"] } : null;
      const receipt = `r${history.length + 1}`;
      history.unshift({ id: receipt, at: new Date().toISOString(), title: `Build ${subject} again`, check: null, files: [], commands: planned === undefined ? [] : [planned.command], state: "applied", verified: "verified", note: null });
      return {
        schema: "silidock/1",
        receipt,
        applied: true,
        verified: "verified",
        words: "Looked again: everything is what was wanted.",
        builds: [{ reference: subject, output, before: planned?.before ?? null, after, kept: output === "load" ? `silidock-kept/${subject.replace(":", ":20261120-090000-0000-")}` : null, checked }],
        containers: how === "anew" ? runningOn(subject).map(({ name, service, before }) => ({ name, service, before, after: "linux/arm64", verified: "verified" as const, words: "it runs linux/arm64, natively", kept: `silidock-kept/${name}:20261120-090000-0000`, written: `silidock-kept/${name}:20261120-090000-0000-written`, copies: [] })) : [],
      };
    },
    stop_rebuild: () => {
      stopped = true;
      return {};
    },
    history: () => ({ schema: "silidock/1", receipts: [...history] }),
    preview_undo: ({ receipt }) => {
      const entry = history.find((one) => one.id === receipt);
      if (entry === undefined) throw { code: "notFound", message: "That change is not in the history.", hint: null, detail: [] } satisfies Failure;
      return { schema: "silidock/1", entry, diffs: entry.files.map(DIFF), commands: entry.commands, told: [], refused: null };
    },
    apply_undo: ({ receipt }) => {
      const entry = history.find((one) => one.id === receipt);
      if (entry !== undefined) entry.state = "undone";
      // Of the sample's folders the first word is taken back: what they said before is nothing.
      for (const file of entry?.files ?? []) if (file.endsWith("/.silidock.toml")) targets.delete(file.slice(0, -"/.silidock.toml".length));
      seenAgain();
      return change("The file is byte for byte what it was.", [], receipt);
    },
    render_report: ({ format }) => ({ fileName: `silidock.${format}`, content: "" }),
    bench_offer: () => ({ ...OFFER, refused: play === "measuring" ? null : OFFER.refused, running: null }),
    bench: async () => {
      stopped = false;
      const total = 40;
      for (let done = 0; done < total && !stopped; done += 1) {
        const at = measured.run.results[done % measured.run.results.length];
        const workload = measured.run.workloads.find((one) => one.id === at?.workload)?.title ?? null;
        tell({ kind: "bench", progress: { phase: "measuring", workload, lane: at?.lane ?? null, done: done / total, secondsLeft: (total - done) * 0.4 } });
        await wait(400);
      }
      tell({ kind: "bench", progress: { phase: "cleaningUp", workload: null, lane: null, done: 1, secondsLeft: null } });
      return { ...measured, run: { ...measured.run, cutShort: stopped } };
    },
    bench_cancel: () => {
      stopped = true;
      return {};
    },
    bench_history: () => ({ schema: "silidock/1", runs: play === "none" ? [] : benches.map(entry), damaged: [] }),
    bench_run: ({ id }) => benches.find(({ run }) => run.id === id) ?? noBench(id),
    bench_compare: ({ before, after }) => {
      const pair = recordedBench.comparison as unknown as BenchComparison;
      // There are two: compared the other way around, the same is said of the same pair.
      return benches.some(({ run }) => run.id === before) && benches.some(({ run }) => run.id === after) ? pair : noBench(before);
    },
    bench_delete: ({ id }) => {
      const at = benches.findIndex(({ run }) => run.id === id);
      if (at < 0) noBench(id);
      benches.splice(at, 1);
      return { schema: "silidock/1", runs: benches.map(entry), damaged: [] };
    },
    bench_report: ({ format }) => ({ fileName: `silidock-bench.${format}`, content: "" }),
    checks: () => ({
      schema: "silidock/1",
      checks: [
        {
          id: "pin-missing",
          title: "A Compose service runs emulated without a platform: line",
          why: "Nothing in the Compose file says that this service is for another processor, so it runs emulated by accident.",
          severity: "note",
          fires: ["a foreign image and no platform: line"],
          silent: ["the file pins it", "the native variant is already here", "a native service"],
        },
      ],
    }),
  };

  return {
    shell: { os: "macos", overlayTitleBar: true, engine: null, sample: true },
    call: async (name, request) => answers[name](request),
    onEvent: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onDrop: () => () => undefined,
    onMenu: () => () => undefined,
    choosePath: async () => {
      throw { code: "refused", message: "A page in a browser may not ask for folders of this machine.", hint: "Type the path.", detail: [] } satisfies Failure;
    },
    saveReport: async (format, _, about) => `/Users/me/Downloads/silidock-${about === "wayOut" ? "way-out" : "report"}.${format}`,
    saveBenchReport: async (_, format) => `/Users/me/Downloads/silidock-bench.${format}`,
    saveScript: async ({ fix }) => `/Users/me/Downloads/${fix === null ? "silidock-fix-all-safe" : "silidock-fix"}.sh`,
    openReport: async () => undefined,
    revealReport: async () => undefined,
  };
}

export const host: Host = sampleHost(new URLSearchParams(globalThis.location?.search ?? "").get("play"));
