//! The columns that rules reference and their use, so that a caller who knows the sources' columns can name
//! the wrong field.

use super::condition::ValueKind;
use super::reading::{Group, Node, Read, Together};

/// A column that rules reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnUse {
    /// The path of the field or condition that references it, relative to the rules.
    pub field: String,
    /// The source that must have it.
    pub source: String,
    /// Its name.
    pub column: String,
    /// The operator and its kind of value, if any.
    pub operator: Option<(&'static str, ValueKind)>,
}

/// Returns the columns in the order in which they are referenced.
pub(super) fn uses(set: &Read<'_>) -> Vec<ColumnUse> {
    let mut found = Vec::new();
    for (place, column) in set.columns.iter().enumerate() {
        found.push(plain(format!("columns[{place}]"), set.source, column));
    }
    for (place, rule) in set.rules.iter().enumerate() {
        let mut source = set.source;
        for (hop, relation) in rule.path.iter().enumerate() {
            let field = || format!("rules[{place}].path[{hop}].on");
            for (left, right) in &relation.on {
                found.push(plain(field(), source, left));
                found.push(plain(field(), relation.source.as_str(), right));
            }
            source = relation.source.as_str();
        }
        if let Some(group) = &rule.group {
            of_group(group, &format!("rules[{place}]"), source, &mut found);
        }
    }
    found
}

fn plain(field: String, source: &str, column: &str) -> ColumnUse {
    ColumnUse { field, source: source.to_owned(), column: column.to_owned(), operator: None }
}

fn of_group(group: &Group<'_>, outer: &str, source: &str, found: &mut Vec<ColumnUse>) {
    let list = match group.together {
        Together::All => "all",
        Together::Any => "any",
    };
    for (place, node) in group.nodes.iter().enumerate() {
        let field = format!("{outer}.{list}[{place}]");
        match node {
            Node::Group(group) => of_group(group, &field, source, found),
            Node::Test { column, operator, test, .. } => {
                let operator = Some((*operator, test.kind()));
                found.push(ColumnUse { operator, ..plain(field, source, column) });
            }
        }
    }
}
