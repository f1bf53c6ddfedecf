//! `exports data-usage`.

use serde_json::Value;

use super::Session;
use crate::Ending;
use crate::api::{field, text, texts};
use crate::error::Error;
use crate::table::table;

/// Shows which data an export uses and which policies apply. Fails if a policy is violated.
pub(super) async fn data_usage(id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("show the data usage of export {id}");
    let found = session.api.get(&doing, &["exports", id, "data-usage"]).await?.body;
    session.console.show(&found, |_| in_words(&found))?;
    let is_broken = !items(&found, "/violations").is_empty();
    Ok(if is_broken { Ending::Failed } else { Ending::Done })
}

fn items<'a>(found: &'a Value, pointer: &str) -> Vec<&'a Value> {
    field(found, pointer).and_then(Value::as_array).into_iter().flatten().collect()
}

fn in_words(found: &Value) -> String {
    let mut parts = Vec::new();
    let actions = texts(found, "/marketing_actions").join(", ");
    let actions = if actions.is_empty() { "no marketing actions".to_owned() } else { actions };
    parts.push(match text(found, "/connection").as_str() {
        "" => "It has no connection.".to_owned(),
        connection => format!("It goes to connection {connection}: {actions}."),
    });
    let (mut rows, mut unknown) = (Vec::new(), Vec::new());
    for usage in items(found, "/segments") {
        let segment = text(usage, "/segment");
        for column in items(usage, "/columns") {
            let leaves = texts(column, "/leaves_as").join(", ");
            rows.push([
                segment.clone(),
                format!("{}.{}", text(column, "/source"), text(column, "/column")),
                texts(column, "/data_labels").join(", "),
                if leaves.is_empty() { "decides only".to_owned() } else { format!("leaves as {leaves}") },
            ]);
        }
        let why = text(usage, "/unknown");
        if !why.is_empty() {
            unknown.push(format!("The columns that segment {segment} reads are unknown: {why}"));
        }
    }
    if !rows.is_empty() {
        parts.push(table(["segment", "column", "labels", "use"], &rows));
    }
    parts.extend(unknown);
    let row = |one: &Value| [text(one, "/policy"), text(one, "/name"), text(one, "/verdict")];
    let mut verdicts: Vec<[String; 3]> = items(found, "/policies").into_iter().map(row).collect();
    verdicts.push([
        "(always)".to_owned(),
        "C12 is never exported".to_owned(),
        text(found, "/never_exported"),
    ]);
    parts.push(table(["policy", "name", "verdict"], &verdicts));
    parts.extend(items(found, "/violations").into_iter().map(|violation| text(violation, "/text")));
    parts.join("\n\n")
}
