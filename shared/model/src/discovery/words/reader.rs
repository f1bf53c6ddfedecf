//! From words to conditions, left to right. What is not understood is told and never guessed.

use super::phrases::{are_here, is_beginning, is_break, is_filling, is_negation};
use super::steps::step;
use super::tokens::Token;
use super::vocabulary::{Related, Vocabulary};
use super::{Misunderstood, Understood};
use crate::catalog::rules::Condition;

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
