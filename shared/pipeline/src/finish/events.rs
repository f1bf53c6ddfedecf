//! The outcomes of one target list's rows, as sorted streams.

use super::StageError;
use futures_util::{StreamExt, TryStreamExt, stream};
use relay_cloud::Objects;
use relay_delivery::batch::{Frame, FrameError, RowResult, decode_results};
use relay_delivery::delta::Settled;
use relay_delivery::mapping::row_hash;
use relay_model::Standing;
use relay_model::batch::{BatchEntry, Kind};
use relay_model::run::{Delta, Keys, StopCode};
use relay_model::{Lane, MatchKey, MemberKey, Operation, Outcome, Reason, RowHash};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

/// How many result objects are fetched at a time.
const FETCHES_AT_A_TIME: usize = 16;

/// The reason of a row without a result, in a run that was given up.
pub(crate) const NOT_SENT: Reason = Reason::new(
    "not_sent",
    "the batch brought no result before the run ended; the next run brings the row again",
);

/// The outcome of one row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) member_key: MemberKey,
    pub(crate) match_key: MatchKey,
    pub(crate) operation: Operation,
    pub(crate) outcome: Outcome,
    pub(crate) standing: Standing,
    pub(crate) destination_id: Option<String>,
    pub(crate) is_rejoin: bool,
    /// The digest of the fields that were sent.
    pub(crate) hash: RowHash,
}

/// All outcomes of one target list's rows.
pub(crate) struct Events {
    frames: File,
    results: HashMap<u32, Vec<u8>>,
    settled: Vec<File>,
    batches: Vec<BatchEntry>,
    not_sent: Reason,
}

impl Events {
    /// Fetches the frames, the results and the rows settled without a call. `not_sent` is the reason of rows
    /// without a result.
    pub(crate) async fn fetch(
        objects: &Objects,
        keys: &Keys,
        target: usize,
        delta: &Delta,
        not_sent: Reason,
    ) -> Result<Self, StageError> {
        let fetches = stream::iter(&delta.batches).map(|batch| {
            let key = keys.results(target, batch.number);
            async move { Ok::<_, StageError>((batch.number, objects.find(&key).await?)) }
        });
        let found: Vec<(u32, Option<Vec<u8>>)> =
            fetches.buffer_unordered(FETCHES_AT_A_TIME).try_collect().await?;
        let results = found.into_iter().filter_map(|(number, packed)| Some((number, packed?))).collect();
        let settled = vec![
            objects.download(&delta.settled.members_key).await?,
            objects.download(&delta.settled.removals_key).await?,
        ];
        let frames = objects.download(&delta.object_key).await?;
        Ok(Self { frames, results, settled, batches: delta.batches.clone(), not_sent })
    }

    /// Returns one stream per lane and kind, and one per file of settled rows, all sorted by member key.
    pub(crate) fn into_streams(
        self,
        terms: &str,
        field_keys: &[String],
    ) -> Result<Vec<EventStream>, StageError> {
        let mut lanes: BTreeMap<(Kind, Lane), Vec<BatchEntry>> = BTreeMap::new();
        for batch in self.batches {
            lanes.entry((batch.kind, batch.lane)).or_default().push(batch);
        }
        let mut results = self.results;
        let mut streams: Vec<EventStream> = Vec::new();
        for batches in lanes.into_values() {
            let lane_results = batches
                .iter()
                .filter_map(|batch| Some((batch.number, results.remove(&batch.number)?)))
                .collect();
            let frames = self.frames.try_clone()?;
            let (terms, field_keys) = (terms.to_owned(), field_keys.to_vec());
            let not_sent = self.not_sent.clone();
            let mut lane = LaneReader { frames, results: lane_results, terms, field_keys, not_sent };
            let events = batches.into_iter().flat_map(move |batch| match lane.read(&batch) {
                Ok(events) => events.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            });
            streams.push(Box::new(events));
        }
        for file in self.settled {
            let text = BufReader::new(zstd::stream::read::Decoder::new(file)?).lines();
            streams.push(Box::new(text.map(|line| settled_event(&line?))));
        }
        Ok(streams)
    }
}

