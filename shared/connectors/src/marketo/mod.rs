//! Marketo Engage: static lists.
//!
//! `settings` and `options` are the configuration; `auth` and `client` make calls; `wire`, `errors`, `push_mode` and the
//! files of `import` do no I/O; `check`, `prepare`, `push`, `remove` and `import` (bulk imports) implement the connector.
//! The vendor's documentation is at
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api>.

mod address;
mod auth;
mod check;
mod client;
mod errors;
mod fields;
mod folders;
mod import;
mod lists;
mod lookup;
mod membership;
mod options;
mod prepare;
mod push;
mod push_mode;
mod remove;
mod settings;
mod target;
#[cfg(test)]
mod tests;
mod usage;
mod wire;

pub use import::MarketoJob;
pub use options::{MarketoOptions, PersonCreation, PushWay};
pub use settings::MarketoSettings;
pub use target::{Imports, KeyForm, MarketoTarget, Way};

use super::http::{FIRST_PAUSE, Session};
use super::{
    Account, CallContext, CapScope, Connector, CredentialStore, DeltaSize, ErrorKind, Estimate, Gathering,
    HttpClient, LaneScope, Limits, Pace, Prepared, PushError, Pushed, Retired, WantedList, Workload,
};
use auth::Auth;
use client::Client;
use fields::Descriptions;
use import::Importer;
use push::Syncer;
use relay_delivery::batch::Frame;
use relay_delivery::mapping::MatchKeyKind;
use relay_model::batch::{BatchLimits, Kind};
use relay_model::catalog::Export;
use relay_model::{Destination, ListId, Row};
use remove::Remover;
use serde_json::{Map, Value};
use settings::{DEFAULT_LANES, Settings};
use std::sync::Arc;
use std::time::Duration;

/// The vendor's own domain for its API
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/base-url>).
pub const DOMAINS: &[&str] = &["mktorest.com"];

/// "A maximum of 300 records" in every call about people and lists
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads>).
const MAX_RECORDS: usize = 300;
/// "The maximum size of a request body is 1 MB"
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api>).
const MAX_BODY_BYTES: u64 = 1_000_000;
/// Files have to be below 10 MB
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-lead-import>).
const IMPORT_BYTES: u64 = 9_500_000;
/// A batch is ten times 300 people, so that a worker needs less than a minute for it at the advised rate.
const UPSERT_ROWS: u32 = 3_000;
const REMOVE_ROWS: u32 = 3_000;
/// "Sync Leads 90 s, Get Leads by Filter 60 s" on the vendor's side (same page as `MAX_RECORDS`); some more lets its
/// end come before ours.
const CALL_TIMEOUT: Duration = Duration::from_secs(110);
/// The typical daily quota (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api>),
/// where the connection has no limit of its own.
const TYPICAL_DAILY_CALLS: u64 = 50_000;
/// The pause before another token is requested if the last one has no time left.
const TOKEN_PAUSE: Duration = Duration::from_secs(1);
/// The right to people and to who is on a list, as the admin pages call it
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/custom-services>).
const PERSON_RIGHT: &str = "Read-Write Person";
/// The right to make, rename and delete lists.
const ASSET_RIGHT: &str = "Read-Write Assets";

/// One account of Marketo Engage. `S` is where its secret is.
pub struct Marketo<S> {
    client: Client<S>,
    settings: Arc<Settings>,
    descriptions: Descriptions,
    first_pause: Duration,
}

impl<S: CredentialStore> Marketo<S> {
    /// Creates a connector for one connection with its settings. The secret is read when it is first needed.
    pub fn new(http: HttpClient, settings: &Map<String, Value>, store: S) -> Result<Self, PushError> {
        Self::with_pauses(http, settings, store, FIRST_PAUSE, TOKEN_PAUSE)
    }

    fn with_pauses(
        http: HttpClient,
        settings: &Map<String, Value>,
        store: S,
        first_pause: Duration,
        token_pause: Duration,
    ) -> Result<Self, PushError> {
        let settings = Arc::new(parse_settings(settings)?);
        let auth = Auth::new(store, http.clone(), settings.endpoint.clone(), token_pause);
        let client = Client::new(http, Arc::clone(&settings), auth);
        Ok(Self { client, settings, descriptions: Descriptions::default(), first_pause })
    }

    const fn session<'a>(&self, context: &'a CallContext) -> Session<'a> {
        Session::new(context, self.first_pause)
    }
}

impl<S: CredentialStore> Connector for Marketo<S> {
    const DESTINATION: Destination = Destination::Marketo;

