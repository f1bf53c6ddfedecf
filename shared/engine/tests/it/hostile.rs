//! Objects in another format than their names say, and queries that try to break the planner.

use crate::lake::{Lake, parquet_bytes};
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::arrow::array::StringArray;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use relay_engine::{QueryError, SourceFormat};
use relay_model::query::TextError;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

async fn check_object(format: SourceFormat, key: &str, bytes: impl Into<Bytes>, expected: &str) {
    let lake = Lake::new().source("t", format).object(key, bytes).await;
    check_lake(&lake, key, expected).await;
}

async fn check_lake(lake: &Lake, key: &str, expected: &str) {
    let error = lake.evaluate("SELECT * FROM t", "id", &[]).await.expect_err(expected);
    assert_eq!(error.to_string(), format!("source t: object lake/{key} {expected}"));
    assert_eq!((error.code(), error.is_transient()), ("source_object_invalid", false));
}

const CSV: &str = "is this a CSV file with a header row?";
const JSON: &str = "newline-delimited JSON has one object a line";

#[tokio::test]
async fn broken_csv() {
    let check = async |bytes: &[u8], expected: String| {
        check_object(SourceFormat::Csv, "t/a.csv", Bytes::copy_from_slice(bytes), &expected).await;
    };
    check(&vec![b','; 3_000_000], format!("has more than 2,000 columns in its header; {CSV}")).await;
    check(&vec![b'x'; 3_000_000], format!("has more than 1 MiB in its header; {CSV}")).await;
    check(b"id,name\n1,\"open\nx\n", "ends inside a quoted value that begins in the record in line 2".into())
        .await;
    check(
        b"id,name\n1,a\n2,b,c\n",
        "has more than 2 values in the record in line 3, where its header has 2".into(),
    )
    .await;
    check(
        b"id,name\n1,a\n2\n",
        "has 1 values in the record in line 3, where its header has 2; are its quotes closed?".into(),
    )
    .await;
    check(b"i\xff,name\n1,a\n", format!("is not UTF-8 in column 1 of its header; {CSV}")).await;
    check(b"id,name,id\n", format!("has a name for the second time in column 3 of its header; {CSV}")).await;
    check(b"id,,name\n", format!("has an empty name in column 2 of its header; {CSV}")).await;
    check(b"c1,anna@example.com\n", format!("has what looks like data in column 2 of its header; {CSV}"))
        .await;
    check(b"c1,12.50\n", format!("has what looks like data in column 2 of its header; {CSV}")).await;
    check(b"\n\n", format!("has no header; {CSV}")).await;
    check(b"id\n\xff\xfe\n", "is not UTF-8 in column 1 of the record in line 2".into()).await;
    let parquet = parquet_bytes(vec![("id", Arc::new(StringArray::from(vec!["1"])))]);
    let lake = Lake::new().source("t", SourceFormat::Csv).object("t/a.csv", parquet).await;
    let error = lake.evaluate("SELECT * FROM t", "id", &[]).await.unwrap_err();
    assert_eq!(error.code(), "source_object_invalid");
}

#[tokio::test]
async fn csv_parts_that_differ() {
    let lake = Lake::new()
        .source("t", SourceFormat::Csv)
        .object("t/a.csv", "id,name\n1,Anna\n")
        .await
        .object("t/b.csv", "2,Bo Secret\n")
        .await;
    check_lake(&lake, "t/b.csv", &format!("has what looks like data in column 1 of its header; {CSV}")).await;
    let lake = lake.object("t/b.csv", "id,Bo Secret,x\n").await;
    let expected = format!("has other columns than t/a.csv, without name, with 2 that are not there; {CSV}");
    check_lake(&lake, "t/b.csv", &expected).await;
}

