//! Omnisend (API version 2026-03-15, or the older v5): contacts with a tag for each segment.
//!
//! `dialect` is what the two versions differ in, as data; `wire`, `answers`, `classify`, `reading`, `tag`, `fields` and `job`
//! are pure; `secret` and `client` make one call work; `check`, `prepare`, `upsert` and `removal` are the connector's
//! answers. The vendor's documents are at <https://api-docs.omnisend.com/reference/overview>.
//!
//! Nobody's subscription is ever raised and nobody's tags but ours are touched: see `wire::encode_batch`, `contacts`
//! and `tagging`.

mod answers;
mod check;
mod classify;
mod client;
mod contacts;
mod dialect;
mod fields;
mod job;
mod options;
mod prepare;
mod reading;
mod removal;
mod secret;
mod segments;
mod settings;
mod tag;
mod tagging;
#[cfg(test)]
mod tests;
mod upsert;
mod wire;

pub use dialect::Dialect;
pub use job::{Failure, OmnisendJob, Span, Submission};
pub use options::{OmnisendOptions, OptionsError, PropertyType, TagOptions};

use super::http::{FIRST_PAUSE, Patience};
use super::{
    Account, CallContext, CapScope, Connector, CredentialStore, Endpoint, ErrorKind, Estimate, HttpClient,
    LaneScope, Limits, Pace, Prepared, PushError, Pushed, Retry, WantedList, Workload,
};
use client::{CALL_TIMEOUT, Client, Session};
use dialect::Tagging;
use relay_delivery::batch::Frame;
use relay_delivery::mapping::MatchKeyKind;
use relay_model::batch::{BatchLimits, Kind};
use relay_model::catalog::Export;
use relay_model::{Destination, Row};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use settings::{DEFAULT_LANES, Settings};
use std::time::Duration;
use tagging::Tagger;
use upsert::Upsert;

/// The vendor's own domains for its API (<https://api-docs.omnisend.com/reference/overview>).
pub const DOMAINS: &[&str] = &["omnisend.com"];
/// The vendor's own address of its API (same page).
pub const DEFAULT_ENDPOINT: &str = "https://api.omnisend.com";

/// The right that a key needs to write contacts, tags and batches
/// (<https://api-docs.omnisend.com/v2026-03-15/reference/post_contacts>).
const WRITE_SCOPE: &str = "contacts.write";

/// People of a call about tags: 250 by id and 250 by address
/// (<https://api-docs.omnisend.com/v2026-03-15/reference/post_contacts-tags>).
const TAGGED_AT_A_TIME: u64 = 500;

/// With less time than this no further call is begun.
const LEAST_TIME: Duration = Duration::from_secs(2);

/// One brand of Omnisend. `S` is where its secret is.
pub struct Omnisend<S> {
    client: Client<S>,
    settings: Settings,
    first_pause: Duration,
}

/// What a push to Omnisend must know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OmnisendTarget {
    /// The tag of the segment.
    pub tag: String,
}

impl<S: CredentialStore> Omnisend<S> {
    /// A connector for one connection. `settings` are the connection's and may name another endpoint; the secret is read
    /// when it is first needed.
    pub fn new(
        endpoint: Endpoint,
        http: HttpClient,
        settings: &Map<String, Value>,
        store: S,
    ) -> Result<Self, PushError> {
        Self::with_pause(endpoint, http, settings, store, FIRST_PAUSE)
    }

    fn with_pause(
        endpoint: Endpoint,
        http: HttpClient,
        settings: &Map<String, Value>,
        store: S,
        first_pause: Duration,
    ) -> Result<Self, PushError> {
        const OPERATION: &str = "use the connection's settings";
        let refuse = |message: String| failure(OPERATION, ErrorKind::Settings, message);
        let settings = Settings::parse(settings).map_err(|error| refuse(error.to_string()))?;
        let endpoint = match &settings.endpoint {
            Some(other) => Endpoint::parse(other, DOMAINS)
                .map_err(|error| refuse(format!("settings.endpoint: {error}")))?,
            None => endpoint,
        };
        endpoint.check(DOMAINS).map_err(|error| refuse(error.to_string()))?;
        Ok(Self { client: Client::new(http, endpoint, store, &settings), settings, first_pause })
    }

    const fn session<'a>(&self, context: &'a CallContext) -> Session<'a> {
        Session { context, patience: Patience::new(self.first_pause) }
    }
}

impl<S: CredentialStore> Connector for Omnisend<S> {
    const DESTINATION: Destination = Destination::Omnisend;

