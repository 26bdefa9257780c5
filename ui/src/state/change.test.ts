import { expect, test } from "vitest";

import type { Failure } from "../host/generated";
import { Change } from "./change.svelte";

const STOPPED: Failure = { code: "stopped", message: "It was stopped.", hint: null, detail: [] };

/** A promise, and the functions that settle it. */
function later<T>() {
  let [resolve, reject]: [(value: T) => void, (failure: Failure) => void] = [() => undefined, () => undefined];
  const promise = new Promise<T>((done, failed) => ([resolve, reject] = [done, failed]));
  return { promise, resolve, reject };
}

test("the answer to what was asked last is shown, whichever comes first", async () => {
  const change = new Change<string, string>();
  const [first, second] = [later<string>(), later<string>()];
  const both = [change.preview(() => first.promise), change.preview(() => second.promise)];
  second.resolve("second");
  first.reject(STOPPED);
  await Promise.all(both);
  expect([change.shown, change.failure]).toEqual(["second", null]);

  const late = later<string>();
  const asked = change.preview(() => late.promise);
  change.forget();
  late.resolve("late");
  await asked;
  expect(change.shown).toBeNull();
});

test("what was agreed to stays shown while it is done and afterwards", async () => {
  const change = new Change<string, string>();
  await change.preview(async () => "both");
  const done = later<string>();
  const applied = change.apply(() => done.promise);
  expect(change.working).toBe(true);
  await change.preview(async () => "one of them");
  done.resolve("done");
  await applied;
  await change.preview(async () => "none of them");
  expect([change.shown, change.outcome, change.working]).toEqual(["both", "done", false]);
});

test("what failed is told, and has to be shown anew", async () => {
  const change = new Change<string, string>();
  await change.preview(async () => "shown");
  await change.apply(async () => {
    await change.stop("stop_change");
    expect(change.stopping).toBe(true);
    throw STOPPED;
  });
  expect([change.shown, change.outcome, change.working, change.stopping]).toEqual([null, null, false, false]);
  expect(change.failure).toBe(STOPPED);
  await change.preview(async () => "shown anew");
  expect([change.shown, change.failure]).toEqual(["shown anew", null]);
});
