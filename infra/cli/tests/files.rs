//! Folders of definitions, right and wrong.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may panic, and are not recognised as tests"
)]

use std::path::Path;

use relay_cli::files::{Definition, Values, parse_values, read_folder};
use relay_model::catalog::{Connection, Document, Export, Kind, Segment, Source};

/// What the example's files leave open.
fn values() -> Values {
    let names = [
        "campaign_monitor_secret",
        "dynamics365_sales_call_seconds=1.5",
        "dynamics365_sales_client_id",
        "dynamics365_sales_endpoint",
        "dynamics365_sales_secret",
        "dynamics365_sales_tenant",
        "dynamics365_sales_window_ms=1",
        "marketo_endpoint",
        "marketo_poll_ms=1",
        "marketo_secret",
        "marketo_window_ms=1",
        "newsletter_list",
        "omnisend_endpoint",
        "omnisend_poll_ms=1",
        "omnisend_secret",
        "omnisend_window_ms=1",
        "spenders_list",
    ];
    let pairs = names.map(|name| if name.contains('=') { name.to_owned() } else { format!("{name}={name}") });
    parse_values(&pairs).unwrap()
}

fn example() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../local/catalog")
}

fn of_kind<T: Document>(definitions: &[Definition]) -> Vec<T> {
    let wanted = definitions.iter().filter(|definition| definition.kind == T::KIND);
    wanted.map(|definition| T::parse(&definition.document.to_string()).unwrap()).collect()
}

/// Definitions in the fenced YAML blocks of a page: each begins with a comment that names its file.
fn definitions_of_page(text: &str) -> Vec<(String, String)> {
    let blocks = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let documents = blocks.flat_map(|block| block.split("---\n"));
    let named = |document: &str| {
        let (name, body) = document.strip_prefix("# ")?.split_once('\n')?;
        Some((name.to_owned(), body.to_owned()))
    };
    documents.map(|document| named(document).unwrap_or_else(|| panic!("no file name: {document}"))).collect()
}

/// Returns the definitions of a page, read as a folder of files.
fn read_page(page: &Path) -> Vec<Definition> {
    let folder = tempfile::tempdir().unwrap();
    let found = definitions_of_page(&std::fs::read_to_string(page).unwrap());
    for (name, body) in &found {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, body).unwrap();
    }
    if found.is_empty() {
        return Vec::new();
    }
    let definitions = read_folder(folder.path(), &Values::new())
        .unwrap_or_else(|error| panic!("{}: {error}", page.display()));
    assert_eq!(definitions.len(), found.len(), "{}", page.display());
    definitions
}

#[test]
fn definitions_in_the_documents_are_valid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = vec![root.join("README.md")];
    for folder in ["docs/guides", "docs/destinations"] {
        pages.extend(std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()));
    }
    let count: usize = pages.iter().map(|page| read_page(page).len()).sum();
    assert!(count > 20, "{count}");
    let segments: Vec<Segment> = of_kind(&read_page(&root.join("docs/guides/segments-by-rules.md")));
    let sources: Vec<String> = segments[0].sources().unwrap().into_iter().collect();
    assert_eq!(sources, ["customers", "orders"]);
    assert_eq!(segments[0].rules().unwrap().rules.len(), 3);
}

#[test]
fn the_example_is_right() {
    let definitions = read_folder(&example(), &values()).unwrap();
    let segments: Vec<Segment> = of_kind(&definitions);
    assert_eq!((of_kind::<Source>(&definitions).len(), segments.len()), (2, 3));
    let connections: Vec<Connection> = of_kind(&definitions);
    let ids: Vec<&str> = connections.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["campaign-monitor", "dynamics365-sales", "marketo", "omnisend"]);
    let secrets: Vec<&str> = connections.iter().map(|one| one.secret.as_str()).collect();
    assert_eq!((secrets[0], secrets[2]), ("campaign_monitor_secret", "marketo_secret"));
    assert_eq!(connections[2].settings["poll_ms"], 1);
    for export in of_kind::<Export>(&definitions) {
        for wanted in &export.segments {
            assert!(segments.iter().any(|segment| segment.id == wanted.segment), "{}", export.id);
        }
    }
}

