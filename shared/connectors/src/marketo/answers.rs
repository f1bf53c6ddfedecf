//! What comes back over the wire, read leniently and without the vendor's words. Pure.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes>

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A code, which the documents write as a text and some answers as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub(super) struct Code(pub(super) i64);

impl From<Value> for Code {
    fn from(value: Value) -> Self {
        let number = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        // A code that is none of the documented ones is an unknown code, not a success.
        Self(number.unwrap_or(-1))
    }
}

/// Why something was refused. The message may hold a person's value: it is only searched for fields' names.
#[derive(Deserialize)]
pub(super) struct VendorReason {
    #[serde(default)]
    pub(super) code: Code,
    #[serde(default)]
    pub(super) message: Option<String>,
}

impl std::fmt::Debug for VendorReason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("VendorReason").field("code", &self.code).finish_non_exhaustive()
    }
}

/// What every answer is in, whatever its status.
#[derive(Deserialize)]
pub(super) struct Envelope {
    success: bool,
    #[serde(default, deserialize_with = "or_default")]
    errors: Vec<VendorReason>,
}

/// What a whole request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// It was done.
    Done,
    /// It was not, for this reason.
    Refused(i64),
    /// The answer is not in the envelope.
    NoEnvelope,
}

impl Envelope {
    pub(super) fn judge(body: &[u8]) -> Judged {
        match serde_json::from_slice::<Self>(body) {
            Ok(Self { success: true, errors }) if errors.is_empty() => Judged::Done,
            Ok(Self { errors, .. }) => Judged::Refused(errors.first().map_or(-1, |error| error.code.0)),
            Err(_) => Judged::NoEnvelope,
        }
    }
}

/// The results of a request. There may be none at all where nothing was found.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Results<T> {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) result: Vec<T>,
    #[serde(default)]
    pub(super) next_page_token: Option<String>,
}

/// What became of one lead in a sync or in an operation on a list
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads>).
#[derive(Debug, Deserialize)]
pub(super) struct RecordResult {
    #[serde(default, deserialize_with = "id_text")]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) reasons: Vec<VendorReason>,
}

/// A job that imports a file
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-lead-import>). Its
/// message is not read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImportStatus {
    pub(super) batch_id: u64,
    pub(super) status: String,
    #[serde(default)]
    pub(super) num_of_leads_processed: u64,
    #[serde(default)]
    pub(super) num_of_rows_failed: u64,
    #[serde(default)]
    pub(super) num_of_rows_with_warning: u64,
}

/// `null` where a list is expected is none.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// An id is a number; some answers write it as a text.
pub(super) fn id_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Value>::deserialize(deserializer)?.as_ref().and_then(scalar_text))
}

/// A value as text, where it has one.
pub(super) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Judged) {
        assert_eq!(Envelope::judge(body.as_bytes()), expected, "{body}");
    }

    #[test]
    fn the_envelope_decides() {
        check(r#"{"requestId": "1", "success": true, "result": []}"#, Judged::Done);
        check(r#"{"success": true, "errors": [], "warnings": ["No assets found"]}"#, Judged::Done);
        check(r#"{"success": true, "errors": null}"#, Judged::Done);
        check(r#"{"success": false, "errors": [{"code": "606", "message": "m"}]}"#, Judged::Refused(606));
        check(r#"{"success": false, "errors": [{"code": 603}]}"#, Judged::Refused(603));
        check(r#"{"success": true, "errors": [{"code": "611"}]}"#, Judged::Refused(611));
        check(r#"{"success": false, "errors": [{"code": "soon"}]}"#, Judged::Refused(-1));
        check(r#"{"success": false}"#, Judged::Refused(-1));
        check("email,Import Failure Reason", Judged::NoEnvelope);
        check("<html>", Judged::NoEnvelope);
        check("", Judged::NoEnvelope);
    }

    #[test]
    fn ids_are_numbers_or_texts_and_results_may_be_missing() {
        let read = |body: &str| serde_json::from_str::<Results<RecordResult>>(body).unwrap().result;
        assert_eq!(read(r#"{"success": true}"#).len(), 0);
        assert_eq!(read(r#"{"result": null}"#).len(), 0);
        let found = read(r#"{"result": [{"id": 7, "status": "added"}, {"id": "8"}, {"reasons": null}]}"#);
        let ids: Vec<_> = found.into_iter().map(|record| record.id).collect();
        assert_eq!(ids, [Some("7".to_owned()), Some("8".to_owned()), None]);
    }
}
