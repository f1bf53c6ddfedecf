//! The destinations' sandboxes as a program: starts one, says where it is in one line of JSON, and serves until it
//! is told to end.

use clap::{Args, Parser, Subcommand};
use sandbox::Throttle;
use sandbox::campaign_monitor::{Options, Sandbox};
use sandbox::omnisend;
use serde_json::json;
use std::error::Error;
use std::io::{self, Write};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Servers that behave as the destinations' public documents say.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    destination: Destination,
}

#[derive(Subcommand)]
enum Destination {
    /// Campaign Monitor's API, version 3.3.
    CampaignMonitor(CampaignMonitor),
    /// Omnisend's API, versions 2026-03-15 and v5.
    Omnisend(Omnisend),
}

#[derive(Args)]
struct Omnisend {
    /// TCP port on 127.0.0.1; 0 takes any free one, and is the default.
    #[arg(long)]
    port: Option<u16>,
    /// How many times as fast as in reality time passes.
    #[arg(long)]
    time_scale: Option<f64>,
    /// How to behave where the documents leave a choice: the fields of `Options` as JSON.
    /// What other flags say goes before it.
    #[arg(long, default_value = "{}")]
    options: String,
}

#[derive(Args)]
struct CampaignMonitor {
    /// TCP port on 127.0.0.1; 0 takes any free one, and is the default.
    #[arg(long)]
    port: Option<u16>,
    /// Milliseconds that each call takes.
    #[arg(long)]
    latency_ms: Option<u64>,
    /// Calls that are taken in one window; without it there is no rate limit.
    #[arg(long)]
    throttle_calls: Option<usize>,
    /// Length of the rate limit's window in milliseconds.
    #[arg(long, default_value_t = 60_000)]
    throttle_window_ms: u64,
    /// How to behave where the documents leave a choice: the fields of `Options` as JSON.
    /// What other flags say goes before it.
    #[arg(long, default_value = "{}")]
    options: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    match Arguments::parse().destination {
        Destination::CampaignMonitor(arguments) => campaign_monitor(arguments).await,
        Destination::Omnisend(arguments) => omnisend(arguments).await,
    }
}

async fn omnisend(arguments: Omnisend) -> Result<(), Box<dyn Error>> {
    let mut options: omnisend::Options = serde_json::from_str(&arguments.options)?;
    options.port = arguments.port.unwrap_or(options.port);
    options.time_scale = arguments.time_scale.unwrap_or(options.time_scale);
    let end = End::new()?;
    let sandbox = omnisend::Sandbox::start(options).await?;
    announce("omnisend", &sandbox.base_url())?;
    end.wait().await;
    sandbox.stop().await;
    Ok(())
}

async fn campaign_monitor(arguments: CampaignMonitor) -> Result<(), Box<dyn Error>> {
    let mut options: Options = serde_json::from_str(&arguments.options)?;
    options.port = arguments.port.unwrap_or(options.port);
    options.latency_ms = arguments.latency_ms.unwrap_or(options.latency_ms);
    if let Some(calls) = arguments.throttle_calls {
        options.throttle = Some(Throttle { calls, window_ms: arguments.throttle_window_ms });
    }
    let end = End::new()?;
    let sandbox = Sandbox::start(options).await?;
    announce("campaign-monitor", &sandbox.base_url())?;
    end.wait().await;
    sandbox.stop().await;
    Ok(())
}

/// Says on standard output which sandbox is where.
fn announce(sandbox: &str, base_url: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{}", json!({ "sandbox": sandbox, "base_url": base_url }))?;
    output.flush()
}

/// The signals by which the program is told to end.
struct End {
    interrupt: Signal,
    terminate: Signal,
}

impl End {
    /// Has to be made before the announcement: whoever reads that may end the program at once.
    fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
