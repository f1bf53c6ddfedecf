//! Accounts at destinations.

use super::{CatalogError, Document, Kind};
use crate::{ConnectionId, Destination, MarketingAction};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// One account at a destination. It holds no credentials; `secret` names where they are stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Its identifier.
    pub id: ConnectionId,
    /// The display name.
    pub name: String,
    /// The kind of destination.
    pub destination: Destination,
    /// The name of the secret in AWS Secrets Manager that holds the credentials.
    pub secret: String,
    /// The consent to data leaving. Without it nothing is exported.
    pub consent: Option<Consent>,
    /// Who may use it in exports.
    #[serde(default)]
    pub use_by: UseBy,
    /// The purposes that the destination uses data for. Policies refer to these; without any, no policy
    /// applies.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schema(max_items = 40)]
    pub marketing_actions: BTreeSet<MarketingAction>,
    /// The destination-specific settings, which the connector parses.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
}

/// The maximum number of marketing actions of a connection.
const MAX_MARKETING_ACTIONS: usize = 40;

/// Who may use a connection in exports. Only administrators see and change its settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UseBy {
    /// Administrators only.
    #[default]
    Administrators,
    /// Contributors too.
    Contributors,
}

/// The agreement that profiles may leave the company for this destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// The person who agreed.
    pub by: String,
    /// When they agreed.
    pub at: Timestamp,
    /// The wording that they agreed to.
    pub text: String,
}

impl Document for Connection {
    const KIND: Kind = Kind::Connection;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn validate(&self) -> Result<(), CatalogError> {
        let is_secret_name = !self.secret.is_empty()
            && self.secret.len() <= 512
            && self.secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte));
        let refuse = |field: &str, problem: String| CatalogError::Field {
            kind: Self::KIND.name(),
            id: self.id.to_string(),
            field: field.to_owned(),
            problem,
        };
        let actions = self.marketing_actions.len();
        if actions > MAX_MARKETING_ACTIONS {
            let problem = format!("has {actions} entries; the maximum is {MAX_MARKETING_ACTIONS}");
            return Err(refuse("marketing_actions", problem));
        }
        if is_secret_name {
            return Ok(());
        }
        let problem = "must be the name of a secret in AWS Secrets Manager, not the secret itself";
        Err(refuse("secret", problem.to_owned()))
    }
}
