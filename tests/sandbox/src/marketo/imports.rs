//! Bulk imports.
use super::ids::ListId;
#[derive(Debug, Default)]
pub(super) struct Imports;
impl Imports {
    pub(super) fn uses(&self, _list: ListId) -> bool {
        false
    }
}
