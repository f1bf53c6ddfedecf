//! One execution of an export: its states, the messages that move it along, where its objects are, its plan and its
//! report.

mod keys;
mod message;
mod plan;
mod report;
mod state;

pub use keys::Keys;
pub use message::{BatchPointer, MessageError, StageMessage, deduplication_id};
pub use plan::{Delta, DeltaLocals, Plan, RunSegment};
pub use report::{ReasonCount, Report, ReportTarget, StageDurations};
pub use state::{Failure, Pause, Run, RunState, Stage, Trigger, TriggerKind};
