//! Parsed conditions: one column and one typed test.

use super::form::{Case, Condition, Number, Value};
use super::refusal::Refusal;
use super::values::{Exact, When};

/// The maximum length of a text to compare with, in characters.
const MAX_TEXT_CHARACTERS: usize = 1_000;
/// The maximum number of values of a list.
const MAX_VALUES: usize = 5_000;
/// The maximum number of days from today: a hundred years.
const MAX_DAYS: u32 = 36_500;

/// Whether a test is positive or negated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
    Is,
    IsNot,
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// The test of a value.
#[derive(Debug, PartialEq)]
pub(super) enum Test<'a> {
    Texts(Sense, Vec<&'a str>),
    Contains(Sense, &'a str),
    StartsWith(&'a str),
    EndsWith(&'a str),
    Numbers(Sense, Vec<Exact>),
    Number(Comparison, Exact),
    NumberBetween(Exact, Exact),
    Truth(Sense, bool),
    When(Comparison, When),
    WhenBetween(When, When),
    WithinLastDays(u32),
    BeforeLastDays(u32),
    InNextDays(u32),
    Null(Sense),
}

/// The kind of value that a test applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Texts.
    Text,
    /// Numbers.
    Number,
    /// Booleans.
    Truth,
    /// Dates and timestamps.
    When,
    /// Any kind.
    Any,
}

impl Test<'_> {
    pub(super) const fn kind(&self) -> ValueKind {
        match self {
            Self::Texts(..) | Self::Contains(..) | Self::StartsWith(_) | Self::EndsWith(_) => ValueKind::Text,
            Self::Numbers(..) | Self::Number(..) | Self::NumberBetween(..) => ValueKind::Number,
            Self::Truth(..) => ValueKind::Truth,
            Self::When(..)
            | Self::WhenBetween(..)
            | Self::WithinLastDays(_)
            | Self::BeforeLastDays(_)
            | Self::InNextDays(_) => ValueKind::When,
            Self::Null(_) => ValueKind::Any,
        }
    }
}

/// Parses the single test of a condition; returns it with the operator's name.
pub(super) fn test(condition: &Condition) -> Result<(&'static str, Test<'_>), Refusal> {
    let mut tests = tests(condition).into_iter();
    let Some((operator, test)) = tests.next() else {
        return Err(Refusal::new(
            "column",
            "needs an operator, such as is, one_of, more_than, before or is_null",
        ));
    };
    if let Some((other, _)) = tests.next() {
        let problem = format!("cannot be combined with {operator}; split them into two conditions");
        return Err(Refusal::new(other, problem));
    }
    let test = test?;
    if condition.case == Case::Ignore && test.kind() != ValueKind::Text {
        return Err(Refusal::new(
            "case",
            format!("applies to texts only, and {operator} does not compare text here"),
        ));
    }
    Ok((operator, test))
}

/// Returns whether the condition has an operator, valid or not.
pub(super) fn has_operator(condition: &Condition) -> bool {
    !tests(condition).is_empty()
}

/// Returns the operators of the condition.
fn tests<'a>(condition: &'a Condition) -> Vec<(&'static str, Result<Test<'a>, Refusal>)> {
    let mut found = Vec::new();
    let mut add = |operator: &'static str, test: Option<Result<Test<'a>, Refusal>>| {
        found.extend(test.map(|test| (operator, test)));
    };
    let number = |operator, comparison, number: &Number| {
        let exact = Exact::read(number).map_err(|problem| Refusal::new(operator, problem))?;
        Ok(Test::Number(comparison, exact))
    };
    let when = |operator, comparison, when: Result<When, String>| {
        let when = when.map_err(|problem| Refusal::new(operator, problem))?;
        Ok(Test::When(comparison, when))
    };
    let days = |operator, days: u32, test: fn(u32) -> Test<'static>| match days {
        0..=MAX_DAYS => Ok(test(days)),
        _ => Err(Refusal::new(operator, format!("must be 0 to {MAX_DAYS} days"))),
    };
    let text = |operator, text| piece(text).map_err(|problem| Refusal::new(operator, problem));
    let Condition { is, is_not, one_of, none_of, contains, not_contains, starts_with, ends_with, .. } =
        condition;
    add("is", is.as_ref().map(|value| equal("is", Sense::Is, value)));
    add("is_not", is_not.as_ref().map(|value| equal("is_not", Sense::IsNot, value)));
    add("one_of", one_of.as_ref().map(|values| among("one_of", Sense::Is, values)));
    add("none_of", none_of.as_ref().map(|values| among("none_of", Sense::IsNot, values)));
    let contain = |operator, sense, value| text(operator, value).map(|text| Test::Contains(sense, text));
    add("contains", contains.as_ref().map(|value| contain("contains", Sense::Is, value)));
    add("not_contains", not_contains.as_ref().map(|value| contain("not_contains", Sense::IsNot, value)));
    add("starts_with", starts_with.as_ref().map(|value| text("starts_with", value).map(Test::StartsWith)));
    add("ends_with", ends_with.as_ref().map(|value| text("ends_with", value).map(Test::EndsWith)));
    for (operator, comparison, value) in [
        ("less_than", Comparison::Less, &condition.less_than),
        ("at_most", Comparison::AtMost, &condition.at_most),
        ("more_than", Comparison::More, &condition.more_than),
        ("at_least", Comparison::AtLeast, &condition.at_least),
    ] {
        add(operator, value.as_ref().map(|value| number(operator, comparison, value)));
    }
    add("between", condition.between.as_ref().map(between));
    let day = condition.on.as_ref().map(When::read_day);
    add("on", day.map(|day| when("on", Comparison::Equal, day)));
    for (operator, comparison, value) in [
        ("before", Comparison::Less, &condition.before),
        ("after", Comparison::More, &condition.after),
        ("on_or_before", Comparison::AtMost, &condition.on_or_before),
        ("on_or_after", Comparison::AtLeast, &condition.on_or_after),
    ] {
        add(operator, value.as_ref().map(|value| when(operator, comparison, When::read(&value.0))));
    }
    let Condition { within_last_days, before_last_days, in_next_days, is_null, .. } = condition;
    add(
        "within_last_days",
        within_last_days.map(|count| days("within_last_days", count, Test::WithinLastDays)),
    );
    add(
        "before_last_days",
        before_last_days.map(|count| days("before_last_days", count, Test::BeforeLastDays)),
    );
    add("in_next_days", in_next_days.map(|count| days("in_next_days", count, Test::InNextDays)));
    let null = |is_null| Test::Null(if is_null { Sense::Is } else { Sense::IsNot });
    add("is_null", is_null.map(|is_null| Ok(null(is_null))));
    found
}

