//! One person among the members that segments keep.

use super::searching::{Hit, apart, fetched, of};
use super::uploads::{self, IdentityColumns};
use super::work::Work;
use futures_util::StreamExt;
use relay_model::SegmentId;
use relay_model::catalog::Export;
use relay_model::privacy::{FoundPlace, Place, PlaceAction, PlaceKind};
use relay_pipeline::StageError;
use std::collections::BTreeSet;

const MEMBERS: &str = "members/";

impl Work<'_> {
    /// The kept members that have the person.
    pub(super) async fn kept_members(&mut self) -> Result<Vec<Hit>, StageError> {
        let objects = self.people.objects.clone();
        let listed = objects.list(MEMBERS).await?;
        self.expect(&listed);
        let mut hits = Vec::new();
        let exports = self.people.requests.catalog.list::<Export>().await?;
        let exports: Vec<Export> = exports.into_iter().flatten().map(|saved| saved.document).collect();
        let mut files = Box::pin(fetched(&objects, listed));
        while let Some(next) = files.next().await {
            let (object, file) = next?;
            let segment = object.key.strip_prefix(MEMBERS).and_then(|rest| rest.split('/').next());
            let segment = segment.and_then(|id| SegmentId::try_from(id.to_owned()).ok());
            let wanted = self.wanted();
            let users = exports.iter().filter(|export| segment.as_ref().is_some_and(|id| export.uses(id)));
            let match_keys = users.map(|export| export.match_key.clone()).collect();
            let columns = IdentityColumns::KeptMembers { match_keys };
            let found = match file {
                Some(file) => apart(move || uploads::look(file, Some(&columns), &wanted)).await?,
                None => uploads::UploadedLines::default(),
            };
            self.has_read().await?;
            if found.count > 0 {
                let place = Place { segment, records: found.count, ..of(PlaceKind::KeptMembers, &object) };
                hits.push((FoundPlace { place, kept: found.lines }, found.members));
            }
        }
        Ok(hits)
    }

    /// Has them written anew without the person. What is kept stays as old as it is: nobody else comes or goes.
    pub(super) async fn erase_kept(&mut self) -> Result<(), StageError> {
        let mut asked = BTreeSet::new();
        for (found, _) in self.kept_members().await? {
            let Some(segment) = found.place.segment.clone() else { continue };
            if asked.insert(segment.clone()) {
                let key = format!("erasure/{}", self.state.request_id);
                self.people.requests.leave_out_of_members(&segment, &key).await?;
            }
            self.note(Place { action: Some(PlaceAction::RewriteAskedFor), ..found.place }).await?;
        }
        Ok(())
    }
}
