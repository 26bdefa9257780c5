// What a Compose service would run here, in the words of the window.

import type { Prospect, ProspectKind } from "../host/generated";
import type { Mark } from "./execution";

const MARKS: Record<ProspectKind, Mark> = { native: "native", emulated: "slow", willNotRun: "broken", unknown: "unknown" };
const WORDS: Record<ProspectKind, string> = { native: "Native", emulated: "Emulated", willNotRun: "Will not run", unknown: "Not known" };

export function prospectManner(would: Prospect): { words: string; mark: Mark } {
  const words = would.kind === "emulated" && would.emulator !== null ? would.emulator : WORDS[would.kind];
  return { words, mark: MARKS[would.kind] };
}
