//! Options of a local cloud.

use std::collections::BTreeMap;

use crate::binaries::Binaries;
use crate::venv::Venv;

/// How the functions' code is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Code {
    /// The packages refer to the binaries, which saves copying hundreds of megabytes.
    #[default]
    Referenced,
    /// Complete packages, as in an AWS account. Lambda's limit of 250 MiB applies, so they need release
    /// builds.
    Packaged,
}

/// The options of a local cloud.
#[derive(Clone, Debug)]
pub struct Options {
    /// The emulator's Python environment.
    pub venv: Venv,
    /// The functions.
    pub binaries: Binaries,
    /// How their code is deployed.
    pub code: Code,
    /// The name of the stack.
    pub stack_name: String,
    /// The name of the bucket for the sources, which is created empty.
    pub lake_bucket: String,
    /// Parameters of the template that differ from its defaults. `LakeBucketName` is set, and so are
    /// `JwtIssuer` and `JwtAudience` unless given.
    pub parameters: BTreeMap<String, String>,
    /// Additional environment variables of all functions, such as `RUST_LOG`.
    pub environment: BTreeMap<String, String>,
    /// Whether to enforce the functions' roles: a call that the template does not allow is refused, as on
    /// AWS.
    pub enforce_permissions: bool,
    /// The prefix of the log's name in `.local/logs/`.
    pub log_name: String,
}

impl Options {
    /// Creates the options for the stack `segment-relay` with an empty lake and the template's defaults.
    #[must_use]
    pub fn new(venv: Venv, binaries: Binaries) -> Self {
        Self {
            venv,
            binaries,
            code: Code::default(),
            stack_name: "segment-relay".to_owned(),
            lake_bucket: "lake".to_owned(),
            parameters: BTreeMap::new(),
            environment: BTreeMap::new(),
            enforce_permissions: false,
            log_name: "cloud".to_owned(),
        }
    }

    /// Sets a parameter of the template.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the endpoint of Campaign Monitor's API: the sandbox's.
    #[must_use]
    pub fn campaign_monitor(self, endpoint: &str) -> Self {
        self.parameter("CampaignMonitorEndpoint", endpoint)
    }

    /// Shortens a function's timeout, and its queue's visibility timeout, both in seconds. `stage` is the
    /// parameter's prefix: `Snapshot`, `Engine`, `Chunk`, `Push` or `Finish`.
    ///
    /// A message whose worker was killed is redelivered only after the visibility timeout, so tests that
    /// kill workers need a short one. It must not be shorter than an invocation, or work is repeated.
    #[must_use]
    pub fn timeouts(self, stage: &str, timeout_seconds: u32, visibility_timeout_seconds: u32) -> Self {
        self.parameter(&format!("{stage}TimeoutSeconds"), timeout_seconds.to_string())
            .parameter(&format!("{stage}VisibilityTimeoutSeconds"), visibility_timeout_seconds.to_string())
    }
}
