//! Time-ordered identifiers.

use jiff::Timestamp;
use uuid::Uuid;

/// Returns a time-ordered identifier (UUID version 7). Its random part comes from the operating system.
#[must_use]
pub fn new_uuid(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds))
}
