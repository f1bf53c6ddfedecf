//! The commands.

mod audit;
mod catalog;
mod connections;
mod data_usage;
mod definitions;
mod download;
mod dry_run;
mod export_segments;
mod exports;
mod files;
mod follow;
mod overview;
mod person;
mod policies;
mod quick;
mod rejects;
mod report;
mod runs;
mod scheduling;
mod segment_members;
mod segments;
mod sources;

use std::time::Duration;

use crate::Ending;
use crate::api::Api;
use crate::arguments::Command;
use crate::console::Console;
use crate::error::Error;
use crate::files::{Values, parse_values};

/// The context of every command.
pub(crate) struct Session<'a, 'b> {
    /// The API.
    pub(crate) api: Api,
    /// The default values for `${name}` in files.
    pub(crate) values: Values,
    /// The terminal.
    pub(crate) console: &'a mut Console<'b>,
    /// The poll interval.
    pub(crate) poll: Duration,
}

impl Session<'_, '_> {
    /// Returns the values for `${name}` in files: those of the command line, then those of the local cloud.
    fn values_with(&self, given: &[String]) -> Result<Values, Error> {
        let mut values = self.values.clone();
        values.extend(parse_values(given)?);
        Ok(values)
    }
}

/// Runs a command.
pub(crate) async fn carry_out(command: &Command, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    match command {
        Command::Plan(arguments) => files::plan(arguments, session).await,
        Command::Apply(arguments) => files::apply(arguments, session).await,
        Command::Export(arguments) => catalog::export(arguments, session).await,
        Command::Schema(arguments) => catalog::schema(arguments, session).await,
        Command::Settings(command) => {
            definitions::carry_out(relay_model::catalog::Kind::Settings, command, session).await
        }
        Command::Sources(command) => sources::carry_out(command, session).await,
        Command::Segments(command) => segments::carry_out(command, session).await,
        Command::Connections(command) => connections::carry_out(command, session).await,
        Command::Policies(command) => policies::carry_out(command, session).await,
        Command::Exports(command) => exports::carry_out(command, session).await,
        Command::Runs(command) => runs::carry_out(command, session).await,
        Command::Person(command) => Box::pin(person::carry_out(command, session)).await,
        Command::Audit { limit } => audit::audit(*limit, session).await,
        Command::Whoami => audit::whoami(session).await,
    }
}
