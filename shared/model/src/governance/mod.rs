//! Whether data may go where an export sends it: which columns it uses, what their labels forbid, and in which words that
//! is told. Pure: what a query reads is found out by the query engine and handed in.

mod case;
mod reading;
mod violation;

pub use case::{Case, may_read, withheld};
pub use reading::{ColumnsRead, KnownReading, UPLOAD_TABLE};
pub use violation::{UsedColumn, Verdict, Violated, Violation, summary};
