//! A bucket of S3 as a read-only object store of the query engine, over the AWS SDK.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html> and
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::fmt;
use std::ops::Range;
use std::time::SystemTime;

const STORE: &str = "S3";

/// An error of a request: S3's error code or the kind of failure, never headers or credentials.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Reason(String);

/// A read-only bucket.
#[derive(Clone)]
pub struct S3Store {
    client: Client,
    bucket: String,
}

impl S3Store {
    /// Returns the bucket, read with the client's credentials.
    #[must_use]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }

    async fn page(
        &self,
        prefix: String,
        delimiter: Option<&str>,
        continuation_token: Option<String>,
    ) -> Result<Page> {
        let answer = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(&prefix)
            .set_delimiter(delimiter.map(str::to_owned))
            .set_continuation_token(continuation_token)
            .send()
            .await
            .map_err(|error| classify(&error, &format!("{}/{}", self.bucket, prefix)))?;
        let next = answer.next_continuation_token().map(str::to_owned);
        let common_prefixes =
            answer.common_prefixes().iter().filter_map(|common| common.prefix()).map(Path::from);
        let common_prefixes = common_prefixes.collect();
        let mut objects = Vec::new();
        for object in answer.contents.unwrap_or_default() {
            // A key that ends with a slash is the placeholder of a folder, which the AWS console creates.
            let Some(key) = object.key.filter(|key| !key.ends_with('/')) else {
                continue;
            };
            objects.push(ObjectMeta {
                location: Path::parse(&key)?,
                last_modified: moment(object.last_modified.as_ref()),
                size: object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
                e_tag: object.e_tag,
                version: None,
            });
        }
        Ok(Page { objects, common_prefixes, next })
    }
}

struct Page {
    objects: Vec<ObjectMeta>,
    common_prefixes: Vec<Path>,
    next: Option<String>,
}

impl fmt::Debug for S3Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("S3Store").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

impl fmt::Display for S3Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "s3://{}", self.bucket)
    }
}

#[async_trait]
impl ObjectStore for S3Store {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only())
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only())
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let place = format!("{}/{location}", self.bucket);
        if options.head {
            let answer = self
                .client
                .head_object()
                .bucket(&self.bucket)
                .key(location.as_ref())
                .set_if_match(options.if_match)
                .send()
                .await
                .map_err(|error| classify(&error, &place))?;
            let size = length(answer.content_length, &place)?;
            let last_modified = moment(answer.last_modified.as_ref());
            let meta = ObjectMeta {
                location: location.clone(),
                last_modified,
                size,
                e_tag: answer.e_tag,
                version: None,
            };
            let payload = GetResultPayload::Stream(stream::empty().boxed());
            return Ok(GetResult { payload, meta, range: 0..0, attributes: Attributes::default() });
        }
        let answer = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(location.as_ref())
            .set_range(options.range.as_ref().map(header))
            .set_if_match(options.if_match)
            .send()
            .await
            .map_err(|error| classify(&error, &place))?;
        result(location, answer, options.range.is_some(), &place)
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::once(async { Err(read_only()) }).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let store = self.clone();
        let prefix = folder(prefix);
        let pages = stream::try_unfold(Some(None), move |state: Option<Option<String>>| {
            let (store, prefix) = (store.clone(), prefix.clone());
            async move {
                let Some(token) = state else { return Ok(None) };
                let page = store.page(prefix, None, token).await?;
                let objects = stream::iter(page.objects.into_iter().map(Ok));
                Ok::<_, Error>(Some((objects, page.next.map(Some))))
            }
        });
        pages.try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut found = ListResult { common_prefixes: Vec::new(), objects: Vec::new() };
        let mut token = None;
        loop {
            let page = self.page(folder(prefix), Some("/"), token).await?;
            found.common_prefixes.extend(page.common_prefixes);
            found.objects.extend(page.objects);
            token = page.next;
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(read_only())
    }
}

fn read_only() -> Error {
    Error::NotSupported { source: Box::new(Reason("the lake is only ever read".to_owned())) }
}

/// Returns the prefix for S3, which compares text while object stores compare path segments. The whole bucket has an empty
/// prefix, because S3 refuses a request without a prefix if the role is limited to one.
fn folder(prefix: Option<&Path>) -> String {
    let prefix = prefix.filter(|prefix| !prefix.as_ref().is_empty());
    prefix.map_or_else(String::new, |prefix| format!("{prefix}/"))
}

