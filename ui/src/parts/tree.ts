// The folders of an image as a tree: only what holds something is in it, chains of single folders are one row, and what
// has a problem is open. Pure; InsideTree.svelte draws it.

import type { InsideFolder, InsideProblem } from "../host/generated";

export interface TreeRow {
  /** Absolute path of the folder. */
  path: string;
  /** What the row says: the path from the row above it. */
  words: string;
  depth: number;
  /** Null where nothing lies below. */
  open: boolean | null;
  /** Programs and libraries right in it and below, by platform. */
  byArch: Readonly<Record<string, number>>;
  /** Problems right in it. */
  problems: readonly InsideProblem[];
  /** Problems below that are not meant to be there. */
  troubled: number;
}

export interface TreeChoice {
  /** Part of a path; empty for all. */
  text: string;
  /** A platform; null for all. */
  arch: string | null;
  /** A layer's number; null for all. */
  layer: number | null;
}

interface Node {
  path: string;
  own: InsideFolder | null;
  problems: InsideProblem[];
  below: Map<string, Node>;
  byArch: Record<string, number>;
  troubled: number;
}

const parts = (path: string): string[] => path.split("/").filter((part) => part !== "");
const node = (path: string): Node => ({ path, own: null, problems: [], below: new Map(), byArch: {}, troubled: 0 });

/** The tree's rows, top to bottom. `turned` are the folders that were opened or closed by hand. */
export function treeRows(folders: readonly InsideFolder[], problems: readonly InsideProblem[], choice: TreeChoice, turned: ReadonlySet<string>): TreeRow[] {
  const root = node("/");
  for (const folder of folders) {
    const own = folder.problems.flatMap((at) => problems[at] ?? []).filter((problem) => fitsProblem(problem, choice));
    if (!fitsFolder(folder, choice) && own.length === 0) continue;
    let at = root;
    for (const part of parts(folder.path)) {
      const next = at.below.get(part) ?? node(`${at.path === "/" ? "" : at.path}/${part}`);
      at.below.set(part, next);
      at = next;
    }
    at.own = folder;
    at.problems = own;
  }
  sum(root, choice);
  const rows: TreeRow[] = [];
  lay(root, "/", 0, choice.text.trim() !== "", turned, rows);
  return rows;
}

function fitsProblem(problem: InsideProblem, choice: TreeChoice): boolean {
  if (choice.arch !== null && problem.arch !== choice.arch) return false;
  if (choice.layer !== null && problem.layer !== choice.layer) return false;
  return [problem.path, ...(problem.examples ?? [])].some((path) => fitsText(path, choice.text));
}

function fitsFolder(folder: InsideFolder, choice: TreeChoice): boolean {
  if (choice.arch !== null && !(choice.arch in folder.byArch)) return false;
  if (choice.layer !== null && !folder.layers.includes(choice.layer)) return false;
  return fitsText(folder.path, choice.text);
}

function fitsText(path: string, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  return wanted === "" || path.toLowerCase().includes(wanted);
}

function sum(at: Node, choice: TreeChoice): void {
  at.troubled = at.problems.filter((problem) => !problem.intended).length;
  for (const [arch, count] of Object.entries(at.own?.byArch ?? {})) if (choice.arch === null || arch === choice.arch) at.byArch[arch] = count;
  for (const next of at.below.values()) {
    sum(next, choice);
    at.troubled += next.troubled;
    for (const [arch, count] of Object.entries(next.byArch)) at.byArch[arch] = (at.byArch[arch] ?? 0) + count;
  }
}

function lay(at: Node, words: string, depth: number, all: boolean, turned: ReadonlySet<string>, rows: TreeRow[]): void {
  const below = [...at.below.entries()];
  const only = below[0];
  // Nothing lies in it but one folder: both are one row.
  if (below.length === 1 && only !== undefined && at.own === null) {
    lay(only[1], words === "/" ? `/${only[0]}` : `${words}/${only[0]}`, depth, all, turned, rows);
    return;
  }
  const wants = all || depth === 0 || at.troubled > at.problems.filter((problem) => !problem.intended).length;
  const open = below.length === 0 ? null : wants !== turned.has(at.path);
  rows.push({ path: at.path, words, depth, open, byArch: at.byArch, problems: at.problems, troubled: at.troubled });
  if (open !== true) return;
  for (const [name, next] of below.sort(([a], [b]) => a.localeCompare(b, "en"))) lay(next, name, depth + 1, all, turned, rows);
}
