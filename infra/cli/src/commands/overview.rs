//! Overviews of exports and connections.

use std::cmp::Reverse;

use jiff::Timestamp;
use relay_model::catalog::Kind;
use serde_json::Value;

use super::{Session, definitions};
use crate::Ending;
use crate::api::{field, text, texts};
use crate::arguments::{ExportListing, ExportOrder};
use crate::error::Error;
use crate::table::{minute, table};

/// `exports list`.
pub(super) async fn list_exports(
    listing: &ExportListing,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let mut found = definitions::listing(Kind::Export, session).await?;
    let label = listing.label.as_deref();
    let mut nothing = label.and_then(|label| definitions::keep_labelled(Kind::Export, &mut found, label));
    if let Some(search) = &listing.search {
        let has_any = !found.items.is_empty();
        found.items.retain(|item| is_selected(item, search));
        if has_any && found.items.is_empty() {
            nothing = Some(format!("No export has \"{search}\" in its id or name."));
        }
    }
    if let Some(order) = listing.sort {
        sort(&mut found.items, order);
    }
    definitions::show_list(Kind::Export, &found, nothing, session)
}

fn is_selected(item: &Value, search: &str) -> bool {
    let search = search.to_lowercase();
    ["/document/id", "/document/name"].iter().any(|at| text(item, at).to_lowercase().contains(&search))
}

/// Sorts exports. Equal exports stay in the order of their ids; exports without the time come last.
fn sort(items: &mut [Value], order: ExportOrder) {
    let time = |item: &Value, at: &str| text(item, at).parse::<Timestamp>().ok();
    let newest_first = |item: &Value, at: &str| Reverse(time(item, at));
    match order {
        ExportOrder::Name => items.sort_by_cached_key(|item| text(item, "/document/name").to_lowercase()),
        ExportOrder::State => items.sort_by_key(|item| urgency(&text(item, "/overview/last_run/state"))),
        ExportOrder::Delivered => items.sort_by_key(|item| newest_first(item, "/overview/delivered_at")),
        ExportOrder::Next => items.sort_by_key(|item| {
            let next = time(item, "/overview/next_run_at");
            (next.is_none(), next)
        }),
        ExportOrder::Saved => items.sort_by_key(|item| newest_first(item, "/saved_at")),
    }
}

/// Returns the sort key of a state; the most urgent is least.
fn urgency(state: &str) -> u8 {
    match state {
        "failed" => 0,
        "held" => 1,
        "canceled" => 2,
        "succeeded" => 4,
        "" => 5,
        _ => 3,
    }
}

/// Formats exports as a table.
pub(super) fn exports(items: &[Value]) -> String {
    let row = |item: &Value| {
        [
            text(item, "/document/id"),
            text(item, "/document/name"),
            destination(item),
            definitions::schedule(field(item, "/document/schedule")),
            last_run(item),
            minute(&text(item, "/overview/delivered_at")),
            next_run(item),
            text(item, "/overview/permission"),
            definitions::by(minute(&text(item, "/saved_at")), &text(item, "/saved_by")),
        ]
    };
    let headings =
        ["id", "name", "destination", "schedule", "last run", "delivered", "next run", "you may", "saved"];
    table(headings, &items.iter().map(row).collect::<Vec<_>>())
}

fn destination(item: &Value) -> String {
    let connection = text(item, "/document/connection");
    if connection.is_empty() {
        return "DETACHED".to_owned();
    }
    let (name, kind) = (text(item, "/overview/connection_name"), text(item, "/overview/destination"));
    if kind.is_empty() { connection } else { format!("{kind} ({name})") }
}

fn last_run(item: &Value) -> String {
    let state = text(item, "/overview/last_run/state");
    let code = text(item, "/overview/last_run/failure_code");
    if code.is_empty() { state } else { format!("{state} ({code})") }
}

fn next_run(item: &Value) -> String {
    if field(item, "/document/enabled") == Some(&Value::Bool(false)) {
        return "disabled".to_owned();
    }
    minute(&text(item, "/overview/next_run_at"))
}

/// Formats an export's overview as one line; `None` if it has none.
pub(super) fn standing(item: &Value) -> Option<String> {
    field(item, "/overview")?;
    let parts = [
        ("last run ", last_run(item)),
        ("delivered ", minute(&text(item, "/overview/delivered_at"))),
        ("next run ", next_run(item)),
        ("you may ", text(item, "/overview/permission")),
    ];
    let there = parts.into_iter().filter(|(_, value)| !value.is_empty());
    let words: Vec<String> = there.map(|(name, value)| format!("{name}{value}")).collect();
    Some(words.join(", "))
}

/// Formats connections as a table.
pub(super) fn connections(items: &[Value]) -> String {
    let consent = |item: &Value| match field(item, "/document/consent/by") {
        Some(_) => text(item, "/document/consent/by"),
        None if field(item, "/document/secret").is_some() => "NONE".to_owned(),
        None => String::new(),
    };
    let row = |item: &Value| {
        [
            text(item, "/document/id"),
            text(item, "/document/name"),
            text(item, "/document/destination"),
            text(item, "/document/use_by"),
            consent(item),
            definitions::by(minute(&text(item, "/created_at")), &text(item, "/created_by")),
            texts(item, "/used_by").join(", "),
        ]
    };
    let headings = ["id", "name", "destination", "who may use it", "consent by", "made", "exports"];
    table(headings, &items.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(order: ExportOrder, expected: [&str; 4]) {
        let item = |id: &str, name: &str, saved: &str, overview: Value| json!({ "document": { "id": id, "name": name }, "saved_at": saved, "overview": overview });
        let run = |state: &str| json!({ "state": state });
        let mut items = [
            item(
                "a",
                "zebra",
                "2026-11-20T00:00:00Z",
                json!({ "last_run": run("succeeded"), "delivered_at": "2026-11-22T06:00:00.5Z" }),
            ),
            item(
                "b",
                "Ant",
                "2026-11-22T00:00:00Z",
                json!({ "last_run": null, "next_run_at": "2026-11-24T00:00:00Z" }),
            ),
            item(
                "c",
                "cat",
                "2026-11-21T00:00:00Z",
                json!({ "last_run": run("failed"), "delivered_at": "2026-11-22T06:00:00Z" }),
            ),
            item(
                "d",
                "bee",
                "2026-11-21T00:00:00Z",
                json!({ "last_run": run("pushing"), "next_run_at": "2026-11-23T00:00:00Z" }),
            ),
        ];
        sort(&mut items, order);
        assert_eq!(items.each_ref().map(|item| text(item, "/document/id")), expected, "{order:?}");
    }

    #[test]
    fn exports_are_sorted_by_what_matters() {
        check(ExportOrder::Name, ["b", "d", "c", "a"]);
        check(ExportOrder::State, ["c", "d", "a", "b"]);
        check(ExportOrder::Delivered, ["a", "c", "b", "d"]);
        check(ExportOrder::Next, ["d", "b", "a", "c"]);
        check(ExportOrder::Saved, ["b", "c", "d", "a"]);
    }
}
