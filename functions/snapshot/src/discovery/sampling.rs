//! Some of the people, out of the file that they were evaluated into.

use super::people::in_request;
use crate::preview::Trouble;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use relay_delivery::snapshot::{Member, SnapshotReader};
use relay_engine::{Engine, SegmentQuery, evaluate};
use relay_model::Scalar;
use relay_model::discovery::{LeftOutColumn, Sample, Sampler, Share};
use relay_pipeline::StageError;
use std::fs::File;
use std::path::PathBuf;

/// What a sample is taken of.
pub(super) struct Taking<'a> {
    /// The people.
    pub(super) query: String,
    /// The column with the customer id.
    pub(super) member_key: &'a str,
    /// The columns, and behind them the one that marks people where there is one.
    pub(super) columns: Vec<String>,
    /// Texts are used where a column has at the most so many.
    pub(super) most_texts: usize,
    /// About so many people of either side.
    pub(super) most: u64,
    /// Where it stands on which side somebody is.
    pub(super) marks: Marks,
    /// Which columns are kept.
    pub(super) columns_kept: Kept,
}

/// Which columns of a sample are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// Those that tell people apart, as many as are looked at.
    Telling,
    /// All whose values are known.
    All,
}

/// A sample, and of whom it is one.
pub(super) struct Taken {
    pub(super) sample: Sample,
    /// How many people there are.
    pub(super) rows: u64,
    /// How many of them are marked.
    pub(super) marked: u64,
    /// Rows beyond the first of somebody.
    pub(super) further_rows: u64,
}

/// Where it stands who is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marks {
    /// In one more column, the last: whoever has a value there is.
    LastColumn,
    /// Nobody is.
    Nowhere,
}

impl Marks {
    fn has(self, member: &Member) -> bool {
        match self {
            Self::LastColumn => !matches!(member.attributes.last(), None | Some(Scalar::Null)),
            Self::Nowhere => false,
        }
    }
}

impl Taking<'_> {
    /// Evaluates the people, and takes some. Columns that were left out before come before those that tell nothing.
    pub(super) async fn take(self, engine: &Engine, left_out: Vec<LeftOutColumn>) -> Result<Taken, Trouble> {
        let Taking { query, member_key, mut columns, most_texts, most, marks, columns_kept } = self;
        let query =
            SegmentQuery { text: query, member_key: member_key.to_owned(), attributes: columns.clone() };
        let directory = tempfile::tempdir().map_err(StageError::from)?;
        let path = directory.path().join("people");
        let figures = evaluate(engine, &query, &path).await.map_err(in_request)?;
        if marks == Marks::LastColumn {
            columns.pop();
        }
        let file = PeopleFile { path, columns, most_texts, most, marks, columns_kept };
        let rows = figures.rows;
        let taken = tokio::task::spawn_blocking(move || file.sample(rows)).await;
        let (mut sample, marked) =
            taken.map_err(|error| StageError::stop("sample_panicked", error.to_string()))??;
        sample.left_out.splice(0..0, left_out);
        Ok(Taken { sample, rows, marked, further_rows: figures.duplicate_member_rows })
    }
}

/// The people as they were evaluated: a snapshot's file.
struct PeopleFile {
    path: PathBuf,
    columns: Vec<String>,
    most_texts: usize,
    most: u64,
    marks: Marks,
    columns_kept: Kept,
}

impl PeopleFile {
    /// The sample of these rows, and how many people are marked.
    fn sample(&self, rows: u64) -> Result<(Sample, u64), StageError> {
        let mut marked = 0_u64;
        if self.marks != Marks::Nowhere {
            for member in self.read()? {
                marked += u64::from(self.marks.has(&member?));
            }
        }
        let of_marked = Share::of(self.most, marked);
        let of_others = Share::of(self.most, rows.saturating_sub(marked));
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let mut sampler = Sampler::new(&self.columns, self.most_texts, today);
        for member in self.read()? {
            let member = member?;
            let mark = self.marks.has(&member);
            let key = member.key.0.as_str();
            if if mark { of_marked } else { of_others }.takes(key) {
                sampler.add(key, mark, member.attributes.iter());
            }
        }
        let sample = match self.columns_kept {
            Kept::Telling => sampler.finish(),
            Kept::All => sampler.finish_all(),
        };
        Ok((sample, marked))
    }

    fn read(&self) -> Result<SnapshotReader, StageError> {
        Ok(SnapshotReader::open(File::open(&self.path)?)?)
    }
}
