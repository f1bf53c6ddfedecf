//! Paging tokens: opaque to callers, good for one search only.

use super::errors::{self, ApiError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The largest page of the lead database, which is the usual one too.
pub(super) const LARGEST_PAGE: usize = 300;

/// The page's size by `batchSize`.
pub(super) fn page_size(batch_size: Option<usize>) -> Result<usize, ApiError> {
    match batch_size {
        None => Ok(LARGEST_PAGE),
        Some(size @ 1..=LARGEST_PAGE) => Ok(size),
        Some(_) => Err(errors::error(1003, "batchSize must be between 1 and 300")),
    }
}

fn fingerprint(search: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    search.hash(&mut hasher);
    hasher.finish()
}

/// The token for what comes behind `last`. It has characters that mean something in a query: it is to be escaped.
pub(super) fn token(search: &impl Hash, last: u32) -> String {
    let text = format!("{last}:{:x}:page", fingerprint(search));
    STANDARD.encode(text)
}

/// What a token says; 0 without one. An error for a token of another search.
pub(super) fn last(search: &impl Hash, token: Option<&str>) -> Result<u32, ApiError> {
    let Some(token) = token else {
        return Ok(0);
    };
    let invalid = || errors::error(1003, "Invalid nextPageToken");
    let text = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(invalid)?;
    let mut parts = text.split(':');
    let last = parts.next().and_then(|number| number.parse().ok()).ok_or_else(invalid)?;
    if parts.next() == Some(format!("{:x}", fingerprint(search)).as_str()) {
        Ok(last)
    } else {
        Err(invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_its_own_search() {
        let made = token(&("members", 7), 12);
        assert_eq!(last(&("members", 7), Some(&made)), Ok(12));
        assert_eq!(last(&("members", 8), Some(&made)).map_err(|error| error.code), Err(1003));
        assert_eq!(last(&("members", 7), Some("???")).map_err(|error| error.code), Err(1003));
        assert_eq!(last(&("members", 7), None), Ok(0));
    }
}
