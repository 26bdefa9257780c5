import { expect, test } from "vitest";

import type { Part, ScanView } from "../host/generated";
import { supersedes } from "./order";

const view = (generation: number, pending: Part[]) => ({ generation, pending }) as unknown as ScanView;

test.each([
  ["the first one", view(1, ["images"]), null, true],
  ["a later look", view(2, ["images", "cpu"]), view(1, []), true],
  ["an earlier look that comes late", view(1, []), view(2, ["images", "cpu"]), false],
  ["the next part of the same look", view(2, ["cpu"]), view(2, ["images", "cpu"]), true],
  ["a part that the answer overtook", view(2, ["cpu"]), view(2, []), false],
  ["the answer to what an event already told", view(2, []), view(2, []), false],
])("%s", (_, next, current, expected) => expect(supersedes(next, current)).toBe(expected));
