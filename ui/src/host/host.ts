// The only door of the window: what it may ask for, and what it is told. No Tauri here; tauri.ts and sample.ts implement it.

import type { Commands, Event, Fact, Failure, FailureCode, Gap, ReportFormat, ReportSubject, ScriptRequest } from "./generated";

/** What the shell knows before the first paint. */
export interface Shell {
  /** `macos`, `linux` ... */
  os: string;
  /** The window's close, minimise and zoom buttons lie over the page. */
  overlayTitleBar: boolean;
  /** Engine asked for on the command line or in the environment. */
  engine: string | null;
  /** The sample was asked for. */
  sample: boolean;
}

/** Things the menu bar asks for. */
export type MenuAction = "rescan" | "export" | "addFolder" | "find" | "palette" | "engines" | `screen-${number}`;

/** What the system's dialog is opened for. */
export type WantedPath = "folder" | "composeFile" | "dockerfile";

export interface Host {
  readonly shell: Shell;
  call<K extends keyof Commands>(name: K, request: Commands[K]["request"]): Promise<Commands[K]["response"]>;
  /** Calls back with everything the app says by itself; gives the function that ends it. */
  onEvent(listener: (event: Event) => void): () => void;
  /** Calls back with the paths of files and folders that were dropped on the window. */
  onDrop(listener: (paths: string[]) => void): () => void;
  onMenu(listener: (action: MenuAction) => void): () => void;
  /** Asks for a folder or file of this machine in the system's dialog; null when the person changes their mind. */
  choosePath(wanted: WantedPath): Promise<string | null>;
  /** Saves what is shown, or the way out list of it, where the person says; null when they change their mind. */
  saveReport(format: ReportFormat, redact: boolean, about: ReportSubject): Promise<string | null>;
  /** Saves the report of one benchmark likewise. */
  saveBenchReport(id: string, format: ReportFormat, redact: boolean): Promise<string | null>;
  /** Saves the script of a fix, or of all safe ones, likewise: the one that was shown, or none. */
  saveScript(request: ScriptRequest, shown: string): Promise<string | null>;
  /** Opens a report that was saved in this run. */
  openReport(path: string): Promise<void>;
  /** Shows a report or a script that was saved in this run in its folder. */
  revealReport(path: string): Promise<void>;
}

/** Every one, which the type holds to: a code that is missing here would be told as a defect of this program. */
const CODES: Record<FailureCode, true> = { noEngine: true, engine: true, notFound: true, changed: true, refused: true, file: true, runtime: true, stopped: true };

/** What was thrown, as a failure: the app's own, or a defect of this program named as one. */
export function asFailure(thrown: unknown): Failure {
  if (typeof thrown === "object" && thrown !== null && "code" in thrown && "message" in thrown) {
    const failure = thrown as Failure;
    if (Object.hasOwn(CODES, failure.code)) return failure;
  }
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "engine", message: "Silidock itself failed.", hint: "Try again.", detail: [text] };
}

/** The gap in a fact's place, if there is one. */
export function gapOf<T>(fact: Fact<T>): Gap | null {
  return typeof fact === "object" && fact !== null && "unknown" in fact ? fact.unknown : null;
}

/** The value of a fact, if it is known. */
export function known<T>(fact: Fact<T>): T | null {
  return gapOf(fact) === null ? (fact as T) : null;
}
