//! Streaming joins of sorted streams: memory does not grow with the number of rows.

use relay_model::MemberKey;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::iter::Peekable;

/// A stream is not sorted by key, so the result of a merge would be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stream that must be sorted by member key is not")]
pub struct OutOfOrder;

/// All items of one key from the left and from the right.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined<L, R> {
    /// The key that they share.
    pub key: MemberKey,
    /// The left stream's items of this key, in their order.
    pub left: Vec<L>,
    /// The right stream's items of this key, in their order.
    pub right: Vec<R>,
}

/// A sorted stream, grouped into runs of items with equal keys.
pub struct Grouped<I: Iterator, F> {
    items: Peekable<I>,
    key: F,
    last_key: Option<MemberKey>,
}

/// Groups a sorted stream of results into runs of items with equal keys.
pub fn grouped<T, E, I, F>(items: I, key: F) -> Grouped<I, F>
where
    I: Iterator<Item = Result<T, E>>,
    F: Fn(&T) -> &MemberKey,
{
    Grouped { items: items.peekable(), key, last_key: None }
}

impl<T, E, I, F> Iterator for Grouped<I, F>
where
    I: Iterator<Item = Result<T, E>>,
    F: Fn(&T) -> &MemberKey,
    E: From<OutOfOrder>,
{
    type Item = Result<(MemberKey, Vec<T>), E>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = match self.items.next()? {
            Ok(first) => first,
            Err(error) => return Some(Err(error)),
        };
        let key = (self.key)(&first).clone();
        if self.last_key.as_ref().is_some_and(|last| *last >= key) {
            return Some(Err(OutOfOrder.into()));
        }
        let mut items = vec![first];
        // An error ends the group and is returned as the next item.
        while let Some(Ok(item)) =
            self.items.next_if(|item| matches!(item, Ok(item) if *(self.key)(item) == key))
        {
            items.push(item);
        }
        self.last_key = Some(key.clone());
        Some(Ok((key, items)))
    }
}

/// Joins two grouped streams on their keys: each key of either side is returned once, in ascending order.
pub fn join<L, R, E>(
    left: impl Iterator<Item = Result<(MemberKey, Vec<L>), E>>,
    right: impl Iterator<Item = Result<(MemberKey, Vec<R>), E>>,
) -> impl Iterator<Item = Result<Joined<L, R>, E>> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return None,
            (Some(Err(_)), _) | (Some(_), None) => Ordering::Less,
            (_, Some(Err(_))) | (None, Some(_)) => Ordering::Greater,
            (Some(Ok((left, _))), Some(Ok((right, _)))) => left.cmp(right),
        };
        let left = if order.is_le() { left.next().transpose() } else { Ok(None) };
        let right = if order.is_ge() { right.next().transpose() } else { Ok(None) };
        Some(match (left, right) {
            (Err(error), _) | (_, Err(error)) => Err(error),
            (Ok(Some((key, left))), Ok(right)) => {
                Ok(Joined { key, left, right: right.map(|(_, items)| items).unwrap_or_default() })
            }
            (Ok(None), Ok(Some((key, right)))) => Ok(Joined { key, left: Vec::new(), right }),
            (Ok(None), Ok(None)) => return None,
        })
    })
}

struct Head<T> {
    item: T,
    key: MemberKey,
    stream: usize,
}

// The heap returns its maximum first, so the order is reversed: the smallest key, then the earliest stream.
impl<T> Ord for Head<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (&other.key, other.stream).cmp(&(&self.key, self.stream))
    }
}

impl<T> PartialOrd for Head<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Head<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Head<T> {}

/// Several sorted streams merged into one; see [`merge_sorted`].
pub struct MergeSorted<I, T> {
    streams: Vec<I>,
    heads: BinaryHeap<Head<T>>,
    key: fn(&T) -> &MemberKey,
    unread: std::ops::Range<usize>,
}

/// Merges sorted streams into one. Each item is returned with its stream's index, and items with equal keys
/// are in the order of their streams.
pub fn merge_sorted<T, E, I>(streams: Vec<I>, key: fn(&T) -> &MemberKey) -> MergeSorted<I, T>
where
    I: Iterator<Item = Result<T, E>>,
{
    MergeSorted { unread: 0..streams.len(), heads: BinaryHeap::with_capacity(streams.len()), streams, key }
}

impl<I, T> MergeSorted<I, T> {
    fn pull<E>(&mut self, stream: usize) -> Result<(), E>
    where
        I: Iterator<Item = Result<T, E>>,
    {
        if let Some(item) = self.streams.get_mut(stream).and_then(Iterator::next).transpose()? {
            self.heads.push(Head { key: (self.key)(&item).clone(), item, stream });
        }
        Ok(())
    }
}

impl<T, E, I> Iterator for MergeSorted<I, T>
where
    I: Iterator<Item = Result<T, E>>,
{
    type Item = Result<(usize, T), E>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(stream) = self.unread.next() {
            if let Err(error) = self.pull(stream) {
                return Some(Err(error));
            }
        }
        let Head { item, stream, .. } = self.heads.pop()?;
        // The next item is read before it is needed, so that an error is not taken for the end of the
        // stream.
        Some(self.pull(stream).map(|()| (stream, item)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Item = (MemberKey, u8);

    fn stream(items: &[Item]) -> impl Iterator<Item = Result<(MemberKey, Vec<Item>), OutOfOrder>> {
        grouped(items.iter().cloned().map(Ok), |item: &Item| &item.0)
    }

    fn items() -> impl Strategy<Value = Vec<Item>> {
        proptest::collection::vec(("[a-e]{1,2}".prop_map(MemberKey), any::<u8>()), 0..16).prop_map(
            |mut items| {
                items.sort();
                items
            },
        )
    }

    proptest! {
        #[test]
        fn a_join_is_what_two_maps_would_say(left in items(), right in items()) {
            let mut expected: BTreeMap<MemberKey, (Vec<Item>, Vec<Item>)> = BTreeMap::new();
            for item in &left {
                expected.entry(item.0.clone()).or_default().0.push(item.clone());
            }
            for item in &right {
                expected.entry(item.0.clone()).or_default().1.push(item.clone());
            }
            let found: BTreeMap<MemberKey, (Vec<Item>, Vec<Item>)> = join(stream(&left), stream(&right))
                .map(Result::unwrap)
                .map(|joined| (joined.key, (joined.left, joined.right)))
                .collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_stream_that_goes_back_is_an_error() {
        let key = |text: &str| (MemberKey(text.to_owned()), 0);
        let unsorted = [key("b"), key("a")];
        let results: Vec<_> = join(stream(&unsorted), stream(&[])).collect();
        assert!(matches!(results.last(), Some(Err(OutOfOrder))));
    }
}
