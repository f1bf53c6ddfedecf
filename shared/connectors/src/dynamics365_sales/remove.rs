//! Removals: the calls that remove contacts from a list. `push` makes them, in the same way as additions.

use super::push::Direction;

/// Removals. Organisations without the action for many members have the one for a single member only
/// (<https://learn.microsoft.com/power-apps/developer/data-platform/webapi/use-web-api-actions>).
pub(super) const REMOVAL: Direction = Direction {
    operation: "remove contacts from the marketing list",
    many: "RemoveListMembersList",
    one: "RemoveMemberList",
};
