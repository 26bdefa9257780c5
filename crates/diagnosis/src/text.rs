//! Small helpers for the words people read.

/// "1 container", "3 containers".
pub fn count(n: usize, noun: &str) -> String {
    match n {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}

/// "a", "a and b", "a, b and c", "a, b and 3 more".
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first, second] => format!("{first} and {second}"),
        [first, second, third] => format!("{first}, {second} and {third}"),
        [first, second, rest @ ..] => format!("{first}, {second} and {} more", rest.len()),
    }
}

/// The text up to so many bytes, never within a letter.
pub fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// As the beginning of a sentence; for words of ours alone, because a name keeps its case. An address stays as it is.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !text.split(' ').next().is_some_and(|word| word.contains([':', '/'])) => {
            first.to_uppercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_lists_read_as_english() {
        assert_eq!((count(1, "image"), count(0, "image")), ("1 image".into(), "0 images".into()));
        let items: Vec<String> = ["a", "b", "c", "d", "e"].iter().map(|s| (*s).to_owned()).collect();
        for (n, expected) in [(0, ""), (1, "a"), (2, "a and b"), (3, "a, b and c"), (5, "a, b and 3 more")] {
            assert_eq!(list(&items[..n]), expected);
        }
    }
}
