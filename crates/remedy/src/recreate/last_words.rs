//! What a container that does not come up printed last, read before it is removed: the end of its log and of what its health check
//! said. A program may print secrets, so this is for the message to the person alone: no receipt and no report has it.

use serde_json::Value;
use silidock_engine::Engine;

use super::replacing::{id, name};

/// As many lines as are told of each.
const LINES: u32 = 20;
/// As many bytes as are read for them.
const LONGEST: usize = 256 << 10;
/// As many letters as are told of a line.
const WIDEST: usize = 400;

/// Of the container that the engine `told` of, each part under a line that says what it is.
pub(super) async fn of(engine: &Engine, told: &Value) -> Vec<String> {
    let name = name(told);
    let mut said = match engine.log_tail(id(told), LINES, LONGEST).await {
        Ok(output) => {
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            match end(&[&out, &err]) {
                lines if lines.is_empty() => vec![format!("{name} printed nothing.")],
                lines => under(format!("{name} printed last:"), lines),
            }
        }
        Err(error) => vec![format!("What {name} printed could not be read: {error}.")],
    };
    let check = told["State"]["Health"]["Log"].as_array().and_then(|checks| checks.last());
    let check = end(&[check.and_then(|check| check["Output"].as_str()).unwrap_or_default()]);
    if !check.is_empty() {
        said.extend(under("Its health check printed last:".to_owned(), check));
    }
    said
}

fn under(heading: String, lines: Vec<String>) -> Vec<String> {
    [heading].into_iter().chain(lines).collect()
}

/// The last lines of several texts, one after the other, without empty ones.
fn end(texts: &[&str]) -> Vec<String> {
    let lines = texts.iter().flat_map(|text| text.lines()).map(str::trim_end).filter(|line| !line.is_empty());
    let mut lines: Vec<String> = lines.map(short).collect();
    let first = lines.len().saturating_sub(LINES as usize);
    lines.split_off(first)
}

fn short(line: &str) -> String {
    match line.char_indices().nth(WIDEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{LINES, WIDEST, end};

    #[test]
    fn the_end_is_bounded_in_lines_and_in_width() {
        let many: String = (0..50).map(|number| format!("{number}\r\n\n")).collect();
        let lines = end(&[&many, "last"]);
        assert_eq!((lines.len(), lines[0].as_str(), lines[19].as_str()), (LINES as usize, "31", "last"));
        let wide = end(&[&"é".repeat(WIDEST + 1)]);
        assert_eq!(wide, [format!("{}…", "é".repeat(WIDEST))]);
        assert_eq!(end(&["", "\n \n"]), Vec::<String>::new());
    }
}
