//! The endpoint in every form that people paste.
//!
//! The admin pages show two addresses, one ending in `/rest` and one in `/identity`, and other products ask for the
//! bare host (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/base-url>).

use super::DOMAINS;
use crate::{Endpoint, EndpointError};

/// What people leave at the end of the address.
const TAILS: &[&str] = &["/", "/rest", "/identity", "/bulk"];

/// The address that all paths begin at.
pub(super) fn parse(text: &str) -> Result<Endpoint, EndpointError> {
    let mut base = text.trim();
    while let Some(shorter) = TAILS.iter().find_map(|tail| strip_tail(base, tail)) {
        base = shorter;
    }
    if base.contains("://") {
        Endpoint::parse(base, DOMAINS)
    } else {
        Endpoint::parse(&format!("https://{base}"), DOMAINS)
    }
}

fn strip_tail<'a>(text: &'a str, tail: &str) -> Option<&'a str> {
    let (start, end) = text.split_at_checked(text.len().checked_sub(tail.len())?)?;
    // The slashes after the scheme are none that people left.
    (end.eq_ignore_ascii_case(tail) && !start.ends_with(['/', ':'])).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let found = parse(text).map(|endpoint| endpoint.join(&["rest", "v1"]).to_string());
        let found = found.map_err(|error| error.to_string());
        match expected {
            Ok(address) => assert_eq!(found.as_deref(), Ok(address), "{text}"),
            Err(start) => assert!(found.clone().unwrap_err().starts_with(start), "{text}: {found:?}"),
        }
    }

    #[test]
    fn every_form_that_people_paste_is_taken() {
        let whole = Ok("https://123-abc-456.mktorest.com/rest/v1");
        check("123-ABC-456.mktorest.com", whole);
        check(" 123-abc-456.mktorest.com/ ", whole);
        check("https://123-ABC-456.mktorest.com", whole);
        check("https://123-ABC-456.mktorest.com/", whole);
        check("https://123-ABC-456.mktorest.com/rest", whole);
        check("https://123-ABC-456.mktorest.com/rest/", whole);
        check("https://123-ABC-456.mktorest.com/REST/", whole);
        check("https://123-ABC-456.mktorest.com/identity", whole);
        check("123-ABC-456.mktorest.com/bulk/", whole);
        check("http://127.0.0.1:4011/rest", Ok("http://127.0.0.1:4011/rest/v1"));
        check("http://123-ABC-456.mktorest.com", Err("the address must begin with https"));
        check("https://mktorest.com.evil.example/rest", Err("host \"mktorest.com.evil.example\" is not"));
        check("https://evilmktorest.com", Err("host \"evilmktorest.com\" is not"));
        check("https://", Err("the address is not a URL"));
        check("https://key@123.mktorest.com", Err("the address must not have credentials"));
    }
}
