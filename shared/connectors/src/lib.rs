//! The destinations. A connector gets rows and gives outcomes; it knows nothing of S3, SQS or DynamoDB.
//!
//! Each connector answers four questions: what its limits are ([`Connector::LIMITS`]), whether the account is usable
//! ([`Connector::check`]), what the target list is and which fields it has ([`Connector::prepare`]), and what became
//! of each row ([`Connector::push`], and [`Connector::poll`] where the destination takes its time).

pub mod campaign_monitor;
mod context;
pub mod dynamics365_sales;
mod error;
mod http;
mod limits;
pub mod marketo;
pub mod omnisend;
mod pace;
mod rate;
mod target;
mod text;

pub use context::{CallContext, Intent};
pub use error::{ErrorKind, PushError, Retry};
pub use http::{Cost, Endpoint, EndpointError, HttpClient, HttpRequest, HttpResponse};
pub use limits::{CapScope, LaneScope, Limits};
pub use pace::Pacer;
pub use target::{
    Account, DeltaSize, Estimate, Gathering, NoJob, Prepared, Pushed, Retired, WantedList, Workload,
};

use relay_delivery::batch::Frame;
use relay_delivery::mapping::MatchKeyKind;
use relay_model::CredentialStore;
use relay_model::batch::Kind;
use relay_model::catalog::Export;
use relay_model::pacing::{NotYet, Pace};
use relay_model::{Destination, ListId, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A destination's account.
pub trait Connector: Send + Sync {
    /// Which destination it speaks to.
    const DESTINATION: Destination;

    /// The destination's limits, as data, each with its source.
    const LIMITS: Limits;

    /// What a push must know of a prepared target list and of the export's options. It travels in messages, so it
    /// holds neither personal data nor secrets.
    type Target: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// What has to be remembered of work that the destination has accepted and not done yet. It is kept in the ledger,
    /// so it holds neither personal data nor secrets. [`NoJob`] where the destination always answers at once.
    type Job: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// How many lanes the connection's batches are spread over: so many calls may be in flight.
    fn lanes(&self) -> u16;

    /// How fast calls may follow each other over the whole connection; `None` where the destination publishes no rate.
    fn pace(&self) -> Option<Pace> {
        None
    }

    /// How fast calls of the kind that the destination lets fewer of through ([`Cost::Rare`]) may follow each other.
    fn rare_pace(&self) -> Option<Pace> {
        None
    }

    /// What the match key of an export is made of, as far as that can be told without a call. It is what lets a run that
    /// is over the cap end before it has touched anything; [`Prepared::match_key`] has the last word.
    fn match_key(&self, export: &Export) -> Option<MatchKeyKind>;

    /// How many bytes of a request a row becomes, at the most.
    fn row_bytes(row: &Row, field_keys: &[String]) -> u64;

    /// Whether this account is usable; names the missing right where it is not.
    fn check(&self, context: &CallContext) -> impl Future<Output = Result<Account, PushError>> + Send;

    /// Finds and verifies a target list, creates what the export asks for, and reads which fields there are.
    ///
    /// With [`Intent::Look`] nothing is created or changed: a notice says what would be, and the answer is what there
    /// would be then. A list that is not there yet has an id of our own making, the same for the same list.
    fn prepare(
        &self,
        export: &Export,
        list: &WantedList,
        context: &CallContext,
    ) -> impl Future<Output = Result<Prepared<Self::Target>, PushError>> + Send;

    /// Decides how a delta's additions and changes go, now that it is known how many there are.
    fn gather(&self, _target: &mut Self::Target, _delta: DeltaSize) -> Gathering {
        Gathering::default()
    }

    /// What a delta that was gathered would cost. One call a batch, unless the connector knows better.
    fn estimate(&self, _target: &Self::Target, workload: &Workload<'_>) -> Estimate {
        let calls = u64::try_from(workload.batches.len()).unwrap_or(u64::MAX);
        Estimate::at(calls, self.pace().as_ref())
    }

    /// Sends one batch. An error means that nothing is known of any row, and that sending all of them again is safe.
    fn push(
        &self,
        target: &Self::Target,
        kind: Kind,
        frame: &Frame,
        context: &CallContext,
    ) -> impl Future<Output = Result<Pushed<Self::Job>, PushError>> + Send;

    /// Looks after a batch that the destination has accepted. `frame` is the batch's, as it was pushed.
    fn poll(
        &self,
        target: &Self::Target,
        job: Self::Job,
        frame: &Frame,
        context: &CallContext,
    ) -> impl Future<Output = Result<Pushed<Self::Job>, PushError>> + Send;

    /// Deletes a list that was made for an export, where nothing else uses it.
    fn retire(
        &self,
        _list: &ListId,
        _context: &CallContext,
    ) -> impl Future<Output = Result<Retired, PushError>> + Send {
        std::future::ready(Ok(Retired::NotOffered))
    }

    /// How many people are on a target list after a run, by the destination's own count; `None` where that costs more
    /// than it tells. It stands in the report beside what we believe.
    fn count_members(
        &self,
        _target: &Self::Target,
        _context: &CallContext,
    ) -> impl Future<Output = Result<Option<u64>, PushError>> + Send {
        std::future::ready(Ok(None))
    }
}
