//! The definitions of one export, for any destination.

use super::FinishedRun;
use jiff::Timestamp;
use local::console::Progress;
use local::demo::{Person, write_profiles};
use local::world::World;
use relay_model::catalog::{Connection, Document, Export, Segment, Source};
use relay_model::{ExportId, RunId};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

/// The maximum duration of a run in these tests.
const RUN_LIMIT: Duration = Duration::from_mins(1);

/// Definitions as JSON, which a test can change before it saves them.
pub(crate) struct Definitions<'a> {
    pub(crate) world: &'a World,
    /// The id of the export, the segment and the source, and the prefix of the objects.
    pub(crate) name: String,
    pub(crate) source: Value,
    pub(crate) segment: Value,
    pub(crate) connection: Value,
    pub(crate) export: Value,
}

impl<'a> Definitions<'a> {
    /// An export of all people with the newsletter flag.
    pub(crate) fn new(world: &'a World, name: &str, connection: Value, export: Value) -> Self {
        let query = format!("SELECT customer_id, email, name, city, points FROM {name} WHERE newsletter");
        let segment = json!({ "id": name, "name": name, "query": query, "member_key": "customer_id" });
        let source = json!({ "id": name, "location": format!("s3://lake/{name}/"), "format": "parquet" });
        Self { world, name: name.to_owned(), source, segment, connection, export }
    }

    /// The export's id.
    pub(crate) fn id(&self) -> ExportId {
        self.name.clone().try_into().unwrap()
    }

    /// Saves the definitions now.
    pub(crate) async fn save(&self) {
        self.save_at(Timestamp::now()).await;
    }

    /// Saves the definitions with another time.
    pub(crate) async fn save_at(&self, at: Timestamp) {
        self.put::<Source>(&self.source, at).await;
        self.put::<Segment>(&self.segment, at).await;
        self.put::<Connection>(&self.connection, at).await;
        self.put::<Export>(&self.export, at).await;
    }

    async fn put<T: Document + Serialize>(&self, document: &Value, at: Timestamp) {
        let document = T::parse(&document.to_string()).unwrap();
        self.world.catalog().put(&document, at).await.unwrap();
    }

    /// Gives the export its own connection with its own secret and this number of lanes.
    pub(crate) async fn own_secret(&mut self, secret: &Value, lanes: u16) {
        let name = format!("{}/connections/{}", self.world.cloud.stack_name(), self.name);
        let request = self.world.clients.secrets_manager().create_secret().name(&name);
        request.secret_string(secret.to_string()).send().await.unwrap();
        self.connection["id"] = json!(self.name);
        self.connection["secret"] = json!(name);
        self.connection["settings"] = json!({ "lanes": lanes });
        self.export["connection"] = json!(self.name);
    }

    /// Changes the secret of the export's own connection.
    pub(crate) async fn change_secret(&self, secret: &Value) {
        let name = self.connection["secret"].as_str().unwrap();
        let request = self.world.clients.secrets_manager().put_secret_value().secret_id(name);
        request.secret_string(secret.to_string()).send().await.unwrap();
    }

    /// The stored secret of the export's own connection.
    pub(crate) async fn stored_secret(&self) -> Value {
        let name = self.connection["secret"].as_str().unwrap();
        let request = self.world.clients.secrets_manager().get_secret_value().secret_id(name);
        serde_json::from_str(request.send().await.unwrap().secret_string().unwrap()).unwrap()
    }

    /// Replaces the people in the lake.
    pub(crate) async fn upload(&self, people: &[Person]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profiles.parquet");
        write_profiles(&path, people.iter().cloned()).unwrap();
        self.world.upload(&format!("{}/profiles.parquet", self.name), &path).await.unwrap();
    }

    /// Saves the definitions and writes people to the lake.
    pub(crate) async fn ready(&self, people: &[Person]) {
        self.save().await;
        self.upload(people).await;
    }

    /// Starts a run and waits until it has finished.
    pub(crate) async fn run(&self) -> FinishedRun {
        let run_id = self.start().await;
        self.wait_for(run_id).await
    }

    /// Starts a run.
    pub(crate) async fn start(&self) -> RunId {
        let started = self.world.start_run(&self.name).await;
        assert!(started.is_ok(), "{started:?}\n{}", self.warnings_and_errors().await);
        let started = started.unwrap();
        assert_eq!(started.request, "started");
        started.run_id
    }

    /// Waits until a run has finished, and checks the invariants of all runs.
    pub(crate) async fn wait_for(&self, run_id: RunId) -> FinishedRun {
        let run = self.world.follow(run_id, RUN_LIMIT, &Progress::quiet()).await;
        assert!(run.is_ok(), "{run:?}\n{}", self.warnings_and_errors().await);
        let run = run.unwrap();
        FinishedRun::of(self.world, run).await
    }

    /// The warnings and errors of the functions, for the message of a failed test.
    async fn warnings_and_errors(&self) -> String {
        let logs = self.world.cloud.function_logs().await.unwrap();
        let is_error = |line: &String| line.contains("ERROR") || line.contains("WARN Lambda");
        logs.into_iter().filter(is_error).collect::<Vec<_>>().join("\n")
    }
}
