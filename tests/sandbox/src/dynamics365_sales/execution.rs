//! Calls that were let in, and how long they take.

use super::access::{self, Caller};
use super::answer::Answer;
use super::control_types::PendingChange;
use super::endpoint::{Endpoint, Part, Route, route};
use super::errors::{self, ApiError};
use super::gate;
use super::ids::Guid;
use super::lists::Request;
use super::membership::Call;
use super::operation::Operation;
use super::options::ConcurrentListCalls;
use super::paging::Origin;
use super::server::{Shared, record};
use super::world::World;
use super::{batch as multipart, contacts, control, lists, metadata, reads};
use std::sync::Arc;
use tokio::time::sleep;

/// One call: its answer, and its execution time in the vendor's milliseconds.
pub(super) async fn single(
    shared: &Arc<Shared>,
    caller: &Caller,
    route: &Route,
    operation: &Operation,
    address: &str,
) -> (Answer, u64) {
    // The kind of a body says how to read it; who leaves it out would be read by luck.
    if matches!(operation.method.as_str(), "POST" | "PATCH" | "PUT")
        && operation.media_type() != "application/json"
    {
        return (errors::unsupported_media_type().into(), 0);
    }
    if route.endpoint.changes_members() {
        return membership(shared, caller, route, operation, address).await;
    }
    let times = shared.world().options.execution;
    let base_ms = if operation.method == "GET" { times.read_base_ms } else { times.write_ms };
    execute(shared, base_ms).await;
    let answer = Answer::from(process(&mut shared.world(), caller, route, operation, address));
    let rows = u64::try_from(answer.rows).unwrap_or(u64::MAX);
    let rows_ms = rows.saturating_mul(times.read_row_us) / 1000;
    execute(shared, rows_ms).await;
    (answer, base_ms.saturating_add(rows_ms))
}

/// Lets this much of the vendor's time go by.
async fn execute(shared: &Shared, vendor_ms: u64) {
    if vendor_ms > 0 {
        let clock = shared.world().clock;
        sleep(clock.real(vendor_ms)).await;
    }
}

async fn membership(
    shared: &Arc<Shared>,
    caller: &Caller,
    route: &Route,
    operation: &Operation,
    address: &str,
) -> (Answer, u64) {
    let (call, longest_ms, execution_ms) = {
        let world = shared.world();
        let checked = caller.need_for_members(world.options.member_privileges);
        let call =
            checked.and_then(|()| Call::read(route.endpoint, route.id, &operation.body, &world.options));
        match call {
            Err(error) => return (error.into(), 0),
            Ok(call) => {
                let execution_ms = call.execution_ms(&world.options);
                (call, world.options.longest_execution_ms, execution_ms)
            }
        }
    };
    let others = enter_list(&mut shared.world(), call.list);
    let is_victim =
        others > 0 && shared.world().options.concurrent_list_calls == ConcurrentListCalls::Deadlock;
    let (answer, execution_ms) = if is_victim {
        (errors::deadlock().into(), 0)
    } else if execution_ms > longest_ms {
        execute(shared, longest_ms).await;
        (errors::database_timeout().into(), longest_ms)
    } else {
        execute(shared, execution_ms).await;
        let mut world = shared.world();
        let organization = organization(&world, address);
        let answer = call.apply(&mut world, caller, &organization);
        if answer.is_ok() {
            count_down(&mut world, call.list);
        }
        (answer.into(), execution_ms)
    };
    let mut world = shared.world();
    world.report.longest_membership_call_ms = world.report.longest_membership_call_ms.max(execution_ms);
    if let Some(list) = world.lists.get_mut(&call.list) {
        list.calls = list.calls.saturating_sub(1);
    }
    (answer, execution_ms)
}

/// How many other membership calls the list has.
fn enter_list(world: &mut World, id: Guid) -> usize {
    let Some(list) = world.lists.get_mut(&id) else {
        return 0;
    };
    list.calls += 1;
    let calls = list.calls;
    world.report.most_calls_for_one_list = world.report.most_calls_for_one_list.max(calls);
    calls - 1
}

