// The words of the way out list.

import type { Grounds, WayKind, WayOutKind } from "../host/generated";
import type { Mark } from "./execution";

export const WAY: Record<WayKind, { words: string; mark: Mark }> = {
  here: { words: "Native here", mark: "native" },
  unpin: { words: "Pin in the way", mark: "native" },
  pull: { words: "Native to pull", mark: "native" },
  rebuild: { words: "Build it native", mark: "native" },
  newer: { words: "Newer tag", mark: "native" },
  replace: { words: "Replace it", mark: "native" },
  newMachine: { words: "Native machine", mark: "native" },
  emulate: { words: "Stays emulated", mark: "slow" },
  unknown: { words: "Not known", mark: "unknown" },
};

export const THING: Record<WayOutKind, string> = {
  engine: "Engine",
  container: "Containers",
  service: "Compose services",
  buildStage: "Build stages",
  image: "Images",
};

export const GROUNDS: Record<Grounds, string> = { maker: "Apple says so", report: "one report", inference: "inferred" };
