//! `silidock pin` and `silidock unpin`.

use std::{fmt::Write, process::ExitCode};

use silidock_app::{
    App, AppOptions, Failure, FailureCode,
    diagnosis::{platform::Platform, schema::Schema},
    pins::{Pin, PinPreview},
    remedy::Verified,
    schemas::PreviewDocument,
};

use crate::{
    args::{Consent, PinOptions, UnpinOptions},
    output::{Output, Style, shown},
};

pub async fn pin(options: PinOptions, output: &Output) -> Result<ExitCode, Failure> {
    let platform: Platform = options.platform.parse().map_err(|error: _| not_a_platform(&error))?;
    let pin = Pin {
        file: options.file,
        services: named(&options.service),
        platform: Some(platform),
        in_override: options.in_override,
    };
    run(pin, options.consent, output).await
}

pub async fn unpin(options: UnpinOptions, output: &Output) -> Result<ExitCode, Failure> {
    let pin = Pin { file: options.file, services: named(&options.service), platform: None, in_override: false };
    run(pin, options.consent, output).await
}

/// One service, or several with commas between them.
fn named(services: &str) -> Vec<String> {
    services.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn not_a_platform(error: &silidock_app::diagnosis::platform::PlatformError) -> Failure {
    Failure::new(FailureCode::Refused, format!("{error}."))
}

async fn run(pin: Pin, consent: Consent, output: &Output) -> Result<ExitCode, Failure> {
    let app = App::start(AppOptions::default());
    let shown = app.preview_pin(pin).await?;
    if !consent.apply {
        if output.json {
            output.document(&PreviewDocument { schema: Schema, finding: None, preview: shown.preview.clone() })?;
        } else {
            output.print(&text(&shown, output))?;
        }
    }
    if let Some(refusal) = &shown.preview.refused {
        let failure = Failure::new(FailureCode::Refused, format!("{}.", refusal.why.trim_end_matches('.')));
        return match consent.apply {
            true => Err(failure.detail(refusal.lines_to_type.clone())),
            false => Ok(ExitCode::from(2)),
        };
    }
    if !consent.apply {
        output.say("Nothing was changed. Add --apply to carry this out.");
        return Ok(ExitCode::SUCCESS);
    }
    if !output.json {
        output.print(&text(&shown, output))?;
    }
    if !super::agreed(consent, &format!("{}?", shown.fix.title), output)? {
        return Ok(ExitCode::SUCCESS);
    }
    let outcome = app.apply_pin(shown).await?;
    if output.json {
        output.document(&outcome)?;
    } else {
        let receipt = &outcome.receipt;
        let words = crate::output::shown(&outcome.words);
        output.print(&format!("{words}\nReceipt {receipt} (silidock undo {receipt})\n"))?;
    }
    Ok(if outcome.verified == Verified::Verified { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn text(preview: &PinPreview, output: &Output) -> String {
    let mut out = format!("{}\n{}\n", output.styled(Style::Strong, &preview.fix.title), shown(&preview.fix.summary));
    for diff in &preview.preview.diffs {
        let _ = write!(out, "\n{}", super::drawn(diff, output));
    }
    for told in &preview.preview.told {
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
