//! Batches as jobs: pending, in progress, and done item by item, as single writes would be.

use super::batch::{BatchStatus, Outcome};
use super::clock;
use super::dialect::Dialect;
use super::errors::{self, ApiError, Place};
use super::ids::BrandId;
use super::orders::ItemWork;
use super::request::{self, Named};
use super::server::Shared;
use super::world::{Target, World};
use super::write::{self, Moment, Written};
use serde_json::Value;
use std::sync::Weak;
use std::time::Duration;
use tokio::time::sleep;

/// The items that are done before other calls get their turn.
const CHUNK: usize = 50;

/// Which batch, and how it came.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) brand: BrandId,
    pub(super) number: u32,
    pub(super) dialect: Dialect,
    pub(super) items: Vec<Value>,
    pub(super) queue: Duration,
    pub(super) run: Duration,
}

/// Runs a batch to its end, or until the server is gone.
pub(super) async fn run(shared: Weak<Shared>, job: Job) {
    sleep(job.queue).await;
    let Some(limit) = shared.upgrade().map(|shared| begin(&mut shared.world(), &job)) else {
        return;
    };
    let items = job.items.get(..limit.min(job.items.len())).unwrap_or_default();
    let (first, second) = items.split_at(items.len() / 2);
    for half in [first, second] {
        sleep(job.run / 2).await;
        for chunk in half.chunks(CHUNK) {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let goes_on = process(&mut shared.world(), &job, chunk);
            if !goes_on {
                end(&mut shared.world(), &job);
                return;
            }
            drop(shared);
            tokio::task::yield_now().await;
        }
    }
    if let Some(shared) = shared.upgrade() {
        end(&mut shared.world(), &job);
    }
}

/// The batch is in progress; the number of items after which it has to stop is told.
fn begin(world: &mut World, job: &Job) -> usize {
    let stop = world.orders.take_stop();
    let batch = world.brands.get_mut(&job.brand).and_then(|brand| brand.batches.get_mut(job.number));
    if let Some(batch) = batch {
        batch.status = BatchStatus::InProgress;
        batch.started_at = Some(clock::now());
        batch.outcomes.reserve_exact(batch.total);
    }
    stop.unwrap_or(usize::MAX)
}

/// Does some items. False: there were too many errors for the batch to go on.
fn process(world: &mut World, job: &Job, items: &[Value]) -> bool {
    let moment = Moment { dialect: job.dialect, now: clock::now() };
    for item in items {
        let failure = world.orders.take_failure(email(item));
        let Some(mut target) = world.target(&job.brand) else {
            return false;
        };
        let outcome = do_item(&mut target, item, failure, moment);
        let most_errors = target.options.batch_stops_after_errors;
        let report = &mut target.report.batches;
        let Some(batch) = target.brand.batches.get_mut(job.number) else {
            return false;
        };
        match &outcome {
            Outcome::Applied { .. } => report.applied += 1,
            Outcome::Failed { code, .. } => {
                batch.errors += 1;
                *report.failed.entry(*code).or_default() += 1;
            }
        }
        batch.outcomes.push(outcome);
        if most_errors.is_some_and(|most| batch.errors >= most) {
            return false;
        }
    }
    true
}

fn do_item(
    target: &mut Target<'_>,
    item: &Value,
    failure: Option<(u16, ItemWork)>,
    moment: Moment,
) -> Outcome {
    let done = match failure {
        Some((code, ItemWork::NotDone)) => Err(errors::with_status(code)),
        Some((code, ItemWork::Done)) => apply(target, item, moment).and(Err(errors::with_status(code))),
        None => apply(target, item, moment),
    };
    match done {
        Ok(Written::Created(contact)) => Outcome::Applied { contact, code: moment.dialect.created() },
        Ok(Written::Updated(contact)) => Outcome::Applied { contact, code: 200 },
        Err(error) => {
            let response = error.body(moment.dialect, Place::Item).to_string().into_boxed_str();
            Outcome::Failed { code: error.status, response }
        }
    }
}

fn apply(target: &mut Target<'_>, item: &Value, moment: Moment) -> Result<Written, ApiError> {
    let request = request::read(item, Named::ByIdentifiers, moment.dialect, target.options);
    let written = request.and_then(|request| write::upsert(target, request, moment));
    if let Err(error) = &written {
        *target.report.contacts.refused.entry(error.status).or_default() += 1;
    }
    written
}

fn end(world: &mut World, job: &Job) {
    let Some(target) = world.target(&job.brand) else {
        return;
    };
    target.brand.batches.unfinished = target.brand.batches.unfinished.saturating_sub(1);
    let report = &mut target.report.batches;
    let Some(batch) = target.brand.batches.get_mut(job.number) else {
        return;
    };
    batch.ended_at = Some(clock::now());
    let unprocessed = batch.total.saturating_sub(batch.outcomes.len());
    report.unprocessed += unprocessed;
    if unprocessed > 0 {
        batch.status = BatchStatus::Stopped;
        report.stopped += 1;
    } else {
        batch.status = BatchStatus::Finished;
        report.finished += 1;
    }
}

/// The address of an item, whatever else is wrong with it.
fn email(item: &Value) -> Option<&str> {
    let identifiers = item.get("identifiers")?.as_array()?;
    let email =
        identifiers.iter().find(|identifier| identifier.get("type").is_some_and(|kind| kind == "email"));
    email?.get("id")?.as_str()
}
