//! What stands at one place of a description: a value, a column and what is said of it, or rows of another source.

use super::phrases::{Comparison, comparison, is_filling, is_joining, is_negation, time};
use super::reader::Said;
use super::tokens::Token;
use super::vocabulary::{Column, Holds, Related, Vocabulary};
use crate::catalog::rules::{Condition, Day, Value};

/// What stands at a place: how many words, and what they say or why they say nothing.
pub(super) type Step = (usize, Result<(Said, String), String>);

/// What stands here, if anything does.
pub(super) fn step(tokens: &[Token], vocabulary: &Vocabulary, is_negated: bool) -> Option<Step> {
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
    // A text may be called as a word that joins others, and is not meant by it.
    if tokens.first().is_some_and(|first| is_filling(first) || is_negation(first) || is_joining(first)) {
        return None;
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
    (Said::Own { condition, is_alternative: false, is_negated: false }, meaning)
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
    if column.holds == Holds::Days {
        return of_day(words, more, name, is_negated);
    }
    let link = |tokens: &[Token]| {
        let linking = ["is", "are", "was", "of", "in", "equals", "the", "a", "an"];
        tokens
            .iter()
            .take_while(|token| linking.contains(&token.lower().as_str()) && !token.is_quoted)
            .count()
    };
    let linked = link(more);
    let is_equated = more
        .iter()
        .take(linked)
        .any(|token| ["is", "are", "was", "equals"].contains(&token.lower().as_str()));
    let has_not = more.get(linked).is_some_and(is_negation);
    // A not behind the column is the column's own only where something of the column comes behind it.
    let inside = linked + usize::from(has_not);
    let inside = inside + if has_not { link(more.get(inside..).unwrap_or_default()) } else { 0 };
    let rest = more.get(inside..).unwrap_or_default();
    let is_away = is_negated || has_not;
    if is_negated && has_not {
        return (words + inside, Err("is said with two nots; say it with one or none".to_owned()));
    }
    let value = match column.holds {
        Holds::Numbers => {
            comparison(rest).map(|(count, compared)| of_number(count, column, compared, is_away))
        }
        Holds::Truths => rest
            .first()
            .and_then(|token| token.lower().parse::<bool>().ok())
            .map(|truth| (1, Ok(of_truth(name, truth != is_away)))),
        Holds::Texts | Holds::Anything | Holds::Days => {
            let (count, texts) = vocabulary.texts(rest, Some(column));
            let quoted = rest.first().filter(|token| token.is_quoted).map(|token| (1, token.raw.as_str()));
            let text = texts.first().map(|(_, text)| (count, *text)).or(quoted);
            text.map(|(count, text)| (count, Ok(of_text(name, text, is_away))))
        }
    };
    match value {
        Some((count, said)) => (words + inside + count, said),
        None if is_equated => (
            words + linked,
            Err("is followed by no value that is known of it; put the value into quotes".to_owned()),
        ),
        None if column.holds == Holds::Truths => (words, Ok(of_truth(name, !is_negated))),
        None if column.is_yes_or_no() => {
            (words, Err(format!("holds texts such as yes and no; say which one: {name} is …")))
        }
        None => (words, Ok(known(name, is_negated))),
    }
}

fn of_truth(column: &str, truth: bool) -> (Said, String) {
    let condition = Condition { is: Some(Value::Truth(truth)), ..Condition::default() };
    own(column, condition, format!("{column} is {truth}"))
}

/// What is said of a column with days. A time begins with some of the linking words itself.
fn of_day(words: usize, more: &[Token], name: &str, is_negated: bool) -> Step {
    let linking = ["is", "are", "was", "in", "the"];
    let linked = more.iter().take_while(|token| linking.contains(&token.lower().as_str())).count();
    let starts = (0..=linked).filter_map(|skipped| {
        let (count, condition) = time(more.get(skipped..)?)?;
        Some((words + skipped + count, condition))
    });
    match starts.min_by_key(|(count, _)| *count) {
        None => (words, Ok(known(name, is_negated))),
        Some((count, _)) if is_negated => {
            (count, Err("cannot be said with not; say when it was instead".to_owned()))
        }
        Some((count, condition)) => {
            let meaning = format!("{name} {}", time_in_words(&condition));
            (count, Ok(own(name, condition, meaning)))
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
    let day = |word: &str, day: &Option<Day>| day.as_ref().map(|day| format!("{word} {}", day.0));
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
            .and_then(|number| u32::try_from(number.checked_add(more)?).ok())
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
    let when = |day: &Condition| {
        format!(" with {} {}", day.column.as_deref().unwrap_or_default(), time_in_words(day))
    };
    let when = day.as_ref().map(when).unwrap_or_default();
    let not = if is_taken_away { "not " } else { "" };
    let meaning = format!("{not}at least {at_least_rows} rows of {source}{when}");
    (count, Ok((Said::Related { source: related.clone(), day, at_least_rows, is_taken_away }, meaning)))
}
