// Words of the benchmark screen, and a command line taken apart as a shell would.

import type { BenchChangeVerdict, BenchProgress, BenchView, BenchWorkloadKind } from "../host/generated";
import { duration } from "./numbers";

export const KINDS: Record<BenchWorkloadKind, string> = {
  processor: "Processor",
  memory: "Memory and threads",
  kernel: "Kernel",
  files: "Files",
  network: "Network",
  own: "Yours",
  harness: "Measuring itself",
};

export const CHANGES: Record<BenchChangeVerdict, { words: string; mark: "native" | "slow" | "note" | "unknown" }> = {
  faster: { words: "Faster", mark: "native" },
  slower: { words: "Slower", mark: "slow" },
  same: { words: "No change", mark: "note" },
  unknown: { words: "Too few samples", mark: "unknown" },
};

const PHASES: Record<BenchProgress["phase"], string> = {
  preparing: "Starting containers and proving which emulator runs them",
  calibrating: "Finding out how much work makes a sample",
  measuring: "Measuring",
  cleaningUp: "Removing what was started",
};

/** "Measuring Hashing in qemu". */
export function doing(progress: BenchProgress): string {
  const phase = PHASES[progress.phase];
  if (progress.phase === "cleaningUp" || progress.workload === null) return phase;
  const lane = progress.lane === null ? "" : ` in ${progress.lane}`;
  return progress.phase === "measuring" ? `${phase} ${progress.workload}${lane}` : `${phase}: ${progress.workload}${lane}`;
}

/** "about 40 s left"; nothing while that cannot be told. */
export function left(progress: BenchProgress): string {
  if (progress.secondsLeft === null || progress.phase === "cleaningUp") return "";
  // Steps of five: a number that jitters is read as a broken one.
  return `about ${duration(Math.max(5, Math.ceil(progress.secondsLeft / 5) * 5)).replace(/\.0/, "")} left`;
}

/** The words of a command line: spaces part them, quotes and backslashes keep them together. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let at = 0; at < line.length; at += 1) {
    const c = line.charAt(at);
    if (quote !== null) {
      if (c === quote) quote = null;
      else if (c === "\\" && quote === '"' && '"\\'.includes(line.charAt(at + 1))) word += line.charAt((at += 1));
      else word += c;
    } else if (c === "'" || c === '"') {
      quote = c;
      word ??= "";
    } else if (c === "\\" && at + 1 < line.length) {
      word = (word ?? "") + line.charAt((at += 1));
    } else if (/\s/.test(c)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? "") + c;
    }
  }
  if (word !== null) words.push(word);
  return words;
}

/** Every result as a table that a spreadsheet takes from the clipboard. */
export function asTable(view: BenchView): string {
  const lines = view.run.results.map((result, index) => {
    const words = view.rows[index];
    return [words?.title ?? result.workload, result.lane, words?.speed ?? "", words?.ratio ?? "", String(result.samples.length)].join("\t");
  });
  return [["Workload", "Lane", "Speed", "Of native", "Samples"].join("\t"), ...lines].join("\n");
}
