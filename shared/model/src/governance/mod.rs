//! Data governance: the columns that an export uses, what their labels forbid, and how violations are
//! described. Pure: the query engine finds the columns that a query reads.

mod case;
mod reading;
mod violation;

pub use case::{Case, may_read, withheld};
pub use reading::{ColumnsRead, KnownReading, UPLOAD_TABLE};
pub use violation::{UsedColumn, Verdict, Violated, Violation, summary};
