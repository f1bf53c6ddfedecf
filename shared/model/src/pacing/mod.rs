//! Limits on a connection's calls: rate, daily quota, and the budget that all its workers share.

mod budget;
mod pace;
mod quota;

pub use budget::{Budget, Lease};
pub use pace::{DailyBudget, NotYet, Pace};
pub use quota::Quota;
