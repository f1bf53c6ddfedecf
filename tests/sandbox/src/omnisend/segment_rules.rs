//! The conditions of a segment: groups of which one has to hold, each of conditions that all have to hold.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/post_segments>. What is evaluated are filters on tags and on
//! the status of the e-mail channel; a segment with any other filter is refused, so that none is quietly wrong.

use super::contact::{Contact, Status};
use super::errors::FieldError;
use super::tags::Names;
use serde_json::Value;

#[derive(Clone, Debug)]
pub(super) struct Rule(Vec<Vec<Condition>>);

#[derive(Clone, Debug)]
struct Condition {
    junction: Junction,
    filters: Vec<Filter>,
}

#[derive(Clone, Copy, Debug)]
enum Junction {
    And,
    Or,
}

#[derive(Clone, Debug)]
enum Filter {
    AnyTag(Vec<String>),
    NoTag(Vec<String>),
    EmailStatus(Status),
}

impl Rule {
    pub(super) fn read(groups: &Value) -> Result<Self, FieldError> {
        let groups = array(groups, "conditionGroups")?;
        let groups = groups.iter().enumerate().map(|(group, value)| {
            let path = format!("conditionGroups.{group}.conditions");
            let conditions = array(value.get("conditions").unwrap_or(&Value::Null), &path)?;
            let conditions = conditions.iter().enumerate();
            conditions.map(|(number, value)| condition(&format!("{path}.{number}"), value)).collect()
        });
        Ok(Self(groups.collect::<Result<_, _>>()?))
    }

    /// The rule with the numbers of its tags looked up.
    pub(super) fn matcher<'a>(&'a self, names: &Names) -> Matcher<'a> {
        let filters = self.0.iter().flatten().flat_map(|condition| &condition.filters);
        let tags = filters.map(|filter| match filter {
            Filter::AnyTag(tags) | Filter::NoTag(tags) => {
                tags.iter().filter_map(|tag| names.find(tag)).collect()
            }
            Filter::EmailStatus(_) => Vec::new(),
        });
        Matcher { rule: self, tags: tags.collect() }
    }
}

/// A rule that can be held against contacts.
pub(super) struct Matcher<'a> {
    rule: &'a Rule,
    /// The tags of each filter, in the order in which the rule has them.
    tags: Vec<Vec<u32>>,
}

impl Matcher<'_> {
    pub(super) fn matches(&self, contact: &Contact) -> bool {
        let mut tags = self.tags.iter();
        let mut is_match = false;
        for group in &self.rule.0 {
            let mut holds = true;
            for condition in group {
                // Every filter is looked at, so that the tags stay in step.
                let results: Vec<bool> = condition
                    .filters
                    .iter()
                    .map(|filter| {
                        let tags = tags.next().map_or(&[][..], Vec::as_slice);
                        let has_any = || tags.iter().any(|tag| contact.has_tag(*tag));
                        match filter {
                            Filter::AnyTag(_) => has_any(),
                            Filter::NoTag(_) => !has_any(),
                            Filter::EmailStatus(status) => {
                                contact.email.is_some() && contact.email_channel.status == *status
                            }
                        }
                    })
                    .collect();
                holds &= match condition.junction {
                    Junction::And => results.iter().all(|result| *result),
                    Junction::Or => results.iter().any(|result| *result),
                };
            }
            is_match |= holds;
        }
        is_match
    }
}

fn array<'a>(value: &'a Value, path: &str) -> Result<&'a Vec<Value>, FieldError> {
    match value {
        Value::Array(values) if !values.is_empty() => Ok(values),
        _ => Err(FieldError::new(path, "required", "Must be an array with at least one item")),
    }
}

fn condition(path: &str, value: &Value) -> Result<Condition, FieldError> {
    if value.get("entity").and_then(Value::as_str) != Some("contact") {
        let message = "This server evaluates conditions on contacts only";
        return Err(FieldError::new(format!("{path}.entity"), "invalid_value", message));
    }
    let junction = match value.get("junction").and_then(Value::as_str) {
        Some("and") => Junction::And,
        Some("or") => Junction::Or,
        _ => return Err(FieldError::new(format!("{path}.junction"), "invalid_value", "Must be and or or")),
    };
    let path = format!("{path}.filters");
    let filters = array(value.get("filters").unwrap_or(&Value::Null), &path)?;
    let filters =
        filters.iter().enumerate().map(|(number, value)| filter(&format!("{path}.{number}"), value));
    Ok(Condition { junction, filters: filters.collect::<Result<_, _>>()? })
}

fn filter(path: &str, value: &Value) -> Result<Filter, FieldError> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let sent = value.get("value").unwrap_or(&Value::Null);
    match (text("property"), text("operator")) {
        (Some("tags"), Some(operator @ ("anyOf" | "noneOf"))) => {
            let path = format!("{path}.value");
            let tags: Option<Vec<String>> =
                array(sent, &path)?.iter().map(|tag| tag.as_str().map(str::to_owned)).collect();
            let tags = tags.ok_or_else(|| FieldError::new(path, "invalid_type", "Must be strings"))?;
            Ok(if operator == "anyOf" { Filter::AnyTag(tags) } else { Filter::NoTag(tags) })
        }
        (Some("subscriptionStatus"), Some("equals")) => {
            let channels = value.get("channels").and_then(Value::as_array);
            let is_email = channels.is_some_and(|channels| channels.iter().all(|name| name == "email"));
            let status = Status::WORDS.iter().find(|(name, _)| sent == name).map(|(_, status)| *status);
            let filter = status.filter(|_| is_email).map(Filter::EmailStatus);
            filter.ok_or_else(|| FieldError::new(path, "invalid_value", "Unknown status or channel"))
        }
        _ => {
            let message = "This server evaluates tags (anyOf, noneOf) and subscriptionStatus (equals) only";
            Err(FieldError::new(format!("{path}.property"), "invalid_value", message))
        }
    }
}
