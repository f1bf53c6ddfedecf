//! Errors in rules and their positions.

/// A field and its problem. The path grows from the inside out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    field: String,
    problem: String,
}

impl Refusal {
    pub(super) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }

    /// Prepends a field that contains this one: `rules[1]`.
    pub(super) fn inside(self, outer: &str) -> Self {
        Self { field: format!("{outer}.{}", self.field), problem: self.problem }
    }

    /// Prepends an item of a list that contains this field.
    pub(super) fn inside_item(self, list: &str, place: usize) -> Self {
        self.inside(&format!("{list}[{place}]"))
    }

    /// Returns the field's path and the problem.
    pub(super) fn into_parts(self) -> (String, String) {
        (self.field, self.problem)
    }
}
