//! `runs`.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Session, follow, rejects, report};
use crate::Ending;
use crate::api::{Call, text};
use crate::arguments::{RunCommand, RunListing};
use crate::error::Error;

/// Runs one of the commands.
pub(super) async fn carry_out(command: &RunCommand, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    match command {
        RunCommand::List(listing) => list(listing, session).await,
        RunCommand::Show { id } => {
            let run = session.api.get(&format!("show run {id}"), &["runs", id]).await?.body;
            session.console.show(&run, |paint| report::run(&run, paint))?;
            Ok(Ending::Done)
        }
        RunCommand::Follow { id } => follow::follow(id, session).await,
        RunCommand::Cancel { id } => post(id, "cancel", "Canceled. What was sent stays sent.", session).await,
        RunCommand::Approve { id } => {
            let words = format!("Approved. To watch it: segment-relay runs follow {id}");
            post(id, "approve", &words, session).await
        }
        RunCommand::Reject { id } => post(id, "reject", "Rejected. Nothing is sent.", session).await,
        RunCommand::Retry { id } => {
            let answer = ask(id, "retry", session).await?;
            let new = text(&answer, "/run_id");
            session.console.show(&answer, |_| {
                format!("Run {new} sends the rows that were not applied again.\nTo watch it: segment-relay runs follow {new}")
            })?;
            Ok(Ending::Done)
        }
        RunCommand::Rejects { id, out, rows } => rejects::rejects(id, out.as_deref(), *rows, session).await,
        RunCommand::Report { id } => {
            let doing = format!("show the report of run {id}");
            let found = session.api.get(&doing, &["runs", id, "report"]).await?.body;
            session.console.show(&found, |paint| report::report(&found, paint))?;
            Ok(Ending::Done)
        }
    }
}

async fn list(listing: &RunListing, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let RunListing { export, state, since, until, limit } = listing;
    let states = Some(state.join(",")).filter(|states| !states.is_empty());
    let given =
        [("export", export.clone()), ("state", states), ("since", since.clone()), ("until", until.clone())];
    let query: Vec<(&str, String)> =
        given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let runs = session.api.list_up_to("list the runs", &["runs"], &query, *limit).await?.items;
    session.console.show(&json!({ "items": runs }), |_| report::runs(&runs))?;
    Ok(Ending::Done)
}

async fn ask(id: &str, what: &str, session: &Session<'_, '_>) -> Result<Value, Error> {
    let doing = format!("{what} run {id}");
    Ok(session.api.send(&Call::new(Method::POST, &doing, &["runs", id, what])).await?.body)
}

async fn post(id: &str, what: &str, words: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let answer = ask(id, what, session).await?;
    session.console.show(&answer, |_| words.to_owned())?;
    Ok(Ending::Done)
}
