//! What a description can be about: the columns, the texts in them, and the sources beside.

use super::super::feature::FeatureKind;
use super::super::sample::Sample;
use super::tokens::{Token, tokens, words_of};
use crate::SourceId;

/// What can be spoken of.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    columns: Vec<Column>,
    related: Vec<Related>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Texts,
    Truths,
    Numbers,
    Days,
    /// Texts of which there are too many to know them.
    Anything,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) holds: Holds,
    words: Vec<String>,
    /// Each text and its words.
    texts: Vec<(String, Vec<String>)>,
}

/// A source whose rows are a person's.
#[derive(Clone, Debug)]
pub(super) struct Related {
    pub(super) source: SourceId,
    words: Vec<String>,
    pub(super) days: Vec<String>,
}

impl Column {
    /// Whether it holds yes and no as texts, so that its name alone says nothing.
    pub(super) fn is_yes_or_no(&self) -> bool {
        let words = ["true", "false", "yes", "no", "y", "n", "t", "f", "0", "1", "on", "off"];
        !self.texts.is_empty()
            && self.texts.iter().all(|(text, _)| words.contains(&text.to_lowercase().as_str()))
    }
}

impl Vocabulary {
    /// The columns of the main source as a sample has them, and the names of all.
    #[must_use]
    pub fn of(sample: &Sample, all: &[String]) -> Self {
        let column = |name: &String| {
            let kind = sample.features.iter().find(|feature| feature.column == *name).map(|one| &one.kind);
            let (holds, texts) = match kind {
                None => (Holds::Anything, Vec::new()),
                Some(FeatureKind::Texts(texts)) => {
                    (Holds::Texts, texts.iter().map(|text| (text.clone(), lowered(text))).collect())
                }
                Some(FeatureKind::Truths(_)) => (Holds::Truths, Vec::new()),
                Some(FeatureKind::Numbers(_)) => (Holds::Numbers, Vec::new()),
                Some(FeatureKind::Days(_)) => (Holds::Days, Vec::new()),
            };
            Column { name: name.clone(), holds, words: words_of(name), texts }
        };
        Self { columns: all.iter().map(column).collect(), related: Vec::new() }
    }

    /// The same with a source beside, whose rows have these columns with days.
    #[must_use]
    pub fn with_related(mut self, source: SourceId, days: Vec<String>) -> Self {
        let words = words_of(source.as_str());
        self.related.push(Related { source, words, days });
        self
    }

    /// The column that is named here, and by how many words: the longest name.
    pub(super) fn column(&self, tokens: &[Token]) -> Option<(usize, &Column)> {
        let named = self.columns.iter();
        let named = named.filter_map(|column| Some((named_by(tokens, &column.name, &column.words)?, column)));
        named.max_by_key(|(words, _)| *words)
    }

    /// The source beside that is named here.
    pub(super) fn related(&self, tokens: &[Token]) -> Option<(usize, &Related)> {
        let named = self.related.iter();
        let named = named.filter_map(|related| {
            Some((named_by(tokens, related.source.as_str(), &related.words)?, related))
        });
        named.max_by_key(|(words, _)| *words)
    }

    /// The texts that stand here, of so many words: the longest, in each column that has it; of one column where it is
    /// given.
    pub(super) fn texts(&self, tokens: &[Token], of: Option<&Column>) -> (usize, Vec<(&str, &str)>) {
        let columns = self.columns.iter().filter(|column| of.is_none_or(|of| of.name == column.name));
        let mut longest = 0;
        let mut found: Vec<(&str, &str)> = Vec::new();
        for column in columns {
            for (text, words) in &column.texts {
                let Some(taken) = stands_here(tokens, text, words).filter(|taken| *taken >= longest) else {
                    continue;
                };
                if taken > longest {
                    found.clear();
                    longest = taken;
                }
                found.push((&column.name, text));
            }
        }
        (longest, found)
    }
}

/// Whether the sources of a catalog are spoken of: their names stand in a description.
#[must_use]
pub fn is_spoken_of(source: &SourceId, description: &str) -> bool {
    let (tokens, words) = (tokens(description), words_of(source.as_str()));
    let here = |place: usize| named_by(tokens.get(place..).unwrap_or_default(), source.as_str(), &words);
    (0..tokens.len()).any(|place| here(place).is_some())
}

fn lowered(text: &str) -> Vec<String> {
    tokens(text).iter().map(Token::lower).collect()
}

/// By how many words a name stands here: as it is written, or as people say it.
fn named_by(tokens: &[Token], name: &str, words: &[String]) -> Option<usize> {
    let is_written =
        tokens.first().is_some_and(|first| !first.is_quoted && first.lower() == name.to_lowercase());
    if is_written { Some(1) } else { begins_with(tokens, words).then_some(words.len()) }
}

fn begins_with(tokens: &[Token], words: &[String]) -> bool {
    let has = |(word, token): (&String, &Token)| *word == token.stem && !token.is_quoted;
    !words.is_empty() && tokens.len() >= words.len() && words.iter().zip(tokens).all(has)
}

fn stands_here(tokens: &[Token], text: &str, words: &[String]) -> Option<usize> {
    let first = tokens.first()?;
    if first.is_quoted {
        return (first.lower() == text.to_lowercase()).then_some(1);
    }
    let is_here = !words.is_empty()
        && tokens.len() >= words.len()
        && words.iter().zip(tokens).all(|(word, token)| *word == token.lower() && !token.is_quoted);
    is_here.then_some(words.len())
}
