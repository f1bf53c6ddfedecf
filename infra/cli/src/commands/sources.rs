//! `sources`.

use relay_model::catalog::Kind;
use serde_json::Value;

use super::{Session, definitions};
use crate::Ending;
use crate::api::{field, text};
use crate::arguments::SourceCommand;
use crate::error::Error;
use crate::table::table;

/// Runs one of the commands.
pub(super) async fn carry_out(
    command: &SourceCommand,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    match command {
        SourceCommand::Definition(command) => definitions::carry_out(Kind::Source, command, session).await,
        SourceCommand::Segments { id } => segments(id, session).await,
    }
}

async fn segments(id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("list the segments that read source {id}");
    let found = session.api.get(&doing, &["sources", id, "segments"]).await?.body;
    session.console.show(&found, |_| {
        let segments = field(&found, "/segments").and_then(Value::as_array).into_iter().flatten();
        let rows: Vec<_> = segments.map(|segment| [text(segment, "/id"), text(segment, "/name")]).collect();
        if rows.is_empty() { "No segment reads it.".to_owned() } else { table(["id", "name"], &rows) }
    })?;
    Ok(Ending::Done)
}
