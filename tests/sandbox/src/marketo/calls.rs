//! Each kind of call, in two steps: what is looked at when it begins, and what is done when it ends.

use super::answer::Answer;
use super::auth::Caller;
use super::endpoint::{Endpoint, Route};
use super::errors::{self, ApiError};
use super::server::{Incoming, Shared};
use super::sync::{self, Plan};
use super::world::World;
use super::{describe, exports, folders, imports, lists, membership, people, stats};
use std::sync::Arc;

/// What a call has seen when it began; only the writing of leads looks that early.
pub(super) enum Begun {
    Nothing,
    Sync(Plan),
}

/// The call begins.
pub(super) fn begin(
    world: &mut World,
    caller: &Caller,
    route: &Route,
    incoming: &Incoming,
) -> Result<Begun, ApiError> {
    match route.endpoint {
        Endpoint::SyncLeads => sync::begin(world, caller, &incoming.payload).map(Begun::Sync),
        _ => Ok(Begun::Nothing),
    }
}

/// The call ends.
pub(super) fn finish(
    shared: &Arc<Shared>,
    caller: &Caller,
    route: &Route,
    incoming: &Incoming,
    begun: Begun,
) -> Result<Answer, ApiError> {
    let Route { endpoint, id } = route;
    let (query, payload) = (incoming.query.clone(), &incoming.payload);
    let now = shared.gate.now();
    let world = &mut *shared.world();
    // A POST that stands for a GET has its parameters in the form.
    let parameters = if incoming.method == "GET" { query.joined(payload.form()) } else { query };
    match (endpoint, begun) {
        (Endpoint::SyncLeads, Begun::Sync(plan)) => Ok(sync::finish(world, plan, now)),
        (Endpoint::Describe, _) => Ok(describe::describe(world)),
        (Endpoint::Describe2, _) => Ok(describe::describe2(world)),
        (Endpoint::Partitions, _) => Ok(describe::partitions(world, caller)),
        (Endpoint::FindLeads, _) => people::find(world, caller, &parameters),
        (Endpoint::DeleteLeads, _) => people::delete(world, &parameters, payload),
        (Endpoint::ListsOfLead, _) => people::lists_of(world, id, &parameters),
        (Endpoint::Lists, _) => lists::search(world, &parameters),
        (Endpoint::List, _) => lists::details(world, id),
        (Endpoint::Members, _) => people::members(world, caller, id, &parameters),
        (Endpoint::AddMembers | Endpoint::RemoveMembers | Endpoint::IsMember, _) => {
            membership::operate(world, *endpoint, id, &parameters, payload, now)
        }
        (Endpoint::BrowseLists, _) => lists::browse(world, &parameters),
        (Endpoint::CreateList, _) => lists::create(world, payload, now),
        (Endpoint::ListByName, _) => lists::by_name(world, &parameters),
        (Endpoint::ListAsset, _) => lists::by_id(world, id),
        (Endpoint::UpdateList, _) => lists::update(world, id, payload, now),
        (Endpoint::DeleteList, _) => lists::delete(world, id),
        (Endpoint::Folders, _) => folders::browse(world, &parameters),
        (Endpoint::CreateFolder, _) => folders::create(world, payload, now),
        (Endpoint::FolderByName, _) => folders::by_name(world, &parameters),
        (Endpoint::Folder, _) => folders::by_id(world, id),
        (Endpoint::Usage, _) => Ok(stats::usage(world, now)),
        (Endpoint::ErrorStatistics, _) => Ok(stats::errors(world, now)),
        _ => bulk(shared, world, caller, route, incoming),
    }
}

fn bulk(
    shared: &Arc<Shared>,
    world: &mut World,
    caller: &Caller,
    route: &Route,
    incoming: &Incoming,
) -> Result<Answer, ApiError> {
    let (id, now) = (route.id.as_str(), shared.gate.now());
    match route.endpoint {
        Endpoint::Import => {
            let (answer, batch) = imports::submit(world, caller, &incoming.query, &incoming.payload, now)?;
            tokio::spawn(imports::drive(Arc::downgrade(shared), batch));
            Ok(answer)
        }
        Endpoint::ImportStatus => imports::status(world, id, now),
        Endpoint::ImportFailures => imports::failures(world, id, now),
        Endpoint::ImportWarnings => imports::warnings(world, id, now),
        Endpoint::CreateExport => exports::create(world, caller, &incoming.payload, now),
        Endpoint::EnqueueExport => {
            let answer = exports::enqueue(world, caller, id, now)?;
            tokio::spawn(exports::drive(Arc::downgrade(shared), id.to_owned()));
            Ok(answer)
        }
        Endpoint::CancelExport => exports::cancel(world, caller, id),
        Endpoint::ExportStatus => exports::status(world, caller, id, now),
        Endpoint::ExportFile => exports::file(world, caller, id, incoming.range.as_deref()),
        _ => Err(errors::NOT_FOUND),
    }
}
