//! A fix as a commented POSIX shell script for somebody who wants to run it by hand: what is kept before, what is done, and the way
//! back as comments. It is only written, never run by us. Secrets are not in it: what a container's configuration holds is read
//! by the script itself, on the machine where it runs.

mod container;
mod edit;

use std::borrow::Cow;
use std::fmt::Write;

use silidock_diagnosis::fix::{Fix, OldContainer, Step};
use silidock_diagnosis::platform::Platform;

use crate::preview::Preview;
use crate::recreate::typed;

/// How the script reaches the engine.
#[derive(Debug, Clone, Copy)]
pub struct Reach<'a> {
    /// Address of the engine: `unix:///var/run/docker.sock`.
    pub endpoint: &'a str,
    /// Docker context, where it was reached by one.
    pub context: Option<&'a str>,
    /// It was reached by TLS, whose files stand in no address.
    pub tls: bool,
}

/// One script for these fixes, in their order, each as it was previewed.
#[must_use]
pub fn script(fixes: &[(&Fix, &Preview)], reach: Reach<'_>) -> String {
    let mut out = String::from(
        "#!/bin/sh\n# Written by Silidock, which has not run it. Read it first; it stops at the first thing that fails.\nset -eu\n",
    );
    let written: Vec<&(&Fix, &Preview)> =
        fixes.iter().filter(|(fix, shown)| left_out(fix, shown, reach).is_none()).collect();
    if written.iter().any(|(_, shown)| !shown.diffs.is_empty()) {
        out.push_str(edit::PROLOGUE);
    }
    if written.iter().any(|(fix, _)| fix.steps.iter().any(needs_client)) {
        engine(&mut out, reach);
    }
    if written.iter().any(|(fix, _)| fix.steps.iter().any(replaces)) {
        out.push_str(container::PROLOGUE);
    }
    for (place, (fix, shown)) in fixes.iter().enumerate() {
        let _ = write!(out, "\n# {}. {}\n", place + 1, comment(&fix.title));
        let _ = writeln!(out, "#    {}", comment(&fix.summary));
        if let Some((why, lines)) = left_out(fix, shown, reach) {
            let _ = writeln!(out, "#    Left out: {}", comment(&why));
            for line in lines {
                let _ = writeln!(out, "#      {}", comment(line));
            }
            continue;
        }
        of_fix(&mut out, fix, shown, reach);
    }
    out
}

/// Why nothing of a fix is written, and what to type instead.
fn left_out<'s>(fix: &Fix, shown: &'s Preview, reach: Reach<'_>) -> Option<(Cow<'s, str>, &'s [String])> {
    if let Some(refusal) = &shown.refused {
        return Some((Cow::Borrowed(&refusal.why), &refusal.lines_to_type));
    }
    let alone = |step: &Step| matches!(step, Step::RecreateContainer { .. });
    (fix.steps.iter().any(alone) && container::api(reach).is_none()).then(|| {
        let why = "A container keeps its configuration only through the engine's API, and a script has no way to it over TLS or \
                   ssh. Silidock itself does it: silidock fix ... --apply";
        (Cow::Borrowed(why), [].as_slice())
    })
}

fn engine(out: &mut String, reach: Reach<'_>) {
    out.push_str("\n# The engine that was looked at.\nunset DOCKER_HOST DOCKER_CONTEXT DOCKER_TLS DOCKER_TLS_VERIFY\n");
    if let Some(context) = reach.context {
        let _ = writeln!(out, "export DOCKER_CONTEXT={}", quoted(context));
        return;
    }
    let address = match reach.endpoint.strip_prefix("https://") {
        Some(address) => Cow::Owned(format!("tcp://{address}")),
        None => Cow::Borrowed(reach.endpoint),
    };
    let _ = writeln!(out, "export DOCKER_HOST={}", quoted(&address));
    if reach.tls {
        out.push_str(
            "export DOCKER_TLS_VERIFY=1\n: \"${DOCKER_CERT_PATH?set it to the folder that has ca.pem, cert.pem and key.pem}\"\n",
        );
    }
}

fn replaces(step: &Step) -> bool {
    matches!(step, Step::RecreateContainer { .. } | Step::RecreateService { .. })
}

fn needs_client(step: &Step) -> bool {
    step.changes_engine() || matches!(step, Step::Tell { commands, .. } if !commands.is_empty())
}

