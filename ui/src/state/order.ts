// Which of two views is the newer one. Answers and events overtake each other on their way here.

import type { ScanView } from "../host/generated";

/** Whether `next` may take the place of `current`. */
export function supersedes(next: ScanView, current: ScanView | null): boolean {
  if (current === null || next.generation > current.generation) return true;
  // Parts of one look only ever arrive, so the view that waits for fewer is the newer one.
  return next.generation === current.generation && next.pending.length < current.pending.length;
}
