//! Lists and folders.

use crate::client::{Fixture, Reply, Sent, escaped};
use sandbox::marketo::{FolderKind, FolderTypes, NewFolder, NewList, Options};
use serde_json::{Value, json};

const GROUP_LISTS: &str = r#"{"id":12,"type":"Folder"}"#;

async fn create(fixture: &Fixture, name: &str, folder: &str) -> Reply {
    let form = format!("name={}&folder={}", escaped(name), escaped(folder));
    fixture.call("POST", "/rest/asset/v1/staticLists.json", Sent::form(&form)).await
}

#[tokio::test]
async fn lists_of_the_lead_database() {
    let fixture = Fixture::new().await;
    fixture.sandbox.create_list(NewList::new("Other")).unwrap();
    let all = fixture.get("/rest/v1/lists.json").await.rows();
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0]["name"], &all[0]["workspaceName"]), (&json!("People"), &json!("Default")));
    for (query, expected) in [
        ("name=Other", 1),
        ("name=Other,People", 2),
        ("id=1001&id=7", 1),
        ("programName=None", 0),
        ("workspaceName=Default&batchSize=1", 1),
    ] {
        let found = fixture.get(&format!("/rest/v1/lists.json?{query}")).await.rows();
        assert_eq!(found.len(), expected, "{query}");
    }
    assert_eq!(fixture.get("/rest/v1/lists/{list}.json").await.rows(), all[..1]);
    assert_eq!(fixture.get("/rest/v1/lists/7.json").await.code(), 1013);
    assert_eq!(fixture.get("/rest/v1/lists/ST1001A1.json").await.code(), 1013);
}

#[tokio::test]
async fn a_list_is_made_found_renamed_and_deleted() {
    let fixture = Fixture::new().await;
    let by_name = |name: &str| format!("/rest/asset/v1/staticList/byName.json?name={}", escaped(name));
    let none = fixture.get(&by_name("High Value")).await.json();
    assert_eq!(none["success"], json!(true));
    assert_eq!(none["warnings"], json!(["No assets found for the given search criteria."]));
    assert!(none.get("result").is_none());
    let made = create(&fixture, "High Value", GROUP_LISTS).await.rows();
    assert_eq!(
        (&made[0]["folder"], &made[0]["workspace"]),
        (&json!({"id":12,"type":"Folder"}), &json!("Default"))
    );
    assert!(made[0]["createdAt"].as_str().unwrap().ends_with("Z+0000"));
    assert_eq!(fixture.get(&by_name("High Value")).await.rows(), made);
    assert_eq!(fixture.get(&by_name("high value")).await.rows(), Vec::<Value>::new());
    assert_eq!(create(&fixture, "High Value", GROUP_LISTS).await.code(), 709);
    let path = format!("/rest/asset/v1/staticList/{}", made[0]["id"]);
    let renamed =
        fixture.call("POST", &format!("{path}.json"), Sent::form("name=Higher&description=d")).await;
    assert_eq!(
        (&renamed.rows()[0]["name"], &renamed.rows()[0]["description"]),
        (&json!("Higher"), &json!("d"))
    );
    let taken = fixture.call("POST", &format!("{path}.json"), Sent::form("name=People")).await;
    assert_eq!(taken.code(), 709);
    let list = sandbox::marketo::ListId::from(1002);
    fixture.sandbox.begin_list_use(list).unwrap();
    assert_eq!(fixture.call("POST", &format!("{path}/delete.json"), Sent::default()).await.code(), 1022);
    fixture.sandbox.end_list_use(list).unwrap();
    let deleted = fixture.call("POST", &format!("{path}/delete.json"), Sent::default()).await;
    assert_eq!(deleted.rows(), [json!({ "id": 1002 })]);
    assert_eq!(fixture.call("POST", &format!("{path}/delete.json"), Sent::default()).await.code(), 702);
    let gone = fixture.get(&format!("{path}.json")).await.json();
    assert!(gone["success"] == json!(true) && gone.get("result").is_none());
    let report = fixture.sandbox.report();
    assert_eq!((report.lists_created, report.lists_deleted), (1, 1));
}

