//! `segments`.

use relay::catalog::Kind;
use reqwest::Method;
use serde_json::Value;

use super::{Session, definitions, follow};
use crate::Ending;
use crate::api::{Call, field, number, text, texts};
use crate::arguments::SegmentCommand;
use crate::error::Error;
use crate::table::{flexible_table, grouped};

/// How long a preview is waited for, in polls: five minutes, a poll being a second.
const PREVIEW_POLLS: u32 = 5 * 60;
/// The widest value of a preview's table.
const WIDEST_CHARACTERS: usize = 32;

/// Carries one of the commands out.
pub(super) async fn carry_out(
    command: &SegmentCommand,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    match command {
        SegmentCommand::Definition(command) => definitions::carry_out(Kind::Segment, command, session).await,
        SegmentCommand::Preview { id } => preview(id, session).await,
    }
}

async fn preview(id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("preview segment {id}");
    let path = ["segments", id, "preview"];
    let call = Call::new(Method::POST, &doing, &path);
    let asked = session.api.send(&call).await?.body;
    let preview_id = text(&asked, "/preview_id");
    if preview_id.is_empty() {
        return Err(call.strange("no preview_id").into());
    }
    let mut is_said = false;
    for pause in follow::pauses(PREVIEW_POLLS) {
        let found = session.api.get(&doing, &["previews", &preview_id]).await?.body;
        if text(&found, "/state") == "running" {
            if !std::mem::replace(&mut is_said, true) {
                session.console.progress("the segment's query runs")?;
            }
            tokio::time::sleep(session.poll * pause).await;
            continue;
        }
        let result = field(&found, "/result").cloned().unwrap_or_default();
        session.console.show(&found, |_| shown(&result))?;
        return Ok(if text(&found, "/state") == "failed" { Ending::Failed } else { Ending::Done });
    }
    Err(Error::Input(format!(
        "cannot {doing}: there is nothing yet after 5 minutes, and a preview takes one. Why stands in the logs of the \
         function \"snapshot\", under preview {preview_id}; then ask again"
    )))
}

/// The beginning of a value that would make the table too wide. `--json` has all of it.
fn cut(value: &str) -> String {
    match value.char_indices().nth(WIDEST_CHARACTERS) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or(value).trim_end()),
        None => value.to_owned(),
    }
}

fn shown(preview: &Value) -> String {
    if field(preview, "/error").is_some() {
        let (code, words) = (text(preview, "/error/code"), text(preview, "/error/text"));
        return format!("It has no preview: {words} ({code})");
    }
    let items =
        |pointer: &str| field(preview, pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let (columns, rows) = (items("/columns"), items("/first_rows"));
    let headings: Vec<String> = columns
        .iter()
        .map(|column| format!("{} ({})", text(column, "/name"), text(column, "/type")))
        .collect();
    let row = |row: &Value| -> Vec<String> {
        let cell = |column: &Value| {
            row.get(text(column, "/name")).map(|cell| cut(&text(cell, ""))).unwrap_or_default()
        };
        columns.iter().map(cell).collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(row).collect();
    let members = number(preview, "/rows").unwrap_or_default();
    let mut lines = vec![flexible_table(&headings, &rows), String::new()];
    lines.push(format!("{} members; the first {} are shown.", grouped(members), rows.len()));
    for (name, words) in [
        ("/rows_without_key", "rows have no member key, and are nobody"),
        ("/duplicate_member_rows", "rows are further ones of the same member, and stay out"),
    ] {
        lines.extend(
            number(preview, name).filter(|rows| *rows > 0).map(|rows| format!("warning: {rows} {words}")),
        );
    }
    lines.extend(texts(preview, "/unusable_columns").into_iter().map(|column| format!("warning: {column}")));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &str) {
        assert_eq!(cut(value), expected);
    }

    #[test]
    fn wide_values_are_cut_between_characters() {
        check("", "");
        check(&"ü".repeat(32), &"ü".repeat(32));
        check(&"ü".repeat(33), &format!("{}…", "ü".repeat(32)));
    }
}
