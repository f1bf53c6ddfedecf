//! What a connection's secret holds: the id and the secret of a custom service.

use secrecy::SecretString;
use serde::Deserialize;

const FORM: &str =
    "it has to be JSON: {\"client_id\": …, \"client_secret\": …}, as Admin > LaunchPoint shows them";

/// A connection's credentials. They have no `Debug`.
pub(super) struct Secret {
    pub(super) client_id: SecretString,
    pub(super) client_secret: SecretString,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    client_id: String,
    client_secret: String,
}

impl Secret {
    /// Reads a secret. An error says what form it has to have, and nothing of what it holds.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let raw: Raw = serde_json::from_str(text).map_err(|_| FORM)?;
        let (client_id, client_secret) = (raw.client_id.trim(), raw.client_secret.trim());
        if client_id.is_empty() || client_secret.is_empty() {
            return Err(FORM);
        }
        Ok(Self { client_id: client_id.into(), client_secret: client_secret.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str)>) {
        let found = Secret::parse(text).ok();
        let found = found
            .as_ref()
            .map(|secret| (secret.client_id.expose_secret(), secret.client_secret.expose_secret()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn both_parts_are_needed() {
        check(r#"{"client_id": "id", "client_secret": "secret"}"#, Some(("id", "secret")));
        check(r#"{"client_id": " id\n", "client_secret": "secret "}"#, Some(("id", "secret")));
        check(r#"{"client_id": "id"}"#, None);
        check(r#"{"client_id": "id", "client_secret": ""}"#, None);
        check(r#"{"client_id": "id", "client_secret": "secret", "token": "x"}"#, None);
        check("id", None);
    }
}
