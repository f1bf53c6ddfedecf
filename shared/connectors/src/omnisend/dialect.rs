//! The two living versions of the API, as data: one connector speaks both.
//!
//! <https://api-docs.omnisend.com/reference/overview> and, for what has changed since v5,
//! <https://api-docs.omnisend.com/docs/migrate-from-v5>.

use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// A version of the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dialect {
    /// The current one: chosen by a header, errors after RFC 9457, calls for the tags of many people.
    #[default]
    #[serde(rename = "2026-03-15")]
    V2026,
    /// The older one: chosen by the path, and without any call for the tags of many people.
    #[serde(rename = "v5")]
    V5,
}

/// What a dialect calls things and how much it takes.
#[derive(Debug)]
pub(super) struct Words {
    /// What paths begin with.
    pub(super) base: &'static str,
    /// The header that the key goes into.
    pub(super) key_header: HeaderName,
    /// What stands before the key there.
    pub(super) key_prefix: &'static str,
    /// The header that chooses the version, where one does.
    pub(super) version: Option<(HeaderName, HeaderValue)>,
    /// Contacts of a batch, at the most: <https://api-docs.omnisend.com/v2026-03-15/reference/post_batches> ("up to 100
    /// actions") and <https://api-docs.omnisend.com/v5/reference/post_batches> ("up to 1,000").
    pub(super) batch_contacts: usize,
    /// Since when a channel has its status.
    pub(super) status_moment: &'static str,
    /// How tags are changed.
    pub(super) tagging: Tagging,
    /// Whether the brand can be asked for its name, and for and with segments.
    pub(super) has_brand_and_segments: bool,
    /// Whether a refusal (403) may also mean that too many mistakes were made of late, which passes
    /// (<https://api-docs.omnisend.com/v5/reference/responses>).
    pub(super) is_403_ambiguous: bool,
}

/// How tags are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tagging {
    /// By calls that add or remove tags of many people
    /// (<https://api-docs.omnisend.com/v2026-03-15/reference/post_contacts-tags>).
    Many,
    /// One by one: the contact is read, and written with all of its tags.
    OneByOne,
}

impl Dialect {
    /// What it calls things and how much it takes.
    pub(super) const fn words(self) -> Words {
        match self {
            Self::V2026 => Words {
                base: "api",
                key_header: http::header::AUTHORIZATION,
                key_prefix: "Omnisend-API-Key ",
                version: Some((
                    HeaderName::from_static("omnisend-version"),
                    HeaderValue::from_static("2026-03-15"),
                )),
                batch_contacts: 100,
                status_moment: "statusChangedAt",
                tagging: Tagging::Many,
                has_brand_and_segments: true,
                is_403_ambiguous: false,
            },
            Self::V5 => Words {
                base: "v5",
                key_header: HeaderName::from_static("x-api-key"),
                key_prefix: "",
                version: None,
                batch_contacts: 1_000,
                status_moment: "statusDate",
                tagging: Tagging::OneByOne,
                has_brand_and_segments: false,
                is_403_ambiguous: true,
            },
        }
    }
}
