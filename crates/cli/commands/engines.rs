//! `silidock engines`.

use std::process::ExitCode;

use silidock_app::{App, AppOptions, Failure, diagnosis::schema::Schema, schemas::EnginesDocument, wire::Nothing};

use crate::output::{Output, shown, table};

pub async fn run(output: &Output) -> Result<ExitCode, Failure> {
    let app = App::start(AppOptions::default());
    let engines = app.engines(Nothing {}).await?.engines;
    if output.json {
        output.document(&EnginesDocument { schema: Schema, engines })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = table(&["", "NAME", "ADDRESS", "STATE"]);
    for engine in &engines {
        let state = match (&engine.problem, engine.present) {
            (Some(problem), _) => problem.clone(),
            (None, true) => "there".to_owned(),
            (None, false) => "no socket".to_owned(),
        };
        let mark = if engine.current { "*" } else { "" };
        rows.add_row([mark.to_owned(), shown(&engine.name), shown(&engine.endpoint), shown(&state)]);
    }
    output.print(&format!("{rows}\n"))?;
    Ok(ExitCode::SUCCESS)
}
