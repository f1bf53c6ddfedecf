//! Who is calling: an API key as HTTP Basic user name, or an OAuth access token.
//!
//! <https://www.campaignmonitor.com/api/v3-3/getting-started/#authentication>

use super::endpoint::Endpoint;
use super::errors::{self, ApiError};
use super::ids::{AccountId, ClientId};
use super::world::{Client, World};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Whose an API key is.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) account: AccountId,
    /// Set for a client's key, which sees this client only.
    pub(super) client: Option<ClientId>,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) account: AccountId,
    /// None: every scope.
    pub(super) scopes: Option<Vec<String>>,
    pub(super) expires_at: i64,
    pub(super) revoked: bool,
}

#[derive(Clone, Debug)]
pub(super) struct RefreshToken {
    pub(super) account: AccountId,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) access_token: String,
}

/// Who is calling and what that lets them see.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) account: AccountId,
    pub(super) client: Option<ClientId>,
}

impl Caller {
    pub(super) fn owns(&self, id: &ClientId, client: &Client) -> bool {
        self.account == client.account && self.client.as_ref().is_none_or(|own| own == id)
    }
}

/// The caller by the `Authorization` header, if they may make this call at all.
pub(super) fn authorise(
    world: &World,
    header: Option<&str>,
    call: Endpoint,
    now: i64,
) -> Result<Caller, ApiError> {
    let (scheme, credential) =
        header.and_then(|header| header.split_once(' ')).ok_or(errors::NO_CREDENTIALS)?;
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD.decode(credential.trim()).map_err(|_| errors::NO_CREDENTIALS)?;
        let decoded = String::from_utf8(decoded).map_err(|_| errors::NO_CREDENTIALS)?;
        let (key, _password) = decoded.split_once(':').ok_or(errors::NO_CREDENTIALS)?;
        let key = world.keys.get(key).ok_or(errors::INVALID_KEY)?;
        return Ok(Caller { account: key.account.clone(), client: key.client.clone() });
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(errors::NO_CREDENTIALS);
    }
    let token = world.tokens.get(credential.trim()).ok_or(errors::INVALID_TOKEN)?;
    if token.revoked {
        return Err(errors::REVOKED_TOKEN);
    }
    if token.expires_at <= now {
        return Err(errors::EXPIRED_TOKEN);
    }
    let allowed = token.scopes.as_ref().is_none_or(|scopes| {
        let sufficient = sufficient_scopes(call);
        sufficient.is_empty() || scopes.iter().any(|scope| sufficient.contains(&scope.as_str()))
    });
    if !allowed {
        return Err(errors::MISSING_SCOPE);
    }
    Ok(Caller { account: token.account.clone(), client: None })
}

/// The scopes of which one is enough; none: any token will do. There is no read-only scope for lists.
fn sufficient_scopes(call: Endpoint) -> &'static [&'static str] {
    match call {
        Endpoint::Import | Endpoint::Add => &["ImportSubscribers"],
        Endpoint::List
        | Endpoint::Stats
        | Endpoint::CreateList
        | Endpoint::Fields
        | Endpoint::CreateField
        | Endpoint::ChangeField
        | Endpoint::Update
        | Endpoint::Unsubscribe
        | Endpoint::Remove
        | Endpoint::SuppressionList => &["ManageLists"],
        Endpoint::Members | Endpoint::Details | Endpoint::History => {
            &["ManageLists", "ViewSubscribersInReports"]
        }
        _ => &[],
    }
}
