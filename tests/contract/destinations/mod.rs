//! One harness for each destination and each kind of API call.

pub(crate) mod campaign_monitor;
pub(crate) mod dynamics365_sales;
pub(crate) mod marketo;
pub(crate) mod omnisend;
