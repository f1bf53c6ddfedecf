//! Removals: the tag is taken from people, and nothing else.

use super::LEAST_TIME;
use super::classify;
use super::client::Session;
use super::tagging::{Change, Person, Tagged, Tagger};
use crate::{PushError, Pushed};
use relay_delivery::batch::{Frame, RowResult};
use relay_model::CredentialStore;
use relay_model::Outcome;

/// Removes a batch, from its first row on. What is done stays done when the rest has to wait.
pub(super) async fn remove<S: CredentialStore, J>(
    tagger: &Tagger<'_, S>,
    frame: &Frame,
    session: &Session<'_>,
) -> Result<Pushed<J>, PushError> {
    let people: Vec<Person<'_>> = frame
        .rows
        .iter()
        .map(|row| Person { id: row.destination_id.as_deref(), email: &row.match_key.0 })
        .collect();
    let mut results: Vec<RowResult> = Vec::with_capacity(people.len());
    while let Some(rest) = people.get(results.len()..).filter(|rest| !rest.is_empty()) {
        let changed = if session.context.left() < LEAST_TIME {
            Err(super::no_time())
        } else {
            tagger.change(Change::Remove, rest).await
        };
        match changed {
            Ok(done) => results.extend(done.into_iter().map(result)),
            Err(error) if results.is_empty() => return Err(error),
            Err(error) => return Ok(Pushed::Partly(results, error)),
        }
    }
    Ok(Pushed::Done(results))
}

fn result(tagged: Tagged) -> RowResult {
    match tagged {
        Tagged::Done => RowResult::new(Outcome::Applied),
        // Whoever is gone has no tag.
        Tagged::NotThere => RowResult::not_ours(Outcome::Applied),
        Tagged::Failed(failure) => classify::result(failure),
    }
}