#[test]
fn definitions_come_in_the_order_of_their_dependence() {
    let definitions = read_folder(&example(), &values()).unwrap();
    let kinds: Vec<Kind> = definitions.iter().map(|definition| definition.kind).collect();
    let counts = [(Kind::Source, 2), (Kind::Segment, 3), (Kind::Connection, 4), (Kind::Export, 4)];
    let expected: Vec<Kind> = counts.iter().flat_map(|(kind, count)| vec![*kind; *count]).collect();
    assert_eq!(kinds, expected);
}

/// Writes files into an empty folder and expects that it is refused with these words.
#[track_caller]
fn check(files: &[(&str, &str)], expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let message = read_folder(folder.path(), &Values::new()).unwrap_err().to_string();
    let message = message.replace(&format!("{}/", folder.path().display()), "");
    assert!(message.starts_with(expected), "{message}");
}

const SOURCE: &str = "id: a\nlocation: s3://lake/a/\nformat: csv\n";

#[test]
fn mistakes_name_the_file_and_the_field() {
    let wrong = |text: &'static str| [("sources/a.yaml", text)];
    check(&wrong("id: a\nformat: csv\n"), "sources/a.yaml: this source cannot be read: ");
    check(
        &wrong("id: A\nlocation: s3://lake/a\nformat: csv\n"),
        "sources/a.yaml: this source cannot be read: ",
    );
    check(&wrong("id: [\n"), "sources/a.yaml: ");
    check(&wrong("id: a\nid: b\n"), "sources/a.yaml: ");
    check(
        &[("sources/a.yaml", "id: a\nlocation: s3://lake/${place}/\nformat: csv\n")],
        "sources/a.yaml: location: no value for ${place}; give it with --value place=…",
    );
    check(
        &[("exports/a.yaml", "id: a\nname: A\nmatch_key: email\nconnection: c\nsegments: []\n")],
        "exports/a.yaml: export \"a\": segments: must have at least one segment",
    );
}

#[test]
fn misplaced_files_are_refused() {
    check(
        &[("sources/a.yaml", SOURCE), ("sources/b.yml", SOURCE)],
        "sources/b.yml: id: source \"a\" is already defined in sources/a.yaml",
    );
    check(
        &[("source/a.yaml", SOURCE)],
        "source: unknown folder; a catalog has settings/, sources/, segments/",
    );
    check(
        &[("sources/old/a.yaml", SOURCE)],
        "sources/old: unknown folder; the folder of a kind cannot have subfolders",
    );
    check(&[("a.yaml", SOURCE)], "a.yaml: a definition must be in the folder of its kind");
}

#[test]
fn an_empty_folder_is_no_catalog() {
    let folder = tempfile::tempdir().unwrap();
    let message = read_folder(folder.path(), &Values::new()).unwrap_err().to_string();
    assert!(
        message
            .ends_with(" contains none of settings/, sources/, segments/, connections/, policies/, exports/"),
        "{message}"
    );
}

#[test]
fn a_mistake_shows_the_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sources")).unwrap();
    let text = format!("{SOURCE}formatt: csv\n");
    std::fs::write(folder.path().join("sources/a.yaml"), text).unwrap();
    let message = read_folder(folder.path(), &Values::new()).unwrap_err().to_string();
    assert!(message.contains("formatt") && message.contains("location"), "{message}");
    assert!(message.contains("line 4"), "{message}");
}

#[test]
fn hidden_and_other_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("sources/.git")).unwrap();
    std::fs::create_dir_all(folder.path().join(".schemas")).unwrap();
    std::fs::write(folder.path().join("sources/a.YAML"), SOURCE).unwrap();
    std::fs::write(folder.path().join("sources/README.md"), "").unwrap();
    std::fs::write(folder.path().join("README.md"), "").unwrap();
    assert_eq!(read_folder(folder.path(), &Values::new()).unwrap().len(), 1);
}
