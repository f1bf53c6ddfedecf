//! Who gets in: everybody but those who are kept out.

use crate::errors::QueryError;
use datafusion::arrow::array::{AsArray, BooleanArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::record_batch::RecordBatch;
use relay_model::privacy::Exclusions;
use std::borrow::Cow;

/// Leaves rows of batches out that are sorted by their first column, the member key.
pub(crate) struct Gate {
    excluded: Exclusions,
    /// Members who were left out.
    pub(crate) excluded_members: u64,
    /// The last of them, whose rows may go on.
    last: Option<String>,
}

impl Gate {
    /// For everybody but these.
    pub(crate) const fn new(excluded: Exclusions) -> Self {
        Self { excluded, excluded_members: 0, last: None }
    }

    /// The rows of those who get in; `None` where nobody does.
    pub(crate) fn let_in<'a>(
        &mut self,
        batch: &'a RecordBatch,
    ) -> Result<Option<Cow<'a, RecordBatch>>, QueryError> {
        if self.excluded.is_empty() {
            return Ok(Some(Cow::Borrowed(batch)));
        }
        let keys =
            batch.columns().first().and_then(|keys| keys.as_string_opt::<i32>()).ok_or_else(internal)?;
        let gets_in: Vec<bool> =
            keys.iter().map(|key| !key.is_some_and(|key| self.is_kept_out(key))).collect();
        if gets_in.iter().all(|is_in| *is_in) {
            return Ok(Some(Cow::Borrowed(batch)));
        }
        let left = filter_record_batch(batch, &BooleanArray::from(gets_in)).map_err(|_| internal())?;
        Ok((left.num_rows() > 0).then_some(Cow::Owned(left)))
    }

    fn is_kept_out(&mut self, key: &str) -> bool {
        let is_kept_out = self.excluded.has(key);
        if is_kept_out && self.last.as_deref() != Some(key) {
            self.excluded_members += 1;
            self.last = Some(key.to_owned());
        }
        is_kept_out
    }
}

fn internal() -> QueryError {
    QueryError::Internal { kind: "gate".to_owned() }
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
        let mut gate = Gate::new(Exclusions::new(key, ids));
        let mut found = Vec::new();
        for keys in batches {
            let keys: ArrayRef = Arc::new(StringArray::from(keys.to_vec()));
            let batch = RecordBatch::try_from_iter_with_nullable([("member_key", keys, true)]).unwrap();
            let Some(left) = gate.let_in(&batch).unwrap() else { continue };
            let keys = left.column(0).as_string::<i32>();
            found.extend(keys.iter().map(|key| key.unwrap_or("(none)").to_owned()));
        }
        assert_eq!(found, expected);
        assert_eq!(gate.excluded_members, excluded_members);
    }

    #[test]
    fn exactly_those_are_left_out_who_are_kept_out() {
        let batches: [&[Option<&str>]; 3] =
            [&[None, Some(""), Some("a"), Some("b")], &[Some("b"), Some("b")], &[Some("b"), Some("c")]];
        check(&[], &batches, &["(none)", "", "a", "b", "b", "b", "b", "c"], 0);
        check(&["b"], &batches, &["(none)", "", "a", "c"], 1);
        check(&["a", "c", "d"], &batches, &["(none)", "", "b", "b", "b", "b"], 2);
        check(&["a", "b", "c", ""], &batches, &["(none)"], 4);
    }
}
