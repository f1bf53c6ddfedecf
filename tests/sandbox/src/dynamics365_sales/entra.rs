//! The token endpoint: client credentials only.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>, and for the errors
//! <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>

use super::answer::Answer;
use super::ids::Guid;
use super::world::{Token, World};
use crate::kit::random::hexadecimal_id;
use jiff::Timestamp;
use serde_json::json;
use std::collections::HashMap;
use url::form_urlencoded;

struct Refused {
    status: u16,
    error: &'static str,
    number: u32,
    description: String,
}

fn refused(status: u16, error: &'static str, number: u32, description: impl Into<String>) -> Refused {
    Refused { status, error, number, description: description.into() }
}

/// Answers a form with `grant_type`, `client_id`, `client_secret` and `scope`; `address` is where the sandbox was
/// called, whose scope is always taken.
pub(super) fn token(world: &mut World, tenant: &str, is_form: bool, form: &[u8], address: &str) -> Answer {
    // Whatever is not declared to be a form is not read as one.
    let form: HashMap<String, String> =
        if is_form { form_urlencoded::parse(form).into_owned().collect() } else { HashMap::new() };
    issue(world, tenant, &form, address).unwrap_or_else(|refused| {
        let Refused { status, error, number, description } = refused;
        let (trace, correlation) = (Guid::random(), Guid::random());
        let time = Timestamp::now().strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let body = json!({
            "error": error,
            "error_description": format!(
                "AADSTS{number}: {description} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}"
            ),
            "error_codes": [number],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
        });
        Answer { code: Some(number), ..Answer::json(status, &body) }
    })
}

fn issue(
    world: &mut World,
    tenant: &str,
    form: &HashMap<String, String>,
    address: &str,
) -> Result<Answer, Refused> {
    let field = |name: &str| form.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let required = |name: &'static str| {
        let message = format!("The request body must contain the following parameter: '{name}'.");
        field(name).ok_or_else(|| refused(400, "invalid_request", 900_144, message))
    };
    let directory = Guid::parse(tenant);
    if !world.applications.values().any(|application| Some(application.tenant) == directory) {
        let message =
            format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
        return Err(refused(400, "invalid_request", 90_002, message));
    }
    if required("grant_type")? != "client_credentials" {
        let message = "The app requested an unsupported grant type.";
        return Err(refused(400, "unsupported_grant_type", 70_003, message));
    }
    let client = required("client_id")?;
    let found = Guid::parse(client).and_then(|id| Some((id, world.applications.get(&id)?)));
    let Some((id, application)) = found.filter(|(_, application)| Some(application.tenant) == directory)
    else {
        let message =
            format!("Application with identifier '{client}' was not found in the directory '{tenant}'.");
        return Err(refused(400, "unauthorized_client", 700_016, message));
    };
    let scope = required("scope")?;
    let Some(resource) = scope.strip_suffix("/.default") else {
        let message = format!(
            "The provided value for the input parameter 'scope' is not valid. Client credential flows must have a \
             scope value with /.default suffixed to the resource identifier. The scope {scope} is not valid."
        );
        return Err(refused(400, "invalid_scope", 1_002_012, message));
    };
    if resource != address && world.options.organization_url.as_deref() != Some(resource) {
        let message =
            format!("The resource principal named {resource} was not found in the tenant {tenant}.");
        return Err(refused(400, "invalid_resource", 500_011, message));
    }
    let Some(secret) = field("client_secret") else {
        let message = "'client_assertion', 'client_secret' or 'request' is required for the \
                       'client_credentials' grant type.";
        return Err(refused(401, "invalid_client", 7_000_216, message));
    };
    if secret != application.secret.text {
        let message = format!("Invalid client secret provided for app '{client}'.");
        return Err(refused(401, "invalid_client", 7_000_215, message));
    }
    if application.secret.is_expired {
        let message = format!("The provided client secret keys for app '{client}' are expired.");
        return Err(refused(401, "invalid_client", 7_000_222, message));
    }
    let lifetime_ms = world.options.access_token_seconds.saturating_mul(1000);
    let expires_at_ms = world.clock.now_ms().saturating_add(lifetime_ms);
    let text = format!("{}{}", hexadecimal_id(), hexadecimal_id());
    world.tokens.insert(text.clone(), Token { application: id, expires_at_ms });
    world.report.tokens += 1;
    let expires_in = world.clock.real(lifetime_ms).as_secs();
    let body = json!({
        "token_type": "Bearer",
        "expires_in": expires_in,
        "ext_expires_in": expires_in,
        "access_token": text,
    });
    Ok(Answer::json(200, &body).with_text("cache-control", "no-store, no-cache"))
}
