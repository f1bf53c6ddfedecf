//! Pages by cursor: opaque, with the order of the rows inside, and only good for the filters that it was made with.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/get_segments> describes them.

use super::errors::{self, ApiError};
use super::query::Query;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What rows are put in order by. Rows that are equal by it are in the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Sort {
    CreatedAt,
    UpdatedAt,
    Name,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

/// A row's place in an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Place {
    /// Empty where the number alone says the order.
    pub(super) key: String,
    pub(super) number: u32,
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    place: Place,
    sort: Sort,
    direction: Direction,
    filters: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    After,
    Before,
}

/// Which page is asked for.
#[derive(Clone, Debug)]
pub(super) struct PageQuery {
    pub(super) limit: usize,
    pub(super) sort: Sort,
    direction: Direction,
    start: Option<(Side, Place)>,
    filters: u64,
}

/// The rows of a page, in the order in which they are shown, with the cursors to the pages beside it.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) rows: Vec<Place>,
    pub(super) after: Option<String>,
    pub(super) before: Option<String>,
}

impl PageQuery {
    pub(super) fn parse(
        query: &Query,
        default_limit: usize,
        largest_limit: usize,
        sorts: &[(&str, Sort)],
    ) -> Result<Self, ApiError> {
        let limit = query.number("limit", default_limit, 1..=largest_limit)?;
        let (side, text) = match (query.get("after"), query.get("before")) {
            (Some(_), Some(_)) => {
                return Err(errors::invalid("after", "not_allowed", "Cannot be used together with before"));
            }
            (Some(text), None) => (Side::After, Some(text)),
            (None, text) => (Side::Before, text),
        };
        let cursor = text.map(decode).transpose()?;
        let (sort, direction) = match &cursor {
            Some(cursor) => (cursor.sort, cursor.direction),
            None => (Sort::CreatedAt, Direction::Descending),
        };
        let directions = [("asc", Direction::Ascending), ("desc", Direction::Descending)];
        let asked = (query.word("sort", sorts, sort)?, query.word("direction", &directions, direction)?);
        let filters = filters(query);
        if let Some(cursor) = &cursor
            && (asked != (sort, direction) || cursor.filters != filters)
        {
            return Err(errors::invalid("after", "invalid_value", "The cursor belongs to another query"));
        }
        let (sort, direction) = asked;
        Ok(Self { limit, sort, direction, start: cursor.map(|cursor| (side, cursor.place)), filters })
    }

    /// Whether rows are walked through from the last to the first.
    pub(super) fn walks_down(&self) -> bool {
        (self.direction == Direction::Descending) != self.goes_back()
    }

    fn goes_back(&self) -> bool {
        matches!(self.start, Some((Side::Before, _)))
    }

    /// The row that the walk begins behind.
    pub(super) fn start(&self) -> Option<&Place> {
        self.start.as_ref().map(|(_, place)| place)
    }

    /// Puts rows in the order of the walk and leaves out what is not behind its start.
    pub(super) fn walk(&self, mut rows: Vec<Place>) -> Vec<Place> {
        if let Some(start) = self.start() {
            rows.retain(|row| if self.walks_down() { row < start } else { row > start });
        }
        rows.sort_unstable();
        if self.walks_down() {
            rows.reverse();
        }
        rows
    }

    /// The page: the first rows of the walk.
    pub(super) fn page(&self, walk: impl Iterator<Item = Place>) -> Page {
        let mut rows: Vec<Place> = walk.take(self.limit.saturating_add(1)).collect();
        let has_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let (has_after, has_before) =
            if self.goes_back() { (true, has_more) } else { (has_more, self.start.is_some()) };
        if self.goes_back() {
            rows.reverse();
        }
        let after = rows.last().filter(|_| has_after).map(|place| self.encode(place));
        let before = rows.first().filter(|_| has_before).map(|place| self.encode(place));
        Page { rows, after, before }
    }

    fn encode(&self, place: &Place) -> String {
        let cursor = Cursor {
            place: place.clone(),
            sort: self.sort,
            direction: self.direction,
            filters: self.filters,
        };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
    }
}

fn decode(text: &str) -> Result<Cursor, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let cursor = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    cursor.ok_or_else(|| errors::invalid("after", "invalid_format", "Not a cursor"))
}

/// The same for the same filters, whatever their order.
fn filters(query: &Query) -> u64 {
    let paging = ["limit", "after", "before", "sort", "direction"];
    let mut pairs: Vec<_> = query.pairs().filter(|(name, _)| !paging.contains(name)).collect();
    pairs.sort_unstable();
    let mut hasher = DefaultHasher::new();
    pairs.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SORTS: [(&str, Sort); 1] = [("createdAt", Sort::CreatedAt)];

    fn page(query: &str) -> Result<Page, u16> {
        let query = PageQuery::parse(&Query::parse(query), 2, 3, &SORTS).map_err(|error| error.status)?;
        let rows = (0..5).map(|number| Place { key: String::new(), number }).collect();
        Ok(query.page(query.walk(rows).into_iter()))
    }

    fn numbers(page: &Page) -> Vec<u32> {
        page.rows.iter().map(|row| row.number).collect()
    }

    #[test]
    fn pages_go_on_and_back() {
        for (direction, expected) in [("desc", [4, 3, 2, 1, 0]), ("asc", [0, 1, 2, 3, 4])] {
            let first = page(&format!("direction={direction}")).unwrap();
            assert_eq!((numbers(&first), first.before.is_none()), (expected[..2].to_vec(), true));
            let second = page(&format!("after={}", first.after.unwrap())).unwrap();
            assert_eq!(numbers(&second), expected[2..4]);
            let last = page(&format!("after={}", second.after.unwrap())).unwrap();
            assert_eq!((numbers(&last), last.after.is_none()), (expected[4..].to_vec(), true));
            let back = page(&format!("before={}", last.before.unwrap())).unwrap();
            assert_eq!(numbers(&back), expected[2..4]);
            let back = page(&format!("before={}", back.before.unwrap())).unwrap();
            assert_eq!((numbers(&back), back.before.is_none()), (expected[..2].to_vec(), true));
        }
    }

    #[test]
    fn a_cursor_is_good_for_its_query_only() {
        let after = page("tag=a").unwrap().after.unwrap();
        assert!(page(&format!("after={after}&tag=a&limit=3")).is_ok());
        for query in [
            format!("after={after}"),
            format!("after={after}&tag=b"),
            format!("after={after}&tag=a&direction=asc"),
            format!("after={after}&before={after}&tag=a"),
            "after=nonsense".to_owned(),
            "limit=4".to_owned(),
            "sort=name".to_owned(),
        ] {
            assert_eq!(page(&query).map(|page| numbers(&page)), Err(400), "{query}");
        }
    }
}
