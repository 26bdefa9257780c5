//! A fix is data with a promise: it can be shown before it happens, undone after it, and its promise is checked by
//! looking again. Nothing here carries anything out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{platform::Platform, runtime_fix::Change};

/// What pressing the button means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Safety {
    /// Cannot make anything worse.
    Safe,
    /// Right in most cases; read the preview.
    Review,
    /// Only words: a person has to do it.
    ShowOnly,
}

/// One way to fix a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Fix {
    /// Number among the fixes of its finding, from 1.
    pub option: u32,
    /// What it does, as a button says it: "Pin db to linux/amd64".
    pub title: String,
    /// What it costs and what it leaves as it is.
    pub summary: String,
    /// What pressing the button means.
    pub safety: Safety,
    /// What is done, in order; all or nothing.
    pub steps: Vec<Step>,
    /// Check whose finding must be gone afterwards. None where nothing is changed.
    pub promise: Option<String>,
    /// What it does to a runtime, where it runs a runtime's own tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub runtime: Option<RuntimeChange>,
}

impl Fix {
    /// It changes something when applied.
    pub fn changes_something(&self) -> bool {
        self.safety != Safety::ShowOnly
    }

    /// It changes containers or images of an engine, maybe files as well.
    pub fn changes_engine(&self) -> bool {
        self.steps.iter().any(Step::changes_engine)
    }
}

/// A change of a runtime, or of what its engine registers: which one, and the way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeChange {
    /// Runtime id, as in [`crate::inventory::Runtime::id`].
    pub runtime: String,
    /// As people call it: "Docker Desktop".
    pub name: String,
    /// Profile, instance or machine; none where a runtime has only one.
    pub instance: Option<String>,
    /// What is asked of it.
    pub change: Change,
    /// The engine goes on restarting after the last command has returned.
    pub in_background: bool,
    /// What brings back how it was, in order.
    pub back: Vec<BackStep>,
}

/// A step of the way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct BackStep {
    /// It is needed once this step of the fix was begun, from 0; the number of steps means "once all were done".
    pub from: u32,
    /// What is done.
    pub step: Step,
}

/// What a command of a runtime is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum CommandKind {
    /// Stops a machine. On the way back it may fail: what did not start need not be stopped.
    Stop,
    /// Starts one.
    Start,
    /// Stops and starts one.
    Restart,
    /// Changes a setting.
    Set,
    /// Changes what the engine's kernel has registered.
    Register,
}

/// A switch of a settings file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SettingValue {
    /// Key at the top of the file.
    pub key: String,
    /// What it shall be.
    pub value: bool,
}

