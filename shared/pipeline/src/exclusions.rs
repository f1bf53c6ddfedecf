//! Exclusions of erased persons: read before members are evaluated, and written before any other step of an
//! erasure.

use crate::StageError;
use relay_cloud::Objects;
use relay_cloud::ledger::Ledger;
use relay_model::privacy::{EXCLUSION_KEY, ExclusionKey, Exclusions, MAX_EXCLUSIONS};
use relay_model::run::StopCode;

/// Reads the exclusions that are in force now.
///
/// Fails if they cannot be read completely, because an excluded person must not return when an object is
/// missing.
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

/// Returns the key of all digests; the first erasure creates it.
pub async fn key_or_new(ledger: &Ledger, objects: &Objects) -> Result<ExclusionKey, StageError> {
    if let Some(key) = stored_key(objects).await? {
        return Ok(key);
    }
    if !ledger.excluded_ids().await?.is_empty() {
        return Err(key_missing());
    }
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| StageError::again(StopCode::Randomness, error.to_string()))?;
    objects.put(EXCLUSION_KEY, bytes.to_vec()).await?;
    Ok(ExclusionKey::new(bytes))
}

async fn stored_key(objects: &Objects) -> Result<Option<ExclusionKey>, StageError> {
    let Some(bytes) = objects.find(EXCLUSION_KEY).await? else { return Ok(None) };
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| {
        StageError::stop(
            StopCode::ExclusionKeyDamaged,
            format!("the object {EXCLUSION_KEY} must have 32 bytes"),
        )
    })?;
    Ok(Some(ExclusionKey::new(bytes)))
}

fn key_missing() -> StageError {
    let text = format!(
        "exclusions are in force, and the object {EXCLUSION_KEY} that holds their key is missing from the data bucket: put \
         it back, or lift all erasures and request them again"
    );
    StageError::stop(StopCode::ExclusionKeyMissing, text)
}

/// The error of more exclusions than the limit.
#[must_use]
pub fn too_many(people: usize) -> StageError {
    let text = format!(
        "{people} persons would be excluded, and the limit is {MAX_EXCLUSIONS}: lift the exclusions of persons that the lake no \
         longer contains"
    );
    StageError::stop(StopCode::TooManyExclusions, text)
}
