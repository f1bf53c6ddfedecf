//! Marketo Engage: static lists.
//!
//! `wire`, `answers`, `classify`, `outcomes`, `gathering` and the files of `import` are pure; `auth` and `client` make
//! one call work; `check`, `prepare`, `sync`, `removal` and `import` are the connector's answers. The vendor's documents
//! are at <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api>.

mod address;
mod answers;
mod auth;
mod call;
mod check;
mod classify;
mod client;
mod fields;
mod folders;
mod gathering;
mod identity;
mod import;
mod lists;
mod lookup;
mod membership;
mod options;
mod outcomes;
mod prepare;
mod removal;
mod secret;
mod settings;
mod sync;
mod target;
#[cfg(test)]
mod tests;
mod usage;
mod wire;

pub use import::MarketoJob;
pub use options::{MarketoOptions, OnDuplicates, PersonCreation, PushWay};
pub use settings::OptionsError;
pub use target::{Imports, KeyForm, MarketoTarget, Way};

use super::http::{FIRST_PAUSE, Patience};
use super::{
    Account, CallContext, CapScope, Connector, CredentialStore, DeltaSize, ErrorKind, Estimate, Gathering,
    HttpClient, LaneScope, Limits, Pace, Prepared, PushError, Pushed, Retired, Retry, WantedList, Workload,
};
use auth::Auth;
use client::{Client, Session, Turns};
use fields::Descriptions;
use import::Importer;
use relay_delivery::batch::Frame;
use relay_delivery::mapping::MatchKeyKind;
use relay_model::batch::{BatchLimits, Kind};
use relay_model::catalog::Export;
use relay_model::{Destination, ListId, Row};
use removal::Remover;
use serde_json::{Map, Value};
use settings::{DEFAULT_LANES, Settings};
use std::sync::Arc;
use std::time::Duration;
use sync::Syncer;

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
/// A batch is ten times 300 people, so that its message is worked on for less than a minute at the advised rate.
const UPSERT_ROWS: u32 = 3_000;
const REMOVE_ROWS: u32 = 3_000;
/// "Sync Leads 90 s, Get Leads by Filter 60 s" on the vendor's side (same page as `MAX_RECORDS`); some more lets its
/// end come before ours.
const CALL_TIMEOUT: Duration = Duration::from_secs(110);
/// The typical daily quota (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api>),
/// where the connection has no limit of its own.
const TYPICAL_DAILY_CALLS: u64 = 50_000;
/// How long after a token that has no time left another is asked for.
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
    /// A connector for one connection. `settings` are the connection's; the secret is read when it is first needed.
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
        let settings = Settings::parse(settings).map_err(|error| {
            failure("use the connection's settings", ErrorKind::Settings, error.to_string())
        })?;
        let settings = Arc::new(settings);
        let auth = Auth::new(store, http.clone(), settings.endpoint.clone(), token_pause);
        let client = Client::new(http, Arc::clone(&settings), auth);
        Ok(Self { client, settings, descriptions: Descriptions::default(), first_pause })
    }

    const fn session<'a>(&self, context: &'a CallContext, turns: Turns) -> Session<'a> {
        Session { context, patience: Patience::new(self.first_pause), turns }
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
        // Of any other field only the account's description says what it holds.
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
        check::check(&self.client, &self.settings, &self.descriptions, &self.session(context, Turns::Here))
            .await
    }

    async fn prepare(
        &self,
        export: &Export,
        list: &WantedList,
        context: &CallContext,
    ) -> Result<Prepared<Self::Target>, PushError> {
        prepare::prepare(&self.client, &self.descriptions, export, list, &self.session(context, Turns::Here))
            .await
    }

    fn gather(&self, target: &mut Self::Target, delta: DeltaSize) -> Gathering {
        gathering::gather(&self.settings, target, delta)
    }

    fn estimate(&self, target: &Self::Target, workload: &Workload<'_>) -> Estimate {
        gathering::estimate(&self.settings, target, workload)
    }

    async fn push(
        &self,
        target: &Self::Target,
        kind: Kind,
        frame: &Frame,
        context: &CallContext,
    ) -> Result<Pushed<MarketoJob>, PushError> {
        let (client, session) = (&self.client, &self.session(context, Turns::InTheQueue));
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
        let (client, session) = (&self.client, &self.session(context, Turns::InTheQueue));
        Importer { client, session, target, settings: &self.settings }.look(job, frame).await
    }

    /// Whatever else uses the list keeps it. The people stay in the account.
    async fn retire(&self, list: &ListId, context: &CallContext) -> Result<Retired, PushError> {
        lists::delete(&self.client, list, &self.session(context, Turns::Here)).await
    }
}

/// An error that no answer is behind, and that trying again does not mend.
fn failure(operation: &'static str, kind: ErrorKind, message: impl Into<String>) -> PushError {
    PushError {
        kind,
        retry: Retry::Never,
        destination: Destination::Marketo,
        operation,
        status: None,
        code: None,
        message: message.into(),
    }
}