fn equal<'a>(operator: &'static str, sense: Sense, value: &'a Value) -> Result<Test<'a>, Refusal> {
    let refuse = |problem| Refusal::new(operator, problem);
    match value {
        Value::Truth(truth) => Ok(Test::Truth(sense, *truth)),
        Value::Number(number) => Ok(Test::Numbers(sense, vec![Exact::read(number).map_err(refuse)?])),
        Value::Text(value) => Ok(Test::Texts(sense, vec![text(value).map_err(refuse)?])),
    }
}

fn among<'a>(operator: &'static str, sense: Sense, values: &'a [Value]) -> Result<Test<'a>, Refusal> {
    if values.is_empty() || values.len() > MAX_VALUES {
        let problem = format!("must have 1 to {MAX_VALUES} values; it has {}", values.len());
        return Err(Refusal::new(operator, problem));
    }
    let (mut texts, mut numbers) = (Vec::new(), Vec::new());
    for (place, value) in values.iter().enumerate() {
        let refuse = |problem| Refusal::new(format!("{operator}[{place}]"), problem);
        match value {
            Value::Text(value) if numbers.is_empty() => texts.push(text(value).map_err(refuse)?),
            Value::Number(number) if texts.is_empty() => {
                numbers.push(Exact::read(number).map_err(refuse)?);
            }
            Value::Truth(_) => {
                return Err(refuse("must be a text or a number; for true or false use is".to_owned()));
            }
            Value::Text(_) | Value::Number(_) => {
                return Err(refuse(
                    "must have the type of the values before it: all texts (in quotes) or all numbers"
                        .to_owned(),
                ));
            }
        }
    }
    Ok(if texts.is_empty() { Test::Numbers(sense, numbers) } else { Test::Texts(sense, texts) })
}

fn between(bounds: &[Value; 2]) -> Result<Test<'_>, Refusal> {
    let refuse = |problem: String| Refusal::new("between", problem);
    let (test, is_empty) = match bounds {
        [Value::Number(low), Value::Number(high)] => {
            let (low, high) = (Exact::read(low).map_err(refuse)?, Exact::read(high).map_err(refuse)?);
            (Test::NumberBetween(low, high), low.is_above(high))
        }
        [Value::Text(first), Value::Text(last)] => {
            let (first, last) = (When::read(first).map_err(refuse)?, When::read(last).map_err(refuse)?);
            let is_empty = match (first, last) {
                (When::Day(first), When::Day(last)) => first > last,
                (When::Moment(first), When::Moment(last)) => first > last,
                _ => return Err(refuse("must be two days or two timestamps".to_owned())),
            };
            (Test::WhenBetween(first, last), is_empty)
        }
        _ => return Err(refuse("must be two numbers, two days or two timestamps".to_owned())),
    };
    if is_empty { Err(refuse("must have the smaller value first".to_owned())) } else { Ok(test) }
}

/// Parses a text to compare with, which may be empty.
fn text(text: &str) -> Result<&str, String> {
    if text.chars().count() > MAX_TEXT_CHARACTERS {
        return Err(format!("must not be longer than {MAX_TEXT_CHARACTERS} characters"));
    }
    Ok(text)
}

/// Parses a text to search for.
fn piece(piece: &str) -> Result<&str, String> {
    if piece.is_empty() { Err("must not be empty: every text has that".to_owned()) } else { text(piece) }
}
