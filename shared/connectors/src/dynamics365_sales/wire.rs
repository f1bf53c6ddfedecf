//! What goes over the wire to change members, as JSON. Pure.
//!
//! <https://learn.microsoft.com/dotnet/api/microsoft.crm.sdk.messages.addlistmemberslistrequest>,
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/use-web-api-actions>

use super::metadata::Removing;
use relay_model::Row;
use serde::Serialize;
use serde::ser::Serializer;

const LIST_TYPE: &str = "Microsoft.Dynamics.CRM.list";
const CONTACT_TYPE: &str = "Microsoft.Dynamics.CRM.contact";
const MEMBER_TYPE: &str = "Microsoft.Dynamics.CRM.listmember";
/// Bytes of a member without its id: `{"@odata.type":"Microsoft.Dynamics.CRM.contact","contactid":""},`.
const MEMBER_BYTES: u64 = 64;

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "List")]
    list: List<'a>,
    #[serde(rename = "Members")]
    members: Members<'a>,
}

#[derive(Serialize)]
struct List<'a> {
    #[serde(rename = "@odata.type")]
    odata_type: &'static str,
    listid: &'a str,
}

struct Members<'a>(&'a [&'a str]);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let member =
            |contactid: &&'_ str| Member { odata_type: CONTACT_TYPE, contactid: (*contactid).to_owned() };
        serializer.collect_seq(self.0.iter().map(member))
    }
}

/// The type is not to be left out: the parameter takes rows of any table.
#[derive(Serialize)]
struct Member {
    #[serde(rename = "@odata.type")]
    odata_type: &'static str,
    contactid: String,
}

/// The body of `AddListMembersList` and of `RemoveListMembersList`.
pub(super) fn encode_members(list: &str, contacts: &[&str]) -> Result<Vec<u8>, serde_json::Error> {
    let list = List { odata_type: LIST_TYPE, listid: list };
    serde_json::to_vec(&Body { list, members: Members(contacts) })
}

/// The body of `AddMemberList`.
pub(super) fn encode_addition(contact: &str) -> String {
    serde_json::json!({ "EntityId": contact }).to_string()
}

/// The body of `RemoveMemberList`, whose parameter organisations name differently.
pub(super) fn encode_removal(removing: Removing, contact: &str) -> String {
    match removing {
        Removing::Many | Removing::OneByOneAsEntity => encode_addition(contact),
        Removing::OneByOneAsListMember => {
            serde_json::json!({ "ListMember": { "@odata.type": MEMBER_TYPE, "listmemberid": contact } })
                .to_string()
        }
    }
}

/// How many bytes of a body a row becomes, at the most.
pub(super) fn row_bytes(row: &Row) -> u64 {
    MEMBER_BYTES + u64::try_from(row.match_key.0.len()).unwrap_or(u64::MAX / 2)
}
