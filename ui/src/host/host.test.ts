import { expect, test } from "vitest";

import { asFailure } from "./host";

test("a failure of the app is told in its own words, whatever its code; anything else is a defect of this program", () => {
  for (const code of ["noEngine", "engine", "notFound", "changed", "refused", "file", "runtime", "stopped"]) {
    const failure = { code, message: "The start of Colima was stopped.", hint: null, detail: ["colima start"] };
    expect(asFailure(failure), code).toBe(failure);
  }
  const defects: [unknown, string][] = [
    [new TypeError("x is not a function"), "x is not a function"],
    ["gone", "gone"],
    [{ code: "unheardOf", message: "?" }, "[object Object]"],
  ];
  for (const [thrown, detail] of defects) expect(asFailure(thrown)).toMatchObject({ message: "Silidock itself failed.", detail: [detail] });
});
