// What a table needs to know of a column, and how rows are put in order.

import type { Snippet } from "svelte";

export interface Column<T> {
  id: string;
  title: string;
  /** A track of the grid: `minmax(140px, 2fr)`. */
  track: string;
  cell: Snippet<[T]>;
  compare?: (a: T, b: T) => number;
  /** Numbers stand at the end. */
  end?: boolean;
}

export interface Sorting {
  column: string;
  descending: boolean;
}

const COLLATOR = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

export function byText<T>(text: (row: T) => string): (a: T, b: T) => number {
  return (a, b) => COLLATOR.compare(text(a), text(b));
}

/** What has no number counts as less than any. */
export function byNumber<T>(number: (row: T) => number | null): (a: T, b: T) => number {
  return (a, b) => (number(a) ?? -Infinity) - (number(b) ?? -Infinity) || 0;
}

/** The rows in order; equal ones keep the order they came in. */
export function sorted<T>(rows: readonly T[], columns: readonly Column<T>[], sorting: Sorting): readonly T[] {
  const compare = columns.find((column) => column.id === sorting.column)?.compare;
  if (compare === undefined) return rows;
  return rows.toSorted(sorting.descending ? (a, b) => compare(b, a) : compare);
}

/** What a row is found by, made once for it. */
export function searchable(texts: readonly string[]): string {
  return texts.join("\n").toLowerCase();
}

/** The rows in which every word of the filter stands somewhere. */
export function filtered<T extends { search: string }>(rows: readonly T[], filter: string): readonly T[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return words.length === 0 ? rows : rows.filter((row) => words.every((word) => row.search.includes(word)));
}
