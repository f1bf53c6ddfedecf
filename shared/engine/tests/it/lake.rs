//! A lake in memory, and a reader for snapshots.

use bytes::Bytes;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use relay_engine::{
    Engine, EngineSettings, QueryError, SegmentQuery, SnapshotFigures, SourceFormat, SourceSpec,
};
use std::sync::Arc;
use tempfile::TempDir;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

pub(crate) struct Lake {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) sources: Vec<SourceSpec>,
    pub(crate) settings: EngineSettings,
    folder: TempDir,
    _spill: TempDir,
}

impl Lake {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(InMemory::new()))
    }

    pub(crate) fn over(store: Arc<dyn ObjectStore>) -> Self {
        let folder = TempDir::new().unwrap();
        let spill = TempDir::new().unwrap();
        let mut settings = EngineSettings::new(spill.path());
        settings.target_partitions = 2;
        Self { store, sources: Vec::new(), settings, folder, _spill: spill }
    }

    pub(crate) fn source(mut self, name: &str, format: SourceFormat) -> Self {
        self.sources.push(SourceSpec {
            name: name.into(),
            bucket: "lake".into(),
            prefix: format!("{name}/"),
            format,
        });
        self
    }

    pub(crate) async fn object(self, key: &str, bytes: impl Into<Bytes>) -> Self {
        self.store.put(&Path::from(key), bytes.into().into()).await.unwrap();
        self
    }

    pub(crate) async fn csv(self, name: &str, text: &str) -> Self {
        let key = format!("{name}/part-1.csv");
        self.source(name, SourceFormat::Csv).object(&key, text.to_owned()).await
    }

    pub(crate) async fn json(self, name: &str, text: &str) -> Self {
        let key = format!("{name}/part-1.ndjson");
        self.source(name, SourceFormat::NdJson).object(&key, text.to_owned()).await
    }

    pub(crate) async fn parquet(self, name: &str, columns: Vec<(&str, ArrayRef)>) -> Self {
        let key = format!("{name}/part-1.parquet");
        self.source(name, SourceFormat::Parquet).object(&key, parquet_bytes(columns)).await
    }

    pub(crate) fn engine(&self) -> Engine {
        let stores = [("lake".to_owned(), Arc::clone(&self.store))];
        Engine::new(self.settings.clone(), self.sources.clone(), stores).unwrap()
    }

    pub(crate) async fn evaluate(
        &self,
        text: &str,
        key: &str,
        attributes: &[&str],
    ) -> Result<Snapshot, QueryError> {
        let out = self.folder.path().join("snapshot.parquet");
        let query = SegmentQuery {
            text: text.to_owned(),
            member_key: key.to_owned(),
            attributes: attributes.iter().map(|name| (*name).to_owned()).collect(),
        };
        let result = relay_engine::evaluate(&self.engine(), &query, &out).await;
        let left: Vec<_> =
            std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        match result {
            Ok(figures) => {
                assert_eq!(left, ["snapshot.parquet"], "nothing but the snapshot is left");
                let bytes = std::fs::read(&out).unwrap();
                std::fs::remove_file(out).unwrap();
                Ok(Snapshot::read(figures, bytes))
            }
            Err(error) => {
                assert!(left.is_empty(), "left behind after {error}: {left:?}");
                Err(error)
            }
        }
    }
}

pub(crate) fn parquet_bytes(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    )
    .unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) figures: SnapshotFigures,
    /// Every row's values as text, NULL as `∅`.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Snapshot {
    fn read(figures: SnapshotFigures, bytes: Vec<u8>) -> Self {
        assert_eq!(figures.bytes, bytes.len() as u64);
        assert_eq!(figures.blake3, blake3::hash(&bytes).to_hex().to_string());
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap();
        let schema = reader.schema().clone();
        for (column, field) in figures.columns.iter().zip(schema.fields()) {
            assert_eq!((&column.name, &column.column_type.data_type()), (field.name(), field.data_type()));
        }
        let mut rows = Vec::new();
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            let options = FormatOptions::default().with_null("∅");
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
                .collect();
            for row in 0..batch.num_rows() {
                rows.push(columns.iter().map(|column| column.value(row).to_string()).collect());
            }
        }
        assert_eq!(figures.rows, rows.len() as u64);
        Self { figures, rows }
    }

    pub(crate) fn keys(&self) -> Vec<&str> {
        self.rows.iter().map(|row| row[0].as_str()).collect()
    }
}
