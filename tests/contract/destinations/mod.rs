//! One harness for each destination and each way in which it is spoken to.

pub(crate) mod campaign_monitor;
pub(crate) mod dynamics365_sales;
pub(crate) mod marketo;
pub(crate) mod omnisend;
