//! Some of the people, out of the file that they were evaluated into.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use relay::discovery::{Sample, Sampler, Share};
use relay::model::Scalar;
use relay::snapshot::{Member, SnapshotReader};
use relay::stages::StageError;
use std::fs::File;
use std::path::PathBuf;

/// What a sample is taken of.
pub(super) struct Taking {
    /// The people: a snapshot's file with the columns.
    pub(super) path: PathBuf,
    /// The columns.
    pub(super) columns: Vec<String>,
    /// Texts are used where a column has at the most so many.
    pub(super) most_texts: usize,
    /// About so many people of either side.
    pub(super) most: u64,
    /// Where it stands on which side somebody is.
    pub(super) marks: Marks,
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

impl Taking {
    /// The sample of these rows, and how many people are marked.
    pub(super) async fn take(self, rows: u64) -> Result<(Sample, u64), StageError> {
        let taken = tokio::task::spawn_blocking(move || self.take_now(rows)).await;
        taken.map_err(|error| StageError::stop("sample_panicked", error.to_string()))?
    }

    fn take_now(&self, rows: u64) -> Result<(Sample, u64), StageError> {
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
        Ok((sampler.finish(), marked))
    }

    fn read(&self) -> Result<SnapshotReader, StageError> {
        Ok(SnapshotReader::open(File::open(&self.path)?)?)
    }
}
