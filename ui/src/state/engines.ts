// What the engine switcher and the palette offer: the engines of this machine, the sample, and where nothing is.
// In this order: what can be chosen comes before what was only looked for.

import type { EngineChoice, ScanRequest } from "../host/generated";

export interface EngineEntry {
  key: string;
  name: string;
  detail: string;
  endpoint: string;
  current: boolean;
  /** Why it will hardly work, if that is known without connecting. */
  problem: string | null;
  present: boolean;
  target: ScanRequest;
}

export function engineChoices(engines: readonly EngineChoice[] | null): EngineEntry[] {
  const real = (engines ?? []).map((engine): EngineEntry => ({
    key: engine.choose,
    name: engine.name,
    endpoint: engine.endpoint,
    current: engine.current,
    detail: engine.sample ? "recorded" : engine.current ? `${engine.endpoint}, Docker's own choice` : engine.endpoint,
    problem: engine.problem ?? (engine.present ? null : "nothing is there"),
    present: engine.present && engine.problem === null,
    target: { engine: engine.choose, sample: engine.sample },
  }));
  const samples = real.filter((entry) => entry.target.sample);
  const sample: EngineEntry = {
    key: "sample",
    name: "Explore a sample Mac",
    detail: "a recording; nothing of yours",
    endpoint: "sample",
    current: false,
    problem: null,
    present: true,
    target: { engine: null, sample: true },
  };
  const there = real.filter((entry) => entry.present && !entry.target.sample);
  const absent = real.filter((entry) => !entry.present && !entry.target.sample);
  return [...there, ...(samples.length > 0 ? samples : [sample]), ...absent];
}
