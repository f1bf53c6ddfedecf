//! The Python environments in `.local/`, with pinned and hashed packages: one for the emulator, and one for
//! Schemathesis.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::console::Progress;
use crate::error::tail;
use crate::{Error, workspace};

/// Written last: without it, or with other content, the environment is incomplete.
const STAMP: &str = "complete";

/// A complete environment.
#[derive(Clone, Debug)]
pub struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// Returns its Python.
    #[must_use]
    pub fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }
}

/// A Python environment.
struct Environment {
    /// Its folder in `.local/`.
    name: &'static str,
    /// Its requirements, under `infra/local/`.
    requirements: &'static str,
    /// The installation's progress text.
    what: &'static str,
}

const EMULATOR: Environment = Environment {
    name: "venv",
    requirements: "requirements.txt",
    what: "MiniStack, the local cloud's emulator, into it (85 MB, some 10 to 60 s)",
};

const SCHEMATHESIS: Environment = Environment {
    name: "schemathesis",
    requirements: "python/schemathesis-requirements.txt",
    what: "Schemathesis, the API tester, into it (30 MB, some 10 to 60 s)",
};

/// Creates `.local/venv` for the emulator, unless it is complete and has these requirements. Concurrent
/// processes wait for each other.
pub fn ensure(progress: &Progress) -> Result<Venv, Error> {
    ensure_environment(&EMULATOR, progress)
}

/// Creates `.local/schemathesis` in the same way as [`ensure`].
pub fn ensure_schemathesis(progress: &Progress) -> Result<Venv, Error> {
    ensure_environment(&SCHEMATHESIS, progress)
}

fn ensure_environment(environment: &Environment, progress: &Progress) -> Result<Venv, Error> {
    let Environment { name, requirements, what } = environment;
    let folder = workspace::local()?.join(name);
    let requirements = workspace::package().join(requirements);
    let wanted = std::fs::read_to_string(&requirements).map_err(Error::file(&requirements))?;
    let venv = Venv { folder: folder.clone() };
    if is_complete(&folder, &wanted) {
        return Ok(venv);
    }
    let _lock = workspace::lock(name)?;
    if is_complete(&folder, &wanted) {
        return Ok(venv);
    }
    progress.step(&format!("creating a Python environment in .local/{name}"));
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(Error::file(&folder))?;
    }
    run("python3", Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    progress.step(&format!("installing {what}"));
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"];
    run(
        "pip",
        Command::new(venv.python())
            .args(install)
            .args(["--only-binary", ":all:", "--require-hashes", "--requirement"])
            .arg(&requirements),
    )?;
    let stamp = folder.join(STAMP);
    std::fs::write(&stamp, wanted).map_err(Error::file(stamp))?;
    progress.step("the Python environment is complete");
    Ok(venv)
}

/// The stamp is a copy of the requirements. A missing Python (after an upgrade) makes the environment
/// incomplete too.
fn is_complete(folder: &Path, wanted: &str) -> bool {
    std::fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == wanted)
        && folder.join("bin/python").exists()
}

fn run(program: &str, command: &mut Command) -> Result<(), Error> {
    let output = command.stdin(Stdio::null()).output().map_err(Error::start(program))?;
    if output.status.success() {
        return Ok(());
    }
    let mut said = output.stdout;
    said.extend(output.stderr);
    Err(Error::Failed { program: program.to_owned(), status: output.status, output: tail(&said, 20) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_of_other_requirements_or_a_missing_python_is_incomplete() {
        fn check(stamp: Option<&str>, python: bool, complete: bool) {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("bin")).unwrap();
            if python {
                std::fs::write(folder.path().join("bin/python"), "").unwrap();
            }
            if let Some(stamp) = stamp {
                std::fs::write(folder.path().join(STAMP), stamp).unwrap();
            }
            assert_eq!(is_complete(folder.path(), "a==1"), complete, "{stamp:?} {python}");
        }
        check(Some("a==1"), true, true);
        check(Some("a==2"), true, false);
        check(None, true, false);
        check(Some("a==1"), false, false);
    }
}
