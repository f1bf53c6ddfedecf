//! Deploys the stack to the emulator.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{Code, Options, REGION, StackOutputs};
use crate::archive::{self, Compression};
use crate::error::tail;
use crate::{Error, workspace};

/// The output of `deploy.py`.
#[derive(Debug, Deserialize)]
pub(super) struct Deployed {
    pub(super) outputs: StackOutputs,
    pub(super) resources: u64,
}

pub(super) async fn deploy(options: &Options, endpoint: &str, folder: &Path) -> Result<Deployed, Error> {
    let archives = archives(options, folder)?;
    let mut parameters = options.parameters.clone();
    parameters.insert("LakeBucketName".to_owned(), options.lake_bucket.clone());
    let request = serde_json::json!({
        "endpoint": endpoint,
        "region": REGION,
        "stack_name": options.stack_name,
        "template": workspace::template(),
        "lake_bucket": options.lake_bucket,
        "archives": archives,
        "parameters": parameters,
    });
    let mut child = Command::new(options.venv.python())
        .arg(workspace::package().join("python/deploy.py"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("NO_PROXY", "*")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(Error::start("python"))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(request.to_string().as_bytes()).await.map_err(Error::start("deploy.py"))?;
    }
    let output = child.wait_with_output().await.map_err(Error::start("deploy.py"))?;
    if !output.status.success() {
        return Err(Error::Failed {
            program: "the deployment".to_owned(),
            status: output.status,
            output: tail(&output.stderr, 15),
        });
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn archives(options: &Options, folder: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    let mut archives = BTreeMap::new();
    for (function, binary) in &options.binaries {
        let archive = folder.join(format!("{function}.zip"));
        match options.code {
            Code::Packaged => archive::write_binary(binary, &archive, Compression::Stored)?,
            Code::Referenced => archive::write_reference(&frozen(function, binary, folder)?, &archive)?,
        };
        archives.insert(function.clone(), archive);
    }
    Ok(archives)
}

/// Copies the binary, so that a later build does not change the running cloud.
fn frozen(function: &str, binary: &Path, folder: &Path) -> Result<PathBuf, Error> {
    let own = folder.join(format!("{function}.bootstrap"));
    std::fs::hard_link(binary, &own)
        .or_else(|_| std::fs::copy(binary, &own).map(|_| ()))
        .map_err(Error::file(binary))?;
    Ok(own)
}
