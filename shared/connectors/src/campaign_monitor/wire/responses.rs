//! Parses responses, leniently and without the vendor's messages. Pure.
//!
//! <https://www.campaignmonitor.com/api/v3-3/subscribers/#importing-many-subscribers>

use serde::Deserialize;

/// A code: a number, or a text with a number in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "LenientCode")]
pub(in super::super) struct Code(pub(in super::super) i64);

#[derive(Deserialize)]
#[serde(untagged)]
enum LenientCode {
    Number(i64),
    Text(String),
    Other(serde::de::IgnoredAny),
}

impl From<LenientCode> for Code {
    fn from(code: LenientCode) -> Self {
        match code {
            LenientCode::Number(code) => Self(code),
            // A code that cannot be parsed is an unknown code, not a success.
            LenientCode::Text(text) => Self(text.trim().parse().unwrap_or(-1)),
            LenientCode::Other(_) => Self(-1),
        }
    }
}

/// The envelope of every refusal, whatever its status. Its message may name a person, so it is not parsed.
#[derive(Deserialize)]
pub(in super::super) struct Envelope {
    #[serde(rename = "Code")]
    code: Option<Code>,
}

impl Envelope {
    /// Returns the code of a body; `None` if it has none.
    pub(in super::super) fn code(body: &[u8]) -> Option<i64> {
        // Responses without a code may be long lists, which need not be parsed twice.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return None;
        }
        serde_json::from_slice::<Self>(body).ok()?.code.map(|code| code.0)
    }
}

/// The result of an import: the body of a success, or a part of the body of a success with failures.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in super::super) struct ImportResult {
    pub(in super::super) failure_details: Option<Vec<Failure>>,
    pub(in super::super) total_unique_emails_submitted: u64,
    pub(in super::super) total_existing_subscribers: u64,
    pub(in super::super) total_new_subscribers: u64,
    #[serde(default)]
    pub(in super::super) duplicate_emails_in_submission: Option<Vec<serde::de::IgnoredAny>>,
}

/// A row that failed. Its message may name the person, so it is not parsed.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in super::super) struct Failure {
    #[serde(default)]
    pub(in super::super) email_address: Option<String>,
    #[serde(default)]
    pub(in super::super) code: Code,
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Failure").field("code", &self.code).finish_non_exhaustive()
    }
}

/// The body of a success with failures.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in super::super) struct WithFailures {
    pub(in super::super) result_data: ImportResult,
}

/// The part of a person's details that is used.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in super::super) struct PersonState {
    pub(in super::super) state: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_numbers_and_as_texts() {
        let check = |body: &str, expected: Option<i64>| {
            assert_eq!(Envelope::code(body.as_bytes()), expected, "{body}");
        };
        check(r#"{"Code": 210, "Message": "x"}"#, Some(210));
        check(r#"{"Code": "121"}"#, Some(121));
        check(r#" {"Code": "what"}"#, Some(-1));
        check(r#"{"Code": 1.5}"#, Some(-1));
        check(r#"{"Code": null}"#, None);
        check(r#"{"TotalNewSubscribers": 1}"#, None);
        check(r#"[{"Code": 1}]"#, None);
        check("<html>", None);
        check("", None);
    }
}
