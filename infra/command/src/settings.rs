//! Where the API is, and who asks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;
use url::{Host, Url};

use crate::api::{Api, client, field};
use crate::arguments::{LocalRole, Signing};
use crate::error::Error;
use crate::files::Values;

/// Names of the environment's variables.
const URL: &str = "SEGMENT_RELAY_URL";
const TOKEN: &str = "SEGMENT_RELAY_TOKEN";
const TOKEN_COMMAND: &str = "SEGMENT_RELAY_TOKEN_COMMAND";

/// What the local cloud leaves in `.local/up.json`, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Up {
    api_url: String,
    issuer_url: Option<String>,
    /// What stands for `${name}` in its example catalog.
    #[serde(default)]
    values: Values,
}

/// Makes the API's client out of the arguments and the environment, arguments first. With it comes what the local cloud
/// has for `${name}` in files.
pub(crate) async fn connect(
    signing: &Signing,
    variables: &BTreeMap<String, String>,
    folder: &Path,
) -> Result<(Api, Values), Error> {
    let client = client().map_err(|error| Error::Input(format!("cannot make an HTTP client: {error}")))?;
    let variable = |name: &str| variables.get(name).filter(|value| !value.trim().is_empty()).cloned();
    let local = if signing.local { Some(up(folder)?) } else { None };
    let values = local.as_ref().map(|up| up.values.clone()).unwrap_or_default();
    let address = signing.url.clone().or_else(|| local.as_ref().map(|up| up.api_url.clone()));
    let address = address.or_else(|| variable(URL)).ok_or_else(|| {
        Error::Input(format!(
            "where is the API? Give its address with --url or {URL}, or --local for what `cargo local up` runs"
        ))
    })?;
    let address = checked(&address)?;
    let token = match (&signing.token, local) {
        (Some(token), _) => SecretString::from(token.clone()),
        (None, Some(up)) => local_token(&client, &up, signing.local_role).await?,
        (None, None) => match (variable(TOKEN), variable(TOKEN_COMMAND)) {
            (Some(token), _) => token.into(),
            (None, Some(command)) => said_by(&command).await?,
            (None, None) => {
                let text = format!(
                    "who are you? Put a token into {TOKEN}, or a command that prints one into {TOKEN_COMMAND}"
                );
                return Err(Error::Input(text));
            }
        },
    };
    Ok((Api::new(client, address, token.expose_secret().trim().to_owned().into()), values))
}

/// An address that a token may go to: encrypted, or on this machine.
pub(crate) fn checked(address: &str) -> Result<Url, Error> {
    let url: Url =
        address.parse().map_err(|error| Error::Input(format!("the address {address} cannot be: {error}")))?;
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
        "the address of {host} must begin with https://, or the token could be read on its way"
    )))
}

/// The nearest local cloud, from `folder` upwards.
fn up(folder: &Path) -> Result<Up, Error> {
    let found = folder.ancestors().map(|folder| folder.join(".local/up.json")).find(|path| path.is_file());
    let path: PathBuf =
        found.ok_or_else(|| Error::Input("nothing runs here; start it with: cargo local up".to_owned()))?;
    let refuse = |problem: String| Error::Input(format!("{}: {problem}", path.display()));
    let text = std::fs::read(&path).map_err(|error| refuse(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))
}

/// A token of the local issuer.
async fn local_token(client: &reqwest::Client, up: &Up, role: LocalRole) -> Result<SecretString, Error> {
    let refuse = |problem: String| Error::Input(format!("the local issuer gave no token: {problem}"));
    let issuer = up.issuer_url.as_deref().ok_or_else(|| refuse("the local cloud has none".to_owned()))?;
    let mut address = checked(issuer)?;
    if let Ok(mut segments) = address.path_segments_mut() {
        segments.pop_if_empty().push("token");
    }
    let claims = json!({ "subject": "local", "roles": [format!("segment-relay-{}", role.name())] });
    let request = client.post(address).header("content-type", "application/json").body(claims.to_string());
    let answer = request.send().await.map_err(|error| refuse(crate::api::root_cause(&error)))?;
    if !answer.status().is_success() {
        return Err(refuse(format!("HTTP {}", answer.status())));
    }
    let body = answer.bytes().await.map_err(|error| refuse(crate::api::root_cause(&error)))?;
    let body: Value =
        serde_json::from_slice(&body).map_err(|_| refuse("the answer is no JSON".to_owned()))?;
    let token = field(&body, "/access_token").or_else(|| field(&body, "/token")).and_then(Value::as_str);
    token.map(SecretString::from).ok_or_else(|| refuse("the answer has no access_token".to_owned()))
}

/// What a command prints. Nothing of it is ever shown: not even when it fails, because it may be the token.
async fn said_by(command: &str) -> Result<SecretString, Error> {
    let refuse = |problem: &str| Error::Input(format!("the command in {TOKEN_COMMAND} {problem}"));
    let mut shell = Command::new("sh");
    let child = shell.arg("-c").arg(command).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = child.output().await.map_err(|error| refuse(&format!("cannot be started: {error}")))?;
    if !output.status.success() {
        return Err(refuse(&format!("ended with {}", output.status)));
    }
    let token = String::from_utf8(output.stdout).map_err(|_| refuse("printed something that is no text"))?;
    if token.trim().is_empty() {
        return Err(refuse("printed nothing"));
    }
    Ok(token.into())
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
