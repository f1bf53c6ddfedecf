//! What comes back over the wire, read leniently and without the vendor's words. Pure.
//!
//! <https://www.campaignmonitor.com/api/v3-3/subscribers/#importing-many-subscribers>

use serde::Deserialize;

/// A code, which the vendor writes as a number and its own clients read as a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "LenientCode")]
pub(super) struct Code(pub(super) i64);

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
            // A code that is none of the documented ones is an unknown code, not a success.
            LenientCode::Text(text) => Self(text.trim().parse().unwrap_or(-1)),
            LenientCode::Other(_) => Self(-1),
        }
    }
}

/// What every refusal is in, whatever its status. Its message may name a person, so it is not read.
#[derive(Deserialize)]
pub(super) struct Envelope {
    #[serde(rename = "Code")]
    code: Option<Code>,
}

impl Envelope {
    /// The code of a body that has one.
    pub(super) fn code(body: &[u8]) -> Option<i64> {
        // Answers without a code may be long lists; they need not be read twice.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return None;
        }
        serde_json::from_slice::<Self>(body).ok()?.code.map(|code| code.0)
    }
}

/// What became of an import: the body of a success, or inside that of a success with failures.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ImportResult {
    pub(super) failure_details: Option<Vec<Failure>>,
    pub(super) total_unique_emails_submitted: u64,
    pub(super) total_existing_subscribers: u64,
    pub(super) total_new_subscribers: u64,
    #[serde(default)]
    pub(super) duplicate_emails_in_submission: Option<Vec<serde::de::IgnoredAny>>,
}

/// A row that failed. Its message may name the person, so it is not read.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Failure {
    #[serde(default)]
    pub(super) email_address: Option<String>,
    #[serde(default)]
    pub(super) code: Code,
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Failure").field("code", &self.code).finish_non_exhaustive()
    }
}

/// The body of a success with failures.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WithFailures {
    pub(super) result_data: ImportResult,
}

/// What is asked of a person's details. Everything else is left unread.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PersonState {
    pub(super) state: String,
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