fn header(range: &GetRange) -> String {
    match range {
        GetRange::Bounded(range) => format!("bytes={}-{}", range.start, range.end.saturating_sub(1)),
        GetRange::Offset(first) => format!("bytes={first}-"),
        GetRange::Suffix(length) => format!("bytes=-{length}"),
    }
}

fn result(location: &Path, answer: GetObjectOutput, is_part: bool, place: &str) -> Result<GetResult> {
    let (range, size) = match (is_part, answer.content_range()) {
        (true, Some(content_range)) => parts(content_range)
            .ok_or_else(|| generic(format!("{place}: the answer's Content-Range cannot be read")))?,
        (true, None) => {
            return Err(generic(format!("{place}: the response is not the requested range")));
        }
        (false, _) => {
            let size = length(answer.content_length, place)?;
            (0..size, size)
        }
    };
    let meta = ObjectMeta {
        location: location.clone(),
        last_modified: moment(answer.last_modified.as_ref()),
        size,
        e_tag: answer.e_tag,
        version: answer.version_id,
    };
    let payload = GetResultPayload::Stream(body(answer.body, place.to_owned()));
    Ok(GetResult { payload, meta, range, attributes: Attributes::default() })
}

fn body(body: ByteStream, place: String) -> BoxStream<'static, Result<bytes::Bytes>> {
    stream::unfold(body, |mut body| async move { body.next().await.map(|part| (part, body)) })
        .map_err(move |_| generic(format!("{place}: the connection broke in the middle of the object")))
        .boxed()
}

/// Parses `bytes 0-99/1234` into the half-open range and the size of the object.
fn parts(content_range: &str) -> Option<(Range<u64>, u64)> {
    let (range, size) = content_range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    Some((first..last.checked_add(1)?, size.parse().ok()?))
}

fn length(length: Option<i64>, place: &str) -> Result<u64> {
    length
        .and_then(|length| u64::try_from(length).ok())
        .ok_or_else(|| generic(format!("{place}: the answer does not say how long the object is")))
}

fn moment<M: From<SystemTime>>(moment: Option<&DateTime>) -> M {
    let moment = moment.and_then(|moment| SystemTime::try_from(*moment).ok());
    moment.unwrap_or(SystemTime::UNIX_EPOCH).into()
}

fn generic(reason: String) -> Error {
    Error::Generic { store: STORE, source: Box::new(Reason(reason)) }
}

/// Classifies S3's error responses. Keeps only codes and statuses.
fn classify<E: ProvideErrorMetadata>(error: &SdkError<E>, place: &str) -> Error {
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.code().unwrap_or_default();
    let reason = match (code, status) {
        ("", Some(status)) => format!("status {status}"),
        ("", None) => "no answer".to_owned(),
        (code, _) => code.to_owned(),
    };
    let path = place.to_owned();
    let source = Box::new(Reason(reason));
    match (code, status) {
        ("NoSuchKey" | "NoSuchBucket" | "NotFound", _) | (_, Some(404)) => Error::NotFound { path, source },
        ("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken", _)
        | (_, Some(401)) => Error::Unauthenticated { path, source },
        ("AccessDenied" | "AllAccessDisabled", _) | (_, Some(403)) => {
            Error::PermissionDenied { path, source }
        }
        ("PreconditionFailed", _) | (_, Some(412)) => Error::Precondition { path, source },
        _ => Error::Generic { store: STORE, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content_range: &str, expected: Option<(u64, u64, u64)>) {
        let found = parts(content_range).map(|(range, size)| (range.start, range.end, size));
        assert_eq!(found, expected, "{content_range}");
    }

    #[test]
    fn content_ranges_are_half_open() {
        check("bytes 0-0/1", Some((0, 1, 1)));
        check("bytes 5-9/100", Some((5, 10, 100)));
        check("bytes */100", None);
        check("5-9/100", None);
        check("bytes 0-18446744073709551615/1", None);
    }

    #[test]
    fn ranges_become_headers() {
        assert_eq!(header(&GetRange::Bounded(0..10)), "bytes=0-9");
        assert_eq!(header(&GetRange::Offset(7)), "bytes=7-");
        assert_eq!(header(&GetRange::Suffix(8)), "bytes=-8");
    }
}
