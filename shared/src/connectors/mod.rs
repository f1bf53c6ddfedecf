//! The destinations. A connector gets rows and gives outcomes; it knows nothing of S3, SQS or DynamoDB.
//!
//! Each connector answers four questions: what its limits are ([`Connector::LIMITS`]), whether the account is usable
//! ([`Connector::check`]), what the target list is and which fields it has ([`Connector::prepare`]), and what became
//! of each row ([`Connector::push`]).

pub mod campaign_monitor;
mod context;
mod credentials;
mod error;
mod http;
mod limits;

pub use context::CallContext;
pub use credentials::{CredentialError, CredentialStore};
pub use error::{ErrorKind, PushError, Retry};
pub use http::{Endpoint, EndpointError, HttpClient, HttpRequest, HttpResponse};
pub use limits::{CapScope, Limits};

use crate::batch::{Frame, Kind, RowResult};
use crate::catalog::Export;
use crate::mapping::{Field, MatchKeyKind};
use crate::model::{Destination, ListId, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A destination's account.
pub trait Connector: Send + Sync {
    /// Which destination it speaks to.
    const DESTINATION: Destination;

    /// The destination's limits, as data, each with its source.
    const LIMITS: Limits;

    /// What the match key of an export to this destination is made of.
    const MATCH_KEY: MatchKeyKind;

    /// What a push must know of a prepared target list and of the export's options. It travels in messages, so it
    /// holds neither personal data nor secrets.
    type Target: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// How many bytes of a request a row becomes, at the most.
    fn row_bytes(row: &Row, field_keys: &[String]) -> u64;

    /// Whether this account is usable; names the missing right where it is not.
    fn check(&self, context: &CallContext) -> impl Future<Output = Result<Account, PushError>> + Send;

    /// Finds and verifies a target list, creates what the export asks for, and reads which fields there are.
    fn prepare(
        &self,
        export: &Export,
        list: &ListId,
        context: &CallContext,
    ) -> impl Future<Output = Result<Prepared<Self::Target>, PushError>> + Send;

    /// Sends one batch. Gives one result per row, in the rows' order; an error means that nothing is known of any
    /// row, and that sending all of them again is safe.
    fn push(
        &self,
        target: &Self::Target,
        kind: Kind,
        frame: &Frame,
        context: &CallContext,
    ) -> impl Future<Output = Result<Vec<RowResult>, PushError>> + Send;
}

/// What a check says of an account that is usable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// What the destination calls it, for people.
    pub name: String,
    /// What people should know before they use it.
    pub notices: Vec<String>,
}

/// A target list, verified before the first push.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared<T> {
    /// What each push needs.
    pub target: T,
    /// What is sent with every row alike: when it changes, every row is sent again.
    pub terms: String,
    /// The fields that rows can be mapped to.
    pub fields: Vec<Field>,
    /// What people should know: said in the run and in its report.
    pub notices: Vec<String>,
}
