//! Searches every place that may hold data about a person, one after the other.

use super::uploads::IdentityColumns;
use super::work::{Work, after};
use super::{delivered, rejected, uploads};
use futures_util::{Stream, StreamExt, stream};
use relay_cloud::ledger::DeliveredPointer;
use relay_cloud::{ListedObject, Objects};
use relay_delivery::delta::Record;
use relay_model::catalog::{Segment, SegmentKind};
use relay_model::privacy::{FoundPlace, Place, PlaceKind, Wanted};
use relay_model::run::StopCode;
use relay_model::{ExportId, ListId, MemberKey, RunId, SegmentId};
use relay_pipeline::StageError;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

/// How many objects are fetched ahead.
const FETCHES_AHEAD: usize = 4;
/// For how many days an upload's lines are kept, as in the deployment template.
const UPLOADED_DAYS: u16 = 100;
/// The most records about one person: the result is one document, and no person has that many records.
const MAX_RECORDS: usize = 100_000;

pub(super) const DELIVERED: &str = "delivered/";
const UPLOADED: &str = "uploaded/";
const REPORTS: &str = "reports/";

/// Parses the key of a delivered state: `delivered/EXPORT/LIST/RUN.parquet`.
pub(super) fn delivered_key(key: &str) -> Option<(ExportId, Option<RunId>)> {
    let mut parts = key.strip_prefix(DELIVERED)?.split('/');
    let export = ExportId::try_from(parts.next()?.to_owned()).ok()?;
    let run = parts.nth(1).and_then(|name| name.strip_suffix(".parquet")?.parse().ok());
    Some((export, run))
}

/// Streams objects with their contents; the content of an object that was deleted meanwhile is `None`.
pub(super) fn fetched(
    objects: &Objects,
    listed: Vec<ListedObject>,
) -> impl Stream<Item = Result<(ListedObject, Option<File>), StageError>> {
    let fetches = stream::iter(listed).map(move |object| async move {
        match objects.download(&object.key).await {
            Ok(file) => Ok((object, Some(file))),
            Err(error) if error.code == "NoSuchKey" => Ok((object, None)),
            Err(error) => Err(error.into()),
        }
    });
    fetches.buffered(FETCHES_AHEAD)
}

/// Reads on a blocking thread, because reading takes as long as there are rows.
pub(super) async fn apart<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StageError> + Send + 'static,
) -> Result<T, StageError> {
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|_| StageError::stop(StopCode::SearchPanicked, "a place could not be read to its end"))?
}

/// A place with data about the person, and the members that identify them there.
pub(super) type Hit = (FoundPlace, BTreeSet<MemberKey>);

