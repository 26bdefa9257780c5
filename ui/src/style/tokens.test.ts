// Text must be readable in both themes: WCAG AA asks for a contrast of 4.5 to 1, and 3 to 1 for signs and edges of controls.

import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");
const [light = "", dark = ""] = css.split("@media (prefers-color-scheme: dark)");

function tokens(part: string): Map<string, string> {
  return new Map([...part.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = "", colour = ""]) => [name, colour]));
}
const themes = { light: tokens(light), dark: new Map([...tokens(light), ...tokens(dark)]) };

function luminance(colour: string): number {
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

const GROUNDS = ["bg", "side", "panel", "sunken", "selected", "info", "slow-bg", "native-bg", "broken-bg", "add", "del"];
const PAIRS: [text: string, grounds: string[], least: number][] = [
  ["text", GROUNDS, 4.5],
  ["dim", ["bg", "side", "panel", "sunken", "selected", "info", "slow-bg", "broken-bg"], 4.5],
  ["accent-ink", ["accent"], 4.5],
  ["native", ["panel", "selected", "native-bg", "add", "sunken"], 4.5],
  ["slow", ["panel", "selected", "slow-bg"], 4.5],
  ["broken", ["panel", "broken-bg", "del", "sunken"], 4.5],
  ["note", ["panel", "selected", "note-bg", "bg"], 4.5],
  ["fill-native", ["panel"], 3],
  ["fill-slow", ["panel"], 3],
  ["accent", ["panel", "bg", "side"], 3],
];

describe.each(Object.entries(themes))("%s", (_, theme) => {
  test.each(PAIRS)("%s on %j", (text, grounds, least) => {
    const found = grounds.map((ground) => [ground, contrast(theme.get(text) ?? "", theme.get(ground) ?? "")] as const);
    expect(found.filter(([, ratio]) => !(ratio >= least))).toEqual([]);
  });
});
