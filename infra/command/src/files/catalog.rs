//! A folder's definitions in their types, for whoever saves them without the API.

use std::path::Path;

use relay::catalog::{Connection, Document, Export, Segment, Source};

use super::{Definition, FileError, Values, read_folder};

/// Definitions, read and checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// Tables of the lake.
    pub sources: Vec<Source>,
    /// Named sets of profiles.
    pub segments: Vec<Segment>,
    /// Accounts of destinations.
    pub connections: Vec<Connection>,
    /// What goes where.
    pub exports: Vec<Export>,
}

impl Catalog {
    /// Reads a folder of definitions, and puts `values` in.
    pub fn read(folder: &Path, values: &Values) -> Result<Self, FileError> {
        let definitions = read_folder(folder, values)?;
        Ok(Self {
            sources: of_kind(&definitions)?,
            segments: of_kind(&definitions)?,
            connections: of_kind(&definitions)?,
            exports: of_kind(&definitions)?,
        })
    }
}

fn of_kind<T: Document>(definitions: &[Definition]) -> Result<Vec<T>, FileError> {
    let parse = |definition: &Definition| {
        T::parse(&definition.document.to_string()).map_err(|error| FileError::Definition {
            path: definition.path.clone(),
            problem: error.to_string(),
        })
    };
    definitions.iter().filter(|definition| definition.kind == T::KIND).map(parse).collect()
}
