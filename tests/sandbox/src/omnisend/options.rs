//! How the server behaves where the vendor's documents leave a choice, and how fast it is.

use super::dialect::Dialect;
use super::limits::Limits;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The settings of an Omnisend sandbox. `Options::default()` is the strictest reading of the documents with the
/// documented rate limits, in real time and without latency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// TCP port on the loopback interface; 0 takes any free one.
    pub port: u16,
    /// How many times as fast as in reality time passes: it divides windows, latencies and the time of jobs.
    pub time_scale: f64,
    /// Milliseconds that each call takes, before they are scaled.
    pub latency_ms: u64,
    /// The rate limits of a brand; none if there are none.
    pub limits: Option<Limits>,
    /// Which calls the limit of all calls counts.
    pub shared_limit: SharedLimit,
    /// Whether a refused call takes room in the window.
    pub refused_calls: RefusedCalls,
    /// Which 429 answers of version 2026-03-15 say when to come back, in seconds of the caller's own clock.
    pub retry_after: RetryAfter,
    /// Dialects that are retired: every call is answered with 410.
    pub retired: BTreeSet<Dialect>,
    /// The largest request body in bytes. The vendor recommends at most 1 MB for a batch.
    pub largest_body_bytes: usize,
    /// What the tags of a write do to the contact's tags. No version documents it.
    pub tags_on_write: OnWrite,
    /// What the custom properties of a write do to those that it does not name.
    ///
    /// The default is the mild one: a writer cannot avoid to depend on it without reading every contact first.
    pub properties_on_write: OnWrite,
    /// Whether addresses that differ in case only are one person.
    pub email_case: EmailCase,
    /// What v5 does with an identifier without `channels`. The default is what its users rely on.
    pub missing_channels: MissingChannels,
    /// What v5 takes a missing `sendWelcomeMessage` for.
    pub missing_welcome: MissingWelcome,
    /// Who gets a welcome message.
    pub welcome_messages: WelcomeMessages,
    /// What version 2026-03-15 does with a status older than the one it has.
    pub older_statuses: OlderStatuses,
    /// Whether a new contact without a source tag gets one.
    pub automatic_tags: AutomaticTags,
    /// Which new tags a write may bring.
    pub tag_characters: TagCharacters,
    /// What happens to a field that the documents do not know.
    pub other_fields: OtherFields,
    /// Milliseconds from the 202 of a call about tags until the tags have changed, before they are scaled.
    pub tagging_ms: u64,
    /// Milliseconds that a batch is pending, before they are scaled.
    pub batch_queue_ms: u64,
    /// Milliseconds that a batch is in progress, before they are scaled; half of its items are done half-way.
    pub batch_run_ms: u64,
    /// The errors after which a batch stops; without it only the control stops batches.
    pub batch_stops_after_errors: Option<usize>,
    /// Milliseconds that the vendor knows a batch for, before they are scaled.
    pub batch_kept_ms: u64,
    /// The form of a batch item's id.
    pub item_ids: ItemIds,
    /// How v5 spells the end of a batch.
    pub ended_at_spelling: EndedAtSpelling,
    /// Milliseconds that a new or changed segment is being built, before they are scaled.
    pub segment_build_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            time_scale: 1.0,
            latency_ms: 0,
            limits: Some(Limits::default()),
            shared_limit: SharedLimit::EveryCall,
            refused_calls: RefusedCalls::Counted,
            retry_after: RetryAfter::AsDocumented,
            retired: BTreeSet::new(),
            largest_body_bytes: 1_000_000,
            tags_on_write: OnWrite::Replace,
            properties_on_write: OnWrite::Merge,
            email_case: EmailCase::Sensitive,
            missing_channels: MissingChannels::Kept,
            missing_welcome: MissingWelcome::Sent,
            welcome_messages: WelcomeMessages::EveryWrite,
            older_statuses: OlderStatuses::Applied,
            automatic_tags: AutomaticTags::Added,
            tag_characters: TagCharacters::Plain,
            other_fields: OtherFields::Refused,
            tagging_ms: 2000,
            batch_queue_ms: 2000,
            batch_run_ms: 3000,
            batch_stops_after_errors: None,
            batch_kept_ms: 7 * 24 * 3_600_000,
            item_ids: ItemIds::Opaque,
            ended_at_spelling: EndedAtSpelling::Misspelled,
            segment_build_ms: 10_000,
        }
    }
}

/// Which calls the limit of all calls counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SharedLimit {
    /// Each call, those with a limit of their own too.
    EveryCall,
    /// Calls that have no limit of their own.
    OtherCalls,
}

/// Whether a call that was refused with 429 takes room in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedCalls {
    /// It does: who keeps calling stays out.
    Counted,
    /// It does not.
    NotCounted,
}

/// Which 429 answers of version 2026-03-15 say `retryAfter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// Those of contacts, tags and segments; the pages of batches and brands know no 429.
    AsDocumented,
    /// None.
    Never,
    /// All.
    Always,
}

/// What a list or map that a write brings does to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnWrite {
    /// It takes its place.
    Replace,
    /// It is added to it.
    Merge,
}

/// Whether addresses that differ in case only are one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailCase {
    /// They are two, as the page of v5 says.
    Sensitive,
    /// They are one.
    Insensitive,
}

/// What v5 does with an identifier without `channels`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingChannels {
    /// The subscription stays as it is.
    Kept,
    /// The contact is refused, as v3 does.
    Refused,
}

/// What v5 takes a missing `sendWelcomeMessage` for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingWelcome {
    /// For true, as version 2026-03-15 documents.
    Sent,
    /// For false, as v3 documents.
    NotSent,
}

/// Who gets a welcome message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WelcomeMessages {
    /// Whoever is written and not excluded by `sendWelcomeMessage`.
    EveryWrite,
    /// New contacts only.
    NewContacts,
    /// Whoever becomes subscribed only.
    NewSubscribers,
}

/// What version 2026-03-15 does with a status older than the one it has. v5 ignores it, as v3 documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OlderStatuses {
    /// It is taken.
    Applied,
    /// It is not.
    Ignored,
}

/// Whether a new contact without a source tag gets one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutomaticTags {
    /// It gets `source: api`.
    Added,
    /// It does not.
    NotAdded,
}

/// Which tags a write may bring that the brand does not have yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagCharacters {
    /// Letters, digits, `_`, `-`, `:` and spaces, as the vendor's own plugin sends.
    Plain,
    /// Any text.
    Any,
}

/// What happens to a field that the documents do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherFields {
    /// The contact is refused.
    Refused,
    /// The field is ignored.
    Ignored,
}

/// The form of a batch item's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemIds {
    /// It says nothing about the item's place: items are known by their request.
    Opaque,
    /// It is the item's place, from 1.
    Position,
}

/// How v5 spells the end of a batch outside of its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedAtSpelling {
    /// `enddedAt`, as the published description does.
    Misspelled,
    /// `endedAt`.
    Correct,
}
