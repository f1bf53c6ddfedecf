//! Previews of segments: counts and first rows before an export uses them.

use crate::support::{Job, Scene, persons, wait_until};
use jiff::Timestamp;
use relay_cloud::Queue;
use relay_model::catalog::{Document, Segment};
use relay_model::engine::{
    EngineError, EngineRequest, EngineResponse, MemberCounts, PREVIEW_ROWS, SegmentPreview,
};
use relay_pipeline::EngineClient;
use serde_json::json;

fn engine(scene: &Scene) -> EngineClient {
    let outputs = scene.cloud.outputs();
    let queue = |url: &String| Queue::new(scene.clients.sqs(), url.clone());
    EngineClient {
        objects: scene.data(),
        engine_queue: queue(&outputs.engine_queue_url),
        snapshot_queue: queue(&outputs.snapshot_queue_url),
    }
}

/// Requests a preview and waits for the answer.
async fn preview(scene: &Scene, request: &EngineRequest) -> Result<SegmentPreview, EngineError> {
    let engine = engine(scene);
    let request_id = engine.send(request, Timestamp::now()).await.unwrap();
    assert!(engine.is_requested(request_id).await.unwrap());
    let mut answer = None;
    wait_until("the request is answered", async || {
        answer = engine.answer(request_id).await.unwrap();
        answer.is_some()
    })
    .await;
    let answer = answer.unwrap();
    assert_eq!((answer.request_id, &answer.segment), (request_id, request.segment_id()));
    answer.result.map(|response| {
        match response {
            EngineResponse::Preview(preview) => Some(preview),
            EngineResponse::Description(_) | EngineResponse::Lineage(_) | EngineResponse::Download(_) => None,
        }
        .unwrap()
    })
}

/// Requests a preview of a saved segment and waits for the answer.
pub(crate) async fn saved_preview(scene: &Scene, segment: &str) -> Result<SegmentPreview, EngineError> {
    preview(scene, &EngineRequest::saved_preview(segment.to_owned().try_into().unwrap())).await
}

fn draft(id: &str, query: &str) -> EngineRequest {
    let segment = json!({ "id": id, "name": id, "query": query, "member_key": "customer_id" });
    EngineRequest::draft_preview(Segment::parse(&segment.to_string()).unwrap())
}

pub(crate) async fn a_segment_is_previewed_before_it_is_used(scene: &Scene) {
    scene.reset();
    let job = Job::new(scene, "seen");
    let mut people = persons(50);
    people[3].copies = 2;
    people[5].points = None;
    for left in &mut people[40..] {
        left.newsletter = false;
    }
    job.ready(&people).await;

    let found = saved_preview(scene, "seen").await.unwrap();
    assert_eq!(found.counts, MemberCounts { rows: 40, rows_without_key: 0, duplicate_member_rows: 1 });
    let columns: Vec<(&str, &str)> =
        found.description.columns.iter().map(|column| (column.name.as_str(), column.kind.as_str())).collect();
    let expected = ["customer_id", "email", "name", "city"].map(|name| (name, "text"));
    assert_eq!(columns, [&expected[..], &[("points", "integer")]].concat());
    assert_eq!((found.first_rows.len(), &found.description.unusable_columns), (PREVIEW_ROWS, &Vec::new()));
    let row = json!({
        "customer_id": "P0000001", "email": "person1@mail.example.com", "name": "First1 Last1",
        "city": "City 1", "points": 1,
    });
    assert_eq!(json!(found.first_rows[0]), row);
    assert_eq!(found.first_rows[5]["points"], json!(null));
    assert_eq!((found.sources.len(), found.sources[0].source.as_str()), (1, "seen"));
    assert_eq!(found.sources[0].objects, 1);

    // An error says what is wrong and how to correct it, whether the definition is saved or not.
    let wrong = [
        (draft("typo", "SELECT customer_id, emial FROM seen"), "query_unknown_column", "did you mean email"),
        (draft("typo", "SELECT email FROM seen"), "query_member_key_missing", "its columns are: email"),
        (draft("typo", "SELECT customer_id FROM sene"), "query_unknown_source", "the sources are: seen"),
        (draft("typo", "DROP TABLE seen"), "query_not_a_select", "DROP"),
        (
            EngineRequest::saved_preview("nowhere".to_owned().try_into().unwrap()),
            "catalog_missing",
            "nowhere",
        ),
    ];
    for (request, code, words) in wrong {
        let error = preview(scene, &request).await.unwrap_err();
        assert!(error.code == code && error.text.contains(words), "{error:?}");
    }
    let missing = preview(scene, &draft("typo", "SELECT customer_id, emial FROM seen")).await.unwrap_err();
    for column in ["customer_id", "email", "city", "points"] {
        assert!(missing.text.contains(column), "{}", missing.text);
    }

    // A preview is not a run: the export has no active run.
    assert_eq!(scene.ledger().active_run(&job.id()).await.unwrap(), None);
    let unknown = "01938f5e-7c00-7000-8000-000000000001".parse().unwrap();
    assert!(!engine(scene).is_requested(unknown).await.unwrap());
    assert_eq!(engine(scene).answer(unknown).await.unwrap(), None);
}
