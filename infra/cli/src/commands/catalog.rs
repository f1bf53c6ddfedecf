//! `export` and `schema`.

use std::path::Path;

use serde_json::{Value, json};

use super::{Session, files};
use crate::Ending;
use crate::api::ApiError;
use crate::arguments::{ExportArguments, FolderArguments};
use crate::error::Error;
use crate::files::{Existing, Written, schemas, write_folder, write_schemas};
use crate::plan::is_hidden;

/// `export`.
pub(super) async fn export(
    arguments: &ExportArguments,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let folder = &arguments.folder.folder;
    let values = session.values_with(&arguments.folder.values)?;
    let there = files::all(session).await?;
    let (hidden, seen): (Vec<_>, Vec<_>) =
        there.into_iter().partition(|(kind, saved)| is_hidden(*kind, &saved.document));
    for (kind, saved) in &hidden {
        let (kind, id) = (kind.name(), &saved.id);
        session.console.note(&format!("{kind} {id} is skipped, because your role may only see its name"))?;
    }
    let documents: Vec<_> = seen.into_iter().map(|(kind, saved)| (kind, saved.document)).collect();
    let existing = if arguments.overwrite { Existing::Overwrite } else { Existing::Keep };
    let written = write_folder(folder, &documents, &values, existing)?;
    let differing: Vec<String> = written.iter().filter_map(differing).collect();
    if !differing.is_empty() {
        let files = differing.join("\n  ");
        return Err(Error::Input(format!(
            "nothing was written, because these files differ; overwrite them with --overwrite, which \
             loses their comments and ${{NAME}} placeholders:\n  {files}"
        )));
    }
    // Schemas are optional, so an API without a description is not an error here.
    if let Ok(schemas) = described(session).await {
        write_schemas(folder, &schemas)?;
    }
    let figures = json!({ "files": written.iter().map(figure).collect::<Vec<_>>() });
    session.console.show(&figures, |_| {
        let lines: Vec<String> = written.iter().map(|one| line(one, folder)).collect();
        if lines.is_empty() { "There are no definitions.".to_owned() } else { lines.join("\n") }
    })?;
    Ok(Ending::Done)
}

/// `schema`.
pub(super) async fn schema(
    arguments: &FolderArguments,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let schemas = described(session).await?;
    let paths = write_schemas(&arguments.folder, &schemas)?;
    session.console.show(&json!({ "files": paths }), |_| {
        let hint = "Editors find them by the files' first line: # yaml-language-server: $schema=../.schemas/export.json";
        format!("{}\n\n{hint}", paths.join("\n"))
    })?;
    Ok(Ending::Done)
}

async fn described(session: &Session<'_, '_>) -> Result<Vec<(relay_model::catalog::Kind, Value)>, Error> {
    let doing = "read the API's description";
    let openapi = session.api.get(doing, &["openapi.json"]).await?;
    let found = schemas(&openapi.body);
    Ok(found
        .map_err(|what| ApiError::Unexpected { doing: doing.to_owned(), what: format!("a fault: {what}") })?)
}

fn differing(written: &Written) -> Option<String> {
    match written {
        Written::Differs(path) => Some(path.display().to_string()),
        _ => None,
    }
}

fn parts(written: &Written) -> (&'static str, &Path) {
    match written {
        Written::New(path) => ("new", path),
        Written::Changed(path) => ("changed", path),
        Written::Same(path) => ("same", path),
        Written::Differs(path) => ("differs", path),
        Written::Leftover(path) => ("leftover", path),
    }
}

fn figure(written: &Written) -> Value {
    let (outcome, path) = parts(written);
    json!({ "file": path.display().to_string(), "outcome": outcome })
}

fn line(written: &Written, folder: &Path) -> String {
    let (outcome, path) = parts(written);
    let name = path.strip_prefix(folder).unwrap_or(path).display();
    let remark = if matches!(written, Written::Leftover(_)) { "  (no longer exists)" } else { "" };
    format!("{outcome:<9} {name}{remark}")
}
