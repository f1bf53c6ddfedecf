//! An emulated AWS on loopback with the project's stack in it.

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

/// The region that everything is in.
pub const REGION: &str = "us-east-1";
/// The access key of whoever looks into the cloud from outside. The functions have another one.
pub const ACCESS_KEY_ID: &str = "local";
/// The secret key that goes with it.
pub const SECRET_ACCESS_KEY: &str = "local";

/// How long starting and deploying took.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct StartTimes {
    /// From nothing to an emulator that answers.
    pub start_seconds: f64,
    /// From an empty emulator to a complete stack.
    pub deploy_seconds: f64,
    /// Resources of the stack.
    pub resources: u64,
}

/// A running local cloud. It ends, with all functions, when the value is dropped or its process dies.
#[derive(Debug)]
pub struct Cloud {
    launched: Launched,
    outputs: StackOutputs,
    stack_name: String,
    lake_bucket: String,
    times: StartTimes,
    http: reqwest::Client,
    issuer: Issuer,
    /// Last, so that what runs in it has ended when it is deleted.
    folder: TempDir,
}

impl Cloud {
    /// Starts the emulator, makes the lake bucket and deploys the stack. Nothing of an earlier cloud is in it.
    pub async fn start(mut options: Options, progress: &Progress) -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("local-cloud-")
            .tempdir()
            .map_err(Error::file(std::env::temp_dir()))?;
        // Loopback only: a proxy of the environment has no business here.
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
        progress.step(&format!("it answers at {}; deploying infra/template.yaml", launched.endpoint));
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

    /// Address of all services, such as `http://127.0.0.1:4566`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.launched.endpoint
    }

    /// Address of the HTTP API; append a path such as `/runs/…`. Requests must carry a token of the issuer, as they must
    /// on AWS; [`Cloud::api`] does it.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}/_aws/execute-api/{}/$default", self.endpoint(), self.outputs.api_id)
    }

    /// Who signs people in to the HTTP API.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// What the stack says of itself: names of tables, addresses of queues.
    #[must_use]
    pub fn outputs(&self) -> &StackOutputs {
        &self.outputs
    }

    /// The customer's bucket with the sources.
    #[must_use]
    pub fn lake_bucket(&self) -> &str {
        &self.lake_bucket
    }

    /// Name of the stack, which is also the first part of its secrets' names.
    #[must_use]
    pub fn stack_name(&self) -> &str {
        &self.stack_name
    }

    /// How long starting took.
    #[must_use]
    pub fn times(&self) -> StartTimes {
        self.times
    }

    /// Settings for AWS clients that look into this cloud, as environment variables. S3 needs path style.
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

    /// What the emulator and the functions said.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        &self.launched.log
    }

    /// What the functions sent to queues, tables and the event bus: a JSON object a line, with `caller` (`function`
    /// or `outside`), `service`, `action` and the request's `body`.
    #[must_use]
    pub fn journal_path(&self) -> PathBuf {
        launch::journal(self.folder.path())
    }

    /// The journal's text.
    pub fn journal(&self) -> Result<String, Error> {
        let path = self.journal_path();
        std::fs::read_to_string(&path).map_err(Error::file(path))
    }

    /// The running processes of a function, such as `push-campaign-monitor` (Linux only; empty elsewhere).
    #[must_use]
    pub fn function_processes(&self, function: &str) -> Vec<u32> {
        processes::with_environment(&[
            ("AWS_LAMBDA_FUNCTION_NAME", &self.function_name(function)),
            ("AWS_ENDPOINT_URL", self.endpoint()),
        ])
    }

    /// The emulator's process.
    #[must_use]
    pub fn emulator_process(&self) -> Option<u32> {
        self.launched.pid()
    }

    /// The deployed name of a function, such as `segment-relay-tick` for `tick`.
    #[must_use]
    pub fn function_name(&self, function: &str) -> String {
        format!("{}-{function}", self.stack_name)
    }

    /// Ends the emulator and all functions, and deletes their state. Dropping does it too, without waiting.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.launched.stop().await
    }
}
