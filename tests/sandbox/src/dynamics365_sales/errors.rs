//! Dataverse's errors: HTTP status, code and message.
//!
//! The codes are from <https://learn.microsoft.com/power-apps/developer/data-platform/reference/web-service-error-codes>
//! and the statuses from
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors>. The
//! status of a list's own errors is documented nowhere, and a code may be missing: clients are told to look at the code.

use super::ids::Guid;

/// An error of the Web API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    /// None is shown as an empty text.
    pub(super) code: Option<u32>,
    pub(super) message: String,
}

fn error(status: u16, code: u32, message: impl Into<String>) -> ApiError {
    ApiError { status, code: Some(code), message: message.into() }
}

/// The code of a row that does not exist.
pub(super) const OBJECT_DOES_NOT_EXIST: u32 = 0x8004_0217;

pub(super) fn does_not_exist(table: &str, id: Guid) -> ApiError {
    error(404, OBJECT_DOES_NOT_EXIST, format!("Entity '{table}' With Id = {id} Does Not Exist"))
}

pub(super) fn contacts_do_not_exist(ids: &[Guid]) -> ApiError {
    let names: Vec<String> = ids.iter().map(Guid::to_string).collect();
    let message = if names.is_empty() {
        "A record with the specified key values does not exist in contact entity".to_owned()
    } else {
        format!("Contact With Ids = {} Do Not Exist", names.join(", "))
    };
    error(404, OBJECT_DOES_NOT_EXIST, message)
}

pub(super) fn list_locked() -> ApiError {
    error(400, 0x8004_0302, "List is Locked. Cannot perform this action.")
}

pub(super) fn list_inactive() -> ApiError {
    error(400, 0x8004_033A, "List is not active. Cannot perform this operation.")
}

pub(super) fn list_dynamic() -> ApiError {
    error(400, 0x8004_F701, "This action is not available for a dynamic marketing list.")
}

pub(super) fn wrong_member_type() -> ApiError {
    error(400, 0x8004_0301, "Unsupported list member type.")
}

pub(super) fn not_a_member() -> ApiError {
    error(400, 0x8004_8458, "Specified Item not a member of the specified List.")
}

pub(super) fn duplicate_record() -> ApiError {
    error(412, 0x8004_0237, "A record with matching key values already exists.")
}

/// What `If-None-Match: *` says about a row that exists: documented with an empty code.
pub(super) fn exists_already() -> ApiError {
    ApiError { code: None, ..duplicate_record() }
}

pub(super) fn version_mismatch() -> ApiError {
    error(
        412,
        0x8006_0882,
        "The version of the existing record doesn't match the RowVersion property provided.",
    )
}

pub(super) fn invalid_argument(message: impl Into<String>) -> ApiError {
    error(400, 0x8004_0203, message)
}

/// A body that is not what `$metadata` says.
pub(super) fn invalid_payload(message: impl Into<String>) -> ApiError {
    error(400, 0x8004_8D19, message)
}

pub(super) fn too_long(column: &str, table: &str, longest: usize) -> ApiError {
    let message = format!(
        "A validation error occurred. The length of the '{column}' attribute of the '{table}' entity exceeded the \
         maximum allowed length of '{longest}'."
    );
    error(400, 0x8004_4331, message)
}

/// An address or a query that cannot be read.
pub(super) fn invalid_query(message: impl Into<String>) -> ApiError {
    error(400, 0x8006_0888, message)
}

pub(super) fn no_segment(segment: &str) -> ApiError {
    error(404, 0x8006_088A, format!("Resource not found for the segment '{segment}'."))
}

pub(super) fn method_not_allowed() -> ApiError {
    error(405, 0x8004_0800, "The requested resource does not support this http method.")
}

/// Something that Dataverse may have and this sandbox has not.
pub(super) fn not_built(what: &str) -> ApiError {
    ApiError { status: 501, code: None, message: format!("This sandbox does not have {what}.") }
}

pub(super) fn too_many_conditions() -> ApiError {
    error(400, 0x8004_430E, "Number of condition parameters in query exceeded maximum limit.")
}

pub(super) fn unsupported_method(message: &str) -> ApiError {
    error(400, 0x8004_0800, message)
}

pub(super) fn not_in_organization() -> ApiError {
    error(403, 0x8007_2560, "The user is not a member of the organization.")
}

pub(super) fn user_disabled() -> ApiError {
    error(403, 0x8004_A112, "The specified user is disabled. A disabled user cannot access the system.")
}

pub(super) fn no_roles() -> ApiError {
    error(403, 0x8004_2F09, "User does not have any security roles assigned.")
}

pub(super) fn application_restricted() -> ApiError {
    error(403, 0x8009_5FFC, "Access to Dataverse API is restricted for this application Id.")
}

/// The text names the privilege; the form is the one that the vendor's service shows.
pub(super) fn missing_privilege(
    user: Guid,
    held: usize,
    privilege: &str,
    table: &str,
    number: u32,
) -> ApiError {
    let message = format!(
        "Principal user (Id={user}, type=8, roleCount=1, privilegeCount={held}, accessMode='4 Non-interactive'), is \
         missing {privilege} privilege on OTC={number} for entity '{table}'. context.Caller={user}. Consider adding \
         missed privilege to one of the principal (user/team) roles."
    );
    error(403, 0x8004_0220, message)
}

pub(super) fn aborted_by_plug_in() -> ApiError {
    error(400, 0x8004_0265, "An error occurred in the ISV code.")
}

pub(super) fn database_timeout() -> ApiError {
    error(500, 0x8004_4151, "SQL timeout expired.")
}

pub(super) fn deadlock() -> ApiError {
    error(500, 0x8004_4150, "Generic SQL error. Sql Number: 1205")
}

pub(super) fn too_many_operations() -> ApiError {
    error(400, 0x8004_8D19, "The number of operations in the batch exceeds the maximum of 1000.")
}

pub(super) fn unsupported_media_type() -> ApiError {
    ApiError {
        status: 415,
        code: None,
        message: "The content type of the request is not supported.".to_owned(),
    }
}

/// An error of the server's own with a chosen status.
pub(super) fn server_error(status: u16) -> ApiError {
    match status {
        404 => ApiError { status, code: None, message: "Not Found".to_owned() },
        _ => error(status, 0x8004_0216, "An unexpected error occurred."),
    }
}

pub(super) fn query_on_static_list() -> ApiError {
    error(400, 0x8004_F702, "The query column is not valid for a static list.")
}

pub(super) fn lock_on_dynamic_list() -> ApiError {
    error(400, 0x8004_F703, "The lock status is not valid for a dynamic list.")
}
