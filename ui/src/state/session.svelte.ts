// What the window knows: the last view, what failed, the engines, the history, the checks. It asks the host, keeps the
// answers and never judges them. Which screen or dialog is open stands in ui.svelte.ts.

import { host } from "#host";

import type { ChangeProgress, CheckInfo, EngineChoice, Event, Failure, HistoryEntry, InsideProgress, OpenedDocument, RebuildProgress, RegistryLimit, ScanRequest, ScanView } from "../host/generated";
import { asFailure } from "../host/host";
import { supersedes } from "./order";
import { ui } from "./ui.svelte";

class Session {
  view = $state.raw<ScanView | null>(null);
  /** Nothing can be shown, and why. */
  failure = $state.raw<Failure | null>(null);
  /** Why the sample is shown although nobody asked for it. */
  fallback = $state.raw<Failure | null>(null);
  /** What is shown is from before this happened. */
  lost = $state.raw<Failure | null>(null);
  /** Looked for an engine from the sample, and found none. */
  stillNone = $state(false);
  /** A look that was asked for in this window is under way. */
  looking = $state(false);
  /** Throw-away containers are proving which emulator runs. */
  proving = $state(false);
  proofFailure = $state.raw<Failure | null>(null);
  /** Registries are being asked: about one image, or about all. */
  asking = $state.raw<string | "all" | null>(null);
  askFailure = $state.raw<Failure | null>(null);
  /** What registries said last of how many questions they allow. */
  limits = $state.raw<RegistryLimit[]>([]);
  /** How far a rebuild is, and the end of what its steps printed. */
  rebuild = $state.raw<RebuildProgress | null>(null);
  rebuildLines = $state.raw<readonly string[]>([]);
  /** How far a look inside is. */
  inside = $state.raw<InsideProgress | null>(null);
  /** The images that containers are made from are being looked into. */
  insideAll = $state(false);
  insideFailure = $state.raw<Failure | null>(null);
  /** What was dropped could not be opened. */
  openFailure = $state.raw<Failure | null>(null);
  /** Compose files and folders that were opened here, and those that have gone since. */
  opened = $state.raw<OpenedDocument | null>(null);
  /** What a change of an engine does now. */
  change = $state.raw<ChangeProgress | null>(null);
  engines = $state.raw<EngineChoice[] | null>(null);
  enginesFailure = $state.raw<Failure | null>(null);
  history = $state.raw<HistoryEntry[] | null>(null);
  historyFailure = $state.raw<Failure | null>(null);
  checks = $state.raw<ReadonlyMap<string, CheckInfo>>(new Map());

  readonly scan = $derived(this.view?.scan ?? null);

  #asked = 0;
  #lostAt = 0;
  #lostBefore = 0;
  #target: ScanRequest = { engine: host.shell.sample ? null : host.shell.engine, sample: host.shell.sample };

