//! The sandbox's answers and the Swagger files; and that it notes requests which are not as these say.

use crate::client::{Fixture, Reply, Sent, ask_token};
use sandbox::marketo::{FolderTypes, Options, SeedLead, specification};
use serde_json::json;

/// The endpoints' answers, successes and refusals, each with the path that the files know.
struct Answers<'a> {
    fixture: &'a Fixture,
}

impl Answers<'_> {
    async fn check(&self, method: &str, path: &str, sent: Sent) -> Reply {
        let reply = self.fixture.call(method, path, sent).await;
        let path = path.split('?').next().unwrap().replace("{list}", &self.fixture.list.to_string());
        let violations = specification::check_answer(method, &path, &reply.json());
        assert_eq!(violations, Vec::<String>::new(), "{method} {path} {reply:?}");
        reply
    }
}

#[tokio::test]
async fn answers_are_as_the_files_say() {
    let options = Options { folder_types: FolderTypes::UpperCase, ..Options::default() };
    let fixture = Fixture::with(options).await;
    fixture.sandbox.seed_leads(vec![SeedLead::new("a@example.com"), SeedLead::new("a@example.com")]).unwrap();
    let identity = ask_token(&fixture.sandbox, &fixture.credentials).await.json();
    assert_eq!(specification::check_answer("GET", "/identity/oauth/token", &identity), Vec::<String>::new());
    let answers = Answers { fixture: &fixture };
    let folder = "%7B%22id%22%3A12%2C%22type%22%3A%22Folder%22%7D";
    for path in [
        "/rest/v1/leads/describe.json",
        "/rest/v1/leads/describe2.json",
        "/rest/v1/leads/partitions.json",
        "/rest/v1/leads.json?filterType=email&filterValues=a%40example.com&batchSize=1",
        "/rest/v1/leads.json?filterType=none&filterValues=a",
        "/rest/v1/leads/1/listMembership.json",
        "/rest/v1/lists.json",
        "/rest/v1/lists/{list}.json",
        "/rest/v1/lists/7.json",
        "/rest/v1/lists/{list}/leads/ismember.json?id=1&id=2&id=7",
        "/rest/v1/lists/{list}/leads.json",
        "/rest/v1/stats/usage.json",
        "/rest/v1/stats/errors.json",
        "/rest/asset/v1/staticLists.json",
        "/rest/asset/v1/staticList/byName.json?name=People",
        "/rest/asset/v1/staticList/byName.json?name=None",
        "/rest/asset/v1/staticList/{list}.json",
        "/rest/asset/v1/folders.json",
        "/rest/asset/v1/folder/byName.json?name=Group%20Lists",
        "/rest/asset/v1/folder/12.json?type=Folder",
        "/bulk/v1/leads/batch/7.json",
    ] {
        answers.check("GET", path, Sent::default()).await;
    }
    let leads = json!({ "input": [{ "email": "a@example.com" }, { "email": "b@example.com" }] });
    answers.check("POST", "/rest/v1/leads.json", Sent::json(&leads)).await;
    let ids = Sent::json(&json!({ "input": [{ "id": 1 }, { "id": 7 }] }));
    answers.check("POST", "/rest/v1/lists/{list}/leads.json", ids.clone()).await;
    answers.check("DELETE", "/rest/v1/lists/{list}/leads.json", ids.clone()).await;
    answers.check("POST", "/rest/v1/leads/delete.json", ids).await;
    let list = Sent::form(&format!("name=New&folder={folder}"));
    answers.check("POST", "/rest/asset/v1/staticLists.json", list.clone()).await;
    assert_eq!(answers.check("POST", "/rest/asset/v1/staticLists.json", list).await.code(), 709);
    answers.check("POST", "/rest/asset/v1/staticList/1002.json", Sent::form("name=Newer")).await;
    answers.check("POST", "/rest/asset/v1/staticList/1002/delete.json", Sent::default()).await;
    let new = Sent::form(&format!("name=Ours&parent={folder}"));
    answers.check("POST", "/rest/asset/v1/folders.json", new).await;
    let file = Sent::file("email\na@example.com\n");
    answers.check("POST", "/bulk/v1/leads.json?format=csv&listId={list}", file).await;
    answers.check("GET", "/bulk/v1/leads/batch/1.json", Sent::default()).await;
    let body = json!({ "fields": ["email"], "filter": { "staticListId": fixture.list } });
    let made = answers.check("POST", "/bulk/v1/leads/export/create.json", Sent::json(&body)).await.rows();
    let export = format!("/bulk/v1/leads/export/{}", made[0]["exportId"].as_str().unwrap());
    answers.check("POST", &format!("{export}/enqueue.json"), Sent::default()).await;
    answers.check("GET", &format!("{export}/status.json"), Sent::default()).await;
    answers.check("POST", &format!("{export}/cancel.json"), Sent::default()).await;
    assert_eq!(fixture.sandbox.report().specification_violations, Vec::<String>::new());
}

#[tokio::test]
async fn requests_that_are_not_as_the_files_say_are_noted() {
    let fixture = Fixture::new().await;
    for _ in 0..2 {
        fixture.post("/rest/v1/leads.json", json!({ "records": [] })).await;
    }
    fixture.get("/rest/v1/lists.json?access_token=secret").await;
    fixture.get("/rest/v1/none.json").await;
    let report = fixture.sandbox.report();
    assert_eq!(
        report.specification_violations,
        [
            "POST /rest/v1/leads.json: body has no input",
            "POST /rest/v1/leads.json: body has an undeclared records",
            "GET /rest/v1/lists.json: undeclared parameter access_token",
            "GET of a path that is not in the specification",
        ]
    );
    assert_eq!(report.specification_violation_count, 6);
}
