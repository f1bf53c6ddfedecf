//! Marketo's errors: a code, as a string in the answer, and a message; the HTTP status is nearly always 200.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes>

use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// One documented error, of a whole call or of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ApiError {
    #[serde(serialize_with = "as_text")]
    pub(super) code: u16,
    pub(super) message: Cow<'static, str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn as_text<S: Serializer>(code: &u16, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(code)
}

/// An error with a message of its own.
pub(super) fn error(code: u16, message: impl Into<Cow<'static, str>>) -> ApiError {
    ApiError { code, message: message.into() }
}

const fn fixed(code: u16, message: &'static str) -> ApiError {
    ApiError { code, message: Cow::Borrowed(message) }
}

pub(super) const NO_TOKEN: ApiError = fixed(600, "Access token not specified");
pub(super) const INVALID_TOKEN: ApiError = fixed(601, "Access token invalid");
pub(super) const EXPIRED_TOKEN: ApiError = fixed(602, "Access token expired");
pub(super) const ACCESS_DENIED: ApiError = fixed(603, "Access denied");
pub(super) const METHOD: ApiError = fixed(605, "Requested HTTP method is not supported");
pub(super) const RATE: ApiError = fixed(606, "Max rate limit exceeded");
pub(super) const QUOTA: ApiError = fixed(607, "Daily API request limit reached");
pub(super) const INVALID_JSON: ApiError = fixed(609, "Invalid JSON");
pub(super) const NOT_FOUND: ApiError = fixed(610, "Requested resource not found");
pub(super) const CONTENT_TYPE: ApiError = fixed(612, "Invalid Content Type");
pub(super) const MULTIPART: ApiError = fixed(613, "Invalid Multipart Request");
pub(super) const CONCURRENCY: ApiError = fixed(615, "Concurrent access limit reached");
pub(super) const NO_RECORD: ApiError = fixed(702, "Record not found");
pub(super) const DUPLICATE_NAME: ApiError = fixed(709, "Static List name already exists");
pub(super) const NO_PARENT_FOLDER: ApiError = fixed(710, "Parent Folder not found");
pub(super) const TOO_MANY_RESULTS: ApiError = fixed(1003, "Too many results match the filter");
pub(super) const TOO_MANY_RECORDS: ApiError = fixed(1003, "Too many records: at most 300 in one call");
pub(super) const LEAD_NOT_FOUND: ApiError = fixed(1004, "Lead not found");
pub(super) const LEAD_EXISTS: ApiError = fixed(1005, "Lead already exists");
pub(super) const SEVERAL_LEADS: ApiError = fixed(1007, "Multiple lead match lookup criteria");
pub(super) const PARTITION_ACCESS: ApiError = fixed(1008, "Access to the partition was denied");
pub(super) const PARTITION_REQUIRED: ApiError = fixed(1009, "Partition name must be specified");
pub(super) const OTHER_PARTITION: ApiError = fixed(1010, "Lead is in another partition");
pub(super) const LIST_NOT_FOUND: ApiError = fixed(1013, "Static list not found");
pub(super) const BATCH_NOT_FOUND: ApiError = fixed(1013, "Bulk job not found");
pub(super) const NOT_IN_LIST: ApiError = fixed(1015, "Lead not in list");
pub(super) const TOO_MANY_IMPORTS: ApiError = fixed(1016, "Too many imports");
pub(super) const LIST_BEING_IMPORTED: ApiError =
    fixed(1019, "Import in progress: the target list is already being imported to");
pub(super) const COMPANY_FIELD: ApiError = fixed(1021, "Company update not allowed");
pub(super) const IN_USE: ApiError = fixed(1022, "Object in use");
pub(super) const EXPORT_QUEUE: ApiError = fixed(1029, "Too many jobs in queue");
pub(super) const EXPORT_QUOTA: ApiError = fixed(1029, "Export daily quota exceeded");
pub(super) const ALREADY_QUEUED: ApiError = fixed(1029, "Job already queued");
pub(super) const EXPORT_FILTER: ApiError = fixed(1035, "Unsupported filter type for target subscription");
pub(super) const REPEATED_KEY: ApiError = fixed(1036, "Duplicate object found in input");
pub(super) const TOO_LONG: ApiError = fixed(1077, "Value for field exceeds max length");

/// A parameter that has to be there and is not.
pub(super) fn missing(parameter: &str) -> ApiError {
    error(1002, format!("Missing value for required parameter '{parameter}'"))
}

/// A parameter with a value that is not of its type.
pub(super) fn wrong_type(parameter: &str, wanted: &str) -> ApiError {
    error(1001, format!("Invalid value for '{parameter}'. Required of type '{wanted}'"))
}

/// A field's value that is refused; the vendor's message repeats the value.
pub(super) fn invalid_value(field: &str, value: &str) -> ApiError {
    error(1003, format!("Invalid value for field '{field}' and value '{value}'"))
}

/// Whether a call with this error is left out of the daily quota: the documents mark such codes with a star.
pub(super) fn is_free(code: u16) -> bool {
    matches!(code, 600 | 601 | 602 | 604 | 605 | 608 | 611)
}

/// The documented meaning of a code that a fault asks for.
pub(super) fn of_code(code: u16) -> ApiError {
    let message = match code {
        600 => return NO_TOKEN,
        601 => return INVALID_TOKEN,
        602 => return EXPIRED_TOKEN,
        603 => return ACCESS_DENIED,
        604 => "Request timed out",
        606 => return RATE,
        607 => return QUOTA,
        608 => "API temporarily unavailable",
        611 => "System error",
        614 => "Subscription not reachable",
        615 => return CONCURRENCY,
        713 => "Transient error",
        719 => "Lock wait timeout",
        _ => "The request was refused",
    };
    fixed(code, message)
}
