//! The query engine behind segments: evaluates one SELECT over declared sources into a sorted Parquet snapshot.
//!
//! This crate is the only user of DataFusion. [`engine`] limits the sources and budgets of queries,
//! [`check`] plans a query or explains its error, and [`evaluate()`] writes the members. [`store`] reads a bucket of S3.
//! Rules of sources:
//!
//! - A source is every object under a prefix, in one format. Objects and folders whose names begin with `_` or `.` are
//!   ignored, and so are objects without the format's suffix. Sub-folders are read. `key=value` folders are not columns.
//! - **CSV** has a header row, commas, and double quotes; quoted values may hold line breaks. Every column is text,
//!   so that leading zeros and long ids are preserved; queries cast (`CAST(total AS DOUBLE)`). An empty field is NULL
//!   and a quoted empty field (`""`) is an empty text.
//! - **NDJSON** has one object in each line. The types of its columns come from a bounded sample of each object.
//! - **Parquet** has its own types.
//! - Names of columns are case-sensitive and need double quotes only where SQL needs them.

pub mod check;
mod columns;
mod count;
mod csv_table;
pub mod engine;
pub mod errors;
pub mod evaluate;
mod exclusion_filter;
mod explain;
mod json_table;
pub mod lineage;
mod members;
mod memory;
mod objects;
mod one_object;
mod origins;
pub mod rules;
pub mod source;
mod source_columns;
pub mod store;
mod text_table;
mod writer;

pub use check::{Description, SegmentQuery, UnusableColumn, describe};
pub use columns::{ColumnType, OutputColumn};
pub use count::count_members;
pub use engine::{Engine, EngineSettings};
pub use errors::QueryError;
pub use evaluate::{SnapshotFigures, SourceFigures, evaluate, evaluate_first, without_members};
pub use lineage::columns_read;
pub use one_object::OneObject;
pub use source::{SourceFormat, SourceSpec};
pub use source_columns::{SourceColumn, source_columns};
pub use store::S3Store;
