//! `runs rejects`: the CSV of rows that were not applied, from a presigned link. It may be large, so it is
//! written to a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::Path;

use serde_json::{Value, json};

use super::Session;
use super::download::{download, download_into};
use crate::Ending;
use crate::api::{ApiError, field, number, text};
use crate::error::Error;
use crate::files::FileError;
use crate::table::{flexible_table, grouped, table};

/// The content of the file.
#[derive(Debug, Default)]
struct Contents {
    header: Vec<String>,
    first: Vec<Vec<String>>,
    rows: u64,
    /// The number of rows by outcome, code and reason.
    reasons: Reasons,
    /// The number of rows by outcome, code and reason that the file cannot list, because they belong to no
    /// member.
    unlisted: Reasons,
    /// The final state of the run; empty without a report.
    state: String,
}

/// Counts by outcome, code and reason.
type Reasons = BTreeMap<[String; 3], u64>;

/// Downloads the rows, counts them and shows them.
pub(super) async fn rejects(
    id: &str,
    out: Option<&Path>,
    rows: usize,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let doing = format!("show the rejected rows of run {id}");
    let mut contents = match session.api.get(&doing, &["runs", id, "rejected"]).await {
        Ok(answer) => {
            let file = fetch(out, &doing, &text(&answer.body, "/url")).await?;
            read(file, rows).map_err(|error| Error::Input(format!("cannot {doing}: {error}")))?
        }
        // A run without such rows has no file.
        Err(error) if is_empty(&error) => Contents::default(),
        Err(error) => return Err(error.into()),
    };
    let report = match session.api.get(&doing, &["runs", id, "report"]).await {
        Ok(answer) => answer.body,
        // A run that failed before its report was written has none.
        Err(error) if error.status() == Some(404) => Value::Null,
        Err(error) => return Err(error.into()),
    };
    contents.unlisted = unlisted(&report, &contents.reasons);
    contents.state = text(&report, "/state");
    session.console.show(&figures(&contents, out), |_| in_words(id, &contents, out))?;
    Ok(Ending::Done)
}

/// Returns the counts of rows that the report has and the file does not: rows without a member key and
/// further rows of a member.
fn unlisted(report: &Value, listed: &Reasons) -> Reasons {
    let reported = field(report, "/reasons").and_then(Value::as_array).into_iter().flatten();
    let reported = reported.map(|reason| {
        let words = ["/kind", "/code", "/text"].map(|name| text(reason, name));
        (words, number(reason, "/rows").unwrap_or_default())
    });
    reported
        .filter(|([kind, code, _], _)| !listed.keys().any(|[one, other, _]| (one, other) == (kind, code)))
        .collect()
}

/// Downloads the rows into the requested file or a temporary one.
async fn fetch(out: Option<&Path>, doing: &str, link: &str) -> Result<File, Error> {
    if let Some(path) = out {
        return download_into(path, doing, link).await;
    }
    let mut file = tempfile::tempfile().map_err(FileError::file(std::env::temp_dir()))?;
    download(doing, link, &mut file).await?;
    Ok(file)
}

fn is_empty(error: &ApiError) -> bool {
    matches!(error, ApiError::Refused { status: 404, problem, .. } if problem.code == "nothing_rejected")
}

fn read(mut file: File, rows: usize) -> Result<Contents, csv::Error> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = csv::Reader::from_reader(BufReader::new(file));
    let header: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let column = |name: &str| header.iter().position(|heading| heading == name);
    let columns = ["outcome", "code", "reason"].map(column);
    let mut contents = Contents { header, ..Contents::default() };
    for record in reader.records() {
        let record = record?;
        let cell = |column: Option<usize>| column.and_then(|column| record.get(column)).unwrap_or_default();
        *contents.reasons.entry(columns.map(|column| cell(column).to_owned())).or_default() += 1;
        contents.rows += 1;
        if contents.first.len() < rows {
            contents.first.push(record.iter().map(str::to_owned).collect());
        }
    }
    Ok(contents)
}

/// Returns the reasons, the most frequent first.
fn by_frequency(contents: &Contents) -> Vec<(&[String; 3], u64)> {
    let all = contents.reasons.iter().chain(&contents.unlisted);
    let mut reasons: Vec<_> = all.map(|(reason, rows)| (reason, *rows)).collect();
    reasons.sort_by(|(one, rows), (other, others)| (others, one).cmp(&(rows, other)));
    reasons
}

fn figures(contents: &Contents, out: Option<&Path>) -> Value {
    let reason = |([outcome, code, reason], rows): (&[String; 3], u64)| json!({ "outcome": outcome, "code": code, "reason": reason, "rows": rows });
    let reasons: Vec<Value> = by_frequency(contents).into_iter().map(reason).collect();
    // No file is written if there are no rows.
    let file = out.filter(|_| contents.rows > 0).map(|path| path.display().to_string());
    let rows = contents.rows + unlisted_rows(contents);
    json!({ "rows": rows, "listed_rows": contents.rows, "reasons": reasons, "file": file,
        "state": contents.state })
}

fn unlisted_rows(contents: &Contents) -> u64 {
    contents.unlisted.values().sum()
}

fn in_words(id: &str, contents: &Contents, out: Option<&Path>) -> String {
    let unlisted = unlisted_rows(contents);
    if contents.rows + unlisted == 0 {
        return match contents.state.as_str() {
            "succeeded" => "Every row was applied.".to_owned(),
            // The run stopped before any row had an outcome.
            _ => format!("No row has an outcome. To see why the run stopped: segment-relay runs show {id}"),
        };
    }
    let row = |([outcome, code, reason], rows): (&[String; 3], u64)| {
        [grouped(rows), outcome.clone(), code.clone(), reason.clone()]
    };
    let reasons: Vec<_> = by_frequency(contents).into_iter().map(row).collect();
    let reasons = table(["rows", "outcome", "code", "reason"], &reasons);
    let reasons = match unlisted {
        0 => reasons,
        unlisted => {
            format!("{reasons}\n\n{} of them belong to no member and are not listed", grouped(unlisted))
        }
    };
    if contents.rows == 0 {
        return reasons;
    }
    let all = grouped(contents.rows);
    if let Some(path) = out {
        return format!("{reasons}\n\n{all} rows in {}", path.display());
    }
    // The reasons are listed above, so the table of rows has only the codes.
    let kept: Vec<usize> = (0..contents.header.len())
        .filter(|index| contents.header.get(*index).is_some_and(|name| name != "reason"))
        .collect();
    let pick = |row: &Vec<String>| -> Vec<String> {
        kept.iter().map(|index| row.get(*index).cloned().unwrap_or_default()).collect()
    };
    let rows: Vec<Vec<String>> = contents.first.iter().map(pick).collect();
    let shown = rows.len();
    let rows = flexible_table(&pick(&contents.header), &rows);
    format!("{reasons}\n\n{rows}\n\n{shown} of {all} rows; to write all of them to a file: --out FILE")
}
