//! `exports dry-run`.

use reqwest::Method;
use serde_json::Value;

use super::report::{counts, pairs};
use super::{Session, follow, report};
use crate::Ending;
use crate::api::{Call, field, number, text, texts};
use crate::console::{Colour, Paint};
use crate::error::Error;
use crate::table::{duration, grouped, table};

/// Requests a dry run, waits for it and shows its result.
pub(super) async fn dry_run(id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("dry-run export {id}");
    let path = ["exports", id, "dry-runs"];
    let call = Call::new(Method::POST, &doing, &path);
    let run_id = text(&session.api.send(&call).await?.body, "/run_id");
    if run_id.is_empty() {
        return Err(call.unexpected("no run_id").into());
    }
    let run = follow::until_still(&run_id, session).await?;
    if text(&run, "/state") != "succeeded" {
        session.console.show(&run, |paint| report::run(&run, paint))?;
        return Ok(Ending::Failed);
    }
    let found = session.api.get(&doing, &["runs", &run_id, "dry-run"]).await?.body;
    session.console.show(&found, |paint| in_words(&found, paint))?;
    Ok(Ending::Done)
}

/// Formats the result of a dry run.
fn in_words(found: &Value, paint: Paint) -> String {
    let items = |pointer: &str| field(found, pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let count = |value: &Value, pointer: &str| number(value, pointer).map(grouped).unwrap_or_default();
    let quota = match (number(found, "/quota/used_today"), number(found, "/quota/limit_today")) {
        (Some(used), Some(limit)) => {
            format!("{} of today's {} calls are used", grouped(used), grouped(limit))
        }
        _ => String::new(),
    };
    let mut blocks = vec![pairs(&[
        ("export", text(found, "/export_id")),
        ("rows", count(found, "/rows_in")),
        ("outcomes", counts(found)),
        ("calls", count(found, "/calls_estimated")),
        ("time", number(found, "/seconds_estimated").map(duration).unwrap_or_default()),
        ("quota", quota),
    ])];
    let target = |target: &Value| {
        [
            text(target, "/label"),
            text(target, "/target_list"),
            count(target, "/rows_in"),
            count(target, "/added"),
            count(target, "/changed"),
            count(target, "/removed"),
            count(target, "/unchanged"),
            count(target, "/skipped"),
            count(target, "/rejected"),
        ]
    };
    let targets = items("/targets");
    let rows: Vec<_> = targets.iter().map(target).collect();
    if !rows.is_empty() {
        let headings =
            ["list", "id", "rows", "added", "changed", "removed", "unchanged", "skipped", "rejected"];
        blocks.push(table(headings, &rows));
    }
    let reason = |reason: &Value| {
        [count(reason, "/rows"), text(reason, "/kind"), text(reason, "/code"), text(reason, "/text")]
    };
    let reasons: Vec<_> =
        targets.iter().filter_map(|target| target.get("reasons")?.as_array()).flatten().map(reason).collect();
    if !reasons.is_empty() {
        blocks.push(table(["rows", "outcome", "code", "reason"], &reasons));
    }
    let sample = |row: &Value| {
        let fields = field(row, "/fields").and_then(Value::as_object);
        let fields = fields.into_iter().flatten().map(|(name, value)| format!("{name}: {}", text(value, "")));
        let fields: Vec<String> = fields.chain(field(row, "/reason/text").map(|why| text(why, ""))).collect();
        [
            text(row, "/kind"),
            text(row, "/target_list"),
            text(row, "/member"),
            text(row, "/match_key"),
            fields.join(", "),
        ]
    };
    let samples: Vec<_> = items("/samples").iter().map(sample).collect();
    if !samples.is_empty() {
        blocks.push(table(["would be", "list", "member", "match key", "fields"], &samples));
    }
    let stops = [("/would_be_held", "It would be held:"), ("/over_cap", "It would fail:")];
    let stops = stops.into_iter().filter_map(|(pointer, words)| {
        Some(format!("{} {}", paint.colour(Colour::Red, words), text(field(found, pointer)?, "")))
    });
    let warnings = texts(found, "/warnings").into_iter().map(|warning| format!("warning: {warning}"));
    let notices = texts(found, "/notices").into_iter().map(|notice| format!("note: {notice}"));
    let remarks: Vec<String> = stops.chain(warnings).chain(notices).collect();
    blocks.push(remarks.join("\n"));
    blocks.push("Nothing was sent.".to_owned());
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n\n")
}
