//! `export` into folders that have files already.

use relay_cli::Ending;
use serde_json::json;

use crate::files::{EXPORT, catalog, full};

#[tokio::test]
async fn values_of_the_local_cloud_make_no_difference() {
    let bench = full().await;
    let uri = bench.server.uri();
    let up = json!({ "api_url": uri, "issuer_url": null, "values": { "lake": "s3://lake" } });
    bench.file(".local/up.json", &up.to_string());
    let text = "id: people\nlocation: ${lake}/people/\nformat: csv\n";
    bench.file("catalog/sources/people.yaml", text);
    let ran = bench.run(&["export", &catalog(&bench), "--local", "--token", "the-token"]).await;
    assert_eq!(ran.ending, Ending::Done, "{}", ran.errors);
    assert!(ran.output.contains("same      sources/people.yaml"), "{}", ran.output);
    assert_eq!(bench.text("catalog/sources/people.yaml"), text);
}

#[tokio::test]
async fn files_that_cannot_be_understood_are_kept() {
    let bench = full().await;
    let folder = catalog(&bench);
    for mine in ["id: [\n", "name: mine\n", ""] {
        bench.file("catalog/exports/news.yaml", mine);
        let ran = bench.run(&["export", &folder]).await;
        assert_eq!(ran.ending, Ending::Failed, "{mine}");
        assert!(
            ran.errors.contains("overwrite them with --overwrite") && ran.errors.contains("news.yaml"),
            "{}",
            ran.errors
        );
        assert_eq!(bench.text("catalog/exports/news.yaml"), mine);
        assert!(!bench.folder().join("catalog/segments").exists(), "nothing was written");
    }
    let ran = bench.run(&["export", &folder, "--overwrite"]).await;
    assert!(ran.output.contains("changed   exports/news.yaml"), "{}", ran.output);
    assert!(bench.text("catalog/exports/news.yaml").contains("id: news"));
}

#[tokio::test]
async fn a_file_that_is_named_after_another_definition_is_never_overwritten() {
    let bench = full().await;
    let folder = catalog(&bench);
    let other = EXPORT.replace("id: news", "id: other");
    bench.file("catalog/exports/news.yaml", &other);
    for arguments in [&["export", &folder][..], &["export", &folder, "--overwrite"]] {
        let ran = bench.run(arguments).await;
        assert_eq!(ran.ending, Ending::Failed);
        assert!(ran.errors.contains("the file contains export \"other\"; rename the file"), "{}", ran.errors);
        assert_eq!(bench.text("catalog/exports/news.yaml"), other);
        assert!(!bench.folder().join("catalog/segments").exists(), "nothing was written");
    }
}