#[tokio::test]
async fn a_list_needs_a_folder_as_json() {
    let fixture = Fixture::new().await;
    for (folder, expected) in [
        ("", 701),
        ("12", 701),
        (r#"{"id":12}"#, 701),
        (r#"{"id":99,"type":"Folder"}"#, 710),
        (r#"{"id":12,"type":"Program"}"#, 710),
    ] {
        assert_eq!(create(&fixture, "New", folder).await.code(), expected, "{folder}");
    }
    let body = json!({ "name": "New", "folder": { "id": 12, "type": "Folder" } });
    assert_eq!(fixture.post("/rest/asset/v1/staticLists.json", body).await.code(), 612);
    let program = NewFolder {
        name: "Campaign".to_owned(),
        kind: FolderKind::Program,
        parent: None,
        workspace: Some("Europe".to_owned()),
        is_system: false,
    };
    let program = fixture.sandbox.create_folder(program).unwrap();
    create(&fixture, "In a program", &format!(r#"{{"id":{program},"type":"Program"}}"#)).await.rows();
    let found = fixture.get("/rest/v1/lists.json?programName=Campaign").await.rows();
    assert_eq!((found.len(), &found[0]["workspaceName"]), (1, &json!("Europe")));
}

#[tokio::test]
async fn browsing() {
    let fixture = Fixture::new().await;
    for number in 0..25 {
        fixture.sandbox.create_list(NewList::new(&format!("L{number}"))).unwrap();
    }
    for (query, expected) in [
        ("", 20),
        ("?maxReturn=200", 26),
        ("?offset=20", 6),
        ("?folder=%7B%22id%22:1,%22type%22:%22Folder%22%7D", 0),
    ] {
        let found = fixture.get(&format!("/rest/asset/v1/staticLists.json{query}")).await.rows();
        assert_eq!(found.len(), expected, "{query}");
    }
    assert_eq!(fixture.get("/rest/asset/v1/staticLists.json?maxReturn=201").await.code(), 701);
}

#[tokio::test]
async fn folders() {
    let fixture = Fixture::with(Options { folder_types: FolderTypes::UpperCase, ..Options::default() }).await;
    let found = fixture.get("/rest/asset/v1/folder/byName.json?name=Group%20Lists").await.rows();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["path"], "/Lead Database/Default/Group Lists");
    assert_eq!(found[0]["folderId"], json!({ "id": 12, "type": "FOLDER" }));
    assert_eq!((&found[0]["isSystem"], &found[0]["folderType"]), (&json!(true), &json!("List")));
    let form = format!("name=Ours&parent={}", escaped(GROUP_LISTS));
    let made = fixture.call("POST", "/rest/asset/v1/folders.json", Sent::form(&form)).await.rows();
    assert_eq!(made[0]["path"], "/Lead Database/Default/Group Lists/Ours");
    assert_eq!(fixture.call("POST", "/rest/asset/v1/folders.json", Sent::form(&form)).await.code(), 709);
    let lost = Sent::form("name=Ours&parent=%7B%22id%22:99,%22type%22:%22Folder%22%7D");
    assert_eq!(fixture.call("POST", "/rest/asset/v1/folders.json", lost).await.code(), 710);
    let path = format!("/rest/asset/v1/folder/{}.json?type=Folder", made[0]["id"]);
    assert_eq!(fixture.get(&path).await.rows(), made);
    let below = format!("/rest/asset/v1/folders.json?root={}", escaped(GROUP_LISTS));
    assert_eq!(fixture.get(&below).await.rows().len(), 2);
    let elsewhere = "/rest/asset/v1/folder/byName.json?name=Ours&workSpace=Europe";
    assert_eq!(fixture.get(elsewhere).await.rows(), Vec::<Value>::new());
}
