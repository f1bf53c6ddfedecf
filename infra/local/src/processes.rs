//! Processes: whether they are alive, which are the functions', and how to end one without unsafe code.

use std::path::Path;
use std::process::{Command, Stdio};

/// A process, distinguished from later ones with the same id.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// Process id.
    pub pid: u32,
    /// The start time, in the system's format.
    pub started: String,
}

impl Identity {
    /// Returns the identity of a running process.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        started(pid).map(|started| Self { pid, started })
    }

    /// Returns whether the process is still running.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        started(self.pid).is_some_and(|started| started == self.started)
    }

    /// Sends a signal, such as `TERM`, if it is still the same process.
    pub fn signal(&self, name: &str) {
        if self.is_alive() {
            signal(self.pid, name);
        }
    }
}

/// Sends a signal, such as `TERM` or `KILL`. An ended process is not an error.
pub fn signal(pid: u32, name: &str) {
    send(&format!("kill -{name} {pid}"));
}

/// Sends a signal to all processes of a group.
pub fn signal_group(group: u32, name: &str) {
    send(&format!("kill -{name} -{group}"));
}

/// The shell's builtin `kill` needs no separate program.
fn send(command: &str) {
    let _ended =
        Command::new("sh").args(["-c", command]).stdin(Stdio::null()).stderr(Stdio::null()).status().is_ok();
}

/// Returns the processes whose environment has all of these settings, from `/proc` (Linux only; none
/// elsewhere).
#[must_use]
pub fn with_environment(settings: &[(&str, &str)]) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let mut found: Vec<u32> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| has_environment(*pid, settings))
        .collect();
    found.sort_unstable();
    found
}

fn has_environment(pid: u32, settings: &[(&str, &str)]) -> bool {
    let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) else {
        return false;
    };
    let has = |name: &str, value: &str| {
        environment.split(|byte| *byte == 0).any(|entry| entry == format!("{name}={value}").as_bytes())
    };
    !environment.is_empty() && settings.iter().all(|(name, value)| has(name, value))
}

fn started(pid: u32) -> Option<String> {
    if Path::new("/proc/self/stat").exists() {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        return started_in(&stat);
    }
    let output = Command::new("ps").args(["-o", "lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Returns field 22 of `/proc/PID/stat` (the manual page `proc_pid_stat`): the start time in clock ticks
/// since boot. The second field, the program's name in parentheses, may contain spaces. A zombie counts as
/// ended.
fn started_in(stat: &str) -> Option<String> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    (fields.next()? != "Z").then_some(())?;
    fields.nth(18).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_field_22_whatever_the_name() {
        fn check(state: &str, expected: Option<&str>) {
            let fields: Vec<String> = (4..=30).map(|field| field.to_string()).collect();
            let stat = format!("7 (a) (b c) {state} {}", fields.join(" "));
            assert_eq!(started_in(&stat).as_deref(), expected, "{state}");
        }
        check("S", Some("22"));
        check("Z", None);
    }

    #[test]
    fn an_identity_is_of_one_process_only() {
        let me = Identity::of(std::process::id()).unwrap();
        assert!(me.is_alive());
        assert!(!Identity { started: "another time".to_owned(), ..me }.is_alive());
    }
}
