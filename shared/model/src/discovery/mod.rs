//! Segments that are found instead of written: people who are like a segment's members, groups that stand out, and whom
//! somebody describes.
//!
//! They look at a **population** (the rows of a source, or the members of a segment, with measures of other sources beside
//! them where that is wanted), take a **sample** of it whose columns are sorted into bins, and end in **drafts**: ordinary
//! segments, by a query or by rules, that somebody reads, saves and exports like any other. So what was learned from the
//! data stands in the draft for everybody to see, nothing is computed behind it, and governance holds it as it holds
//! every query. Pure: no I/O; the same data, at the same day, give the same drafts.
//!
//! The features are those of Customer Insights:
//! <https://learn.microsoft.com/dynamics365/customer-insights/data/find-similar-customer-segments> and
//! <https://learn.microsoft.com/dynamics365/customer-insights/data/suggested-segments>.

mod error;
mod feature;
mod measure;
mod population;
mod sample;
pub mod similar;
pub mod suggest;
pub mod words;

#[cfg(test)]
mod testing;

pub use error::DiscoveryError;
pub use feature::{Feature, FeatureKind};
pub use measure::{Measure, MeasureFunction};
pub use population::{People, PeopleQuery, Population};
pub use sample::{LeftOutColumn, Sample, Sampler, Share};
pub use similar::{SimilarFound, SimilarRequest};
pub use suggest::{SuggestionRequest, SuggestionsFound};
pub use words::{DescriptionFound, DescriptionRequest};

/// The most columns that are looked at.
pub const MAX_COLUMNS: usize = 25;
