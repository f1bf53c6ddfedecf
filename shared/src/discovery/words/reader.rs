//! From words to conditions, left to right. What is not understood is told and never guessed.

use super::phrases::{
    Comparison, are_here, comparison, is_beginning, is_break, is_filling, is_joining, is_negation, time,
};
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
        /// Whether it is said with a not.
        is_negated: bool,
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
    let mut reader =
        Reader { place: 0, last_end: 0, pending: Pending::default(), reading: Reading::default() };
    while let Some(rest) = tokens.get(reader.place..).filter(|rest| !rest.is_empty()) {
        match step(rest, vocabulary, reader.pending.negation.is_some()) {
            Some((count, said)) => reader.take(rest, count, said),
            None => reader.pass(rest),
        }
    }
    reader.give_up_negation();
    reader.reading
}

/// What stands before the next thing that is said.
#[derive(Default)]
struct Pending {
    /// The word that takes it away.
    negation: Option<String>,
    /// Whether it is one of two.
    is_alternative: bool,
    /// Whether something that was not understood belongs to it.
    is_spoiled: bool,
    /// Whether it is told from what was said before by a word that begins something new.
    is_new: bool,
}

struct Reader {
    place: usize,
    /// Where the last thing that was understood ended.
    last_end: usize,
    pending: Pending,
    reading: Reading,
}

impl Reader {
    fn tell(&mut self, words: String, why: &str) {
        self.reading.not_understood.push(Misunderstood { words, why: why.to_owned() });
    }

    fn give_up_negation(&mut self) {
        if let Some(word) = self.pending.negation.take() {
            self.tell(word, "says no to nothing that is understood");
            self.pending.is_spoiled = true;
        }
    }

    /// A word that says nothing by itself.
    fn pass(&mut self, rest: &[Token]) {
        let Some(first) = rest.first() else { return };
        let place = self.place;
        self.place += 1;
        if is_negation(first) {
            self.give_up_negation();
            self.pending.negation = Some(first.raw.clone());
        } else if are_here(rest, &["or"]) {
            self.give_up_negation();
            if place != self.last_end || self.reading.said.is_empty() {
                self.tell(first.raw.clone(), "stands behind nothing that is understood");
                self.pending.is_spoiled = true;
            } else {
                self.pending.is_alternative = true;
            }
        } else if is_break(first) {
            self.give_up_negation();
            // What was not understood ends here too.
            self.pending = Pending { is_new: are_here(rest, &["but"]), ..Pending::default() };
        } else if is_filling(first) {
            self.pending.is_new |= is_beginning(first);
        } else {
            let negation = self.pending.negation.take().map(|word| format!("{word} ")).unwrap_or_default();
            self.pending.is_spoiled |= !negation.is_empty() || self.pending.is_alternative;
            self.tell(
                format!("{negation}{}", first.raw),
                "is neither a column, a value, a source nor a comparison",
            );
        }
    }

    /// Something that is said.
    fn take(&mut self, rest: &[Token], count: usize, said: Result<(Said, String), String>) {
        let words = rest.iter().take(count).map(|token| token.raw.as_str()).collect::<Vec<_>>().join(" ");
        let Pending { negation, is_alternative, is_spoiled, is_new } = std::mem::take(&mut self.pending);
        let is_negated = negation.is_some() || rest.iter().take(count).any(is_negation);
        let before = [is_alternative.then(|| "or".to_owned()), negation];
        let words = before.into_iter().flatten().chain([words]).collect::<Vec<_>>().join(" ");
        self.place += count;
        let why = match &said {
            Err(why) => Some(why.clone()),
            Ok(_) if is_spoiled => Some("belongs to something that is not understood".to_owned()),
            Ok((said, _)) => {
                let said_before = &self.reading.said;
                contradiction(said_before, said, is_alternative, is_negated)
                    .or_else(|| behind_a_not(said_before, is_negated || is_new || is_alternative))
            }
        };
        match (said, why) {
            (Ok((said, meaning)), None) => {
                let said = match said {
                    Said::Own { condition, .. } => Said::Own { condition, is_alternative, is_negated },
                    related @ Said::Related { .. } => related,
                };
                let or = if is_alternative { "or " } else { "" };
                self.reading.understood.push(Understood { words, meaning: format!("{or}{meaning}") });
                self.reading.said.push(said);
                self.last_end = self.place;
            }
            (_, why) => {
                self.tell(words, &why.unwrap_or_default());
                self.pending.is_spoiled = false;
            }
        }
    }
}

/// A not reaches nobody knows how far: what comes behind it says for itself whether it is meant.
fn behind_a_not(said: &[Said], is_clear: bool) -> Option<String> {
    let is_behind = match said.last() {
        Some(Said::Own { is_negated, .. }) => *is_negated,
        Some(Said::Related { is_taken_away, .. }) => *is_taken_away,
        None => false,
    };
    (is_behind && !is_clear).then(|| {
        "stands behind a not, which may reach it; say not again, or who or with before it".to_owned()
    })
}

/// Why something cannot be meant together with what was said before it.
fn contradiction(said: &[Said], next: &Said, is_alternative: bool, is_negated: bool) -> Option<String> {
    let Said::Own { condition, .. } = next else {
        let why = "is said of another source, which cannot be an alternative; make two segments";
        return is_alternative.then(|| why.to_owned());
    };
    let column = condition.column.as_deref().unwrap_or_default();
    let of_column = |said: &Condition| said.column == condition.column;
    if is_alternative {
        return match said.last() {
            Some(Said::Own { condition: before, .. }) if !of_column(before) => Some(format!(
                "stands behind an or, and what is before it is not about {column}: it could be meant in several ways; make \
                 two segments, or rules"
            )),
            Some(Said::Own { is_negated: was_negated, .. }) if is_negated || *was_negated => Some(
                "stands in an or with a not, which could be meant in two ways; say not for each, without an or".to_owned(),
            ),
            Some(Said::Own { .. }) => None,
            Some(Said::Related { .. }) | None => {
                Some("stands behind an or, and what is before it is about another source; make two segments".to_owned())
            }
        };
    }
    let is_other_value = |before: &Condition| {
        of_column(before) && before.is.is_some() && condition.is.is_some() && before.is != condition.is
    };
    let has_other =
        said.iter().any(|one| matches!(one, Said::Own { condition, .. } if is_other_value(condition)));
    has_other.then(|| format!("is another value of {column}, and nobody has two; put an or between them"))
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
