//! `policies`.

use relay_model::catalog::Kind;

use super::Session;
use super::definitions::{self, Asking};
use crate::Ending;
use crate::arguments::PolicyCommand;
use crate::error::Error;

/// Runs one of the commands.
pub(super) async fn carry_out(
    command: &PolicyCommand,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    match command {
        PolicyCommand::Definition(command) => definitions::carry_out(Kind::Policy, command, session).await,
        PolicyCommand::Remove { id, yes } => {
            definitions::remove(Kind::Policy, id, Vec::new(), Asking::unless(*yes), session).await
        }
    }
}
