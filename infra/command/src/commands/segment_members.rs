//! `segments sizes`, `refresh` and `download`: who is in a segment, and since when.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use super::download::download_into;
use super::segments::wait_for_preview;
use super::{Session, follow};
use crate::Ending;
use crate::api::{Call, field, number, text};
use crate::error::Error;
use crate::table::{grouped, table};

/// How long a download is waited for, in minutes: what the function may take.
const DOWNLOAD_MINUTES: u32 = 15;
/// How long a refresh is waited for, in polls: what the function may take, a poll being a second.
const REFRESH_POLLS: u32 = 15 * 60;

/// How large the segment is and was.
pub(super) async fn sizes(id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("show the sizes of segment {id}");
    let found = session.api.get(&doing, &["segments", id, "sizes"]).await?.body;
    session.console.show(&found, |_| in_words(&found))?;
    Ok(Ending::Done)
}

/// Has the members evaluated anew, and waits for them.
pub(super) async fn refresh(id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("refresh segment {id}");
    session.api.send(&Call::new(Method::POST, &doing, &["segments", id, "refreshes"])).await?;
    let mut is_said = false;
    for pause in follow::pauses(REFRESH_POLLS) {
        let found = session.api.get(&doing, &["segments", id, "sizes"]).await?.body;
        if field(&found, "/members/is_refreshing") != Some(&Value::Bool(true)) {
            session.console.show(&found, |_| in_words(&found))?;
            let has_failed = field(&found, "/members/failure").is_some();
            return Ok(if has_failed { Ending::Failed } else { Ending::Done });
        }
        if !std::mem::replace(&mut is_said, true) {
            session.console.progress("the segment's query runs")?;
        }
        tokio::time::sleep(session.poll * pause).await;
    }
    Err(Error::Input(format!(
        "cannot {doing}: it has not come within 15 minutes, and it may not take longer. Why stands in the logs of the \
         function \"snapshot\"; where it is: segment-relay segments sizes {id}"
    )))
}

/// Downloads all members into a file that is not there yet.
pub(super) async fn download(id: &str, out: &Path, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("download the members of segment {id}");
    let path = ["segments", id, "downloads"];
    let found = wait_for_preview(&Call::new(Method::POST, &doing, &path), DOWNLOAD_MINUTES, session).await?;
    if text(&found, "/state") == "failed" {
        let (code, words) = (text(&found, "/result/error/code"), text(&found, "/result/error/text"));
        session.console.show(&found, |_| format!("It cannot be downloaded: {words} ({code})"))?;
        return Ok(Ending::Failed);
    }
    let preview_id = text(&found, "/result/preview_id");
    let link = session.api.get(&doing, &["previews", &preview_id, "members"]).await?.body;
    download_into(out, &doing, &text(&link, "/url")).await?;
    let members = number(&found, "/result/rows").unwrap_or_default();
    let file = out.display().to_string();
    let figures = json!({ "segment": id, "members": members, "file": file });
    session.console.show(&figures, |_| format!("{} members in {file}", grouped(members)))?;
    Ok(Ending::Done)
}

fn in_words(found: &Value) -> String {
    let mut parts = Vec::new();
    let items = field(found, "/sizes").and_then(Value::as_array).into_iter().flatten();
    let rows: Vec<_> = items
        .map(|size| {
            let run = text(size, "/run_id");
            let by = if run.is_empty() { "refresh".to_owned() } else { format!("run {run}") };
            [text(size, "/at"), grouped(number(size, "/members").unwrap_or_default()), by]
        })
        .collect();
    parts.push(if rows.is_empty() {
        "It was not evaluated yet.".to_owned()
    } else {
        table(["at", "members", "by"], &rows)
    });
    if let Some(members) = field(found, "/members") {
        parts.push(kept(members));
    }
    if let Some(upload) = field(found, "/upload") {
        let (rows, until) = (number(upload, "/rows").unwrap_or_default(), text(upload, "/expires_at"));
        parts.push(format!(
            "Upload of {}: {} members until {until}.",
            text(upload, "/uploaded_at"),
            grouped(rows)
        ));
    }
    parts.join("\n\n")
}

/// Where the members stand that a segment keeps.
fn kept(members: &Value) -> String {
    let is = |pointer: &str| field(members, pointer) == Some(&Value::Bool(true));
    let mut lines = vec![match number(members, "/rows") {
        Some(rows) => format!("Keeps {} members, as of {}.", grouped(rows), text(members, "/refreshed_at")),
        None if is("/is_resting") => "It keeps nobody.".to_owned(),
        None => "It keeps nobody yet.".to_owned(),
    }];
    if is("/is_resting") {
        lines.push(format!(
            "It rests: no export has used it since {}. It is evaluated again when one does.",
            text(members, "/unused_since")
        ));
    }
    if is("/is_refreshing") {
        lines.push("A refresh is under way.".to_owned());
    }
    if field(members, "/failure").is_some() {
        let (at, words) = (text(members, "/failure/at"), text(members, "/failure/text"));
        lines.push(format!("The refresh of {at} failed: {words}"));
    }
    let next = text(members, "/next_refresh_at");
    if !next.is_empty() {
        lines.push(format!("Next refresh: {next}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_kept_members_stand() {
        #[track_caller]
        fn check(members: &Value, expected: &str) {
            assert_eq!(kept(members), expected);
        }
        check(
            &json!({ "rows": null, "is_refreshing": true }),
            "It keeps nobody yet.\nA refresh is under way.",
        );
        check(
            &json!({ "rows": 1200, "refreshed_at": "T1", "next_refresh_at": "T2" }),
            "Keeps 1,200 members, as of T1.\nNext refresh: T2",
        );
        check(
            &json!({ "rows": 1, "refreshed_at": "T1", "failure": { "at": "T2", "text": "no column" } }),
            "Keeps 1 members, as of T1.\nThe refresh of T2 failed: no column",
        );
        check(
            &json!({ "rows": null, "is_resting": true, "unused_since": "T1" }),
            "It keeps nobody.\nIt rests: no export has used it since T1. It is evaluated again when one does.",
        );
    }
}
