//! Bulk extracts.
use super::ids::ListId;
#[derive(Debug, Default)]
pub(super) struct Exports;
impl Exports {
    pub(super) fn uses(&self, _list: ListId) -> bool {
        false
    }
}