/// What was asked to happen to the list after so many membership calls.
fn count_down(world: &mut World, id: Guid) {
    let Some(list) = world.lists.get_mut(&id) else {
        return;
    };
    for pending in &mut list.pending {
        pending.after_calls = pending.after_calls.saturating_sub(1);
    }
    let (due, waiting): (Vec<PendingChange>, Vec<_>) =
        list.pending.drain(..).partition(|pending| pending.after_calls == 0);
    list.pending = waiting;
    for pending in due {
        control::change(world, id, pending.change);
    }
}

/// The organisation's address in answers.
fn organization(world: &World, address: &str) -> String {
    world.options.organization_url.clone().unwrap_or_else(|| address.to_owned())
}

fn process(
    world: &mut World,
    caller: &Caller,
    route: &Route,
    operation: &Operation,
    address: &str,
) -> Result<Answer, ApiError> {
    let organization = organization(world, address);
    let preferences = operation.preferences();
    let request = Request {
        caller,
        headers: &operation.headers,
        preferences: &preferences,
        organization: &organization,
    };
    let body = operation.body.as_slice();
    match (route.endpoint, route.id) {
        (Endpoint::WhoAmI, _) => Ok(access::who_am_i(world, caller, &organization)),
        (Endpoint::Metadata, _) => Ok(Answer::xml(metadata::document(&world.options))),
        (Endpoint::UserPrivileges, Some(id)) => access::user_privileges(world, caller, id, &organization),
        (Endpoint::CreateList, _) => lists::create(world, request, body),
        (Endpoint::UpsertList, Some(id)) => lists::upsert(world, request, id, body),
        (Endpoint::DeleteList, Some(id)) => lists::delete(world, request, id),
        (Endpoint::SetListColumn, Some(id)) => match &route.part {
            Part::Column(column) => lists::set_column(world, request, id, column, body),
            _ => Err(errors::server_error(404)),
        },
        (Endpoint::CreateContact, _) => contacts::create(world, request, body),
        (Endpoint::UpsertContact, Some(id)) => contacts::upsert(world, request, id, body),
        (Endpoint::CreateListMember, None) => Err(errors::unsupported_method(
            "The 'Create' method does not support entities of type 'listmember'.",
        )),
        (Endpoint::CreateListMember, Some(_)) => {
            Err(errors::unsupported_method("Associate is not supported for ListMember Entity."))
        }
        (
            Endpoint::Lists
            | Endpoint::List
            | Endpoint::ListContacts
            | Endpoint::Contacts
            | Endpoint::Contact
            | Endpoint::ListMembers
            | Endpoint::TotalRecordCount
            | Endpoint::MessageFilters,
            _,
        ) => {
            let next_link = world.options.next_link_origin.clone().unwrap_or_else(|| address.to_owned());
            let origin = Origin { organization: &organization, next_link: &next_link, path: &operation.path };
            reads::read(world, caller, route, operation, origin)
        }
        _ => Err(errors::server_error(404)),
    }
}

/// A batch: its operations one after the other, until the first error unless the caller wants to go on.
pub(super) async fn batch(
    shared: &Arc<Shared>,
    caller: &Caller,
    operation: &Operation,
    address: &str,
) -> (Answer, u64) {
    let operations = match multipart::read(operation) {
        Ok(operations) => operations,
        Err(error) => return (error.into(), 0),
    };
    let continues = operation.preferences().continues_on_error;
    let (mut answers, mut stopped, mut total_ms) = (Vec::new(), None, 0_u64);
    for operation in operations {
        let route = route(&operation.method, &operation.path);
        let endpoint = route.as_ref().map_or(Endpoint::Unknown, |route| route.endpoint);
        // A part may be refused by itself, although the limits see one call only.
        let (answer, execution_ms) = match (gate::forced(shared, endpoint), route) {
            (Some(refused), _) => (refused, 0),
            (None, Ok(route)) => single(shared, caller, &route, &operation, address).await,
            (None, Err(error)) => (error.into(), 0),
        };
        record(&mut shared.world().report, endpoint, Some(&answer));
        total_ms = total_ms.saturating_add(execution_ms);
        let status = answer.status;
        answers.push(answer);
        if status >= 400 && !continues {
            stopped = Some(status);
            break;
        }
    }
    let boundary = format!("batchresponse_{}", Guid::random());
    (multipart::write(answers, &boundary, stopped), total_ms)
}
