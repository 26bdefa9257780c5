//! OrbStack's settings: by its own command where it runs, else from its file.

use std::path::Path;

use silidock_diagnosis::{
    fact::{Fact, Gap},
    finding::Confidence,
    runtime::{EmulatorChoice, RuntimeSettings, Setting, VmType},
};
use silidock_host::{Host, ToolRun};

use super::{
    app_version, blank, default_setting,
    document::{Format, Opened, open},
    text,
};

const APP: &str = "/Applications/OrbStack.app";
const QUESTION: &str = "orb config get rosetta";

pub(super) async fn read(host: &dyn Host) -> Vec<RuntimeSettings> {
    let Some(home) = host.home() else { return Vec::new() };
    let folder = home.join(".orbstack");
    if !host.exists(&folder) && !host.exists(Path::new(APP)) {
        return Vec::new();
    }
    let socket = folder.join("run/docker.sock");
    let mut found = blank("orbstack", "OrbStack", None);
    found.version = app_version(host, APP);
    found.host_name = Some("orbstack".to_owned());
    found.sockets = vec![text(&socket)];
    let own = VmType::Other("OrbStack's own machine".to_owned());
    found.vm_type = Fact::Known(default_setting(own, "OrbStack", None, "its own machine", Confidence::Likely));
    // The command talks to the app; only where its socket is there, it does not have to be started for the answer.
    let answer = if host.exists(&socket) { ask(host, &mut found.gaps).await } else { None };
    found.emulator = match answer {
        Some(setting) => Fact::Known(setting),
        None => from_file(host, &folder.join("vmconfig.json"), &mut found.gaps),
    };
    vec![found]
}

fn choice(rosetta: bool) -> EmulatorChoice {
    if rosetta { EmulatorChoice::Rosetta } else { EmulatorChoice::Qemu }
}

async fn ask(host: &dyn Host, gaps: &mut Vec<Gap>) -> Option<Setting<EmulatorChoice>> {
    let words: Vec<&str> = QUESTION.split(' ').collect();
    let tool = host.find_tool("orb")?;
    let gap = |why: String| Gap::new(format!("the answer of {QUESTION}"), why);
    let output = match host.run(&ToolRun::new(tool, &words[1..])).await {
        Ok(output) => output,
        Err(error) => {
            gaps.push(gap(error.to_string()));
            return None;
        }
    };
    let said = output.text();
    let word = said.rsplit([' ', ':']).next().unwrap_or_default();
    match (output.success(), word.parse::<bool>()) {
        (true, Ok(on)) => Some(Setting {
            value: choice(on),
            place: QUESTION.to_owned(),
            key: Some("rosetta".to_owned()),
            line: None,
            default: false,
            written: on.to_string(),
            confidence: Confidence::Certain,
        }),
        (true, Err(_)) => {
            gaps.push(gap("it answered neither true nor false".to_owned()));
            None
        }
        (false, _) => {
            gaps.push(gap("it failed".to_owned()));
            None
        }
    }
}

/// The key of the file is inferred from the command's, and only settings that differ from the default seem to be there.
fn from_file(host: &dyn Host, path: &Path, gaps: &mut Vec<Gap>) -> Fact<Setting<EmulatorChoice>> {
    let by_default =
        || default_setting(EmulatorChoice::Rosetta, &text(path), Some("rosetta"), "true", Confidence::Likely);
    let set = match open(host, path, Format::Json) {
        Opened::Missing => return Fact::Known(by_default()),
        Opened::Here(document) => document.switch(&["rosetta"]),
        Opened::Unreadable(gap) => Err(gap),
    };
    match set {
        Ok(Some(set)) => Fact::Known(set.map(choice).likely()),
        Ok(None) => Fact::Known(by_default()),
        Err(gap) => {
            gaps.push(gap.clone());
            gap.into()
        }
    }
}
