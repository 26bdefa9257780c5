//! DOCKER_DEFAULT_PLATFORM asks for another platform than the engine's.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always, engine_platform_words},
    example::{container, inventory, shell_default},
    execution::Expected,
    fact::Fact,
    finding::{Confidence, Evidence, Finding, Severity, Subject, SubjectKind},
    fix::{Safety, Step},
    inventory::{DefaultPlatform, DefaultPlatformScope, Inventory, Listing},
    platform::{Nativeness, Platform},
    text::list,
};

/// The check.
pub static CHECK: Check = Check {
    id: "default-platform-env",
    title: "DOCKER_DEFAULT_PLATFORM asks for a foreign platform",
    why: "Every pull, run and build without a platform of its own then takes that one, also where a native image exists. \
          Take the variable out and pin only the services that need it.",
    severity: Severity::Note,
    needs: &[Need::EnginePlatform, Need::DefaultPlatforms],
    applies: always,
    run,
    supersedes: &[],
    examples: &[
        Example {
            name: "a line in ~/.zshrc asks for Intel on an ARM engine",
            verdict: Verdict::Fires,
            inventory: shell,
        },
        Example { name: "this program's own environment asks for it", verdict: Verdict::Fires, inventory: environment },
        Example { name: "it names no platform", verdict: Verdict::Fires, inventory: unreadable },
        Example { name: "it asks for the engine's own platform", verdict: Verdict::Silent, inventory: native },
        Example { name: "it is not set", verdict: Verdict::Silent, inventory: unset },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let inventory = context.inventory;
    let (Some(engine), Some(settings)) = (inventory.engine.platform.known(), inventory.default_platforms.known())
    else {
        return Vec::new();
    };
    let judged = |setting: &DefaultPlatform| match setting.value.parse::<Platform>() {
        Ok(asked) => (asked.on(engine) != Nativeness::Native).then(|| judge(context, setting)),
        Err(_) => Some(no_platform(context, setting)),
    };
    settings.iter().filter_map(judged).collect()
}

fn place(setting: &DefaultPlatform) -> String {
    match (&setting.path, setting.line) {
        (Some(path), Some(line)) => format!("{path}:{line}"),
        (Some(path), None) => path.clone(),
        (None, _) => "the environment Silidock was started with".to_owned(),
    }
}

fn subject(setting: &DefaultPlatform) -> Subject {
    let subject = Subject::new(SubjectKind::Setting, "DOCKER_DEFAULT_PLATFORM");
    match &setting.path {
        Some(path) => subject.at(path, setting.line),
        None => subject,
    }
}

/// Not silently left out: what it asks for, or would after a shell has worked it out, is not known.
fn no_platform(context: &Context<'_>, setting: &DefaultPlatform) -> Finding {
    let (value, place) = (&setting.value, place(setting));
    let evidence = vec![Evidence::new(&place, format!("DOCKER_DEFAULT_PLATFORM={value}"))];
    let finding = context.finding(&CHECK, Confidence::Likely, subject(setting), Words {
        title: format!("DOCKER_DEFAULT_PLATFORM says \"{value}\", which is no platform"),
        why: format!(
            "{place} sets it. Docker refuses what it cannot read, or a shell makes something of it that is not seen here; \
             whether images are pulled for another platform is therefore not known."
        ),
        evidence,
    });
    with_fix(finding, setting)
}

fn judge(context: &Context<'_>, setting: &DefaultPlatform) -> Finding {
    let value = &setting.value;
    let place = place(setting);
    let mut evidence = vec![Evidence::new(&place, format!("DOCKER_DEFAULT_PLATFORM={value}"))];
    let affected: Vec<String> = context
        .containers
        .iter()
        .filter(|(c, execution)| {
            setting.counts_for(c.compose.as_ref())
                && execution.expected == Fact::Known(Expected::Emulated)
                && value.parse::<Platform>().ok().as_ref() == c.platform.known()
        })
        .map(|(c, _)| c.name.clone())
        .collect();
    if !affected.is_empty() {
        evidence.push(Evidence::new(
            "containers",
            format!("{} {value}: {}", if affected.len() == 1 { "1 is" } else { "these are" }, list(&affected)),
        ));
    }
    let engine = engine_platform_words(context.inventory);
    let reach = match &setting.scope {
        DefaultPlatformScope::Environment | DefaultPlatformScope::ShellFile => "everywhere".to_owned(),
        DefaultPlatformScope::Project { project } => format!("in the project {project}"),
    };
    let finding = context.finding(&CHECK, Confidence::Certain, subject(setting), Words {
        title: format!("DOCKER_DEFAULT_PLATFORM asks for {value} {reach}"),
        why: match affected.len() {
            0 => format!("{place} sets it. The engine is {engine}, so the next pull or build brings an image that has to be emulated."),
            1 => format!("{place} sets it. The engine is {engine}, and 1 container is of that platform and may have come from it."),
            n => format!("{place} sets it. The engine is {engine}, and {n} containers are of that platform and may have come from it."),
        },
        evidence,
    });
    with_fix(finding, setting)
}

fn with_fix(finding: Finding, setting: &DefaultPlatform) -> Finding {
    let summary =
        "Images and containers that are here stay as they are; shells that are open keep the variable until they end.";
    match (&setting.path, setting.line, &setting.text) {
        (Some(path), Some(line), Some(text)) => finding.with_fix(
            format!("Take line {line} out of {}", file_name(path)),
            summary,
            Safety::Review,
            vec![Step::EditLine { path: path.clone(), line, expected: text.clone(), replacement: None }],
        ),
        (Some(path), line, _) => {
            let at = line.map(|n| format!("line {n} of ")).unwrap_or_default();
            let text = format!(
                "Take DOCKER_DEFAULT_PLATFORM out of {at}{path}. The line does more than set it, so it is left to you."
            );
            finding.with_fix("Show the line", summary, Safety::ShowOnly, vec![Step::Tell { text, commands: vec![] }])
        }
        (None, ..) => {
            let text =
                "Unset it where it is set: in the shell that started this program, or for the whole login session."
                    .to_owned();
            let unset = ["launchctl", "unsetenv", "DOCKER_DEFAULT_PLATFORM"].map(str::to_owned).to_vec();
            finding.with_fix(
                "Show how to unset it",
                summary,
                Safety::ShowOnly,
                vec![Step::Tell { text, commands: vec![unset] }],
            )
        }
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn with(setting: Option<DefaultPlatform>) -> Inventory {
    let mut seen = inventory("arm64");
    seen.default_platforms = crate::fact::Fact::Known(setting.into_iter().collect());
    seen.containers =
        Listing::of(vec![container("web").platform("linux/amd64").processes(&["/run/rosetta/rosetta a"]).build()]);
    seen
}
fn shell() -> Inventory {
    with(Some(shell_default("linux/amd64")))
}
fn environment() -> Inventory {
    let mut setting = shell_default("linux/amd64");
    setting.scope = DefaultPlatformScope::Environment;
    (setting.path, setting.line, setting.text) = (None, None, None);
    with(Some(setting))
}
fn unreadable() -> Inventory {
    with(Some(shell_default("$PLATFORM")))
}
fn native() -> Inventory {
    with(Some(shell_default("linux/arm64")))
}
fn unset() -> Inventory {
    with(None)
}
