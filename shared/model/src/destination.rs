//! The kinds of system that an export can go to.

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// A kind of system to export to. A closed set: a new destination is a new arm, and the compiler names every place
/// that must know about it.
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
    /// The name used in the catalog, in logs and in the API.
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
