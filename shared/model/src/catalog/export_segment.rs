//! One segment of an export, with its target list and activation period.

use crate::{ListId, SegmentId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One segment of an export and its target list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportSegment {
    /// The segment.
    pub segment: SegmentId,
    /// The destination's id of the target list. If absent, the segment gets a list of its own, if the
    /// destination can create one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_list: Option<ListId>,
    /// The start of the activation period. Until then the export ignores the segment and leaves its list
    /// unchanged. If absent, it is active immediately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// The end of the activation period. From then on the segment counts as removed from the export, and
    /// `when_segment_removed` applies to its list. If absent, there is no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
}

/// The activation of a segment at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// It becomes active at this time.
    NotYet(Timestamp),
    /// It is active.
    Active,
    /// It was active until this time.
    Over(Timestamp),
}

impl ExportSegment {
    /// Returns the name of the target list in the ledger and in reports: its id, or `segment:` and the
    /// segment's id.
    #[must_use]
    pub fn list(&self) -> ListId {
        self.target_list.clone().unwrap_or_else(|| ListId(format!("segment:{}", self.segment)))
    }

    /// Returns the activation at `now`.
    #[must_use]
    pub fn activation(&self, now: Timestamp) -> Activation {
        match (self.starts_at, self.ends_at) {
            (_, Some(ends_at)) if ends_at <= now => Activation::Over(ends_at),
            (Some(starts_at), _) if starts_at > now => Activation::NotYet(starts_at),
            _ => Activation::Active,
        }
    }

    /// Checks the entry; returns the field and the problem.
    pub(super) fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        if self.target_list.as_ref().is_some_and(|list| list.0.trim().is_empty()) {
            return Err(("target_list", "must not be empty"));
        }
        if let (Some(starts_at), Some(ends_at)) = (self.starts_at, self.ends_at)
            && ends_at <= starts_at
        {
            return Err(("ends_at", "must be after starts_at, or the segment would never be active"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_goes_from_its_start_until_its_end() {
        #[track_caller]
        fn check(starts_at: Option<&str>, ends_at: Option<&str>, now: &str, expected: Activation) {
            let moment = |text: Option<&str>| text.map(|text| text.parse().unwrap());
            let entry = ExportSegment {
                segment: SegmentId::try_from("friends".to_owned()).unwrap(),
                target_list: None,
                starts_at: moment(starts_at),
                ends_at: moment(ends_at),
            };
            assert_eq!(entry.activation(now.parse().unwrap()), expected);
        }
        let (start, end) = ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z");
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        check(None, None, start, Activation::Active);
        check(Some(start), Some(end), "2026-10-31T23:59:59Z", Activation::NotYet(at(start)));
        check(Some(start), Some(end), start, Activation::Active);
        check(Some(start), Some(end), "2026-11-30T23:59:59Z", Activation::Active);
        check(Some(start), Some(end), end, Activation::Over(at(end)));
        check(Some(start), None, "2030-01-01T00:00:00Z", Activation::Active);
        check(None, Some(end), "2020-01-01T00:00:00Z", Activation::Active);
        check(None, Some(end), "2030-01-01T00:00:00Z", Activation::Over(at(end)));
    }
}
