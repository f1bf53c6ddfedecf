//! The destinations' sandboxes as a program: starts one, says where it is in one line of JSON, and serves until it
//! is told to end.

use clap::{Args, Parser, Subcommand};
use sandbox::Throttle;
use sandbox::campaign_monitor::{Options, Sandbox};
use serde_json::json;
use std::error::Error;
use std::io::{self, Write};
use tokio::signal::unix::{SignalKind, signal};

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
    let Destination::CampaignMonitor(arguments) = Arguments::parse().destination;
    let mut options: Options = serde_json::from_str(&arguments.options)?;
    options.port = arguments.port.unwrap_or(options.port);
    options.latency_ms = arguments.latency_ms.unwrap_or(options.latency_ms);
    if let Some(calls) = arguments.throttle_calls {
        options.throttle = Some(Throttle { calls, window_ms: arguments.throttle_window_ms });
    }
    // Before the line is printed: whoever reads it may end the program at once.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let sandbox = Sandbox::start(options).await?;
    let mut output = io::stdout().lock();
    writeln!(output, "{}", json!({ "sandbox": "campaign-monitor", "base_url": sandbox.base_url() }))?;
    output.flush()?;
    drop(output);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    sandbox.stop().await;
    Ok(())
}
