//! A store with a single object of a bucket, for the table of a custom upload.

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::fmt;
use std::sync::Arc;

/// A read-only store with a single object.
#[derive(Clone, Debug)]
pub struct OneObject {
    inner: Arc<dyn ObjectStore>,
    location: Path,
}

impl OneObject {
    /// Returns the store of the object at `key`. Returns an error if the key is not a plain path.
    pub fn new(inner: Arc<dyn ObjectStore>, key: &str) -> Result<Self> {
        Ok(Self { inner, location: Path::parse(key)? })
    }
}

impl fmt::Display for OneObject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.inner, self.location)
    }
}

fn read_only() -> Error {
    Error::NotImplemented { operation: "write".to_owned(), implementer: "one object".to_owned() }
}

#[async_trait]
impl ObjectStore for OneObject {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only())
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only())
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::once(async { Err(read_only()) }).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let own = self.clone();
        stream::once(async move { own.inner.head(&own.location).await }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(read_only())
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(read_only())
    }
}
