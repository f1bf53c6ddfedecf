//! E-mail addresses as match keys.

use email_address::EmailAddress;
use relay_model::{MatchKey, Reason};

/// The maximum length of an address in mail systems, in bytes (RFC 5321, section 4.5.3.1.3, less the angle
/// brackets).
const MAX_EMAIL_BYTES: usize = 254;

/// Trims and lower-cases an address, and validates it.
///
/// Destinations compare addresses without case, so two spellings of one address are one person.
pub fn normalise_email(text: &str) -> Result<MatchKey, Reason> {
    let email = text.trim().to_lowercase();
    if email.is_empty() {
        return Err(Reason::new("match_key_missing", "the profile has no e-mail address"));
    }
    if email.len() > MAX_EMAIL_BYTES {
        return Err(Reason::new("email_too_long", "the e-mail address is longer than 254 bytes"));
    }
    let is_deliverable = EmailAddress::is_valid(&email)
        && !email.contains(['"', '(', ')', '<', '>', '['])
        && email.rsplit_once('@').is_some_and(|(_, domain)| {
            domain.contains('.') && domain.rsplit('.').next().is_some_and(|top| top.chars().count() >= 2)
        });
    if is_deliverable {
        Ok(MatchKey(email))
    } else {
        Err(Reason::new(
            "email_invalid",
            "the e-mail address is not valid: expected something like name@example.com",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let found = normalise_email(text);
        let found = found.as_ref().map(|key| key.0.as_str()).map_err(|reason| reason.code.as_ref());
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn addresses_as_people_leave_them() {
        check("jane@example.com", Ok("jane@example.com"));
        check("  Jane.Doe+News@Example.COM\n", Ok("jane.doe+news@example.com"));
        check("o'brien@example.ie", Ok("o'brien@example.ie"));
        check("", Err("match_key_missing"));
        check("   ", Err("match_key_missing"));
        check("jane", Err("email_invalid"));
        check("jane@", Err("email_invalid"));
        check("jane@example", Err("email_invalid"));
        check("jane@@example.com", Err("email_invalid"));
        check("jane doe@example.com", Err("email_invalid"));
        check("jane@example..com", Err("email_invalid"));
        check("jane@example.c", Err("email_invalid"));
        check("Jane <jane@example.com>", Err("email_invalid"));
        check("a@example.com, b@example.com", Err("email_invalid"));
        check(&format!("{}@example.com", "x".repeat(250)), Err("email_too_long"));
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,40}|[A-Za-z0-9.+]{1,10}@[A-Za-z]{1,8}\\.(com|DE|io)") {
            if let Ok(key) = normalise_email(&text) {
                prop_assert_eq!(normalise_email(&key.0), Ok(key));
            }
        }
    }
}
