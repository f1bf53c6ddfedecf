//! The definitions of one export, and what is done with them whatever the destination is.

use super::Over;
use jiff::Timestamp;
use local::console::Progress;
use local::demo::{Person, write_profiles};
use local::world::World;
use relay_model::catalog::{Connection, Document, Export, Segment, Source};
use relay_model::{ExportId, RunId};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

/// The longest that any run of these tests may take.
const RUN_LIMIT: Duration = Duration::from_mins(1);

/// Definitions, as JSON that a test may change before it saves them.
pub(crate) struct Definitions<'a> {
    pub(crate) world: &'a World,
    /// The export's id, which is also the segment's, the source's and the prefix of its objects.
    pub(crate) name: String,
    pub(crate) source: Value,
    pub(crate) segment: Value,
    pub(crate) connection: Value,
    pub(crate) export: Value,
}

impl<'a> Definitions<'a> {
    /// An export of everybody who wants the newsletter.
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

    /// Saves the definitions as if it had been at another time.
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

    /// Gives the job a connection of its own with a secret of its own, and lanes as many as given.
    pub(crate) async fn own_secret(&mut self, secret: &Value, lanes: u16) {
        let name = format!("{}/connections/{}", self.world.cloud.stack_name(), self.name);
        let request = self.world.clients.secrets_manager().create_secret().name(&name);
        request.secret_string(secret.to_string()).send().await.unwrap();
        self.connection["id"] = json!(self.name);
        self.connection["secret"] = json!(name);
        self.connection["settings"] = json!({ "lanes": lanes });
        self.export["connection"] = json!(self.name);
    }

    /// Changes the secret of the job's own connection.
    pub(crate) async fn change_secret(&self, secret: &Value) {
        let name = self.connection["secret"].as_str().unwrap();
        let request = self.world.clients.secrets_manager().put_secret_value().secret_id(name);
        request.secret_string(secret.to_string()).send().await.unwrap();
    }

    /// The secret of the job's own connection, as it is stored.
    pub(crate) async fn stored_secret(&self) -> Value {
        let name = self.connection["secret"].as_str().unwrap();
        let request = self.world.clients.secrets_manager().get_secret_value().secret_id(name);
        serde_json::from_str(request.send().await.unwrap().secret_string().unwrap()).unwrap()
    }

    /// Puts people in the place of those who are in the lake.
    pub(crate) async fn upload(&self, people: &[Person]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profiles.parquet");
        write_profiles(&path, people.iter().cloned()).unwrap();
        self.world.upload(&format!("{}/profiles.parquet", self.name), &path).await.unwrap();
    }

    /// Saves the definitions and puts people into the lake.
    pub(crate) async fn ready(&self, people: &[Person]) {
        self.save().await;
        self.upload(people).await;
    }

    /// Starts a run and waits for its end.
    pub(crate) async fn run(&self) -> Over {
        let run_id = self.start().await;
        self.over(run_id).await
    }

    /// Starts a run.
    pub(crate) async fn start(&self) -> RunId {
        let started = self.world.start_run(&self.name).await;
        assert!(started.is_ok(), "{started:?}\n{}", self.troubles().await);
        let started = started.unwrap();
        assert_eq!(started.request, "started");
        started.run_id
    }

    /// Waits for the end of a run and checks what is true of every run.
    pub(crate) async fn over(&self, run_id: RunId) -> Over {
        let run = self.world.follow(run_id, RUN_LIMIT, &Progress::quiet()).await;
        assert!(run.is_ok(), "{run:?}\n{}", self.troubles().await);
        let run = run.unwrap();
        Over::of(self.world, run).await
    }

    /// What the functions complained of, for the message of a test that fails.
    async fn troubles(&self) -> String {
        let logs = self.world.cloud.function_logs().await.unwrap();
        let is_trouble = |line: &String| line.contains("ERROR") || line.contains("WARN Lambda");
        logs.into_iter().filter(is_trouble).collect::<Vec<_>>().join("\n")
    }
}
