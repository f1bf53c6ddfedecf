//! The objects of one source, listed once before the query starts.
//!
//! The engine reads a source through a store that contains only these objects, in the version that was listed. An object
//! that is replaced during the query is an error, and never a mix of both versions. The store prefixes each key with the
//! source's name, because the engine's caches identify objects by key alone and two buckets can have the same key.

use crate::errors::QueryError;
use crate::source::{SourceFormat, SourceSpec};
use async_trait::async_trait;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A source and its objects, as a read-only store.
#[derive(Debug)]
pub(crate) struct SourceObjects {
    spec: Arc<SourceSpec>,
    inner: Arc<dyn ObjectStore>,
    objects: BTreeMap<Path, ObjectMeta>,
}

impl SourceObjects {
    /// Lists the source. An empty source is an error, because a segment over it would lose all members.
    pub(crate) async fn list(
        spec: Arc<SourceSpec>,
        inner: Arc<dyn ObjectStore>,
    ) -> std::result::Result<Self, QueryError> {
        let bad = |problem: String| QueryError::BadSource { source_name: spec.name.clone(), problem };
        let prefix = Path::parse(&spec.prefix).map_err(|_| {
            bad(format!("prefix {:?} is not a path", relay_model::query::one_line(&spec.prefix, 80)))
        })?;
        let mut listing = inner.list(Some(&prefix));
        let mut objects = BTreeMap::new();
        let mut other_objects = 0;
        while let Some(meta) = listing.next().await {
            let meta = meta.map_err(|error| explain(&spec, None, &error))?;
            let is_delta_lake = match meta.location.prefix_match(&prefix) {
                Some(mut below) => below.any(|part| part.as_ref() == "_delta_log"),
                None => continue,
            };
            if is_delta_lake {
                return Err(bad(format!(
                    "s3://{}/{} is a Delta Lake table; its folder also holds rows that were deleted, so it cannot be read as plain objects",
                    spec.bucket, spec.prefix
                )));
            }
            if is_read(&spec, &prefix, &meta) {
                objects.insert(meta.location.clone(), meta);
            } else {
                other_objects += 1;
            }
        }
        if objects.is_empty() {
            return Err(QueryError::MissingSource {
                source_name: spec.name.clone(),
                bucket: spec.bucket.clone(),
                prefix: spec.prefix.clone(),
                suffixes: spec.format.suffixes().join(" or "),
                other_objects,
            });
        }
        drop(listing);
        Ok(Self { spec, inner, objects })
    }

    /// Returns the source's declaration.
    pub(crate) fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    /// Returns the objects in the order of their keys.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &ObjectMeta> {
        self.objects.values()
    }

    /// Returns the objects with the keys that the engine uses, which begin with the source's name.
    pub(crate) fn seen(&self) -> impl Iterator<Item = ObjectMeta> {
        self.objects().map(|meta| {
            let name = std::iter::once(self.spec.name.as_str().into());
            ObjectMeta { location: name.chain(meta.location.parts()).collect(), ..meta.clone() }
        })
    }

    /// Returns an error about one object of the source.
    pub(crate) fn bad(&self, location: &Path, problem: impl Into<String>) -> QueryError {
        QueryError::BadObject {
            source_name: self.spec.name.clone(),
            object: format!("{}/{location}", self.spec.bucket),
            problem: problem.into(),
        }
    }

    /// Streams an object from its beginning, up to `first_bytes` if given.
    pub(crate) async fn stream(
        &self,
        location: &Path,
        first_bytes: Option<u64>,
    ) -> std::result::Result<BoxStream<'static, std::result::Result<bytes::Bytes, QueryError>>, QueryError>
    {
        let size = self.objects.get(location).map(|meta| meta.size).unwrap_or_default();
        let range = first_bytes.map(|length| object_store::GetRange::Bounded(0..length.min(size)));
        let options = GetOptions { range, ..GetOptions::default() };
        let answer = self.get(location, options).await.map_err(|error| self.explain(location, &error))?;
        let (spec, location) = (Arc::clone(&self.spec), location.clone());
        Ok(answer.into_stream().map_err(move |error| explain(&spec, Some(&location), &error)).boxed())
    }

    async fn get(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let Some(listed) = self.objects.get(location) else {
            return Err(wrap(self.bad(location, "is not part of the source")));
        };
        let if_match = options.if_match.clone().or_else(|| listed.e_tag.clone());
        let answer = self.inner.get_opts(location, GetOptions { if_match, ..options }).await;
        let mut answer = answer.map_err(|error| wrap(self.explain(location, &error)))?;
        if let GetResultPayload::Stream(body) = answer.payload {
            let (spec, location) = (Arc::clone(&self.spec), location.clone());
            let body = body.map_err(move |error| wrap(explain(&spec, Some(&location), &error)));
            answer.payload = GetResultPayload::Stream(body.boxed());
        }
        Ok(answer)
    }

    fn explain(&self, location: &Path, error: &Error) -> QueryError {
        explain(&self.spec, Some(location), error)
    }
}

