//! Resource usage of the functions' processes, as measured by the operating system (Linux only; zeros
//! elsewhere).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::cloud::Cloud;
use crate::processes;

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Linux reports CPU time in `/proc` in hundredths of a second.
const TICKS_A_SECOND: f64 = 100.0;

/// The total usage of a function's processes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Usage {
    pub(super) function: String,
    pub(super) processes: usize,
    pub(super) cpu_seconds: f64,
    /// The peak resident size of a single process.
    pub(super) peak_bytes: u64,
}

/// By process: function, CPU seconds and peak.
type Seen = BTreeMap<u32, (String, f64, u64)>;

/// Samples the processes repeatedly, because an ended process cannot be queried.
pub(super) struct Watch {
    functions: Vec<String>,
    seen: Arc<Mutex<Seen>>,
    looking: tokio::task::JoinHandle<()>,
}

impl Watch {
    pub(super) fn start(cloud: &Cloud, functions: &[&str]) -> Self {
        let seen = Arc::new(Mutex::new(Seen::new()));
        let names: Vec<(String, String)> = functions
            .iter()
            .map(|function| ((*function).to_owned(), cloud.function_name(function)))
            .collect();
        let endpoint = cloud.endpoint().to_owned();
        let shared = Arc::clone(&seen);
        let looking = tokio::spawn(async move {
            loop {
                look(&names, &endpoint, &shared);
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        Self { functions: functions.iter().map(|function| (*function).to_owned()).collect(), seen, looking }
    }

    pub(super) fn finish(self, cloud: &Cloud) -> Vec<Usage> {
        self.looking.abort();
        let names: Vec<(String, String)> =
            self.functions.iter().map(|function| (function.clone(), cloud.function_name(function))).collect();
        look(&names, cloud.endpoint(), &self.seen);
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let usage = self.functions.iter().map(|function| {
            let mut usage = Usage { function: function.clone(), ..Usage::default() };
            for (_, cpu_seconds, peak_bytes) in seen.values().filter(|(owner, _, _)| owner == function) {
                usage.processes += 1;
                usage.cpu_seconds += cpu_seconds;
                usage.peak_bytes = usage.peak_bytes.max(*peak_bytes);
            }
            usage
        });
        usage.collect()
    }
}

fn look(names: &[(String, String)], endpoint: &str, seen: &Mutex<Seen>) {
    for (function, deployed) in names {
        let settings = [("AWS_LAMBDA_FUNCTION_NAME", deployed.as_str()), ("AWS_ENDPOINT_URL", endpoint)];
        for pid in processes::with_environment(&settings) {
            if let (Some(cpu_seconds), Some(peak_bytes)) = (cpu_seconds(pid), peak_bytes(pid)) {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.insert(pid, (function.clone(), cpu_seconds, peak_bytes));
            }
        }
    }
}

/// Returns user and system time: fields 14 and 15 of `/proc/PID/stat`, counted after the name in
/// parentheses.
fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_A_SECOND)
}

fn peak_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
