//! A fix as a commented POSIX shell script for somebody who wants to run it by hand: what is kept before, what is done, and the way
//! back as comments. It is only written, never run by us. Secrets are not in it: what a container's configuration holds is read
//! by the script itself, on the machine where it runs.

use std::borrow::Cow;
use std::fmt::Write;

use silidock_diagnosis::fix::{Fix, OldContainer, Step};

use crate::diff::{Diff, LineKind};
use crate::preview::Preview;

/// How the script reaches the engine.
#[derive(Debug, Clone, Copy)]
pub struct Reach<'a> {
    /// Address of the engine: `unix:///var/run/docker.sock`.
    pub endpoint: &'a str,
    /// Docker context, where it was reached by one.
    pub context: Option<&'a str>,
}

/// One script for these fixes, in their order, each as it was previewed.
#[must_use]
pub fn script(fixes: &[(&Fix, &Preview)], reach: Reach<'_>) -> String {
    let mut out = String::from(
        "#!/bin/sh\n# Written by Silidock, which has not run it. Read it first; it stops at the first thing that fails.\nset -eu\n",
    );
    if fixes.iter().any(|(fix, _)| fix.steps.iter().any(needs_client)) {
        let (name, value) = match reach.context {
            Some(context) => ("DOCKER_CONTEXT", context),
            None => ("DOCKER_HOST", reach.endpoint),
        };
        let _ = writeln!(out, "\n# The engine that was looked at.\nexport {name}={}", quoted(value));
    }
    for (place, (fix, shown)) in fixes.iter().enumerate() {
        let _ = write!(out, "\n# {}. {}\n", place + 1, comment(&fix.title));
        let _ = writeln!(out, "#    {}", comment(&fix.summary));
        if let Some(refusal) = &shown.refused {
            let _ = writeln!(out, "#    Left out: {}", comment(&refusal.why));
            for line in &refusal.lines_to_type {
                let _ = writeln!(out, "#      {}", comment(line));
            }
            continue;
        }
        of_fix(&mut out, fix, shown, reach);
    }
    out
}

fn needs_client(step: &Step) -> bool {
    step.changes_engine() || matches!(step, Step::Tell { commands, .. } if !commands.is_empty())
}

fn of_fix(out: &mut String, fix: &Fix, shown: &Preview, reach: Reach<'_>) {
    let mut back = Vec::new();
    let mut edited = false;
    for step in &fix.steps {
        let _ = write!(out, "\n# {}\n", comment(&step.title()));
        match step {
            Step::EditYaml { .. }
            | Step::EditLine { .. }
            | Step::InsertLine { .. }
            | Step::AppendLine { .. }
            | Step::ConvertLineEndings { .. }
            | Step::EditSettings { .. } => {
                if !edited {
                    shown.diffs.iter().for_each(|diff| edit(out, diff, &mut back));
                }
                edited = true;
            }
            Step::RuntimeCommand { argv, .. } => line(out, argv),
            Step::Tell { commands, .. } => commands.iter().for_each(|argv| line(out, argv)),
            Step::PullPlatform { reference, platform } => {
                line(out, &words(&["docker", "pull", "--platform", &platform.to_string(), reference]));
            }
            Step::CopyVolumes { of } => copy_volumes(out, of),
            Step::KeepWritten { of } => {
                let tag = format!("{}-written", kept(of));
                line(out, &words(&["docker", "commit", &of.id, &tag]));
            }
            Step::RecreateContainer { of, platform } => {
                keep_image(out, of);
                by_api(out, of, platform.as_ref().map(ToString::to_string).as_deref(), reach);
                back.push(format!("docker stop {name}; docker rename {name} {name}-new", name = quoted(&of.name)));
                back.push(format!("docker rename {}-before {}", quoted(&of.name), quoted(&of.name)));
                back.push(format!("docker start {}", quoted(&of.name)));
            }
            Step::RecreateService { of, platform, .. } => {
                keep_image(out, of);
                let up = shown.commands.iter().find(|argv| argv.iter().any(|word| word == "--force-recreate"));
                if let Some(argv) = up {
                    if let Some(platform) = platform {
                        let _ = write!(out, "DOCKER_DEFAULT_PLATFORM={} ", quoted(&platform.to_string()));
                    }
                    line(out, argv);
                    back.push(format!("docker tag {} {}", quoted(&kept(of)), quoted(&of.image)));
                    back.push(joined(argv));
                }
            }
            Step::BuildImage { image, platforms, .. } => {
                let mut argv = words(&["silidock", "rebuild", image]);
                argv.extend(platforms.iter().flat_map(|platform| ["--platform".to_owned(), platform.to_string()]));
                argv.extend(words(&["--apply"]));
                line(out, &argv);
            }
        }
    }
    if let Some(runtime) = &fix.runtime {
        back.extend(runtime.back.iter().filter_map(|back| match &back.step {
            Step::RuntimeCommand { argv, .. } => Some(joined(argv)),
            _ => None,
        }));
    }
    if !back.is_empty() {
        out.push_str("\n# The way back:\n");
        for line in back {
            let _ = writeln!(out, "#   {}", comment(&line));
        }
    }
}

