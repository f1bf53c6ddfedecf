//! What every connector promises, proved once for all of them: each destination's harness stands up its sandbox, and the
//! same promises are run against each.
//!
//! A connector is driven in process, as the worker drives it: one attempt after the other, with targets and jobs that
//! have been through JSON in between, and rows that are deferred brought again as the next run does.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it must be"
)]

mod destinations;
mod driver;
mod harness;
mod pacer;
mod people;
mod promises;
mod stage;
mod store;

use destinations::campaign_monitor::CampaignMonitorHarness;
use destinations::{dynamics365_sales as dynamics, marketo, omnisend};

/// One test for each promise, so that a report names the destination and the promise.
macro_rules! contract {
    ($($destination:ident: $harness:ty;)+) => {
        $(contract!(@promises $destination, $harness,
            delivering: everybody_is_delivered_and_nobody_else,
            delivering: the_same_batch_twice_changes_nothing,
            delivering: a_change_is_applied_to_the_person_who_is_there,
            delivering: a_row_that_is_refused_is_told_and_the_others_go,
            delivering: an_empty_batch_costs_no_call,
            delivering: a_batch_costs_what_is_estimated,
            removing: exactly_the_given_people_are_taken_off,
            removing: whoever_was_taken_off_comes_back,
            removing: people_who_said_no_stay_as_they_are,
            repeating: an_answer_that_is_lost_changes_nothing,
            repeating: a_worker_that_dies_changes_nothing,
            repeating: a_call_that_goes_on_without_its_worker_changes_nothing,
            trouble: a_storm_that_ends_loses_nothing,
            trouble: a_storm_without_end_is_an_error_and_few_calls,
            trouble: without_time_no_call_is_made,
            trouble: an_answer_that_does_not_come_is_not_waited_for,
            trouble: nothing_is_called_applied_that_is_not,
            trouble: without_a_turn_no_call_is_made,
            refusals: wrong_credentials_are_named_and_end_it,
            refusals: credentials_that_cannot_be_had_are_told_apart,
            refusals: a_right_that_is_missing_is_found_before_anything_is_sent,
            refusals: a_list_that_is_not_there_ends_it,
            preparing: preparing_twice_is_preparing_once,
            preparing: preparing_in_a_storm_makes_nothing_twice,
            preparing: a_look_writes_nothing,
            silence: nothing_personal_and_no_secret_is_ever_said,
        );)+
    };
    (@promises $destination:ident, $harness:ty, $($topic:ident: $promise:ident,)+) => {
        mod $destination {
            use super::*;
            $(
                #[tokio::test]
                async fn $promise() {
                    promises::$topic::$promise::<$harness>().await;
                }
            )+
        }
    };
}

contract! {
    campaign_monitor: CampaignMonitorHarness;
    marketo_by_calls: marketo::BySync;
    marketo_by_imports: marketo::ByImport;
    dynamics365_sales_in_sets: dynamics::InSets;
    dynamics365_sales_one_by_one: dynamics::OneByOne;
    omnisend_2026: omnisend::InVersion2026;
    omnisend_v5: omnisend::InVersion5;
}

/// What becomes of lists that are not needed any more: one thing where they can be deleted, another where they cannot.
mod retiring {
    use super::*;

    macro_rules! retiring {
        (deleted: $($destination:ident: $harness:ty;)+) => {
            $(contract!(@promises $destination, $harness,
                retiring: a_list_that_is_used_is_left_alone,
                retiring: a_list_that_nothing_uses_goes_and_nobody_with_it,
                retiring: a_list_that_somebody_else_has_deleted_is_gone,
                retiring: a_storm_deletes_no_other_list,
            );)+
        };
        (kept: $($destination:ident: $harness:ty;)+) => {
            $(contract!(@promises $destination, $harness, retiring: a_list_that_cannot_be_deleted_stays,);)+
        };
    }

    retiring! { deleted:
        marketo_by_calls: marketo::BySync;
        marketo_by_imports: marketo::ByImport;
    }

    retiring! { kept:
        campaign_monitor: CampaignMonitorHarness;
        dynamics365_sales_in_sets: dynamics::InSets;
        dynamics365_sales_one_by_one: dynamics::OneByOne;
        omnisend_2026: omnisend::InVersion2026;
        omnisend_v5: omnisend::InVersion5;
    }
}
