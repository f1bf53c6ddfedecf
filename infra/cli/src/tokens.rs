//! Sources of access tokens and their renewal.

use std::process::Stdio;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::process::Command;
use url::Url;

use crate::api::{client, field, root_cause};
use crate::arguments::LocalRole;

/// The environment variable with a command that prints a token.
pub(crate) const TOKEN_COMMAND: &str = "SEGMENT_RELAY_TOKEN_COMMAND";

/// The source of the token.
pub(crate) enum Origin {
    /// A fixed token, which cannot be renewed.
    Given(SecretString),
    /// A command that prints it.
    Command(String),
    /// The local issuer.
    Issuer {
        /// Its address.
        address: Url,
        /// The role that the token is for.
        role: LocalRole,
    },
}

impl Origin {
    /// Returns whether a new token can be obtained.
    pub(crate) const fn has_more(&self) -> bool {
        !matches!(self, Self::Given(_))
    }

    /// Obtains a token, or returns why there is none.
    pub(crate) async fn token(&self) -> Result<SecretString, String> {
        let token = match self {
            Self::Given(token) => token.clone(),
            Self::Command(command) => printed_by(command).await?,
            Self::Issuer { address, role } => issued_by(address, *role)
                .await
                .map_err(|problem| format!("the local issuer returned no token: {problem}"))?,
        };
        Ok(token.expose_secret().trim().to_owned().into())
    }
}

async fn issued_by(issuer: &Url, role: LocalRole) -> Result<SecretString, String> {
    let said = |error: reqwest::Error| root_cause(&error);
    let mut address = issuer.clone();
    if let Ok(mut segments) = address.path_segments_mut() {
        segments.pop_if_empty().push("token");
    }
    let claims = json!({ "subject": "local", "roles": [format!("segment-relay-{}", role.name())] });
    let client = client(&address).map_err(said)?;
    let request = client.post(address).header("content-type", "application/json").body(claims.to_string());
    let answer = request.send().await.map_err(said)?;
    if !answer.status().is_success() {
        return Err(format!("HTTP {}", answer.status()));
    }
    let body = answer.bytes().await.map_err(said)?;
    let body: Value = serde_json::from_slice(&body).map_err(|_| "the response is not JSON".to_owned())?;
    let token = field(&body, "/access_token").or_else(|| field(&body, "/token")).and_then(Value::as_str);
    token.map(SecretString::from).ok_or_else(|| "the response has no access_token".to_owned())
}

/// Runs the command. Its output is never shown, not even on failure, because it may be the token.
async fn printed_by(command: &str) -> Result<SecretString, String> {
    let refuse = |problem: &str| format!("the command in {TOKEN_COMMAND} {problem}");
    let mut shell = Command::new("sh");
    let child = shell.arg("-c").arg(command).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = child.output().await.map_err(|error| refuse(&format!("cannot be started: {error}")))?;
    if !output.status.success() {
        return Err(refuse(&format!("ended with {}", output.status)));
    }
    let token = String::from_utf8(output.stdout).map_err(|_| refuse("printed output that is not UTF-8"))?;
    if token.trim().is_empty() {
        return Err(refuse("printed nothing"));
    }
    Ok(token.into())
}
