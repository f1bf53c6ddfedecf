//! The contract of all connectors: each destination's harness starts its sandbox, and the
//! same promises are run against each.
//!
//! A connector runs in process, as in the worker: one attempt after the other, with targets and jobs that
//! are stored as JSON in between, and with deferred rows that are delivered again as by the next run.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails at the first unexpected value"
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
use relay_connectors::Connector;

/// Defines one test for each promise and destination, so that a failure names both.
macro_rules! contract {
    ($($destination:ident: $harness:ty;)+) => {
        $(contract!(@promises $destination, $harness,
            delivering: all_given_people_are_delivered_and_no_others,
            delivering: a_repeated_batch_changes_nothing,
            delivering: a_change_is_applied_to_the_existing_person,
            delivering: a_refused_row_is_reported_and_the_others_are_delivered,
            delivering: an_empty_batch_needs_no_call,
            delivering: a_batch_needs_the_estimated_calls,
            removing: exactly_the_given_people_are_removed,
            removing: removed_people_can_be_added_again,
            removing: people_who_opted_out_stay_unchanged,
            repeating: a_lost_response_changes_nothing,
            repeating: a_killed_worker_changes_nothing,
            repeating: a_call_that_outlives_its_worker_changes_nothing,
            errors: temporary_errors_lose_nothing,
            errors: permanent_errors_end_the_batch_after_few_calls,
            errors: without_time_left_no_call_is_made,
            errors: a_missing_response_is_not_awaited_past_the_deadline,
            errors: only_applied_rows_are_reported_as_applied,
            errors: without_a_token_of_the_pacer_no_call_is_made,
            refusals: wrong_credentials_are_permanent_errors,
            refusals: errors_of_the_credential_store_are_distinguished,
            refusals: a_missing_permission_is_found_before_the_first_write,
            refusals: a_missing_list_is_a_permanent_error,
            preparing: preparing_is_idempotent,
            preparing: preparing_with_errors_creates_nothing_twice,
            preparing: a_dry_run_writes_nothing,
            leaks: errors_and_logs_have_no_personal_data_and_no_secrets,
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

/// Lists that are no longer needed: deleted where the destination allows it, kept elsewhere.
mod retiring {
    use super::*;

    macro_rules! retiring {
        (deleted: $($destination:ident: $harness:ty;)+) => {
            $(contract!(@promises $destination, $harness,
                retiring: a_list_in_use_is_not_deleted,
                retiring: an_unused_list_is_deleted_and_its_people_stay,
                retiring: a_list_deleted_by_others_counts_as_deleted,
                retiring: errors_delete_no_other_list,
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

/// The maximum numbers of profiles of one export, by the documents of the vendors. Segment Relay stops a run above them
/// before its first call.
#[test]
fn caps_are_those_of_the_destinations() {
    fn cap<H: harness::Harness>() -> u64 {
        <H::C as Connector>::LIMITS.cap_rows
    }

    assert_eq!(cap::<CampaignMonitorHarness>(), 1_000_000);
    assert_eq!(cap::<dynamics::InSets>(), 100_000);
}
