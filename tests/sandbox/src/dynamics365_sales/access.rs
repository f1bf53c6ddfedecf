//! Who is calling, and what they may do.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/authenticate-oauth>,
//! <https://learn.microsoft.com/power-platform/admin/security-roles-privileges>

use super::answer::Answer;
use super::control_types::UserState;
use super::errors::{self, ApiError};
use super::ids::Guid;
use super::options::MemberPrivileges;
use super::tables::{CONTACTS, LISTS, Table};
use super::world::{User, World};
use axum::http::{HeaderMap, header};
use serde_json::json;
use std::collections::BTreeSet;

/// The user whose token it is.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) user: Guid,
    privileges: BTreeSet<String>,
}

/// The caller by the `Authorization` header. A token that is none, or is over, gets a 401 without a body.
pub(super) fn caller(world: &World, headers: &HeaderMap, address: &str) -> Result<Caller, Answer> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let text = header.and_then(|header| header.strip_prefix("Bearer "));
    let now_ms = world.clock.now_ms();
    let token = text.and_then(|text| world.tokens.get(text)).filter(|token| token.expires_at_ms > now_ms);
    let Some(application) = token.and_then(|token| world.applications.get(&token.application)) else {
        let challenge = format!(
            "Bearer authorization_uri={address}/common/oauth2/authorize, resource_id={address}/, error=invalid_token"
        );
        return Err(Answer::empty(401).with_text("www-authenticate", &challenge));
    };
    let Some(User { id, state, privileges }) = &application.user else {
        return Err(errors::not_in_organization().into());
    };
    let refusal = match state {
        UserState::Enabled => return Ok(Caller { user: *id, privileges: privileges.clone() }),
        UserState::Disabled => errors::user_disabled(),
        UserState::WithoutRoles => errors::no_roles(),
        UserState::Restricted => errors::application_restricted(),
    };
    Err(refusal.into())
}

impl Caller {
    /// Nothing, or the error that names the privilege.
    pub(super) fn need(&self, privilege: &str, table: &Table) -> Result<(), ApiError> {
        if self.privileges.contains(privilege) {
            return Ok(());
        }
        let held = self.privileges.len();
        Err(errors::missing_privilege(self.user, held, privilege, table.name, table.number))
    }

    /// What changing members needs.
    ///
    /// <https://learn.microsoft.com/previous-versions/dynamicscrm-2016/developers-guide/gg309603(v=crm.8)>
    pub(super) fn need_for_members(&self, documented: MemberPrivileges) -> Result<(), ApiError> {
        self.need("prvReadList", &LISTS)?;
        self.need("prvReadContact", &CONTACTS)?;
        self.need("prvAppendToList", &LISTS)?;
        self.need("prvAppendContact", &CONTACTS)?;
        match documented {
            MemberPrivileges::WithWriteList => self.need("prvWriteList", &LISTS),
            MemberPrivileges::WithoutWriteList => Ok(()),
        }
    }
}

pub(super) fn who_am_i(world: &World, caller: &Caller, organization: &str) -> Answer {
    Answer::json(
        200,
        &json!({
            "@odata.context": format!("{organization}/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"),
            "BusinessUnitId": world.business_unit,
            "UserId": caller.user,
            "OrganizationId": world.organization,
        }),
    )
}

/// The caller's own privileges; a user that is somebody else is not shown.
pub(super) fn user_privileges(
    world: &World,
    caller: &Caller,
    user: Guid,
    organization: &str,
) -> Result<Answer, ApiError> {
    if user != caller.user {
        return Err(errors::does_not_exist("systemuser", user));
    }
    let privileges: Vec<_> = caller
        .privileges
        .iter()
        .map(|name| {
            json!({
                "Depth": "Global",
                "PrivilegeId": name_id(name),
                "BusinessUnitId": world.business_unit,
                "PrivilegeName": name,
            })
        })
        .collect();
    let context = "Microsoft.Dynamics.CRM.RetrieveUserPrivilegesResponse";
    let context = format!("{organization}/api/data/v9.2/$metadata#{context}");
    Ok(Answer::json(200, &json!({ "@odata.context": context, "RolePrivileges": privileges })))
}

/// An id that is always the same for a name.
pub(super) fn name_id(name: &str) -> Guid {
    let fold = |hash: u128, byte: u8| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    };
    Guid::from_number(name.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, fold))
}
