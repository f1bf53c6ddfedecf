//! Names, complete form and shortest form of every kind of document.

use relay_model::catalog::{
    CatalogError, Connection, DeploymentSettings, Document, Export, Kind, Policy, Segment, Source,
};
use serde::Serialize;
use serde_json::Value;

/// Returns the kind's folder, which is also its path segment in the API.
#[must_use]
pub(crate) const fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Settings => "settings",
        Kind::Source => "sources",
        Kind::Segment => "segments",
        Kind::Connection => "connections",
        Kind::Policy => "policies",
        Kind::Export => "exports",
    }
}

/// Fills in every default, so that equivalent documents are equal.
pub(crate) fn whole(kind: Kind, document: &Value) -> Result<Value, CatalogError> {
    match kind {
        Kind::Settings => whole_of::<DeploymentSettings>(document),
        Kind::Source => whole_of::<Source>(document),
        Kind::Segment => whole_of::<Segment>(document),
        Kind::Connection => whole_of::<Connection>(document),
        Kind::Policy => whole_of::<Policy>(document),
        Kind::Export => whole_of::<Export>(document),
    }
}

fn whole_of<T: Document + Serialize>(document: &Value) -> Result<Value, CatalogError> {
    let parsed = T::parse(&document.to_string())?;
    serde_json::to_value(&parsed)
        .map_err(|error| CatalogError::Malformed { kind: T::KIND.name(), problem: error.to_string() })
}

/// Merges the stored consent into a requested document. The stored consent is kept if the file has none or
/// the same wording, because it may have been given after the file was written.
pub(crate) fn settled(kind: Kind, requested: &Value, there: &Value) -> Value {
    let mut settled = requested.clone();
    if kind == Kind::Connection {
        let text = |document: &Value| document.pointer("/consent/text").cloned();
        let consent =
            there.get("consent").filter(|_| text(requested).is_none() || text(requested) == text(there));
        if let (Some(fields), Some(consent)) = (settled.as_object_mut(), consent) {
            fields.insert("consent".to_owned(), consent.clone());
        }
    }
    settled
}

/// Leaves out every field whose absence means the same.
pub(crate) fn shortest(kind: Kind, document: &Value) -> Result<Value, CatalogError> {
    let meaning = whole(kind, document)?;
    let mut document = document.clone();
    let mut pending = vec![String::new()];
    // Outer fields come first, so that removed parts are not searched.
    while let Some(pointer) = pending.pop() {
        let names: Vec<String> = match document.pointer(&pointer) {
            Some(Value::Object(fields)) => fields.keys().cloned().collect(),
            Some(Value::Array(items)) => {
                pending.extend((0..items.len()).map(|index| format!("{pointer}/{index}")));
                continue;
            }
            _ => continue,
        };
        for name in names {
            let Some(fields) = document.pointer_mut(&pointer).and_then(Value::as_object_mut) else {
                break;
            };
            let Some(value) = fields.remove(&name) else {
                continue;
            };
            if whole(kind, &document).as_ref() == Ok(&meaning) {
                continue;
            }
            if let Some(fields) = document.pointer_mut(&pointer).and_then(Value::as_object_mut) {
                pending.push(format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")));
                fields.insert(name, value);
            }
        }
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_are_left_out() {
        let written = json!({
            "id": "newsletter", "name": "Newsletter", "connection": "account", "match_key": "email",
            "mapping": [{"attribute": "name", "field": "Name", "if_null": "omit", "if_invalid": "omit"}],
            "segments": [{"segment": "everybody", "target_list": null}],
            "guard": {"removed_percent": 50, "removed_rows": 100},
            "cap": {"rows": null, "over": "fail"},
            "enabled": true, "options": {"a/b": null},
        });
        let short = shortest(Kind::Export, &written).unwrap();
        assert_eq!(
            short,
            json!({
                "id": "newsletter", "name": "Newsletter", "connection": "account", "match_key": "email",
                "mapping": [{"attribute": "name", "field": "Name", "if_invalid": "omit"}],
                "segments": [{"segment": "everybody"}],
                "guard": {"removed_percent": 50},
                "options": {"a/b": null},
            })
        );
        assert_eq!(whole(Kind::Export, &short), whole(Kind::Export, &written));
    }

    #[test]
    fn a_consent_is_its_text() {
        #[track_caller]
        fn check(requested: Value, there: Value, expected: Value) {
            let document = |consent: Value| json!({"id": "account", "consent": consent});
            let found = settled(Kind::Connection, &document(requested), &document(there));
            assert_eq!(found, document(expected));
        }
        let consent = |by: &str, text: &str| json!({"by": by, "at": "2026-01-01T00:00:00Z", "text": text});
        check(json!(null), consent("jane", "yes"), consent("jane", "yes"));
        check(consent("file", "yes"), consent("jane", "yes"), consent("jane", "yes"));
        check(consent("file", "yes, all"), consent("jane", "yes"), consent("file", "yes, all"));
        check(consent("file", "yes"), json!(null), consent("file", "yes"));
    }

    #[test]
    fn mistakes_are_reported() {
        let message = whole(Kind::Segment, &json!({"id": "a"})).unwrap_err().to_string();
        assert!(message.contains("missing field `name`"), "{message}");
    }
}
