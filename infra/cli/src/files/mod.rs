//! The catalog as files: `sources/`, `segments/`, `connections/` and `exports/`, with one YAML document per
//! file.

mod error;
mod read;
mod schemas;
mod values;
mod write;
mod yaml;

pub use error::FileError;
pub(crate) use read::kinds;
pub use read::{Definition, read_folder};
pub use schemas::component;
pub(crate) use schemas::{schemas, write_schemas};
pub use values::{Values, parse_values};
pub(crate) use write::{Existing, Written, write_folder};
pub(crate) use yaml::to_yaml;
