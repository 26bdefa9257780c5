//! Text that an engine, a label or a file gave, made safe to show: what cannot be seen is written out (`\n`,
//! `\u{1b}`, `\u{202e}`), so that no name can hide in a report, reorder it or paint it.

use std::{borrow::Cow, fmt};

use askama::filters::Escaper;

/// The text with every character that cannot be seen written out. Accents, emoji and all scripts stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_seen) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push_visible(&mut out, c);
    }
    Cow::Owned(out)
}

fn push_visible(out: &mut String, c: char) {
    if is_seen(c) {
        out.push(c);
    } else {
        let written = c.escape_default();
        out.extend(written);
    }
}

fn is_seen(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    // Joiners and tag characters count as parts of a letter, and still show nothing by themselves.
    if matches!(c, '\u{200c}' | '\u{200d}' | '\u{3164}' | '\u{ffa0}' | '\u{e0000}'..='\u{e007f}') {
        return false;
    }
    // Asked behind another letter: alone, an accent counts as unprintable, and macOS writes accents that way.
    let mut pair = [b'a'; 5];
    let length = c.encode_utf8(&mut pair[1..]).len();
    std::str::from_utf8(&pair[..=length]).is_ok_and(|text| text.escape_debug().nth(1) == Some(c))
}

/// The escaper of the HTML template: visible text, and none of it markup.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct VisibleHtml;

impl Escaper for VisibleHtml {
    fn write_escaped_str<W: fmt::Write>(&self, dest: W, text: &str) -> fmt::Result {
        askama::filters::Html.write_escaped_str(dest, &visible(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out_and_the_rest_stays() {
        for (given, shown) in [
            ("web-1", "web-1"),
            (r#"a "quoted" \ back"#, r#"a "quoted" \ back"#),
            ("ärger e\u{301} 日本 🐳 \u{2764}\u{fe0f}", "ärger e\u{301} 日本 🐳 \u{2764}\u{fe0f}"),
            ("a\nb\tc\r", r"a\nb\tc\r"),
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("x\u{202e}gpj.exe", r"x\u{202e}gpj.exe"),
            ("\u{200f}\u{200b}\u{feff}\u{ad}\u{2028}", r"\u{200f}\u{200b}\u{feff}\u{ad}\u{2028}"),
            ("\u{e0041}\u{200d}\u{0}\u{7f}\u{85}", r"\u{e0041}\u{200d}\u{0}\u{7f}\u{85}"),
        ] {
            assert_eq!(visible(given), shown, "{given:?}");
        }
    }
}
