// Names, labels and paths come from an engine and may hold anything. Here they become text that can be shown.

// Directional controls and invisible spacing that can make a name look like another one. ZWJ stays: emoji need it.
const DECEPTIVE = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

function codePoint(character: string): string {
  return `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

function picture(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "␡" : codePoint(character);
}

/** The text on one line, with everything that would not show made visible. */
export function visible(text: string): string {
  return text.replace(CONTROL, picture).replace(DECEPTIVE, codePoint);
}

const PLAIN_WORD = /^[\w@%+=:,./~-]+$/;

/** An argument vector as one line that a shell reads back as the same vector. */
export function shellLine(argv: readonly string[]): string {
  return argv.map((word) => (PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}

/** `sha256:0123456789ab…` and bare ids, as short as the field writes them. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1) || path;
}

/** Lines of a shell script, told apart by what a reader wants to see first: `# 1. ...` names a fix, other comments explain. */
export function scriptLines(script: string): { kind: "heading" | "comment" | "command"; text: string }[] {
  const kind = (text: string) => (/^# \d+\. /.test(text) ? "heading" : text.startsWith("#") ? "comment" : "command");
  return script.replace(/\n$/, "").split("\n").map((text) => ({ kind: kind(text), text }));
}
