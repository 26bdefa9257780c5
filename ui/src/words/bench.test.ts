import { expect, test } from "vitest";

import type { BenchProgress, BenchView } from "../host/generated";
import { asTable, doing, left, splitWords } from "./bench";

test("a command line is taken apart as a shell would", () => {
  const rows: [string, string[]][] = [
    ["", []],
    ["  ls  -l ", ["ls", "-l"]],
    ["sh -c 'echo \"two words\"'", ["sh", "-c", 'echo "two words"']],
    ['say "a \\"b\\" \\n" c\\ d', ["say", 'a "b" \\n', "c d"]],
    ["empty '' word", ["empty", "", "word"]],
    ["--x='a b'c", ["--x=a bc"]],
    ["open 'quote", ["open", "quote"]],
  ];
  for (const [line, words] of rows) expect(splitWords(line), line).toEqual(words);
});

test("progress says what is done and about how long it takes", () => {
  const progress: BenchProgress = { phase: "measuring", workload: "Hashing", lane: "qemu", done: 0.4, secondsLeft: 37.2 };
  expect(doing(progress)).toBe("Measuring Hashing in qemu");
  expect(left(progress).replace(/\u00a0/g, " ")).toBe("about 40 s left");
  expect(left({ ...progress, secondsLeft: 4 }).replace(/\u00a0/g, " ")).toBe("about 5 s left");
  expect(left({ ...progress, secondsLeft: null })).toBe("");
  expect(doing({ ...progress, phase: "cleaningUp" })).toBe("Removing what was started");
  expect(doing({ ...progress, phase: "preparing", workload: null })).toMatch(/Starting containers/);
});

test("the table on the clipboard has every result", () => {
  const view = {
    run: { results: [{ workload: "integer", lane: "native", samples: [1, 2] }, { workload: "integer", lane: "qemu", samples: [1] }] },
    rows: [{ title: "Whole numbers", speed: "2 blocks/s", ratio: null }, { title: "Whole numbers", speed: "1 blocks/s", ratio: "50 %" }],
  } as unknown as BenchView;
  expect(asTable(view).split("\n")).toEqual([
    "Workload\tLane\tSpeed\tOf native\tSamples",
    "Whole numbers\tnative\t2 blocks/s\t\t2",
    "Whole numbers\tqemu\t1 blocks/s\t50 %\t1",
  ]);
});
