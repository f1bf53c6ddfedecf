//! The stores and the query engine that runs and requests share.

use crate::errors::stage_error;
use object_store::ObjectStore;
use relay_cloud::ledger::Ledger;
use relay_cloud::{CatalogStore, Objects};
use relay_engine::{
    Engine, EngineSettings, OneObject, QueryError, S3Store, SegmentQuery, SourceFormat, SourceSpec,
};
use relay_model::catalog::{Selection, Source};
use relay_pipeline::{StageError, exclusions};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Name of an upload's table in [`TABLE_QUERY`].
const TABLE: &str = "members";
/// The query that selects the rows of an upload's table.
pub(crate) const TABLE_QUERY: &str = "SELECT * FROM members";

/// The stores that an evaluation reads and writes.
pub(crate) struct Context {
    pub(crate) catalog: CatalogStore,
    pub(crate) ledger: Ledger,
    pub(crate) objects: Objects,
    pub(crate) data_bucket: String,
    pub(crate) s3: aws_sdk_s3::Client,
}

impl Context {
    /// Returns the sources of the catalog by id.
    pub(crate) async fn sources(&self) -> Result<BTreeMap<String, Source>, StageError> {
        // An unreadable source only affects the segments that use it.
        let readable = self.catalog.list::<Source>().await?.into_iter().flatten();
        Ok(readable.map(|saved| (saved.document.id.to_string(), saved.document)).collect())
    }

    /// Returns an engine over the sources of the catalog. Its results leave out excluded members.
    pub(crate) async fn engine(
        &self,
        settings: EngineSettings,
        sources: &BTreeMap<String, Source>,
    ) -> Result<Engine, StageError> {
        let settings = self.without_excluded(settings).await?;
        let mut specs = Vec::new();
        let mut stores: BTreeMap<String, Arc<dyn ObjectStore>> = BTreeMap::new();
        for Source { id, location, format, .. } in sources.values() {
            stores
                .entry(location.bucket.clone())
                .or_insert_with(|| Arc::new(S3Store::new(self.s3.clone(), location.bucket.clone())));
            specs.push(SourceSpec {
                name: id.as_str().to_owned(),
                bucket: location.bucket.clone(),
                prefix: location.prefix.clone(),
                format: source_format(*format),
            });
        }
        Engine::new(settings, specs, stores).map_err(|error| stage_error(&error))
    }

    /// Returns an engine whose only source is an upload's table. Its results leave out excluded members.
    pub(crate) async fn table_engine(
        &self,
        object_key: &str,
        settings: EngineSettings,
    ) -> Result<Engine, StageError> {
        let settings = self.without_excluded(settings).await?;
        let bucket = self.data_bucket.clone();
        let store = Arc::new(S3Store::new(self.s3.clone(), bucket.clone()));
        let store = OneObject::new(store, object_key)
            .map_err(|_| stage_error(&QueryError::Internal { kind: "table's key".to_owned() }))?;
        let (prefix, _) = object_key.rsplit_once('/').unwrap_or_default();
        let source = SourceSpec {
            name: TABLE.to_owned(),
            bucket: bucket.clone(),
            prefix: prefix.to_owned(),
            format: SourceFormat::Parquet,
        };
        let store: Arc<dyn ObjectStore> = Arc::new(store);
        Engine::new(settings, [source], [(bucket, store)]).map_err(|error| stage_error(&error))
    }

    /// Adds the members that are excluded now to the settings.
    async fn without_excluded(&self, settings: EngineSettings) -> Result<EngineSettings, StageError> {
        Ok(EngineSettings { excluded: exclusions(&self.ledger, &self.objects).await?, ..settings })
    }
}

/// Returns the query that selects these attributes of a segment.
pub(crate) fn segment_query(selection: &Selection<'_>, attributes: Vec<String>) -> SegmentQuery {
    let (text, member_key) = (selection.query.to_string(), selection.member_key.to_owned());
    SegmentQuery { text, member_key, attributes }
}

const fn source_format(format: relay_model::catalog::SourceFormat) -> SourceFormat {
    match format {
        relay_model::catalog::SourceFormat::Parquet => SourceFormat::Parquet,
        relay_model::catalog::SourceFormat::Csv => SourceFormat::Csv,
        relay_model::catalog::SourceFormat::NdJson => SourceFormat::NdJson,
    }
}
