//! Tables for spreadsheets: findings, and the things of a way out list. A cell never becomes a formula there.

use csv::Writer;
use silidock_diagnosis::{fact::Fact, finding::Evidence, platform::Platform, wayout::WayOut};

use crate::{ReportError, Scan, visible};

/// One line for each finding, folded ones marked.
pub(crate) fn findings(scan: &Scan) -> Result<String, ReportError> {
    let head =
        ["severity", "confidence", "check", "kind", "subject", "path", "line", "title", "why", "id", "folded under"];
    let rows = scan.findings.iter().map(|finding| {
        vec![
            finding.severity.word().to_owned(),
            finding.confidence.word().to_owned(),
            finding.check.clone(),
            format!("{:?}", finding.subject.kind).to_lowercase(),
            finding.subject.id.clone(),
            finding.subject.path.clone().unwrap_or_default(),
            finding.subject.line.map(|line| line.to_string()).unwrap_or_default(),
            finding.title.clone(),
            finding.why.clone(),
            finding.id.clone(),
            finding.superseded_by.clone().unwrap_or_default(),
        ]
    });
    table(&head, rows)
}

/// One line for each thing.
pub(crate) fn way_out(way_out: &WayOut) -> Result<String, ReportError> {
    let head = [
        "kind",
        "name",
        "project",
        "platform",
        "image",
        "now",
        "path",
        "line",
        "way out",
        "what to do",
        "why",
        "commands",
        "evidence",
    ];
    let seen = |all: &[Evidence]| all.iter().map(|e| format!("{}: {}", e.place, e.text)).collect::<Vec<_>>().join("; ");
    let rows = way_out.items.iter().map(|item| {
        vec![
            item.kind.word().to_owned(),
            item.name.clone(),
            item.project.clone().unwrap_or_default(),
            platform(&item.platform),
            item.image.clone().unwrap_or_default(),
            item.now.clone(),
            item.path.clone().unwrap_or_default(),
            item.line.map(|line| line.to_string()).unwrap_or_default(),
            item.way.kind.words().to_owned(),
            item.way.title.clone(),
            item.way.why.clone(),
            item.way.commands.iter().map(|words| words.join(" ")).collect::<Vec<_>>().join("; "),
            seen(&item.evidence),
        ]
    });
    table(&head, rows)
}

fn platform(fact: &Fact<Platform>) -> String {
    match fact {
        Fact::Known(platform) => platform.to_string(),
        Fact::Unknown { unknown } => format!("not known: {}", unknown.why),
    }
}

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<String, ReportError> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(head)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| tame(cell)))?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A cell that stays text: programs take what begins like this for a formula.
fn tame(cell: &str) -> String {
    let cell = visible(cell);
    if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_stays_in_its_place() {
        let rows = [vec!["=1+1".to_owned(), "a,\"b\"\nc".to_owned()], vec!["-x".to_owned(), "\u{1b}[31m".to_owned()]];
        let text = table(&["one", "two"], rows.into_iter()).unwrap();
        assert_eq!(text, "one,two\n'=1+1,\"a,\"\"b\"\"\\nc\"\n'-x,\\u{1b}[31m\n");
    }
}
