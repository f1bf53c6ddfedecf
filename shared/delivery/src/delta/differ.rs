//! Computes the operations that make a target list match its segments.

use super::found::{DifferError, DifferFigures, Phase, Settled, Sink};
use super::{DeliveredReader, Holding, Record};
use crate::mapping::{Mapped, Mapper};
use crate::snapshot::{Union, UnionMember};
use crate::sorted::{Joined, grouped, join};
use relay_model::catalog::OverCap;
use relay_model::{MatchKey, MemberKey, Operation, Outcome, Reason, Row, Standing, Warnings};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, BufWriter, Seek, Write};

const DUPLICATE_MEMBER: Reason = Reason::new(
    "duplicate_member",
    "an earlier segment of this export has the member for the same target list",
);
const DUPLICATE_MATCH_KEY: Reason = Reason::new(
    "duplicate_match_key",
    "another member of this export has the same match key for the same target list; only the first by member key is sent",
);
const TAKEN_OVER: Reason = Reason::new(
    "match_key_taken_over",
    "the member has left, but another member now has this match key, so the person stays on the list",
);
const OVER_CAP: Reason = Reason::new("over_cap", "beyond the export's cap");

/// The part of a removal that is kept until all members are known.
type Spooled = (MemberKey, MatchKey, Option<String>);

/// Computes the delta of one target list.
///
/// Members and delivered records are merged as two sorted streams. In addition it holds 16 bytes per match
/// key, which the destination's cap bounds. These digests detect a person with two customer ids, and
/// prevent the removal of a person whose match key has moved to another member.
pub struct Differ<'a, S: Sink> {
    mapper: &'a Mapper,
    sink: &'a mut S,
    over_cap: OverCap,
    cap_left: u64,
    seen: HashSet<u128>,
    refused: HashSet<u128>,
    rejoinable: HashSet<u128>,
    /// The members in the delta, by digest; all members if `None`.
    only: Option<HashSet<u128>>,
    spool: BufWriter<std::fs::File>,
    figures: DifferFigures,
}

impl<'a, S: Sink> Differ<'a, S> {
    /// Creates a differ that may let `cap_left` more members through.
    ///
    /// `rejoinable` are the digests of the match keys that Segment Relay removed from this list.
    pub fn new(
        mapper: &'a Mapper,
        sink: &'a mut S,
        cap_left: u64,
        over_cap: OverCap,
        rejoinable: HashSet<u128>,
    ) -> Result<Self, DifferError> {
        Ok(Self {
            mapper,
            sink,
            over_cap,
            cap_left,
            seen: HashSet::new(),
            refused: HashSet::new(),
            rejoinable,
            only: None,
            spool: BufWriter::new(tempfile::tempfile()?),
            figures: DifferFigures::default(),
        })
    }

    /// Restricts the delta to these members, by digest.
    ///
    /// Other members still count in decisions about all of them: the cap, the priority among members with
    /// one match key, and the members that keep a person on the list. They have no rows and no outcomes, so
    /// their delivered state is unchanged.
    #[must_use]
    pub fn only(self, members: Option<HashSet<u128>>) -> Self {
        Self { only: members, ..self }
    }

    fn is_selected(&self, key: &MemberKey) -> bool {
        self.only.as_ref().is_none_or(|members| members.contains(&key.digest()))
    }

    /// Returns the digests of the match keys that Segment Relay removed, by a delivered state.
    pub fn rejoinable(delivered: DeliveredReader) -> Result<HashSet<u128>, DifferError> {
        let mut digests = HashSet::new();
        for record in delivered {
            let record = record?;
            if record.holding == Holding::Removed {
                digests.insert(record.match_key.digest());
            }
        }
        Ok(digests)
    }

    /// Computes the delta: all members first, then the removals.
    pub fn run(mut self, members: Union, delivered: DeliveredReader) -> Result<DifferFigures, DifferError> {
        let members =
            grouped(members.map(|member| member.map_err(DifferError::from)), |entry: &UnionMember| {
                &entry.member.key
            });
        let delivered =
            grouped(delivered.map(|record| record.map_err(DifferError::from)), |record: &Record| {
                &record.member_key
            });
        for joined in join(members, delivered) {
            self.member(joined?)?;
        }
        self.removals()?;
        Ok(self.figures)
    }

