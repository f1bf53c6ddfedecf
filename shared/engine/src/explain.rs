//! Converts DataFusion's errors to [`QueryError`].
//!
//! A planning error is about the query's text, so its message is kept. A runtime error can quote values of rows, which are
//! personal data, so only known harmless parts of its message are kept.

use crate::errors::QueryError;
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Column, DataFusionError, SchemaError};
use datafusion::sql::sqlparser::parser::ParserError;
use relay_model::query::{TextError, one_line};
use std::error::Error;
use std::io::ErrorKind;

/// Longest planner message that is kept, in characters.
const PLAN_CHARACTERS: usize = 400;

/// The budgets that error messages name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budgets {
    /// Memory for the engine's operators.
    pub(crate) memory_bytes: usize,
    /// Disk for temporary files.
    pub(crate) spill_bytes: u64,
}

/// Returns the [`QueryError`] in a chain of causes, if there is one.
pub(crate) fn known(error: &(dyn Error + 'static)) -> Option<QueryError> {
    find::<QueryError>(error).cloned()
}

/// Returns the first error of a type in a chain of causes.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Converts an error of planning.
pub(crate) fn planning(error: &DataFusionError) -> QueryError {
    if let Some(known) = known(error) {
        return known;
    }
    if let Some(error) = find::<ParserError>(error) {
        return TextError::from(error).into();
    }
    if let Some(error) = find::<SchemaError>(error) {
        return schema(error);
    }
    match error.find_root() {
        DataFusionError::Plan(problem)
        | DataFusionError::Configuration(problem)
        | DataFusionError::Execution(problem) => {
            QueryError::Plan { problem: one_line(problem, PLAN_CHARACTERS) }
        }
        DataFusionError::NotImplemented(problem) => {
            QueryError::Plan { problem: format!("{} (not supported)", one_line(problem, PLAN_CHARACTERS)) }
        }
        DataFusionError::ArrowError(problem, _) => {
            QueryError::Plan { problem: one_line(&problem.to_string(), PLAN_CHARACTERS) }
        }
        other => QueryError::Internal { kind: format!("planning, {}", kind(other)) },
    }
}

fn schema(error: &SchemaError) -> QueryError {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let is_qualified = field.relation.is_some();
            let name = |column: &Column| {
                if is_qualified { column.flat_name() } else { column.name.clone() }
            };
            let mut columns: Vec<String> = Vec::new();
            for column in valid_fields {
                let name = name(column);
                if !columns.contains(&name) {
                    columns.push(name);
                }
            }
            QueryError::UnknownColumn { name: one_line(&name(field), 200), columns }
        }
        SchemaError::AmbiguousReference { field } => {
            QueryError::AmbiguousColumn { name: one_line(&field.name, 200) }
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => {
            QueryError::DuplicateColumn { name: one_line(name, 200), count: 2 }
        }
    }
}

/// Converts an error of execution.
pub(crate) fn running(error: &DataFusionError, budgets: Budgets) -> QueryError {
    if let Some(known) = known(error) {
        return known;
    }
    let root = error.find_root();
    // The engine has no error type for its disk budget and wraps the message in several others.
    let is_over_disk_budget = root.to_string().contains("The used disk space during the spilling process");
    let is_disk_full =
        find::<std::io::Error>(error).is_some_and(|error| error.kind() == ErrorKind::StorageFull);
    if is_over_disk_budget || is_disk_full {
        return QueryError::OutOfDisk { limit_bytes: budgets.spill_bytes };
    }
    if matches!(root, DataFusionError::ResourcesExhausted(_)) {
        return QueryError::OutOfMemory { limit_bytes: budgets.memory_bytes };
    }
    if let Some(error) = find::<ArrowError>(error) {
        return value(error);
    }
    match root {
        // All errors of stores are QueryErrors, so any other external error is from a SQL function.
        DataFusionError::Execution(_) | DataFusionError::External(_) => QueryError::BadValue {
            problem: "a function does not accept one of its values; exclude such rows with WHERE first"
                .to_owned(),
        },
        other => QueryError::Internal { kind: kind(other) },
    }
}

