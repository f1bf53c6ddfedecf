//! What becomes of an erased person's records in one delivered state.

use relay_model::ListId;
use relay_model::catalog::SegmentRemoval;
use relay_model::privacy::PlaceAction;
use relay_pipeline::RunDefinitions;

/// Who still looks after a delivered state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeper {
    /// A run of the export: it still reaches the list.
    Run,
    /// A run of the export, but not before its segment is switched on again, or has started.
    Resting,
    /// Nobody: no run reaches the list any more.
    Nobody,
    /// Not even the ledger, which does not name it: it is left over, or a run is about to have it named.
    Unnamed,
}

/// What is known of a delivered state with records of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Circumstances {
    /// Who still looks after it.
    pub(super) keeper: Keeper,
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
    /// The records stay until a run reaches the list again.
    Wait,
    /// The state is nobody's any more and is deleted.
    Delete,
    /// The run under way is about to replace it or to name it.
    LeaveAlone,
}

/// What is done under these circumstances.
pub(super) const fn treatment(circumstances: Circumstances) -> Treatment {
    let Circumstances { keeper, is_under_way, is_on_list } = circumstances;
    match (keeper, is_under_way, is_on_list) {
        (Keeper::Unnamed, true, _) => Treatment::LeaveAlone,
        (Keeper::Unnamed, false, _) => Treatment::Delete,
        (Keeper::Run, true, _) | (Keeper::Run, _, true) => Treatment::Run,
        (Keeper::Resting, _, true) => Treatment::Wait,
        (Keeper::Run | Keeper::Resting | Keeper::Nobody, _, false) => {
            Treatment::LeaveOut(PlaceAction::Forgotten)
        }
        (Keeper::Nobody, _, true) => Treatment::LeaveOut(PlaceAction::ForgottenButOnList),
    }
}

/// Whether a run would do something for a list: it brings it up to date, or empties what it no longer names.
pub(super) fn is_served(run: &RunDefinitions, list: &ListId) -> bool {
    let is_emptied = run.export.when_segment_removed != SegmentRemoval::Keep;
    is_emptied || run.export.target_lists().contains(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(keeper: Keeper, [is_under_way, is_on_list]: [bool; 2], expected: Treatment) {
        let circumstances = Circumstances { keeper, is_under_way, is_on_list };
        assert_eq!(treatment(circumstances), expected, "{circumstances:?}");
    }

    #[test]
    fn whoever_is_on_a_list_is_taken_off_before_they_are_forgotten() {
        check(Keeper::Run, [false, true], Treatment::Run);
        check(Keeper::Run, [true, true], Treatment::Run);
        // That we took somebody off is only remembered: forgetting it needs no run, unless one is about to remember it.
        check(Keeper::Run, [false, false], Treatment::LeaveOut(PlaceAction::Forgotten));
        check(Keeper::Run, [true, false], Treatment::Run);
        // Their record is what has a later run take them off.
        check(Keeper::Resting, [false, true], Treatment::Wait);
        check(Keeper::Resting, [true, true], Treatment::Wait);
        check(Keeper::Resting, [false, false], Treatment::LeaveOut(PlaceAction::Forgotten));
        // No run gets to these lists any more.
        check(Keeper::Nobody, [false, true], Treatment::LeaveOut(PlaceAction::ForgottenButOnList));
        check(Keeper::Nobody, [true, true], Treatment::LeaveOut(PlaceAction::ForgottenButOnList));
        check(Keeper::Nobody, [false, false], Treatment::LeaveOut(PlaceAction::Forgotten));
        // What the ledger does not name is left over, unless a run is just about to have it named.
        check(Keeper::Unnamed, [false, true], Treatment::Delete);
        check(Keeper::Unnamed, [false, false], Treatment::Delete);
        check(Keeper::Unnamed, [true, true], Treatment::LeaveAlone);
        check(Keeper::Unnamed, [true, false], Treatment::LeaveAlone);
    }
}
