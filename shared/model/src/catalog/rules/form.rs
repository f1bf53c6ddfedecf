//! Rules as people write them.

use crate::SourceId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Rules that say who is a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// The main source: members are rows of it, normally one each.
    #[schema(value_type = String)]
    pub source: SourceId,
    /// The columns of the main source that exports can map; left out, all of them. The member key is always there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 200)]
    pub columns: Vec<String>,
    /// At least one rule, combined top down.
    #[schema(min_items = 1, max_items = 20)]
    pub rules: Vec<Rule>,
}

/// Who is meant: members with rows that fulfil conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What people call it; each name once.
    pub name: String,
    /// What becomes of the members that the rules above give. The first rule has none above it; every other one says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combine: Option<Combine>,
    /// The way from the main source to the one that the conditions are about; without it they are about the main source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 5)]
    pub path: Vec<Relation>,
    /// Conditions of which all have to be fulfilled. A rule with neither `all` nor `any` takes every row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1)]
    pub all: Option<Vec<Condition>>,
    /// Conditions of which one has to be fulfilled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1)]
    pub any: Option<Vec<Condition>>,
    /// With a path: how many related rows have to fulfil the conditions; one where it is left out. A row that several
    /// ways lead to counts once for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub at_least_rows: Option<u32>,
}

/// What becomes of the members that the rules above give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RuleCombine)]
pub enum Combine {
    /// They stay, and this rule's come to them.
    Union,
    /// Only those stay whom this rule gives as well.
    Intersect,
    /// Only those stay whom this rule does not give.
    Except,
}

/// A step from one source to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleRelation)]
pub struct Relation {
    /// The source that it leads to.
    #[schema(value_type = String)]
    pub source: SourceId,
    /// Which columns have to be equal: the column of the source before to the column of this one. At least one.
    pub on: BTreeMap<String, String>,
}

/// A column and exactly one operator, or a group of conditions (`all` or `any`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleCondition)]
pub struct Condition {
    /// The column that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Equal to a text, a number, or true or false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<Value>,
    /// The opposite of `is`: values that are not known are not equal to any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_not: Option<Value>,
    /// Equal to one of these texts or numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 5000)]
    pub one_of: Option<Vec<Value>>,
    /// The opposite of `one_of`: values that are not known are none of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 5000)]
    pub none_of: Option<Vec<Value>>,
    /// Has this text in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// The opposite of `contains`: values that are not known do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_contains: Option<String>,
    /// Begins with this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_with: Option<String>,
    /// Ends with this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_with: Option<String>,
    /// Whether upper and lower case are different, for texts.
    #[serde(default, skip_serializing_if = "Case::is_exact")]
    pub case: Case,
    /// A smaller number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub less_than: Option<Number>,
    /// This number or a smaller one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Number>,
    /// A larger number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than: Option<Number>,
    /// This number or a larger one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Number>,
    /// Two numbers, two days or two moments, and what is between them, themselves included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<[Value; 2]>,
    /// This day (YYYY-MM-DD).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
    /// Before this day (YYYY-MM-DD) or moment (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Day>,
    /// After this day (YYYY-MM-DD) or moment (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Day>,
    /// On this day or before it, or at this moment or before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_or_before: Option<Day>,
    /// On this day or after it, or at this moment or after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_or_after: Option<Day>,
    /// Today or one of so many days before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 36_500)]
    pub within_last_days: Option<u32>,
    /// Earlier than so many days before today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 36_500)]
    pub before_last_days: Option<u32>,
    /// Today or one of so many days after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 36_500)]
    pub in_next_days: Option<u32>,
    /// Whether there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_null: Option<bool>,
    /// A group instead of a column: all of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion, min_items = 1)]
    pub all: Option<Vec<Self>>,
    /// A group instead of a column: one of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion, min_items = 1)]
    pub any: Option<Vec<Self>>,
}

/// Whether upper and lower case are different.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RuleCase)]
pub enum Case {
    /// They are.
    #[default]
    Exact,
    /// They are not.
    Ignore,
}

impl Case {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
    const fn is_exact(&self) -> bool {
        matches!(self, Self::Exact)
    }
}

/// A text, a number, or true or false.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "must be a text, a number, or true or false")]
#[schema(as = RuleValue)]
pub enum Value {
    /// True or false.
    Truth(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
}

/// A number as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = RuleNumber, value_type = f64)]
pub struct Number(pub serde_json::Number);

/// A day (`2026-01-31`) or a moment (`2026-01-31T18:00:00Z`) as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = RuleDay, examples("2026-01-31"))]
pub struct Day(pub String);