    fn member(&mut self, joined: Joined<UnionMember, Record>) -> Result<(), DifferError> {
        let Joined { key, left, right: records } = joined;
        let is_selected = self.is_selected(&key);
        let mut members = left.into_iter();
        let match_key = match members.next() {
            Some(first) if is_selected => self.first_member(&key, &first, &records)?,
            Some(first) => self.bystander(&first),
            None => None,
        };
        for repeated in members.filter(|_| is_selected) {
            self.figures.members += 1;
            let match_key = self.mapper.match_key(&repeated.member.attributes).unwrap_or_default();
            self.settle(&key, match_key, Operation::Add, Outcome::Skipped(DUPLICATE_MEMBER))?;
        }
        for record in records.iter().filter(|record| record.holding == Holding::Delivered) {
            self.figures.delivered_before += 1;
            if is_selected && match_key.as_ref() != Some(&record.match_key) {
                let spooled = (&record.member_key, &record.match_key, &record.destination_id);
                serde_json::to_writer(&mut self.spool, &spooled)?;
                self.spool.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    /// Decides on a member, and returns its match key if it has a usable one.
    fn first_member(
        &mut self,
        key: &MemberKey,
        entry: &UnionMember,
        records: &[Record],
    ) -> Result<Option<MatchKey>, DifferError> {
        self.figures.members += 1;
        let attributes = &entry.member.attributes;
        let match_key = match self.mapper.match_key(attributes) {
            Ok(match_key) => match_key,
            Err(reason) => {
                let outcome = if reason.code == "match_key_missing" {
                    Outcome::Skipped(reason)
                } else {
                    Outcome::Rejected(reason)
                };
                self.settle(key, MatchKey::default(), Operation::Add, outcome)?;
                return Ok(None);
            }
        };
        let delivered = records
            .iter()
            .find(|record| record.holding == Holding::Delivered && record.match_key == match_key);
        let operation = if delivered.is_some() { Operation::Change } else { Operation::Add };
        let digest = match_key.digest();
        if self.seen.contains(&digest) {
            self.figures.settled.skipped += 1;
            let settled = Settled {
                member_key: key.clone(),
                match_key: match_key.clone(),
                operation,
                outcome: Outcome::Skipped(DUPLICATE_MATCH_KEY),
                standing: Standing::HandedOver,
            };
            self.sink.settle(Phase::Members, settled)?;
            return Ok(Some(match_key));
        }
        let mapped = match self.mapper.map(match_key.clone(), attributes, &mut self.figures.warnings) {
            Ok(mapped) => mapped,
            Err(reason) => {
                // This match key still has a member, so the person must not be removed; but another member
                // with the same key and valid values may be sent.
                self.refused.insert(digest);
                self.settle(key, match_key.clone(), operation, Outcome::Rejected(reason))?;
                return Ok(Some(match_key));
            }
        };
        self.seen.insert(digest);
        self.figures.deliverable += 1;
        if self.figures.deliverable > self.cap_left && self.over_cap == OverCap::Truncate {
            self.settle(key, match_key.clone(), operation, Outcome::Skipped(OVER_CAP))?;
        } else if delivered.is_some_and(|record| record.hash == mapped.hash) {
            self.figures.settled.unchanged += 1;
        } else {
            let Mapped { match_key, values, hash: _ } = mapped;
            let is_rejoin = operation == Operation::Add && self.rejoinable.contains(&digest);
            self.figures.sent += 1;
            let destination_id = delivered.and_then(|record| record.destination_id.clone());
            let member_key = key.clone();
            self.sink.send(Row { member_key, match_key, operation, is_rejoin, destination_id, values })?;
        }
        Ok(Some(match_key))
    }

    /// Records the effect of a member outside of the delta on others, and returns its match key.
    fn bystander(&mut self, entry: &UnionMember) -> Option<MatchKey> {
        let attributes = &entry.member.attributes;
        let match_key = self.mapper.match_key(attributes).ok()?;
        let digest = match_key.digest();
        if !self.seen.contains(&digest) {
            if self.mapper.map(match_key.clone(), attributes, &mut Warnings::default()).is_ok() {
                self.seen.insert(digest);
                self.figures.deliverable += 1;
            } else {
                self.refused.insert(digest);
            }
        }
        Some(match_key)
    }

    fn settle(
        &mut self,
        key: &MemberKey,
        match_key: MatchKey,
        operation: Operation,
        outcome: Outcome,
    ) -> Result<(), DifferError> {
        self.figures.settled.count(outcome.kind(operation), 1);
        let settled = Settled {
            member_key: key.clone(),
            match_key,
            operation,
            outcome,
            standing: Standing::FollowsOutcome,
        };
        Ok(self.sink.settle(Phase::Members, settled)?)
    }

    fn removals(&mut self) -> Result<(), DifferError> {
        self.spool.flush()?;
        let mut spool = self.spool.get_ref().try_clone()?;
        spool.rewind()?;
        for line in BufReader::new(spool).lines() {
            let (member_key, match_key, destination_id): Spooled = serde_json::from_str(&line?)?;
            self.figures.removals += 1;
            let digest = match_key.digest();
            if self.seen.contains(&digest) || self.refused.contains(&digest) {
                self.figures.settled.skipped += 1;
                let settled = Settled {
                    member_key,
                    match_key,
                    operation: Operation::Remove,
                    outcome: Outcome::Skipped(TAKEN_OVER),
                    standing: Standing::HandedOver,
                };
                self.sink.settle(Phase::Removals, settled)?;
            } else {
                self.figures.sent += 1;
                let operation = Operation::Remove;
                self.sink.send(Row {
                    member_key,
                    match_key,
                    operation,
                    is_rejoin: false,
                    destination_id,
                    values: Vec::new(),
                })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "differ_tests.rs"]
mod tests;
