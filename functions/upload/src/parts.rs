//! Downloads one version of an object in parts, ahead of the reader.

use bytes::Bytes;
use relay_cloud::{CloudError, ObjectVersion, Objects};
use std::time::Duration;
use tokio::sync::mpsc;

/// Bytes per request. At most three parts are in memory: one that is read, one in the channel and one that is downloaded.
const PART_BYTES: u64 = 4 * 1024 * 1024;
/// The pauses before a failed request is retried.
const PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(5)];

/// Why a part could not be downloaded.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum PartError {
    /// The object was replaced or deleted. Its replacement has a notification of its own.
    #[error("the file was replaced or deleted before it was read")]
    Gone,
    /// A later attempt may succeed.
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// Downloads an object's parts in order, until the receiver is dropped.
pub(crate) fn fetch(
    objects: Objects,
    key: String,
    version: ObjectVersion,
    bytes: u64,
) -> mpsc::Receiver<Result<Bytes, PartError>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut offset = 0;
        while offset < bytes {
            let length = PART_BYTES.min(bytes - offset);
            let part = part(&objects, &key, &version, offset, length).await;
            let is_last = part.is_err();
            if sender.send(part).await.is_err() || is_last {
                return;
            }
            offset += length;
        }
    });
    receiver
}

async fn part(
    objects: &Objects,
    key: &str,
    version: &ObjectVersion,
    offset: u64,
    length: u64,
) -> Result<Bytes, PartError> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let error = match objects.get_range_of(key, version, offset, length).await {
            Ok(part) => return Ok(part),
            Err(error) => error,
        };
        if matches!(error.code.as_str(), "PreconditionFailed" | "NoSuchKey" | "NoSuchVersion" | "NotFound") {
            return Err(PartError::Gone);
        }
        let Some(pause) = pauses.next() else { return Err(error.into()) };
        tokio::time::sleep(pause).await;
    }
}
