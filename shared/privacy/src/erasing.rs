//! Erases one person: excludes them from later runs, removes them from every list, and deletes their records.

use super::searching::{DELIVERED, apart, delivered_key, fetched, of};
use super::treatment::{Circumstances, Keeper, Treatment, is_served, treatment};
use super::work::Work;
use super::{delivered, rejected};
use futures_util::StreamExt;
use jiff::Timestamp;
use relay_cloud::ListedObject;
use relay_cloud::ledger::{DeliveredPointer, LedgerError};
use relay_delivery::delta::{Holding, Record};
use relay_model::catalog::{Export, Segment};
use relay_model::privacy::{Exclusion, MAX_EXCLUSIONS, Place, PlaceAction, PlaceKind};
use relay_model::run::{Trigger, TriggerKind};
use relay_model::{ExportId, ListId, RunId, SegmentId};
use relay_pipeline::exclusions;
use relay_pipeline::{RunDefinitions, StageError, StartError};
use std::collections::{BTreeMap, BTreeSet};

/// What an erasure knows about one export.
struct ExportAtHand {
    id: ExportId,
    /// The definitions of a run that would start now, if the export is defined and readable.
    definition: Option<RunDefinitions>,
    /// Whether the export is in the catalog, readable or not.
    is_defined: bool,
    /// The run that was active when the person had been excluded.
    under_way: Option<RunId>,
    /// The run that was requested, or why there is none.
    asked: Option<Result<RunId, String>>,
}

