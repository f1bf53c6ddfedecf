//! Removes excluded members from batches.

use crate::errors::QueryError;
use datafusion::arrow::array::{AsArray, BooleanArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::record_batch::RecordBatch;
use relay_model::privacy::Exclusions;
use std::borrow::Cow;

/// Removes excluded members from batches that are sorted by their first column, the member key.
pub(crate) struct ExclusionFilter {
    excluded: Exclusions,
    /// Number of members that were removed.
    pub(crate) excluded_members: u64,
    /// The last removed member, which can have more rows.
    last: Option<String>,
}

impl ExclusionFilter {
    /// Returns a filter that removes these members.
    pub(crate) const fn new(excluded: Exclusions) -> Self {
        Self { excluded, excluded_members: 0, last: None }
    }

    /// Returns the rows of the other members, or `None` if none is left.
    pub(crate) fn filter<'a>(
        &mut self,
        batch: &'a RecordBatch,
    ) -> Result<Option<Cow<'a, RecordBatch>>, QueryError> {
        if self.excluded.is_empty() {
            return Ok(Some(Cow::Borrowed(batch)));
        }
        let keys =
            batch.columns().first().and_then(|keys| keys.as_string_opt::<i32>()).ok_or_else(internal)?;
        let is_kept: Vec<bool> =
            keys.iter().map(|key| !key.is_some_and(|key| self.is_excluded(key))).collect();
        if is_kept.iter().all(|is_in| *is_in) {
            return Ok(Some(Cow::Borrowed(batch)));
        }
        let left = filter_record_batch(batch, &BooleanArray::from(is_kept)).map_err(|_| internal())?;
        Ok((left.num_rows() > 0).then_some(Cow::Owned(left)))
    }

    fn is_excluded(&mut self, key: &str) -> bool {
        let is_excluded = self.excluded.has(key);
        if is_excluded && self.last.as_deref() != Some(key) {
            self.excluded_members += 1;
            self.last = Some(key.to_owned());
        }
        is_excluded
    }
}

fn internal() -> QueryError {
    QueryError::Internal { kind: "exclusions".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{ArrayRef, StringArray};
    use relay_model::privacy::ExclusionKey;
    use std::sync::Arc;

    #[track_caller]
    fn check(out: &[&str], batches: &[&[Option<&str>]], expected: &[&str], excluded_members: u64) {
        let key = ExclusionKey::new([3; 32]);
        let ids = out.iter().map(|member| key.id(member)).collect();
        let mut filter = ExclusionFilter::new(Exclusions::new(key, ids));
        let mut found = Vec::new();
        for keys in batches {
            let keys: ArrayRef = Arc::new(StringArray::from(keys.to_vec()));
            let batch = RecordBatch::try_from_iter_with_nullable([("member_key", keys, true)]).unwrap();
            let Some(left) = filter.filter(&batch).unwrap() else { continue };
            let keys = left.column(0).as_string::<i32>();
            found.extend(keys.iter().map(|key| key.unwrap_or("(none)").to_owned()));
        }
        assert_eq!(found, expected);
        assert_eq!(filter.excluded_members, excluded_members);
    }

    #[test]
    fn exactly_the_excluded_members_are_removed() {
        let batches: [&[Option<&str>]; 3] =
            [&[None, Some(""), Some("a"), Some("b")], &[Some("b"), Some("b")], &[Some("b"), Some("c")]];
        check(&[], &batches, &["(none)", "", "a", "b", "b", "b", "b", "c"], 0);
        check(&["b"], &batches, &["(none)", "", "a", "c"], 1);
        check(&["a", "c", "d"], &batches, &["(none)", "", "b", "b", "b", "b"], 2);
        check(&["a", "b", "c", ""], &batches, &["(none)"], 4);
    }
}
