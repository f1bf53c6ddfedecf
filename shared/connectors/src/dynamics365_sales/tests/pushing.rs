//! Additions.

use super::*;

#[tokio::test]
async fn who_is_there_is_added_and_who_is_not_is_told() {
    let dataverse = Dataverse::with([1, 2, 4]);
    dataverse.world().contacts.insert(contact(2), false);
    let server = organisation(&dataverse).await;
    let results = done(add(&sales(&server), [1, 2, 3, 4]).await);
    assert_eq!(told(&results, Operation::Add), [ADDED, INACTIVE, NOT_IN_SALES, ADDED]);
    assert_eq!(dataverse.world().members, [contact(1), contact(4)].into());
    assert_eq!(sizes(&server, ADD_PATH).await, [2]);
    // A repeated addition changes nothing.
    assert_eq!(done(add(&sales(&server), [1, 4]).await).len(), 2);
    assert_eq!(dataverse.world().members.len(), 2);
}

#[tokio::test]
async fn nobody_to_add_is_no_call_and_nobody_is_ever_made() {
    let dataverse = Dataverse::with([]);
    let server = organisation(&dataverse).await;
    let results = done(add(&sales(&server), [1, 2]).await);
    assert_eq!(told(&results, Operation::Add), [NOT_IN_SALES, NOT_IN_SALES]);
    let requests = server.received_requests().await.unwrap();
    let paths: Vec<&str> = requests.iter().map(|request| request.url.path()).collect();
    assert_eq!(paths, [TOKEN_PATH, BATCH_PATH]);
}

#[tokio::test]
async fn a_contact_that_several_rows_name_is_sent_once() {
    let dataverse = Dataverse::with([1, 2]);
    let server = organisation(&dataverse).await;
    let results = done(add(&sales(&server), [1, 2, 1, 3, 3]).await);
    assert_eq!(told(&results, Operation::Add), [ADDED, ADDED, ADDED, NOT_IN_SALES, NOT_IN_SALES]);
    assert_eq!(sizes(&server, ADD_PATH).await, [2]);
}

#[tokio::test]
async fn calls_grow_and_shrink_towards_their_goal() {
    let dataverse = Dataverse::with(0..200);
    dataverse.world().per_member = Duration::from_millis(2);
    let server = organisation(&dataverse).await;
    let settings = json!({"call_seconds": 0.1, "first_members": 5, "largest_members": 1000});
    let sales = connector(&server, MemoryStore::new(SECRET), &settings);
    done(add(&sales, 0..200).await);
    let sizes = sizes(&server, ADD_PATH).await;
    assert_eq!((sizes[0], sizes.iter().sum::<usize>()), (5, 200), "{sizes:?}");
    // Two milliseconds per member and a goal of a hundred allow fifty members, less the fixed cost of a call.
    assert!(sizes.iter().all(|size| *size <= 50), "{sizes:?}");
    assert!(sizes.iter().any(|size| *size > 10), "{sizes:?}");
}

#[tokio::test]
async fn a_contact_that_goes_after_the_look_up_costs_nobody_else() {
    let dataverse = Dataverse::with(0..100);
    dataverse.world().going = vec![contact(7), contact(70)];
    let server = organisation(&dataverse).await;
    let results = done(add(&sales(&server), 0..100).await);
    let told = told(&results, Operation::Add);
    assert_eq!((told[7], told[70]), (NOT_IN_SALES, NOT_IN_SALES));
    assert_eq!(told.iter().filter(|result| **result == ADDED).count(), 98);
    // The first call fails, the lookup is repeated, and the second call omits the deleted contacts.
    assert_eq!(sizes(&server, ADD_PATH).await, [100, 98]);
}

#[tokio::test]
async fn a_poisoned_contact_is_found_by_halves() {
    let check = async |poison: (u16, &'static str), expected: (OutcomeKind, &str, Standing)| {
        let dataverse = Dataverse::with(0..64);
        dataverse.world().poisons.insert(contact(41), poison);
        let server = organisation(&dataverse).await;
        let results = done(add(&sales(&server), 0..64).await);
        let told = told(&results, Operation::Add);
        assert_eq!(told[41], expected);
        assert_eq!(told.iter().filter(|result| **result == ADDED).count(), 63);
        let calls = sizes(&server, ADD_PATH).await.len();
        assert!(calls <= 13, "{calls}");
    };
    let follows = Standing::FollowsOutcome;
    let plug_in = (OutcomeKind::Rejected, "dynamics365_sales_80040265", follows);
    check((400, "0x80040265"), plug_in).await;
    check((400, "0x80041234"), (OutcomeKind::Rejected, "dynamics365_sales_80041234", follows)).await;
    check((404, "0x80040217"), (OutcomeKind::Deferred, "dynamics365_sales_80040217", follows)).await;
}

#[tokio::test]
async fn what_refuses_everybody_is_not_the_contacts_fault() {
    let dataverse = Dataverse::with(0..64);
    let poisons = (0..64).map(|number| (contact(number), (400, "0x80040265"))).collect();
    dataverse.world().poisons = poisons;
    let server = organisation(&dataverse).await;
    let (results, error) = partly(add(&sales(&server), 0..64).await);
    assert_eq!((results.len(), error.kind, error.retry), (4, ErrorKind::InvalidRequest, Retry::Never));
    assert!(sizes(&server, ADD_PATH).await.len() < 20);
}

#[tokio::test]
async fn a_call_that_takes_too_long_for_the_database_goes_in_smaller_ones() {
    let dataverse = Dataverse::with(0..40);
    dataverse.world().refusals = vec![refusal(500, "0x80044151"), refusal(500, "0x80044151")];
    let server = organisation(&dataverse).await;
    let results = done(add(&sales(&server), 0..40).await);
    assert!(told(&results, Operation::Add).iter().all(|result| *result == ADDED));
    assert_eq!(sizes(&server, ADD_PATH).await, [40, 20, 10, 10, 20]);
}

#[tokio::test]
async fn queries_name_fewer_contacts_where_so_many_are_refused() {
    let dataverse = Dataverse::with(0..600);
    dataverse.world().most_values = Some(100);
    let server = organisation(&dataverse).await;
    let sales = sales(&server);
    assert_eq!(done(add(&sales, 0..600).await).len(), 600);
    assert_eq!(dataverse.world().members.len(), 600);
    assert_eq!(calls(&server, BATCH_PATH).await.len(), 3, "250, 125, 62");
    done(add(&sales, 0..10).await);
    assert_eq!(calls(&server, BATCH_PATH).await.len(), 4, "the number is kept");
}

#[tokio::test]
async fn one_by_one_where_the_organisation_has_no_other_way() {
    let dataverse = Dataverse::with(0..10);
    dataverse.world().going = vec![contact(3), contact(4)];
    dataverse.world().poisons.insert(contact(5), (400, "0x80040265"));
    let server = organisation(&dataverse).await;
    let target = Dynamics365SalesTarget { adding: Adding::OneByOne, ..target() };
    let frame = frame(0..10, Operation::Add);
    let results = done(sales(&server).push(&target, Kind::Upsert, &frame, &context()).await);
    let told = told(&results, Operation::Add);
    let plug_in = (OutcomeKind::Rejected, "dynamics365_sales_80040265", Standing::FollowsOutcome);
    assert_eq!(told[3..6], [NOT_IN_SALES, NOT_IN_SALES, plug_in]);
    assert_eq!(dataverse.world().members.len(), 7);
    assert_eq!(
        calls(&server, BATCH_PATH).await.len(),
        3,
        "look-up, additions, look-up of those who are gone"
    );
}
