//! An OpenID Connect issuer on loopback for the local cloud's HTTP API.
//!
//! It has what an API gateway requires of an issuer, the discovery document and the keys
//! (<https://openid.net/specs/openid-connect-discovery-1_0.html>), and `POST /token`, which returns a token
//! without authentication, because only users of this machine can reach it. The key is generated at the
//! start and never leaves the process.

mod key;
mod token;

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use crate::Error;

use key::SigningKey;
pub use token::{AUDIENCE, ROLES_CLAIM, Role, SignedBy, TokenRequest};

/// A running issuer. It ends when the value is dropped.
#[derive(Debug)]
pub struct Issuer {
    signer: Arc<Signer>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Signer {
    /// The claim `iss`.
    address: String,
    keys: &'static Keys,
}

#[derive(Debug)]
struct Keys {
    key: SigningKey,
    /// A key that is not published, with the same key id.
    stranger: SigningKey,
}

impl Keys {
    /// Returns the keys of this process. Generating them takes a second in an unoptimised build, and tests
    /// start many issuers.
    async fn of_process() -> Result<&'static Self, Error> {
        static KEYS: OnceCell<Keys> = OnceCell::const_new();
        let pair = || {
            let key = SigningKey::make()?;
            let stranger = SigningKey::make()?.named_as(&key);
            Ok(Self { key, stranger })
        };
        let made = async {
            let ended = tokio::task::spawn_blocking(pair).await;
            ended.map_err(|problem| Error::NotStarted(problem.to_string()))?
        };
        KEYS.get_or_try_init(|| made).await
    }
}

impl Issuer {
    /// Starts the issuer on a free port of 127.0.0.1.
    pub async fn start() -> Result<Self, Error> {
        let keys = Keys::of_process().await?;
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::start("the issuer"))?;
        let port = listener.local_addr().map_err(Error::start("the issuer"))?.port();
        let signer = Arc::new(Signer { address: format!("http://127.0.0.1:{port}"), keys });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks.json", get(published_keys))
            .route("/token", post(give_token))
            .with_state(Arc::clone(&signer));
        let server = tokio::spawn(async move {
            // The result can be ignored: axum's accept loop ends only with its task.
            axum::serve(listener, router).await.ok();
        });
        Ok(Self { signer, server })
    }

    /// Returns its address, such as `http://127.0.0.1:40001`, which is the claim `iss` of its tokens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.signer.address
    }

    /// Returns the requested token (JWT, RS256), which may be invalid on purpose.
    pub fn token(&self, request: &TokenRequest) -> Result<String, Error> {
        self.signer.token(request)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Signer {
    fn token(&self, request: &TokenRequest) -> Result<String, Error> {
        let key = match request.signed_by {
            SignedBy::Issuer => &self.keys.key,
            SignedBy::Stranger => &self.keys.stranger,
        };
        key.jwt(&request.claims(&self.address))
    }
}

async fn discovery(State(signer): State<Arc<Signer>>) -> Json<Value> {
    let address = &signer.address;
    Json(json!({
        "issuer": address,
        "jwks_uri": format!("{address}/jwks.json"),
        "token_endpoint": format!("{address}/token"),
        "response_types_supported": ["token"],
        "grant_types_supported": ["client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

async fn published_keys(State(signer): State<Arc<Signer>>) -> Json<Value> {
    Json(json!({ "keys": [signer.keys.key.jwk()] }))
}

/// The body is a [`TokenRequest`].
async fn give_token(
    State(signer): State<Arc<Signer>>,
    Json(request): Json<TokenRequest>,
) -> Result<Json<Value>, (StatusCode, String)> {
    let failed = |problem: Error| (StatusCode::INTERNAL_SERVER_ERROR, problem.to_string());
    let token = signer.token(&request).map_err(failed)?;
    Ok(Json(
        json!({"access_token": token, "token_type": "Bearer", "expires_in": request.lifetime_seconds.max(0)}),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn part(token: &str, number: usize) -> Value {
        let part = token.split('.').nth(number).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn discovery_leads_to_the_key_that_tokens_are_signed_with() {
        let issuer = Issuer::start().await.unwrap();
        let read = async |url: &str| -> Value {
            let answer = reqwest::get(url).await.unwrap();
            serde_json::from_str(&answer.text().await.unwrap()).unwrap()
        };
        let document = read(&format!("{}/.well-known/openid-configuration", issuer.address())).await;
        assert_eq!(document["issuer"], issuer.address());
        let keys = read(document["jwks_uri"].as_str().unwrap()).await;

        let good = issuer.token(&TokenRequest::of(Role::Contributor)).unwrap();
        let header = part(&good, 0);
        assert_eq!((&header["alg"], &header["kid"]), (&json!("RS256"), &keys["keys"][0]["kid"]));
        key::check(&keys["keys"][0], &good, true);
        // Same key id, other key.
        let wrong = issuer.token(&TokenRequest::of(Role::Contributor).signed_by(SignedBy::Stranger)).unwrap();
        assert_eq!(part(&wrong, 0), header);
        key::check(&keys["keys"][0], &wrong, false);
    }

    #[tokio::test]
    async fn tokens_are_issued_as_requested() {
        let issuer = Issuer::start().await.unwrap();
        let request = TokenRequest::of(Role::Viewer).subject("ann").lifetime_seconds(60);
        let answer = reqwest::Client::new()
            .post(format!("{}/token", issuer.address()))
            .header("content-type", "application/json")
            .body(json!(request).to_string())
            .send()
            .await
            .unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(60)));
        let claims = part(answer["access_token"].as_str().unwrap(), 1);
        assert_eq!(claims["iss"], issuer.address());
        assert_eq!((&claims["sub"], &claims["aud"]), (&json!("ann"), &json!(AUDIENCE)));
        assert_eq!(claims[ROLES_CLAIM], json!([Role::Viewer.claim_value()]));
    }
}
