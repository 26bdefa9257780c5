//! The part of a script that edits files: a file is changed only if it is, byte for byte, the one that was previewed, and
//! becomes, byte for byte, what the preview showed. A copy stays beside it.

use std::fmt::Write;

use super::quoted;
use crate::diff::{Diff, DiffLine, LineEnding, LineKind};
use crate::preview::Preview;

/// What every script with an edit begins with.
pub(super) const PROLOGUE: &str = r#"
# Goes on only with a file that is as it was previewed, by its SHA-256.
same() {
  if command -v sha256sum > /dev/null; then sum=$(sha256sum < "$1"); else sum=$(shasum -a 256 < "$1"); fi
  [ "${sum%% *}" = "$2" ] || { printf '%s is not as it was\n' "$1" >&2; exit 1; }
}
"#;

/// All edits of a previewed fix; the ways back are added to `back`.
pub(super) fn edits(out: &mut String, shown: &Preview, back: &mut Vec<String>) {
    for diff in &shown.diffs {
        let seen = shown.files.iter().find(|file| file.path == diff.path);
        edit(out, diff, seen.map_or("", |file| file.hash.as_str()), back);
    }
}

/// Lines that go and lines that come in their place.
struct Block<'d> {
    /// Line of the old text that it begins at, from 1.
    first: u32,
    /// So many lines go.
    gone: u32,
    new: Vec<&'d DiffLine>,
}

fn edit(out: &mut String, diff: &Diff, hash: &str, back: &mut Vec<String>) {
    let path = quoted(&diff.path);
    let blocks = blocks(diff);
    if hash.is_empty() {
        let _ = writeln!(out, "[ ! -e {path} ]");
        let text: String = blocks.iter().map(|block| printed(&block.new)).collect();
        let _ = write!(out, "{{\n{text}}} > {path}\n");
        back.push(format!("rm {path}"));
        return;
    }
    let spare = format!("{}.before-silidock", diff.path);
    let spare = quoted(&spare);
    let _ = write!(out, "same {path} {hash}\ncp -p {path} {spare}\n{{\n");
    let mut next = 1;
    for block in &blocks {
        if block.first > next {
            let _ = writeln!(out, "tail -n +{next} {spare} | head -n {}", block.first - next);
        }
        out.push_str(&printed(&block.new));
        next = block.first + block.gone;
    }
    let _ = write!(out, "tail -n +{next} {spare}\n}} > {path}\n");
    back.push(format!("cp -p {spare} {path}"));
}

fn blocks(diff: &Diff) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for hunk in &diff.hunks {
        let mut at = hunk.old_start.max(1);
        let mut open = false;
        for line in &hunk.lines {
            if line.kind == LineKind::Context {
                (at, open) = (line.old.unwrap_or(at) + 1, false);
                continue;
            }
            if !open {
                blocks.push(Block { first: line.old.unwrap_or(at), gone: 0, new: Vec::new() });
                open = true;
            }
            if let Some(block) = blocks.last_mut() {
                match line.kind {
                    LineKind::Removed => (block.gone, at) = (block.gone + 1, at + 1),
                    _ => block.new.push(line),
                }
            }
        }
    }
    blocks
}

/// Commands that print lines as they end.
fn printed(lines: &[&DiffLine]) -> String {
    let one = |run: &[&DiffLine]| {
        let format = match run.first().map(|line| line.ending) {
            Some(LineEnding::CrLf) => r"%s\r\n",
            Some(LineEnding::None) => "%s",
            _ => r"%s\n",
        };
        let texts: Vec<_> = run.iter().map(|line| quoted(&line.text)).collect();
        format!("printf '{format}' {}\n", texts.join(" "))
    };
    lines.chunk_by(|a, b| a.ending == b.ending).map(one).collect()
}
