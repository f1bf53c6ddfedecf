//! The AWS layer: clients, settings, objects, queues, secrets, events, the catalog and the ledger.

mod audit;
mod catalog_changes;
mod catalog_store;
mod clients;
mod deadline;
mod error;
mod events;
pub mod ledger;
mod metrics;
mod object_events;
mod objects;
mod partial_batch;
mod queues;
mod secrets;
mod settings;

pub use audit::{AuditAction, AuditLine};
pub use catalog_changes::{Change, ChangeError, Expected, MAX_DOCUMENT_BYTES, Written};
pub use catalog_store::{CatalogStore, LookupError, Saved};
pub use clients::Clients;
pub use deadline::deadline;
pub use error::CloudError;
pub use events::EventBus;
pub use metrics::{Unit, calls as aws_calls, emit as emit_metrics};
pub use object_events::{ObjectEvent, PutObject};
pub use objects::{ListedObject, ObjectVersion, Objects};
pub use partial_batch::{Delivery, Failure, Verdict, handle_groups};
pub use queues::{OutgoingMessage, Queue};
pub use secrets::SecretStore;
pub use settings::{Settings, SettingsError};

pub(crate) use metrics::count_call;

use jiff::Timestamp;

/// Returns the wall clock's time. Functions read it here and pass it to the libraries.
#[must_use]
pub fn timestamp_now() -> Timestamp {
    Timestamp::now()
}