impl Work<'_> {
    /// Erases the person. The exclusion is written first: later runs leave the person out, so the search
    /// after it finds every record.
    pub(super) async fn erase(&mut self) -> Result<(), StageError> {
        self.keep_out().await?;
        let (requests, objects) = (&self.people.requests, self.people.objects.clone());
        let defined: BTreeSet<String> = requests.catalog.ids::<Export>().await?.into_iter().collect();
        let definitions = requests.catalog.list::<Export>().await?;
        let segments = requests.catalog.list::<Segment>().await?.into_iter().flatten();
        let is_active: BTreeMap<SegmentId, bool> =
            segments.map(|saved| (saved.document.id, saved.document.active)).collect();
        let now = Timestamp::now();
        let mut definitions: BTreeMap<ExportId, RunDefinitions> = definitions
            .into_iter()
            .flatten()
            .map(|saved| (saved.document.id.clone(), RunDefinitions::of(saved.document, now, &is_active)))
            .collect();
        let delivered = objects.list(DELIVERED).await?;
        let mut exports: BTreeSet<ExportId> =
            delivered.iter().filter_map(|object| Some(delivered_key(&object.key)?.0)).collect();
        exports.extend(defined.iter().filter_map(|id| ExportId::try_from(id.clone()).ok()));
        for id in exports {
            let (definition, is_defined) = (definitions.remove(&id), defined.contains(id.as_str()));
            // The active run is read before the states are listed: runs that begin later leave excluded
            // people out.
            let under_way = self.active_run(&id).await?;
            let export = ExportAtHand { id, definition, is_defined, under_way, asked: None };
            Box::pin(self.erase_from(export)).await?;
        }
        self.erase_rejected().await?;
        for (found, _) in self.uploads().await? {
            let action = Some(PlaceAction::EndsByItself);
            self.note(Place { action, ..found.place }).await?;
        }
        Ok(())
    }

    async fn keep_out(&mut self) -> Result<(), StageError> {
        let (ledger, objects) = (&self.people.requests.ledger, &self.people.objects);
        if self.wanted.members.is_empty() {
            return Ok(());
        }
        let key = exclusions::key_or_new(ledger, objects).await?;
        let known = ledger.excluded_ids().await?;
        let ids: BTreeSet<_> = self.wanted.members.iter().map(|member| key.id(&member.0)).collect();
        let people = known.len() + ids.iter().filter(|id| !known.contains(id)).count();
        if people > MAX_EXCLUSIONS {
            return Err(exclusions::too_many(people));
        }
        for id in &ids {
            let exclusion = Exclusion {
                id: *id,
                at: Timestamp::now(),
                by: self.request.by.clone(),
                request_id: self.state.request_id,
            };
            ledger.exclude(&exclusion).await?;
        }
        self.state.kept_out = ids.into_iter().collect();
        super::put_state(objects, &self.state).await
    }

    async fn erase_from(&mut self, mut export: ExportAtHand) -> Result<(), StageError> {
        if let Some(run_id) = export.under_way {
            self.follow(&mut export, run_id).await?;
        }
        let objects = self.people.objects.clone();
        let listed = objects.list(&format!("{DELIVERED}{}/", export.id)).await?;
        self.expect(&listed);
        let states = self.people.requests.ledger.delivered_states(&export.id).await?;
        let mut files = Box::pin(fetched(&objects, listed));
        while let Some(next) = files.next().await {
            let (object, file) = next?;
            let records = self.records(file).await?;
            if !records.is_empty() {
                let state = states.iter().find(|(_, state)| state.object_key == object.key);
                self.treat(&mut export, &object, &records, state).await?;
            }
        }
        Ok(())
    }

    /// An active run may still add the person to its lists, so another run follows it, whatever is stored
    /// now.
    async fn follow(&mut self, export: &mut ExportAtHand, under_way: RunId) -> Result<(), StageError> {
        let place = Place { export: Some(export.id.clone()), ..Place::new(PlaceKind::RunUnderWay) };
        let (action, run_id, reason) = match self.asked(export).await? {
            Ok(run_id) => (PlaceAction::RunAskedFor, Some(run_id), None),
            Err(reason) => {
                let text = format!(
                    "run {under_way} is under way, and none can follow it: {reason}; ask again when it is over"
                );
                (PlaceAction::CannotRun, None, Some(text))
            }
        };
        self.note(Place { action: Some(action), run_id, reason, ..place }).await
    }

    async fn treat(
        &mut self,
        export: &mut ExportAtHand,
        object: &ListedObject,
        records: &[Record],
        state: Option<&(ListId, DeliveredPointer)>,
    ) -> Result<(), StageError> {
        let is_on_list = records.iter().any(|record| record.holding == Holding::Delivered);
        let keeper = match (&export.definition, state) {
            (_, None) => Keeper::Unnamed,
            (Some(definition), Some((list, _))) if definition.left_alone.contains(list) => Keeper::Resting,
            (Some(definition), Some((list, _))) if is_served(definition, list) => Keeper::Run,
            // An unreadable export is still defined, so a run is requested, and its error becomes the reason.
            (None, Some(_)) if export.is_defined => Keeper::Run,
            _ => Keeper::Nobody,
        };
        let place = Place {
            export: Some(export.id.clone()),
            target_list: state.map(|(list, _)| list.clone()),
            records: u64::try_from(records.len()).unwrap_or(u64::MAX),
            ..of(PlaceKind::DeliveredState, object)
        };
        let circumstances = Circumstances {
            keeper,
            is_under_way: export.under_way.is_some() || self.is_going(object).await?,
            is_on_list,
        };
        match treatment(circumstances) {
            Treatment::LeaveAlone => Ok(()),
            // A run that has begun meanwhile may have to settle again from the state that it has just
            // replaced.
            Treatment::Delete if self.active_run(&export.id).await?.is_some() => Ok(()),
            Treatment::Wait => {
                let reason = "its segment is switched off or is still to start; the first run that reaches the list again \
                              takes the person off it";
                let (action, reason) = (Some(PlaceAction::CannotRun), Some(reason.to_owned()));
                self.note(Place { action, reason, ..place }).await
            }
            Treatment::Delete => {
                self.people.objects.delete(&object.key).await?;
                self.note(Place { action: Some(PlaceAction::Forgotten), ..place }).await
            }
            Treatment::LeaveOut(action) => {
                self.leave_out(object, state).await?;
                let reason =
                    (action == PlaceAction::ForgottenButOnList).then(|| not_served(export.is_defined));
                self.note(Place { action: Some(action), reason, ..place }).await
            }
            Treatment::Run => match self.asked(export).await? {
                Ok(run_id) => {
                    let action = Some(PlaceAction::RunAskedFor);
                    self.note(Place { action, run_id: Some(run_id), ..place }).await
                }
                Err(reason) if is_on_list => {
                    let action = Some(PlaceAction::CannotRun);
                    self.note(Place { action, reason: Some(reason), ..place }).await
                }
                Err(_) => {
                    self.leave_out(object, state).await?;
                    self.note(Place { action: Some(PlaceAction::Forgotten), ..place }).await
                }
            },
        }
    }

    async fn active_run(&self, export: &ExportId) -> Result<Option<RunId>, StageError> {
        Ok(self.people.requests.ledger.active_run(export).await?)
    }

    /// Returns whether the run that wrote a delivered state has not ended yet.
    async fn is_going(&self, object: &ListedObject) -> Result<bool, StageError> {
        let Some((_, Some(run_id))) = delivered_key(&object.key) else { return Ok(false) };
        match self.people.requests.ledger.run(run_id).await {
            Ok(run) => Ok(!run.state.is_over()),
            Err(LedgerError::RunMissing(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the run of the export that removes the person from its lists, or why there can be none. It is
    /// requested once.
    async fn asked(&self, export: &mut ExportAtHand) -> Result<Result<RunId, String>, StageError> {
        if let Some(asked) = &export.asked {
            return Ok(asked.clone());
        }
        let key = format!("erasure/{}", self.state.request_id);
        let trigger = Trigger::new(TriggerKind::Erasure, key).by(Some(self.request.by.clone()));
        let asked = match self.people.requests.start(&export.id, trigger, Timestamp::now()).await {
            Ok(requested) => Ok(requested.run_id()),
            Err(StartError::Cloud(error)) => return Err(error),
            Err(error) => Err(error.to_string()),
        };
        Ok(export.asked.insert(asked).clone())
    }

    /// Replaces the state by a copy without the person. If a run has replaced the state meanwhile, its new
    /// state lacks the person already, and the copy is deleted.
    async fn leave_out(
        &self,
        object: &ListedObject,
        state: Option<&(ListId, DeliveredPointer)>,
    ) -> Result<(), StageError> {
        let objects = &self.people.objects;
        let (file, wanted) = (objects.download(&object.key).await?, self.wanted());
        let rewritten = apart(move || delivered::without(file, &wanted)).await?;
        objects.upload(&object.key, rewritten.file.path()).await?;
        let (Some((list, pointer)), Some((export, _))) = (state, delivered_key(&object.key)) else {
            return Ok(());
        };
        let (key, now) = (object.key.as_str(), Timestamp::now());
        let pointer = DeliveredPointer { delivered: rewritten.delivered, ..pointer.clone() };
        if !self.people.requests.ledger.set_delivered(&export, list, Some(key), &pointer, now).await? {
            objects.delete(key).await?;
        }
        Ok(())
    }

    async fn erase_rejected(&mut self) -> Result<(), StageError> {
        let objects = self.people.objects.clone();
        for (found, _) in self.rejected().await? {
            let Some(key) = &found.place.object_key else { continue };
            let (file, wanted) = (objects.download(key).await?, self.wanted());
            let left = apart(move || rejected::without(file, &wanted)).await?;
            objects.upload(key, left.path()).await?;
            self.note(Place { action: Some(PlaceAction::Forgotten), ..found.place }).await?;
        }
        Ok(())
    }
}

fn not_served(is_defined: bool) -> String {
    let why = if is_defined { "the export no longer names the list" } else { "the export was removed" };
    format!("{why}, so no run takes the person off it: do that at the destination")
}
