//! `exports dry-run`.

use reqwest::Method;

use super::{Session, follow, report};
use crate::Ending;
use crate::api::{Call, text};
use crate::error::Error;

/// Asks for a dry run, waits for it and shows what it found.
pub(super) async fn dry_run(id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("dry-run export {id}");
    let path = ["exports", id, "dry-runs"];
    let call = Call::new(Method::POST, &doing, &path);
    let run_id = text(&session.api.send(&call).await?.body, "/run_id");
    if run_id.is_empty() {
        return Err(call.strange("no run_id").into());
    }
    let run = follow::until_still(&run_id, session).await?;
    if text(&run, "/state") != "succeeded" {
        session.console.show(&run, |paint| report::run(&run, paint))?;
        return Ok(Ending::Failed);
    }
    let found = session.api.get(&doing, &["runs", &run_id, "dry-run"]).await?.body;
    session.console.show(&found, |_| report::dry_run(&found))?;
    Ok(Ending::Done)
}
