//! The destinations' sandboxes as a program: starts one, says where it is in one line of JSON, and serves until it
//! is told to end.

use clap::{Args, Parser, Subcommand};
use sandbox::{Throttle, campaign_monitor, dynamics365_sales, marketo, omnisend};
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
    /// Marketo Engage's REST API.
    Marketo(Marketo),
    /// Dataverse's Web API, version 9.2, with Dynamics 365 Sales, and Entra's token endpoint.
    #[command(name = "dynamics365-sales")]
    Dynamics365Sales(Dynamics365Sales),
    /// Omnisend's API, versions 2026-03-15 and v5.
    Omnisend(Omnisend),
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

#[derive(Args)]
struct Marketo {
    /// TCP port on 127.0.0.1; 0 takes any free one, and is the default.
    #[arg(long)]
    port: Option<u16>,
    /// How many seconds of the vendor's time pass in one of ours.
    #[arg(long)]
    time_scale: Option<f64>,
    /// Milliseconds of the vendor's time that each call takes.
    #[arg(long)]
    latency_ms: Option<u64>,
    /// Limits, times and how to behave where the documents leave a choice: the fields of `Options` as JSON.
    /// What other flags say goes before it.
    #[arg(long, default_value = "{}")]
    options: String,
}

#[derive(Args)]
struct Dynamics365Sales {
    /// TCP port on 127.0.0.1; 0 takes any free one, and is the default.
    #[arg(long)]
    port: Option<u16>,
    /// How many times faster than real the vendor's time goes.
    #[arg(long)]
    time_scale: Option<f64>,
    /// Calls take as long as they plausibly do; without it they take no time.
    #[arg(long)]
    plausible_times: bool,
    /// How to behave where the documents leave a choice: the fields of `Options` as JSON.
    /// What other flags say goes before it.
    #[arg(long, default_value = "{}")]
    options: String,
}

#[derive(Args)]
struct Omnisend {
    /// TCP port on 127.0.0.1; 0 takes any free one, and is the default.
    #[arg(long)]
    port: Option<u16>,
    /// How many times as fast as in reality time passes.
    #[arg(long)]
    time_scale: Option<f64>,
    /// Limits, times and how to behave where the documents leave a choice: the fields of `Options` as JSON.
    /// What other flags say goes before it.
    #[arg(long, default_value = "{}")]
    options: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Before any line is printed: whoever reads it may end the program at once.
    let end = End::listen()?;
    match Arguments::parse().destination {
        Destination::CampaignMonitor(arguments) => campaign_monitor(arguments, end).await,
        Destination::Marketo(arguments) => marketo(arguments, end).await,
        Destination::Dynamics365Sales(arguments) => dynamics365_sales(arguments, end).await,
        Destination::Omnisend(arguments) => omnisend(arguments, end).await,
    }
}

async fn campaign_monitor(arguments: CampaignMonitor, end: End) -> Result<(), Box<dyn Error>> {
    let mut options: campaign_monitor::Options = serde_json::from_str(&arguments.options)?;
    options.port = arguments.port.unwrap_or(options.port);
    options.latency_ms = arguments.latency_ms.unwrap_or(options.latency_ms);
    if let Some(calls) = arguments.throttle_calls {
        options.throttle = Some(Throttle { calls, window_ms: arguments.throttle_window_ms });
    }
    let sandbox = campaign_monitor::Sandbox::start(options).await?;
    announce("campaign-monitor", &sandbox.base_url())?;
    end.wait().await;
    sandbox.stop().await;
    Ok(())
}

async fn marketo(arguments: Marketo, end: End) -> Result<(), Box<dyn Error>> {
    let mut options: marketo::Options = serde_json::from_str(&arguments.options)?;
    options.port = arguments.port.unwrap_or(options.port);
    options.time_scale = arguments.time_scale.unwrap_or(options.time_scale);
    options.latency_ms = arguments.latency_ms.unwrap_or(options.latency_ms);
    let sandbox = marketo::Sandbox::start(options).await?;
    announce("marketo", &sandbox.base_url())?;
    end.wait().await;
    sandbox.stop().await;
    Ok(())
}

async fn dynamics365_sales(arguments: Dynamics365Sales, end: End) -> Result<(), Box<dyn Error>> {
    let mut options: dynamics365_sales::Options = serde_json::from_str(&arguments.options)?;
    options.port = arguments.port.unwrap_or(options.port);
    options.time_scale = arguments.time_scale.unwrap_or(options.time_scale);
    if arguments.plausible_times {
        options.execution = dynamics365_sales::ExecutionTimes::plausible();
    }
    let sandbox = dynamics365_sales::Sandbox::start(options).await?;
    announce("dynamics365-sales", &sandbox.base_url())?;
    end.wait().await;
    sandbox.stop().await;
    Ok(())
}

async fn omnisend(arguments: Omnisend, end: End) -> Result<(), Box<dyn Error>> {
    let mut options: omnisend::Options = serde_json::from_str(&arguments.options)?;
    options.port = arguments.port.unwrap_or(options.port);
    options.time_scale = arguments.time_scale.unwrap_or(options.time_scale);
    let sandbox = omnisend::Sandbox::start(options).await?;
    announce("omnisend", &sandbox.base_url())?;
    end.wait().await;
    sandbox.stop().await;
    Ok(())
}

/// One line of JSON that says where the sandbox is.
fn announce(name: &str, base_url: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{}", json!({ "sandbox": name, "base_url": base_url }))?;
    output.flush()
}

/// The signals that end the program.
struct End {
    interrupt: Signal,
    terminate: Signal,
}

impl End {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
