//! `silidock fix`.

use std::{fmt::Write, process::ExitCode, sync::Arc};

use silidock_app::{
    App, Failure, FailureCode,
    diagnosis::{finding::Finding, fix::Safety, schema::Schema},
    report::Scan,
    schemas::{FixList, PreviewDocument},
    wire::{ApplyRequest, ChangeOutcome, FixPreview, FixRequest, ScriptRequest},
};

use crate::{
    args::{Consent, FixOptions},
    output::{Output, Style, shown},
};

pub async fn run(options: FixOptions, output: &Output) -> Result<ExitCode, Failure> {
    let (app, _) = super::looked(&options.from, false, output).await?;
    app.ask_written().await?;
    let scan = app.last_scan()?;
    let Some(wanted) = &options.finding else {
        return match (options.all_safe, options.script) {
            (true, true) => print_script(&app, None, output).await,
            (true, false) => super::all_safe::run(&app, options.consent, options.from.sample, output).await,
            (false, _) => list(&scan, output),
        };
    };
    let finding = matching(&scan, wanted, &options.from.words())?;
    if options.script {
        let fix = FixRequest { finding: finding.id.clone(), option: options.option };
        return print_script(&app, Some(fix), output).await;
    }
    change(&app, &finding.id, options.option, options.consent, options.from.sample, output).await
}

/// Previews a fix, and with consent carries it out.
pub(super) async fn change(
    app: &Arc<App>,
    finding: &str,
    option: u32,
    consent: Consent,
    sample: bool,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let shown = app.preview_fix(FixRequest { finding: finding.to_owned(), option }).await?;
    if !consent.apply {
        print_preview(&shown, output)?;
        return Ok(refused(&shown).map_or(ExitCode::SUCCESS, |_| ExitCode::from(2)));
    }
    if let Some(failure) = refused(&shown) {
        return Err(failure);
    }
    if !output.json {
        output.print(&text(&shown, output))?;
    }
    if !super::agreed(consent, &format!("{}?", shown.fix.title), output)? {
        return Ok(ExitCode::SUCCESS);
    }
    if shown.fix.runtime.is_some() {
        output.say("Running the commands, and proving afterwards what runs. A machine that restarts takes minutes.");
    }
    let heard = super::heard(app);
    let outcome = app.apply_fix(ApplyRequest { finding: finding.to_owned(), option, token: shown.token }).await;
    heard.abort();
    let outcome = outcome?;
    let lasts = shown.fix.runtime.as_ref().is_none_or(|runtime| runtime.change.lasts());
    print_outcome(&outcome, lasts, sample, output)
}

