//! Dynamics 365 Sales, end to end. Most tests share a cloud: each has an organisation of its own in it.

mod interruptions;
mod limits;
mod main_job;
mod organisation;
mod privacy;
mod trouble;
