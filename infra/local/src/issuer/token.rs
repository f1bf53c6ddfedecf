//! Token requests.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The audience that the local cloud's gateway accepts.
pub const AUDIENCE: &str = "segment-relay";
/// The claim with the roles: the template's default.
pub const ROLES_CLAIM: &str = "roles";

/// A role of Segment Relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// All permissions.
    Administrator,
    /// Segments, exports and runs.
    Contributor,
    /// Read-only access.
    Viewer,
}

impl Role {
    /// Returns the role's value in a token: the template's default.
    #[must_use]
    pub fn claim_value(self) -> &'static str {
        match self {
            Self::Administrator => "segment-relay-administrator",
            Self::Contributor => "segment-relay-contributor",
            Self::Viewer => "segment-relay-viewer",
        }
    }
}

/// The key that signs a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedBy {
    /// The issuer's key.
    #[default]
    Issuer,
    /// Another key with the issuer's key id.
    Stranger,
}

/// A token request. The defaults are those of a valid token without a role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenRequest {
    /// The claim `sub`.
    pub subject: String,
    /// The values of the claim [`ROLES_CLAIM`], as a list.
    pub roles: Vec<String>,
    /// The claim `aud`.
    pub audience: String,
    /// The lifetime in seconds; a negative one makes an expired token.
    pub lifetime_seconds: i64,
    /// The claim `iss`, if it differs from the issuer's own.
    pub issuer: Option<String>,
    /// The key that signs it.
    pub signed_by: SignedBy,
}

impl Default for TokenRequest {
    fn default() -> Self {
        Self {
            subject: "somebody".to_owned(),
            roles: Vec::new(),
            audience: AUDIENCE.to_owned(),
            lifetime_seconds: 3600,
            issuer: None,
            signed_by: SignedBy::Issuer,
        }
    }
}

impl TokenRequest {
    /// Creates the request for a valid token with this role.
    #[must_use]
    pub fn of(role: Role) -> Self {
        Self::default().roles([role.claim_value()])
    }

    /// Sets the subject.
    #[must_use]
    pub fn subject(self, subject: &str) -> Self {
        Self { subject: subject.to_owned(), ..self }
    }

    /// Sets the values of the roles' claim.
    #[must_use]
    pub fn roles<T: Into<String>>(self, roles: impl IntoIterator<Item = T>) -> Self {
        Self { roles: roles.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets the audience.
    #[must_use]
    pub fn audience(self, audience: &str) -> Self {
        Self { audience: audience.to_owned(), ..self }
    }

    /// Sets the lifetime in seconds; a negative one makes an expired token.
    #[must_use]
    pub fn lifetime_seconds(self, lifetime_seconds: i64) -> Self {
        Self { lifetime_seconds, ..self }
    }

    /// Sets the issuer.
    #[must_use]
    pub fn issuer(self, issuer: &str) -> Self {
        Self { issuer: Some(issuer.to_owned()), ..self }
    }

    /// Sets the signing key.
    #[must_use]
    pub fn signed_by(self, signed_by: SignedBy) -> Self {
        Self { signed_by, ..self }
    }

    pub(super) fn claims(&self, address: &str) -> Value {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX);
        let expires = now.saturating_add(self.lifetime_seconds);
        // An expired token was issued before its expiry.
        let given = now.min(expires.saturating_sub(1));
        json!({
            "iss": self.issuer.as_deref().unwrap_or(address),
            "sub": self.subject,
            "aud": self.audience,
            "iat": given,
            "nbf": given,
            "exp": expires,
            "jti": uuid::Uuid::now_v7(),
            ROLES_CLAIM: self.roles,
        })
    }
}
