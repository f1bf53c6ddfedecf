//! The promises, by topic.

pub(crate) mod delivering;
pub(crate) mod errors;
pub(crate) mod leaks;
pub(crate) mod preparing;
pub(crate) mod refusals;
pub(crate) mod removing;
pub(crate) mod repeating;
pub(crate) mod retiring;
