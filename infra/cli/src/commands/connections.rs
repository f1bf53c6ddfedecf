//! `connections`.

use relay_model::catalog::Kind;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::Session;
use super::definitions::{self, Asking};
use crate::Ending;
use crate::api::{Call, Condition, Saved, field, text, texts};
use crate::arguments::ConnectionCommand;
use crate::error::Error;
use crate::files::FileError;

/// Runs one of the commands.
pub(super) async fn carry_out(
    command: &ConnectionCommand,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    match command {
        ConnectionCommand::Definition(command) => {
            definitions::carry_out(Kind::Connection, command, session).await
        }
        ConnectionCommand::Test { id } => test(id, session).await,
        ConnectionCommand::Credentials { id, file } => {
            let secret = match file {
                Some(path) => std::fs::read_to_string(path).map_err(FileError::file(path))?,
                None => typed(session)?,
            };
            store(id, secret.into(), session).await
        }
        ConnectionCommand::Consent { id, text, .. } => consent(id, text.as_deref(), session).await,
        ConnectionCommand::Remove { id, exports, yes } => {
            let query = vec![("exports", exports.name().to_owned())];
            definitions::remove(Kind::Connection, id, query, Asking::unless(*yes), session).await
        }
    }
}

async fn test(id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("test connection {id}");
    let found = session.api.send(&Call::new(Method::POST, &doing, &["connections", id, "test"])).await?.body;
    let is_usable = field(&found, "/usable") == Some(&Value::Bool(true));
    session.console.show(&found, |_| {
        if !is_usable {
            return format!("It is not usable: {}", text(&found, "/problem/text"));
        }
        let notices = texts(&found, "/account/notices").into_iter().map(|notice| format!("\nnote: {notice}"));
        format!("It is usable: {}{}", text(&found, "/account/name"), notices.collect::<String>())
    })?;
    Ok(if is_usable { Ending::Done } else { Ending::Failed })
}

fn typed(session: &mut Session<'_, '_>) -> Result<String, Error> {
    if session.console.screen.is_interactive {
        session.console.note("Paste the JSON, then press Ctrl-D on an empty line.")?;
    }
    let mut secret = String::new();
    session.console.input.read_to_string(&mut secret)?;
    Ok(secret)
}

async fn store(id: &str, secret: SecretString, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    // The input may be a secret, so the error must not quote it.
    let is_object = serde_json::from_str::<Map<String, Value>>(secret.expose_secret()).is_ok();
    if !is_object {
        let text = "the credentials must be a JSON object, such as {\"api_key\": \"…\"}; nothing was sent";
        return Err(Error::Input(text.to_owned()));
    }
    let doing = format!("store the credentials of connection {id}");
    let path = ["connections", id, "credentials"];
    let mut call = Call::new(Method::PUT, &doing, &path);
    call.body = Some(secret);
    session.api.send(&call).await?;
    session.console.show(&json!({ "stored": id }), |_| {
        format!("Stored. To test them: segment-relay connections test {id}")
    })?;
    Ok(Ending::Done)
}

async fn consent(id: &str, words: Option<&str>, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = match words {
        Some(_) => format!("record the consent of connection {id}"),
        None => format!("withdraw the consent of connection {id}"),
    };
    let Saved { version, .. } = definitions::read(Kind::Connection, id, &doing, session).await?;
    let path = ["connections", id, "consent"];
    let call = match words {
        Some(words) => Call::new(Method::PUT, &doing, &path).json(&json!({ "text": words })),
        None => Call::new(Method::DELETE, &doing, &path),
    };
    session.api.send(&call.only_if(Condition::IsVersion(version))).await?;
    session.console.show(&json!({ "id": id, "has_consent": words.is_some() }), |_| match words {
        Some(_) => "Recorded, with your name and the time.".to_owned(),
        None => "Withdrawn. Nothing is exported through it any more.".to_owned(),
    })?;
    Ok(Ending::Done)
}