  /** Begins: listens, and looks for the first time. Gives the function that ends it. */
  start(): () => void {
    const stop = host.onEvent((event) => this.#hear(event));
    const stopDrops = host.onDrop((paths) => void this.openCompose(paths));
    void this.#look(this.#target);
    void this.readChecks();
    void this.readOpened();
    return () => {
      stop();
      stopDrops();
    };
  }

  /** Looks at another engine, or at the sample: what was shown of the last one goes away. */
  async choose(target: ScanRequest): Promise<void> {
    this.#target = target;
    this.view = null;
    this.lost = null;
    this.fallback = null;
    await this.#look(target);
  }

  /** Looks again at the same. */
  async again(): Promise<void> {
    await this.#look(this.#target);
  }

  /** From the sample to a real engine: the one asked for at the start, Docker's own choice, or any that is there. */
  async leaveSample(): Promise<void> {
    this.looking = true;
    await this.readEngines();
    this.looking = false;
    const real = (this.engines ?? []).filter((engine) => !engine.sample && engine.present && engine.problem === null);
    const choice = host.shell.engine ?? (real.find((engine) => engine.current) ?? real[0])?.choose;
    if (choice === undefined) this.stillNone = true;
    else await this.choose({ engine: choice, sample: false });
  }

  async #look(target: ScanRequest): Promise<void> {
    const asked = ++this.#asked;
    this.#lostBefore = this.#lostAt;
    this.looking = true;
    this.failure = null;
    this.stillNone = false;
    try {
      this.#accept(await host.call("scan", target));
    } catch (thrown) {
      if (asked !== this.#asked) return;
      const failure = asFailure(thrown);
      if (this.view === null) this.failure = failure;
      else this.lost = failure;
    } finally {
      if (asked === this.#asked) {
        this.looking = false;
        // The sample keeps a history of its own, and its engines are offered only while it is shown.
        void this.readHistory();
        void this.readEngines();
      }
    }
  }

  /** Proves which emulator runs, by throw-away containers; the view with the answer arrives as an event. */
  async prove(how: { guarded: boolean; builds: boolean } = { guarded: false, builds: false }): Promise<void> {
    this.proving = true;
    this.proofFailure = null;
    try {
      await host.call("emulator", { engine: null, ...how });
    } catch (thrown) {
      this.proofFailure = asFailure(thrown);
    } finally {
      this.proving = false;
    }
  }

  /** Asks the registries of one image, or of everything that is shown; the view with the answer arrives as an event. */
  async ask(image: string | "all"): Promise<void> {
    this.asking = image;
    this.askFailure = null;
    try {
      this.limits = (await host.call("ask_registry", { images: image === "all" ? [] : [image] })).limits;
    } catch (thrown) {
      this.askFailure = asFailure(thrown);
    } finally {
      this.asking = null;
    }
  }

  /** Looks inside the images that containers are made from, and judges again. */
  async lookInside(): Promise<void> {
    this.insideAll = true;
    this.insideFailure = null;
    this.inside = null;
    try {
      this.#accept(await host.call("inside_images", { scope: "used" }));
    } catch (thrown) {
      this.insideFailure = asFailure(thrown);
    } finally {
      this.insideAll = false;
    }
  }

  async stopInside(): Promise<void> {
    await host.call("stop_inside", {}).catch(() => undefined);
  }

  /** Judges Compose files or folders that were dropped, each a project of its own, before anything of them is pulled. */
  async openCompose(paths: string[]): Promise<void> {
    this.openFailure = null;
    // The list of projects stays open where it is the one that adds to itself.
    if (ui.dialog?.kind !== "projects") ui.show("compose");
    if (this.#sampleRefuses()) return;
    this.looking = true;
    try {
      this.#accept(await host.call("scan", { ...this.#target, compose: paths.map((path) => [path]) }));
    } catch (thrown) {
      this.openFailure = asFailure(thrown);
    } finally {
      this.looking = false;
      void this.readOpened();
    }
  }

  /** Asks for a folder or a Compose file in the system's dialog, and judges it like one that was dropped. */
  async addCompose(wanted: "folder" | "composeFile"): Promise<void> {
    this.openFailure = null;
    if (this.#sampleRefuses()) return;
    let path: string | null = null;
    try {
      path = await host.choosePath(wanted);
    } catch (thrown) {
      this.openFailure = asFailure(thrown);
    }
    if (path !== null) await this.openCompose([path]);
  }

  #sampleRefuses(): boolean {
    if (this.scan?.sample !== true) return false;
    this.openFailure = { code: "refused", message: "The sample judges its own files alone.", hint: "Leave the sample, then open the file again.", detail: [] };
    return true;
  }

  /** Takes what was opened off the list, and looks again without it. */
  async forgetCompose(paths: string[]): Promise<void> {
    this.openFailure = null;
    try {
      this.opened = await host.call("opened", { forget: [paths] });
      await this.again();
    } catch (thrown) {
      this.openFailure = asFailure(thrown);
    }
  }

  /** What has gone was told and need not be told on. */
  forgetGone(): void {
    if (this.opened !== null) this.opened = { ...this.opened, gone: [] };
  }

  async readOpened(): Promise<void> {
    const told = this.opened?.gone;
    try {
      const answer = await host.call("opened", { forget: [] });
      this.opened = told === undefined ? answer : { ...answer, gone: told };
    } catch {
      // What was opened shows with the projects all the same; only forgetting has to wait.
      this.opened = null;
    }
  }

  async readEngines(): Promise<void> {
    try {
      this.engines = (await host.call("engines", {})).engines;
      this.enginesFailure = null;
    } catch (thrown) {
      this.enginesFailure = asFailure(thrown);
    }
  }

  async readHistory(): Promise<void> {
    try {
      this.history = (await host.call("history", {})).receipts;
      this.historyFailure = null;
    } catch (thrown) {
      this.historyFailure = asFailure(thrown);
    }
  }

  async readChecks(): Promise<void> {
    try {
      const { checks } = await host.call("checks", {});
      this.checks = new Map(checks.map((check) => [check.id, check]));
    } catch {
      // Panels then show the finding without the check's general words.
      this.checks = new Map();
    }
  }

  #hear(event: Event): void {
    if (event.kind === "scan") this.#accept(event.view);
    else if (event.kind === "inside") this.inside = event.progress;
    else if (event.kind === "rebuild") {
      this.rebuild = event.progress;
      if (event.progress.line !== null) this.rebuildLines = [...this.rebuildLines.slice(-199), event.progress.line];
    }
    else if (event.kind === "change") this.change = event.progress;
    else if (event.kind === "lost") {
      this.#lostAt = Date.now();
      if (this.view !== null) this.lost = event.failure;
      else if (!this.looking) this.failure = event.failure;
    }
  }

  #accept(view: ScanView): void {
    if (!supersedes(view, this.view)) return;
    // A look that had begun when the engine went away may still end, with most of it missing. What was seen whole before
    // stays, and the engine is no less gone.
    const late = this.#lostBefore !== this.#lostAt && Date.parse(view.scan.takenAt) <= this.#lostAt;
    if (late && this.view !== null) return;
    this.view = view;
    // Only the first look says so; the sample stays a stand-in until an engine or the sample itself is chosen.
    this.fallback = view.scan.sample ? (view.fallback ?? this.fallback) : null;
    this.failure = null;
    this.lost = null;
  }
}

export const session = new Session();
