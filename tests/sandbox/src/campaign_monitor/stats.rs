//! A list's statistics.
//!
//! <https://www.campaignmonitor.com/api/v3-3/lists/#list-stats>

use super::answer::Answer;
use super::auth::Caller;
use super::clock::Zone;
use super::errors::ApiError;
use super::subscriber::{Subscriber, SubscriberState};
use super::world::World;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListStats {
    total_active_subscribers: usize,
    new_active_subscribers_today: usize,
    new_active_subscribers_yesterday: usize,
    new_active_subscribers_this_week: usize,
    new_active_subscribers_this_month: usize,
    new_active_subscribers_this_year: usize,
    total_unsubscribes: usize,
    unsubscribes_today: usize,
    unsubscribes_yesterday: usize,
    unsubscribes_this_week: usize,
    unsubscribes_this_month: usize,
    unsubscribes_this_year: usize,
    total_deleted: usize,
    deleted_today: usize,
    deleted_yesterday: usize,
    deleted_this_week: usize,
    deleted_this_month: usize,
    deleted_this_year: usize,
    total_bounces: usize,
    bounces_today: usize,
    bounces_yesterday: usize,
    bounces_this_week: usize,
    bounces_this_month: usize,
    bounces_this_year: usize,
}

/// How many in all, today, yesterday, this week (from Monday), this month and this year.
type Periods = [usize; 6];

pub(super) fn stats(world: &mut World, caller: &Caller, id: &str, now: i64) -> Result<Answer, ApiError> {
    let target = world.list(caller, id)?;
    let zone = target.client.zone;
    let today = zone.day(now);
    let people: Vec<&Subscriber> = target.list.members.iter().collect();
    let count = |state| periods(people.iter().filter(|person| person.state == state), zone, today);
    let [total_active, active_today, active_yesterday, active_week, active_month, active_year] =
        count(SubscriberState::Active);
    let [
        total_unsubscribed,
        unsubscribed_today,
        unsubscribed_yesterday,
        unsubscribed_week,
        unsubscribed_month,
        unsubscribed_year,
    ] = count(SubscriberState::Unsubscribed);
    let [total_deleted, deleted_today, deleted_yesterday, deleted_week, deleted_month, deleted_year] =
        count(SubscriberState::Deleted);
    let [total_bounced, bounced_today, bounced_yesterday, bounced_week, bounced_month, bounced_year] =
        count(SubscriberState::Bounced);
    let stats = ListStats {
        total_active_subscribers: total_active,
        new_active_subscribers_today: active_today,
        new_active_subscribers_yesterday: active_yesterday,
        new_active_subscribers_this_week: active_week,
        new_active_subscribers_this_month: active_month,
        new_active_subscribers_this_year: active_year,
        total_unsubscribes: total_unsubscribed,
        unsubscribes_today: unsubscribed_today,
        unsubscribes_yesterday: unsubscribed_yesterday,
        unsubscribes_this_week: unsubscribed_week,
        unsubscribes_this_month: unsubscribed_month,
        unsubscribes_this_year: unsubscribed_year,
        total_deleted,
        deleted_today,
        deleted_yesterday,
        deleted_this_week: deleted_week,
        deleted_this_month: deleted_month,
        deleted_this_year: deleted_year,
        total_bounces: total_bounced,
        bounces_today: bounced_today,
        bounces_yesterday: bounced_yesterday,
        bounces_this_week: bounced_week,
        bounces_this_month: bounced_month,
        bounces_this_year: bounced_year,
    };
    Ok(Answer::json(200, &stats))
}

fn periods<'a>(people: impl Iterator<Item = &'a &'a Subscriber>, zone: Zone, today: Date) -> Periods {
    let back = |days: i8| today.saturating_sub(i64::from(days).days());
    let (yesterday, monday) = (back(1), back(today.weekday().to_monday_zero_offset()));
    let (month, year) = (today.first_of_month(), today.first_of_year());
    let mut counts = Periods::default();
    for person in people {
        let day = zone.day(person.changed_at);
        let within = [true, day == today, day == yesterday, day >= monday, day >= month, day >= year];
        for (count, is_within) in counts.iter_mut().zip(within) {
            *count += usize::from(is_within);
        }
    }
    counts
}
