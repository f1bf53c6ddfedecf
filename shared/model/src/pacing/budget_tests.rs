//! No window ever has more calls than the pace allows, in any order of leases.

use super::*;
use crate::pacing::DailyBudget;
use jiff::civil::time;
use jiff::tz::TimeZone;
use proptest::prelude::*;

const START: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn pace(calls: u32) -> Pace {
    Pace { calls, window: Duration::from_secs(20), daily: None }
}

fn at(milliseconds: u64) -> Timestamp {
    later(START, Duration::from_millis(milliseconds))
}

proptest! {
    #[test]
    fn no_window_has_too_many_calls(
        calls in 1_u32..120,
        steps in proptest::collection::vec((0_u64..900, 1_u32..12, 0_u64..=100, any::<bool>()), 1..400),
    ) {
        let pace = pace(calls);
        let lateness_ms = u64::try_from(pace.lateness().as_millis()).unwrap();
        let mut budget = Budget::default();
        let (mut now_ms, mut made): (u64, Vec<Timestamp>) = (0, Vec::new());
        for (wait_ms, requested, late_percent, is_refused) in steps {
            now_ms += wait_ms;
            if is_refused && wait_ms % 7 == 0 {
                budget.slow_down(&pace, at(now_ms));
            }
            let Ok(mut lease) = budget.lease(&pace, requested, Duration::from_secs(3), at(now_ms)) else { continue };
            while let Some(slot) = lease.take(pace.lateness(), at(now_ms)) {
                made.push(later(slot, Duration::from_millis(lateness_ms * late_percent / 100)));
            }
        }
        made.sort();
        for pair in made.windows(usize::try_from(calls).unwrap() + 1) {
            let span = pair.last().unwrap().duration_since(pair[0]).unsigned_abs();
            prop_assert!(span > pace.window, "{calls} + 1 calls within {span:?}");
        }
    }
}

#[test]
fn nearly_all_that_is_allowed_is_used() {
    for calls in [50, 100] {
        let ideal = pace(calls).window / calls;
        assert!(pace(calls).spacing() < ideal.mul_f64(1.02), "{calls}");
    }
}

#[test]
fn slots_that_are_over_are_not_used() {
    let mut lease = Lease { first: at(0), spacing: Duration::from_millis(100), slots: 3 };
    assert_eq!(lease.take(Duration::from_millis(50), at(120)), Some(at(100)));
    assert_eq!(lease.take(Duration::from_millis(50), at(120)), Some(at(200)));
    assert_eq!(lease.take(Duration::from_millis(50), at(120)), None);
}

#[test]
fn refusals_widen_the_spacing_until_a_window_passes() {
    let (pace, mut budget) = (pace(100), Budget::default());
    assert!(budget.slow_down(&pace, at(0)));
    assert!(!budget.slow_down(&pace, at(1_000)), "the same burst counts once");
    assert_eq!(budget.spacing_percent, 200);
    let turn = budget.lease(&pace, 1, Duration::from_secs(1), at(1_000));
    assert_eq!(turn, Err(NotYet::Turn(Duration::from_secs(4))));
    let wide = budget.lease(&pace, 1, Duration::from_mins(1), at(1_000)).unwrap().spacing;
    assert_eq!(wide, pace.spacing() * 2);
    budget.lease(&pace, 1, Duration::from_mins(1), at(21_000)).unwrap();
    assert_eq!(budget.spacing_percent, 160);
    budget.lease(&pace, 1, Duration::from_mins(1), at(42_000)).unwrap();
    assert_eq!(budget.spacing_percent, 128);
}

#[test]
fn a_spent_day_is_over_at_the_destinations_midnight() {
    let daily = DailyBudget { calls: Some(3), resets_at: time(0, 0, 0, 0), time_zone: TimeZone::UTC };
    let pace = Pace { daily: Some(daily), ..pace(100) };
    let mut budget = Budget::default();
    let midnight: Timestamp = "2027-01-16T00:00:00Z".parse().unwrap();
    assert_eq!(budget.lease(&pace, 2, Duration::from_secs(9), START).unwrap().slots, 2);
    assert_eq!(budget.lease(&pace, 2, Duration::from_secs(9), START).unwrap().slots, 1);
    let spent = budget.lease(&pace, 1, Duration::from_secs(9), START);
    let text = "the connection's own limit of 3 calls a day is used up".to_owned();
    assert_eq!(spent, Err(NotYet::Spent { until: midnight, text }));
    assert_eq!(budget.lease(&pace, 2, Duration::from_secs(9), midnight).unwrap().slots, 2);

    let mut paused = Budget::default();
    assert_eq!(paused.pause(&pace, "607", START), midnight);
    let spent = paused.lease(&pace, 1, Duration::from_secs(9), START);
    assert_eq!(spent, Err(NotYet::Spent { until: midnight, text: "607".to_owned() }));
    assert!(paused.lease(&pace, 1, Duration::from_secs(9), midnight).is_ok());
}
