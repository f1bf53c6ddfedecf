//! The context that the functions of one chunk step share.

use super::{Chunk, RunDefinitions};
use relay_connectors::CallContext;
use relay_model::catalog::Export;
use relay_model::run::{Keys, Run, RunSegment};

/// One run in its chunk step, with the clients and the definitions that the step needs.
pub(super) struct Context<'a, C> {
    pub(super) chunk: &'a Chunk,
    pub(super) connector: &'a C,
    pub(super) run: &'a Run,
    pub(super) definitions: &'a RunDefinitions,
    pub(super) keys: &'a Keys,
    pub(super) segments: &'a [RunSegment],
    /// The deadline and the budget of the calls to the destination.
    pub(super) calls: &'a CallContext,
}

impl<'a, C> Context<'a, C> {
    /// Returns the export of the run.
    pub(super) const fn export(&self) -> &'a Export {
        &self.definitions.export
    }
}