fn of_fix(out: &mut String, fix: &Fix, shown: &Preview, reach: Reach<'_>) {
    let mut back = Vec::new();
    let mut edited = false;
    let mut kept_image = false;
    let replaced = fix.steps.iter().find_map(container::replaced);
    for step in &fix.steps {
        let _ = write!(out, "\n# {}\n", comment(&step.title()));
        // Before a pull, which may move the name of its image.
        if step.changes_engine()
            && let Some(of) = replaced
            && !std::mem::replace(&mut kept_image, true)
        {
            container::keep(out, of);
        }
        match step {
            Step::EditYaml { .. }
            | Step::EditLine { .. }
            | Step::InsertLine { .. }
            | Step::AppendLine { .. }
            | Step::ConvertLineEndings { .. }
            | Step::EditSettings { .. } => {
                if !edited {
                    edit::edits(out, shown, &mut back);
                }
                edited = true;
            }
            Step::RuntimeCommand { argv, .. } => line(out, argv),
            Step::Tell { commands, .. } => commands.iter().for_each(|argv| line(out, argv)),
            Step::PullPlatform { reference, platform } => {
                line(out, &words(&["docker", "pull", "--platform", &platform.to_string(), reference]));
            }
            Step::CopyVolumes { of } => container::copy_volumes(out, of),
            Step::KeepWritten { of } => container::keep_written(out, of),
            Step::RecreateContainer { of, platform } => {
                if let Some(api) = container::api(reach) {
                    container::by_api(out, of, platform.as_ref().map(ToString::to_string).as_deref(), &api);
                }
                back.push(format!("docker stop {name}; docker rename {name} {name}-new", name = quoted(&of.name)));
                back.push(format!("docker rename {}-before {}", quoted(&of.name), quoted(&of.name)));
                back.push(format!("docker start {}", quoted(&of.name)));
            }
            Step::RecreateService { of, platform, .. } => {
                let up = shown.commands.iter().find(|argv| argv.iter().any(|word| word == "--force-recreate"));
                if let Some(argv) = up {
                    // The shown one has the variable as a command of its own has it.
                    let argv: Vec<String> = argv.iter().skip_while(|word| *word != "docker").cloned().collect();
                    let _ = writeln!(out, "{}", typed(&argv, platform.as_ref()));
                    let _ = writeln!(out, "[ \"$running\" != true ] || up {}\nold=''", quoted(&of.name));
                    back.push(format!("docker tag {} {}", quoted(&kept(of)), quoted(&of.image)));
                    // A name may mean both platforms: which one Compose takes is said.
                    back.push(typed(&argv, shown.platform_before.as_ref()));
                }
            }
            Step::BuildImage { image, platforms, .. } => build(out, image, platforms, shown, &mut back),
        }
    }
    if let Some(runtime) = &fix.runtime {
        back.extend(runtime.back.iter().filter_map(|back| match &back.step {
            Step::RuntimeCommand { argv, .. } => Some(joined(argv)),
            _ => None,
        }));
    }
    said(out, "The way back:", &back);
    if let Some(of) = replaced {
        let all = |which: fn(&Step) -> bool| fix.steps.iter().any(which);
        let copied = all(|step| matches!(step, Step::CopyVolumes { .. }));
        if copied {
            said(out, container::COPIES_BACK, &container::copies_back(of));
        }
        let written = all(|step| matches!(step, Step::KeepWritten { .. }));
        let aside = all(|step| matches!(step, Step::RecreateContainer { .. }));
        let lines = container::done_with(of, container::Kept { aside, written, copied });
        said(out, "When all is well, this frees the space, and ends the way back:", &lines);
    }
}

/// Lines of a shell as a comment, under what they are for.
fn said(out: &mut String, what: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n# {what}");
    for line in lines {
        let _ = writeln!(out, "#   {}", comment(line));
    }
}

/// The build as its preview shows it; what stands in no preview (a Dockerfile that a Compose file holds, values of arguments)
/// is left to this program or asked of the person.
fn build(out: &mut String, image: &str, platforms: &[Platform], shown: &Preview, back: &mut Vec<String>) {
    let built = shown.commands.iter().find(|argv| argv.iter().any(|word| word == "build"));
    let whole = |argv: &&Vec<String>| {
        let mut words = argv.iter().zip(argv.iter().skip(1));
        let unnamed = words.any(|(option, name)| option == "--build-arg" && !name.contains('=') && !is_variable(name));
        !unnamed && !argv.iter().any(|word| word == "-" || word.ends_with("=..."))
    };
    let Some(argv) = built.filter(whole) else {
        let mut argv = words(&["silidock", "rebuild", image]);
        argv.extend(platforms.iter().flat_map(|platform| ["--platform".to_owned(), platform.to_string()]));
        argv.push("--apply".to_owned());
        return line(out, &argv);
    };
    let kept = format!("silidock-kept/{}:by-hand", crate::recreate::tagged(image));
    let (image, kept) = (quoted(image), quoted(&kept));
    let mut argv = argv.clone();
    for at in 1..argv.len() {
        match argv[at - 1].as_str() {
            "--progress" => "auto".clone_into(&mut argv[at]),
            "--build-arg" if !argv[at].contains('=') => {
                let _ = writeln!(out, ": \"${{{}?export it with the value of this build argument}}\"", argv[at]);
            }
            _ => {}
        }
    }
    let _ = writeln!(
        out,
        "if ! docker image inspect {kept} > /dev/null 2>&1 && docker image inspect {image} > /dev/null 2>&1; then docker tag {image} {kept}; fi"
    );
    line(out, &argv);
    back.push(format!("docker tag {kept} {image}"));
}

fn kept(of: &OldContainer) -> String {
    let id: String = of.id.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    format!("{}/{}:by-hand-{id}", silidock_diagnosis::reference::KEPT, crate::recreate::tagged(&of.name))
}

/// What a shell takes as the name of a variable.
fn is_variable(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn line(out: &mut String, argv: &[String]) {
    let _ = writeln!(out, "{}", joined(argv));
}

pub(crate) fn joined(argv: &[String]) -> String {
    argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it for itself. A zero byte, which no argument can hold, is left out.
fn quoted(word: &str) -> Cow<'_, str> {
    match shlex::try_quote(word) {
        Ok(quoted) => quoted,
        Err(_) => Cow::Owned(joined(&[word.replace('\0', "")])),
    }
}

/// Text that cannot leave its comment.
fn comment(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_place() {
        assert_eq!(comment("a\nrm -rf /\r"), "a rm -rf / ");
        assert_eq!(joined(&words(&["docker", "a b", "$(x)", "it's", ""])), r#"docker 'a b' '$(x)' "it's" ''"#);
        assert_eq!(quoted("a\0b"), "ab");
    }
}
