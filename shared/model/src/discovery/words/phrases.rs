//! The small words: comparisons, times, and what means nothing.

use super::tokens::Token;
use crate::catalog::rules::{Condition, Day, Number};
use serde_json::Number as Json;

/// The most days that a rule looks back.
const MAX_DAYS: u32 = 36_500;

/// Words that say nothing of whom is meant.
const FILLING: [&str; 44] = [
    "a",
    "all",
    "also",
    "an",
    "and",
    "any",
    "are",
    "be",
    "been",
    "but",
    "customers",
    "customer",
    "do",
    "everybody",
    "everyone",
    "find",
    "for",
    "from",
    "had",
    "has",
    "have",
    "in",
    "is",
    "list",
    "live",
    "lives",
    "living",
    "me",
    "members",
    "my",
    "of",
    "our",
    "people",
    "please",
    "show",
    "the",
    "their",
    "them",
    "those",
    "was",
    "were",
    "which",
    "who",
    "with",
];
/// More of them.
const ALSO_FILLING: [&str; 10] =
    ["whose", "that", "want", "wants", "at", "on", "they", "did", "made", "placed"];
/// What takes the next thing away.
const NEGATIONS: [&str; 9] =
    ["not", "no", "without", "never", "except", "excluding", "isn't", "don't", "didn't"];

pub(super) fn is_filling(token: &Token) -> bool {
    let word = token.lower();
    !token.is_quoted && (FILLING.contains(&word.as_str()) || ALSO_FILLING.contains(&word.as_str()))
}

/// Words that join others: none of them is meant as a value, unless it stands in quotes or behind its column.
const JOINING: [&str; 26] = [
    "or", "more", "less", "fewer", "greater", "higher", "lower", "than", "over", "under", "above", "below",
    "between", "before", "after", "since", "until", "last", "past", "within", "during", "least", "most",
    "up", "to", "by",
];
/// Words behind which something new begins.
const BEGINNING: [&str; 9] = ["with", "who", "whose", "that", "which", "but", "have", "has", "had"];

pub(super) fn is_joining(token: &Token) -> bool {
    !token.is_quoted && JOINING.contains(&token.lower().as_str())
}

pub(super) fn is_beginning(token: &Token) -> bool {
    !token.is_quoted && BEGINNING.contains(&token.lower().as_str())
}

/// Whether what was said before ends here.
pub(super) fn is_break(token: &Token) -> bool {
    !token.is_quoted && [",", ";", "and", "but", "or"].contains(&token.lower().as_str())
}

pub(super) fn is_negation(token: &Token) -> bool {
    !token.is_quoted && NEGATIONS.contains(&token.lower().as_str())
}

/// Whether these words stand here.
pub(super) fn are_here(tokens: &[Token], words: &[&str]) -> bool {
    tokens.len() >= words.len() && words.iter().zip(tokens).all(|(word, token)| token.lower() == *word)
}

/// A comparison with numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Comparison {
    MoreThan(Json),
    AtLeast(Json),
    LessThan(Json),
    AtMost(Json),
    Exactly(Json),
    Between(Json, Json),
}

impl Comparison {
    /// As a condition, without the column.
    pub(super) fn condition(self) -> Condition {
        let condition = Condition::default();
        match self {
            Self::MoreThan(number) => Condition { more_than: Some(Number(number)), ..condition },
            Self::AtLeast(number) => Condition { at_least: Some(Number(number)), ..condition },
            Self::LessThan(number) => Condition { less_than: Some(Number(number)), ..condition },
            Self::AtMost(number) => Condition { at_most: Some(Number(number)), ..condition },
            Self::Exactly(number) => {
                Condition { is: Some(crate::catalog::rules::Value::Number(Number(number))), ..condition }
            }
            Self::Between(low, high) => {
                let value = |number| crate::catalog::rules::Value::Number(Number(number));
                Condition { between: Some([value(low), value(high)]), ..condition }
            }
        }
    }
}

/// Words, and the comparison that they make with a number.
type Words = (&'static [&'static str], fn(Json) -> Comparison);

/// The longer ones before those that they begin with.
const COMPARISONS: [Words; 20] = [
    (&["more", "than"], Comparison::MoreThan),
    (&["greater", "than"], Comparison::MoreThan),
    (&["higher", "than"], Comparison::MoreThan),
    (&["at", "least"], Comparison::AtLeast),
    (&["less", "than"], Comparison::LessThan),
    (&["fewer", "than"], Comparison::LessThan),
    (&["lower", "than"], Comparison::LessThan),
    (&["at", "most"], Comparison::AtMost),
    (&["up", "to"], Comparison::AtMost),
    (&["equal", "to"], Comparison::Exactly),
    (&[">", "="], Comparison::AtLeast),
    (&["<", "="], Comparison::AtMost),
    (&["over"], Comparison::MoreThan),
    (&["above"], Comparison::MoreThan),
    (&[">"], Comparison::MoreThan),
    (&["under"], Comparison::LessThan),
    (&["below"], Comparison::LessThan),
    (&["<"], Comparison::LessThan),
    (&["exactly"], Comparison::Exactly),
    (&["="], Comparison::Exactly),
];

