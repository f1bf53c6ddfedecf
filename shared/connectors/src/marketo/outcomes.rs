//! What the vendor's words about one record mean for its row.

use super::answers::VendorReason;
use super::classify::{INVALID_VALUE, LEAD_NOT_FOUND, SEVERAL_LEADS};
use relay_delivery::batch::RowResult;
use relay_model::{Outcome, Reason};

/// The values of this field are told by the reason's text; everything else of the message stays unread.
const NAMED_AFTER: &[&str] = &["field '", "Field '"];

pub(super) const NOT_TOLD: Reason = Reason::new(
    "answer_incomplete",
    "Marketo's answer does not say what became of the row; the next run tries again",
);
pub(super) const TOO_LARGE: Reason =
    Reason::new("row_too_large", "the row alone is larger than a request to Marketo may be (1 MB)");
pub(super) const KEY_HAS_COMMA: Reason = Reason::new(
    "key_has_comma",
    "the match key has a comma, which Marketo's look-up takes for the end of a value",
);

/// A row that was applied, with the id of its lead.
pub(super) fn applied(lead_id: &str) -> RowResult {
    RowResult { destination_id: Some(lead_id.to_owned()), ..RowResult::new(Outcome::Applied) }
}

pub(super) const fn deferred(reason: Reason) -> RowResult {
    RowResult::new(Outcome::Deferred(reason))
}

pub(super) const fn rejected(reason: Reason) -> RowResult {
    RowResult::new(Outcome::Rejected(reason))
}

pub(super) fn not_in_marketo() -> RowResult {
    refused(LEAD_NOT_FOUND, "", &[])
}

pub(super) fn several() -> RowResult {
    refused(SEVERAL_LEADS, "", &[])
}

/// What a record's reasons mean. `fields` are the names that may be told: the message may hold the person's value.
pub(super) fn skipped(reasons: &[VendorReason], fields: &[&str]) -> RowResult {
    let Some(reason) = reasons.first() else {
        return deferred(NOT_TOLD);
    };
    refused(reason.code.0, reason.message.as_deref().unwrap_or_default(), fields)
}

/// What the reason that an import's file gives for a row means. It has no code, only words.
pub(super) fn import_failure(message: &str, fields: &[&str]) -> RowResult {
    let words = message.to_lowercase();
    if words.contains("multiple lead") {
        return several();
    }
    if words.contains("invalid value") || words.contains("exceeds") {
        return refused(INVALID_VALUE, message, fields);
    }
    let text = match named_field(message, fields) {
        Some(field) => format!("the import refused the row because of field {field}"),
        None => "the import refused the row".to_owned(),
    };
    rejected(Reason::made("marketo_import_refused", text))
}

fn refused(code: i64, message: &str, fields: &[&str]) -> RowResult {
    let because = match named_field(message, fields) {
        Some(field) => format!("the value of field {field}"),
        None => "one of the row's values".to_owned(),
    };
    let reason = |text: String| Reason::made(format!("marketo_{code}"), text);
    let plain = |text: &str| reason(text.to_owned());
    match code {
        1001 => rejected(reason(format!("{because} has the wrong type"))),
        1003 => rejected(reason(format!("Marketo does not take {because}"))),
        1004 => RowResult::new(Outcome::Skipped(plain(
            "the person is not in Marketo, or not where the API user can see them",
        ))),
        1006 => rejected(reason(format!("the account has no field for {because}"))),
        1007 => rejected(plain("Marketo has several people with this match key: merge them there")),
        1008 => rejected(plain("the API user may not see the partition that the person is in")),
        1010 => rejected(plain("the person is in another partition than the export's")),
        1018 => rejected(plain("the account's CRM owns the person's record")),
        1021 => rejected(plain("fields of companies cannot be written with people")),
        1036 => deferred(plain("the request had the person twice; the next run tries again")),
        1077 => rejected(reason(format!("{because} is longer than the field takes"))),
        1002 | 1005 | 1009 | 1011 => rejected(plain("Marketo does not take the row")),
        _ => deferred(plain(
            "Marketo did not take the row, for a reason that may pass; the next run tries again",
        )),
    }
}

/// The field that a message names, if it is one of `fields`: anything else between the quotes may be a value.
fn named_field<'a>(message: &str, fields: &[&'a str]) -> Option<&'a str> {
    let rest = NAMED_AFTER.iter().find_map(|mark| message.split_once(mark))?.1;
    let (name, _) = rest.split_once('\'')?;
    fields.iter().copied().find(|field| *field == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_model::Standing;
    use relay_model::{Operation, OutcomeKind};

    #[track_caller]
    fn check(code: i64, kind: OutcomeKind) {
        let found = refused(code, "", &[]);
        assert_eq!(found.outcome.kind(Operation::Add), kind, "{code}");
        assert_eq!(found.standing, Standing::FollowsOutcome, "{code}");
        assert_eq!(found.outcome.reason().unwrap().code, format!("marketo_{code}"));
    }

    #[test]
    fn records_codes() {
        use OutcomeKind::{Deferred, Rejected, Skipped};
        for code in [1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1018, 1021, 1077] {
            check(code, Rejected);
        }
        check(1004, Skipped);
        for code in [1036, 611, 713, 9_999, -1] {
            check(code, Deferred);
        }
    }

    #[test]
    fn a_reason_names_the_field_and_never_the_value() {
        let check = |message: &str, expected: &str| {
            let text = refused(1003, message, &["birthday", "city"]).outcome.reason().unwrap().text.clone();
            assert_eq!(text, expected, "{message}");
        };
        let unnamed = "Marketo does not take one of the row's values";
        check(
            "Invalid value for field 'birthday' and value 'yesterday'",
            "Marketo does not take the value of field birthday",
        );
        check("Invalid value 'Jane' for field 'secretName'", unnamed);
        check("Field 'city' is too long: 'Jane'", "Marketo does not take the value of field city");
        check("Jane Doe", unnamed);
        check("field 'birthday", unnamed);
    }

    #[test]
    fn words_of_an_import_are_read_for_what_they_say_and_not_repeated() {
        let check = |message: &str, code: &str| {
            let found = import_failure(message, &["email", "birthday"]);
            let reason = found.outcome.reason().unwrap();
            assert_eq!(reason.code, code, "{message}");
            assert!(!reason.text.contains("jane"), "{}", reason.text);
        };
        check("Multiple lead match lookup criteria", "marketo_1007");
        check("Invalid value for field 'birthday' and value 'jane'", "marketo_1003");
        check("Value for lookup field 'email' not found for jane", "marketo_import_refused");
        check("jane", "marketo_import_refused");
    }
}
