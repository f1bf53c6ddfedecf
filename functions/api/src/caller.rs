//! The caller: the claims of the token that the gateway has verified.

use crate::problem::Problem;
use axum::http::{Extensions, StatusCode};
use lambda_http::request::RequestContext;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;

/// A role. Each role includes the rights of the roles before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads definitions, runs and reports.
    Viewer,
    /// Edits segments, and edits and runs exports with shared connections.
    Contributor,
    /// Has all rights.
    Administrator,
}

impl Role {
    /// All roles, lowest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Contributor, Self::Administrator];

    /// Returns the name in responses and in the documentation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Contributor => "contributor",
            Self::Administrator => "administrator",
        }
    }
}

/// The names of the roles at the token issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleNames {
    /// The claim that holds a caller's roles, such as `roles` or `cognito:groups`.
    pub claim: String,
    /// The value for administrators.
    pub administrator: String,
    /// The value for contributors.
    pub contributor: String,
    /// The value for viewers.
    pub viewer: String,
}

impl RoleNames {
    /// Returns the claim's value for a role.
    #[must_use]
    pub fn value(&self, role: Role) -> &str {
        match role {
            Role::Viewer => &self.viewer,
            Role::Contributor => &self.contributor,
            Role::Administrator => &self.administrator,
        }
    }

    /// Returns the highest role among the values of the claim. Unknown values are ignored, because other applications use the
    /// same claim.
    #[must_use]
    pub fn highest(&self, claim: &str) -> Option<Role> {
        let values = values(claim);
        Role::ALL.into_iter().rev().find(|role| values.iter().any(|value| value == self.value(*role)))
    }
}

/// The issuer's identifier of a user (claim `sub`). Some issuers use an e-mail address, so it is never shown, stored or
/// logged; [`Caller::display_id`] is used instead.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Subject(String);

impl Subject {
    /// Wraps the value of the claim.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Subject(…)")
    }
}

/// The authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The issuer's identifier of the caller.
    pub subject: Subject,
    /// The highest role in the token.
    pub role: Role,
}

impl Caller {
    /// Returns the identifier of the caller in definitions, responses and audit lines: the subject if it is a plain
    /// identifier, and otherwise (an e-mail address, a name with spaces) `subject-` and 16 digits of its hash. It is stable for
    /// each subject, and `GET /me` returns it.
    #[must_use]
    pub fn display_id(&self) -> String {
        let Subject(subject) = &self.subject;
        let is_plain = subject.len() <= 128
            && subject.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:|".contains(&byte));
        if is_plain {
            return subject.clone();
        }
        let digits = blake3::hash(subject.as_bytes()).to_hex();
        format!("subject-{}", digits.chars().take(16).collect::<String>())
    }

    /// Reads the caller from a request that came through the gateway.
    ///
    /// Returns 401 if the gateway verified no token, which its authorizer prevents, and 403 if the token has no subject or no
    /// role of this deployment.
    pub(crate) fn from_request(extensions: &Extensions, names: &RoleNames) -> Result<Self, Problem> {
        Self::from_claims(claims(extensions)?, names)
    }

    fn from_claims(claims: &HashMap<String, String>, names: &RoleNames) -> Result<Self, Problem> {
        let subject = claims.get("sub").filter(|subject| !subject.is_empty()).ok_or_else(|| {
            let detail = "the token has no claim `sub`, so the caller is unknown";
            Problem::new(StatusCode::FORBIDDEN, "subject_missing", detail)
        })?;
        let role = claims.get(&names.claim).and_then(|claim| names.highest(claim)).ok_or_else(|| {
            let RoleNames { claim, administrator, contributor, viewer } = names;
            let detail = format!(
                "the token gives no role: its claim `{claim}` must contain {administrator}, {contributor} or {viewer}"
            );
            Problem::new(StatusCode::FORBIDDEN, "role_missing", detail)
        })?;
        Ok(Self { subject: Subject(subject.clone()), role })
    }
}

/// Returns the claims of the token as the gateway passes them on: each value is a string.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>
pub(crate) fn claims(extensions: &Extensions) -> Result<&HashMap<String, String>, Problem> {
    let claims = match extensions.get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.authorizer.as_ref(),
        _ => None,
    };
    claims.and_then(|authorizer| authorizer.jwt.as_ref()).map(|jwt| &jwt.claims).ok_or_else(|| {
        Problem::new(StatusCode::UNAUTHORIZED, "token_missing", "the request has no verified token")
    })
}

