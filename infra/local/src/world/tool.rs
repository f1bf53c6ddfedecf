//! Runs `segment-relay` in this process, to define the local cloud's content through the HTTP API.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use relay_cli::files::Values;
use relay_cli::{Ending, Screen, Surroundings};
use serde_json::Value;

use crate::cloud::Cloud;
use crate::issuer::{Role, TokenRequest};
use crate::{Error, workspace};

const POLL: Duration = Duration::from_millis(250);

/// The tool, signed in as an administrator.
pub struct Tool {
    variables: BTreeMap<String, String>,
}

impl Tool {
    /// Creates the tool for a cloud of this process, with a token for an hour. The audit log shows
    /// `subject`.
    pub fn of(cloud: &Cloud, subject: &str) -> Result<Self, Error> {
        let token = cloud.issuer().token(&TokenRequest::of(Role::Administrator).subject(subject))?;
        Ok(Self::at(&cloud.api_url(), &token))
    }

    /// Creates the tool for an API and a token.
    #[must_use]
    pub fn at(api_url: &str, token: &str) -> Self {
        let variables = [("SEGMENT_RELAY_URL", api_url), ("SEGMENT_RELAY_TOKEN", token)];
        Self { variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into() }
    }

    /// Runs a command line and returns its output. Any ending other than [`Ending::Done`] is an error with
    /// the output.
    pub async fn run(&self, arguments: &[&str]) -> Result<String, Error> {
        self.feed(arguments, "").await
    }

    /// As [`Tool::run`], with an input.
    pub async fn feed(&self, arguments: &[&str], input: &str) -> Result<String, Error> {
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let surroundings = Surroundings {
            output: &mut output,
            errors: &mut errors,
            input: &mut input.as_bytes(),
            variables: self.variables.clone(),
            folder: workspace::root(),
            poll: POLL,
            screen: Screen::default(),
        };
        let whole = std::iter::once("segment-relay").chain(arguments.iter().copied());
        let ending = Box::pin(relay_cli::run(whole, surroundings)).await;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        match ending {
            Ending::Done => Ok(text(output)),
            Ending::Failed | Ending::Differences | Ending::Held => Err(Error::Tool {
                command: arguments.iter().take(2).copied().collect::<Vec<_>>().join(" "),
                said: text(errors),
            }),
        }
    }

    /// Applies a folder of definitions.
    pub async fn apply(&self, folder: &Path, values: &Values) -> Result<String, Error> {
        let pairs: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let folder = folder.to_string_lossy();
        let mut arguments = vec!["apply", folder.as_ref(), "--yes"];
        arguments.extend(pairs.iter().flat_map(|pair| ["--value", pair]));
        self.run(&arguments).await
    }

    /// Stores a connection's credentials, and tests them.
    pub async fn connect(&self, connection: &str, credentials: &Value) -> Result<(), Error> {
        self.feed(&["connections", "credentials", connection], &credentials.to_string()).await?;
        self.run(&["connections", "test", connection]).await.map(drop)
    }
}

/// Returns the demo's catalog, which is also an example to start from.
#[must_use]
pub fn example_catalog() -> PathBuf {
    workspace::package().join("catalog")
}
