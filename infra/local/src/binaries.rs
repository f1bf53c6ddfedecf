//! The functions' binaries, built by cargo.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::console::Progress;
use crate::error::tail;
use crate::{Error, workspace};

/// The build profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Profile {
    /// Fast to build: for tests and experiments.
    #[default]
    Dev,
    /// As deployed.
    Release,
}

impl Profile {
    /// Returns cargo's name of the profile.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }
}

/// Function (its binary's name, such as `tick` or `push-marketo`) → the binary's path.
pub type Binaries = BTreeMap<String, PathBuf>;

/// Builds all binaries of the workspace and returns the paths of the functions.
///
/// Building the whole workspace unifies the features of dependencies, so that no dependency is built twice.
pub fn build(profile: Profile, progress: &Progress) -> Result<Binaries, Error> {
    progress.step(&format!("building the functions, profile {} (minutes, the first time)", profile.name()));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(workspace::root())
        .args(["build", "--workspace", "--bins", "--locked", "--profile", profile.name()])
        .args(["--message-format", "json-render-diagnostics"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(Error::start("cargo"))?;
    if !output.status.success() {
        return Err(Error::Failed {
            program: "cargo build".to_owned(),
            status: output.status,
            output: tail(&output.stderr, 20),
        });
    }
    let built = executables(&output.stdout, &workspace::root().join("functions"));
    let missing: Vec<String> =
        functions()?.into_iter().filter(|function| !built.contains_key(function)).collect();
    if missing.is_empty() {
        progress.step("the functions are built");
        Ok(built)
    } else {
        Err(Error::Missing(format!("cargo built no binary for {}", missing.join(", "))))
    }
}

/// Lists all functions: the packages in `functions/`, or their binaries if a package has several
/// (`src/bin/`).
pub fn functions() -> Result<Vec<String>, Error> {
    let folder = workspace::root().join("functions");
    let mut found = Vec::new();
    for package in entries(&folder)? {
        let binaries = package.join("src/bin");
        if binaries.is_dir() {
            found.extend(entries(&binaries)?.iter().filter_map(|path| stem(path)));
        } else if package.join("Cargo.toml").exists() {
            found.extend(stem(&package));
        }
    }
    found.sort();
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(folder).map_err(Error::file(folder))?;
    entries.map(|entry| Ok(entry.map_err(Error::file(folder))?.path())).collect()
}

fn stem(path: &Path) -> Option<String> {
    Some(path.file_stem()?.to_string_lossy().into_owned())
}

/// The relevant part of cargo's JSON output.
#[derive(Deserialize)]
struct Message {
    manifest_path: Option<PathBuf>,
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

fn executables(output: &[u8], functions: &Path) -> Binaries {
    String::from_utf8_lossy(output)
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter_map(|message| {
            let manifest = message.manifest_path?;
            let package = manifest.parent()?;
            (package.parent()? == functions).then_some(())?;
            Some((message.target?.name, message.executable?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_executables_of_functions_are_taken() {
        let output = br#"{"reason":"compiler-artifact","manifest_path":"/r/functions/tick/Cargo.toml","target":{"name":"tick"},"executable":"/t/tick"}
{"reason":"compiler-artifact","manifest_path":"/r/functions/push/Cargo.toml","target":{"name":"push-marketo"},"executable":"/t/push-marketo"}
{"reason":"compiler-artifact","manifest_path":"/r/functions/tick/Cargo.toml","target":{"name":"tick"},"executable":null}
{"reason":"compiler-artifact","manifest_path":"/r/infra/local/Cargo.toml","target":{"name":"local"},"executable":"/t/local"}
not json
{"reason":"build-finished","success":true}"#;
        let found = executables(output, Path::new("/r/functions"));
        let expected = [("push-marketo", "/t/push-marketo"), ("tick", "/t/tick")];
        assert_eq!(found, expected.map(|(name, path)| (name.to_owned(), PathBuf::from(path))).into());
    }

    #[test]
    fn functions_are_packages_or_their_binaries() {
        let found = functions().unwrap();
        assert!(found.contains(&"tick".to_owned()) && found.contains(&"push-campaign-monitor".to_owned()));
        assert!(!found.contains(&"push".to_owned()));
    }
}
