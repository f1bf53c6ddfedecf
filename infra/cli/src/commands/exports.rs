//! `exports`.

use relay_model::catalog::Kind;
use reqwest::Method;
use serde_json::{Value, json};

use super::definitions::{self, Asking};
use super::{Session, data_usage, dry_run, export_segments, follow, overview, report, scheduling};
use crate::Ending;
use crate::api::{Call, Checking, Condition, Saved, field, text};
use crate::arguments::ExportCommand;
use crate::error::Error;
use crate::table::table;

/// Runs one of the commands.
pub(super) async fn carry_out(
    command: &ExportCommand,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    match command {
        ExportCommand::List(listing) => overview::list_exports(listing, session).await,
        ExportCommand::Show { id } => definitions::show(Kind::Export, id, session).await,
        ExportCommand::Run { id, follow } => run(id, Watching::when(*follow), session).await,
        ExportCommand::RunScheduled => run_several("run every export with a schedule", "runs", session).await,
        ExportCommand::RunRefreshed => {
            run_several("run every export scheduled for the refresh", "refreshes", session).await
        }
        ExportCommand::DryRun { id } => dry_run::dry_run(id, session).await,
        ExportCommand::DataUsage { id } => data_usage::data_usage(id, session).await,
        ExportCommand::Schedule(arguments) => scheduling::schedule(arguments, session).await,
        ExportCommand::AddSegment(arguments) => export_segments::add(arguments, session).await,
        ExportCommand::RemoveSegment(arguments) => export_segments::remove(arguments, session).await,
        ExportCommand::Duplicate { id, new_id, name } => duplicate(id, new_id, name, session).await,
        ExportCommand::Detach { id } => detach(id, session).await,
        ExportCommand::Enable { id, no_check } => {
            let doing = format!("enable export {id}");
            set(id, &doing, Checking::unless(*no_check), "enabled", Value::Bool(true), session).await
        }
        ExportCommand::Disable { id } => {
            // Disabling skips the checks, because the destination may have lost the list.
            let doing = format!("disable export {id}");
            set(id, &doing, Checking::Skipped, "enabled", Value::Bool(false), session).await
        }
        ExportCommand::Remove { id, yes } => {
            definitions::remove(Kind::Export, id, Vec::new(), Asking::unless(*yes), session).await
        }
        ExportCommand::History { id, limit } => history(id, *limit, session).await,
    }
}

/// Changes one field of an export.
pub(super) async fn set(
    id: &str,
    doing: &str,
    checking: Checking,
    field: &str,
    value: Value,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let query = checking.query(Kind::Export);
    let set = |document: &mut serde_json::Map<String, Value>| {
        document.insert(field.to_owned(), value);
        Ok(())
    };
    definitions::change(Kind::Export, id, doing, query, session, set).await?;
    Ok(Ending::Done)
}

/// How long to watch a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watching {
    /// Until it ends or is held.
    Whole,
    /// Only until it has started.
    Start,
}

impl Watching {
    const fn when(is_wanted: bool) -> Self {
        if is_wanted { Self::Whole } else { Self::Start }
    }
}

async fn run(id: &str, watching: Watching, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("run export {id}");
    let path = ["exports", id, "runs"];
    let call = Call::new(Method::POST, &doing, &path);
    let asked = session.api.send(&call).await?.body;
    let run_id = text(&asked, "/run_id");
    if run_id.is_empty() {
        return Err(call.unexpected("no run_id").into());
    }
    let words = match text(&asked, "/request").as_str() {
        "waiting" => format!("Run {run_id} waits for the run in progress."),
        "merged" => format!("Merged into run {run_id}, which is waiting already."),
        "repeated" => format!("Run {run_id} was requested already."),
        _ => format!("Run {run_id} has started."),
    };
    if watching == Watching::Whole {
        session.console.note(&words)?;
        return follow::follow(&run_id, session).await;
    }
    session.console.show(&asked, |_| format!("{words}\nTo watch it: segment-relay runs follow {run_id}"))?;
    Ok(Ending::Done)
}

/// Requests several runs at once, and reports failures next to the runs that were requested.
async fn run_several(doing: &str, route: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let asked = session.api.send(&Call::new(Method::POST, doing, &[route])).await?.body;
    session.console.show(&asked, |_| {
        let items =
            |pointer: &str| field(&asked, pointer).and_then(Value::as_array).cloned().unwrap_or_default();
        let row = |outcome: &str| {
            let outcome = outcome.to_owned();
            move |item: &Value| [text(item, "/export_id"), text(item, "/run_id"), text(item, &outcome)]
        };
        let mut rows: Vec<_> = items("/runs").iter().map(row("/request")).collect();
        rows.extend(items("/not_started").iter().map(row("/problem")));
        if rows.is_empty() {
            "There is no export to run.".to_owned()
        } else {
            table(["export", "run", ""], &rows)
        }
    })?;
    let has_failed =
        field(&asked, "/not_started").and_then(Value::as_array).is_some_and(|few| !few.is_empty());
    Ok(if has_failed { Ending::Failed } else { Ending::Done })
}

async fn duplicate(
    id: &str,
    new_id: &str,
    name: &str,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let doing = format!("duplicate export {id}");
    let path = ["exports", id, "duplicate"];
    let call = Call::new(Method::POST, &doing, &path).json(&json!({ "id": new_id, "name": name }));
    let made = session.api.send(&call).await?.body;
    session.console.show(&made, |_| format!("Created export {new_id}, disabled. Set its own target lists, then: segment-relay exports enable {new_id}"))?;
    Ok(Ending::Done)
}

async fn detach(id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("detach export {id}");
    let Saved { version, .. } = definitions::read(Kind::Export, id, &doing, session).await?;
    let path = ["exports", id, "detach"];
    let call = Call::new(Method::POST, &doing, &path).only_if(Condition::IsVersion(version));
    let detached = session.api.send(&call).await?.body;
    session
        .console
        .show(&detached, |_| "Detached. It does not run until it is connected again.".to_owned())?;
    Ok(Ending::Done)
}

async fn history(id: &str, limit: usize, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("list the runs of export {id}");
    let runs = session.api.list_up_to(&doing, &["exports", id, "runs"], &[], limit).await?.items;
    session.console.show(&json!({ "items": runs }), |_| report::history(&runs))?;
    Ok(Ending::Done)
}