/// A copy beside the file first; then each line is changed only if it says what it said in the preview.
fn edit(out: &mut String, diff: &Diff, back: &mut Vec<String>) {
    let path = quoted(&diff.path);
    let spare = quoted(&format!("{}.before-silidock", diff.path)).into_owned();
    let new =
        diff.hunks.iter().all(|hunk| hunk.lines.iter().all(|line| line.kind == LineKind::Added)) && starts_empty(diff);
    if new {
        let text: Vec<&str> = diff.hunks.iter().flat_map(|hunk| &hunk.lines).map(|line| line.text.as_str()).collect();
        let _ = writeln!(out, "[ ! -e {path} ]");
        let _ =
            writeln!(out, "printf '%s\\n' {} > {path}", text.iter().map(|t| quoted(t)).collect::<Vec<_>>().join(" "));
        back.push(format!("rm {path}"));
        return;
    }
    let changed = format!("{} is not as it was", diff.path);
    let changed = quoted(&changed);
    let (mut checks, mut commands) = (String::new(), Vec::new());
    for hunk in &diff.hunks {
        let mut after = hunk.old_start.saturating_sub(1);
        for line in &hunk.lines {
            match line.kind {
                LineKind::Context => after = line.old.unwrap_or(after),
                LineKind::Removed => {
                    after = line.old.unwrap_or(after);
                    let _ = writeln!(
                        checks,
                        "[ \"$(sed -n {after}p {path} | tr -d '\\r')\" = {} ] || {{ echo {changed} >&2; exit 1; }}",
                        quoted(&line.text)
                    );
                    commands.push(format!("{after}d"));
                }
                // A backslash keeps the blanks at the beginning of the line.
                LineKind::Added if after == 0 => commands.push(format!("1i\\\n\\{}", line.text.replace('\\', "\\\\"))),
                LineKind::Added => commands.push(format!("{after}a\\\n\\{}", line.text.replace('\\', "\\\\"))),
            }
        }
    }
    let script: String = commands.iter().map(|command| format!(" -e {}", quoted(command))).collect();
    let _ = write!(out, "{checks}cp -p {path} {spare}\nsed{script} {spare} > {path}\n");
    back.push(format!("cp -p {spare} {path}"));
}

fn starts_empty(diff: &Diff) -> bool {
    diff.hunks.first().is_some_and(|hunk| hunk.old_start == 0)
}

fn keep_image(out: &mut String, of: &OldContainer) {
    let _ = writeln!(out, "image=$(docker inspect --type container --format '{{{{.Image}}}}' {})", quoted(&of.id));
    let _ = writeln!(out, "docker tag \"$image\" {}", quoted(&kept(of)));
}

fn copy_volumes(out: &mut String, of: &OldContainer) {
    let _ = write!(
        out,
        "docker stop {id}\nnumber=0\nformat='{{{{range .Mounts}}}}{{{{if eq .Type \"volume\"}}}}{{{{println .Name}}}}{{{{end}}}}{{{{end}}}}'\n\
         for volume in $(docker inspect --type container --format \"$format\" {id}); do\n  number=$((number + 1))\n  \
         docker run --rm -v \"$volume:/from:ro\" -v {name}-copy-\"$number:/to\" busybox cp -a /from/. /to/\ndone\n",
        id = quoted(&of.id),
        name = quoted(&of.name),
    );
}

