//! `segments`.

use relay_model::catalog::Kind;
use reqwest::Method;
use serde_json::{Map, Value};

use super::{Session, definitions, follow, quick, segment_members};
use crate::Ending;
use crate::api::{Call, Checking, Condition, Saved, field, number, text, texts};
use crate::arguments::SegmentCommand;
use crate::error::Error;
use crate::table::{flexible_table, grouped, table};

/// How long to wait for a preview, in minutes.
pub(super) const PREVIEW_MINUTES: u32 = 5;
/// Polls per minute.
const POLLS_A_MINUTE: u32 = 60;
/// The maximum width of a value in a preview's table.
const WIDEST_CHARACTERS: usize = 32;

/// Runs one of the commands.
pub(super) async fn carry_out(
    command: &SegmentCommand,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    match command {
        SegmentCommand::Definition(command) => {
            definitions::carry_out_labelled(Kind::Segment, command, session).await
        }
        SegmentCommand::Preview { id } => preview(id, session).await,
        SegmentCommand::Sizes { id } => segment_members::sizes(id, session).await,
        SegmentCommand::Download { id, out } => segment_members::download(id, out, session).await,
        SegmentCommand::Activate { id } => switch(id, "activate", true.into(), session).await,
        SegmentCommand::Deactivate { id } => switch(id, "deactivate", false.into(), session).await,
        SegmentCommand::Query { id } => query(id, session).await,
        SegmentCommand::Quick(arguments) => quick::quick(arguments, session).await,
        SegmentCommand::Exports { id } => exports(id, session).await,
        SegmentCommand::Duplicate { id, new_id, name, no_check } => {
            duplicate(id, new_id, name, Checking::unless(*no_check), session).await
        }
    }
}

async fn exports(id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("list the exports of segment {id}");
    let found = session.api.get(&doing, &["segments", id, "exports"]).await?.body;
    session.console.show(&found, |_| {
        let rows = |pointer: &str, uses: &str| {
            let row = |export: &Value| {
                let is_off = field(export, "/is_enabled") == Some(&Value::Bool(false));
                let state = if is_off { "disabled" } else { "" };
                let connection =
                    Some(text(export, "/connection")).filter(|connection| !connection.is_empty());
                let connection = connection.unwrap_or_else(|| "DETACHED".to_owned());
                [text(export, "/id"), text(export, "/name"), connection, state.to_owned(), uses.to_owned()]
            };
            let exports = field(&found, pointer).and_then(Value::as_array).into_iter().flatten();
            exports.map(row).collect::<Vec<_>>()
        };
        let rows = [rows("/contains", "yes"), rows("/does_not_contain", "no")].concat();
        if rows.is_empty() {
            return "There are no exports yet.".to_owned();
        }
        table(["id", "name", "connection", "", "uses it"], &rows)
    })?;
    Ok(Ending::Done)
}

async fn duplicate(
    id: &str,
    new_id: &str,
    name: &str,
    checking: Checking,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let doing = format!("duplicate segment {id}");
    let Saved { mut document, .. } = definitions::read(Kind::Segment, id, &doing, session).await?;
    if let Some(fields) = document.as_object_mut() {
        fields.insert("id".to_owned(), new_id.into());
        fields.insert("name".to_owned(), name.into());
    }
    let path = ["segments", new_id];
    let mut call = Call::new(Method::PUT, &doing, &path).json(&document).only_if(Condition::IsNew);
    call.query = checking.query(Kind::Segment);
    let made = session.api.send(&call).await?.body;
    for warning in texts(&made, "/warnings") {
        session.console.note(&format!("warning: {warning}"))?;
    }
    session.console.show(&made, |_| match field(&document, "/upload") {
        None => format!("Created segment {new_id}."),
        Some(_) => {
            format!("Created segment {new_id}. It is empty until a CSV is uploaded under uploads/{new_id}/.")
        }
    })?;
    Ok(Ending::Done)
}

