//! `cargo local token`: a new access token for the HTTP API that `cargo local up` started.

use serde_json::{Value, json};

use crate::Error;
use crate::background;
use crate::cli::Report;
use crate::issuer::{Role, TokenRequest};

/// The arguments of a token request.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Arguments {
    /// The role of the token
    #[arg(long, value_enum, default_value_t = Role::Administrator)]
    role: Role,
    /// The subject of the token, which the audit log shows
    #[arg(long, default_value = "somebody", value_name = "NAME")]
    subject: String,
    /// Minutes until it expires
    #[arg(long, default_value_t = 60, value_name = "N")]
    lifetime_minutes: u32,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Report, Error> {
    let running = background::running()?.ok_or_else(|| {
        Error::Missing("no local cloud is running; start one with: cargo local up".to_owned())
    })?;
    let Arguments { role, subject, lifetime_minutes } = arguments;
    let lifetime_seconds = i64::from(*lifetime_minutes) * 60;
    let request = TokenRequest::of(*role).subject(subject).lifetime_seconds(lifetime_seconds);
    let token = from_issuer(&running.issuer_url, &request).await?;
    let figures = json!({"token": token, "expires_in_seconds": lifetime_seconds});
    Ok(Report::new(token, figures))
}

/// Requests a token from the issuer in another process.
pub(super) async fn from_issuer(issuer_url: &str, request: &TokenRequest) -> Result<String, Error> {
    // Loopback only, so proxies of the environment do not apply.
    let http = reqwest::Client::builder().no_proxy().build()?;
    let answer = http
        .post(format!("{issuer_url}/token"))
        .header("content-type", "application/json")
        .body(json!(request).to_string())
        .send()
        .await?;
    let answer: Value = serde_json::from_slice(&answer.error_for_status()?.bytes().await?)?;
    let token = answer.get("access_token").and_then(Value::as_str);
    token.map(str::to_owned).ok_or_else(|| Error::Answer("the issuer returned no token".to_owned()))
}
