//! Runs, the executions of exports: states, messages, object keys, plans and reports.

mod cancellation;
mod dry_run;
mod estimate;
mod keys;
mod mask;
mod message;
mod plan;
mod report;
mod state;
mod stop_code;
mod trigger;

pub use cancellation::accepted_notice;
pub use cancellation::{CancelReason, Cancellation};
pub use dry_run::{DryRun, DryRunTarget, SAMPLES_A_KIND, Sample, SampleKind};
pub use estimate::remaining_ms;
pub use keys::Keys;
pub use mask::{mask_text, mask_value};
pub use message::parse as parse_message;
pub use message::{BatchPointer, MessageError, StageMessage, deduplication_id};
pub use plan::{Delta, DeltaLocals, ListUploads, Plan, RunSegment};
pub use report::{ReasonCount, Report, ReportTarget, StageDurations};
pub use state::{Failure, Pause, Run, RunMode, RunState, Stage};
pub use stop_code::StopCode;
pub use trigger::{Trigger, TriggerKind};
