// What is open in the window: the screen, its filter, one dialog at a time.

import type { Finding, HistoryEntry, ReportSubject } from "../host/generated";
import type { ScreenId } from "../screens/screens";

export type Dialog =
  | { kind: "why"; finding: Finding }
  | { kind: "fix"; finding: Finding; option: number }
  | { kind: "pin"; file: string; service: string; platform: string | null }
  | { kind: "targets"; folder: string }
  | { kind: "projects" }
  | { kind: "fixAll" }
  | { kind: "script"; fix: { finding: Finding; option: number; title: string } | null }
  | { kind: "undo"; entry: Pick<HistoryEntry, "id" | "title"> }
  | { kind: "export"; about?: ReportSubject | { bench: string } }
  | { kind: "wayOut" }
  | { kind: "inside"; subject: string; name: string; about: "image" | "container"; platform: string | null }
  | { kind: "rebuild"; subject: string }
  | { kind: "explain"; container: string }
  | { kind: "explainLog" }
  | { kind: "allEngines" }
  | { kind: "coverage" }
  | { kind: "connect" }
  | { kind: "palette" };

/** What a table is narrowed to when a number elsewhere leads to it. */
export type Narrow = "all" | "emulated" | "native" | "unknown" | "stopped" | "untagged";

class Ui {
  screen = $state<ScreenId>("diagnosis");
  dialog = $state.raw<Dialog | null>(null);
  enginesOpen = $state(false);
  containers = $state<{ text: string; narrow: Narrow }>({ text: "", narrow: "all" });
  images = $state<{ text: string; narrow: Narrow }>({ text: "", narrow: "all" });
  compose = $state<{ text: string; narrow: Narrow }>({ text: "", narrow: "all" });

  #before: Element | null = null;

  open(dialog: Dialog): void {
    // The first dialog remembers where the keyboard was; one that leads to another does not.
    if (this.dialog === null) this.#before = document.activeElement;
    this.dialog = dialog;
  }

  close(): void {
    this.dialog = null;
    const before = this.#before;
    this.#before = null;
    if (before instanceof HTMLElement && before.isConnected) requestAnimationFrame(() => before.focus());
  }

  show(screen: ScreenId): void {
    this.dialog = null;
    this.screen = screen;
  }
}

export const ui = new Ui();
