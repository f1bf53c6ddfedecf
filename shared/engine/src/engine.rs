//! The query engine: DataFusion, limited to the declared sources and to budgets of memory, disk and time.

use crate::errors::QueryError;
use crate::explain::{Budgets, planning};
use crate::memory::SharedPool;
use crate::objects::SourceObjects;
use crate::source::{SourceFormat, SourceSpec};
use crate::{csv_table, json_table};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;
use relay_model::privacy::Exclusions;
use relay_model::query::TextError;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Number of Parquet footers that are read concurrently.
const FOOTERS_AT_ONCE: usize = 8;
/// Size of the cache of footers, in bytes. Each footer is read when the table is created and again by the scan.
const FOOTER_CACHE_BYTES: usize = 16 * 1024 * 1024;

/// The budgets of a query.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// Memory for the engine's operators. The process needs about 100 MiB more for batches in flight and for the writer.
    pub memory_limit_bytes: usize,
    /// Directory for spilled rows. Must exist.
    pub spill_directory: PathBuf,
    /// Largest total size of spilled rows.
    pub spill_limit_bytes: u64,
    /// Number of partitions that are processed in parallel, one for each core.
    pub target_partitions: usize,
    /// Rows in a batch.
    pub batch_rows: usize,
    /// Time limit of one query.
    pub time_limit: Duration,
    /// Members that are left out of every result.
    pub excluded: Exclusions,
}

impl EngineSettings {
    /// Returns settings that were measured with a million rows on two cores.
    #[must_use]
    pub fn new(spill_directory: impl Into<PathBuf>) -> Self {
        Self {
            memory_limit_bytes: 160 * 1024 * 1024,
            spill_directory: spill_directory.into(),
            spill_limit_bytes: 8 * 1024 * 1024 * 1024,
            target_partitions: std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            batch_rows: 8192,
            time_limit: Duration::from_mins(13),
            excluded: Exclusions::default(),
        }
    }
}

/// The strategy of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Uses every core, large batches, and joins that hold one side in memory.
    Fast,
    /// Uses two partitions, small batches, and joins that can spill both sides to disk.
    Frugal,
}

/// Rows in a batch in [`Mode::Frugal`].
const FRUGAL_BATCH_ROWS: usize = 512;

/// Evaluates queries over declared sources.
#[derive(Debug)]
pub struct Engine {
    settings: EngineSettings,
    sources: BTreeMap<String, Arc<SourceSpec>>,
    stores: BTreeMap<String, Arc<dyn ObjectStore>>,
}

/// A session whose tables are the sources of one query.
pub(crate) struct Session {
    pub(crate) context: SessionContext,
    pub(crate) objects: Vec<Arc<SourceObjects>>,
}

impl Engine {
    /// Returns an engine over these sources. `stores` holds one store for each bucket.
    pub fn new(
        settings: EngineSettings,
        sources: impl IntoIterator<Item = SourceSpec>,
        stores: impl IntoIterator<Item = (String, Arc<dyn ObjectStore>)>,
    ) -> Result<Self, QueryError> {
        let mut by_name = BTreeMap::new();
        for source in sources {
            source.validate()?;
            by_name.insert(source.name.clone(), Arc::new(source));
        }
        Ok(Self { settings, sources: by_name, stores: stores.into_iter().collect() })
    }

    /// Returns the budgets of a query.
    #[must_use]
    pub const fn settings(&self) -> &EngineSettings {
        &self.settings
    }

    /// Returns the names of the declared sources, sorted.
    #[must_use]
    pub fn source_names(&self) -> Vec<String> {
        self.sources.keys().cloned().collect()
    }

    pub(crate) const fn budgets(&self) -> Budgets {
        Budgets {
            memory_bytes: self.settings.memory_limit_bytes,
            spill_bytes: self.settings.spill_limit_bytes,
        }
    }

    /// Opens a session with these sources, which must be declared.
    pub(crate) async fn session(&self, names: &[String], mode: Mode) -> Result<Session, QueryError> {
        let context = self.context(mode).map_err(|error| planning(&error))?;
        let mut objects = Vec::with_capacity(names.len());
        for name in names {
            let Some(spec) = self.sources.get(name) else {
                let unknown = TextError::UnknownSource { name: name.clone(), sources: self.source_names() };
                return Err(unknown.into());
            };
            let Some(store) = self.stores.get(&spec.bucket) else {
                return Err(QueryError::UnreachableBucket {
                    source_name: name.clone(),
                    bucket: spec.bucket.clone(),
                });
            };
            let source = Arc::new(SourceObjects::list(Arc::clone(spec), Arc::clone(store)).await?);
            let table: Arc<dyn TableProvider> = match spec.format {
                SourceFormat::Parquet => parquet_table(&context, &source).await?,
                SourceFormat::Csv => Arc::new(csv_table::table(Arc::clone(&source)).await?),
                SourceFormat::NdJson => Arc::new(json_table::table(Arc::clone(&source)).await?),
            };
            context.register_table(name.as_str(), table).map_err(|error| planning(&error))?;
            objects.push(source);
        }
        Ok(Session { context, objects })
    }