/// The comparison that stands here, and of how many words it is. A number alone is one where that is allowed.
pub(super) fn comparison(tokens: &[Token]) -> Option<(usize, Comparison)> {
    let at = |place: usize| tokens.get(place).and_then(Token::number);
    if are_here(tokens, &["between"])
        && tokens.get(2).is_some_and(|token| token.lower() == "and")
        && let (Some(low), Some(high)) = (at(1), at(3))
    {
        return Some((4, Comparison::Between(low, high)));
    }
    if let Some((words, make)) = COMPARISONS.iter().find(|(words, _)| are_here(tokens, words)) {
        return at(words.len()).map(|number| (words.len() + 1, make(number)));
    }
    let number = at(0)?;
    let rest = tokens.get(1..).unwrap_or_default();
    if are_here(rest, &["or", "more"]) || are_here(rest, &["and", "more"]) {
        return Some((3, Comparison::AtLeast(number)));
    }
    if are_here(rest, &["or", "less"]) || are_here(rest, &["or", "fewer"]) {
        return Some((3, Comparison::AtMost(number)));
    }
    Some((1, Comparison::Exactly(number)))
}

/// The time that stands here as a condition on a day, without the column, and of how many words it is.
pub(super) fn time(tokens: &[Token]) -> Option<(usize, Condition)> {
    let first = tokens.first().map(Token::lower)?;
    let rest = tokens.get(1..).unwrap_or_default();
    let condition = Condition::default();
    match first.as_str() {
        "within" | "in" | "during" | "over" => {
            let (taken, days) = last_days(rest)?;
            Some((taken + 1, Condition { within_last_days: Some(days), ..condition }))
        }
        "last" | "past" => {
            let (taken, days) = last_days(tokens)?;
            Some((taken, Condition { within_last_days: Some(days), ..condition }))
        }
        "today" => Some((1, Condition { within_last_days: Some(0), ..condition })),
        "since" | "from" => day(rest).map(|day| (2, Condition { on_or_after: Some(day), ..condition })),
        "before" | "until" => day(rest).map(|day| (2, Condition { before: Some(day), ..condition })),
        // After a year begins when it is over, which is a day that nobody has said.
        "after" => whole_day(rest).map(|day| (2, Condition { after: Some(day), ..condition })),
        "on" => whole_day(rest).map(|day| (2, Condition { on: Some(day), ..condition })),
        "more" if are_here(tokens, &["more", "than"]) => {
            let (taken, days) = span(tokens.get(2..).unwrap_or_default())?;
            let ago = tokens.get(taken + 2).is_some_and(|token| token.lower() == "ago");
            ago.then_some((taken + 3, Condition { before_last_days: Some(days), ..condition }))
        }
        _ => None,
    }
}

/// `the last 30 days`, `past year`.
fn last_days(tokens: &[Token]) -> Option<(usize, u32)> {
    let article = usize::from(are_here(tokens, &["the"]));
    let rest = tokens.get(article..)?;
    if !are_here(rest, &["last"]) && !are_here(rest, &["past"]) {
        return None;
    }
    let rest = rest.get(1..)?;
    if let Some((taken, days)) = span(rest) {
        return Some((article + 1 + taken, days));
    }
    let unit = unit(rest.first()?)?;
    Some((article + 2, unit))
}

/// `30 days`, `6 months`.
fn span(tokens: &[Token]) -> Option<(usize, u32)> {
    let count = u32::try_from(tokens.first()?.number()?.as_u64()?).ok()?;
    let days = count.checked_mul(unit(tokens.get(1)?)?).filter(|days| *days <= MAX_DAYS)?;
    Some((2, days))
}

/// How many days a unit has; a month has 30 and a year 365.
fn unit(token: &Token) -> Option<u32> {
    match token.lower().trim_end_matches('s') {
        "day" => Some(1),
        "week" => Some(7),
        "month" => Some(30),
        "year" => Some(365),
        _ => None,
    }
}

/// A day, or the first one of a year.
fn day(tokens: &[Token]) -> Option<Day> {
    let raw = &tokens.first()?.raw;
    let is_year = raw.len() == 4 && raw.bytes().all(|byte| byte.is_ascii_digit());
    if is_year { Some(Day(format!("{raw}-01-01"))) } else { whole_day(tokens) }
}

fn whole_day(tokens: &[Token]) -> Option<Day> {
    let raw = &tokens.first()?.raw;
    raw.parse::<jiff::civil::Date>().ok().filter(|_| raw.len() == 10).map(|_| Day(raw.clone()))
}
