//! Who is kept out: read before members are taken, written before anything else is done for an erasure.

use crate::aws::Objects;
use crate::ledger::Ledger;
use crate::people::{EXCLUSION_KEY, ExclusionKey, Exclusions, MAX_EXCLUSIONS};
use crate::stages::StageError;

/// Everybody who is kept out now.
///
/// An error where that cannot be said for certain: nobody is to come back because an object is not there.
pub async fn exclusions(ledger: &Ledger, objects: &Objects) -> Result<Exclusions, StageError> {
    let ids = ledger.excluded_ids().await?;
    if ids.is_empty() {
        return Ok(Exclusions::default());
    }
    if ids.len() > MAX_EXCLUSIONS {
        return Err(too_many(ids.len()));
    }
    let key = stored_key(objects).await?.ok_or_else(key_missing)?;
    Ok(Exclusions::new(key, ids))
}

/// The key of all digests. The first erasure makes one; a later one takes what is there.
pub(super) async fn key_or_new(ledger: &Ledger, objects: &Objects) -> Result<ExclusionKey, StageError> {
    if let Some(key) = stored_key(objects).await? {
        return Ok(key);
    }
    if !ledger.excluded_ids().await?.is_empty() {
        return Err(key_missing());
    }
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| StageError::again("randomness", error.to_string()))?;
    objects.put(EXCLUSION_KEY, bytes.to_vec()).await?;
    Ok(ExclusionKey::new(bytes))
}

async fn stored_key(objects: &Objects) -> Result<Option<ExclusionKey>, StageError> {
    let Some(bytes) = objects.find(EXCLUSION_KEY).await? else { return Ok(None) };
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| {
        StageError::stop("exclusion_key_damaged", format!("the object {EXCLUSION_KEY} must have 32 bytes"))
    })?;
    Ok(Some(ExclusionKey::new(bytes)))
}

fn key_missing() -> StageError {
    let text = format!(
        "people are kept out, and the object {EXCLUSION_KEY}, by which they are known, is not in the data bucket: put it \
         back, or lift all erasures and ask for them again"
    );
    StageError::stop("exclusion_key_missing", text)
}

pub(super) fn too_many(people: usize) -> StageError {
    let text = format!(
        "{people} people would be kept out, and at the most {MAX_EXCLUSIONS} can be: lift those of whom your lake has \
         nothing any more"
    );
    StageError::stop("too_many_exclusions", text)
}