#[tokio::test]
async fn broken_json() {
    let check = async |bytes: &str, expected: &str| {
        check_object(SourceFormat::NdJson, "t/a.jsonl", bytes.to_owned(), expected).await;
    };
    let not_json = format!(
        "has a line that is not a JSON object, or a field that is plain in one line and nested in another; {JSON}"
    );
    check("{\"id\":1}\nanna@example.com\n", &not_json).await;
    check("{\"id\":1}\n{\"id\":[\"anna\"]}\n{\"id\":{\"a\":1}}", &not_json).await;
    check(&format!("{{\"id\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000)), &not_json).await;
    check(" [{\"id\":1}]", &format!("is a JSON array; {JSON}")).await;
    check(
        &format!("{{\"id\":\"{}\"}}", "x".repeat(2_000_000)),
        &format!("has more than 1 MiB in line 1; {JSON}"),
    )
    .await;
    let wide: Vec<String> = (0..3_000).map(|number| format!("\"f{number}\":1")).collect();
    check(&format!("{{{}}}", wide.join(",")), &format!("has more than 2,000 different fields; {JSON}")).await;
    // The types are fixed after the sample.
    let good = "{\"id\":1}\n".repeat(150_000);
    let expected = "has a value in field id before line 150003 that is not a whole number, as in the records that were sampled; write the field as text in all records";
    check(&format!("{good}{{\"id\":\"anna@example.com\"}}\n"), expected).await;
    let expected = format!("has something that is not a JSON object before line 150003; {JSON}");
    check(&format!("{good}anna@example.com\n"), &expected).await;
    check(&format!("{good}{{\"id\":"), "ends in the middle of a JSON object").await;
}

#[tokio::test]
async fn broken_parquet() {
    let column = || -> Vec<String> { (0..10_000).map(|number| format!("customer {number}")).collect() };
    let whole = parquet_bytes(vec![("id", Arc::new(StringArray::from(column())))]);
    let expected = "is not a Parquet file, or is damaged or cut short";
    for bytes in [
        Vec::new(),
        b"id\n1\n".to_vec(),
        whole[..whole.len() / 2].to_vec(),
        whole[..whole.len() - 1].to_vec(),
    ] {
        check_object(SourceFormat::Parquet, "t/a.parquet", bytes, expected).await;
    }
    // The footer is valid and the pages are not.
    let mut damaged = whole;
    let length = damaged.len();
    damaged[100..length / 2].fill(0xa5);
    let lake = Lake::new().source("t", SourceFormat::Parquet).object("t/a.parquet", damaged).await;
    let error = lake.evaluate("SELECT * FROM t", "id", &[]).await.unwrap_err();
    assert!(!error.to_string().contains("customer"), "{error}");
}

#[test]
fn deep_queries_do_not_overflow_the_stack() {
    let lists = |count: usize, text: &str| vec![text; count].join(" OR ");
    let queries = [
        format!("SELECT {}1{} AS id FROM t", "(".repeat(10_000), ")".repeat(10_000)),
        format!("{}SELECT 1 AS id{}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("SELECT {}id AS id FROM t", "- ".repeat(7_000)),
        format!("SELECT id FROM t WHERE {} id = '1'", "NOT ".repeat(7_000)),
        format!("SELECT id FROM t WHERE {}", lists(6_000, "id='1'")),
        format!("SELECT {}1 AS id FROM t", "1+".repeat(30_000)),
        format!("SELECT {}id{} AS id FROM t", "lower(".repeat(5_000), ")".repeat(5_000)),
        format!("SELECT {}1{} AS id FROM t", "CASE WHEN 1=1 THEN ".repeat(600), " END".repeat(600)),
        format!("SELECT id FROM t {}", "UNION ALL SELECT id FROM t ".repeat(2_000)),
        format!("SELECT id FROM {}t{}", "(SELECT id FROM ".repeat(1_000), ")".repeat(1_000)),
        format!(
            "SELECT id FROM t WHERE {}true{}",
            "id IN (SELECT id FROM t WHERE ".repeat(30),
            ")".repeat(30)
        ),
    ];
    for text in queries {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let error = runtime.block_on(async {
            let lake = Lake::new().csv("t", "id\n1\n").await;
            lake.evaluate(&text, "id", &[]).await.expect_err("too deep")
        });
        assert!(
            matches!(
                error,
                QueryError::Text(TextError::TooDeep | TextError::TooLong { .. } | TextError::Syntax { .. })
            ),
            "{}: {error}",
            &text[..60]
        );
    }
    // Queries at the limit succeed.
    for text in [
        format!("SELECT id FROM t WHERE {}", lists(250, "id='1'")),
        format!("SELECT id FROM t WHERE id IN ({}'1')", "'2',".repeat(3_000)),
        format!("SELECT id FROM t {}", "UNION ALL SELECT id FROM t ".repeat(49)),
        format!("SELECT id, {}1 AS n FROM t", "length(id)+".repeat(480)),
        format!("SELECT {}id{} AS id FROM t", "(".repeat(50), ")".repeat(50)),
        format!("SELECT id, {}1{} AS n FROM t", "CASE WHEN id = '1' THEN ".repeat(50), " END".repeat(50)),
        format!("SELECT {}id{} AS id FROM t", "lower(".repeat(50), ")".repeat(50)),
        format!("SELECT id FROM {}t{}", "(SELECT id FROM ".repeat(10), ")".repeat(10)),
        format!(
            "SELECT id FROM t WHERE {}",
            "id IN (SELECT id FROM t WHERE ".repeat(10) + "true" + &")".repeat(10)
        ),
    ] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let lake = Lake::new().csv("t", "id\n1\n").await;
            lake.evaluate(&text, "id", &[]).await.unwrap();
        });
    }
}

