//! From words to conditions, left to right. What is not understood is told and never guessed.

use super::phrases::{Comparison, are_here, comparison, is_filling, is_negation, time};
use super::tokens::Token;
use super::vocabulary::{Column, Holds, Related, Vocabulary};
use super::{Misunderstood, Understood};
use crate::catalog::rules::{Condition, Value};

/// Something that was said.
#[derive(Clone, Debug)]
pub(super) enum Said {
    /// Of the person.
    Own {
        condition: Condition,
        /// Whether it is said as one of two: the one before it, or this.
        is_alternative: bool,
    },
    /// Of rows that are the person's in another source.
    Related { source: Related, day: Option<Condition>, at_least_rows: u32, is_taken_away: bool },
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) said: Vec<Said>,
    pub(super) understood: Vec<Understood>,
    pub(super) not_understood: Vec<Misunderstood>,
}

/// What stands at a place: how many words, and what they say or why they say nothing.
type Step = (usize, Result<(Said, String), String>);

/// Reads all words.
pub(super) fn read(tokens: &[Token], vocabulary: &Vocabulary) -> Reading {
    let mut reading = Reading::default();
    let (mut place, mut is_negated, mut is_alternative) = (0, false, false);
    while let Some(rest) = tokens.get(place..).filter(|rest| !rest.is_empty()) {
        let words = |count: usize| {
            rest.iter().take(count).map(|token| token.raw.as_str()).collect::<Vec<_>>().join(" ")
        };
        if let Some((count, step)) = step(rest, vocabulary, is_negated) {
            match step {
                Ok((Said::Related { .. }, _)) if is_alternative => {
                    let why = "what is said of another source cannot be an alternative; make two segments"
                        .to_owned();
                    reading.not_understood.push(Misunderstood { words: format!("or {}", words(count)), why });
                }
                Ok((said, meaning)) => {
                    let said = match said {
                        Said::Own { condition, .. } => Said::Own { condition, is_alternative },
                        related @ Said::Related { .. } => related,
                    };
                    let not = if is_negated { "not " } else { "" };
                    reading.understood.push(Understood { words: format!("{not}{}", words(count)), meaning });
                    reading.said.push(said);
                }
                Err(why) => reading.not_understood.push(Misunderstood { words: words(count), why }),
            }
            (is_negated, is_alternative) = (false, false);
            place += count;
        } else {
            let Some(first) = rest.first() else { break };
            if is_negation(first) {
                is_negated = true;
            } else if are_here(rest, &["or"]) {
                is_alternative = !reading.said.is_empty();
            } else if !is_filling(first) {
                let why = "is neither a column, a value, a source nor a comparison".to_owned();
                reading.not_understood.push(Misunderstood { words: words(1), why });
                is_negated = false;
            }
            place += 1;
        }
    }
    reading
}

/// What stands here, if anything does.
fn step(tokens: &[Token], vocabulary: &Vocabulary, is_negated: bool) -> Option<Step> {
    if let Some((count, compared)) = comparison(tokens) {
        let rest = skip_of(tokens.get(count..)?);
        let before = tokens.len() - rest.len();
        if let Some((words, related)) = vocabulary.related(rest) {
            let more = rest.get(words..).unwrap_or_default();
            return Some(of_related(before + words, more, related, Some(&compared), is_negated));
        }
        if let Some((words, column)) = vocabulary.column(rest) {
            return Some(of_number(before + words, column, compared, is_negated));
        }
    }
    if let Some((words, column)) = vocabulary.column(tokens) {
        return Some(of_column(
            words,
            tokens.get(words..).unwrap_or_default(),
            column,
            vocabulary,
            is_negated,
        ));
    }
    if let Some((words, related)) = vocabulary.related(tokens) {
        let more = tokens.get(words..).unwrap_or_default();
        return Some(of_related(words, more, related, None, is_negated));
    }
    let (count, texts) = vocabulary.texts(tokens, None);
    match texts.as_slice() {
        [] => None,
        [(column, text)] => Some((count, Ok(of_text(column, text, is_negated)))),
        several => {
            let columns: Vec<&str> = several.iter().map(|(column, _)| *column).collect();
            let why = format!("is a value of {}; say which column is meant", columns.join(" and of "));
            Some((count, Err(why)))
        }
    }
}

