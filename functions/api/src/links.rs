//! Expiring links to files.

use crate::problem::Problem;
use jiff::{SignedDuration, Timestamp};
use relay_cloud::Objects;
use relay_cloud::timestamp_now;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// How long a link is valid, in seconds.
const LINK_SECONDS: u32 = 15 * 60;

/// An expiring link.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Link {
    /// The URL of the file. It needs no token until it expires.
    pub(crate) url: String,
    /// When the link expires.
    pub(crate) expires_at: Timestamp,
}

/// Creates a link that downloads an object of the data bucket as a file with this name.
pub(crate) async fn link_to(objects: &Objects, key: &str, name: &str) -> Result<Link, Problem> {
    let lasts = Duration::from_secs(u64::from(LINK_SECONDS));
    let expires_at = timestamp_now() + SignedDuration::from_secs(i64::from(LINK_SECONDS));
    let url = objects.presigned_get(key, lasts, name).await?;
    Ok(Link { url, expires_at })
}
