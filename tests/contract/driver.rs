//! Brings a batch to its end as the worker does: attempts, jobs that are looked after, and what is left of a batch.
//!
//! The waits that a destination asks for are shortened: what is over in the sandbox is over by count, not by time.

use crate::pacer::RecordingPacer;
use relay_connectors::{CallContext, Connector, Pacer, PushError, Pushed, Retry};
use relay_delivery::batch::{Frame, RowResult};
use relay_model::batch::Kind;
use relay_model::{Outcome, Reason};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often the worker tries a batch that gets no further.
const TRIES: usize = 8;
/// More attempts and looks than any batch here needs.
const MOST_STEPS: usize = 600;
/// The longest wait between two steps.
const WAIT: Duration = Duration::from_millis(20);
/// What an invocation has for a batch.
pub(crate) const LONG: Duration = Duration::from_mins(2);

/// How a batch ended and what happened on the way.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    /// One for each row.
    pub(crate) results: Vec<RowResult>,
    /// What went wrong on the way.
    pub(crate) errors: Vec<PushError>,
    /// Why the rest was given up.
    pub(crate) failure: Option<PushError>,
    /// Calls counted.
    pub(crate) calls: u64,
    /// Throttles counted.
    pub(crate) throttles: u64,
    /// Jobs as the ledger would have kept them.
    pub(crate) jobs: Vec<String>,
}

/// What an attempt may use.
#[derive(Clone)]
pub(crate) struct Allowance {
    /// How long it may take.
    pub(crate) time: Duration,
    /// Who gives out turns.
    pub(crate) pacer: Arc<RecordingPacer>,
}

impl Allowance {
    /// A context of one attempt. As the worker has it, connections without a pace have no pacer.
    pub(crate) fn context<C: Connector>(&self, connector: &C) -> CallContext {
        let pacer = connector.pace().map(|_| -> Arc<dyn Pacer> { self.pacer.clone() });
        CallContext::paced(Instant::now() + self.time, pacer)
    }
}

/// Drives one batch until every row has its result. `connect` makes the connector of each attempt, so that every
/// attempt may be another worker's.
pub(crate) async fn drive<C: Connector>(
    connect: impl Fn() -> C,
    target: &C::Target,
    kind: Kind,
    frame: &Frame,
    allowance: &Allowance,
) -> Delivery {
    let mut delivery = Delivery::default();
    let (mut tries, mut job) = (0_usize, None::<String>);
    for _ in 0..MOST_STEPS {
        let connector = connect();
        let context = allowance.context(&connector);
        let target: C::Target = serde_json::from_str(&serde_json::to_string(target).unwrap()).unwrap();
        let rest = Frame {
            field_keys: frame.field_keys.clone(),
            rows: frame.rows[delivery.results.len()..].to_vec(),
        };
        let sent = match &job {
            Some(job) => connector.poll(&target, serde_json::from_str(job).unwrap(), &rest, &context).await,
            None => connector.push(&target, kind, &rest, &context).await,
        };
        delivery.calls += context.calls();
        delivery.throttles += context.throttles();
        let (error, more) = match sent {
            Ok(Pushed::Done(results)) => {
                delivery.results.extend(results);
                assert_eq!(delivery.results.len(), frame.rows.len(), "one result for each row");
                return delivery;
            }
            Ok(Pushed::Accepted { job: accepted, look_after }) => {
                let accepted = serde_json::to_string(&accepted).unwrap();
                delivery.jobs.push(accepted.clone());
                job = Some(accepted);
                tries = 0;
                sleep(look_after.min(WAIT)).await;
                continue;
            }
            Ok(Pushed::Partly(results, error)) => {
                assert!(results.len() < rest.rows.len(), "what is done as a whole is no part");
                job = None;
                (error, results)
            }
            Err(error) => (error, Vec::new()),
        };
        let has_got_further = !more.is_empty();
        delivery.results.extend(more);
        delivery.errors.push(error.clone());
        tries = if has_got_further { 0 } else { tries + 1 };
        let wait = match error.retry {
            Retry::Wait(wait) => {
                tries = tries.saturating_sub(1);
                wait
            }
            Retry::Backoff if tries < TRIES => WAIT,
            Retry::After(wait) if tries < TRIES => wait,
            Retry::Never | Retry::Backoff | Retry::After(_) | Retry::Pause(_) => {
                let reason = Reason::made(error.kind.code(), error.to_string());
                delivery.results.resize(frame.rows.len(), RowResult::new(Outcome::Deferred(reason)));
                delivery.failure = Some(error);
                return delivery;
            }
        };
        sleep(wait.min(WAIT)).await;
    }
    panic!("the batch never ends: {:?}", delivery.errors.last());
}
