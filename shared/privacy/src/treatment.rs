//! Decides what happens to an erased person's records in one delivered state.

use relay_model::ListId;
use relay_model::catalog::SegmentRemoval;
use relay_model::privacy::PlaceAction;
use relay_pipeline::RunDefinitions;

/// What still processes a delivered state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeper {
    /// A run of the export: it still reaches the list.
    Run,
    /// A run of the export, but only after its segment is active again or has started.
    Resting,
    /// No run: the list is no longer reached.
    Nobody,
    /// The ledger does not name the state: it is left over, or a run is about to register it.
    Unnamed,
}

/// The facts about a delivered state with records of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Circumstances {
    /// What still processes it.
    pub(super) keeper: Keeper,
    /// Whether a run of the export is active.
    pub(super) is_under_way: bool,
    /// Whether the person is on the list, and not only recorded as removed.
    pub(super) is_on_list: bool,
}

/// The action for a delivered state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// A run removes the person and deletes their records. If no run can start, the records of a listed
    /// person stay.
    Run,
    /// A copy without the records replaces the state.
    LeaveOut(PlaceAction),
    /// The records stay until a run reaches the list again.
    Wait,
    /// The state is no longer used and is deleted.
    Delete,
    /// The active run is about to replace or register it.
    LeaveAlone,
}

/// Returns the action under these circumstances.
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

/// Returns whether a run would process a list: update it, or empty it because the export no longer names it.
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
        // Deleting the record of an earlier removal needs no run, unless an active run is about to write it
        // again.
        check(Keeper::Run, [false, false], Treatment::LeaveOut(PlaceAction::Forgotten));
        check(Keeper::Run, [true, false], Treatment::Run);
        // The record is needed by a later run to remove the person from the list.
        check(Keeper::Resting, [false, true], Treatment::Wait);
        check(Keeper::Resting, [true, true], Treatment::Wait);
        check(Keeper::Resting, [false, false], Treatment::LeaveOut(PlaceAction::Forgotten));
        // No run reaches these lists any more.
        check(Keeper::Nobody, [false, true], Treatment::LeaveOut(PlaceAction::ForgottenButOnList));
        check(Keeper::Nobody, [true, true], Treatment::LeaveOut(PlaceAction::ForgottenButOnList));
        check(Keeper::Nobody, [false, false], Treatment::LeaveOut(PlaceAction::Forgotten));
        // A state that the ledger does not name is left over, unless a run is about to register it.
        check(Keeper::Unnamed, [false, true], Treatment::Delete);
        check(Keeper::Unnamed, [false, false], Treatment::Delete);
        check(Keeper::Unnamed, [true, true], Treatment::LeaveAlone);
        check(Keeper::Unnamed, [true, false], Treatment::LeaveAlone);
    }
}
