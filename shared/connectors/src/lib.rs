//! The destinations. A connector takes rows and returns outcomes; it knows nothing of S3, SQS or DynamoDB.
//!
//! Each connector has limits ([`Connector::LIMITS`]), checks an account ([`Connector::check`]), and prepares
//! a target list and reads its fields ([`Connector::prepare`]). It returns an outcome for each row
//! ([`Connector::push`], and [`Connector::poll`] if the destination processes batches asynchronously).
//!
//! Each destination's folder has the same files: `settings` and `options` (configuration), `auth` and
//! `client` (calls), `wire` (requests and responses), `errors` (what codes mean), `check`, `prepare`, `push`
//! and `remove`. Other files are specific to the destination.

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
pub use error::{ErrorKind, OptionsError, PushError, Retry};
pub use http::{Cost, Endpoint, EndpointError, HttpClient, HttpRequest, HttpResponse};
pub use limits::{CapScope, LaneScope, Limits};
pub use pace::Pacer;
pub use rate::Rate;
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
use serde_json::{Map, Value};

/// Runs an expression with the module of a destination: `for_destination!(destination, module =>
/// module::f())`.
macro_rules! for_destination {
    ($destination:expr, $module:ident => $result:expr) => {
        match $destination {
            Destination::CampaignMonitor => {
                use campaign_monitor as $module;
                $result
            }
            Destination::Dynamics365Sales => {
                use dynamics365_sales as $module;
                $result
            }
            Destination::Marketo => {
                use marketo as $module;
                $result
            }
            Destination::Omnisend => {
                use omnisend as $module;
                $result
            }
        }
    };
}

/// Checks the settings of a connection, without credentials, consent or a call.
pub fn validate_settings(destination: Destination, settings: &Map<String, Value>) -> Result<(), PushError> {
    for_destination!(destination, connector => connector::validate_settings(settings))
}

/// Checks the options of an export, as far as that is possible without a call.
pub fn validate_options(destination: Destination, options: &Map<String, Value>) -> Result<(), PushError> {
    for_destination!(destination, connector => connector::validate_options(options))
}

/// One account of a destination.
pub trait Connector: Send + Sync {
    /// The destination.
    const DESTINATION: Destination;

    /// The destination's limits as data, each with its source.
    const LIMITS: Limits;

    /// The data of a prepared target list and of the export's options that a push needs. It is sent in
    /// messages, so it holds neither personal data nor secrets.
    type Target: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// The state of a batch that the destination has accepted and not finished. It is kept in the ledger, so
    /// it holds neither personal data nor secrets. [`NoJob`] if the destination always responds at once.
    type Job: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// Returns the number of lanes that the connection's batches are spread over, and so of calls that may be
    /// in flight.
    fn lanes(&self) -> u16;

    /// Returns the pace of the whole connection's calls; `None` if the destination publishes no rate.
    fn pace(&self) -> Option<Pace> {
        None
    }

    /// Returns the pace of calls that have a lower rate ([`Cost::Rare`]).
    fn rare_pace(&self) -> Option<Pace> {
        None
    }

    /// Returns the kind of an export's match key, if it is known without a call. With it, a run that exceeds
    /// the cap ends before it changes anything. [`Prepared::match_key`] is authoritative.
    fn match_key(&self, export: &Export) -> Option<MatchKeyKind>;

    /// Returns the most bytes of a request that a row takes.
    fn row_bytes(row: &Row, field_keys: &[String]) -> u64;

    /// Checks whether this account is usable. An error names the missing right.
    fn check(&self, context: &CallContext) -> impl Future<Output = Result<Account, PushError>> + Send;

    /// Finds and verifies a target list, creates what the export requests, and reads the list's fields.
    ///
    /// With [`Intent::Look`], nothing is created or changed: notices say what would be, and the result
    /// describes what would exist then. A list that does not exist yet gets a made-up id, always the same for
    /// the same list.
    fn prepare(
        &self,
        export: &Export,
        list: &WantedList,
        context: &CallContext,
    ) -> impl Future<Output = Result<Prepared<Self::Target>, PushError>> + Send;

    /// Decides how a delta's additions and changes are sent, once their number is known.
    fn gather(&self, _target: &mut Self::Target, _delta: DeltaSize) -> Gathering {
        Gathering::default()
    }

    /// Estimates the cost of a delta after [`Connector::gather`]. By default each batch is one call.
    fn estimate(&self, _target: &Self::Target, workload: &Workload<'_>) -> Estimate {
        let calls = u64::try_from(workload.batches.len()).unwrap_or(u64::MAX);
        Estimate::at(calls, self.pace().as_ref())
    }

