//! Custom services, their tokens, and what a token may be used for.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/authentication>

use super::answer::Answer;
use super::clock::{Moment, signed};
use super::endpoint::Endpoint;
use super::errors::{self, ApiError};
use super::options::{ExpiresIn, IdentityForm};
use super::request::Parameters;
use super::world::World;
use crate::kit::random::hexadecimal_id;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A permission of the role group "Access API".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Looks at people and lists.
    ReadOnlyPerson,
    /// Changes people and lists' members, and looks at them.
    ReadWritePerson,
    /// Looks at lists and folders as assets.
    ReadOnlyAssets,
    /// Makes, changes and deletes lists and folders, and looks at them.
    ReadWriteAssets,
}

/// A custom service with its API-only user.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) secret: String,
    pub(super) user: String,
    pub(super) permissions: Vec<Permission>,
    /// The partitions that the user sees; none: all.
    pub(super) partitions: Option<Vec<String>>,
    token: Option<Token>,
}

#[derive(Debug)]
struct Token {
    text: String,
    expires_at: Moment,
}

/// Who is calling.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) client_id: String,
    pub(super) user: String,
    permissions: Vec<Permission>,
    pub(super) partitions: Option<Vec<String>>,
}

impl Service {
    pub(super) fn new(
        secret: String,
        user: String,
        permissions: Vec<Permission>,
        partitions: Option<Vec<String>>,
    ) -> Self {
        Self { secret, user, permissions, partitions, token: None }
    }

    /// From now on the token is over.
    pub(super) fn expire_token(&mut self, now: Moment) {
        if let Some(token) = &mut self.token {
            token.expires_at = token.expires_at.min(now);
        }
    }

    /// From now on the token is unknown.
    pub(super) fn forget_token(&mut self) {
        self.token = None;
    }
}

/// The answer of the identity endpoint: the same token until it is over.
pub(super) fn identity(world: &mut World, query: &Parameters, form: &Parameters, now: Moment) -> Answer {
    let reads_form = world.options.identity_form == IdentityForm::Accepted;
    let get = |name| query.get(name).or_else(|| form.get(name).filter(|_| reads_form)).unwrap_or_default();
    if get("grant_type") != "client_credentials" {
        return refusal(400, "unsupported_grant_type", "Unsupported grant type");
    }
    let (token_ms, expires_in) = (world.options.token_ms, world.options.expires_in);
    let secret = get("client_secret");
    let Some(service) = world.services.get_mut(get("client_id")).filter(|service| service.secret == secret)
    else {
        return refusal(401, "unauthorized", "Bad client credentials");
    };
    let token = service.token.take().filter(|token| token.expires_at > now).unwrap_or_else(|| Token {
        text: format!("{}:int", hexadecimal_id()),
        expires_at: now.saturating_add(signed(token_ms)),
    });
    let token = service.token.insert(token);
    let remaining_ms = token.expires_at.saturating_sub(now);
    let mut seconds = match expires_in {
        ExpiresIn::Vendor => remaining_ms / 1000,
        ExpiresIn::Ours => {
            let real = world.clock.real(u64::try_from(remaining_ms).unwrap_or_default());
            i64::try_from(real.as_secs()).unwrap_or(i64::MAX)
        }
    };
    if world.zero_lifetimes > 0 {
        world.zero_lifetimes -= 1;
        seconds = 0;
    }
    let (access_token, scope) = (&token.text, &service.user);
    Answer::json(
        200,
        &json!({
            "access_token": access_token, "token_type": "bearer", "expires_in": seconds, "scope": scope,
        }),
    )
}

fn refusal(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(status, &json!({ "error": error, "error_description": description }))
}

/// The caller by the `Authorization` header.
pub(super) fn authenticate(world: &World, header: Option<&str>, now: Moment) -> Result<Caller, ApiError> {
    let (scheme, text) = header.and_then(|header| header.split_once(' ')).ok_or(errors::NO_TOKEN)?;
    if !scheme.eq_ignore_ascii_case("bearer") || text.trim().is_empty() {
        return Err(errors::NO_TOKEN);
    }
    let has_token =
        |service: &&Service| service.token.as_ref().is_some_and(|token| token.text == text.trim());
    let (client_id, service) =
        world.services.iter().find(|(_, service)| has_token(service)).ok_or(errors::INVALID_TOKEN)?;
    if service.token.as_ref().is_none_or(|token| token.expires_at <= now) {
        return Err(errors::EXPIRED_TOKEN);
    }
    Ok(Caller {
        client_id: client_id.clone(),
        user: service.user.clone(),
        permissions: service.permissions.clone(),
        partitions: service.partitions.clone(),
    })
}

/// Whether the caller's role is enough.
pub(super) fn authorise(caller: &Caller, call: Endpoint) -> Result<(), ApiError> {
    use Permission as P;
    let sufficient: &[Permission] = match call {
        Endpoint::Usage | Endpoint::ErrorStatistics => return Ok(()),
        Endpoint::Describe
        | Endpoint::Describe2
        | Endpoint::Partitions
        | Endpoint::FindLeads
        | Endpoint::ListsOfLead
        | Endpoint::Lists
        | Endpoint::List
        | Endpoint::Members
        | Endpoint::CreateExport
        | Endpoint::EnqueueExport
        | Endpoint::CancelExport
        | Endpoint::ExportStatus
        | Endpoint::ExportFile => &[P::ReadOnlyPerson, P::ReadWritePerson],
        Endpoint::BrowseLists
        | Endpoint::ListByName
        | Endpoint::ListAsset
        | Endpoint::Folders
        | Endpoint::FolderByName
        | Endpoint::Folder => &[P::ReadOnlyAssets, P::ReadWriteAssets],
        Endpoint::CreateList | Endpoint::UpdateList | Endpoint::DeleteList | Endpoint::CreateFolder => {
            &[P::ReadWriteAssets]
        }
        _ => &[P::ReadWritePerson],
    };
    let is_allowed = caller.permissions.iter().any(|permission| sufficient.contains(permission));
    if is_allowed { Ok(()) } else { Err(errors::ACCESS_DENIED) }
}
