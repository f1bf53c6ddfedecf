//! Rules in their document form.

use crate::SourceId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Rules that select members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// The main source. Members are its rows, normally one each.
    #[schema(value_type = String)]
    pub source: SourceId,
    /// The columns of the main source that exports can map; all of them if left out. The member key is
    /// always included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 200)]
    pub columns: Vec<String>,
    /// At least one rule, combined from top to bottom.
    #[schema(min_items = 1, max_items = 20)]
    pub rules: Vec<Rule>,
}

/// A rule: it selects the members with rows that fulfil its conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The display name, which must be unique.
    pub name: String,
    /// How the rule is combined with the result of the rules above. Required for every rule except the
    /// first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combine: Option<Combine>,
    /// The path from the main source to the source of the conditions; if absent, the conditions are about
    /// the main source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 5)]
    pub path: Vec<Relation>,
    /// Conditions that all have to be fulfilled. A rule with neither `all` nor `any` selects every row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1)]
    pub all: Option<Vec<Condition>>,
    /// Conditions of which at least one has to be fulfilled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1)]
    pub any: Option<Vec<Condition>>,
    /// With a path: how many related rows have to fulfil the conditions; 1 by default. A row that is
    /// reached in several ways counts once for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub at_least_rows: Option<u32>,
}

/// How a rule is combined with the result of the rules above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RuleCombine)]
pub enum Combine {
    /// Adds this rule's members.
    Union,
    /// Keeps only the members that this rule selects too.
    Intersect,
    /// Keeps only the members that this rule does not select.
    Except,
}

/// A join from one source to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleRelation)]
pub struct Relation {
    /// The source to join.
    #[schema(value_type = String)]
    pub source: SourceId,
    /// The columns to join on: the column of the previous source to the column of this one. At least one
    /// pair.
    pub on: BTreeMap<String, String>,
}

/// A column and exactly one operator, or a group of conditions (`all` or `any`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleCondition)]
pub struct Condition {
    /// The column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Equals a text, a number or a boolean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<Value>,
    /// The opposite of `is`; NULL matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_not: Option<Value>,
    /// Equals one of these texts or numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 5000)]
    pub one_of: Option<Vec<Value>>,
    /// The opposite of `one_of`; NULL matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 5000)]
    pub none_of: Option<Vec<Value>>,
    /// Contains this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// The opposite of `contains`; NULL matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_contains: Option<String>,
    /// Starts with this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_with: Option<String>,
    /// Ends with this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_with: Option<String>,
    /// Whether texts are compared with or without case.
    #[serde(default, skip_serializing_if = "Case::is_exact")]
    pub case: Case,
    /// Less than this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub less_than: Option<Number>,
    /// Less than or equal to this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Number>,
    /// Greater than this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than: Option<Number>,
    /// Greater than or equal to this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Number>,
    /// Between two numbers, two dates or two timestamps, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<[Value; 2]>,
    /// On this day (YYYY-MM-DD).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
    /// Before this day (YYYY-MM-DD) or timestamp (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Day>,
    /// After this day (YYYY-MM-DD) or timestamp (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Day>,
    /// On or before this day or timestamp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_or_before: Option<Day>,
    /// On or after this day or timestamp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_or_after: Option<Day>,
    /// Today or within this number of days before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 36_500)]
    pub within_last_days: Option<u32>,
    /// More than this number of days before today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 36_500)]
    pub before_last_days: Option<u32>,
    /// Today or within this number of days after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 36_500)]
    pub in_next_days: Option<u32>,
    /// Whether the value is NULL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_null: Option<bool>,
    /// A group instead of a column: all of these hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion, min_items = 1)]
    pub all: Option<Vec<Self>>,
    /// A group instead of a column: at least one of these holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion, min_items = 1)]
    pub any: Option<Vec<Self>>,
}

/// Whether texts are compared with or without case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RuleCase)]
pub enum Case {
    /// Case-sensitive.
    #[default]
    Exact,
    /// Case-insensitive.
    Ignore,
}

impl Case {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
    const fn is_exact(&self) -> bool {
        matches!(self, Self::Exact)
    }
}

/// A text, a number or a boolean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "must be a text, a number, or true or false")]
#[schema(as = RuleValue)]
pub enum Value {
    /// A boolean.
    Truth(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
}

/// A number as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = RuleNumber, value_type = f64)]
pub struct Number(pub serde_json::Number);

/// A day (`2026-01-31`) or timestamp (`2026-01-31T18:00:00Z`) as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = RuleDay, examples("2026-01-31"))]
pub struct Day(pub String);