fn value(error: &ArrowError) -> QueryError {
    let problem = match error {
        ArrowError::CastError(text) | ArrowError::ParseError(text) => match cast_target(text) {
            Some(target) => format!(
                "a value could not be converted to {target}; TRY_CAST returns NULL for such values, or exclude them with WHERE first"
            ),
            None => "a value could not be converted to the requested type; TRY_CAST returns NULL for such values, or exclude them with WHERE first".to_owned(),
        },
        ArrowError::DivideByZero => "a number was divided by zero; NULLIF(divisor, 0) returns NULL instead".to_owned(),
        ArrowError::ArithmeticOverflow(_) => {
            "a number became too large for its type; CAST it to DOUBLE or DECIMAL first".to_owned()
        }
        ArrowError::ComputeError(_) | ArrowError::InvalidArgumentError(_) | ArrowError::ExternalError(_) => {
            "a function does not accept one of its values; exclude such rows with WHERE first".to_owned()
        }
        ArrowError::ParquetError(_) => "a Parquet object is damaged".to_owned(),
        other => return QueryError::Internal { kind: arrow_kind(other).to_owned() },
    };
    QueryError::BadValue { problem }
}

/// Returns the type at the end of "Cannot cast string '…' to value of Int64 type". The value before it can be any text, so
/// only known type names are accepted.
fn cast_target(text: &str) -> Option<&'static str> {
    const TARGETS: [(&str, &str); 15] = [
        ("Int8", "a small whole number"),
        ("Int16", "a small whole number"),
        ("Int32", "a whole number (INTEGER)"),
        ("Int64", "a whole number (BIGINT)"),
        ("UInt8", "a small whole number"),
        ("UInt16", "a small whole number"),
        ("UInt32", "a whole number"),
        ("UInt64", "a whole number"),
        ("Float32", "a number (FLOAT)"),
        ("Float64", "a number (DOUBLE)"),
        ("Boolean", "a truth value (BOOLEAN)"),
        ("Date32", "a date (DATE)"),
        ("Date64", "a date (DATE)"),
        ("Decimal128", "a decimal number (DECIMAL)"),
        ("Decimal256", "a decimal number (DECIMAL)"),
    ];
    if text.starts_with("Error parsing timestamp") || text.contains("timestamp from") {
        return Some("a moment (TIMESTAMP)");
    }
    let (_, end) = text.rsplit_once(" to value of ").or_else(|| text.rsplit_once(" to type "))?;
    let word = end.split(|letter: char| !letter.is_ascii_alphanumeric()).next()?;
    TARGETS.iter().find(|(name, _)| *name == word).map(|(_, target)| *target)
}

fn kind(error: &DataFusionError) -> String {
    match error {
        DataFusionError::ArrowError(error, _) => arrow_kind(error),
        DataFusionError::ParquetError(_) => "Parquet",
        DataFusionError::ObjectStore(_) => "store",
        DataFusionError::IoError(error) => return format!("input and output, {}", error.kind()),
        DataFusionError::SQL(..) => "parser",
        DataFusionError::NotImplemented(_) => "not implemented",
        DataFusionError::Internal(_) => "internal",
        DataFusionError::Execution(_) => "execution",
        DataFusionError::ExecutionJoin(_) => "a task ended",
        _ => "other",
    }
    .to_owned()
}

const fn arrow_kind(error: &ArrowError) -> &'static str {
    match error {
        ArrowError::MemoryError(_) => "Arrow, memory",
        ArrowError::SchemaError(_) => "Arrow, schema",
        ArrowError::IoError(..) => "Arrow, input and output",
        ArrowError::OffsetOverflowError(_) => "Arrow, offsets",
        _ => "Arrow",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGETS: Budgets = Budgets { memory_bytes: 1, spill_bytes: 1 };

    #[track_caller]
    fn check(error: ArrowError, expected: &str) {
        let found = running(&DataFusionError::from(error), BUDGETS).to_string();
        assert!(found.contains(expected), "{found}");
        assert!(!found.contains("anna@example.com") && !found.contains("secret"), "{found}");
    }

    #[test]
    fn values_are_never_quoted() {
        let cast = |text: &str| ArrowError::CastError(text.to_owned());
        check(
            cast("Cannot cast string 'anna@example.com' to value of Int64 type"),
            "a whole number (BIGINT)",
        );
        check(
            cast("Cannot cast string 'x to value of secret type' to value of Float64 type"),
            "a number (DOUBLE)",
        );
        check(cast("Cannot cast string 'anna@example.com' to value of secret type"), "the requested type");
        check(
            ArrowError::ParseError("Error parsing timestamp from 'anna@example.com'".into()),
            "a moment (TIMESTAMP)",
        );
        check(ArrowError::ArithmeticOverflow("Overflow happened on: secret * 2".into()), "too large");
        check(ArrowError::ComputeError("anna@example.com".into()), "does not accept");
        check(ArrowError::InvalidArgumentError("anna@example.com".into()), "does not accept");
        check(ArrowError::DivideByZero, "divided by zero");
        check(ArrowError::MemoryError("secret".into()), "Arrow, memory");
    }
}
