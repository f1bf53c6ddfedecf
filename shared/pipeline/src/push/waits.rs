//! How long a batch waits before it is retried.

use std::time::Duration;

/// The wait after the first failed attempt; it doubles each time.
const FIRST_WAIT_SECONDS: u64 = 10;
/// The longest wait.
const LONGEST_WAIT_SECONDS: u64 = 900;

/// Returns the wait after this many attempts.
pub(super) fn wait(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    Duration::from_secs((FIRST_WAIT_SECONDS << doublings).min(LONGEST_WAIT_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(receive_count: u32, expected_seconds: u64) {
        assert_eq!(wait(receive_count), Duration::from_secs(expected_seconds));
    }

    #[test]
    fn waits_double_up_to_a_bound() {
        check(1, 10);
        check(2, 20);
        check(4, 80);
        check(7, 640);
        check(8, 900);
        check(u32::MAX, 900);
    }
}
