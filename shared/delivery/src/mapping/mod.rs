//! Maps profile attributes to destination fields, with explicit rules for absent and invalid values. Pure:
//! it knows fields and values, no destination and no I/O.

mod convert;
mod email;
mod field;
mod mapper;
mod match_key;

pub use convert::{Converted, Unfit, convert};
pub use email::normalise_email;
pub use field::{DateFormat, Field, FieldKind};
pub use mapper::{Mapped, Mapper, MappingError, MatchKeyKind, mapped_fields, row_hash};
