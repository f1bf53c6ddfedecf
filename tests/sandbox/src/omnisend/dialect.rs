//! What the two dialects of the API call things, and how much they take.

use serde::{Deserialize, Serialize};

/// A version of the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Dialect {
    /// Under `/api/`, with the header `Omnisend-Version: 2026-03-15`.
    #[default]
    #[serde(rename = "2026-03-15")]
    V2026,
    /// Under `/v5/`, with the header `X-API-KEY`.
    #[serde(rename = "v5")]
    V5,
}

impl Dialect {
    /// What paths begin with.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::V2026 => "/api/",
            Self::V5 => "/v5/",
        }
    }

    /// The most items of a batch: <https://api-docs.omnisend.com/v2026-03-15/reference/post_batches> and
    /// <https://api-docs.omnisend.com/v5/reference/post_batches>.
    pub(super) const fn most_batch_items(self) -> usize {
        match self {
            Self::V2026 => 100,
            Self::V5 => 1000,
        }
    }

    /// The name of the moment at which a channel's status changed.
    pub(super) const fn status_date(self) -> &'static str {
        match self {
            Self::V2026 => "statusChangedAt",
            Self::V5 => "statusDate",
        }
    }

    /// The name of a contact's id.
    pub(super) const fn contact_id(self) -> &'static str {
        match self {
            Self::V2026 => "id",
            Self::V5 => "contactID",
        }
    }

    /// The status of an upsert that made a contact.
    pub(super) const fn created(self) -> u16 {
        match self {
            Self::V2026 => 201,
            Self::V5 => 200,
        }
    }
}
