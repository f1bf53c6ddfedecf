//! What is known of a person from the rows of another source.

use crate::SourceId;
use crate::catalog::rules::quoted_name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest time that is looked back, in days: a hundred years.
const MAX_DAYS: u32 = 36_500;
/// The longest name of a column, in characters.
const MAX_NAME_CHARACTERS: usize = 200;

/// A figure of each person, made of the rows of another source that are theirs: orders, visits, complaints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// What it is called: a column beside the people's own.
    #[schema(max_length = 200, examples("orders_90_days"))]
    pub name: String,
    /// The source whose rows are counted.
    #[schema(value_type = String)]
    pub source: SourceId,
    /// The column of that source that holds the customer id.
    pub member_key: String,
    /// What is made of the rows.
    pub function: MeasureFunction,
    /// The column that is added up or averaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The column with a row's day: for `latest`, and for `within_last_days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// Only rows of today or so many days before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 36_500)]
    pub within_last_days: Option<u32>,
}

/// What is made of a person's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeasureFunction {
    /// How many there are; none is 0.
    Count,
    /// A column's sum; of none it is 0.
    Sum,
    /// A column's average; of none there is none.
    Average,
    /// The latest day; of none there is none.
    Latest,
}

impl Measure {
    /// Checks what the types cannot say: the field's name and the problem.
    pub(super) fn validate(&self) -> Result<(), (&'static str, String)> {
        let names = [
            ("name", Some(&self.name)),
            ("member_key", Some(&self.member_key)),
            ("column", self.column.as_ref()),
            ("day", self.day.as_ref()),
        ];
        for (field, name) in names {
            let Some(name) = name else { continue };
            if name.trim().is_empty() || name.contains(char::is_control) {
                return Err((field, "must not be empty and must not have control characters".to_owned()));
            }
            if name.chars().count() > MAX_NAME_CHARACTERS {
                return Err((field, format!("must not be longer than {MAX_NAME_CHARACTERS} characters")));
            }
        }
        let needs_column = matches!(self.function, MeasureFunction::Sum | MeasureFunction::Average);
        if needs_column != self.column.is_some() {
            let problem = "belongs to the functions sum and average, which need it";
            return Err(("column", problem.to_owned()));
        }
        if self.day.is_none() && (self.function == MeasureFunction::Latest || self.within_last_days.is_some())
        {
            let problem =
                "is missing: the function latest and within_last_days need the column with a row's day";
            return Err(("day", problem.to_owned()));
        }
        if self.within_last_days.is_some_and(|days| days > MAX_DAYS) {
            return Err(("within_last_days", format!("must be 0 to {MAX_DAYS} days")));
        }
        Ok(())
    }

    /// One row a person, with the columns `key` and `value`.
    pub(super) fn query(&self) -> String {
        let column = |name: &Option<String>| quoted_name(name.as_deref().unwrap_or_default());
        let key = format!("CAST({} AS VARCHAR)", quoted_name(&self.member_key));
        let number = || format!("TRY_CAST({} AS DOUBLE)", column(&self.column));
        let day = || format!("TRY_CAST({} AS DATE)", column(&self.day));
        let value = match self.function {
            MeasureFunction::Count => "count(*)".to_owned(),
            MeasureFunction::Sum => format!("sum({})", number()),
            MeasureFunction::Average => format!("avg({})", number()),
            MeasureFunction::Latest => format!("max({})", day()),
        };
        let within = self
            .within_last_days
            .map(|days| format!(" WHERE {} BETWEEN CURRENT_DATE - {days} AND CURRENT_DATE", day()));
        let source = quoted_name(self.source.as_str());
        let within = within.unwrap_or_default();
        format!("SELECT {key} AS \"key\", {value} AS \"value\" FROM {source}{within} GROUP BY {key}")
    }

    /// What whoever has no row has.
    pub(super) fn of_none(&self, value: &str) -> String {
        match self.function {
            MeasureFunction::Count | MeasureFunction::Sum => format!("COALESCE({value}, 0)"),
            MeasureFunction::Average | MeasureFunction::Latest => value.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn measure(fields: &Value) -> Measure {
        let mut document = json!({ "name": "orders", "source": "bought", "member_key": "customer" });
        for (field, value) in fields.as_object().unwrap() {
            document[field] = value.clone();
        }
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn measures_need_what_their_function_needs() {
        let check = |fields: Value, field: Option<&str>| {
            let found = measure(&fields).validate();
            assert_eq!(found.as_ref().err().map(|(field, _)| *field), field, "{fields}");
        };
        check(json!({ "function": "count" }), None);
        check(json!({ "function": "count", "within_last_days": 30 }), Some("day"));
        check(json!({ "function": "count", "within_last_days": 30, "day": "at" }), None);
        check(
            json!({ "function": "count", "within_last_days": 36_501, "day": "at" }),
            Some("within_last_days"),
        );
        check(json!({ "function": "count", "column": "total" }), Some("column"));
        check(json!({ "function": "sum" }), Some("column"));
        check(json!({ "function": "average", "column": "total" }), None);
        check(json!({ "function": "latest" }), Some("day"));
        check(json!({ "function": "latest", "day": "at" }), None);
        check(json!({ "function": "count", "name": " " }), Some("name"));
        check(json!({ "function": "count", "member_key": "a\u{0}" }), Some("member_key"));
    }

    #[test]
    fn names_and_nothing_else_stand_in_the_query() {
        let measure = measure(&json!({
            "function": "sum", "column": "to\"tal", "day": "at", "within_last_days": 30, "member_key": "cu'st",
        }));
        assert_eq!(
            measure.query(),
            "SELECT CAST(\"cu'st\" AS VARCHAR) AS \"key\", sum(TRY_CAST(\"to\"\"tal\" AS DOUBLE)) AS \"value\" FROM \
             \"bought\" WHERE TRY_CAST(\"at\" AS DATE) BETWEEN CURRENT_DATE - 30 AND CURRENT_DATE GROUP BY \
             CAST(\"cu'st\" AS VARCHAR)"
        );
    }
}
