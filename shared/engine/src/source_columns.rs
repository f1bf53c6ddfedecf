//! What columns a source has, for whoever names them outside of a query.

use crate::columns::{ColumnType, column_type};
use crate::engine::{Engine, Mode};
use crate::errors::QueryError;
use crate::evaluate::panicked;
use crate::explain::planning;
use datafusion::arrow::datatypes::FieldRef;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;

/// A column of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceColumn {
    /// Its name.
    pub name: String,
    /// What its values are; nothing where they are lists, structures or bytes.
    pub column_type: Option<ColumnType>,
}

/// The columns of a source. No row is read: it lists the objects and reads their headers, footers or samples.
pub async fn source_columns(engine: &Engine, name: &str) -> Result<Vec<SourceColumn>, QueryError> {
    // A panic of the engine over a hostile object must end this and not the function.
    let found = AssertUnwindSafe(columns(engine, name)).catch_unwind();
    Box::pin(found).await.map_err(|_| panicked())?
}

async fn columns(engine: &Engine, name: &str) -> Result<Vec<SourceColumn>, QueryError> {
    let session = engine.session(&[name.to_owned()], Mode::Fast).await?;
    let table = session.context.table_provider(name).await.map_err(|error| planning(&error))?;
    let column =
        |field: &FieldRef| SourceColumn { name: field.name().clone(), column_type: column_type(field).ok() };
    Ok(table.schema().fields().iter().map(column).collect())
}
