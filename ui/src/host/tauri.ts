// The window inside Tauri. The only file that imports it.

import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";

import type { Event } from "./generated";
import type { Host, MenuAction, Shell } from "./host";

declare global {
  interface Window {
    /** Set by the shell before this script runs. */
    readonly SILIDOCK_SHELL: Shell;
  }
}

function subscribe<T>(name: string, listener: (payload: T) => void): () => void {
  const stop = listen<T>(name, (event) => listener(event.payload));
  return () => void stop.then((unlisten) => unlisten());
}

export const host: Host = {
  shell: window.SILIDOCK_SHELL,
  call: (name, request) => invoke(name, { request }),
  onEvent: (listener) => subscribe<Event>("silidock", listener),
  onDrop: (listener) => subscribe<{ paths: string[] }>("tauri://drag-drop", ({ paths }) => listener(paths)),
  onMenu: (listener) => subscribe<MenuAction>("silidock-menu", listener),
  choosePath: (wanted) => invoke("choose_path", { wanted }),
  saveReport: (format, redact, about) => invoke("save_report", { request: { format, redact, about } }),
  saveBenchReport: (id, format, redact) => invoke("save_bench_report", { request: { id, format, redact } }),
  saveScript: (request, shown) => invoke("save_script", { request, shown }),
  openReport: (path) => invoke("open_report", { path }),
  revealReport: (path) => invoke("reveal_report", { path }),
};
