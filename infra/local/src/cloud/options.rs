//! What a local cloud can be asked for.

use std::collections::BTreeMap;

use crate::binaries::Binaries;
use crate::venv::Venv;

/// How the functions' code gets into the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Code {
    /// The packages only point at the binaries, which saves copying hundreds of megabytes.
    #[default]
    Referenced,
    /// Complete packages, as in an account. Lambda's limit of 250 MiB holds, so release builds only.
    Packaged,
}

/// What to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the emulator is installed.
    pub venv: Venv,
    /// The functions.
    pub binaries: Binaries,
    /// How they get in.
    pub code: Code,
    /// Name of the stack.
    pub stack_name: String,
    /// Name of the bucket for the sources, which is made empty.
    pub lake_bucket: String,
    /// Parameters of the template, over its defaults. `LakeBucketName` is set already, and so are `JwtIssuer` and
    /// `JwtAudience` where they are not given.
    pub parameters: BTreeMap<String, String>,
    /// Further environment of all functions, such as `RUST_LOG`.
    pub environment: BTreeMap<String, String>,
    /// Hold the functions to their roles: a call that the template does not allow is refused, as on AWS.
    pub enforce_permissions: bool,
    /// First part of the log's name in `.local/logs/`.
    pub log_name: String,
}

impl Options {
    /// The stack `segment-relay` over an empty lake, with the template's defaults.
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

    /// Sets the address of Campaign Monitor's API: the sandbox's.
    #[must_use]
    pub fn campaign_monitor(self, endpoint: &str) -> Self {
        self.parameter("CampaignMonitorEndpoint", endpoint)
    }

    /// Shortens a function's timeout, and its queue's visibility timeout to as many seconds as given. `stage` is the
    /// parameter's first word: `Snapshot`, `Engine`, `Chunk`, `Push` or `Finish`.
    ///
    /// A message whose worker died is delivered again after the visibility timeout and not before, so a test
    /// that kills a worker wants it short; no shorter than an invocation takes, or work is done twice.
    #[must_use]
    pub fn timeouts(self, stage: &str, timeout_seconds: u32, visibility_timeout_seconds: u32) -> Self {
        self.parameter(&format!("{stage}TimeoutSeconds"), timeout_seconds.to_string())
            .parameter(&format!("{stage}VisibilityTimeoutSeconds"), visibility_timeout_seconds.to_string())
    }
}
