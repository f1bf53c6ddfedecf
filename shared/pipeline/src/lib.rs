//! What each function does: one step of a run each, safe to be asked for twice and to crash anywhere.

mod canceling;
mod checking;
pub mod chunk;
mod connections;
mod definitions;
mod dry_runs;
mod error;
pub mod exclusions;
pub mod finish;
mod pacing;
mod placeless;
mod previews;
pub mod push;
mod requests;
mod retrying;
mod runner;
mod starting;
pub mod tick;
mod upkeep;
mod uploads;

pub use checking::ExportCheck;
pub use connections::{Connections, require_consent};
pub use definitions::{RunDefinitions, freeze_definitions, frozen_definitions};
pub use dry_runs::dry_run_findings;
pub use error::StageError;
pub use exclusions::exclusions;
pub use previews::{PreviewMessage, Previews, handle_previews, new_uuid, part_previews};
pub use requests::{RunRequests, StartError};
pub use retrying::require_results;
pub use runner::{Step, handle_stage};
pub use starting::Asked;
pub use uploads::{SegmentRuns, expiry_trigger, upload_trigger};
