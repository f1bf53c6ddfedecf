//! Segment Relay's library: everything that the functions do, from a segment's members to the outcome of every row.
//!
//! The rooms, from the pure to the practical: [`model`], [`catalog`] and [`mapping`] know no I/O and no
//! destination's words; [`query`] knows the text of queries, [`delimited`] and [`uploads`] know CSV and what people
//! upload; [`governance`] knows what data may go where; [`snapshot`], [`delta`], [`batch`] and [`run`] turn members into batches and outcomes into
//! the next delivered state; [`connectors`] speak to the destinations; [`aws`] and [`ledger`] speak to the cloud;
//! [`stages`] is what each function does with all of them. `ARCHITECTURE.md` walks one export through the rooms.

pub mod aws;
pub mod batch;
pub mod catalog;
pub mod connectors;
pub mod delimited;
pub mod delta;
pub mod governance;
pub mod ledger;
pub mod mapping;
pub mod model;
pub mod people;
pub mod query;
pub mod run;
pub mod snapshot;
pub mod stages;
pub mod uploads;

use jiff::Timestamp;

/// The wall clock, for those who hand it in: libraries get the time, functions ask for it here.
#[must_use]
pub fn timestamp_now() -> Timestamp {
    Timestamp::now()
}