    /// Sends one batch. An error means that no row has a result, and that it is safe to send all of them
    /// again.
    fn push(
        &self,
        target: &Self::Target,
        kind: Kind,
        frame: &Frame,
        context: &CallContext,
    ) -> impl Future<Output = Result<Pushed<Self::Job>, PushError>> + Send;

    /// Polls a batch that the destination has accepted. `frame` is the frame that was pushed.
    fn poll(
        &self,
        target: &Self::Target,
        job: Self::Job,
        frame: &Frame,
        context: &CallContext,
    ) -> impl Future<Output = Result<Pushed<Self::Job>, PushError>> + Send;

    /// Deletes a list that was created for an export, unless something else uses it.
    fn retire(
        &self,
        _list: &ListId,
        _context: &CallContext,
    ) -> impl Future<Output = Result<Retired, PushError>> + Send {
        std::future::ready(Ok(Retired::NotOffered))
    }

    /// Returns how many people are on a target list after a run, as the destination counts them; `None` if
    /// counting costs too much. The report shows it beside the delivered state.
    fn count_members(
        &self,
        _target: &Self::Target,
        _context: &CallContext,
    ) -> impl Future<Output = Result<Option<u64>, PushError>> + Send {
        std::future::ready(Ok(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(
        destination: Destination,
        settings: &Value,
        options: &Value,
        expected: (Option<&str>, Option<&str>),
    ) {
        let (settings, options) = (settings.as_object().unwrap(), options.as_object().unwrap());
        let found = [validate_settings(destination, settings), validate_options(destination, options)];
        for (found, expected) in found.into_iter().zip([expected.0, expected.1]) {
            match (found, expected) {
                (Ok(()), None) => {}
                (Err(error), Some(message)) => {
                    assert_eq!((error.kind, error.destination), (ErrorKind::Settings, destination));
                    assert!(error.message.starts_with(message), "{error}");
                }
                (found, expected) => panic!("{destination}: {found:?} is not {expected:?}"),
            }
        }
    }

    #[test]
    fn settings_and_options_are_checked_without_a_connection() {
        let marketo = json!({"endpoint": "123-ABC-456.mktorest.com"});
        check(Destination::Marketo, &marketo, &json!({"push": "sync"}), (None, None));
        let missing = Some("settings.endpoint is missing");
        let unknown = Some("options: unknown field `on_duplicates`");
        check(Destination::Marketo, &json!({}), &json!({"on_duplicates": "reject"}), (missing, unknown));
        let consent = Some("options.consent_to_track is missing");
        check(Destination::CampaignMonitor, &json!({"lanes": 4}), &json!({}), (None, consent));
        let foreign = Some("settings.endpoint: host \"evil.example\" is not");
        let elsewhere = json!({"endpoint": "https://evil.example"});
        check(Destination::Omnisend, &elsewhere, &json!({"make_segment": true}), (foreign, None));
        let (tenant, option) = (Some("settings.tenant is missing"), Some("options.tag is not known"));
        check(Destination::Dynamics365Sales, &json!({}), &json!({"tag": 1}), (tenant, option));
    }

    /// Checks the schemas that editors and the `OpenAPI` document use for the destinations.
    #[test]
    fn settings_and_options_have_closed_schemas() {
        fn check<T: utoipa::ToSchema>(fields: &[&str]) {
            let schema = serde_json::to_value(T::schema()).unwrap();
            assert_eq!(schema["additionalProperties"], json!(false), "{}: {schema}", T::name());
            let properties = schema["properties"].as_object().unwrap();
            for (name, property) in properties {
                let text = property.to_string();
                assert!(text.contains("\"description\""), "{}.{name}: {text}", T::name());
            }
            for field in fields {
                assert!(properties.contains_key(*field), "{}.{field}", T::name());
            }
        }
        check::<marketo::MarketoSettings>(&["endpoint", "rate", "quota_resets_at"]);
        check::<marketo::MarketoOptions>(&["lookup_field", "push"]);
        check::<campaign_monitor::CampaignMonitorSettings>(&["client_id", "lanes", "max_body_bytes"]);
        check::<campaign_monitor::CampaignMonitorOptions>(&["consent_to_track", "create_missing_fields"]);
        check::<omnisend::OmnisendSettings>(&["dialect", "refused_wait_ms"]);
        check::<omnisend::OmnisendOptions>(&["tag", "property_types"]);
        check::<dynamics365_sales::Dynamics365SalesSettings>(&["tenant", "client_id", "organisation_url"]);
    }
}
