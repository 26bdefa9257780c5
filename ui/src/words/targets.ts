// Where what is built here may run, in words, and what somebody ticked and typed.

export const TARGETS: readonly { id: string; words: string }[] = [
  { id: "linux/amd64", words: "Intel and AMD servers: what most clouds and CI machines are." },
  { id: "linux/arm64", words: "ARM servers: AWS Graviton, Google Axion, Azure Cobalt, Ampere; and Macs with Apple silicon." },
];

/** Each platform once: those that were ticked, in the order of the list, then those that were typed. */
export function wantedTargets(ticked: readonly string[], typed: string): string[] {
  const listed = TARGETS.map((target) => target.id).filter((id) => ticked.includes(id));
  return [...new Set([...listed, ...typed.split(/[\s,]+/).filter((one) => one !== "")])];
}

/** Whether both are the same platforms, in any order. */
export function samePlatforms(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((platform) => other.includes(platform));
}
