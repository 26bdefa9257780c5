//! The line of a Dockerfile that brought a layer. Values of build arguments are secrets more often than not, and are left out.

use serde::Deserialize;

/// An entry of an image's history.
#[derive(Debug, Deserialize)]
pub(super) struct Step {
    #[serde(default)]
    created_by: Option<String>,
    #[serde(default)]
    empty_layer: bool,
}

/// No line is shown longer.
const LONGEST: usize = 1000;

/// A line for each layer, lowest first. Empty where the history is not that of so many layers.
pub(super) fn of_layers(steps: Vec<Step>, layers: usize) -> Vec<Option<String>> {
    let lines: Vec<_> = steps.into_iter().filter(|step| !step.empty_layer).map(|step| step.created_by).collect();
    if lines.len() != layers {
        return Vec::new();
    }
    lines.into_iter().map(|line| line.and_then(|line| plain(&line))).collect()
}

/// The line as somebody wrote it: without the shell that the old builder put in front, the mark of the new one behind, and
/// build arguments. None for an empty line.
fn plain(line: &str) -> Option<String> {
    let line = line.trim().trim_end_matches("# buildkit").trim_end();
    let (run, rest) = match line.strip_prefix("RUN ") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let counted = rest.strip_prefix('|').and_then(|rest| rest.split_once(' '));
    let (run, rest) = match counted {
        // `|2 A=1 B=two words /bin/sh -c make`: values may hold blanks, so everything up to the shell goes.
        Some((count, rest)) if count.bytes().all(|byte| byte.is_ascii_digit()) => {
            let shell = rest.find(" /bin/").map_or("(not shown: build arguments stand in it)", |at| &rest[at + 1..]);
            (true, shell)
        }
        _ => (run, rest),
    };
    let text = match rest.strip_prefix("/bin/sh -c #(nop)") {
        Some(instruction) => instruction.trim_start().to_owned(),
        None => match rest.strip_prefix("/bin/sh -c ") {
            Some(command) => format!("RUN {}", command.trim_start()),
            None if run => format!("RUN {rest}"),
            None => rest.to_owned(),
        },
    };
    let text: String = text.chars().take(LONGEST).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_as_they_were_written() {
        for (line, expected) in [
            ("/bin/sh -c #(nop) COPY file:0a in /app ", Some("COPY file:0a in /app")),
            ("/bin/sh -c apk add bash", Some("RUN apk add bash")),
            ("RUN /bin/sh -c apk add bash # buildkit", Some("RUN apk add bash")),
            ("RUN |2 TOKEN=s3cret B=two words /bin/sh -c make # buildkit", Some("RUN make")),
            ("|1 TOKEN=s3cret /bin/sh -c make", Some("RUN make")),
            ("|1 TOKEN=s3cret powershell make", Some("RUN (not shown: build arguments stand in it)")),
            ("RUN /bin/bash -o pipefail -c x # buildkit", Some("RUN /bin/bash -o pipefail -c x")),
            ("COPY ./app /app # buildkit", Some("COPY ./app /app")),
            ("bazel build ...", Some("bazel build ...")),
            ("", None),
        ] {
            assert_eq!(plain(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn steps_without_a_layer_do_not_count() {
        let step = |line: &str, empty_layer| Step { created_by: Some(line.to_owned()), empty_layer };
        let steps = || vec![step("ADD rootfs", false), step("CMD x", true), step("COPY a b", false)];
        assert_eq!(of_layers(steps(), 2), [Some("ADD rootfs".to_owned()), Some("COPY a b".to_owned())]);
        assert_eq!(of_layers(steps(), 3), Vec::<Option<String>>::new());
    }
}