fn skip_of(tokens: &[Token]) -> &[Token] {
    let skipped =
        tokens.iter().take_while(|token| ["of", "in", "the"].contains(&token.lower().as_str())).count();
    tokens.get(skipped..).unwrap_or_default()
}

fn own(column: &str, condition: Condition, meaning: String) -> (Said, String) {
    let condition = Condition { column: Some(column.to_owned()), ..condition };
    (Said::Own { condition, is_alternative: false }, meaning)
}

fn of_text(column: &str, text: &str, is_negated: bool) -> (Said, String) {
    let value = Some(Value::Text(text.to_owned()));
    if is_negated {
        own(column, Condition { is_not: value, ..Condition::default() }, format!("{column} is not {text}"))
    } else {
        own(column, Condition { is: value, ..Condition::default() }, format!("{column} is {text}"))
    }
}

/// A comparison the other way round.
fn opposite(compared: Comparison) -> Result<Comparison, String> {
    Ok(match compared {
        Comparison::MoreThan(number) => Comparison::AtMost(number),
        Comparison::AtLeast(number) => Comparison::LessThan(number),
        Comparison::LessThan(number) => Comparison::AtLeast(number),
        Comparison::AtMost(number) => Comparison::MoreThan(number),
        Comparison::Exactly(_) | Comparison::Between(..) => {
            return Err("cannot be said with not; say what it is instead".to_owned());
        }
    })
}

fn of_number(count: usize, column: &Column, compared: Comparison, is_negated: bool) -> Step {
    if column.holds != Holds::Numbers {
        return (count, Err(format!("compares {} with a number, and it holds none", column.name)));
    }
    let compared = if is_negated { opposite(compared) } else { Ok(compared) };
    let said = compared.map(|compared| {
        let meaning = format!("{} {}", column.name, in_words(&compared));
        own(&column.name, compared.condition(), meaning)
    });
    (count, said)
}

fn in_words(compared: &Comparison) -> String {
    match compared {
        Comparison::MoreThan(number) => format!("more than {number}"),
        Comparison::AtLeast(number) => format!("at least {number}"),
        Comparison::LessThan(number) => format!("less than {number}"),
        Comparison::AtMost(number) => format!("at most {number}"),
        Comparison::Exactly(number) => format!("is {number}"),
        Comparison::Between(low, high) => format!("from {low} to {high}"),
    }
}

/// What is said of a column whose name has been read.
fn of_column(
    words: usize,
    more: &[Token],
    column: &Column,
    vocabulary: &Vocabulary,
    is_negated: bool,
) -> Step {
    let name = column.name.as_str();
    let linking = ["is", "are", "was", "of", "in", "equals", "the", "a", "an"];
    let linked = more.iter().take_while(|token| linking.contains(&token.lower().as_str())).count();
    let negated_inside = more.get(linked).is_some_and(is_negation);
    let is_negated = is_negated || negated_inside;
    let skipped = linked + usize::from(negated_inside);
    // A time begins with some of the linking words itself.
    if column.holds == Holds::Days {
        let starts = (0..=skipped).filter_map(|skipped| {
            let (count, condition) = time(more.get(skipped..)?)?;
            Some((words + skipped + count, condition))
        });
        let Some((count, condition)) = starts.min_by_key(|(count, _)| *count) else {
            return (words, Ok(known(name, is_negated)));
        };
        if is_negated {
            return (count, Err("cannot be said with not; say when it was instead".to_owned()));
        }
        return (count, Ok(own(name, condition.clone(), format!("{name} {}", time_in_words(&condition)))));
    }
    let rest = more.get(skipped..).unwrap_or_default();
    match column.holds {
        Holds::Numbers => match comparison(rest) {
            Some((count, compared)) => of_number(words + skipped + count, column, compared, is_negated),
            None => (words, Ok(known(name, is_negated))),
        },
        Holds::Truths => {
            let is_false = rest.first().is_some_and(|token| token.lower() == "false");
            let is_said = is_false || rest.first().is_some_and(|token| token.lower() == "true");
            let truth = is_false == is_negated;
            let condition = Condition { is: Some(Value::Truth(truth)), ..Condition::default() };
            let count =
                if is_said { words + skipped + 1 } else { words + usize::from(negated_inside) * skipped };
            (count, Ok(own(name, condition, format!("{name} is {truth}"))))
        }
        Holds::Texts | Holds::Anything | Holds::Days => {
            let (count, texts) = vocabulary.texts(rest, Some(column));
            if let Some((_, text)) = texts.first() {
                return (words + skipped + count, Ok(of_text(name, text, is_negated)));
            }
            if let Some(value) = rest.first().filter(|token| token.is_quoted) {
                return (words + skipped + 1, Ok(of_text(name, &value.raw, is_negated)));
            }
            (words, Ok(known(name, is_negated)))
        }
    }
}

