//! What comes back over the wire, read leniently and without the vendor's words. Pure.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors>

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// What a refusal says, as far as it is read: its message may hold people's data and a customer's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The code; none where the body has none.
    pub(super) code: Option<u32>,
    /// The privilege that the message names as missing.
    pub(super) privilege: Option<String>,
}

#[derive(Deserialize)]
struct Envelope {
    error: Inner,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    code: Value,
    #[serde(default)]
    message: Value,
}

impl Refusal {
    pub(super) fn read(body: &[u8]) -> Self {
        let Ok(Envelope { error }) = serde_json::from_slice(body) else { return Self::default() };
        let privilege = error.message.as_str().and_then(privilege);
        Self { code: code(&error.code), privilege }
    }
}

/// A code is written in hexadecimal; older documents have it as a signed number.
fn code(code: &Value) -> Option<u32> {
    let signed = |number: i64| i32::try_from(number).ok().map(i32::cast_unsigned);
    match code {
        Value::String(text) => match text.trim().strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => text.trim().parse().ok().and_then(signed),
        },
        Value::Number(number) => number.as_i64().and_then(signed),
        _ => None,
    }
}

fn privilege(message: &str) -> Option<String> {
    let mut words = message.split(|character: char| !character.is_ascii_alphanumeric());
    let is_privilege = |word: &&str| word.len() > 3 && word.len() <= 64 && word.starts_with("prv");
    words.find(is_privilege).map(str::to_owned)
}

/// A page of rows.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next_link: Option<String>,
}

/// Rows that are only counted.
pub(super) type CountedPage = Page<IgnoredAny>;

/// A contact, as far as it is asked for.
#[derive(Deserialize)]
pub(super) struct Contact {
    pub(super) contactid: String,
    pub(super) statecode: i64,
}

/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/whoamiresponse>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WhoAmI {
    pub(super) user_id: String,
}

/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/retrieveuserprivilegesresponse>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UserPrivileges {
    pub(super) role_privileges: Vec<RolePrivilege>,
}

/// One privilege of a user.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RolePrivilege {
    #[serde(default)]
    pub(super) privilege_name: String,
}

/// A marketing list (<https://learn.microsoft.com/dynamics365/developer/reference/entities/list>).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct MarketingList {
    #[serde(default)]
    pub(super) listname: Option<String>,
    #[serde(rename = "type")]
    pub(super) is_dynamic: bool,
    pub(super) createdfromcode: i64,
    #[serde(default)]
    pub(super) lockstatus: Option<bool>,
    pub(super) statecode: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, code: Option<u32>, privilege: Option<&str>) {
        let found = Refusal::read(body.as_bytes());
        assert_eq!((found.code, found.privilege.as_deref()), (code, privilege), "{body}");
    }

    #[test]
    fn refusals_are_read_without_their_words() {
        check(r#"{"error":{"code":"0x80040217","message":"x"}}"#, Some(0x8004_0217), None);
        check(r#"{"error":{"code":"0x8004033a","message":""}}"#, Some(0x8004_033a), None);
        check(r#"{"error":{"code":"-2147220969"}}"#, Some(0x8004_0217), None);
        check(r#"{"error":{"code":-2147220969}}"#, Some(0x8004_0217), None);
        check(r#"{"error":{"code":"","message":"jane@example.com"}}"#, None, None);
        check(r#"{"error":{"code":"what"}}"#, None, None);
        let missing = r#"{"error":{"code":"0x80040220","message":"Principal user (Id=1), is missing prvReadList privilege on OTC=4300"}}"#;
        check(missing, Some(0x8004_0220), Some("prvReadList"));
        check(r#"{"value":[]}"#, None, None);
        check("<html>", None, None);
        check("", None, None);
    }
}
