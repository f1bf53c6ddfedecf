//! The work of each function: one step of a run, safe to repeat and to crash at any point.

mod canceling;
mod checking;
pub mod chunk;
mod connections;
mod definitions;
mod dry_runs;
mod engine_client;
mod error;
pub mod exclusions;
pub mod finish;
mod pacing;
mod placeless;
pub mod push;
mod requests;
mod retrying;
mod runner;
mod starting;
pub mod tick;
mod upkeep;
mod uploads;
mod uuids;

pub use checking::ExportCheck;
pub use connections::{Connections, require_consent};
pub use definitions::{RunDefinitions, freeze_definitions, frozen_definitions};
pub use dry_runs::dry_run_findings;
pub use engine_client::{AskError, EngineClient};
pub use error::StageError;
pub use exclusions::exclusions;
pub use requests::{RunRequests, StartError};
pub use retrying::require_results;
pub use runner::{Step, handle_run, handle_stage};
pub use starting::Asked;
pub use uploads::{SegmentRuns, expiry_trigger, upload_trigger};
pub use uuids::new_uuid;