/// A store with one huge object that is generated while it is read. Counts the requests.
#[derive(Debug)]
struct Endless {
    header: &'static [u8],
    filler: u8,
    size: u64,
    served: Arc<AtomicU64>,
}

impl fmt::Display for Endless {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("endless")
    }
}

impl Endless {
    fn meta(&self) -> ObjectMeta {
        ObjectMeta {
            location: Path::from("t/a.csv"),
            last_modified: std::time::SystemTime::UNIX_EPOCH.into(),
            size: self.size,
            e_tag: None,
            version: None,
        }
    }
}

/// Fails the test: the engine only reads and lists.
fn never<T>() -> Result<T> {
    Err(object_store::Error::NotSupported { source: "the engine asked for more than to read".into() })
}

#[async_trait]
impl ObjectStore for Endless {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        never()
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        never()
    }

    async fn get_opts(&self, _: &Path, options: GetOptions) -> Result<GetResult> {
        let end = match options.range {
            Some(GetRange::Bounded(range)) => range.end,
            _ => self.size,
        };
        let header = Bytes::from_static(self.header);
        let filler = Bytes::from(vec![self.filler; 65_536]);
        let served = Arc::clone(&self.served);
        let fillers = usize::try_from((end.saturating_sub(header.len() as u64)).div_ceil(65_536)).unwrap();
        let body = stream::iter(std::iter::once(header).chain(std::iter::repeat_n(filler, fillers)))
            .inspect(move |bytes| {
                served.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            })
            .map(Ok);
        let payload = GetResultPayload::Stream(body.boxed());
        Ok(GetResult { payload, meta: self.meta(), range: 0..end, attributes: Attributes::default() })
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::iter([never()]).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::iter([Ok(self.meta())]).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        never()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        never()
    }
}

async fn check_endless(header: &'static [u8], filler: u8, expected: &str) {
    let served = Arc::new(AtomicU64::new(0));
    let store = Endless { header, filler, size: 100_000_000_000, served: Arc::clone(&served) };
    let lake = Lake::over(Arc::new(store)).source("t", SourceFormat::Csv);
    check_lake(&lake, "t/a.csv", expected).await;
    let served = served.load(Ordering::Relaxed);
    assert!(served < 5_000_000, "{served} bytes were read before giving up");
}

#[tokio::test]
async fn objects_without_an_end_are_given_up_soon() {
    check_endless(
        b"id,name\n1,a\n",
        b'x',
        "has more than 1 MiB in the record in line 3; is this a CSV file with a header row?",
    )
    .await;
    check_endless(
        b"id,name\n1,\"",
        b'x',
        "has more than 1 MiB in the record in line 2; is this a CSV file with a header row?",
    )
    .await;
    check_endless(b"", b'x', &format!("has more than 1 MiB in its header; {CSV}")).await;
    check_endless(b"", b',', &format!("has more than 2,000 columns in its header; {CSV}")).await;
}
