// How things run, in the words of the window. What is true is decided by the app; this only names it.

import { gapOf, known } from "../host/host";
import type { ScanContainer, ScanImage, Verified } from "../host/generated";

/** Which colour and sign a word gets; never the only carrier of its meaning. */
export type Mark = "native" | "slow" | "broken" | "note" | "unknown";

export interface Manner {
  words: string;
  mark: Mark;
  /** Why it is not known, or what it was concluded from. */
  why: string | null;
  /** Sorts and filters by this. */
  kind: "emulated" | "unknown" | "native" | "stopped";
}

const EMULATORS: Record<string, string> = { qemu: "QEMU", rosetta: "Rosetta" };

export function emulatorName(emulator: string | null): string {
  return emulator === null ? "an emulator" : (EMULATORS[emulator] ?? emulator);
}

export function containerManner(container: ScanContainer): Manner {
  const seen = container.evidence[0];
  const why = seen === undefined ? null : `${seen.place}: ${seen.text}`;
  switch (container.execution) {
    case "native":
      return { words: "Native", mark: "native", why, kind: "native" };
    case "emulated":
      return { words: emulatorName(container.emulator), mark: "slow", why, kind: "emulated" };
    case "mixed":
      return { words: container.emulator === null ? "Mixed" : `Partly ${emulatorName(container.emulator)}`, mark: "slow", why, kind: "emulated" };
    case "unknown":
      return { words: "Not known", mark: "unknown", why: container.executionGap?.why ?? null, kind: "unknown" };
    case "notRunning":
      return stopped(container);
  }
}

function stopped(container: ScanContainer): Manner {
  const gap = gapOf(container.expected);
  if (gap !== null) return { words: "Not running", mark: "unknown", why: gap.why, kind: "stopped" };
  return known(container.expected) === "emulated"
    ? { words: "Would run emulated", mark: "slow", why: "Its platform is foreign to this engine.", kind: "stopped" }
    : { words: "Would run natively", mark: "note", why: "Its platform is the engine's own.", kind: "stopped" };
}

export interface ImageManner {
  words: string;
  mark: Mark;
  why: string;
  kind: "emulated" | "unknown" | "native";
}

export function imageManner(image: ScanImage): ImageManner {
  const gap = gapOf(image.native);
  if (gap !== null) return { words: "Not known", mark: "unknown", why: gap.why, kind: "unknown" };
  return known(image.native)
    ? { words: "Native", mark: "native", why: "A platform of this engine is here.", kind: "native" }
    : { words: "Emulated", mark: "slow", why: "None of its platforms that are here is the engine's own.", kind: "emulated" };
}

/** What looking again found after a change that was for no finding: somebody had said what they want. */
export const WISHED: Record<Verified, { words: string; mark: Mark }> = {
  verified: { words: "Checked: it is as wanted", mark: "native" },
  stillPresent: { words: "It is not as wanted", mark: "slow" },
  couldNotTell: { words: "Could not tell", mark: "unknown" },
};

/** The same after a fix: whether its finding is gone. */
export const VERIFIED: Record<Verified, { words: string; mark: Mark }> = {
  verified: { words: "Checked: it is gone", mark: "native" },
  stillPresent: { words: "Still there", mark: "slow" },
  couldNotTell: { words: "Could not tell", mark: "unknown" },
};
