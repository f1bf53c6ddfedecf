//! Snapshots of every request.

use super::*;
use crate::HttpRequest;
use crate::http::Pass;
use crate::marketo::auth::identity;
use crate::marketo::auth::secret::Secret;
use crate::marketo::client::Call;
use crate::marketo::lists::{self, FolderId};
use crate::marketo::{lookup, membership, push};
use http::HeaderValue;
use std::fmt::Write;

fn marketo() -> Marketo<FixedStore> {
    let settings = object(json!({"endpoint": "https://123-ABC-456.mktorest.com/rest"}));
    Marketo::new(HttpClient::new().unwrap(), &settings, FixedStore).ok().unwrap()
}

fn shown(request: &HttpRequest) -> String {
    let mut text = format!("{} {}\n", request.method, request.url);
    for (name, value) in &request.headers {
        writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
    }
    text + "\n" + std::str::from_utf8(&request.body).unwrap()
}

fn call(call: &Call) -> String {
    let pass = Pass::authorization(HeaderValue::from_static("Bearer token"), 1);
    shown(&call.request(&marketo().client, &pass))
}

fn everything() -> Frame {
    let keys = ["firstName", "phone", "score", "spent", "isVip", "born"];
    let jane = Row {
        values: vec![
            (0, FieldValue::Text("Jane \"JD\",\nŁódź".to_owned())),
            (1, FieldValue::Clear),
            (2, FieldValue::Integer(0)),
            (3, FieldValue::Decimal(12.5)),
            (4, FieldValue::Boolean(false)),
            (5, FieldValue::Text("1999-02-28".to_owned())),
        ],
        ..row("jane@example.com")
    };
    let john = Row { values: vec![], ..row("john@example.com") };
    Frame { field_keys: keys.map(str::to_owned).to_vec(), rows: vec![jane, john] }
}

#[test]
fn a_token() {
    let secret = Secret::parse(SECRET).ok().unwrap();
    insta::assert_snapshot!("token", shown(&identity::request(&marketo().settings.endpoint, &secret)));
}

#[test]
fn writing_people() {
    let (marketo, frame) = (marketo(), everything());
    let rows: Vec<&Row> = frame.rows.iter().collect();
    let create = MarketoTarget { partition: Some("EMEA".to_owned()), ..target() };
    let request = call(&push::call(&marketo.client, &create, &rows, &frame.field_keys).unwrap());
    insta::assert_snapshot!("sync_create", request);
    let update = MarketoTarget {
        person_creation: PersonCreation::MatchOnly,
        lookup_field: "id".to_owned(),
        key_form: KeyForm::Number,
        ..target()
    };
    let row = Row { values: frame.rows[0].values.clone(), ..row("42") };
    let request = call(&push::call(&marketo.client, &update, &[&row], &frame.field_keys).unwrap());
    insta::assert_snapshot!("sync_update", request);
}

#[test]
fn looking_people_up() {
    let emails = ["jane+news@example.com", "john@example.com"];
    let request = call(&lookup::call(&marketo().client, "email", &emails, None));
    insta::assert_snapshot!("look_up", request);
    let request = call(&lookup::call(&marketo().client, "email", &emails, Some("PAGE=")));
    insta::assert_snapshot!("look_up_next_page", request);
}

#[test]
fn who_is_on_a_list() {
    let (marketo, list) = (marketo(), ListId("1027".to_owned()));
    insta::assert_snapshot!(
        "list_add",
        call(&membership::add_call(&marketo.client, &list, &[7, 8]).unwrap())
    );
    insta::assert_snapshot!("list_remove", call(&membership::remove_call(&marketo.client, &list, &[7, 8])));
}

#[test]
fn lists_as_assets() {
    let (marketo, list) = (marketo(), ListId("1159".to_owned()));
    let folder = FolderId { id: 12, kind: "FOLDER".to_owned() };
    let request = call(&lists::create_call(&marketo.client, "R&D, 100 %", &folder));
    insta::assert_snapshot!("list_create", request);
    insta::assert_snapshot!("list_rename", call(&lists::rename_call(&marketo.client, &list, "R&D + more")));
    insta::assert_snapshot!("list_delete", call(&lists::delete_call(&marketo.client, &list)));
}
