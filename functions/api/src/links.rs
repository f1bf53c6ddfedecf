//! Links that expire.

use crate::problem::Problem;
use jiff::{SignedDuration, Timestamp};
use relay_cloud::Objects;
use relay_cloud::timestamp_now;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// How long a link works.
const LINK_SECONDS: u32 = 15 * 60;

/// A link that expires.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Link {
    /// Where the file is. Whoever has this address may fetch it until it expires.
    pub(crate) url: String,
    /// Until when.
    pub(crate) expires_at: Timestamp,
}

/// A link to an object of ours, which is downloaded as a file of this name.
pub(crate) async fn link_to(objects: &Objects, key: &str, name: &str) -> Result<Link, Problem> {
    let lasts = Duration::from_secs(u64::from(LINK_SECONDS));
    let expires_at = timestamp_now() + SignedDuration::from_secs(i64::from(LINK_SECONDS));
    let url = objects.presigned_get(key, lasts, name).await?;
    Ok(Link { url, expires_at })
}
