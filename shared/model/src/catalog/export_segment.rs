//! One segment of an export: where it goes, and from when until when.

use crate::{ListId, SegmentId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One segment of an export and where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportSegment {
    /// The segment.
    pub segment: SegmentId,
    /// Where its members land: the destination's id of a list. Without it the segment gets a list of its own there,
    /// where the destination can make one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_list: Option<ListId>,
    /// From when on it goes: until then the export runs without it and leaves its list as it is. Without it, from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// Until when it goes: from then on the export runs as if it had been taken out, and `when_segment_removed` says
    /// what becomes of its list. Without it, for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
}

/// Whether a segment goes at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// It goes from then on.
    NotYet(Timestamp),
    /// It goes.
    Active,
    /// It went until then.
    Over(Timestamp),
}

impl ExportSegment {
    /// What the ledger and reports call the target list: its id, or `segment:` and the segment's id.
    #[must_use]
    pub fn list(&self) -> ListId {
        self.target_list.clone().unwrap_or_else(|| ListId(format!("segment:{}", self.segment)))
    }

    /// Whether it goes at `now`.
    #[must_use]
    pub fn activation(&self, now: Timestamp) -> Activation {
        match (self.starts_at, self.ends_at) {
            (_, Some(ends_at)) if ends_at <= now => Activation::Over(ends_at),
            (Some(starts_at), _) if starts_at > now => Activation::NotYet(starts_at),
            _ => Activation::Active,
        }
    }

    /// What is wrong with it: the field and the problem.
    pub(super) fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        if self.target_list.as_ref().is_some_and(|list| list.0.trim().is_empty()) {
            return Err(("target_list", "must not be empty"));
        }
        if let (Some(starts_at), Some(ends_at)) = (self.starts_at, self.ends_at)
            && ends_at <= starts_at
        {
            return Err(("ends_at", "must be after starts_at, or the segment would never go"));
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