    fn context(&self, mode: Mode) -> datafusion::common::Result<SessionContext> {
        let settings = &self.settings;
        let memory_bytes = settings.memory_limit_bytes;
        let (partitions, batch_rows, spillers, kept_bytes) = match mode {
            Mode::Fast => (
                settings.target_partitions,
                settings.batch_rows,
                settings.target_partitions,
                memory_bytes / 4,
            ),
            // One partition always means hash joins. With two, both sides and the result are sorted.
            Mode::Frugal => (2, settings.batch_rows.min(FRUGAL_BATCH_ROWS), 6, memory_bytes / 2),
        };
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![settings.spill_directory.clone()]))
            .with_max_temp_directory_size(settings.spill_limit_bytes);
        let stores = DefaultObjectStoreRegistry::new();
        // The default registry contains the local file system.
        if let Ok(files) = Url::parse("file:///") {
            drop(stores.deregister_store(&files));
        }
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(SharedPool::new(memory_bytes, kept_bytes, spillers)))
            .with_disk_manager_builder(disk)
            .with_object_store_registry(Arc::new(stores))
            .with_metadata_cache_limit(FOOTER_CACHE_BYTES)
            .with_object_list_cache_limit(0)
            .build_arc()?;

        let mut config = SessionConfig::new()
            .with_target_partitions(partitions)
            .with_batch_size(batch_rows)
            .with_information_schema(false);
        let options = config.options_mut();
        // Names keep their case: a column CustomerId is written CustomerId, with or without quotes.
        options.sql_parser.enable_ident_normalization = false;
        options.execution.collect_statistics = true;
        options.execution.listing_table_ignore_subdirectory = false;
        options.execution.parquet.pushdown_filters = true;
        options.execution.parquet.reorder_filters = true;
        // A view keeps its whole page in memory, so the pool would count only a fraction of the memory in use.
        options.execution.parquet.schema_force_view_types = false;
        // The last merge of a sort needs this much memory when all else is spilled.
        options.execution.sort_spill_reservation_bytes = (memory_bytes / 24).min(8 * 1024 * 1024);
        options.optimizer.prefer_hash_join = mode == Mode::Fast;

        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(runtime)
            .with_default_features()
            .with_table_factories(HashMap::new())
            .with_file_formats(Vec::new())
            .with_table_function_list(Vec::new())
            .build();
        Ok(SessionContext::new_with_state(state))
    }
}

/// Creates a table over the listed objects. Reads every footer, so that an error names the damaged object.
async fn parquet_table(
    context: &SessionContext,
    source: &Arc<SourceObjects>,
) -> Result<Arc<dyn TableProvider>, QueryError> {
    let state = context.state();
    let format = Arc::new(ParquetFormat::default().with_options(state.table_options().parquet.clone()));
    let store: Arc<dyn ObjectStore> = Arc::<SourceObjects>::clone(source);
    let name = &source.spec().name;
    let url = Url::parse(&format!("source://{name}/{name}/"))
        .map_err(|_| QueryError::Internal { kind: "address".to_owned() })?;
    context.register_object_store(&url, Arc::clone(&store));

    let mut footers = stream::iter(source.objects().cloned().zip(source.seen()).collect::<Vec<_>>())
        .map(|(object, seen)| {
            let (state, format, store) = (&state, &format, &store);
            async move {
                let schema: Result<SchemaRef, _> =
                    format.infer_schema(state, store, std::slice::from_ref(&seen)).await;
                schema.map(|schema| (object.location.clone(), schema)).map_err(|error| {
                    crate::explain::known(&error).unwrap_or_else(|| {
                        source.bad(&object.location, "is not a Parquet file, or is damaged or cut short")
                    })
                })
            }
        })
        .buffered(FOOTERS_AT_ONCE);
    let mut merged = Schema::empty();
    while let Some((location, schema)) = footers.try_next().await? {
        merged = Schema::try_merge([merged, schema.as_ref().clone()]).map_err(|_| {
            source.bad(&location, "has a column of another type than in the objects before it; a source's columns have one type each")
        })?;
    }
    drop(footers);

    let options = ListingOptions::new(format).with_file_extension("");
    let table_url = ListingTableUrl::parse(url.as_str()).map_err(|error| planning(&error))?;
    let config =
        ListingTableConfig::new(table_url).with_listing_options(options).with_schema(Arc::new(merged));
    Ok(Arc::new(ListingTable::try_new(config).map_err(|error| planning(&error))?))
}
