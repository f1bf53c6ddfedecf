//! A description cut into words.

/// A word, a number, a day, or what stands in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// As it was written.
    pub(super) raw: String,
    /// In small letters and without an ending, so that `orders`, `ordered` and `Order` are one.
    pub(super) stem: String,
    /// Whether it stands in quotes, and is a value and nothing else.
    pub(super) is_quoted: bool,
}

impl Token {
    fn new(raw: String, is_quoted: bool) -> Self {
        Self { stem: stem(&raw), raw, is_quoted }
    }

    /// The number that it is.
    pub(super) fn number(&self) -> Option<serde_json::Number> {
        let is_number = self.raw.starts_with(|first: char| first.is_ascii_digit() || first == '-');
        serde_json::from_str(&self.raw).ok().filter(|_| is_number && !self.is_quoted)
    }

    /// In small letters.
    pub(super) fn lower(&self) -> String {
        self.raw.to_lowercase()
    }
}

/// The words of a text, its numbers, and the marks that part them. A comma with a digit on both sides is part of a number.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    let characters: Vec<char> = text.chars().collect();
    let end = |word: &mut String, found: &mut Vec<Token>| {
        let whole = word.trim_matches(['.', '-', ':', '\'']).to_owned();
        let whole = if is_grouped(&whole) { whole.replace(',', "") } else { whole };
        let is_negative = word.starts_with('-') && whole.starts_with(|first: char| first.is_ascii_digit());
        if !whole.is_empty() {
            found.push(Token::new(if is_negative { format!("-{whole}") } else { whole }, false));
        }
        word.clear();
    };
    for (place, character) in characters.iter().copied().enumerate() {
        if let Some(closing) = quote {
            if character == closing {
                found.push(Token::new(std::mem::take(&mut word), true));
                quote = None;
            } else {
                word.push(character);
            }
            continue;
        }
        match character {
            '"' | '“' | '„' => {
                end(&mut word, &mut found);
                quote = Some(if character == '"' { '"' } else { '”' });
            }
            // A comma is part of a number, whatever the number is.
            ',' if is_in_number(&characters, place) => word.push(character),
            '>' | '<' | '=' | '≥' | '≤' | ',' | ';' | '(' | ')' | '!' | '/' | '%' | '|' => {
                end(&mut word, &mut found);
                found.push(Token::new(character.to_string(), false));
            }
            _ if character.is_alphanumeric() || "_-.:@'&+".contains(character) => word.push(character),
            _ => end(&mut word, &mut found),
        }
    }
    end(&mut word, &mut found);
    found
}

/// Whether a comma has digits on both sides.
fn is_in_number(characters: &[char], place: usize) -> bool {
    let is_digit = |character: Option<&char>| character.is_some_and(char::is_ascii_digit);
    is_digit(place.checked_sub(1).and_then(|before| characters.get(before)))
        && is_digit(characters.get(place + 1))
}

/// Whether the commas part thousands: `1,000`, and not `12,50`.
fn is_grouped(number: &str) -> bool {
    let mut groups = number.split(',');
    let first = groups.next().unwrap_or_default().trim_start_matches('-');
    let is_number = |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    let (mut rest, mut is_one) = (groups.peekable(), true);
    if rest.peek().is_none() || !is_number(first) || first.len() > 3 {
        return false;
    }
    while let Some(group) = rest.next() {
        let digits = if rest.peek().is_none() {
            group.split_once('.').map_or(group, |(whole, _)| whole)
        } else {
            group
        };
        is_one &= digits.len() == 3 && is_number(digits);
    }
    is_one
}

/// A word without the endings that grammar gives it. It need not be one: two words are the same where this is.
pub(super) fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    if let Some(rest) = word.strip_suffix("ies").filter(|rest| rest.len() > 1) {
        return format!("{rest}y");
    }
    let endings = ["ing", "ed", "es", "s", "e"];
    let shorter = endings.iter().find_map(|ending| word.strip_suffix(ending).filter(|rest| rest.len() > 2));
    shorter.unwrap_or(&word).to_owned()
}

/// The words of a name: `lastOrder_date` has three.
pub(super) fn words_of(name: &str) -> Vec<String> {
    let mut spaced = String::new();
    let mut was_small = false;
    for character in name.chars() {
        if character.is_uppercase() && was_small {
            spaced.push(' ');
        }
        was_small = character.is_lowercase() || character.is_ascii_digit();
        spaced.push(if character.is_alphanumeric() { character } else { ' ' });
    }
    spaced.split_whitespace().map(stem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_into_words_numbers_and_quotes() {
        let check = |text: &str, expected: &[&str]| {
            let raw: Vec<String> = tokens(text).into_iter().map(|token| token.raw).collect();
            assert_eq!(raw, expected, "{text}");
        };
        check(
            "Customers in Wien, with 1,000 points.",
            &["Customers", "in", "Wien", ",", "with", "1000", "points"],
        );
        check("in \"Bad Ischl\" or „St. Pölten”", &["in", "Bad Ischl", "or", "St. Pölten"]);
        check("points>=100 since 2026-01-31", &["points", ">", "=", "100", "since", "2026-01-31"]);
        check("O'Fallon's ann@example.com -5.5", &["O'Fallon's", "ann@example.com", "-5.5"]);
        check(" … ", &[]);
        check("1,234,567.5 12,50 1,5 (a)", &["1234567.5", "12,50", "1,5", "(", "a", ")"]);
    }

    #[test]
    fn forms_of_a_word_are_one() {
        let check = |one: &str, other: &str| assert_eq!(stem(one), stem(other));
        check("orders", "ordered");
        check("Purchase", "purchased");
        check("purchases", "purchasing");
        check("cities", "city");
        check("visits", "visit");
        assert_eq!(words_of("lastOrder_date"), ["last", "order", "dat"]);
        assert_eq!(words_of("CUSTOMER ID"), ["customer", "id"]);
    }
}
