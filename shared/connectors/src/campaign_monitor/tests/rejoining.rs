//! People who come back after an earlier run removed them from the list.

use super::*;

fn rejoiner(email: &str) -> Row {
    Row { is_rejoin: true, ..row(email) }
}

#[tokio::test]
async fn only_our_own_deleted_are_put_back_and_nobody_else_ever() {
    let server = MockServer::start().await;
    let code = |email: &str, resubscribe| {
        if resubscribe {
            return None;
        }
        let state = email.split_once('@')?.0.rsplit('.').next()?;
        match state {
            "deleted" => Some(205),
            "unsubscribed" => Some(206),
            "suppressed" => Some(204),
            "bounced" => Some(207),
            _ => None,
        }
    };
    mount(&server, "POST", IMPORT_PATH, Importing(code)).await;
    let rows = [
        row("a.new@example.com"),
        rejoiner("b.deleted@example.com"),
        row("c.deleted@example.com"),
        rejoiner("d.unsubscribed@example.com"),
        rejoiner("e.suppressed@example.com"),
        rejoiner("f.bounced@example.com"),
        rejoiner("g.active@example.com"),
        rejoiner("h.deleted@example.com"),
    ];
    let results = upsert(&with_key(&server), rows).await.unwrap();
    let left = |code| (OutcomeKind::Skipped, code, Standing::NotOurs);
    let expected = [
        APPLIED,
        APPLIED,
        left("campaign_monitor_205"),
        left("campaign_monitor_206"),
        left("campaign_monitor_204"),
        left("campaign_monitor_207"),
        APPLIED,
        APPLIED,
    ];
    assert_eq!(told(&results), expected);
    let requests = requests(&server).await;
    let resubscribes: Vec<Value> =
        requests.iter().map(|request| request.body_json::<Value>().unwrap()["Resubscribe"].clone()).collect();
    assert_eq!(resubscribes, [json!(false), json!(true)]);
    assert_eq!(sent_emails(&requests[1]), ["b.deleted@example.com", "h.deleted@example.com"]);
}

#[tokio::test]
async fn whoever_cannot_be_put_back_is_told_by_code() {
    let server = MockServer::start().await;
    let code = |_: &str, resubscribe| Some(if resubscribe { 204 } else { 205 });
    mount(&server, "POST", IMPORT_PATH, Importing(code)).await;
    let results = upsert(&with_key(&server), [rejoiner("jane@example.com")]).await.unwrap();
    assert_eq!(told(&results), [(OutcomeKind::Skipped, "campaign_monitor_204", Standing::NotOurs)]);
}

#[tokio::test]
async fn a_batch_may_be_sent_again_after_the_answer_to_the_second_import_was_lost() {
    let server = MockServer::start().await;
    let is_back = Arc::new(Mutex::new(false));
    let seen = Arc::clone(&is_back);
    let code = move |_: &str, resubscribe: bool| {
        let mut is_back = seen.lock().unwrap();
        let refused = !*is_back && !resubscribe;
        *is_back |= resubscribe;
        refused.then_some(205)
    };
    mount(&server, "POST", IMPORT_PATH, Importing(code)).await;
    let connector = with_key(&server);
    for _ in 0..2 {
        assert_eq!(told(&upsert(&connector, [rejoiner("jane@example.com")]).await.unwrap()), [APPLIED]);
    }
    assert_eq!(requests(&server).await.len(), 3, "the second time there is nobody to put back");
}
