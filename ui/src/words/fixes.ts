// The words of fixes, findings and changes.

import type { About, ChangeState, Confidence, Safety, Severity } from "../host/generated";
import type { Mark } from "./execution";

export const SAFETY: Record<Safety, { words: string; mark: Mark; explain: string }> = {
  safe: { words: "Safe", mark: "native", explain: "Cannot make anything worse. Can be undone from History." },
  review: { words: "Review", mark: "slow", explain: "Right in most cases: read what changes. Can be undone from History." },
  showOnly: { words: "Only shows what to do", mark: "note", explain: "Silidock changes nothing here." },
};

export const SEVERITY: Record<Severity, { words: string; mark: Mark }> = {
  broken: { words: "Broken", mark: "broken" },
  slow: { words: "Slow", mark: "slow" },
  note: { words: "Note", mark: "note" },
};

export const CONFIDENCE: Record<Confidence, { words: string; explain: string }> = {
  likely: { words: "Likely", explain: "The signs point to it; it was not seen itself." },
  certain: { words: "Certain", explain: "It was seen." },
  measured: { words: "Measured", explain: "It was seen, and put in numbers here." },
};

export const CHANGE: Record<ChangeState, { words: string; mark: Mark; explain: string }> = {
  applied: { words: "Applied", mark: "native", explain: "" },
  undone: { words: "Undone", mark: "note", explain: "" },
  takenBack: { words: "Taken back", mark: "slow", explain: "A step failed, and everything was brought back to how it was." },
  interrupted: { words: "Interrupted", mark: "slow", explain: "The program ended in the middle of it." },
  damaged: { words: "Unreadable", mark: "broken", explain: "Its receipt cannot be read." },
};

/** Whether the architecture has to do with it. */
export const ARCHITECTURE: Record<About, { words: string; mark: Mark }> = {
  yes: { words: "It is the architecture", mark: "broken" },
  no: { words: "It is not the architecture", mark: "note" },
  unknown: { words: "It may be the architecture", mark: "unknown" },
};