/// Splits a claim into its values. Accepts a JSON list, a list as the gateway writes it (`[a b]`), and text with spaces or
/// commas.
fn values(claim: &str) -> Vec<String> {
    if let Ok(list) = serde_json::from_str::<Vec<Value>>(claim) {
        return list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    let trimmed = claim.trim();
    let inner = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(trimmed);
    let separates = |character: char| character.is_whitespace() || character == ',';
    inner.split(separates).filter(|value| !value.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> RoleNames {
        RoleNames {
            claim: "roles".to_owned(),
            administrator: "relay-administrator".to_owned(),
            contributor: "relay-contributor".to_owned(),
            viewer: "relay-viewer".to_owned(),
        }
    }

    #[test]
    fn the_highest_role_of_a_claim_counts() {
        #[track_caller]
        fn check(claim: &str, role: Option<Role>) {
            assert_eq!(names().highest(claim), role, "{claim:?}");
        }
        check("relay-viewer", Some(Role::Viewer));
        check("[relay-viewer]", Some(Role::Viewer));
        check("[staff relay-contributor relay-viewer]", Some(Role::Contributor));
        check("[relay-viewer, relay-administrator]", Some(Role::Administrator));
        check(r#"["relay-contributor"]"#, Some(Role::Contributor));
        check(r#"["relay-viewer","relay-administrator"]"#, Some(Role::Administrator));
        check(r#"[1, null, "relay-viewer"]"#, Some(Role::Viewer));
        check("relay-contributor relay-viewer", Some(Role::Contributor));
        check("relay-viewer,relay-contributor", Some(Role::Contributor));
        check("  relay-viewer ,\tstaff\n", Some(Role::Viewer));
        check("", None);
        check("[]", None);
        check("[ ]", None);
        check("staff", None);
        // Names match as a whole and are case-sensitive.
        check("relay-viewers", None);
        check("not-relay-viewer", None);
        check("Relay-Viewer", None);
        // One value of a JSON list is one name, even with separators in it.
        check(r#"["staff relay-administrator"]"#, None);
        check(r#"["staff,relay-administrator"]"#, None);
        check(r#"{"relay-administrator": true}"#, None);
        check("[relay-viewer", None);
    }

    #[test]
    fn a_caller_has_a_subject_and_a_role() {
        #[track_caller]
        fn check(claims: &[(&str, &str)], caller: Result<(&str, Role), &str>) {
            let claims =
                claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let expected = caller.map(|(subject, role)| Caller { subject: Subject::new(subject), role });
            match (Caller::from_claims(&claims, &names()), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{claims:?}"),
                (Err(found), Err(code)) => assert_eq!(found.code(), code, "{claims:?}"),
                (found, expected) => panic!("{found:?} instead of {expected:?}: {claims:?}"),
            }
        }
        check(&[("sub", "a1"), ("roles", "[relay-viewer]")], Ok(("a1", Role::Viewer)));
        check(&[("sub", "a1"), ("groups", "[relay-viewer]")], Err("role_missing"));
        check(&[("sub", "a1"), ("roles", "[staff]")], Err("role_missing"));
        check(&[("sub", "a1")], Err("role_missing"));
        check(&[("roles", "[relay-viewer]")], Err("subject_missing"));
        check(&[("sub", ""), ("roles", "[relay-viewer]")], Err("subject_missing"));
        check(&[], Err("subject_missing"));
    }

    #[test]
    fn addresses_and_names_are_not_shown() {
        #[track_caller]
        fn check(subject: &str, shown: &str) {
            let caller = Caller { subject: Subject::new(subject), role: Role::Viewer };
            assert_eq!(caller.display_id(), shown);
            assert!(!format!("{caller:?}").contains(subject), "{caller:?}");
        }
        check("00u1abcdEFGH-_2", "00u1abcdEFGH-_2");
        check("auth0|5f7c", "auth0|5f7c");
        check("3f2b9c1e-0000-4000-8000-000000000001", "3f2b9c1e-0000-4000-8000-000000000001");
        check("ann@example.com", &hashed("ann@example.com"));
        check("Ann Example", &hashed("Ann Example"));
        check("änn", &hashed("änn"));
        assert_ne!(hashed("ann@example.com"), hashed("ben@example.com"));
    }

    fn hashed(subject: &str) -> String {
        let digits = blake3::hash(subject.as_bytes()).to_hex();
        format!("subject-{}", digits.chars().take(16).collect::<String>())
    }

    #[test]
    fn roles_are_in_order() {
        assert!(Role::Viewer < Role::Contributor && Role::Contributor < Role::Administrator);
        assert!(Role::ALL.is_sorted());
        for role in Role::ALL {
            assert_eq!(serde_json::json!(role), role.name());
        }
    }
}
