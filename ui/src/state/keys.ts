// The keys that work everywhere. The menu bar of a Mac asks for the same things by name.

import { host } from "#host";

import type { MenuAction } from "../host/host";
import { SCREENS } from "../screens/screens";
import { session } from "./session.svelte";
import { ui } from "./ui.svelte";

/** Does what a key or a menu asked for; twice does no more than once, because both may ask. */
export function act(action: MenuAction): void {
  if (action === "rescan") {
    if (!session.looking) void session.again();
  } else if (action === "export") {
    if (session.scan !== null && ui.dialog === null) ui.open({ kind: "export" });
  } else if (action === "find") {
    if (ui.dialog === null) document.querySelector<HTMLInputElement>("main input[type=search]")?.select();
  } else if (action === "addFolder") {
    if (session.scan !== null && !session.looking && ui.dialog === null) {
      ui.show("compose");
      void session.addCompose("folder");
    }
  } else if (action === "palette") {
    if (ui.dialog === null) ui.open({ kind: "palette" });
  } else if (action === "engines") {
    if (ui.dialog === null) ui.enginesOpen = true;
  } else {
    const screen = SCREENS[Number(action.slice("screen-".length)) - 1];
    // A dialog holds a change that may be under way; screens stay where they are below it.
    if (screen !== undefined && ui.dialog === null) ui.show(screen.id);
  }
}

function actionOf(event: KeyboardEvent): MenuAction | null {
  const command = host.shell.os === "macos" ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  if (!command || event.altKey || event.shiftKey) return null;
  const named: Record<string, MenuAction> = { r: "rescan", e: "export", f: "find", k: "palette", o: "addFolder" };
  const digit = /^[1-9]$/.exec(event.key);
  return digit === null ? (named[event.key.toLowerCase()] ?? null) : `screen-${Number(digit[0])}`;
}

/** Listens until the function it gives is called. */
export function listenToKeys(): () => void {
  const onkeydown = (event: KeyboardEvent) => {
    const action = actionOf(event);
    if (action === null) return;
    // Also keeps the web view from reloading the page on Cmd-R.
    event.preventDefault();
    act(action);
  };
  window.addEventListener("keydown", onkeydown);
  const stopMenu = host.onMenu(act);
  return () => {
    window.removeEventListener("keydown", onkeydown);
    stopMenu();
  };
}
