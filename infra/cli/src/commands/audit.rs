//! `audit` and `whoami`.

use serde_json::{Value, json};

use super::Session;
use super::report::pairs;
use crate::Ending;
use crate::api::{field, text};
use crate::error::Error;
use crate::table::table;

/// Lists the changes.
pub(super) async fn audit(limit: usize, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let items = session.api.list_up_to("read the audit", &["audit"], &[], limit).await?.items;
    session.console.show(&json!({ "items": items }), |_| {
        let row = |item: &Value| {
            let thing = format!("{} {}", text(item, "/kind"), text(item, "/id"));
            [
                text(item, "/at"),
                text(item, "/by"),
                text(item, "/action").replace('_', " "),
                thing,
                changes(item),
            ]
        };
        let rows: Vec<_> = items.iter().map(row).collect();
        table(["at", "who", "did", "what", "changes"], &rows)
    })?;
    Ok(Ending::Done)
}

/// Returns the fields that differ between before and after.
fn changes(item: &Value) -> String {
    let (Some(before), Some(after)) = (field(item, "/before"), field(item, "/after")) else {
        return String::new();
    };
    crate::plan::changed_fields(before, after).join(", ")
}

/// Shows the caller's identity.
pub(super) async fn whoami(session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let me = session.api.get("find out who you are", &["me"]).await?.body;
    let allowed = field(&me, "/may").and_then(Value::as_array).into_iter().flatten();
    let may: Vec<String> = allowed.map(|one| text(one, "/what")).collect();
    session.console.show(&me, |_| {
        pairs(&[
            ("who", text(&me, "/subject")),
            ("role", text(&me, "/role")),
            ("may", may.join("\n             ")),
        ])
    })?;
    Ok(Ending::Done)
}
