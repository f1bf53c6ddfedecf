//! Paths: the repository, and `.local/` in it with all files of the local cloud.

use std::fs::{File, create_dir_all};
use std::path::{Path, PathBuf};

use crate::Error;

/// Returns the repository's root.
#[must_use]
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_path_buf()
}

/// Returns `infra/local`, with the launcher and the pinned requirements.
#[must_use]
pub fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the SAM template.
#[must_use]
pub fn template() -> PathBuf {
    root().join("infra/template.yaml")
}

/// Returns `.local/`, and creates it if necessary. It can be deleted at any time when nothing runs.
pub fn local() -> Result<PathBuf, Error> {
    folder(root().join(".local"))
}

/// Returns `.local/logs/`.
pub fn logs() -> Result<PathBuf, Error> {
    folder(root().join(".local/logs"))
}

fn folder(path: PathBuf) -> Result<PathBuf, Error> {
    create_dir_all(&path).map_err(Error::file(&path))?;
    Ok(path)
}

/// Waits for the lock of this name, and holds it until the value is dropped.
///
/// The system releases the lock when its holder exits, so an interrupted command needs no cleanup.
pub fn lock(name: &str) -> Result<File, Error> {
    let path = local()?.join(format!("{name}.lock"));
    let file = File::create(&path).map_err(Error::file(&path))?;
    file.lock().map_err(Error::file(&path))?;
    Ok(file)
}
