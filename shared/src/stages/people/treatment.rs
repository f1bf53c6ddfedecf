//! What becomes of an erased person's records in one delivered state.

use crate::catalog::{Export, SegmentRemoval};
use crate::model::ListId;
use crate::people::PlaceAction;

/// What is known of a delivered state with records of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Circumstances {
    /// Whether the ledger names it, or it is left over.
    pub(super) is_current: bool,
    /// Whether a run of the export can still reach its list.
    pub(super) is_served: bool,
    /// Whether a run of the export is under way.
    pub(super) is_under_way: bool,
    /// Whether the person is on the list, or was taken off and is remembered for that.
    pub(super) is_on_list: bool,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// A run takes the person off and forgets them; where none can be had, they stay.
    Run,
    /// The records are left out of a copy that takes the state's place.
    LeaveOut(PlaceAction),
    /// The state is nobody's any more and is deleted.
    Delete,
    /// The run under way is about to replace it or to name it.
    LeaveAlone,
}

/// What is done under these circumstances.
pub(super) const fn treatment(circumstances: Circumstances) -> Treatment {
    match circumstances {
        Circumstances { is_current: false, is_under_way: true, .. } => Treatment::LeaveAlone,
        Circumstances { is_current: false, is_under_way: false, .. } => Treatment::Delete,
        Circumstances { is_served: true, is_on_list: true, .. }
        | Circumstances { is_served: true, is_under_way: true, .. } => Treatment::Run,
        Circumstances { is_on_list: false, .. } => Treatment::LeaveOut(PlaceAction::Forgotten),
        Circumstances { is_on_list: true, .. } => Treatment::LeaveOut(PlaceAction::ForgottenButOnList),
    }
}

/// Whether a run of the export would do something for a list: it names it, or empties what it no longer names.
pub(super) fn is_served(export: &Export, list: &ListId) -> bool {
    export.when_segment_removed != SegmentRemoval::Keep || export.target_lists().contains(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The letters say what is so: current, served, under way, on the list.
    #[track_caller]
    fn check(letters: &str, expected: Treatment) {
        let is = |letter| letters.contains(letter);
        let circumstances = Circumstances {
            is_current: is('c'),
            is_served: is('s'),
            is_under_way: is('u'),
            is_on_list: is('l'),
        };
        assert_eq!(treatment(circumstances), expected, "{letters}");
    }

    #[test]
    fn whoever_is_on_a_list_is_taken_off_before_they_are_forgotten() {
        check("csl", Treatment::Run);
        check("csul", Treatment::Run);
        // That we took somebody off is only remembered: forgetting it needs no run, and spoils none that goes.
        check("cs", Treatment::LeaveOut(PlaceAction::Forgotten));
        check("csu", Treatment::Run);
        // No run gets to these lists any more.
        check("cl", Treatment::LeaveOut(PlaceAction::ForgottenButOnList));
        check("cul", Treatment::LeaveOut(PlaceAction::ForgottenButOnList));
        check("c", Treatment::LeaveOut(PlaceAction::Forgotten));
        // What the ledger does not name is left over, unless a run is just about to name it.
        check("sl", Treatment::Delete);
        check("", Treatment::Delete);
        check("sul", Treatment::LeaveAlone);
        check("u", Treatment::LeaveAlone);
    }
}