impl Work<'_> {
    /// Returns every place with data about the person.
    pub(super) async fn search(&mut self) -> Result<Vec<Hit>, StageError> {
        let mut hits = self.delivered().await?;
        hits.extend(self.uploads().await?);
        hits.extend(self.rejected().await?);
        let records: usize = hits.iter().map(|(found, _)| found.kept.len()).sum();
        if records > MAX_RECORDS {
            let text =
                format!("{records} records are kept, and {MAX_RECORDS} at the most are told in one document");
            return Err(StageError::stop(StopCode::TooManyRecords, text));
        }
        Ok(hits)
    }

    async fn delivered(&mut self) -> Result<Vec<Hit>, StageError> {
        let objects = self.people.objects.clone();
        let listed = objects.list(DELIVERED).await?;
        self.expect(&listed);
        let mut lists: BTreeMap<ExportId, Vec<(ListId, DeliveredPointer)>> = BTreeMap::new();
        let mut hits = Vec::new();
        let mut files = Box::pin(fetched(&objects, listed));
        while let Some(next) = files.next().await {
            let (object, file) = next?;
            let records = self.records(file).await?;
            let Some((export, _)) = delivered_key(&object.key).filter(|_| !records.is_empty()) else {
                continue;
            };
            if !lists.contains_key(&export) {
                let states = self.people.requests.ledger.delivered_states(&export).await?;
                lists.insert(export.clone(), states);
            }
            let mut states = lists.get(&export).into_iter().flatten();
            let list = states.find(|(_, state)| state.object_key == object.key).map(|(list, _)| list.clone());
            let place =
                Place { export: Some(export), target_list: list, ..of(PlaceKind::DeliveredState, &object) };
            let members = records.iter().map(|record| record.member_key.clone()).collect();
            hits.push(hit(place, records.iter().map(delivered::shown).collect(), members));
        }
        Ok(hits)
    }

    /// Returns the person's records in a delivered state, if the state still exists.
    pub(super) async fn records(&mut self, file: Option<File>) -> Result<Vec<Record>, StageError> {
        let wanted = self.wanted.clone();
        let records = match file {
            Some(file) => apart(move || delivered::look(file, &wanted)).await?,
            None => Vec::new(),
        };
        self.has_read().await?;
        Ok(records)
    }

    /// Returns the uploads that contain the person.
    pub(super) async fn uploads(&mut self) -> Result<Vec<Hit>, StageError> {
        let objects = self.people.objects.clone();
        let mut listed = objects.list(UPLOADED).await?;
        listed.retain(|object| object.key.ends_with(".parquet"));
        self.expect(&listed);
        let mut known: BTreeMap<SegmentId, Option<IdentityColumns>> = BTreeMap::new();
        let mut hits = Vec::new();
        let mut files = Box::pin(fetched(&objects, listed));
        while let Some(next) = files.next().await {
            let (object, file) = next?;
            let segment = object.key.strip_prefix(UPLOADED).and_then(|rest| rest.split('/').next());
            let segment = segment.and_then(|id| SegmentId::try_from(id.to_owned()).ok());
            let columns = match &segment {
                Some(segment) if !known.contains_key(segment) => {
                    let columns = self.identity_columns(segment).await?;
                    known.entry(segment.clone()).or_insert(columns).clone()
                }
                Some(segment) => known.get(segment).cloned().flatten(),
                None => None,
            };
            let wanted = self.wanted.clone();
            let found = match file {
                Some(file) => apart(move || uploads::look(file, columns.as_ref(), &wanted)).await?,
                None => uploads::UploadedLines::default(),
            };
            self.has_read().await?;
            if found.count == 0 {
                continue;
            }
            let ends_at = Some(after(object.stored_at, UPLOADED_DAYS));
            let place = Place { segment, ends_at, records: found.count, ..of(PlaceKind::Upload, &object) };
            hits.push((FoundPlace { place, kept: found.lines }, found.members));
        }
        Ok(hits)
    }

    async fn identity_columns(&self, segment: &SegmentId) -> Result<Option<IdentityColumns>, StageError> {
        let saved = self.people.requests.catalog.find::<Segment>(segment.as_str()).await?;
        Ok(saved.and_then(|saved| {
            let SegmentKind::Upload(upload) = &saved.document.kind else { return None };
            Some(IdentityColumns::of(upload))
        }))
    }

    /// Returns the lists of rejected rows that contain the person.
    pub(super) async fn rejected(&mut self) -> Result<Vec<Hit>, StageError> {
        let objects = self.people.objects.clone();
        let mut listed = objects.list(REPORTS).await?;
        listed.retain(|object| object.key.ends_with("/rejected.csv"));
        self.expect(&listed);
        let mut hits = Vec::new();
        let mut files = Box::pin(fetched(&objects, listed));
        while let Some(next) = files.next().await {
            let (object, file) = next?;
            let wanted = self.wanted.clone();
            let found = match file {
                Some(file) => apart(move || rejected::look(file, &wanted)).await?,
                None => rejected::RejectedRows::default(),
            };
            self.has_read().await?;
            if found.rows.is_empty() {
                continue;
            }
            let mut parts = object.key.strip_prefix(REPORTS).unwrap_or_default().split('/');
            let export = parts.next().and_then(|id| ExportId::try_from(id.to_owned()).ok());
            let run_id = parts.next().and_then(|id| id.parse().ok());
            let ends_at = Some(after(object.stored_at, self.people.retention.report_days));
            let place = Place { export, ends_at, run_id, ..of(PlaceKind::RejectedRows, &object) };
            hits.push(hit(place, found.rows, found.members));
        }
        Ok(hits)
    }

    /// Returns the identifiers of the wanted person.
    pub(super) fn wanted(&self) -> Wanted {
        self.wanted.clone()
    }

    pub(super) fn expect(&mut self, listed: &[ListedObject]) {
        self.state.progress.objects += u64::try_from(listed.len()).unwrap_or(u64::MAX);
    }
}

/// Returns an object as a place.
pub(super) fn of(what: PlaceKind, object: &ListedObject) -> Place {
    Place { object_key: Some(object.key.clone()), kept_since: Some(object.stored_at), ..Place::new(what) }
}

fn hit(
    place: Place,
    kept: Vec<serde_json::Map<String, serde_json::Value>>,
    members: BTreeSet<MemberKey>,
) -> Hit {
    let records = u64::try_from(kept.len()).unwrap_or(u64::MAX);
    (FoundPlace { place: Place { records, ..place }, kept }, members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(key: &str, expected: Option<(&str, bool)>) {
        let found = delivered_key(key);
        let found = found.as_ref().map(|(export, run)| (export.as_str(), run.is_some()));
        assert_eq!(found, expected, "{key}");
    }

    #[test]
    fn a_delivered_states_key_says_whose_it_is() {
        let run = "01938f5e-7c00-7000-8000-000000000001";
        check(&format!("delivered/newsletter/0123456789abcdef/{run}.parquet"), Some(("newsletter", true)));
        check("delivered/newsletter/0123456789abcdef/other.parquet", Some(("newsletter", false)));
        check("delivered/newsletter/", Some(("newsletter", false)));
        check("delivered/../x", None);
        check("reports/newsletter/x", None);
    }
}
