//! The words of a `$filter`.

use super::errors::{self, ApiError};
use std::iter::Peekable;
use std::str::Chars;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A column, an operator, a function, an alias, or a value without quotes.
    Name(String),
    /// A text in quotes.
    Text(String),
    /// Texts in brackets.
    Texts(Vec<String>),
    Open,
    Close,
    Comma,
    Is,
}

/// Splits a filter into its words.
pub(super) fn words(text: &str) -> Result<Vec<Word>, ApiError> {
    let mut characters = text.chars().peekable();
    let mut words = Vec::new();
    while let Some(character) = characters.peek().copied() {
        let word = match character {
            ' ' => {
                characters.next();
                continue;
            }
            '(' => Word::Open,
            ')' => Word::Close,
            ',' => Word::Comma,
            '=' => Word::Is,
            '\'' => {
                words.push(Word::Text(quoted(&mut characters)?));
                continue;
            }
            '[' => {
                words.push(Word::Texts(texts(&mut characters)?));
                continue;
            }
            _ => {
                words.push(Word::Name(name(&mut characters)?));
                continue;
            }
        };
        characters.next();
        words.push(word);
    }
    Ok(words)
}

fn name(characters: &mut Peekable<Chars<'_>>) -> Result<String, ApiError> {
    let mut name = String::new();
    let belongs = |next: &char| next.is_alphanumeric() || "_.@/-:".contains(*next);
    while let Some(character) = characters.next_if(belongs) {
        name.push(character);
    }
    if name.is_empty() { Err(errors::invalid_query("Syntax error in the query filter.")) } else { Ok(name) }
}

/// A text between two of its first character, which stands for itself when it is doubled.
fn quoted(characters: &mut Peekable<Chars<'_>>) -> Result<String, ApiError> {
    let quote = characters.next();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        let is_end = Some(character) == quote && characters.next_if(|next| Some(*next) == quote).is_none();
        if is_end {
            return Ok(text);
        }
        text.push(character);
    }
    Err(errors::invalid_query("There is an unterminated string literal in the query filter."))
}

fn texts(characters: &mut Peekable<Chars<'_>>) -> Result<Vec<String>, ApiError> {
    let mut texts = Vec::new();
    characters.next();
    loop {
        while characters.next_if(|next| *next == ' ' || *next == ',').is_some() {}
        match characters.peek() {
            Some(']') => {
                characters.next();
                return Ok(texts);
            }
            Some('"' | '\'') => texts.push(quoted(characters)?),
            _ => return Err(errors::invalid_query("A collection in the query filter cannot be read.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&[Word]>) {
        assert_eq!(words(text).ok().as_deref(), expected, "{text}");
    }

    #[test]
    fn words_of_filters() {
        let name = |text: &str| Word::Name(text.to_owned());
        let text = |text: &str| Word::Text(text.to_owned());
        check("a eq 'O''Neil'", Some(&[name("a"), name("eq"), text("O'Neil")]));
        check("(a)", Some(&[Word::Open, name("a"), Word::Close]));
        check("f(P=@p1)", Some(&[name("f"), Word::Open, name("P"), Word::Is, name("@p1"), Word::Close]));
        check("[\"a\",'b']", Some(&[Word::Texts(vec!["a".to_owned(), "b".to_owned()])]));
        check("[]", Some(&[Word::Texts(Vec::new())]));
        check("'open", None);
        check("[\"a\"", None);
        check("a ; b", None);
    }
}