async fn print_script(app: &Arc<App>, fix: Option<FixRequest>, output: &Output) -> Result<ExitCode, Failure> {
    let written = app.fix_script(ScriptRequest { fix }).await?;
    match output.json {
        true => output.document(&written)?,
        false => output.print(&written.script)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print_outcome(outcome: &ChangeOutcome, lasts: bool, sample: bool, output: &Output) -> Result<ExitCode, Failure> {
    if output.json {
        output.document(outcome)?;
    } else {
        let sample = if sample { " --sample" } else { "" };
        let receipt = &outcome.receipt;
        let undo = if lasts { format!(" (silidock undo {receipt}{sample})") } else { String::new() };
        output.print(&format!("{}\nReceipt {receipt}{undo}\n", shown(&outcome.words)))?;
    }
    let helped = outcome.verified == silidock_app::remedy::Verified::Verified;
    Ok(if helped { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn list(scan: &Scan, output: &Output) -> Result<ExitCode, Failure> {
    let fixable: Vec<Finding> =
        scan.findings.iter().filter(|f| !f.fixes.is_empty() && f.superseded_by.is_none()).cloned().collect();
    if output.json {
        output.document(&FixList { schema: Schema, findings: fixable })?;
        return Ok(ExitCode::SUCCESS);
    }
    if fixable.is_empty() {
        output.print("No finding has a fix.\n")?;
    }
    for finding in &fixable {
        let mut out = format!("{}\n  {}\n", output.styled(Style::Strong, &finding.id), shown(&finding.title));
        for fix in &finding.fixes {
            let _ = writeln!(out, "  {}. {} ({})", fix.option, shown(&fix.title), safety(fix.safety));
        }
        output.print(&out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn safety(safety: Safety) -> &'static str {
    match safety {
        Safety::Safe => "safe",
        Safety::Review => "review it first",
        Safety::ShowOnly => "only shows what to do",
    }
}

fn matching<'a>(scan: &'a Scan, wanted: &str, from: &str) -> Result<&'a Finding, Failure> {
    let candidates: Vec<&Finding> = scan.findings.iter().filter(|f| f.id.starts_with(wanted)).collect();
    let exact = candidates.iter().find(|f| f.id == wanted);
    match (exact, candidates.as_slice()) {
        (Some(found), _) => Ok(found),
        (None, [only]) => Ok(only),
        (None, []) => Err(Failure::new(FailureCode::NotFound, format!("There is no finding {wanted} here.")).hint(
            format!("It may be fixed already: see silidock history. Those that have fixes: silidock fix --list{from}."),
        )),
        (None, several) => {
            Err(Failure::new(FailureCode::NotFound, format!("{wanted} could mean {} findings.", several.len()))
                .detail(several.iter().map(|f| f.id.clone()).collect()))
        }
    }
}

/// Why this fix cannot be applied, if so.
fn refused(shown: &FixPreview) -> Option<Failure> {
    if let Some(refusal) = &shown.preview.refused {
        return Some(Failure::new(FailureCode::Refused, refusal.why.clone()).detail(refusal.lines_to_type.clone()));
    }
    None
}

fn print_preview(shown: &FixPreview, output: &Output) -> Result<(), Failure> {
    if output.json {
        let document =
            PreviewDocument { schema: Schema, finding: Some(shown.finding.id.clone()), preview: shown.preview.clone() };
        return output.document(&document);
    }
    output.print(&text(shown, output))?;
    if shown.fix.changes_something() && shown.preview.refused.is_none() {
        output.say("Nothing was changed. Add --apply to carry this out.");
    }
    Ok(())
}

pub(super) fn text(preview: &FixPreview, output: &Output) -> String {
    let fix = &preview.fix;
    let mut out =
        format!("{} ({})\n{}\n\n", output.styled(Style::Strong, &fix.title), safety(fix.safety), shown(&fix.summary));
    for (number, step) in preview.steps.iter().enumerate() {
        let _ = writeln!(out, "{}. {}", number + 1, shown(step));
    }
    for diff in &preview.preview.diffs {
        let _ = write!(out, "\n{}", super::drawn(diff, output));
    }
    let runs = fix.runtime.is_some() || fix.changes_engine();
    if runs && !preview.preview.commands.is_empty() {
        let _ = writeln!(out, "\nCommands that are run, in this order:");
    }
    for command in &preview.preview.commands {
        let space = if runs { "" } else { "\n" };
        let _ = writeln!(out, "{space}  {}", super::command_line(command));
    }
    if !preview.preview.restarts.is_empty() {
        let names: Vec<String> = preview.preview.restarts.iter().map(|name| shown(name)).collect();
        let _ = writeln!(out, "\nContainers that stop ({}): {}", names.len(), names.join(", "));
    }
    for told in preview.preview.told.iter().filter(|told| !preview.steps.contains(told)) {
        let _ = writeln!(out, "\n{}", shown(told));
    }
    if let Some(refusal) = &preview.preview.refused {
        let _ = writeln!(out, "\nThis cannot be done for you: {}", shown(&refusal.why));
        for line in &refusal.lines_to_type {
            let _ = writeln!(out, "  {}", shown(line));
        }
    }
    out
}