/// What `docker create` has no words for goes through the engine's API, by curl and jq.
fn by_api(out: &mut String, of: &OldContainer, platform: Option<&str>, reach: Reach<'_>) {
    let Some(api) = api(reach) else {
        let _ = writeln!(
            out,
            "echo 'This engine is reached by TLS or ssh: make {} anew with the options it was started with.' >&2\nexit 1",
            comment(&of.name).replace('\'', "")
        );
        return;
    };
    let query = platform.map(|platform| format!("&platform={platform}")).unwrap_or_default();
    let _ = write!(
        out,
        "# Needs curl and jq. The configuration holds environment values: it stays in a folder of its own, which is removed at the end.\n\
         work=$(mktemp -d)\ntrap 'rm -rf \"$work\"' EXIT\n\
         docker inspect --type container {id} > \"$work/container.json\"\n\
         docker image inspect \"$image\" > \"$work/image.json\"\n\
         jq -n --slurpfile c \"$work/container.json\" --slurpfile i \"$work/image.json\" --arg image {image} {filter} > \"$work/body.json\"\n\
         {api} -X POST -H 'Content-Type: application/json' --data @\"$work/body.json\" {create} > \"$work/made.json\"\n\
         made=$(jq -r .Id \"$work/made.json\")\n\
         # Further networks; aliases and fixed addresses in them are not carried over.\n\
         jq -r {networks} \"$work/container.json\" | while read -r network; do docker network connect \"$network\" \"$made\"; done\n\
         docker stop {id}\ndocker rename {id} {name}-before\ndocker rename \"$made\" {name}\ndocker start {name}\n\
         # When all is well: docker rm {name}-before\n",
        id = quoted(&of.id),
        image = quoted(&of.image),
        filter = quoted(FILTER),
        create = quoted(&format!("{}/containers/create?name={}-making{query}", BASE, of.name)),
        networks = quoted(NETWORKS),
        name = quoted(&of.name),
    );
}

const BASE: &str = "http://localhost";

/// curl for the engine's address; none where it needs more than an address.
fn api(reach: Reach<'_>) -> Option<String> {
    if let Some(socket) = reach.endpoint.strip_prefix("unix://") {
        return Some(format!("curl -fsS --unix-socket {}", quoted(socket)));
    }
    let address = reach.endpoint.strip_prefix("tcp://")?;
    Some(format!("curl -fsS --connect-to {}", quoted(&format!("localhost:80:{address}"))))
}

/// The same configuration, as the engine wants it: what came from the image is left to the image.
const FILTER: &str = r#"
$c[0][0] as $old | ($i[0][0].Config // {}) as $of | $old.Config
| .Image = $image
| .Env = ((.Env // []) - ($of.Env // []))
| .Labels = ((.Labels // {}) | with_entries(select(($of.Labels // {})[.key] != .value)))
| if .Entrypoint == $of.Entrypoint then (if .Cmd == $of.Cmd then del(.Cmd) else . end) | del(.Entrypoint) else . end
| reduce ("WorkingDir", "User", "StopSignal", "Shell", "Healthcheck") as $k (.; if .[$k] == $of[$k] then del(.[$k]) else . end)
| if .Hostname == $old.Id[0:12] then del(.Hostname) else . end
| ([$old.HostConfig.Binds[]? | split(":")[1]] + [$old.HostConfig.Mounts[]? | select((.Source // "") != "") | .Target]) as $placed
| .HostConfig = ($old.HostConfig
  | .Mounts = [.Mounts[]? | select(.Type != "volume" or (.Source // "") != "")]
  | .Binds = ((.Binds // []) + [$old.Mounts[] | select(.Type == "volume")
    | select(.Destination as $d | $placed | index($d) | not) | .Name + ":" + .Destination]))
| .NetworkingConfig = {EndpointsConfig: ($old.NetworkSettings.Networks
  | with_entries(select(.key == $old.HostConfig.NetworkMode) | .value |= {IPAMConfig, Aliases}))}
"#;

/// Names of the networks but for the first.
const NETWORKS: &str = r#".[0] | .HostConfig.NetworkMode as $first | .NetworkSettings.Networks | keys[] | select(. != $first and . != "bridge")"#;

fn kept(of: &OldContainer) -> String {
    format!("silidock-kept/{}:by-hand", crate::recreate::tagged(&of.name))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn line(out: &mut String, argv: &[String]) {
    let _ = writeln!(out, "{}", joined(argv));
}

fn joined(argv: &[String]) -> String {
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
