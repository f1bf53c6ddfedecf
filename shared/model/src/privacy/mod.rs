//! Rights of data subjects: requests, search results and exclusions.

mod excluded;
mod found;
mod request;
mod state;

pub use excluded::{
    EXCLUSION_KEY, Exclusion, ExclusionId, ExclusionKey, Exclusions, MAX_EXCLUSIONS, NoExclusionId,
};
pub use found::{Found, FoundPlace, Wanted};
pub use request::{Person, PersonRequest, PersonRequestId, PersonRequestKind};
pub use state::{
    EndsByItself, PersonRequestState, Place, PlaceAction, PlaceKind, RequestFailure, RequestPhase,
    SearchProgress,
};
