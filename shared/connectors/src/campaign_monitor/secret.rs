//! What a connection's secret holds: an API key, or OAuth tokens.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

const FORM: &str = "it has to be JSON, either {\"api_key\": …} or {\"access_token\": …, \"refresh_token\": …} with an \
                    optional expires_at (RFC 3339 or seconds since 1970)";
const KEY_FORM: &str = "the key or token has a character that cannot stand in a header";

/// A connection's credentials. They have no `Debug`.
pub(super) enum Secret {
    /// Sent as the user's name of HTTP Basic authentication.
    ApiKey(SecretString),
    /// Sent as a bearer token.
    OAuth(Tokens),
}

/// An access token and what renews it.
pub(super) struct Tokens {
    pub(super) access: SecretString,
    pub(super) refresh: SecretString,
    pub(super) expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    api_key: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_at: Option<Moment>,
    /// Part of the vendor's answer, so that it can be pasted as it is. It counts from a moment that is not known, so
    /// it says nothing.
    #[serde(rename = "expires_in")]
    _expires_in: Option<serde_json::Number>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Epoch(i64),
    Text(String),
}

impl Secret {
    /// Reads a secret. An error says what form it has to have, and nothing of what it holds.
    pub(super) fn parse(secret: &SecretString) -> Result<Self, &'static str> {
        let raw: Raw = serde_json::from_str(secret.expose_secret()).map_err(|_| FORM)?;
        match (raw.api_key, raw.access_token, raw.refresh_token) {
            (Some(key), None, None) if !key.trim().is_empty() => Ok(Self::ApiKey(key.trim().into())),
            (None, Some(access), Some(refresh))
                if !access.trim().is_empty() && !refresh.trim().is_empty() =>
            {
                let expires_at = match raw.expires_at {
                    None => None,
                    Some(Moment::Epoch(seconds)) => Some(Timestamp::from_second(seconds).map_err(|_| FORM)?),
                    Some(Moment::Text(text)) => Some(text.parse().map_err(|_| FORM)?),
                };
                Ok(Self::OAuth(Tokens {
                    access: access.trim().into(),
                    refresh: refresh.trim().into(),
                    expires_at,
                }))
            }
            _ => Err(FORM),
        }
    }

    /// Whether two secrets let the same in.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::ApiKey(one), Self::ApiKey(two)) => one.expose_secret() == two.expose_secret(),
            (Self::OAuth(one), Self::OAuth(two)) => {
                one.access.expose_secret() == two.access.expose_secret()
                    && one.refresh.expose_secret() == two.refresh.expose_secret()
            }
            _ => false,
        }
    }

    /// The `Authorization` header, marked as sensitive.
    pub(super) fn header(&self) -> Result<HeaderValue, &'static str> {
        let text = match self {
            // The vendor ignores the password; its own clients send an "x".
            Self::ApiKey(key) => format!("Basic {}", STANDARD.encode(format!("{}:x", key.expose_secret()))),
            Self::OAuth(tokens) => format!("Bearer {}", tokens.access.expose_secret()),
        };
        let mut header = HeaderValue::try_from(text).map_err(|_| KEY_FORM)?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl Tokens {
    /// The secret to store.
    pub(super) fn to_secret(&self) -> SecretString {
        let mut object = json!({
            "access_token": self.access.expose_secret(),
            "refresh_token": self.refresh.expose_secret(),
        });
        if let (Some(object), Some(expires_at)) = (object.as_object_mut(), self.expires_at) {
            object.insert("expires_at".to_owned(), expires_at.to_string().into());
        }
        object.to_string().into()
    }

    /// Whether the access token has less than `seconds` left at `now`, as far as is known.
    pub(super) fn ends_within(&self, now: Timestamp, seconds: i64) -> bool {
        self.expires_at.is_some_and(|end| end.as_second() - now.as_second() < seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let secret = Secret::parse(&text.into());
        let header = secret.ok().map(|secret| secret.header().unwrap().to_str().unwrap().to_owned());
        assert_eq!(header.as_deref(), expected, "{text}");
    }

    #[test]
    fn both_forms_are_taken_and_no_other() {
        check(r#"{"api_key": "abc"}"#, Some("Basic YWJjOng="));
        check(r#"{"api_key": " abc\n"}"#, Some("Basic YWJjOng="));
        check(r#"{"access_token": "a", "refresh_token": "r"}"#, Some("Bearer a"));
        check(r#"{"access_token": "a", "refresh_token": "r", "expires_in": 1209600}"#, Some("Bearer a"));
        check(
            r#"{"access_token": "a", "refresh_token": "r", "expires_at": "2026-02-28T00:00:00Z"}"#,
            Some("Bearer a"),
        );
        check(r#"{"access_token": "a", "refresh_token": "r", "expires_at": 1772236800}"#, Some("Bearer a"));
        check(r#"{"access_token": "a", "refresh_token": "r", "expires_at": "tomorrow"}"#, None);
        check(r#"{"access_token": "a"}"#, None);
        check(r#"{"api_key": "abc", "access_token": "a", "refresh_token": "r"}"#, None);
        check(r#"{"api_key": ""}"#, None);
        check(r#"{"key": "abc"}"#, None);
        check("{}", None);
        check("abc", None);
    }

    #[test]
    fn renewed_tokens_are_read_as_they_were_written() {
        let expires_at = Some(Timestamp::from_second(1_772_236_800).unwrap());
        let tokens = Tokens { access: "a".into(), refresh: "r".into(), expires_at };
        let Ok(Secret::OAuth(read)) = Secret::parse(&tokens.to_secret()) else { panic!("not tokens") };
        assert_eq!(read.expires_at, expires_at);
        assert!(Secret::OAuth(read).equals(&Secret::OAuth(tokens)));
    }

    #[test]
    fn the_end_of_a_token_is_seen_ahead() {
        let now = Timestamp::from_second(1_000).unwrap();
        let tokens = |end: Option<i64>| Tokens {
            access: "a".into(),
            refresh: "r".into(),
            expires_at: end.map(|end| Timestamp::from_second(end).unwrap()),
        };
        assert!(!tokens(None).ends_within(now, 60));
        assert!(!tokens(Some(1_060)).ends_within(now, 60));
        assert!(tokens(Some(1_059)).ends_within(now, 60));
        assert!(tokens(Some(1)).ends_within(now, 0));
    }
}
