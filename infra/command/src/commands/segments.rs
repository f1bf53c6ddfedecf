//! `segments`.

use relay::catalog::Kind;
use reqwest::Method;
use serde_json::Value;

use super::{Session, definitions};
use crate::Ending;
use crate::api::{Call, field, number, text};
use crate::arguments::SegmentCommand;
use crate::error::Error;
use crate::table::{flexible_table, grouped};

/// States of a preview that is not over.
const UNDER_WAY: [&str; 3] = ["waiting", "pending", "running"];

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
    loop {
        let found = session.api.get(&doing, &["previews", &preview_id]).await?.body;
        let state = text(&found, "/state");
        if UNDER_WAY.contains(&state.as_str()) {
            session.console.progress(&format!("the segment's query is {state}"))?;
            tokio::time::sleep(session.poll).await;
            continue;
        }
        let is_failed = state == "failed" || field(&found, "/problem").is_some();
        session.console.show(&found, |_| shown(&found))?;
        return Ok(if is_failed { Ending::Failed } else { Ending::Done });
    }
}

fn shown(preview: &Value) -> String {
    if let Some(problem) = field(preview, "/problem") {
        let said = field(problem, "/detail").or_else(|| field(problem, "/text")).unwrap_or(problem);
        return format!("It has no preview: {}", text(said, ""));
    }
    let items =
        |pointer: &str| field(preview, pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let (columns, rows) = (items("/columns"), items("/rows"));
    let name = |column: &Value| text(field(column, "/name").unwrap_or(column), "");
    let names: Vec<String> = columns.iter().map(name).collect();
    let headings: Vec<String> = columns
        .iter()
        .map(|column| match text(column, "/type") {
            kind if kind.is_empty() => name(column),
            kind => format!("{} ({kind})", name(column)),
        })
        .collect();
    let row = |row: &Value| match row {
        Value::Array(cells) => cells.iter().map(|cell| text(cell, "")).collect(),
        fields => {
            names.iter().map(|name| fields.get(name).map(|cell| text(cell, "")).unwrap_or_default()).collect()
        }
    };
    let rows: Vec<Vec<String>> = rows.iter().map(row).collect();
    let count = number(preview, "/count").map_or_else(|| "an unknown number of".to_owned(), grouped);
    let table = flexible_table(&headings, &rows);
    format!("{table}\n\n{count} members; the first {} are shown.", rows.len())
}
