//! Where things lie: the repository, and `.local/` in it, which holds whatever the local cloud makes.

use std::fs::{File, create_dir_all};
use std::path::{Path, PathBuf};

use crate::Error;

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_path_buf()
}

/// `infra/local`, with the launcher and the pinned requirements.
#[must_use]
pub fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The SAM template.
#[must_use]
pub fn template() -> PathBuf {
    root().join("infra/template.yaml")
}

/// `.local/`, made where it does not exist. It can be deleted at any time when nothing runs.
pub fn local() -> Result<PathBuf, Error> {
    folder(root().join(".local"))
}

/// `.local/logs/`.
pub fn logs() -> Result<PathBuf, Error> {
    folder(root().join(".local/logs"))
}

fn folder(path: PathBuf) -> Result<PathBuf, Error> {
    create_dir_all(&path).map_err(Error::file(&path))?;
    Ok(path)
}

/// Waits until no other command holds the lock of this name, then holds it until the value is dropped.
///
/// The system lets go of the lock when its holder dies, so an interrupted command leaves nothing behind.
pub fn lock(name: &str) -> Result<File, Error> {
    let path = local()?.join(format!("{name}.lock"));
    let file = File::create(&path).map_err(Error::file(&path))?;
    file.lock().map_err(Error::file(&path))?;
    Ok(file)
}
