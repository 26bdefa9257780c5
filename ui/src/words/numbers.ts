// Numbers with their units, in words. Nothing here looks at a clock: "now" is given.
// A number and its unit are never parted at a line's end.

const SPACE = "\u00a0";

export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? noun : plural}`;
}

/** A share from 0 to 1; what is there and rounds to nothing reads "under 1 %". */
export function percent(share: number): string {
  const rounded = Math.round(share * 100);
  if (rounded === 0 && share > 0) return `<${SPACE}1${SPACE}%`;
  if (rounded === 100 && share < 1) return `>${SPACE}99${SPACE}%`;
  return `${rounded}${SPACE}%`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** Bytes in powers of 1000, as Docker writes them. */
export function bytes(n: number): string {
  let value = n;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)}${SPACE}${UNITS[unit]}`;
}

/** Seconds of processor time. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)}${SPACE}s`;
  if (seconds < 60) return `${Math.round(seconds)}${SPACE}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${SPACE}min ${Math.floor(seconds % 60)}${SPACE}s`;
  return `${Math.floor(seconds / 3600)}${SPACE}h ${Math.floor((seconds % 3600) / 60)}${SPACE}min`;
}

const STEPS: readonly (readonly [number, string, string])[] = [
  [365 * 86_400, "year", "years"],
  [30 * 86_400, "month", "months"],
  [7 * 86_400, "week", "weeks"],
  [86_400, "day", "days"],
  [3600, "h", "h"],
  [60, "min", "min"],
  [1, "s", "s"],
];

/** "4 s ago". A clock that runs ahead reads "just now", never "in the future". */
export function age(then: number, now: number): string {
  const seconds = Math.floor((now - then) / 1000);
  for (const [size, one, many] of STEPS) {
    const n = Math.floor(seconds / size);
    if (n >= 1) return `${n}${SPACE}${n === 1 ? one : many} ago`;
  }
  return "just now";
}

const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** A moment in local time: "20 Nov 2026, 17:20". */
export function date(then: number): string {
  return Number.isNaN(then) ? "at an unknown time" : DATE.format(then);
}
