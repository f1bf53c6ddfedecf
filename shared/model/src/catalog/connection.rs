//! Accounts of destinations.

use super::{CatalogError, Document, Kind};
use crate::{ConnectionId, Destination, MarketingAction};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// One account of a destination. The credentials are not here: `secret` names where they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Its identifier.
    pub id: ConnectionId,
    /// What people call it.
    pub name: String,
    /// Which kind of system it is an account of.
    pub destination: Destination,
    /// The name of the secret in AWS Secrets Manager that holds the credentials.
    pub secret: String,
    /// Who agreed to data leaving, when, and to which text. Without it nothing is exported.
    pub consent: Option<Consent>,
    /// Who may use it in exports.
    #[serde(default)]
    pub use_by: UseBy,
    /// What the destination uses data for. Policies are about these; without any, no policy holds for it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schema(max_items = 40)]
    pub marketing_actions: BTreeSet<MarketingAction>,
    /// What only this kind of destination knows; the connector parses it.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
}

/// The most marketing actions of a connection.
const MAX_MARKETING_ACTIONS: usize = 40;

/// Who may use a connection in exports. Nobody but administrators ever sees or changes its settings.
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
    /// Who agreed.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// To which words.
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
            let problem = format!("has {actions} entries, and may have {MAX_MARKETING_ACTIONS}");
            return Err(refuse("marketing_actions", problem));
        }
        if is_secret_name {
            return Ok(());
        }
        let problem = "must be the name of a secret in AWS Secrets Manager, not the secret itself";
        Err(refuse("secret", problem.to_owned()))
    }
}
