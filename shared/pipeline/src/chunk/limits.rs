//! The messages of the two checks that stop a run before its first push: the cap and the guard.

use super::StageError;
use relay_model::catalog::Guard;
use relay_model::run::{RunSegment, StopCode};
use relay_model::uploads::UploadId;

/// Returns the error of a run that exceeds the cap.
pub(super) fn cap_error(deliverable: u64, cap_rows: u64) -> StageError {
    let text = format!(
        "{deliverable} profiles are more than the {cap_rows} that may be exported; nothing was sent. Narrow the \
         segments, or set cap.over to \"truncate\" to export the first {cap_rows} by member key"
    );
    StageError::stop(StopCode::CapExceeded, text)
}

/// Returns how many of a target list's removals are expected because an upload has expired. All removals are
/// expected if the list has no other members; otherwise, as many as that upload had. Only uploads that are
/// `ending` count: their members are removed once, and the guard checks all later removals.
pub(super) fn declared_removals<'a>(
    removals: u64,
    segments: impl Iterator<Item = &'a RunSegment>,
    ending: &[UploadId],
) -> u64 {
    let (mut expired, mut has_others) = (None, false);
    for segment in segments {
        let ends = segment.upload.as_ref().is_some_and(|upload| ending.contains(upload));
        match segment.expired_members.filter(|_| ends) {
            Some(members) => expired = Some(expired.unwrap_or_default() + members),
            None => has_others = true,
        }
    }
    match expired {
        Some(members) if has_others => removals.min(members),
        Some(_) => removals,
        None => 0,
    }
}

/// Returns why the guard holds a run, if it does, given its undeclared removals.
pub(super) fn held_text(
    guard: Guard,
    removals: u64,
    delivered_before: u64,
    segments: &[RunSegment],
) -> Option<String> {
    let empty = segments.iter().find(|segment| segment.members == 0 && segment.expired_members.is_none());
    if let Some(empty) = empty
        && removals > 0
    {
        return Some(format!(
            "held: segment \"{}\" is suddenly empty, and {removals} of {delivered_before} delivered members would be \
             removed; approve the run if that is right",
            empty.segment
        ));
    }
    // Products are compared, so that no rounding lets a removal through.
    let is_large_share =
        u128::from(removals) * 100 > u128::from(delivered_before) * u128::from(guard.removed_percent);
    (is_large_share && removals > guard.removed_rows).then(|| {
        format!(
            "held: {removals} of {delivered_before} delivered members would be removed, more than {} % and more than \
             {} members; approve the run if that is right",
            guard.removed_percent, guard.removed_rows
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_model::{ListId, SegmentId};

    fn segment(members: u64, expired_members: Option<u64>) -> RunSegment {
        RunSegment {
            segment: SegmentId::try_from("everybody".to_owned()).unwrap(),
            target_list: ListId("list".to_owned()),
            members,
            rows_without_key: 0,
            duplicate_member_rows: 0,
            upload: expired_members.map(upload),
            expired_members,
        }
    }

    /// Returns an upload that is identified by its number of members.
    fn upload(members: u64) -> UploadId {
        UploadId(members.to_string())
    }

    #[test]
    fn the_end_of_an_upload_is_no_surprise() {
        let ending = [upload(10), upload(20)];
        let check = |removals, segments: &[RunSegment], expected| {
            let declared = declared_removals(removals, segments.iter(), &ending);
            assert_eq!(declared, expected, "{removals} {segments:?}");
        };
        check(500, &[], 0);
        check(500, &[segment(500, None)], 0);
        check(500, &[segment(0, Some(10)), segment(0, Some(20))], 500);
        check(500, &[segment(0, Some(10)), segment(90, None)], 10);
        check(5, &[segment(0, Some(10)), segment(90, None)], 5);
        // An upload explains no removals if its members were removed already or were never on the list.
        check(500, &[segment(0, Some(30))], 0);
        check(500, &[segment(0, Some(30)), segment(90, None)], 0);
        check(500, &[segment(0, Some(10)), segment(0, Some(30))], 10);
        assert_eq!(held_text(Guard::default(), 0, 0, &[segment(0, Some(500))]), None);
        // The guard still holds a run for another segment that is empty without a declaration.
        assert!(held_text(Guard::default(), 3, 90, &[segment(0, Some(10)), segment(0, None)]).is_some());
    }

    #[track_caller]
    fn check(removals: u64, delivered_before: u64, members: u64, expected: Option<&str>) {
        let found = held_text(Guard::default(), removals, delivered_before, &[segment(members, None)]);
        assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
        assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()));
    }

    #[test]
    fn the_guard_holds_large_removals_and_sudden_emptiness() {
        check(0, 0, 0, None);
        check(0, 1_000, 1_000, None);
        check(300, 1_000, 700, None);
        check(301, 1_000, 699, Some("301 of 1000 delivered members would be removed, more than 30 %"));
        check(100, 110, 10, None);
        check(101, 110, 9, Some("more than 100 members"));
        check(5, 5, 0, Some("segment \"everybody\" is suddenly empty, and 5 of 5"));
        check(u64::MAX, u64::MAX, 1, Some("more than 30 %"));
    }

    #[test]
    fn the_cap_is_told_with_both_numbers() {
        let StageError::Stop { code, text } = cap_error(1_000_001, 1_000_000) else {
            panic!("the run must stop")
        };
        assert_eq!(code, StopCode::CapExceeded);
        assert!(text.contains("1000001 profiles") && text.contains("1000000 that may be exported"), "{text}");
    }
}
