//! The union of the snapshots of one target list, as one sorted stream.

use super::{Member, SnapshotError, SnapshotReader};
use crate::sorted::{MergeSorted, merge_sorted};
use relay_model::MemberKey;

/// A member of the union.
#[derive(Clone, Debug, PartialEq)]
pub struct UnionMember {
    /// The index of its snapshot in the list of readers.
    pub snapshot: usize,
    /// The member.
    pub member: Member,
    /// Whether an earlier snapshot has a member with this key, which takes precedence.
    pub is_repeated: bool,
}

/// Iterates over the members of several snapshots in the order of their keys. For equal keys, the segment
/// that the export lists first is first.
pub struct Union {
    members: MergeSorted<SnapshotReader, Member>,
    last_key: Option<MemberKey>,
}

impl Union {
    /// Starts on `readers`, in the order of the export's segments. All must have the same attributes.
    #[must_use]
    pub fn new(readers: Vec<SnapshotReader>) -> Self {
        Self { members: merge_sorted(readers, |member| &member.key), last_key: None }
    }
}

impl Iterator for Union {
    type Item = Result<UnionMember, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (snapshot, member) = match self.members.next()? {
            Ok(next) => next,
            Err(error) => return Some(Err(error)),
        };
        let is_repeated = self.last_key.as_ref() == Some(&member.key);
        if !is_repeated {
            self.last_key = Some(member.key.clone());
        }
        Some(Ok(UnionMember { snapshot, member, is_repeated }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::testing::snapshot;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn the_union_has_every_member_once_and_says_which_are_repeated(
            first in proptest::collection::btree_set("[a-f]{1,2}", 0..12),
            second in proptest::collection::btree_set("[a-f]{1,2}", 0..12),
        ) {
            let readers = [&first, &second].map(|keys| {
                let rows: Vec<(String, String)> = keys.iter().map(|key| (key.clone(), String::new())).collect();
                SnapshotReader::open(snapshot(&rows)).unwrap()
            });
            let members: Vec<UnionMember> = Union::new(readers.into()).map(Result::unwrap).collect();
            prop_assert_eq!(members.len(), first.len() + second.len());
            let fresh: Vec<&str> =
                members.iter().filter(|entry| !entry.is_repeated).map(|entry| entry.member.key.0.as_str()).collect();
            let expected: BTreeSet<&str> = first.union(&second).map(String::as_str).collect();
            prop_assert_eq!(fresh, expected.into_iter().collect::<Vec<_>>());
            for entry in members {
                let in_both = first.contains(&entry.member.key.0) && second.contains(&entry.member.key.0);
                prop_assert_eq!(entry.is_repeated, in_both && entry.snapshot == 1);
            }
        }
    }
}