    const LIMITS: Limits = Limits {
        batch: BatchLimits {
            // Ten batches of the API's hundred, or one of v5's thousand, and two calls that tag 500 people each: few
            // enough that a piece of work is done in minutes, and enough that tags, which are dear, go in full calls
            // (<https://api-docs.omnisend.com/v2026-03-15/reference/post_contacts-tags>).
            upsert_rows: 1_000,
            // As many requests of the recommended megabyte as there are batches of a hundred people.
            upsert_bytes: 10 * upsert::MAX_BODY_BYTES,
            // One call takes 250 people by id and 250 by address.
            remove_rows: 500,
        },
        // Batches are worked on while nobody waits for them; this many pieces of work keep the calls of a minute busy.
        lanes: DEFAULT_LANES,
        lane_scope: LaneScope::Connection,
        // One million profiles per export
        // (<https://learn.microsoft.com/dynamics365/customer-insights/data/export-omnisend>).
        cap_rows: 1_000_000,
        cap_scope: CapScope::Export,
        call_timeout: CALL_TIMEOUT,
    };

    type Target = OmnisendTarget;

    type Job = OmnisendJob;

    fn lanes(&self) -> u16 {
        self.settings.lanes
    }

    fn pace(&self) -> Option<Pace> {
        let rate = self.settings.rate;
        Some(Pace { calls: rate.calls, window: rate.window(), daily: None })
    }

    fn rare_pace(&self) -> Option<Pace> {
        Some(Pace { calls: self.settings.tag_calls(), ..self.pace()? })
    }

    fn match_key(&self, _export: &Export) -> Option<MatchKeyKind> {
        Some(MatchKeyKind::Email)
    }

    fn row_bytes(row: &Row, field_keys: &[String]) -> u64 {
        wire::row_bytes(row, field_keys)
    }

    async fn check(&self, context: &CallContext) -> Result<Account, PushError> {
        check::check(&self.client, &self.session(context)).await
    }

    async fn prepare(
        &self,
        export: &Export,
        list: &WantedList,
        context: &CallContext,
    ) -> Result<Prepared<Self::Target>, PushError> {
        prepare::prepare(&self.client, export, list, &self.session(context)).await
    }

    /// Contacts go in batches, each of which is submitted and looked after once at the least; then 500 people are tagged,
    /// or untagged, with a call, for which the rarer turns count. The dialect v5 reads and writes each person's tags, and
    /// reads them again to see whether a tag has gone.
    /// Look-ups of people whose consent is mapped come on top: how many have consented is not known.
    fn estimate(&self, _target: &Self::Target, workload: &Workload<'_>) -> Estimate {
        let words = &self.client.words;
        let contacts = u64::try_from(words.batch_contacts).unwrap_or(u64::MAX);
        let submissions = workload.sum(Kind::Upsert, |rows| 2 * rows.div_ceil(contacts));
        let taggings = |kind, one_by_one: u64| match words.tagging {
            Tagging::Many => workload.sum(kind, |rows| rows.div_ceil(TAGGED_AT_A_TIME)),
            Tagging::OneByOne => workload.sum(kind, |rows| one_by_one * rows),
        };
        let taggings = taggings(Kind::Upsert, 2) + taggings(Kind::Remove, 3);
        let usual = Estimate::at(submissions + taggings, self.pace().as_ref());
        match words.tagging {
            Tagging::Many => {
                let rare = Estimate::at(taggings, self.rare_pace().as_ref());
                Estimate { seconds: usual.seconds.max(rare.seconds), ..usual }
            }
            Tagging::OneByOne => usual,
        }
    }

    async fn push(
        &self,
        target: &Self::Target,
        kind: Kind,
        frame: &Frame,
        context: &CallContext,
    ) -> Result<Pushed<OmnisendJob>, PushError> {
        let (client, session, tag) = (&self.client, &self.session(context), target.tag.as_str());
        match kind {
            Kind::Upsert => Upsert { client, session, settings: &self.settings, tag, frame }.begin().await,
            Kind::Remove => removal::remove(&Tagger { client, session, tag }, frame, session).await,
        }
    }

    async fn poll(
        &self,
        target: &Self::Target,
        job: OmnisendJob,
        frame: &Frame,
        context: &CallContext,
    ) -> Result<Pushed<OmnisendJob>, PushError> {
        let (client, session, tag) = (&self.client, &self.session(context), target.tag.as_str());
        Upsert { client, session, settings: &self.settings, tag, frame }.go_on(job).await
    }
}

/// An error that no answer is behind, and that trying again does not mend.
fn failure(operation: &'static str, kind: ErrorKind, message: impl Into<String>) -> PushError {
    PushError {
        kind,
        retry: Retry::Never,
        destination: Destination::Omnisend,
        operation,
        status: None,
        code: None,
        message: message.into(),
    }
}

fn not_encodable(operation: &'static str) -> PushError {
    failure(operation, ErrorKind::InvalidRequest, "the rows cannot be written as JSON")
}

/// The piece of work has come to the end of its time; the rest goes on at once in the next one.
fn no_time() -> PushError {
    let error = failure("go on", ErrorKind::Timeout, "no time is left for further people");
    PushError { retry: Retry::Wait(Duration::from_secs(1)), ..error }
}