/// Activates or deactivates a segment. The query does not change, so it is not planned again.
async fn switch(
    id: &str,
    words: &str,
    active: Value,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let doing = format!("{words} segment {id}");
    let query = Checking::Skipped.query(Kind::Segment);
    let change = |document: &mut Map<String, Value>| {
        document.insert("active".to_owned(), active);
        Ok(())
    };
    definitions::change(Kind::Segment, id, &doing, query, session, change).await?;
    Ok(Ending::Done)
}

/// Prints the query as SQL, with member key and sources as a comment.
async fn query(id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("show the query of segment {id}");
    let found = session.api.get(&doing, &["segments", id, "query"]).await?.body;
    session.console.show(&found, |_| {
        let sources = texts(&found, "/sources").join(", ");
        let comment = format!("-- member key: {}; sources: {sources}", text(&found, "/member_key"));
        format!("{}\n{comment}", text(&found, "/query").trim_end())
    })?;
    Ok(Ending::Done)
}

async fn preview(id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("preview segment {id}");
    let path = ["segments", id, "preview"];
    let call = Call::new(Method::POST, &doing, &path);
    let found = wait_for_preview(&call, PREVIEW_MINUTES, session).await?;
    let result = field(&found, "/result").cloned().unwrap_or_default();
    session.console.show(&found, |_| shown(&result))?;
    Ok(if text(&found, "/state") == "failed" { Ending::Failed } else { Ending::Done })
}

/// Requests a preview and waits up to `minutes` for its result.
pub(super) async fn wait_for_preview(
    call: &Call<'_>,
    minutes: u32,
    session: &mut Session<'_, '_>,
) -> Result<Value, Error> {
    let doing = call.doing;
    let asked = session.api.send(call).await?.body;
    let preview_id = text(&asked, "/preview_id");
    if preview_id.is_empty() {
        return Err(call.unexpected("no preview_id").into());
    }
    let mut is_said = false;
    for pause in follow::pauses(minutes * POLLS_A_MINUTE) {
        let found = session.api.get(doing, &["previews", &preview_id]).await?.body;
        if text(&found, "/state") != "running" {
            return Ok(found);
        }
        if !std::mem::replace(&mut is_said, true) {
            session.console.progress("running the segment's query")?;
        }
        tokio::time::sleep(session.poll * pause).await;
    }
    Err(Error::Input(format!(
        "cannot {doing}: there is no result after {minutes} minutes. See the logs \
         of the function \"snapshot\" for preview {preview_id}, then run the command again"
    )))
}

/// Truncates a value for the table. `--json` prints it in full.
fn cut(value: &str) -> String {
    match value.char_indices().nth(WIDEST_CHARACTERS) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or(value).trim_end()),
        None => value.to_owned(),
    }
}

pub(super) fn shown(preview: &Value) -> String {
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
        ("/rows_without_key", "rows have no member key and are ignored"),
        ("/duplicate_member_rows", "rows repeat a member key and are ignored"),
    ] {
        lines.extend(
            number(preview, name).filter(|rows| *rows > 0).map(|rows| format!("warning: {rows} {words}")),
        );
    }
    lines.extend(counts(&items("/rules")));
    lines.extend(texts(preview, "/unusable_columns").into_iter().map(|column| format!("warning: {column}")));
    lines.join("\n")
}

/// Formats the number of members that each rule selects.
fn counts(rules: &[Value]) -> Vec<String> {
    if rules.is_empty() {
        return Vec::new();
    }
    let cell = |rule: &Value, count: &str| number(rule, count).map(grouped);
    let row = |rule: &Value| {
        let counts = ["/members", "/after"].map(|count| cell(rule, count).unwrap_or_default());
        let [members, after] = counts;
        [text(rule, "/name"), members, after]
    };
    let rows: Vec<[String; 3]> = rules.iter().map(row).collect();
    let mut lines = vec![String::new(), table(["rule", "members", "left after it"], &rows)];
    if rows.iter().flatten().any(String::is_empty) {
        lines.push("warning: the preview timed out before every rule was counted".to_owned());
    }
    lines
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
