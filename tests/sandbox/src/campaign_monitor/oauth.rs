//! The token endpoint: refresh only, since an authorisation code needs a browser and a person.
//!
//! <https://www.campaignmonitor.com/api/v3-3/getting-started/#refreshing-tokens>

use super::answer::Answer;
use super::auth::{RefreshToken, Token};
use super::endpoint::Query;
use super::ids::AccountId;
use super::world::World;
use crate::kit::random::hexadecimal_id;
use serde::{Deserialize, Serialize};

/// An access token and the refresh token that replaces both when it expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// For `Authorization: Bearer …`.
    pub access_token: String,
    /// Lifetime of the access token in seconds.
    pub expires_in: i64,
    /// Good for one refresh.
    pub refresh_token: String,
}

#[derive(Serialize)]
struct TokenError {
    error: &'static str,
    error_description: &'static str,
}

/// Answers a form: `grant_type=refresh_token&refresh_token=…`. Anything else in it is ignored.
pub(super) fn token(world: &mut World, form: &[u8], now: i64) -> Answer {
    let refused = |error, error_description| {
        Answer::json(world.options.oauth_error_status, &TokenError { error, error_description })
    };
    let Ok(form) = std::str::from_utf8(form) else {
        return refused("invalid_request", "The request is not a form");
    };
    let form = Query::parse(form);
    match form.get("grant_type") {
        None => return refused("invalid_request", "A grant type is required"),
        Some("refresh_token") => {}
        Some("authorization_code") => {
            return refused("invalid_grant", "Specified code was invalid or expired");
        }
        Some(_) => return refused("unsupported_grant_type", "Specified grant type is not supported"),
    }
    let Some(refresh_token) = form.get("refresh_token") else {
        return refused("invalid_request", "A refresh token is required");
    };
    let Some(old) = world.refresh_tokens.get(refresh_token).cloned() else {
        return refused("invalid_grant", "Specified refresh token was invalid or expired");
    };
    world.refresh_tokens.remove(refresh_token);
    if world.options.refresh_ends_access_token
        && let Some(token) = world.tokens.get_mut(&old.access_token)
    {
        token.expires_at = token.expires_at.min(now);
    }
    let lifetime_seconds = world.options.access_token_seconds;
    Answer::json(200, &issue(world, old.account, old.scopes, lifetime_seconds, now))
}

/// Makes a pair of tokens.
pub(super) fn issue(
    world: &mut World,
    account: AccountId,
    scopes: Option<Vec<String>>,
    expires_in: i64,
    now: i64,
) -> Tokens {
    let tokens = Tokens { access_token: hexadecimal_id(), expires_in, refresh_token: hexadecimal_id() };
    let expires_at = now.saturating_add(expires_in);
    let token = Token { account: account.clone(), scopes: scopes.clone(), expires_at, revoked: false };
    world.tokens.insert(tokens.access_token.clone(), token);
    let refresh = RefreshToken { account, scopes, access_token: tokens.access_token.clone() };
    world.refresh_tokens.insert(tokens.refresh_token.clone(), refresh);
    tokens
}
