//! `exports add-segment` and `exports remove-segment`.

use relay_model::catalog::Kind;
use serde_json::{Map, Value, json};

use super::{Session, definitions};
use crate::Ending;
use crate::api::{Checking, text};
use crate::arguments::{AddSegmentArguments, ExportSegmentArguments};
use crate::error::Error;

/// Adds a segment to an export.
pub(super) async fn add(
    AddSegmentArguments { segment: arguments, starts_at, ends_at }: &AddSegmentArguments,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let doing = format!("add segment {} to export {}", arguments.segment, arguments.export);
    change(arguments, &doing, session, |segments| {
        if segments
            .iter()
            .any(|entry| is_selected(entry, arguments) && list(entry) == requested_list(arguments))
        {
            return Err(already(&doing, "it is already in the export, for the same list"));
        }
        let mut entry = json!({ "segment": arguments.segment });
        if let Some(fields) = entry.as_object_mut() {
            let given = [
                ("target_list", arguments.target_list.clone()),
                ("starts_at", starts_at.map(|instant| instant.to_string())),
                ("ends_at", ends_at.map(|instant| instant.to_string())),
            ];
            fields
                .extend(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))));
        }
        segments.push(entry);
        Ok(())
    })
    .await
}

/// Removes a segment from an export.
pub(super) async fn remove(
    arguments: &ExportSegmentArguments,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let doing = format!("remove segment {} from export {}", arguments.segment, arguments.export);
    change(arguments, &doing, session, |segments| {
        let before = segments.len();
        let is_any_list = arguments.target_list.is_none();
        segments.retain(|entry| {
            !(is_selected(entry, arguments) && (is_any_list || list(entry) == requested_list(arguments)))
        });
        if segments.len() == before {
            return Err(already(&doing, "it is not in the export"));
        }
        Ok(())
    })
    .await
}

fn is_selected(entry: &Value, arguments: &ExportSegmentArguments) -> bool {
    text(entry, "/segment") == arguments.segment
}

/// Returns the list of an entry; empty for a list of the segment's own.
fn list(entry: &Value) -> String {
    text(entry, "/target_list")
}

fn requested_list(arguments: &ExportSegmentArguments) -> String {
    arguments.target_list.clone().unwrap_or_default()
}

fn already(doing: &str, why: &str) -> Error {
    Error::Input(format!("cannot {doing}: {why}"))
}

async fn change(
    arguments: &ExportSegmentArguments,
    doing: &str,
    session: &mut Session<'_, '_>,
    edit: impl FnOnce(&mut Vec<Value>) -> Result<(), Error>,
) -> Result<Ending, Error> {
    let query = Checking::unless(arguments.no_check).query(Kind::Export);
    let change = |document: &mut Map<String, Value>| {
        let segments = document.entry("segments").or_insert_with(|| json!([]));
        segments.as_array_mut().map(edit).transpose().map(drop)
    };
    definitions::change(Kind::Export, &arguments.export, doing, query, session, change).await?;
    Ok(Ending::Done)
}
