//! Lists the columns of a source, for callers that name columns outside of a query.

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
    /// Its type. `None` for lists, structures and bytes.
    pub column_type: Option<ColumnType>,
}

/// Returns the columns of a source. Lists its objects and reads their headers, footers or samples, but no row.
pub async fn source_columns(engine: &Engine, name: &str) -> Result<Vec<SourceColumn>, QueryError> {
    // A panic of the engine over a hostile object must end this lookup and not the function.
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
