import { createRawSnippet } from "svelte";
import { describe, expect, test } from "vitest";

import { byNumber, byText, filtered, searchable, sorted, type Column } from "./table";

interface Row {
  name: string;
  size: number | null;
}
const cell = createRawSnippet<[Row]>(() => ({ render: () => "<i></i>" }));
const columns: Column<Row>[] = [
  { id: "name", title: "Name", track: "1fr", cell, compare: byText((row) => row.name) },
  { id: "size", title: "Size", track: "1fr", cell, compare: byNumber((row) => row.size) },
  { id: "signs", title: "", track: "1fr", cell },
];
const rows: Row[] = [
  { name: "web:10", size: null },
  { name: "Web:9", size: 5 },
  { name: "api", size: 70 },
  { name: "db", size: null },
];
const order = (column: string, descending: boolean) => sorted(rows, columns, { column, descending }).map((row) => row.name);

describe("order", () => {
  test.each([
    ["name", false, ["api", "db", "Web:9", "web:10"]],
    ["name", true, ["web:10", "Web:9", "db", "api"]],
    ["size", true, ["api", "Web:9", "web:10", "db"]],
    ["size", false, ["web:10", "db", "Web:9", "api"]],
    ["signs", false, ["web:10", "Web:9", "api", "db"]],
  ])("by %s, descending: %s", (column, descending, expected) => {
    expect(order(column, descending)).toEqual(expected);
    expect(rows[0]?.name).toBe("web:10");
  });
});

test.each([
  ["", true],
  ["  SHOP  ", true],
  ["shop arm64", true],
  ["shop amd64", false],
  ["db-1 linux", true],
  ["db-1linux", false],
])("the filter %j fits: %s", (filter, fits) => expect(filtered([{ search: searchable(["Shop-DB-1", "linux/arm64"]) }], filter)).toHaveLength(fits ? 1 : 0));
