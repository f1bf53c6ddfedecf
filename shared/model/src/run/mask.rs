//! Masks values for people who need not know the person: enough to check a mapping, and nothing that
//! identifies the value.
//!
//! A text keeps its first letter, an e-mail address the first letters of both parts and the top-level
//! domain, numbers and times their shape. The length of a text is hidden. A digest would not protect it
//! from guessing.

use crate::FieldValue;

/// The replacement for hidden characters.
const HIDDEN: &str = "***";
/// The maximum length of a shape; a longer one is no more informative.
const LONGEST_SHAPE: usize = 32;
/// The maximum length of a top-level domain such as `museum`; longer endings are treated as words.
const LONGEST_ENDING: usize = 6;

/// Masks a text.
#[must_use]
pub fn mask_text(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    if let Some((local, domain)) = text.rsplit_once('@')
        && !local.is_empty()
        && !text.contains(char::is_whitespace)
    {
        return mask_address(local, domain);
    }
    if text.contains(|character: char| character.is_ascii_digit()) && text.chars().all(is_of_numbers) {
        return shape(text);
    }
    mask_word(text)
}

/// Masks a mapped value.
#[must_use]
pub fn mask_value(value: &FieldValue) -> String {
    match value {
        FieldValue::Clear => String::new(),
        // Any hint would reveal which of the two values it is.
        FieldValue::Boolean(_) => HIDDEN.to_owned(),
        FieldValue::Integer(number) => shape(&number.to_string()),
        FieldValue::Decimal(number) => shape(&number.to_string()),
        FieldValue::Text(text) => mask_text(text),
    }
}

fn mask_address(local: &str, domain: &str) -> String {
    match domain.rsplit_once('.') {
        Some((name, last)) if is_ending(last) => {
            format!("{}@{}.{last}", mask_word(local), mask_word(name))
        }
        _ => format!("{}@{}", mask_word(local), mask_word(domain)),
    }
}

fn is_ending(last: &str) -> bool {
    (1..=LONGEST_ENDING).contains(&last.len()) && last.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Returns the first letter, unless it is the whole word.
fn mask_word(text: &str) -> String {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(first), Some(_)) if first.is_alphabetic() => format!("{first}{HIDDEN}"),
        _ => HIDDEN.to_owned(),
    }
}

/// Returns whether the character occurs in numbers, dates, times and telephone numbers.
const fn is_of_numbers(character: char) -> bool {
    matches!(character, '0'..='9' | '+' | '-' | '.' | ',' | ':' | '/' | ' ' | '(' | ')' | 'T' | 'Z' | 'e')
}

fn shape(text: &str) -> String {
    let digit = |character: char| if character.is_ascii_digit() { '9' } else { character };
    text.chars().take(LONGEST_SHAPE).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "the table reads better without borrows")]
    fn check(value: FieldValue, expected: &str) {
        assert_eq!(mask_value(&value), expected, "{value:?}");
    }

    #[track_caller]
    fn text(value: &str, expected: &str) {
        check(FieldValue::Text(value.to_owned()), expected);
    }

    #[test]
    fn only_the_form_of_a_value_is_left() {
        text("anna@example.com", "a***@e***.com");
        text(" Anna.Smith@mail.example.co.uk ", "A***@m***.uk");
        text("a@b.de", "***@***.de");
        text("anna@localhost", "a***@l***");
        text("anna@[192.0.2.1]", "a***@***");
        text("\"a@b\"@example.com", "***@e***.com");
        text("anna@example.museum", "a***@e***.museum");
        text("x@shop.Confidential", "***@s***");
        text("anna@example.рф", "a***@e***");
        text("anna@example.", "a***@e***");
        text("@", "***");
        text("@jane.doe", "***");
        text("Jane @ jane.doe", "J***");
        text("see jane@shop.de", "s***");
        text("Jane", "J***");
        text("Jane Doe", "J***");
        text("Élodie", "É***");
        text("王小明", "王***");
        text("J", "***");
        text("P0000001", "P***");
        text("12 Main Street", "***");
        text("6f9619ff-8b86-d011-b42d-00c04fc964ff", "***");
        text("+49 (151) 234-567", "+99 (999) 999-999");
        text("2026-02-28T10:00:00Z", "9999-99-99T99:99:99Z");
        text("2026/02/28", "9999/99/99");
        text("0042", "9999");
        text("T", "***");
        text("  ", "");
        text(&"1".repeat(100), &"9".repeat(32));
        check(FieldValue::Integer(-42), "-99");
        check(FieldValue::Integer(0), "9");
        check(FieldValue::Decimal(19.95), "99.99");
        check(FieldValue::Boolean(true), "***");
        check(FieldValue::Boolean(false), "***");
        check(FieldValue::Clear, "");
    }

    #[test]
    fn different_people_look_alike() {
        for (one, other) in [
            ("anna@example.com", "andrew.longname@elsewhere.example.com"),
            ("Jane Doe", "J. Q. Public"),
            ("+49 151", "+44 207"),
        ] {
            assert_eq!(mask_text(one), mask_text(other));
        }
    }
}
