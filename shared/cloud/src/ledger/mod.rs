//! The ledger of runs, batches and delivered states. Every change is one conditional write, so that every
//! request can be repeated.

mod batches;
mod budgets;
mod canceling;
mod exclusions;
mod exports;
mod history;
mod item;
mod latest;
mod lists;
mod progress;
mod refreshes;
mod requests;
mod runs;
mod sizes;
mod uploads;

pub use batches::{BatchId, Claim, Closed, Owner, Spent};
pub use budgets::{BudgetKind, StoredBudget};
pub use canceling::Stopped;
pub use exports::{DeliveredPointer, Place};
pub use history::RunFilter;
pub use latest::LatestRun;
pub use lists::ListOwner;
pub use progress::{Attempt, Progress};
pub use requests::{Requested, RunRequest};
pub use runs::RunChange;
pub use sizes::SegmentSize;
pub use uploads::{SegmentUploads, UploadAttempt, UploadPointer};

use crate::CloudError;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

/// The table of runs, batches and delivered states.
#[derive(Clone, Debug)]
pub struct Ledger {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

/// Errors of the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The table is unavailable.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The run does not exist.
    #[error("run {0} is not in the ledger")]
    RunMissing(relay_model::RunId),
    /// An item is malformed.
    #[error("ledger item has no usable attribute \"{attribute}\"")]
    Damaged {
        /// The attribute.
        attribute: &'static str,
    },
    /// Too many concurrent changes of the same item.
    #[error("too many concurrent changes to the ledger item of export {0}")]
    Contended(relay_model::ExportId),
}

impl Ledger {
    /// Creates the ledger on the table `table`.
    #[must_use]
    pub const fn new(client: aws_sdk_dynamodb::Client, table: String) -> Self {
        Self { client, table }
    }

    /// Returns whether a conditional update was written. A failed condition is a result, not an error.
    fn is_written<T, R>(
        &self,
        operation: &'static str,
        answer: Result<T, SdkError<UpdateItemError, R>>,
    ) -> Result<bool, LedgerError> {
        match answer {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(self.cloud(operation, &error).into()),
            },
        }
    }

    fn cloud<E, R>(&self, operation: &'static str, error: &SdkError<E, R>) -> CloudError
    where
        E: aws_sdk_dynamodb::error::ProvideErrorMetadata,
    {
        CloudError::new(operation, &self.table, error)
    }
}
