//! The calls themselves, of a caller whose key is known.

use super::answer::Answer;
use super::batch_run::{self, Job};
use super::batches;
use super::clock;
use super::dialect::Dialect;
use super::endpoint::{Endpoint, Route};
use super::errors::{self, ApiError};
use super::ids::BrandId;
use super::listing;
use super::query::Query;
use super::request::{self, Named};
use super::segments;
use super::server::Shared;
use super::show;
use super::tagging::{self, Tagging};
use super::world::{Brand, Target, World};
use super::write::{self, Moment, Written};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::time::sleep;

/// A call that is to be answered.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) brand: BrandId,
    pub(super) route: &'a Route,
    pub(super) query: Query,
    /// Where the caller reaches the server, for links.
    pub(super) host: &'a str,
    pub(super) body: &'a [u8],
}

pub(super) fn answer(shared: &Arc<Shared>, call: &Call<'_>) -> Result<Answer, ApiError> {
    let (endpoint, dialect, id) = (call.route.endpoint, call.route.dialect, call.route.id.as_str());
    call.query.check(endpoint.parameters())?;
    match endpoint {
        Endpoint::CreateBatch => return create_batch(shared, call),
        Endpoint::BatchItems => return batch_items(shared, call),
        Endpoint::AddTags => return change_tags(shared, call, Tagging::Add),
        Endpoint::RemoveTags => return change_tags(shared, call, Tagging::Remove),
        _ => {}
    }
    // Read before the lock: other calls go on meanwhile.
    let body = match endpoint {
        Endpoint::UpsertContact
        | Endpoint::UpdateContact
        | Endpoint::UpdateContactByEmail
        | Endpoint::CreateSegment
        | Endpoint::UpdateSegment => json(call.body)?,
        _ => Value::Null,
    };
    let now = clock::now();
    let mut world = shared.world();
    let mut target = target(&mut world, &call.brand)?;
    match endpoint {
        Endpoint::Brand => Ok(brand(target.brand)),
        Endpoint::Contacts => listing::list(target.brand, &call.query, dialect, call.host),
        Endpoint::Contact => {
            let number = contact(target.brand, id)?;
            Ok(whole_contact(target.brand, number, dialect, 200))
        }
        Endpoint::UpsertContact => count_refusal(upsert(&mut target, &body, dialect, now), &mut target),
        Endpoint::UpdateContact => {
            let number = contact(target.brand, id);
            let result = number.and_then(|number| update(&mut target, number, &body, dialect, now));
            count_refusal(result, &mut target)
        }
        Endpoint::UpdateContactByEmail => {
            let email = call.query.get("email");
            let email =
                email.ok_or_else(|| errors::invalid("email", "required", "The parameter is required"))?;
            let number = target.brand.contacts.by_email(email).ok_or_else(|| errors::not_found("Contact"));
            let result = number.and_then(|number| update(&mut target, number, &body, dialect, now));
            count_refusal(result, &mut target)
        }
        Endpoint::Batches => batches::list(target.brand, &call.query, dialect, call.host, target.options),
        Endpoint::Batch => batches::one(target.brand, id, dialect, target.options),
        Endpoint::Segments => segments::list(target.brand, &call.query),
        Endpoint::Segment => segments::one(target.brand, id),
        Endpoint::SegmentStatistics => segments::statistics(target.brand, id),
        Endpoint::CreateSegment => segments::create(&mut target, &body, now),
        Endpoint::UpdateSegment => segments::update(&mut target, id, &body, now),
        Endpoint::DeleteSegment => segments::delete(target.brand, id),
        _ => Err(errors::not_found("Resource")),
    }
}

fn json(body: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice(body).map_err(|_| errors::malformed())
}

fn target<'a>(world: &'a mut World, brand: &BrandId) -> Result<Target<'a>, ApiError> {
    world.target(brand).ok_or_else(errors::unauthorized)
}

fn contact(brand: &Brand, id: &str) -> Result<u32, ApiError> {
    brand.contacts.by_id(id).ok_or_else(|| errors::not_found("Contact"))
}

