//! One harness for each destination.

pub(crate) mod campaign_monitor;
