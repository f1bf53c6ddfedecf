//! Previews of segments: counted and shown before anything is done with them.

use crate::support::{Job, Scene, persons, wait_until};
use jiff::Timestamp;
use relay_cloud::Queue;
use relay_model::catalog::{Document, Segment};
use relay_model::engine::{PREVIEW_ROWS, PreviewOf, PreviewResult};
use relay_pipeline::Previews;
use serde_json::json;

fn previews(scene: &Scene) -> Previews {
    let queue = scene.cloud.outputs().snapshot_queue_url.clone();
    Previews { objects: scene.data(), snapshot_queue: Queue::new(scene.clients.sqs(), queue) }
}

/// Asks for a preview and waits for it.
pub(crate) async fn preview(scene: &Scene, of: &PreviewOf) -> PreviewResult {
    let previews = previews(scene);
    let preview_id = previews.request(of, Timestamp::now()).await.unwrap();
    assert!(previews.is_requested(preview_id).await.unwrap());
    let mut found = None;
    wait_until("the preview is made", async || {
        found = previews.result(preview_id).await.unwrap();
        found.is_some()
    })
    .await;
    let found = found.unwrap();
    assert_eq!((found.preview_id, &found.segment), (preview_id, of.segment()));
    found
}

fn draft(id: &str, query: &str) -> PreviewOf {
    let segment = json!({ "id": id, "name": id, "query": query, "member_key": "customer_id" });
    PreviewOf::Draft(Segment::parse(&segment.to_string()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_is_seen_before_it_is_used() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    let job = Job::new(&scene, "seen");
    let mut people = persons(50);
    people[3].copies = 2;
    people[5].points = None;
    for left in &mut people[40..] {
        left.newsletter = false;
    }
    job.ready(&people).await;

    let saved = PreviewOf::Saved("seen".to_owned().try_into().unwrap());
    let found = preview(&scene, &saved).await;
    assert_eq!(found.error, None);
    let counts = (found.rows, found.rows_without_key, found.duplicate_member_rows);
    assert_eq!(counts, (Some(40), Some(0), Some(1)));
    let columns: Vec<(&str, &str)> =
        found.columns.iter().map(|column| (column.name.as_str(), column.kind.as_str())).collect();
    let expected = ["customer_id", "email", "name", "city"].map(|name| (name, "text"));
    assert_eq!(columns, [&expected[..], &[("points", "integer")]].concat());
    assert_eq!((found.first_rows.len(), &found.unusable_columns), (PREVIEW_ROWS, &Vec::new()));
    let row = json!({
        "customer_id": "P0000001", "email": "person1@mail.example.com", "name": "First1 Last1",
        "city": "City 1", "points": 1,
    });
    assert_eq!(json!(found.first_rows[0]), row);
    assert_eq!(found.first_rows[5]["points"], json!(null));
    assert_eq!((found.sources.len(), found.sources[0].source.as_str()), (1, "seen"));
    assert_eq!(found.sources[0].objects, 1);

    // What is wrong is told in words that help, whether the definition is saved or not.
    let wrong = [
        (draft("typo", "SELECT customer_id, emial FROM seen"), "query_unknown_column", "did you mean email"),
        (draft("typo", "SELECT email FROM seen"), "query_member_key_missing", "its columns are: email"),
        (draft("typo", "SELECT customer_id FROM sene"), "query_unknown_source", "the sources are: seen"),
        (draft("typo", "DROP TABLE seen"), "query_not_a_select", "DROP"),
        (PreviewOf::Saved("nowhere".to_owned().try_into().unwrap()), "catalog_missing", "nowhere"),
    ];
    for (of, code, words) in wrong {
        let found = preview(&scene, &of).await;
        let error = found.error.unwrap();
        assert!(error.code == code && error.text.contains(words), "{error:?}");
        assert_eq!((found.rows, found.first_rows.len(), found.columns.len()), (None, 0, 0));
    }
    let missing = preview(&scene, &draft("typo", "SELECT customer_id, emial FROM seen")).await.error.unwrap();
    for column in ["customer_id", "email", "city", "points"] {
        assert!(missing.text.contains(column), "{}", missing.text);
    }

    // A preview is no run: the export is as free as before.
    assert_eq!(scene.ledger().active_run(&job.id()).await.unwrap(), None);
    let unknown = "01938f5e-7c00-7000-8000-000000000001".parse().unwrap();
    assert!(!previews(&scene).is_requested(unknown).await.unwrap());
    assert_eq!(previews(&scene).result(unknown).await.unwrap(), None);
}