fn brand(brand: &Brand) -> Answer {
    let body = json!({
        "brandID": brand.id,
        "name": brand.name,
        "website": "https://shop.example.com",
        "platform": "custom",
        "version": "1",
        "currency": "EUR",
        "timezone": "UTC",
        "connected": true,
    });
    Answer::json(200, &body)
}

fn whole_contact(brand: &Brand, number: u32, dialect: Dialect, status: u16) -> Answer {
    let contact = brand.contacts.get(number).map(|contact| show::contact(brand, number, contact, dialect));
    Answer::json(status, &contact)
}

/// v5 answers a write with ids only.
fn written(brand: &Brand, number: u32, dialect: Dialect, status: u16) -> Answer {
    match dialect {
        Dialect::V2026 => whole_contact(brand, number, dialect, status),
        Dialect::V5 => Answer::json(status, &show::brief(brand, number, dialect)),
    }
}

fn upsert(target: &mut Target<'_>, body: &Value, dialect: Dialect, now: i64) -> Result<Answer, ApiError> {
    let request = request::read(body, Named::ByIdentifiers, dialect, target.options)?;
    let (number, status) = match write::upsert(target, request, Moment { dialect, now })? {
        Written::Created(number) => (number, dialect.created()),
        Written::Updated(number) => (number, 200),
    };
    Ok(written(target.brand, number, dialect, status))
}

fn update(
    target: &mut Target<'_>,
    number: u32,
    body: &Value,
    dialect: Dialect,
    now: i64,
) -> Result<Answer, ApiError> {
    let request = request::read(body, Named::ByCall, dialect, target.options)?;
    write::patch(target, number, request, Moment { dialect, now })?;
    Ok(written(target.brand, number, dialect, 200))
}

fn count_refusal(result: Result<Answer, ApiError>, target: &mut Target<'_>) -> Result<Answer, ApiError> {
    if let Err(error) = &result {
        *target.report.contacts.refused.entry(error.status).or_default() += 1;
    }
    result
}

fn create_batch(shared: &Arc<Shared>, call: &Call<'_>) -> Result<Answer, ApiError> {
    let options = shared.world().options.clone();
    let dialect = call.route.dialect;
    let batch = batches::read(call.body, dialect, &options)?;
    let (number, items, answer) =
        batches::create(&mut target(&mut shared.world(), &call.brand)?, batch, dialect, clock::now());
    let queue = clock::scaled(options.batch_queue_ms, options.time_scale);
    let run = clock::scaled(options.batch_run_ms, options.time_scale);
    let job = Job { brand: call.brand.clone(), number, dialect, items, queue, run };
    tokio::spawn(batch_run::run(Arc::downgrade(shared), job));
    Ok(answer)
}

fn batch_items(shared: &Arc<Shared>, call: &Call<'_>) -> Result<Answer, ApiError> {
    let id = call.route.id.as_str();
    let packed = {
        let mut world = shared.world();
        let target = target(&mut world, &call.brand)?;
        batches::packed(target.brand, id, target.options)?
    };
    let requests = batches::unpack(&packed)?;
    let mut world = shared.world();
    let target = target(&mut world, &call.brand)?;
    batches::items(target.brand, id, call.route.dialect, requests, target.options)
}

fn change_tags(shared: &Arc<Shared>, call: &Call<'_>, change: Tagging) -> Result<Answer, ApiError> {
    let body = json(call.body)?;
    let (request, wait) = {
        let mut world = shared.world();
        let mut target = target(&mut world, &call.brand)?;
        let request = tagging::read(&body, target.options)?;
        tagging::accept(&mut target, &request)?;
        (request, clock::scaled(target.options.tagging_ms, target.options.time_scale))
    };
    let (shared, brand) = (Arc::downgrade(shared), call.brand.clone());
    tokio::spawn(async move {
        sleep(wait).await;
        if let Some(shared) = shared.upgrade()
            && let Some(mut target) = shared.world().target(&brand)
        {
            tagging::apply(&mut target, change, &request);
        }
    });
    Ok(Answer::empty(202))
}
