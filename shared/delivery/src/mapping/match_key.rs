//! Match keys other than plain e-mail addresses.

use super::normalise_email;
use relay_model::{MatchKey, Reason};
use uuid::Uuid;

const MISSING: Reason = Reason::new("match_key_missing", "the profile has no value for the match key");

/// As [`normalise_email`], for destinations that accept ASCII only.
pub(super) fn normalise_ascii_email(text: &str) -> Result<MatchKey, Reason> {
    let key = normalise_email(text)?;
    if key.0.is_ascii() {
        return Ok(key);
    }
    Err(Reason::new(
        "email_not_ascii",
        "the e-mail address has characters that the destination does not accept",
    ))
}

/// Normalises a positive whole number to its shortest form.
pub(super) fn normalise_number(text: &str) -> Result<MatchKey, Reason> {
    let text = text.trim();
    if text.is_empty() {
        return Err(MISSING);
    }
    match text.parse::<u64>() {
        Ok(number) if number > 0 => Ok(MatchKey(number.to_string())),
        _ => Err(Reason::new("match_key_not_a_number", "the match key is not a whole number above zero")),
    }
}

/// Normalises a GUID to lower case with hyphens. It accepts GUIDs with or without hyphens, in braces or in
/// parentheses, in either case. Two spellings of one id are one person.
pub(super) fn normalise_guid(text: &str) -> Result<MatchKey, Reason> {
    const MALFORMED: Reason = Reason::new(
        "match_key_not_a_guid",
        "the match key is not a GUID: expected something like 6f9619ff-8b86-d011-b42d-00c04fc964ff",
    );
    let text = text.trim();
    if text.is_empty() {
        return Err(MISSING);
    }
    let inner = text.strip_prefix('(').map_or(Some(text), |rest| rest.strip_suffix(')'));
    match inner.and_then(|inner| Uuid::try_parse(inner).ok()) {
        Some(id) if !id.is_nil() => Ok(MatchKey(id.hyphenated().to_string())),
        _ => Err(MALFORMED),
    }
}

/// Trims and validates a text.
pub(super) fn normalise_text(text: &str, max_characters: usize) -> Result<MatchKey, Reason> {
    let text = text.trim();
    if text.is_empty() {
        return Err(MISSING);
    }
    if text.chars().any(char::is_control) {
        return Err(Reason::new("match_key_invalid", "the match key has control characters"));
    }
    if text.chars().count() > max_characters {
        return Err(Reason::new("match_key_too_long", "the match key is longer than its field allows"));
    }
    Ok(MatchKey(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "the table reads better without borrows")]
    fn check(found: Result<MatchKey, Reason>, expected: Result<&str, &str>) {
        let found = found.as_ref().map(|key| key.0.as_str()).map_err(|reason| reason.code.as_ref());
        assert_eq!(found, expected);
    }

    #[test]
    fn match_keys_are_trimmed_and_checked() {
        check(normalise_ascii_email(" Jane@Example.com"), Ok("jane@example.com"));
        check(normalise_ascii_email("zoë@example.com"), Err("email_not_ascii"));
        check(normalise_ascii_email("jane"), Err("email_invalid"));
        check(normalise_number(" 0042 "), Ok("42"));
        check(normalise_number("0"), Err("match_key_not_a_number"));
        check(normalise_number("-1"), Err("match_key_not_a_number"));
        check(normalise_number("1.0"), Err("match_key_not_a_number"));
        check(normalise_number(""), Err("match_key_missing"));
        let id = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
        check(normalise_guid(id), Ok(id));
        check(normalise_guid(" {6F9619FF-8B86-D011-B42D-00C04FC964FF}\n"), Ok(id));
        check(normalise_guid("(6f9619ff-8b86-d011-b42d-00c04fc964ff)"), Ok(id));
        check(normalise_guid("6F9619FF8B86D011B42D00C04FC964FF"), Ok(id));
        check(normalise_guid("{6f9619ff-8b86-d011-b42d-00c04fc964ff"), Err("match_key_not_a_guid"));
        check(normalise_guid("(6f9619ff-8b86-d011-b42d-00c04fc964ff"), Err("match_key_not_a_guid"));
        check(normalise_guid("6f9619ff-8b86-d011-b42d-00c04fc964f"), Err("match_key_not_a_guid"));
        check(normalise_guid("00000000-0000-0000-0000-000000000000"), Err("match_key_not_a_guid"));
        check(normalise_guid("jane@example.com"), Err("match_key_not_a_guid"));
        check(normalise_guid("  "), Err("match_key_missing"));
        check(normalise_text(" AbC ", 3), Ok("AbC"));
        check(normalise_text("abcd", 3), Err("match_key_too_long"));
        check(normalise_text("a\nb", 9), Err("match_key_invalid"));
        check(normalise_text("  ", 9), Err("match_key_missing"));
    }
}
