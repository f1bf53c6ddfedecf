//! The promises, by what they are about.

pub(crate) mod delivering;
pub(crate) mod preparing;
pub(crate) mod refusals;
pub(crate) mod removing;
pub(crate) mod repeating;
pub(crate) mod retiring;
pub(crate) mod silence;
pub(crate) mod trouble;
