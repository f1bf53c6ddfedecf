//! What somebody has to act on is named and not tried again.

use crate::harness::Harness;
use crate::people::{removal, removals};
use crate::stage::{Stage, failed};
use crate::store::{MemoryStore, SECRET_NAME};
use relay_connectors::{Connector, ErrorKind, PushError, Retry};
use relay_model::CredentialError;
use relay_model::batch::Kind;

/// All that a connector can be asked, with its error. None of it may go well.
async fn refusals<H: Harness>(stage: &Stage<H>, connector: &H::C) -> Vec<PushError> {
    let rows = stage.rows(0..3);
    let leavers: Vec<_> = rows.iter().map(removal).collect();
    let allowance = stage.allowance();
    let context = || allowance.context(connector);
    let prepared = connector.prepare(&stage.harness.export(), &stage.harness.wanted(), &context()).await;
    vec![
        connector.check(&context()).await.expect_err("check"),
        prepared.err().expect("prepare"),
        failed(stage.attempt(connector, Kind::Upsert, &rows, &context()).await),
        failed(stage.attempt(connector, Kind::Remove, &leavers, &context()).await),
    ]
}

pub(crate) async fn wrong_credentials_are_named_and_end_it<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let connector = stage.harness.connect(MemoryStore::new(stage.harness.wrong_secret()));
    for error in refusals(&stage, &connector).await {
        assert_eq!((error.kind, error.retry), (ErrorKind::Authentication, Retry::Never), "{error}");
        check_secrets(&stage.harness.keys(), &format!("{error} {error:?}"));
    }
    assert!(stage.members().await.is_empty());
    let connector = stage.connector();
    let account = connector.check(&stage.allowance().context(&connector)).await.expect("good credentials");
    assert!(!account.name.trim().is_empty());
}

/// A secret that is not there, is somebody else's, is of another form, or cannot be reached now.
pub(crate) async fn credentials_that_cannot_be_had_are_told_apart<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let calls = stage.harness.calls();
    let name = || SECRET_NAME.to_owned();
    let form = |text: String| MemoryStore::new(text);
    let never = (ErrorKind::Authentication, Retry::Never);
    let cases = [
        (MemoryStore::failing(CredentialError::Missing { name: name() }), never),
        (MemoryStore::failing(CredentialError::Forbidden { name: name() }), never),
        (
            MemoryStore::failing(CredentialError::Unavailable { name: name() }),
            (ErrorKind::Unavailable, Retry::Backoff),
        ),
        (form(String::new()), never),
        (form("{}".to_owned()), never),
        (form(format!("{}x", stage.harness.secret())), never),
        (form(stage.harness.keys().concat()), never),
    ];
    for (number, (store, expected)) in cases.into_iter().enumerate() {
        let connector = stage.harness.connect(store);
        for error in refusals(&stage, &connector).await {
            assert_eq!((error.kind, error.retry), expected, "case {number}: {error}");
            assert!(error.message.contains(SECRET_NAME), "case {number}: {error}");
            check_secrets(&stage.harness.keys(), &format!("{error} {error:?}"));
        }
    }
    assert_eq!(stage.harness.calls(), calls, "nothing is asked without credentials");
}

/// By the check, or where that cannot see the right by preparing: before any data moves.
pub(crate) async fn a_right_that_is_missing_is_found_before_anything_is_sent<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let connector = stage.harness.connect(MemoryStore::new(stage.harness.limited_secret()));
    let context = stage.allowance().context(&connector);
    let error = if let Err(error) = connector.check(&context).await {
        error
    } else {
        let prepared = connector.prepare(&stage.harness.export(), &stage.harness.wanted(), &context).await;
        prepared.err().expect("a right is missing")
    };
    assert_eq!(error.kind, ErrorKind::Permission, "{error}");
    // Where a lack of rights looks like a passing refusal, a bounded number of tries finds out.
    assert!(matches!(error.retry, Retry::Never | Retry::Backoff), "{error:?}");
    check_secrets(&stage.harness.keys(), &format!("{error} {error:?}"));
}

pub(crate) async fn a_list_that_is_not_there_ends_it<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let connector = stage.connector();
    let lists = stage.harness.lists();
    let is_told = |error: &PushError| {
        assert!(matches!(error.kind, ErrorKind::ListMissing | ErrorKind::Settings), "{error}");
        assert_eq!(error.retry, Retry::Never, "{error}");
    };
    let unusable = stage.harness.unusable();
    assert!(!unusable.is_empty());
    for list in unusable {
        let context = stage.allowance().context(&connector);
        let prepared = connector.prepare(&stage.harness.export(), &list, &context).await;
        is_told(&prepared.err().unwrap_or_else(|| panic!("{list:?} was prepared")));
    }
    assert_eq!(stage.harness.lists(), lists, "nothing is made for what cannot be");
    if !H::HAS_LISTS {
        return;
    }
    let (rows, results) = stage.deliver(0..3).await;
    stage.harness.delete_list(stage.list());
    for (kind, rows) in [(Kind::Upsert, stage.rows(10..13)), (Kind::Remove, removals(&rows, &results))] {
        let delivery = stage.push(kind, &rows).await;
        is_told(
            &delivery.failure.unwrap_or_else(|| panic!("{kind:?} without a list: {:?}", delivery.results)),
        );
    }
}

/// No eight characters in a row of any key are in the text.
#[track_caller]
pub(crate) fn check_secrets(keys: &[String], text: &str) {
    for key in keys {
        let characters: Vec<char> = key.chars().collect();
        for part in characters.windows(8) {
            let part: String = part.iter().collect();
            assert!(!text.contains(&part), "a part of a key is in: {text}");
        }
    }
}
