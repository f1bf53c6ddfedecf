//! What is wrong with rules, and where.

/// A field and what would mend it. The path grows from the inside to the outside.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    field: String,
    problem: String,
}

impl Refusal {
    pub(super) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }

    /// The same, in a field around it: `rules[1]`, then what is in it.
    pub(super) fn inside(self, outer: &str) -> Self {
        Self { field: format!("{outer}.{}", self.field), problem: self.problem }
    }

    /// The same, in an item of a list around it.
    pub(super) fn inside_item(self, list: &str, place: usize) -> Self {
        self.inside(&format!("{list}[{place}]"))
    }

    /// The field's path and the problem.
    pub(super) fn into_parts(self) -> (String, String) {
        (self.field, self.problem)
    }
}
