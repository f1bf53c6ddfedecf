//! Marketo in trouble: nobody is lost, nobody is doubled, and the counts are right.

use super::account::Account;
use crate::support::messages::dead_letters;
use crate::support::{Scene, emails, persons, wait_until};
use aws_sdk_dynamodb::types::AttributeValue;
use relay_model::run::RunState;
use relay_model::{Counts, RunId};
use sandbox::faults::FaultKind;
use sandbox::marketo::{Endpoint, Fault, ImportTrouble};
use serde_json::{Value, json};
use std::collections::HashMap;

/// More often than any test makes calls.
const ALWAYS: usize = 1_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stumbles_are_got_over() {
    let scene = Scene::open().await;
    tokio::join!(
        calls_fail_now_and_then(&scene),
        answers_are_lost_or_damaged(&scene),
        tokens_end_in_mid_call(&scene),
        no_token_works_for_a_while(&scene),
        no_token_works_while_a_run_is_prepared(&scene),
        no_token_works_while_an_import_is_looked_after(&scene),
        an_import_fails(&scene, "fails", ImportTrouble::Fails),
        an_import_fails(&scene, "fails_halfway", ImportTrouble::FailsHalfway),
        an_import_never_ends(&scene),
    );
    assert_eq!(dead_letters(&scene).await, 0);
}

async fn calls_fail_now_and_then(scene: &Scene) {
    let account = Account::open(scene, "twentieth").await;
    let job = account.job("twentieth");
    let mut people = persons(9_000);
    job.ready(&people).await;
    // About one call in twenty each, and not the same ones.
    for (code, every) in [(608, 19), (611, 20), (713, 21)] {
        account.add_fault(Fault::once(Endpoint::Any, FaultKind::Status(code)).every(every).times(ALWAYS));
    }
    job.run().await.succeeded(Counts { added: 9_000, ..Counts::default() });
    assert_eq!(account.on("twentieth"), emails(&people));
    for left in &mut people[..100] {
        left.newsletter = false;
    }
    job.upload(&people).await;
    job.run().await.succeeded(Counts { removed: 100, unchanged: 8_900, ..Counts::default() });
    assert_eq!((account.on("twentieth"), account.lead_count()), (emails(&people), 9_000));
    let report = account.report();
    assert!(report.faults >= 6, "{report:?}");
}

async fn answers_are_lost_or_damaged(scene: &Scene) {
    let account = Account::open(scene, "damaged").await;
    let mut job = account.job("damaged");
    let mut people = persons(2_000);
    job.ready(&people).await;
    let kinds = [
        FaultKind::DropAfterProcessing,
        FaultKind::TruncatedJson,
        FaultKind::BadJson,
        FaultKind::Status(502),
        FaultKind::StatusAfterProcessing(604),
    ];
    for endpoint in [Endpoint::SyncLeads, Endpoint::AddMembers] {
        for kind in &kinds {
            account.add_fault(Fault::once(endpoint, kind.clone()));
        }
    }
    job.run().await.succeeded(Counts { added: 2_000, ..Counts::default() });
    assert_eq!((account.on("damaged"), account.lead_count()), (emails(&people), 2_000));
    assert_eq!(account.report().faults, 10);

    for left in &mut people[..200] {
        left.newsletter = false;
    }
    job.export["guard"] = json!({ "removed_percent": 50 });
    job.ready(&people).await;
    for kind in kinds {
        account.add_fault(Fault::once(Endpoint::RemoveMembers, kind));
    }
    // Whoever is off the list already, since only the answer was lost, is off it by our doing.
    job.run().await.succeeded(Counts { removed: 200, unchanged: 1_800, ..Counts::default() });
    assert_eq!((account.on("damaged"), account.lead_count()), (emails(&people), 2_000));
}

async fn tokens_end_in_mid_call(scene: &Scene) {
    // A token lives for two of our seconds.
    let account = Account::open_with(scene, "tokens", |mut options| {
        options.token_ms = 40_000;
        options
    })
    .await;
    let job = account.job("tokens");
    let people = persons(3_000);
    job.ready(&people).await;
    for (endpoint, code) in
        [(Endpoint::Describe2, 602), (Endpoint::SyncLeads, 602), (Endpoint::AddMembers, 601)]
    {
        account.add_fault(Fault::once(endpoint, FaultKind::Status(code)));
    }
    account.add_fault(Fault::once(Endpoint::AddMembers, FaultKind::StatusAfterProcessing(602)));
    account.answer_zero_lifetimes(1);
    job.run().await.succeeded(Counts { added: 3_000, ..Counts::default() });
    assert_eq!((account.on("tokens"), account.lead_count()), (emails(&people), 3_000));
    let report = account.report();
    assert_eq!(report.faults, 4);
    // Each end of a token costs one more call and one more token.
    assert!(report.identity_calls >= 4, "{report:?}");
}

async fn no_token_works_for_a_while(scene: &Scene) {
    let account = Account::open(scene, "minute").await;
    let job = account.job("minute");
    let people = persons(900);
    job.ready(&people).await;
    let run_id = {
        // The run is prepared, and from the first person on every call finds its token expired.
        let expired = |endpoint| Fault::once(endpoint, FaultKind::Status(602)).times(ALWAYS);
        account.add_fault(expired(Endpoint::SyncLeads));
        job.start().await
    };
    // Longer than a batch is patient by itself: the queue brings it back.
    let is_refused = async || account.report().faults >= 8;
    wait_until("the calls are refused for a while", is_refused).await;
    account.clear_faults();
    let over = job.over(run_id).await;
    over.succeeded(Counts { added: 900, ..Counts::default() });
    assert_eq!((account.on("minute"), account.lead_count()), (emails(&people), 900));
}

