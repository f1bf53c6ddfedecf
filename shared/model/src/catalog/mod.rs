//! Definitions by users: settings, sources, segments, connections, policies and exports. Each is parsed and
//! validated once, at the boundary; later code relies on it.

mod connection;
mod cron;
mod custom_upload;
mod data_labels;
mod error;
mod export;
mod export_segment;
mod labels;
mod policy;
pub mod rules;
mod schedule;
mod segment;
mod settings;
mod source;

pub use connection::{Connection, Consent, UseBy};
pub use custom_upload::{
    ColumnNameError, CustomUpload, MAX_UPLOAD_BYTES, MAX_UPLOAD_COLUMNS, UploadColumnType,
};
pub use data_labels::DataLabels;
pub use error::{CatalogError, json_pointer};
pub use export::{Cap, Export, FieldMapping, Guard, InvalidPolicy, NullPolicy, OverCap, SegmentRemoval};
pub use export_segment::{Activation, ExportSegment};
pub use policy::{LabelCombination, Policy};
pub use schedule::{Schedule, ScheduleError};
pub use segment::{Origin, Segment, SegmentKind, Selection};
pub use settings::{DeploymentSettings, SettingsId};
pub use source::{Source, SourceFormat, SourceLocation};

use serde::de::DeserializeOwned;

/// The kinds of document in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Settings of the whole deployment.
    Settings,
    /// A table of the data lake.
    Source,
    /// A named set of profiles.
    Segment,
    /// An account at a destination.
    Connection,
    /// A rule on which data must not be used for which marketing actions.
    Policy,
    /// A connection, its segments and how they are sent.
    Export,
}

impl Kind {
    /// Every kind, in dependency order.
    pub const ALL: [Self; 6] =
        [Self::Settings, Self::Source, Self::Segment, Self::Connection, Self::Policy, Self::Export];

    /// Returns the kind's name, which is the hash key of the catalog's table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Source => "source",
            Self::Segment => "segment",
            Self::Connection => "connection",
            Self::Policy => "policy",
            Self::Export => "export",
        }
    }
}

/// A document of the catalog.
pub trait Document: DeserializeOwned {
    /// Which kind it is.
    const KIND: Kind;

    /// Its identifier.
    fn id(&self) -> &str;

    /// Checks constraints beyond the types.
    fn validate(&self) -> Result<(), CatalogError>;

    /// Parses and validates a document.
    fn parse(json: &str) -> Result<Self, CatalogError> {
        let document: Self = serde_json::from_str(json).map_err(|error| CatalogError::Malformed {
            kind: Self::KIND.name(),
            problem: error.to_string(),
        })?;
        document.validate()?;
        Ok(document)
    }
}