/// One step of a fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Step {
    /// Changes one value of a YAML file and leaves every other byte as it is.
    #[serde(rename_all = "camelCase")]
    EditYaml {
        /// Absolute path.
        path: String,
        /// What to change.
        edit: YamlEdit,
    },
    /// Takes one line out of a text file, or replaces it.
    #[serde(rename_all = "camelCase")]
    EditLine {
        /// Absolute path.
        path: String,
        /// Line, from 1.
        line: u32,
        /// What must stand there, without its line ending.
        expected: String,
        /// What shall stand there; none takes the line out.
        replacement: Option<String>,
    },
    /// Puts one line into a text file, in front of a line that is shown.
    #[serde(rename_all = "camelCase")]
    InsertLine {
        /// Absolute path.
        path: String,
        /// In front of this line, from 1.
        before: u32,
        /// What must stand in that line, without its line ending.
        expected: String,
        /// The new line.
        text: String,
    },
    /// Puts one line at the end of a text file, unless it has that line; makes the file where it is not there.
    AppendLine {
        /// Absolute path.
        path: String,
        /// The line.
        text: String,
    },
    /// Ends every line of a text file with LF alone.
    ConvertLineEndings {
        /// Absolute path.
        path: String,
    },
    /// Runs a tool of a runtime to its end.
    #[serde(rename_all = "camelCase")]
    RuntimeCommand {
        /// In words.
        text: String,
        /// The tool by its name, and its arguments.
        argv: Vec<String>,
        /// What it is for.
        does: CommandKind,
        /// What it must have printed to count as done: some tools end with 0 whatever happened.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        says: Option<String>,
    },
    /// Sets switches of a JSON settings file and leaves every other byte as it is. On the way back: brings back what
    /// they were.
    #[serde(rename_all = "camelCase")]
    EditSettings {
        /// Absolute path.
        path: String,
        /// What to set.
        values: Vec<SettingValue>,
    },
    /// Brings one platform of an image from its registry, as the engine's own pull does.
    PullPlatform {
        /// The image, as its user spells it.
        reference: String,
        /// Which of its platforms.
        platform: Platform,
    },
    /// Stops a container and copies each of its volumes into a new one, which stays.
    CopyVolumes {
        /// Which container.
        of: OldContainer,
    },
    /// Keeps what a container has written outside of volumes, as an image with a tag.
    KeepWritten {
        /// Which container.
        of: OldContainer,
    },
    /// Makes a container anew: its name, configuration and volumes as they are, its image as the engine has it by then.
    RecreateContainer {
        /// Which container.
        of: OldContainer,
        /// The platform to run; none leaves that to the engine.
        platform: Option<Platform>,
    },
    /// Makes the one container of a Compose service anew, by Compose, with the files its project was started from.
    RecreateService {
        /// Its container.
        of: OldContainer,
        /// Project name.
        project: String,
        /// Service name.
        service: String,
        /// The platform to run; none leaves that to Compose.
        platform: Option<Platform>,
    },
    /// Builds an image again from the Dockerfile that is known of it, and keeps the one from before under another tag.
    #[serde(rename_all = "camelCase")]
    BuildImage {
        /// The image's reference.
        image: String,
        /// The Compose service that says how it is built, as `project/service`.
        service: Option<String>,
        /// For which platforms; those of the engine and of the deploy targets where none is named.
        platforms: Vec<Platform>,
    },
    /// Says what a person has to do.
    #[serde(rename_all = "camelCase")]
    Tell {
        /// In words.
        text: String,
        /// Command lines, an argument vector each.
        commands: Vec<Vec<String>>,
    },
}

/// A container that a step is about, as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct OldContainer {
    /// Its full identifier: another container of the same name is not meant.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The reference it was made from.
    pub image: String,
}

/// A change to a YAML file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum YamlEdit {
    /// Gives a Compose service a `platform:` that it does not have.
    SetPlatform {
        /// Service name.
        service: String,
        /// To pin it to.
        platform: Platform,
    },
    /// Gives a Compose service that has a `platform:` another one.
    ChangePlatform {
        /// Service name.
        service: String,
        /// To pin it to.
        platform: Platform,
    },
    /// Pins a Compose service in an override file, which is made where it is not there and may not know the service yet.
    OverridePlatform {
        /// Service name.
        service: String,
        /// To pin it to.
        platform: Platform,
    },
    /// Takes the `platform:` of a Compose service out.
    RemovePlatform {
        /// Service name.
        service: String,
    },
}

/// A step that works on a runtime.
#[derive(Debug, Clone, Copy)]
pub enum RuntimeStep<'a> {
    /// [`Step::RuntimeCommand`].
    Command {
        /// The tool and its arguments.
        argv: &'a [String],
        /// What it is for.
        does: CommandKind,
        /// What it must have printed.
        says: Option<&'a str>,
    },
    /// [`Step::EditSettings`].
    Settings {
        /// Absolute path.
        path: &'a str,
        /// What to set.
        values: &'a [SettingValue],
    },
}

