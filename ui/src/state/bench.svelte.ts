// Benchmarks in the window: what can be measured, what is chosen, how far a run is, and the run that is shown.
// It asks the host and keeps the answers; medians, ratios and their words come from there.

import { host } from "#host";

import type { BenchComparison, BenchHistory, BenchMode, BenchOffer, BenchProgress, BenchRequest, BenchView, Failure } from "../host/generated";
import { asFailure, known } from "../host/host";
import { splitWords } from "../words/bench";

class Bench {
  offer = $state.raw<BenchOffer | null>(null);
  history = $state.raw<BenchHistory | null>(null);
  view = $state.raw<BenchView | null>(null);
  comparison = $state.raw<BenchComparison | null>(null);
  progress = $state.raw<BenchProgress | null>(null);
  /** A run was asked to end, and removes what it started. */
  ending = $state(false);
  failure = $state.raw<Failure | null>(null);

  mode = $state<BenchMode>("quick");
  /** Lanes and workloads that are left out. */
  without = $state<{ lanes: string[]; workloads: string[] }>({ lanes: [], workloads: [] });
  kind = $state<"workloads" | "own" | "build">("workloads");
  image = $state("");
  command = $state("");
  folder = $state("");
  /** An image with a static QEMU, where another emulator is set; empty: none. */
  qemuImage = $state("");
  qemuPull = $state(false);

  readonly running = $derived(this.progress !== null);
  readonly lanes = $derived(this.offer === null ? [] : (known(this.offer.lanes) ?? []));
  readonly chosenLanes = $derived(this.lanes.filter((lane) => lane.unavailable === null && !this.without.lanes.includes(lane.name)));
  /** Another emulator runs foreign programs here, so QEMU can only be measured beside it. */
  readonly qemuBeside = $derived(this.lanes.some((lane) => lane.unavailable === null && lane.name !== "native" && !lane.name.startsWith("qemu")));
  readonly offered = $derived((this.offer?.workloads ?? []).filter((one) => this.mode === "normal" || one.quick));
  readonly chosenWorkloads = $derived(this.offered.filter((one) => !this.without.workloads.includes(one.id)));
  /** Why it cannot be started as it is chosen now. */
  readonly missing = $derived.by(() => {
    if (this.kind === "own") return this.image.trim() === "" ? "Choose an image." : null;
    if (this.kind === "build") return this.folder.trim() === "" ? "Name the folder or the Dockerfile." : null;
    return this.chosenWorkloads.length === 0 ? "Choose a workload." : null;
  });

  #view = 0;

  constructor() {
    host.onEvent((event) => {
      // The last word of a run may come after its answer.
      if (event.kind === "bench" && this.running) this.progress = event.progress;
    });
  }

  /** Reads what can be measured and what is kept; shows the newest run where none is shown yet. */
  async refresh(): Promise<void> {
    await this.#attempt(async () => {
      const [offer, history] = await Promise.all([host.call("bench_offer", {}), host.call("bench_history", {})]);
      this.offer = offer;
      this.history = history;
      this.progress ??= offer.running;
      const newest = history.runs[0];
      if (this.view !== null && !history.runs.some((run) => run.id === this.view?.run.id)) this.view = null;
      if (this.view === null && newest !== undefined) await this.open(newest.id);
    });
  }

  request(): BenchRequest {
    const all = this.chosenLanes.length === this.lanes.filter((lane) => lane.unavailable === null).length;
    const lanes = all ? [] : this.chosenLanes.map((lane) => lane.name);
    const whole = this.chosenWorkloads.length === this.offered.length;
    return {
      engine: null,
      lanes,
      workloads: this.kind !== "workloads" || whole ? [] : this.chosenWorkloads.map((one) => one.id),
      mode: this.mode,
      own: this.kind === "own" ? { image: this.image.trim(), platforms: [], command: splitWords(this.command) } : null,
      build: this.kind === "build" ? { path: this.folder.trim(), platforms: [] } : null,
      qemu: this.qemuBeside && this.qemuImage.trim() !== "" ? { image: this.qemuImage.trim(), pull: this.qemuPull } : null,
      seed: null,
    };
  }

  async run(): Promise<void> {
    this.failure = null;
    this.comparison = null;
    this.ending = false;
    this.progress = { phase: "preparing", workload: null, lane: null, done: 0, secondsLeft: null };
    await this.#attempt(async () => {
      const view = await host.call("bench", this.request());
      this.#view += 1;
      this.view = view;
    });
    this.progress = null;
    this.ending = false;
    const failure = this.failure;
    await this.refresh();
    this.failure ??= failure;
  }

  /** Ends the run early; what it measured until then is kept, what it started is removed. */
  async cancel(): Promise<void> {
    this.ending = true;
    await this.#attempt(async () => {
      await host.call("bench_cancel", {});
    });
  }

  async open(id: string): Promise<void> {
    const asked = ++this.#view;
    await this.#attempt(async () => {
      const view = await host.call("bench_run", { id });
      if (asked !== this.#view) return;
      this.view = view;
      this.comparison = null;
    });
  }

  async compare(before: string, after: string): Promise<void> {
    await this.#attempt(async () => {
      this.comparison = await host.call("bench_compare", { before, after });
    });
  }

  async forget(id: string): Promise<void> {
    await this.#attempt(async () => {
      this.history = await host.call("bench_delete", { id });
      if (this.view?.run.id !== id) return;
      this.view = null;
      this.comparison = null;
      const newest = this.history.runs[0];
      if (newest !== undefined) await this.open(newest.id);
    });
  }

  async #attempt(what: () => Promise<void>): Promise<void> {
    try {
      await what();
    } catch (thrown) {
      this.failure = asFailure(thrown);
    }
  }
}

export const bench = new Bench();
