//! The API's address and credentials.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::{Host, Url};

use crate::api::{Api, client};
use crate::arguments::{LocalRole, Signing};
use crate::error::Error;
use crate::files::Values;
use crate::tokens::{Origin, TOKEN_COMMAND};

/// Names of environment variables.
const URL: &str = "SEGMENT_RELAY_URL";
const TOKEN: &str = "SEGMENT_RELAY_TOKEN";

/// The part of `.local/up.json` that the tool needs.
#[derive(Debug, Deserialize)]
struct Up {
    api_url: String,
    issuer_url: Option<String>,
    /// The values for `${name}` in the example catalog.
    #[serde(default)]
    values: Values,
}

/// Creates the API client from the arguments, then the environment. Also returns the local cloud's values
/// for `${name}`.
pub(crate) async fn connect(
    signing: &Signing,
    variables: &BTreeMap<String, String>,
    folder: &Path,
) -> Result<(Api, Values), Error> {
    let variable = |name: &str| variables.get(name).filter(|value| !value.trim().is_empty()).cloned();
    let local = if signing.local { Some(up(folder)?) } else { None };
    let values = local.as_ref().map(|up| up.values.clone()).unwrap_or_default();
    let address = signing.url.clone().or_else(|| local.as_ref().map(|up| up.api_url.clone()));
    let address = address.or_else(|| variable(URL)).ok_or_else(|| {
        Error::Input(format!(
            "no API address; set --url or {URL}, or use --local for the deployment of `cargo local up`"
        ))
    })?;
    let address = checked(&address)?;
    let origin = match (&signing.token, local) {
        (Some(token), _) => Origin::Given(token.clone().into()),
        (None, Some(up)) => local_issuer(&up, signing.local_role)?,
        (None, None) => match (variable(TOKEN), variable(TOKEN_COMMAND)) {
            (Some(token), _) => Origin::Given(token.into()),
            (None, Some(command)) => Origin::Command(command),
            (None, None) => {
                let text =
                    format!("no access token; set {TOKEN}, or {TOKEN_COMMAND} to a command that prints one");
                return Err(Error::Input(text));
            }
        },
    };
    let client =
        client(&address).map_err(|error| Error::Input(format!("cannot make an HTTP client: {error}")))?;
    let token = origin.token().await.map_err(Error::Input)?;
    Ok((Api::new(client, address, origin, token), values))
}

/// Validates an address that receives the token: HTTPS or loopback.
pub(crate) fn checked(address: &str) -> Result<Url, Error> {
    let url: Url = address
        .parse()
        .map_err(|error| Error::Input(format!("the address {address} is invalid: {error}")))?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if url.scheme() == "https" || (url.scheme() == "http" && is_loopback) {
        return Ok(url);
    }
    let host = url.host_str().unwrap_or_default();
    Err(Error::Input(format!(
        "the address of {host} must begin with https://, because the access token must be encrypted in transit"
    )))
}

/// Finds the nearest local cloud, from `folder` upwards.
fn up(folder: &Path) -> Result<Up, Error> {
    let found = folder.ancestors().map(|folder| folder.join(".local/up.json")).find(|path| path.is_file());
    let path: PathBuf = found.ok_or_else(|| {
        Error::Input("no local cloud is running; start one with: cargo local up".to_owned())
    })?;
    let refuse = |problem: String| Error::Input(format!("{}: {problem}", path.display()));
    let text = std::fs::read(&path).map_err(|error| refuse(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))
}

/// Returns the local token issuer.
fn local_issuer(up: &Up, role: LocalRole) -> Result<Origin, Error> {
    let none = || Error::Input("the local issuer returned no token: the local cloud has none".to_owned());
    let address = checked(up.issuer_url.as_deref().ok_or_else(none)?)?;
    Ok(Origin::Issuer { address, role })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, is_taken: bool) {
        assert_eq!(checked(address).is_ok(), is_taken, "{address}");
    }

    #[test]
    fn tokens_go_over_tls_or_stay_on_the_machine() {
        check("https://abc.execute-api.eu-west-1.amazonaws.com", true);
        check("http://127.0.0.1:4566/_api/x", true);
        check("http://localhost:1", true);
        check("http://[::1]:1", true);
        check("http://api.localhost:1", true);
        check("http://example.com", false);
        check("http://127.0.0.1.example.com", false);
        check("ftp://localhost", false);
        check("file:///etc", false);
        check("example.com", false);
    }
}
