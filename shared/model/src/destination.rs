//! The supported destinations.

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// A kind of destination. The set is closed: a new destination is a new variant, and the compiler finds
/// every place that must handle it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Destination {
    /// Campaign Monitor subscriber lists.
    CampaignMonitor,
    /// Marketo Engage static lists.
    Marketo,
    /// Omnisend contacts with a tag for each segment.
    Omnisend,
    /// Dynamics 365 Sales marketing lists.
    #[serde(rename = "dynamics365-sales")]
    Dynamics365Sales,
}

impl Destination {
    /// Returns the name in the catalog, in logs and in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CampaignMonitor => "campaign-monitor",
            Self::Marketo => "marketo",
            Self::Omnisend => "omnisend",
            Self::Dynamics365Sales => "dynamics365-sales",
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