fn is_read(spec: &SourceSpec, prefix: &Path, meta: &ObjectMeta) -> bool {
    let is_hidden = meta
        .location
        .prefix_match(prefix)
        .is_some_and(|mut parts| parts.any(|part| part.as_ref().starts_with(['_', '.'])));
    let name = meta.location.filename().unwrap_or_default().to_lowercase();
    // Writers create empty text objects for empty partitions. An empty Parquet file is damaged.
    let is_empty_text = meta.size == 0 && spec.format != SourceFormat::Parquet;
    !is_hidden && !is_empty_text && spec.format.suffixes().iter().any(|suffix| name.ends_with(suffix))
}

/// Converts a store's error. Returns a [`QueryError`] in its chain unchanged.
fn explain(spec: &SourceSpec, location: Option<&Path>, error: &Error) -> QueryError {
    if let Some(known) = crate::explain::known(error) {
        return known;
    }
    let source_name = spec.name.clone();
    let object = || location.map(|location| format!("{}/{location}", spec.bucket)).unwrap_or_default();
    match (error, location) {
        (Error::NotFound { .. }, None) => {
            QueryError::MissingBucket { source_name, bucket: spec.bucket.clone() }
        }
        (Error::NotFound { .. } | Error::Precondition { .. }, Some(_)) => {
            QueryError::Changed { source_name, object: object() }
        }
        (Error::PermissionDenied { .. } | Error::Unauthenticated { .. }, _) => {
            QueryError::AccessDenied { source_name, bucket: spec.bucket.clone(), prefix: spec.prefix.clone() }
        }
        (Error::InvalidPath { .. }, _) => QueryError::BadSource {
            source_name,
            problem: format!(
                "s3://{}/{} has an object whose key is not a plain path (an empty part, \".\" or \"..\")",
                spec.bucket, spec.prefix
            ),
        },
        _ => QueryError::Unavailable { source_name, bucket: spec.bucket.clone() },
    }
}

fn wrap(error: QueryError) -> Error {
    Error::Generic { store: "source", source: Box::new(error) }
}

fn read_only() -> Error {
    Error::NotImplemented { operation: "write".to_owned(), implementer: "source".to_owned() }
}

impl fmt::Display for SourceObjects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "source {}", self.spec.name)
    }
}

#[async_trait]
impl ObjectStore for SourceObjects {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only())
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only())
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let own: Path = location.parts().skip(1).collect();
        self.get(&own, options).await
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::once(async { Err(read_only()) }).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let prefix = prefix.cloned().unwrap_or_default();
        let found: Vec<_> =
            self.seen().filter(|meta| meta.location.prefix_matches(&prefix)).map(Ok).collect();
        stream::iter(found).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(read_only())
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(read_only())
    }
}