    const LIMITS: Limits = Limits {
        batch: BatchLimits {
            upsert_rows: UPSERT_ROWS,
            upsert_bytes: MAX_BODY_BYTES * 9,
            remove_rows: REMOVE_ROWS,
        },
        lanes: DEFAULT_LANES,
        lane_scope: LaneScope::Connection,
        // "Up to 1 million profiles" per export
        // (<https://learn.microsoft.com/dynamics365/customer-insights/data/export-marketo>).
        cap_rows: 1_000_000,
        cap_scope: CapScope::Export,
        call_timeout: CALL_TIMEOUT,
    };

    type Target = MarketoTarget;

    type Job = MarketoJob;

    fn lanes(&self) -> u16 {
        self.settings.lanes
    }

    fn pace(&self) -> Option<Pace> {
        Some(self.settings.pace.clone())
    }

    fn match_key(&self, export: &Export) -> Option<MatchKeyKind> {
        // The type of any other field is known from the account's description only.
        match MarketoOptions::parse(&export.options).ok()?.lookup_field.as_str() {
            "email" => Some(MatchKeyKind::AsciiEmail),
            "id" => Some(MatchKeyKind::Number),
            _ => None,
        }
    }

    fn row_bytes(row: &Row, field_keys: &[String]) -> u64 {
        wire::row_bytes(row, field_keys)
    }

    async fn check(&self, context: &CallContext) -> Result<Account, PushError> {
        check::check(&self.client, &self.settings, &self.descriptions, &self.session(context).waiting_here())
            .await
    }

    async fn prepare(
        &self,
        export: &Export,
        list: &WantedList,
        context: &CallContext,
    ) -> Result<Prepared<Self::Target>, PushError> {
        prepare::prepare(
            &self.client,
            &self.descriptions,
            export,
            list,
            &self.session(context).waiting_here(),
        )
        .await
    }

    fn gather(&self, target: &mut Self::Target, delta: DeltaSize) -> Gathering {
        push_mode::choose_push_mode(&self.settings, target, delta)
    }

    fn estimate(&self, target: &Self::Target, workload: &Workload<'_>) -> Estimate {
        push_mode::estimate(&self.settings, target, workload)
    }

    async fn push(
        &self,
        target: &Self::Target,
        kind: Kind,
        frame: &Frame,
        context: &CallContext,
    ) -> Result<Pushed<MarketoJob>, PushError> {
        let (client, session) = (&self.client, &self.session(context));
        if frame.rows.is_empty() {
            return Ok(Pushed::Done(Vec::new()));
        }
        if kind == Kind::Remove {
            return Remover { client, session, target }.remove(frame).await;
        }
        if target.way == Way::BulkImport && import::is_possible(frame) {
            let importer = Importer { client, session, target, settings: &self.settings };
            match importer.submit(frame).await {
                // The limit may be lower than documented; calls are smaller.
                Err(error) if error.kind == ErrorKind::TooLarge => {}
                other => return other,
            }
        }
        Syncer { client, session, target }.sync(frame).await
    }

    async fn poll(
        &self,
        target: &Self::Target,
        job: MarketoJob,
        frame: &Frame,
        context: &CallContext,
    ) -> Result<Pushed<MarketoJob>, PushError> {
        let (client, session) = (&self.client, &self.session(context));
        Importer { client, session, target, settings: &self.settings }.look(job, frame).await
    }

    /// Deletes the list unless something else uses it. The people stay in the account.
    async fn retire(&self, list: &ListId, context: &CallContext) -> Result<Retired, PushError> {
        lists::delete(&self.client, list, &self.session(context).waiting_here()).await
    }
}

/// Checks a connection's settings, without credentials and without a call.
pub fn validate_settings(settings: &Map<String, Value>) -> Result<(), PushError> {
    parse_settings(settings).map(drop)
}

/// Checks an export's options, as far as that is possible without a call.
pub fn validate_options(options: &Map<String, Value>) -> Result<(), PushError> {
    MarketoOptions::parse(options)
        .map(drop)
        .map_err(|error| error.push_error(Destination::Marketo, "use the export's options"))
}

fn parse_settings(settings: &Map<String, Value>) -> Result<Settings, PushError> {
    Settings::parse(settings)
        .map_err(|error| error.push_error(Destination::Marketo, "use the connection's settings"))
}

/// Returns a permanent error that is not a response of the destination.
fn failure(operation: &'static str, kind: ErrorKind, message: impl Into<String>) -> PushError {
    PushError::permanent(Destination::Marketo, operation, kind, message)
}
