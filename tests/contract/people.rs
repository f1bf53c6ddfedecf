//! People who do not exist, and what nobody may say of them.

use relay_delivery::batch::RowResult;
use relay_model::{FieldValue, MatchKey, MemberKey, Operation, Row};

/// Parts of what [`email`], [`name`] and [`row`] make.
pub(crate) const MARKS: [&str; 4] = ["nora.", "kestrel", "Wilhelmina", "osprey"];

/// An address.
pub(crate) fn email(number: usize) -> String {
    format!("nora.{number}@kestrel.example.org")
}

/// A name, one of many.
pub(crate) fn name(number: usize) -> String {
    format!("Wilhelmina {number}")
}

/// A person to add.
pub(crate) fn row(number: usize, match_key: MatchKey, has_name: HasName) -> Row {
    let values = match has_name {
        HasName::Yes => vec![(0, FieldValue::Text(name(number)))],
        HasName::No => Vec::new(),
    };
    Row {
        member_key: MemberKey(format!("osprey-{number:06}")),
        match_key,
        operation: Operation::Add,
        is_rejoin: false,
        destination_id: None,
        values,
    }
}

/// Whether the destination keeps people's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HasName {
    Yes,
    No,
}

/// The removal of a person of whom nothing is remembered.
pub(crate) fn removal(row: &Row) -> Row {
    Row { operation: Operation::Remove, destination_id: None, values: Vec::new(), ..row.clone() }
}

/// The removals of people who were added with these results: what the delivered state remembers goes along.
pub(crate) fn removals(rows: &[Row], results: &[RowResult]) -> Vec<Row> {
    rows.iter()
        .zip(results)
        .map(|(row, result)| Row { destination_id: result.destination_id.clone(), ..removal(row) })
        .collect()
}
