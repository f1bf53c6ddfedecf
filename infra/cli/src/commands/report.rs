//! Formats runs and reports.

use jiff::Timestamp;
use serde_json::Value;

use crate::api::{field, number, text, texts};
use crate::console::{Colour, Paint};
use crate::table::{duration, grouped, minute, table};

/// The outcomes, in display order.
pub(super) const OUTCOMES: [&str; 7] =
    ["added", "changed", "removed", "unchanged", "skipped", "rejected", "deferred"];

/// Formats names and values in two columns, without empty values.
pub(super) fn pairs(pairs: &[(&str, String)]) -> String {
    let there = pairs.iter().filter(|(_, value)| !value.is_empty());
    let lines: Vec<String> = there.map(|(name, value)| format!("{name:<12} {value}")).collect();
    lines.join("\n")
}

/// Formats the number of rows per outcome; empty if there are none.
pub(super) fn counts(value: &Value) -> String {
    let count = |name: &&str| number(value, &format!("/counts/{name}")).filter(|rows| *rows > 0);
    let parts: Vec<String> =
        OUTCOMES.iter().filter_map(|name| Some(format!("{} {name}", grouped(count(name)?)))).collect();
    parts.join(", ")
}

fn coloured(state: &str, paint: Paint) -> String {
    match state {
        "succeeded" => paint.colour(Colour::Green, state),
        "failed" | "canceled" => paint.colour(Colour::Red, state),
        "held" => paint.colour(Colour::Yellow, state),
        other => other.to_owned(),
    }
}

/// Formats a run.
pub(super) fn run(run: &Value, paint: Paint) -> String {
    let id = text(run, "/run_id");
    let rows = number(run, "/rows_in").map(grouped).unwrap_or_default();
    let mut blocks = vec![pairs(&[
        ("run", id.clone()),
        ("export", text(run, "/export_id")),
        ("state", coloured(&text(run, "/state"), paint)),
        ("started by", started_by(run)),
        ("requested", text(run, "/requested_at")),
        ("ended", text(run, "/ended_at")),
        ("rows", rows),
        ("outcomes", counts(run)),
        ("calls", number(run, "/calls").map(grouped).unwrap_or_default()),
        ("paused until", text(run, "/pause/until")),
        ("canceled by", text(run, "/canceled/by")),
    ])];
    blocks.extend(ending_words(run, paint));
    let has_rejects = ["skipped", "rejected", "deferred"]
        .iter()
        .any(|name| number(run, &format!("/counts/{name}")).is_some_and(|rows| rows > 0));
    if text(run, "/state") == "held" {
        blocks.push(format!(
            "It is held for approval:\n  segment-relay runs approve {id}    continue the run\n  segment-relay runs reject {id}     end it; nothing is sent"
        ));
    } else if field(run, "/ended_at").is_some() && has_rejects {
        blocks.push(format!("To see why rows were not applied: segment-relay runs rejects {id}"));
    }
    blocks.join("\n\n")
}

/// Formats the notices and the failure.
fn ending_words(run: &Value, paint: Paint) -> Vec<String> {
    let mut blocks = Vec::new();
    let notices: Vec<String> =
        texts(run, "/notices").iter().map(|notice| format!("note: {notice}")).collect();
    if !notices.is_empty() {
        blocks.push(notices.join("\n"));
    }
    if field(run, "/failure").is_some() {
        let (code, words) = (text(run, "/failure/code"), text(run, "/failure/text"));
        blocks.push(format!("{} {words} ({code})", paint.colour(Colour::Red, "It stopped:")));
    }
    blocks
}

/// Formats the trigger of a run, its author and, unless it is a delivery, its mode.
fn started_by(run: &Value) -> String {
    let mut words = text(run, "/trigger/kind").replace('_', " ");
    if let Some(of) = field(run, "/mode/retry/of").and_then(Value::as_str) {
        words = format!("{words} of {of}");
    }
    if let Some(who) = field(run, "/trigger/by").and_then(Value::as_str) {
        words = format!("{words} by {who}");
    }
    match text(run, "/mode").as_str() {
        "dry_run" => format!("{words}, dry run"),
        _ => words,
    }
}

/// Formats the duration of a run from its first step to its end.
fn took(run: &Value) -> Option<String> {
    let moment = |at: &str| text(run, at).parse::<Timestamp>().ok();
    let began = moment("/snapshot_started_at").or_else(|| moment("/requested_at"))?;
    let seconds = moment("/ended_at")?.duration_since(began).as_secs();
    u64::try_from(seconds).ok().map(duration)
}

