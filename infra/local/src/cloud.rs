//! An emulated AWS on loopback with the deployed stack.

mod api;
mod deploy;
mod holds;
mod launch;
mod options;
mod outputs;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::console::Progress;
use crate::issuer::{self, Issuer};
use crate::{Error, processes};

pub use api::{Calls, Response};
pub use holds::{Hold, HoldNumber, Moment};
use launch::Launched;
pub use options::{Code, Options};
pub use outputs::StackOutputs;

/// The AWS region.
pub const REGION: &str = "us-east-1";
/// The access key of clients outside of the cloud. The functions have another one.
pub const ACCESS_KEY_ID: &str = "local";
/// The secret key of [`ACCESS_KEY_ID`].
pub const SECRET_ACCESS_KEY: &str = "local";

/// Durations of the start and the deployment.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct StartTimes {
    /// From the start to an emulator that answers.
    pub start_seconds: f64,
    /// From an empty emulator to a complete stack.
    pub deploy_seconds: f64,
    /// The number of resources of the stack.
    pub resources: u64,
}

/// A running local cloud. It ends, with all functions, when the value is dropped or its process exits.
#[derive(Debug)]
pub struct Cloud {
    launched: Launched,
    outputs: StackOutputs,
    stack_name: String,
    lake_bucket: String,
    times: StartTimes,
    http: reqwest::Client,
    issuer: Issuer,
    /// The last field, so that the processes have ended when it is deleted.
    folder: TempDir,
}

impl Cloud {
    /// Starts the emulator, creates the lake bucket and deploys the stack. It keeps no state of an earlier
    /// cloud.
    pub async fn start(mut options: Options, progress: &Progress) -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("local-cloud-")
            .tempdir()
            .map_err(Error::file(std::env::temp_dir()))?;
        // Loopback only, so proxies of the environment do not apply.
        let http = reqwest::Client::builder().no_proxy().build()?;
        let began = progress.seconds();
        progress.step("starting the emulated AWS");
        let issuer = Issuer::start().await?;
        let mut preset = |name: &str, value: &str| {
            options.parameters.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        };
        preset("JwtIssuer", issuer.address());
        preset("JwtAudience", issuer::AUDIENCE);
        let launched = launch::launch(&options, folder.path(), &http).await?;
        let start_seconds = progress.seconds() - began;
        progress.step(&format!("it is ready at {}; deploying infra/template.yaml", launched.endpoint));
        let deployed = deploy::deploy(&options, &launched.endpoint, folder.path()).await?;
        progress.step(&format!("the stack is complete: {} resources", deployed.resources));
        let times = StartTimes {
            start_seconds,
            deploy_seconds: progress.seconds() - began - start_seconds,
            resources: deployed.resources,
        };
        let outputs = deployed.outputs;
        let Options { stack_name, lake_bucket, .. } = options;
        Ok(Self { launched, outputs, stack_name, lake_bucket, times, http, issuer, folder })
    }

    /// Returns the endpoint of all services, such as `http://127.0.0.1:4566`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.launched.endpoint
    }

    /// Returns the address of the HTTP API; append a path such as `/runs/…`. As on AWS, requests must have
    /// a token of the issuer; [`Cloud::api`] adds it.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}/_aws/execute-api/{}/$default", self.endpoint(), self.outputs.api_id)
    }

    /// Returns the token issuer of the HTTP API.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Returns the stack's outputs: names of tables, addresses of queues.
    #[must_use]
    pub fn outputs(&self) -> &StackOutputs {
        &self.outputs
    }

    /// Returns the customer's bucket with the sources.
    #[must_use]
    pub fn lake_bucket(&self) -> &str {
        &self.lake_bucket
    }

    /// Returns the name of the stack, which is also the prefix of its secrets' names.
    #[must_use]
    pub fn stack_name(&self) -> &str {
        &self.stack_name
    }

    /// Returns the durations of the start.
    #[must_use]
    pub fn times(&self) -> StartTimes {
        self.times
    }

    /// Returns the environment variables for AWS clients of this cloud. S3 needs path style.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.endpoint().to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.to_owned()),
        ]
    }

    /// Returns the log of the emulator and the functions.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        &self.launched.log
    }

    /// Returns the journal of the functions' requests to queues, tables and the event bus: one JSON object
    /// per line, with `caller` (`function` or `outside`), `service`, `action` and the request's `body`.
    #[must_use]
    pub fn journal_path(&self) -> PathBuf {
        launch::journal(self.folder.path())
    }

    /// Returns the journal's text.
    pub fn journal(&self) -> Result<String, Error> {
        let path = self.journal_path();
        std::fs::read_to_string(&path).map_err(Error::file(path))
    }

    /// Returns the running processes of a function, such as `push-campaign-monitor` (Linux only; empty
    /// elsewhere).
    #[must_use]
    pub fn function_processes(&self, function: &str) -> Vec<u32> {
        processes::with_environment(&[
            ("AWS_LAMBDA_FUNCTION_NAME", &self.function_name(function)),
            ("AWS_ENDPOINT_URL", self.endpoint()),
        ])
    }

    /// Returns the emulator's process.
    #[must_use]
    pub fn emulator_process(&self) -> Option<u32> {
        self.launched.pid()
    }

    /// Returns the deployed name of a function, such as `segment-relay-tick` for `tick`.
    #[must_use]
    pub fn function_name(&self, function: &str) -> String {
        format!("{}-{function}", self.stack_name)
    }

    /// Ends the emulator and all functions, and deletes their state. Dropping does the same without
    /// waiting.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.launched.stop().await
    }
}
