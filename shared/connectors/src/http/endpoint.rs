//! The addresses that a connector may call.

use url::{Host, Url};

/// The checked base address of a destination's API. It uses HTTPS and one of the destination's own domains,
/// so that credentials are sent to no other host. Plain HTTP and other hosts are accepted only on this
/// machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    base: Url,
}

/// Why an address is refused. Contains no part of the address except the host.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum EndpointError {
    /// It is not a URL with a host.
    #[error("the address is not a URL with a host, such as https://api.example.com")]
    Malformed,
    /// It has credentials, a query or a fragment.
    #[error("the address must not have credentials, a query or a fragment")]
    Decorated,
    /// The connection would not be encrypted.
    #[error("the address must begin with https:// (plain http is accepted for this machine only)")]
    Insecure,
    /// The host does not belong to the destination.
    #[error("host \"{host}\" is not one of the destination's own: {domains}")]
    ForeignHost {
        /// The host as given.
        host: String,
        /// The domains that are accepted.
        domains: String,
    },
}

impl Endpoint {
    /// Checks an address against the destination's own `domains`; subdomains are included.
    pub fn parse(text: &str, domains: &[&str]) -> Result<Self, EndpointError> {
        let base = Url::parse(text.trim()).map_err(|_| EndpointError::Malformed)?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err(EndpointError::Decorated);
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(EndpointError::Decorated);
        }
        let endpoint = Self { base };
        endpoint.check(domains).map(|()| endpoint)
    }

    /// Checks that the address is one of the destination's own `domains`, or of this machine.
    pub fn check(&self, domains: &[&str]) -> Result<(), EndpointError> {
        let host = self.base.host().ok_or(EndpointError::Malformed)?;
        if is_loopback(&host) {
            return if matches!(self.base.scheme(), "http" | "https") {
                Ok(())
            } else {
                Err(EndpointError::Malformed)
            };
        }
        if self.base.scheme() != "https" {
            return Err(EndpointError::Insecure);
        }
        let host = host.to_string();
        let is_own = domains.iter().any(|domain| {
            host == *domain || host.strip_suffix(domain).is_some_and(|subdomain| subdomain.ends_with('.'))
        });
        if is_own { Ok(()) } else { Err(EndpointError::ForeignHost { host, domains: domains.join(", ") }) }
    }

    /// Returns whether it is an address of this machine, such as a sandbox.
    pub(crate) fn is_this_machine(&self) -> bool {
        self.base.host().is_some_and(|host| is_loopback(&host))
    }

    /// Returns the host, for people.
    pub(crate) fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// Returns the address of a path, each segment percent-encoded.
    #[must_use]
    pub fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Only addresses without a host have no path, and those are refused.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(domain) => *domain == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOMAINS: &[&str] = &["createsend.com"];

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let found =
            Endpoint::parse(text, DOMAINS).map(|endpoint| endpoint.join(&["a b", "c/d.json"]).to_string());
        let found = found.map_err(|error| error.to_string());
        match expected {
            Ok(address) => assert_eq!(found.as_deref(), Ok(address), "{text}"),
            Err(start) => assert!(found.clone().unwrap_err().starts_with(start), "{text}: {found:?}"),
        }
    }

    #[test]
    fn credentials_go_to_the_destination_or_to_this_machine() {
        check("https://api.createsend.com", Ok("https://api.createsend.com/a%20b/c%2Fd.json"));
        check("https://createsend.com/base/", Ok("https://createsend.com/base/a%20b/c%2Fd.json"));
        check("https://API.CreateSend.com:8443", Ok("https://api.createsend.com:8443/a%20b/c%2Fd.json"));
        check("http://127.0.0.1:4010", Ok("http://127.0.0.1:4010/a%20b/c%2Fd.json"));
        check("http://127.8.9.1", Ok("http://127.8.9.1/a%20b/c%2Fd.json"));
        check("http://[::1]:4010", Ok("http://[::1]:4010/a%20b/c%2Fd.json"));
        check("http://localhost:4010", Ok("http://localhost:4010/a%20b/c%2Fd.json"));
        check("http://api.createsend.com", Err("the address must begin with https"));
        check("https://evilcreatesend.com", Err("host \"evilcreatesend.com\" is not"));
        check("https://createsend.com.evil.com", Err("host \"createsend.com.evil.com\" is not"));
        check("https://api.createsend.com@evil.com", Err("the address must not have credentials"));
        check("https://api.createsend.com/?key=1", Err("the address must not have"));
        check("https://api.createsend.com/#x", Err("the address must not have"));
        check("https://10.0.0.1", Err("host \"10.0.0.1\" is not"));
        check("https://localhost.evil.com", Err("host \"localhost.evil.com\" is not"));
        check("http://128.0.0.1", Err("the address must begin with https"));
        check("ftp://localhost", Err("the address is not a URL"));
        check("createsend.com", Err("the address is not a URL"));
        check("", Err("the address is not a URL"));
    }
}
