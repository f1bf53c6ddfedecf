//! Campaign Monitor's errors: HTTP status, `Code` and `Message`.
//!
//! From the "Status codes and errors" part of <https://www.campaignmonitor.com/api/v3-3/getting-started/> and the
//! error tables of each method. The status is coarse; clients are told to classify by `Code`.

/// One documented error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) code: u16,
    pub(super) message: &'static str,
}

const fn error(status: u16, code: u16, message: &'static str) -> ApiError {
    ApiError { status, code, message }
}

pub(super) const NO_CREDENTIALS: ApiError =
    error(401, 50, "Must supply a valid HTTP Basic Authorization header");
pub(super) const MISSING_SCOPE: ApiError =
    error(401, 60, "You do not have the required permission to access this resource");
pub(super) const INVALID_KEY: ApiError = error(401, 100, "Invalid API Key");
pub(super) const INVALID_LIST: ApiError = error(401, 101, "Invalid ListID");
pub(super) const INVALID_CLIENT: ApiError = error(401, 102, "Invalid ClientID");
pub(super) const INVALID_TOKEN: ApiError = error(401, 120, "Invalid OAuth Token");
pub(super) const EXPIRED_TOKEN: ApiError = error(401, 121, "Expired OAuth Token");
pub(super) const REVOKED_TOKEN: ApiError = error(401, 122, "Revoked OAuth Token");

pub(super) const INVALID_EMAIL: ApiError = error(400, 1, "Invalid Email Address");
pub(super) const ALREADY_SUBSCRIBED: ApiError = error(400, 201, "Already Subscribed");
pub(super) const NOT_IN_LIST: ApiError = error(400, 203, "Subscriber Not In List");
pub(super) const SUPPRESSED: ApiError = error(400, 204, "In Suppression List");
pub(super) const DELETED: ApiError = error(400, 205, "Is Deleted");
pub(super) const UNSUBSCRIBED: ApiError = error(400, 206, "Is Unsubscribed");
pub(super) const BOUNCED: ApiError = error(400, 207, "Is Bounced");
pub(super) const UNCONFIRMED: ApiError = error(400, 208, "Is Unconfirmed");
pub(super) const TOO_MANY_ROWS: ApiError =
    error(400, 209, "Too many subscribers in this batch. You can only add 1000 subscribers in one call");
pub(super) const IMPORT_HAD_FAILURES: ApiError = error(400, 210, "Subscriber Import had some failures");
pub(super) const INVALID_NEW_EMAIL: ApiError = error(400, 211, "Invalid New Email Address");
pub(super) const NO_ROWS: ApiError = error(400, 212, "No subscribers were provided in this batch");
pub(super) const MISSING_CONSENT: ApiError = error(400, 214, "Consent to track must be provided");
pub(super) const INVALID_CONSENT: ApiError = error(400, 215, "Invalid consent to track value");
pub(super) const INVALID_MOBILE: ApiError = error(400, 220, "Invalid Mobile Number");
pub(super) const INVALID_EMAIL_AND_MOBILE: ApiError =
    error(400, 221, "Invalid Email Address and Mobile Number");

pub(super) const DUPLICATE_TITLE: ApiError = error(400, 250, "List title must be unique");
pub(super) const EMPTY_TITLE: ApiError = error(400, 251, "List title is empty");
pub(super) const FIELD_KEY_FORM: ApiError = error(400, 253, "Field key must be enclosed in [ and ]");
pub(super) const INVALID_FIELD_NAME: ApiError = error(400, 254, "Invalid custom field name");
pub(super) const FIELD_EXISTS: ApiError = error(400, 255, "Custom field name already exists");
pub(super) const OPTIONS_MISSING: ApiError = error(400, 256, "Field options must be supplied");
pub(super) const OPTIONS_NOT_ALLOWED: ApiError =
    error(400, 257, "Field options are only allowed for multi-select fields");
pub(super) const INVALID_DATA_TYPE: ApiError = error(400, 259, "Invalid custom field data type");
pub(super) const INVALID_UNSUBSCRIBE_SETTING: ApiError = error(400, 261, "Invalid unsubscribe setting");

pub(super) const BAD_PAGE: ApiError = error(400, 800, "Page number must be one or more");
pub(super) const BAD_PAGE_SIZE: ApiError = error(400, 801, "Page size must be between 10 and 1000");
pub(super) const BAD_ORDER_FIELD: ApiError = error(400, 802, "Invalid order field");
pub(super) const BAD_ORDER_DIRECTION: ApiError = error(400, 803, "Invalid order direction");

/// A body or parameter of the wrong form; the documents give no code of its own.
pub(super) const MALFORMED: ApiError = error(400, 400, "Failed to deserialize your request");
pub(super) const NOT_FOUND: ApiError = error(404, 404, "Not Found");
pub(super) const TOO_MANY_REQUESTS: ApiError = error(429, 429, "Rate limit exceeded");

/// An error of the server's own with a chosen status: Code 500 for each 5xx, otherwise the status.
pub(super) fn server_error(status: u16) -> ApiError {
    match status {
        429 => TOO_MANY_REQUESTS,
        404 => NOT_FOUND,
        500.. => error(status, 500, "Sorry, we've run into a problem"),
        _ => error(status, status, "The request was refused"),
    }
}
