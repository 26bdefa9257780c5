import { expect, test } from "vitest";

import type { InsideFolder, InsideProblem } from "../host/generated";
import { treeRows, type TreeChoice } from "./tree";

const folder = (path: string, byArch: Record<string, number>, layers: number[] = [0], problems: number[] = []): InsideFolder => ({ path, byArch, layers, problems });
const problem = (path: string, arch: string | null, intended = false, layer?: number): InsideProblem => ({
  check: "foreign-binary",
  severity: "slow",
  path,
  arch,
  detail: "",
  first: false,
  count: 1,
  intended,
  ...(layer === undefined ? {} : { layer }),
});

const PROBLEMS = [problem("/opt/tool/bin/wait", "linux/amd64", false, 2), problem("/app/node_modules/x/prebuilds/a.node", "linux/amd64", true, 1)];
const FOLDERS = [
  folder("/usr/bin", { "linux/arm64": 400 }),
  folder("/usr/lib", { "linux/arm64": 90 }, [0, 1]),
  folder("/opt/tool/bin", { "linux/amd64": 1 }, [2], [0]),
  folder("/app/node_modules/x/prebuilds", { "linux/amd64": 1, "linux/arm64": 1 }, [1], [1]),
];
const ALL: TreeChoice = { text: "", arch: null, layer: null };

const drawn = (choice: Partial<TreeChoice>, turned: string[] = []) =>
  treeRows(FOLDERS, PROBLEMS, { ...ALL, ...choice }, new Set(turned)).map(
    (row) => `${"  ".repeat(row.depth)}${row.open === null ? "" : row.open ? "v " : "> "}${row.words} ${Object.entries(row.byArch).map(([arch, n]) => `${arch.slice(6)} ${n}`).join(" ")}${row.troubled > 0 ? " !" : ""}`,
  );

test.each<[string, Partial<TreeChoice>, string[], string[]]>([
  ["single chains are one row, what is fine is closed", {}, [], ["v / arm64 491 amd64 2 !", "  app/node_modules/x/prebuilds amd64 1 arm64 1", "  opt/tool/bin amd64 1 !", "  > usr arm64 490"]],
  ["turned by hand", {}, ["/usr"], ["v / arm64 491 amd64 2 !", "  app/node_modules/x/prebuilds amd64 1 arm64 1", "  opt/tool/bin amd64 1 !", "  v usr arm64 490", "    bin arm64 400", "    lib arm64 90"]],
  ["closed at the top", {}, ["/"], ["> / arm64 491 amd64 2 !"]],
  ["by architecture", { arch: "linux/amd64" }, [], ["v / amd64 2 !", "  app/node_modules/x/prebuilds amd64 1", "  opt/tool/bin amd64 1 !"]],
  ["by layer", { layer: 2 }, [], ["/opt/tool/bin amd64 1 !"]],
  ["by text, open", { text: " USR/LIB" }, [], ["/usr/lib arm64 90"]],
  ["by a file that has a problem", { text: "wait" }, [], ["/opt/tool/bin amd64 1 !"]],
  ["nothing fits", { text: "nowhere" }, [], ["/ "]],
])("%s", (_, choice, turned, expected) => expect(drawn(choice, turned)).toEqual(expected));

test("what stands for many is found by any of its examples, and a layer that brought nothing shows nothing", () => {
  const many: InsideProblem = { ...problem("/srv", "linux/amd64"), count: 3, examples: ["/srv/a.so", "/srv/b.so"] };
  const rows = (choice: Partial<TreeChoice>) => treeRows([folder("/srv", { "linux/amd64": 3 }, [1], [0])], [many], { ...ALL, ...choice }, new Set());
  expect(rows({ text: "b.so" })[0]?.problems).toEqual([many]);
  expect(rows({ layer: 7 }).map((row) => row.byArch)).toEqual([{}]);
});
