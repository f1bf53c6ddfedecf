//! The sample events in `events/`: the input of each function on AWS, parsed with the types of the functions.

use crate::support::Scene;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use relay_cloud::{ObjectEvent, PutObject};
use relay_connectors::campaign_monitor::CampaignMonitorTarget;
use relay_connectors::dynamics365_sales::Dynamics365SalesTarget;
use relay_connectors::marketo::MarketoTarget;
use relay_connectors::omnisend::OmnisendTarget;
use relay_model::engine::EngineMessage;
use relay_model::run::{BatchPointer, StageMessage};
use relay_model::uploads::segment_of;
use relay_privacy::PersonMessage;
use serde::de::DeserializeOwned;
use serde_json::Value;

const TICK: &str = include_str!("../../events/tick.json");
const API: &str = include_str!("../../events/api.json");
const UPLOAD: &str = include_str!("../../events/upload.json");
const SNAPSHOT: &str = include_str!("../../events/snapshot.json");
const ENGINE: &str = include_str!("../../events/engine.json");
const CHUNK: &str = include_str!("../../events/chunk.json");
const PUSH: &str = include_str!("../../events/push-campaign-monitor.json");
const PUSH_MARKETO: &str = include_str!("../../events/push-marketo.json");
const PUSH_OMNISEND: &str = include_str!("../../events/push-omnisend.json");
const PUSH_DYNAMICS: &str = include_str!("../../events/push-dynamics365-sales.json");
const FINISH: &str = include_str!("../../events/finish.json");
const PERSON: &str = include_str!("../../events/person.json");
/// The run of all samples.
const RUN_ID: &str = "01938f5e-7c00-7000-8000-000000000001";

fn body(event: &str) -> String {
    let event: SqsEvent = serde_json::from_str(event).unwrap();
    assert_eq!(event.records.len(), 1);
    let record = &event.records[0];
    assert!(record.attributes.contains_key("MessageGroupId"), "the queues are FIFO");
    record.body.clone().unwrap()
}

fn read_push<T: DeserializeOwned>(event: &str) {
    let pointer = BatchPointer::parse(&body(event)).unwrap();
    assert_eq!(pointer.run_id.to_string(), RUN_ID);
    assert!(serde_json::from_value::<T>(pointer.prepared).is_ok(), "{event}");
}

#[test]
fn the_samples_are_read_as_the_functions_read_them() {
    let run = EngineMessage::run(RUN_ID.parse().unwrap());
    assert_eq!(EngineMessage::parse(&body(SNAPSHOT)).unwrap(), run);
    let request = EngineMessage::request("01938f5e-7c00-7000-8000-000000000003".parse().unwrap());
    assert_eq!(EngineMessage::parse(&body(ENGINE)).unwrap(), request);
    for event in [CHUNK, FINISH] {
        assert_eq!(StageMessage::parse(&body(event)).unwrap().run_id.to_string(), RUN_ID);
    }
    let request_id = PersonMessage::parse(&body(PERSON)).unwrap().request_id.to_string();
    assert_eq!(request_id, "01938f5e-7c00-7000-8000-000000000002");
    read_push::<CampaignMonitorTarget>(PUSH);
    read_push::<MarketoTarget>(PUSH_MARKETO);
    read_push::<OmnisendTarget>(PUSH_OMNISEND);
    read_push::<Dynamics365SalesTarget>(PUSH_DYNAMICS);

    let request = lambda_http::request::from_str(API).unwrap();
    assert_eq!(request.uri().path(), format!("/runs/{RUN_ID}"));

    let upload: ObjectEvent = serde_json::from_str(UPLOAD).unwrap();
    let objects: Vec<PutObject> = upload.objects().collect();
    assert_eq!((objects.len(), objects[0].key.as_str()), (1, "uploads/guests/Gäste 2026.csv"));
    assert_eq!((objects[0].bytes, objects[0].at), (1024, "2026-01-05T06:30:00.123Z".parse().unwrap()));
    assert_eq!(segment_of(&objects[0].key).unwrap().unwrap().as_str(), "guests");

    let tick: Value = serde_json::from_str(TICK).unwrap();
    assert_eq!((&tick["source"], &tick["detail"]), (&"aws.scheduler".into(), &"{}".into()));
}

pub(crate) async fn every_function_answers_its_sample(scene: &Scene) {
    scene.reset();
    let invoke = async |function: &str, event: &str| {
        let event = serde_json::from_str(event).unwrap();
        let answer = scene.cloud.invoke(function, &event).await.unwrap();
        assert!(!answer.function_error, "{function}: {}", answer.body);
        answer.body
    };
    assert_eq!(invoke("tick", TICK).await, Value::Null);

    let answer = invoke("api", API).await;
    assert_eq!(answer["statusCode"], 404);
    assert_eq!(answer["headers"]["content-type"], "application/problem+json");
    let problem: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(problem["code"], "run_missing");
    assert!(problem["detail"].as_str().unwrap().contains(RUN_ID), "{problem}");

    // The segment does not exist, so the file is refused before it is read.
    let bucket = &scene.cloud.outputs().data_bucket;
    let upload = UPLOAD.replace("segment-relay-databucket-example", bucket);
    assert_eq!(invoke("upload", &upload).await, Value::Null);
    let guests = "guests".to_owned().try_into().unwrap();
    let latest = scene.ledger().uploads(&guests).await.unwrap().latest.unwrap();
    assert!(latest.refusal.unwrap().starts_with("there is no segment \"guests\""));

    // The request does not exist, so the message counts as a duplicate of a finished request.
    let answered: SqsBatchResponse = serde_json::from_value(invoke("person", PERSON).await).unwrap();
    assert!(answered.batch_item_failures.is_empty());

    // Neither the run nor the request exists, so each message is reported as failed.
    let check = async |function: &str, event: &str| {
        let response: SqsBatchResponse = serde_json::from_value(invoke(function, event).await).unwrap();
        let sent: SqsEvent = serde_json::from_str(event).unwrap();
        let failed: Vec<&str> =
            response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        assert_eq!(failed, [sent.records[0].message_id.as_deref().unwrap()], "{function}");
    };
    tokio::join!(
        check("snapshot", SNAPSHOT),
        check("engine", ENGINE),
        check("chunk", CHUNK),
        check("push-campaign-monitor", PUSH),
        check("push-marketo", PUSH_MARKETO),
        check("push-omnisend", PUSH_OMNISEND),
        check("push-dynamics365-sales", PUSH_DYNAMICS),
        check("finish", FINISH),
    );
}
