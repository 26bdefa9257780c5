//! `silidock checks`.

use std::process::ExitCode;

use silidock_app::{
    Failure, FailureCode,
    report::scan::{CheckInfo, catalogue},
};

use crate::output::{Output, Style, table};

pub async fn run(id: Option<&str>, output: &Output) -> Result<ExitCode, Failure> {
    let mut all = catalogue();
    if let Some(id) = id {
        all.checks.retain(|check| check.id == id);
        if all.checks.is_empty() {
            return Err(Failure::new(FailureCode::NotFound, format!("There is no check {id}."))
                .hint("silidock checks lists them."));
        }
    }
    if output.json {
        output.document(&all)?;
    } else if id.is_some() {
        for check in &all.checks {
            output.print(&explained(check, output))?;
        }
    } else {
        let mut rows = table(&["CHECK", "SEVERITY", "FINDS"]);
        for check in &all.checks {
            rows.add_row([check.id.as_str(), check.severity.word(), check.title.as_str()]);
        }
        output.print(&format!("{rows}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn explained(check: &CheckInfo, output: &Output) -> String {
    let lines = |title: &str, items: &[String]| {
        let items: String = items.iter().map(|item| format!("  - {item}\n")).collect();
        format!("{title}\n{items}")
    };
    format!(
        "{} ({})\n{}\n\n{}\n\n{}{}",
        output.styled(Style::Strong, &check.id),
        check.severity.word(),
        check.title,
        check.why,
        lines("Fires on", &check.fires),
        lines("Silent on", &check.silent),
    )
}