/// Formats runs of all exports as a table.
pub(super) fn runs(runs: &[Value]) -> String {
    if runs.is_empty() {
        return "No runs match.".to_owned();
    }
    let row = |run: &Value| {
        let code = text(run, "/failure/code");
        let state = text(run, "/state");
        [
            text(run, "/run_id"),
            text(run, "/export_id"),
            if code.is_empty() { state } else { format!("{state} ({code})") },
            started_by(run),
            minute(&text(run, "/requested_at")),
            took(run).unwrap_or_default(),
            number(run, "/rows_in").map(grouped).unwrap_or_default(),
            counts(run),
        ]
    };
    let headings = ["run", "export", "state", "started by", "requested", "took", "rows", "outcomes"];
    table(headings, &runs.iter().map(row).collect::<Vec<_>>())
}

/// Formats the runs of one export as a table.
pub(super) fn history(runs: &[Value]) -> String {
    if runs.is_empty() {
        return "It has no runs yet.".to_owned();
    }
    let row = |run: &Value| {
        [
            text(run, "/run_id"),
            text(run, "/state"),
            started_by(run),
            text(run, "/requested_at"),
            number(run, "/rows_in").map(grouped).unwrap_or_default(),
            counts(run),
        ]
    };
    let rows: Vec<_> = runs.iter().map(row).collect();
    table(["run", "state", "started by", "requested", "rows", "outcomes"], &rows)
}

/// Formats a report.
pub(super) fn report(report: &Value, paint: Paint) -> String {
    let seconds = |name: &str| {
        let ms = field(report, &format!("/durations/{name}_ms")).and_then(Value::as_f64);
        ms.map(|ms| format!("{name} {:.1} s", ms / 1_000.0))
    };
    let steps: Vec<String> =
        ["wait", "snapshot", "chunk", "push", "finish"].into_iter().filter_map(seconds).collect();
    let mut blocks = vec![pairs(&[
        ("run", text(report, "/run_id")),
        ("export", text(report, "/export_id")),
        ("state", coloured(&text(report, "/state"), paint)),
        ("started by", text(report, "/trigger/kind").replace('_', " ")),
        ("requested", text(report, "/requested_at")),
        ("ended", text(report, "/ended_at")),
        ("took", steps.join(", ")),
        ("rows", number(report, "/rows_in").map(grouped).unwrap_or_default()),
        ("outcomes", counts(report)),
        ("calls", number(report, "/calls").map(grouped).unwrap_or_default()),
        (
            "throttled",
            number(report, "/throttled").filter(|calls| *calls > 0).map(grouped).unwrap_or_default(),
        ),
    ])];
    let items = |pointer: &str| field(report, pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let target = |target: &Value| {
        let count = |name: &str| number(target, name).map(grouped).unwrap_or_default();
        let list = text(target, "/target_list");
        [list, count("/rows_in"), counts(target), count("/delivered"), count("/members_counted")]
    };
    let targets: Vec<_> = items("/targets").iter().map(target).collect();
    if !targets.is_empty() {
        blocks.push(table(["list", "rows", "outcomes", "delivered", "on the list"], &targets));
    }
    let reason = |reason: &Value| {
        let rows = number(reason, "/rows").map(grouped).unwrap_or_default();
        [rows, text(reason, "/kind"), text(reason, "/code"), text(reason, "/text")]
    };
    let reasons: Vec<_> = items("/reasons").iter().map(reason).collect();
    if !reasons.is_empty() {
        blocks.push(table(["rows", "outcome", "code", "reason"], &reasons));
    }
    blocks.extend(ending_words(report, paint));
    blocks.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(run: &Value, expected: &str) {
        assert_eq!(started_by(run), expected);
    }

    #[test]
    fn a_run_that_is_no_delivery_says_so() {
        check(&json!({ "trigger": { "kind": "on_demand" } }), "on demand");
        check(&json!({ "trigger": { "kind": "on_demand" }, "mode": "delivery" }), "on demand");
        check(&json!({ "trigger": { "kind": "on_demand" }, "mode": "dry_run" }), "on demand, dry run");
        check(&json!({ "trigger": { "kind": "retry" }, "mode": { "retry": { "of": "a1" } } }), "retry of a1");
        check(&json!({ "trigger": { "kind": "on_demand", "by": "jane" } }), "on demand by jane");
        let by_jane = json!({ "kind": "on_demand", "by": "jane" });
        check(&json!({ "trigger": by_jane, "mode": "dry_run" }), "on demand by jane, dry run");
    }

    #[track_caller]
    fn check_took(run: &Value, expected: Option<&str>) {
        assert_eq!(took(run).as_deref(), expected, "{run}");
    }

    #[test]
    fn a_run_takes_from_its_first_step_to_its_end() {
        let (asked, began, ended) =
            ("2026-11-22T06:00:00Z", "2026-11-22T06:01:00Z", "2026-11-22T06:01:30.7Z");
        check_took(&json!({ "requested_at": asked }), None);
        check_took(&json!({ "requested_at": asked, "snapshot_started_at": began }), None);
        check_took(&json!({ "requested_at": asked, "ended_at": ended }), Some("2 min"));
        let run = json!({ "requested_at": asked, "snapshot_started_at": began, "ended_at": ended });
        check_took(&run, Some("30 s"));
    }
}