/// A stream of events, sorted by member key.
pub(crate) type EventStream = Box<dyn Iterator<Item = Result<Event, StageError>>>;

struct LaneReader {
    frames: File,
    results: HashMap<u32, Vec<u8>>,
    terms: String,
    field_keys: Vec<String>,
    not_sent: Reason,
}

impl LaneReader {
    fn read(&mut self, batch: &BatchEntry) -> Result<Vec<Event>, StageError> {
        let mut frames = Vec::with_capacity(batch.frames.len());
        for place in &batch.frames {
            // The lanes' handles share the file's position, so it is set before every read.
            self.frames.seek(SeekFrom::Start(place.offset_bytes))?;
            let mut packed = Vec::new();
            (&self.frames).take(place.length_bytes).read_to_end(&mut packed)?;
            frames.push(packed);
        }
        let frame = Frame::decode_all(frames.iter().map(Vec::as_slice))?;
        let packed = self.results.remove(&batch.number);
        let results = all_results(packed.as_deref(), frame.rows.len(), &self.not_sent)?;
        let Some(results) = results else {
            let text = format!("batch {} has more results than rows", batch.number);
            return Err(StageError::stop(StopCode::ResultsDamaged, text));
        };
        let events = frame.rows.into_iter().zip(results).map(|(row, result)| Event {
            hash: row_hash(&self.terms, &row.match_key, &self.field_keys, &row.values),
            member_key: row.member_key,
            match_key: row.match_key,
            operation: row.operation,
            outcome: result.outcome,
            standing: result.standing,
            destination_id: result.destination_id,
            is_rejoin: row.is_rejoin,
        });
        Ok(events.collect())
    }
}

/// Returns one result per row: the stored results are those of the first rows, and the rest was not sent.
/// `None` if there are more results than rows.
fn all_results(
    packed: Option<&[u8]>,
    rows: usize,
    not_sent: &Reason,
) -> Result<Option<Vec<RowResult>>, FrameError> {
    let mut results = packed.map(decode_results).transpose()?.unwrap_or_default();
    if results.len() > rows {
        return Ok(None);
    }
    results.resize(rows, RowResult::new(Outcome::Deferred(not_sent.clone())));
    Ok(Some(results))
}

fn settled_event(line: &str) -> Result<Event, StageError> {
    let settled: Settled = serde_json::from_str(line).map_err(|error| {
        let place = format!("{:?} at column {}", error.classify(), error.column());
        StageError::stop(StopCode::SettledDamaged, format!("a settled row cannot be read ({place})"))
    })?;
    Ok(Event {
        member_key: settled.member_key,
        match_key: settled.match_key,
        operation: settled.operation,
        outcome: settled.outcome,
        standing: settled.standing,
        destination_id: None,
        is_rejoin: false,
        hash: RowHash::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_delivery::batch::encode_results;

    #[track_caller]
    fn check(stored: Option<usize>, rows: usize, expected: Option<(usize, usize)>) {
        let applied = RowResult::new(Outcome::Applied);
        let packed = stored.map(|stored| encode_results(&vec![applied.clone(); stored]).unwrap());
        let results = all_results(packed.as_deref(), rows, &NOT_SENT).unwrap();
        let found = results.map(|results| {
            let (done, rest) = results.split_at(stored.unwrap_or_default());
            assert!(done.iter().all(|result| *result == applied));
            assert!(rest.iter().all(|result| result.outcome == Outcome::Deferred(NOT_SENT)));
            (done.len(), rest.len())
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn rows_without_results_are_deferred() {
        check(Some(3), 3, Some((3, 0)));
        check(Some(2), 3, Some((2, 1)));
        check(None, 3, Some((0, 3)));
        check(Some(4), 3, None);
    }
}
