//! How many calls and errors the day had so far.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/usage>

use super::answer::Answer;
use super::clock::{self, Moment};
use super::world::World;
use serde_json::{Value, json};

/// The calls by user.
pub(super) fn usage(world: &mut World, now: Moment) -> Answer {
    world.limits.turn_day(&world.options, now);
    let day = &world.limits.day;
    let users: Vec<Value> =
        day.by_user.iter().map(|(user, calls)| json!({ "userId": user, "count": calls })).collect();
    Answer::result(&[json!({ "date": date(world, now), "total": day.calls, "users": users })])
}

/// The errors by code.
pub(super) fn errors(world: &mut World, now: Moment) -> Answer {
    world.limits.turn_day(&world.options, now);
    let counts = &world.limits.day.errors;
    let rows: Vec<Value> =
        counts.iter().map(|(code, count)| json!({ "errorCode": code.to_string(), "count": count })).collect();
    let total: usize = counts.values().sum();
    Answer::result(&[json!({ "date": date(world, now), "total": total, "errors": rows })])
}

fn date(world: &World, now: Moment) -> String {
    clock::show_day(now, i64::from(world.options.quota_resets_at_utc_minute))
}
