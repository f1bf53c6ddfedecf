//! `segments sizes` and `segments download`.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use super::Session;
use super::download::download_into;
use super::segments::wait_for_preview;
use crate::Ending;
use crate::api::{Call, field, number, text};
use crate::error::Error;
use crate::table::{grouped, table};

/// How long to wait for a download, in minutes: the timeout of the function.
const DOWNLOAD_MINUTES: u32 = 15;

/// Shows the current and past sizes of a segment.
pub(super) async fn sizes(id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("show the sizes of segment {id}");
    let found = session.api.get(&doing, &["segments", id, "sizes"]).await?.body;
    session.console.show(&found, |_| in_words(&found))?;
    Ok(Ending::Done)
}

/// Downloads all members into a new file.
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
            let members = grouped(number(size, "/members").unwrap_or_default());
            [text(size, "/at"), members, text(size, "/run_id")]
        })
        .collect();
    parts.push(if rows.is_empty() {
        "It has not been evaluated yet.".to_owned()
    } else {
        table(["at", "members", "run"], &rows)
    });
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
