import { describe, expect, test } from "vitest";

import type { Scan, ScanContainer, ServiceProspect } from "../host/generated";
import recorded from "../host/sample.json";

import { age, bytes, count, duration, percent } from "./numbers";
import { pinnedTogether } from "./pins";
import { projectRows } from "./projects";
import { rebuildOfContainer, rebuildOfService } from "./rebuild";
import { samePlatforms, wantedTargets } from "./targets";
import { fileName, scriptLines, shellLine, shortId, visible } from "./text";

/** No-break spaces are read as plain ones here. */
const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("text from an engine", () => {
  test.each([
    ["web", "web"],
    ["<b>x</b>", "<b>x</b>"],
    ["a\nb\tc\r", "a␊b␉c␍"],
    ["\u001b[31mred\u007f\u0085", "␛[31mred␡⟨U+0085⟩"],
    ["safe\u202egnp.exe", "safe⟨U+202E⟩gnp.exe"],
    ["a\u200bb\ufeffc\u2028d", "a⟨U+200B⟩b⟨U+FEFF⟩c⟨U+2028⟩d"],
    ["שלום 👩‍🚀 café", "שלום 👩‍🚀 café"],
  ])("%j is shown as %j", (given, shown) => expect(visible(given)).toBe(shown));

  test.each([
    [["docker", "compose", "-f", "/a/b.yaml", "up", "-d"], "docker compose -f /a/b.yaml up -d"],
    [["rm", "a b", "", "it's", "$HOME", "*", "-x=1;2"], "rm 'a b' '' 'it'\\''s' '$HOME' '*' '-x=1;2'"],
  ])("%j is typed as %s", (argv, line) => expect(shellLine(argv)).toBe(line));

  test("a script's headings and comments stand apart from what it runs", () => {
    const kinds = scriptLines("#!/bin/sh\n# 1. Pin db\n#    why\nsed -e 's/# 2. x/y/' f\n\n").map((line) => line.kind);
    expect(kinds).toEqual(["comment", "heading", "comment", "command", "command"]);
  });

  test("ids and paths", () => {
    expect(shortId("sha256:0123456789abcdef")).toBe("0123456789ab");
    expect([fileName("/a/b.yaml"), fileName("b.yaml"), fileName("/a/")]).toEqual(["b.yaml", "b.yaml", "/a/"]);
  });
});

describe("numbers", () => {
  test.each([
    [0, "0 %"],
    [0.001, "< 1 %"],
    [0.215, "22 %"],
    [0.999, "> 99 %"],
    [1, "100 %"],
  ])("a share of %d is %s", (share, words) => expect(plain(percent(share))).toBe(words));

  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [999_960, "1.00 MB"],
    [61_000_000, "61.0 MB"],
    [8_323_231_744, "8.32 GB"],
    [5e15, "5000 TB"],
  ])("%d bytes are %s", (n, words) => expect(plain(bytes(n))).toBe(words));

  test.each([
    [0.04, "0.0 s"],
    [59.6, "60 s"],
    [119.9, "1 min 59 s"],
    [3600, "1 h 0 min"],
    [7199, "1 h 59 min"],
  ])("%d seconds are %s", (seconds, words) => expect(plain(duration(seconds))).toBe(words));

  test.each([
    [-5000, "just now"],
    [900, "just now"],
    [4000, "4 s ago"],
    [61_000, "1 min ago"],
    [2 * 86_400_000, "2 days ago"],
    [400 * 86_400_000, "1 year ago"],
  ])("%d ms before now is %s", (before, words) => expect(plain(age(1e13 - before, 1e13))).toBe(words));

  test("one of something is not plural", () => expect([count(1, "image"), count(0, "image"), count(1200, "image")]).toEqual(["1 image", "0 images", "1,200 images"]));
});

describe("what can be built again", () => {
  const scan = recorded as unknown as Scan;
  const services = scan.compose.flatMap((project) => (project.services as ServiceProspect[]).map((service) => [`${project.name}/${service.name}`, rebuildOfService(project.name, service)] as const));

  test("a service that is built here, and one whose image does not run natively", () => {
    const expected = { "reports/legacy-report": "reports/legacy-report", "shop/db": "acme/mysql-legacy:5.7", "shop/web": null };
    expect(Object.fromEntries(services)).toMatchObject(expected);
  });

  test.each([
    ["reports-legacy-report-1", "reports-legacy-report-1"],
    ["toolbox", "toolbox"],
    ["gateway", null],
  ])("the container %s is asked for as %s", (name, wanted) => {
    const container = scan.containers.find((one) => one.name === name) as ScanContainer;
    expect(rebuildOfContainer(scan, container)).toBe(wanted);
  });
});

test("deploy targets: each once, ticked ones first, the same in any order", () => {
  expect(wantedTargets(["linux/arm64", "linux/amd64"], " linux/s390x,linux/amd64\n")).toEqual(["linux/amd64", "linux/arm64", "linux/s390x"]);
  expect([samePlatforms(["a", "b"], ["b", "a"]), samePlatforms(["a"], ["a", "b"]), samePlatforms([], [])]).toEqual([true, false, true]);
});

describe("services that are pinned in one change", () => {
  const { compose } = recorded as unknown as Scan;
  const file = "/Users/sam/shop/compose.yaml";
  test.each([
    ["web", "linux/amd64", ["api", "cache", "db"]],
    ["web", "linux/arm64", ["api", "cache", "db", "migrate", "worker"]],
    ["migrate", null, ["worker"]],
  ])("%s to %s", (service, platform, expected) => {
    expect(pinnedTogether(compose, file, service, platform).map((one) => one.name)).toEqual(expected);
  });
  test("another file's services are left alone", () => expect(pinnedTogether(compose, "/elsewhere.yaml", "web", null)).toEqual([]));
});

test("projects: what was opened is found by its folder or file, and what cannot be read stays to be forgotten", () => {
  const { compose } = recorded as unknown as Scan;
  const opened = [["/Users/sam/shop"], ["/Users/sam/legacy/compose.yaml"], ["/Users/sam/broken"]];
  const rows = projectRows(compose, opened).map((row) => [row.name, row.services, row.emulated, row.opened]);
  expect(rows).toEqual([
    ["broken", null, 0, opened[2]],
    ["legacy", 2, 1, opened[1]],
    ["reports", 2, 2, null],
    ["shop", 6, 3, opened[0]],
  ]);
});