async fn no_token_works_while_a_run_is_prepared(scene: &Scene) {
    let account = Account::open(scene, "minute_first").await;
    let job = account.job("minute_first");
    let people = persons(900);
    job.ready(&people).await;
    let no_token_works =
        || account.add_fault(Fault::once(Endpoint::Describe2, FaultKind::Status(602)).times(ALWAYS));
    no_token_works();
    // Longer than a step is tried: nothing is made or sent, and the run says why.
    job.run().await.failed("authentication_failed", &["token"]);
    assert_eq!((account.lists().len(), account.lead_count()), (0, 0));
    account.clear_faults();
    let refused = account.report().faults;
    no_token_works();
    let run_id = job.start().await;
    wait_until("the calls are refused for a while", async || account.report().faults >= refused + 8).await;
    account.clear_faults();
    job.over(run_id).await.succeeded(Counts { added: 900, ..Counts::default() });
    assert_eq!((account.on("minute_first"), account.lead_count()), (emails(&people), 900));
}

async fn no_token_works_while_an_import_is_looked_after(scene: &Scene) {
    let account = Account::open(scene, "minute_later").await.lanes(1);
    let mut job = account.job("minute_later");
    job.export["options"]["push"] = json!("bulk_import");
    let people = persons(400);
    job.ready(&people).await;
    account.add_fault(Fault::once(Endpoint::ImportStatus, FaultKind::Status(602)).times(ALWAYS));
    let run_id = job.start().await;
    // More than one look finds that no token works.
    wait_until("looks are refused for a while", async || account.report().faults >= 5).await;
    account.clear_faults();
    job.over(run_id).await.succeeded(Counts { added: 400, ..Counts::default() });
    assert_eq!((account.on("minute_later"), account.lead_count()), (emails(&people), 400));
    assert_eq!(account.calls(Endpoint::Import), 1, "the file is not brought twice");
}

async fn an_import_fails(scene: &Scene, name: &str, trouble: ImportTrouble) {
    let account = Account::open(scene, name).await.lanes(1);
    let mut job = account.job(name);
    job.export["options"]["push"] = json!("bulk_import");
    let people = persons(400);
    job.ready(&people).await;
    account.trouble_import(trouble);
    // What Marketo does not say of single rows we do not claim to know: all of them go again.
    let over = job.run().await;
    assert_eq!(over.run.state, RunState::Failed);
    over.failed("destination_unavailable", &["failed as a whole", "go again with the next run"]);
    assert_eq!(over.report.counts, Counts { deferred: 400, ..Counts::default() });
    assert_eq!(over.because("destination_unavailable"), 400);
    job.run().await.succeeded(Counts { added: 400, ..Counts::default() });
    assert_eq!((account.on(name), account.lead_count()), (emails(&people), 400));
}

async fn an_import_never_ends(scene: &Scene) {
    let mut account = Account::open(scene, "endless").await.lanes(1);
    account.connection["settings"]["import_gives_up_after_minutes"] = json!(10);
    let mut job = account.job("endless");
    job.export["options"]["push"] = json!("bulk_import");
    let people = persons(400);
    job.ready(&people).await;
    account.trouble_import(ImportTrouble::NeverEnds);
    let run_id = job.start().await;
    wait_until("the import is given up", async || {
        submitted_long_ago(scene, run_id).await;
        scene.run(run_id).await.unwrap().state.is_over()
    })
    .await;
    let over = job.over(run_id).await;
    over.failed("timeout", &["has not ended within 10 minutes", "go again with the next run"]);
    assert_eq!(over.report.counts, Counts { deferred: 400, ..Counts::default() });
    assert_eq!(account.active_imports(), 1);
    // Marketo has taken the rows all the same; by calls they are brought whatever the import still does.
    job.export["options"]["push"] = json!("sync");
    job.save().await;
    job.run().await.succeeded(Counts { added: 400, ..Counts::default() });
    assert_eq!((account.on("endless"), account.lead_count()), (emails(&people), 400));
}

/// Makes the ledger believe that the import of a run's only batch was submitted in the year 2000.
async fn submitted_long_ago(scene: &Scene, run_id: RunId) {
    let text = |text: String| AttributeValue::S(text);
    let key = [("pk", format!("run#{run_id}")), ("sk", "batch#0#000000".to_owned())];
    let key: HashMap<String, AttributeValue> =
        key.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect();
    let (table, dynamodb) = (&scene.cloud.outputs().ledger_table, scene.clients.dynamodb());
    let item = dynamodb.get_item().table_name(table).set_key(Some(key.clone())).send().await.unwrap().item;
    let item = item.unwrap_or_default();
    let Some(AttributeValue::S(before)) = item.get("job") else { return };
    let mut job: Value = serde_json::from_str(before).unwrap();
    if job.is_null() {
        return;
    }
    job["submitted_at"] = json!("2000-01-01T00:00:00Z");
    let update =
        dynamodb.update_item().table_name(table).set_key(Some(key)).update_expression("SET job = :job");
    let update = update.expression_attribute_values(":job", text(job.to_string()));
    update.send().await.unwrap();
}