/// That there is a value, or none.
fn known(column: &str, is_negated: bool) -> (Said, String) {
    let with = if is_negated { "without" } else { "with" };
    let condition = Condition { is_null: Some(is_negated), ..Condition::default() };
    own(column, condition, format!("{with} a value of {column}"))
}

fn time_in_words(condition: &Condition) -> String {
    let day = |word: &str, day: &Option<crate::catalog::rules::Day>| {
        day.as_ref().map(|day| format!("{word} {}", day.0))
    };
    let days = |word: &str, days: Option<u32>, unit: &str| days.map(|days| format!("{word} {days} {unit}"));
    days("within the last", condition.within_last_days, "days")
        .or_else(|| days("more than", condition.before_last_days, "days ago"))
        .or_else(|| day("on or after", &condition.on_or_after))
        .or_else(|| day("before", &condition.before))
        .or_else(|| day("after", &condition.after))
        .or_else(|| day("on", &condition.on))
        .unwrap_or_default()
}

/// What is said of another source whose name has been read.
fn of_related(
    words: usize,
    more: &[Token],
    related: &Related,
    compared: Option<&Comparison>,
    is_negated: bool,
) -> Step {
    let source = related.source.as_str();
    let (count, time) = time(more).map_or((words, None), |(count, time)| (words + count, Some(time)));
    let day = match (time, related.days.as_slice()) {
        (None, _) => None,
        (Some(time), [day]) => Some(Condition { column: Some(day.clone()), ..time }),
        (Some(_), []) => return (count, Err(format!("says when, and {source} has no column with days"))),
        (Some(_), days) => {
            let why = format!("says when, and {source} has several columns with days: {}", days.join(", "));
            return (count, Err(why));
        }
    };
    let rows = |number: &serde_json::Number, more: u64| {
        number
            .as_u64()
            .and_then(|number| u32::try_from(number + more).ok())
            .filter(|rows| (1..=1_000_000).contains(rows))
    };
    let (at_least_rows, is_fewer) = match compared {
        None => (Some(1), false),
        Some(Comparison::AtLeast(number) | Comparison::Exactly(number)) => (rows(number, 0), false),
        Some(Comparison::MoreThan(number)) => (rows(number, 1), false),
        Some(Comparison::LessThan(number)) => (rows(number, 0), true),
        Some(Comparison::AtMost(number)) => (rows(number, 1), true),
        Some(Comparison::Between(..)) => (None, false),
    };
    let is_exact = matches!(compared, Some(Comparison::Exactly(_)));
    let Some(at_least_rows) = at_least_rows.filter(|_| !is_exact) else {
        let why =
            format!("rows of {source} can be counted as at least, more than, at most or less than so many");
        return (count, Err(why));
    };
    let is_taken_away = is_negated != is_fewer;
    let when = day.as_ref().map(|day| format!(" {}", time_in_words(day))).unwrap_or_default();
    let not = if is_taken_away { "not " } else { "" };
    let meaning = format!("{not}at least {at_least_rows} rows of {source}{when}");
    (count, Ok((Said::Related { source: related.clone(), day, at_least_rows, is_taken_away }, meaning)))
}