impl Step {
    /// The same where it works on a runtime.
    pub fn of_runtime(&self) -> Option<RuntimeStep<'_>> {
        match self {
            Self::RuntimeCommand { argv, does, says, .. } => {
                Some(RuntimeStep::Command { argv, does: *does, says: says.as_deref() })
            }
            Self::EditSettings { path, values } => Some(RuntimeStep::Settings { path, values }),
            Self::EditYaml { .. }
            | Self::EditLine { .. }
            | Self::InsertLine { .. }
            | Self::AppendLine { .. }
            | Self::ConvertLineEndings { .. }
            | Self::PullPlatform { .. }
            | Self::CopyVolumes { .. }
            | Self::KeepWritten { .. }
            | Self::RecreateContainer { .. }
            | Self::RecreateService { .. }
            | Self::BuildImage { .. }
            | Self::Tell { .. } => None,
        }
    }

    /// It changes containers or images of an engine.
    pub fn changes_engine(&self) -> bool {
        match self {
            Self::PullPlatform { .. }
            | Self::CopyVolumes { .. }
            | Self::KeepWritten { .. }
            | Self::RecreateContainer { .. }
            | Self::RecreateService { .. }
            | Self::BuildImage { .. } => true,
            Self::EditYaml { .. }
            | Self::EditLine { .. }
            | Self::InsertLine { .. }
            | Self::AppendLine { .. }
            | Self::ConvertLineEndings { .. }
            | Self::RuntimeCommand { .. }
            | Self::EditSettings { .. }
            | Self::Tell { .. } => false,
        }
    }

    /// What the step does, in one line.
    pub fn title(&self) -> String {
        match self {
            Self::EditYaml { path, edit: YamlEdit::SetPlatform { service, platform } } => {
                format!("Set platform: {platform} for {service} in {path}")
            }
            Self::EditYaml { path, edit: YamlEdit::ChangePlatform { service, platform } } => {
                format!("Change platform: of {service} to {platform} in {path}")
            }
            Self::EditYaml { path, edit: YamlEdit::OverridePlatform { service, platform } } => {
                format!("Override platform: of {service} with {platform} in {path}")
            }
            Self::EditYaml { path, edit: YamlEdit::RemovePlatform { service } } => {
                format!("Remove platform: of {service} in {path}")
            }
            Self::EditLine { path, line, replacement: None, .. } => format!("Remove line {line} of {path}"),
            Self::EditLine { path, line, replacement: Some(_), .. } => format!("Change line {line} of {path}"),
            Self::EditSettings { path, values } => {
                let set = |v: &SettingValue| format!("{} to {}", v.key, v.value);
                format!("Set {} in {path}", values.iter().map(set).collect::<Vec<_>>().join(" and "))
            }
            Self::InsertLine { path, before, text, .. } => {
                format!("Put \"{text}\" in front of line {before} of {path}")
            }
            Self::AppendLine { path, text } => format!("Add the line \"{text}\" to {path}"),
            Self::ConvertLineEndings { path } => format!("End every line of {path} with LF"),
            Self::PullPlatform { reference, platform } => format!("Pull {platform} of {reference}"),
            Self::CopyVolumes { of } => format!("Stop {} and copy its volumes", of.name),
            Self::KeepWritten { of } => format!("Keep what {} wrote outside of volumes as an image", of.name),
            Self::RecreateContainer { of, platform: Some(platform) } => {
                format!("Make {} anew for {platform}, with the same configuration and volumes", of.name)
            }
            Self::RecreateContainer { of, platform: None } => {
                format!("Make {} anew with the same configuration and volumes", of.name)
            }
            Self::RecreateService { service, project, platform: Some(platform), .. } => {
                format!("Make {service} of {project} anew for {platform}, by docker compose")
            }
            Self::RecreateService { service, project, platform: None, .. } => {
                format!("Make {service} of {project} anew, by docker compose")
            }
            Self::BuildImage { image, platforms, .. } if platforms.is_empty() => format!("Build {image} again"),
            Self::BuildImage { image, platforms, .. } => {
                let platforms: Vec<String> = platforms.iter().map(ToString::to_string).collect();
                format!("Build {image} again for {}", platforms.join(" and "))
            }
            Self::RuntimeCommand { text, .. } | Self::Tell { text, .. } => text.clone(),
        }
    }
}
