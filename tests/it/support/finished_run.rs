//! A finished run, and the invariants of all runs.

use local::world::World;
use relay_model::run::{Report, Run, RunState};
use relay_model::{Counts, OutcomeKind};
use std::collections::BTreeMap;

/// A run and its report.
#[derive(Clone, Debug)]
pub(crate) struct FinishedRun {
    pub(crate) run: Run,
    pub(crate) report: Report,
    /// The rejected rows: how many for each outcome and code.
    pub(crate) rejected: BTreeMap<(String, String), u64>,
}

impl FinishedRun {
    /// Reads the report and checks that every row has exactly one outcome.
    pub(crate) async fn of(world: &World, run: Run) -> Self {
        let report = world.report(&run).await.unwrap();
        assert_eq!((report.state, &report.failure), (run.state, &run.failure));
        assert_eq!(report.counts, run.counts, "the report and the run count alike");
        assert_eq!(report.counts.total(), report.rows_in, "every row has an outcome");
        let query: u64 = report
            .segments
            .iter()
            .map(|segment| segment.rows_without_key + segment.duplicate_member_rows)
            .sum();
        let mut targets = query;
        for target in &report.targets {
            assert_eq!(target.counts.total(), target.rows_in, "every row of a list has an outcome");
            targets += target.rows_in;
        }
        assert_eq!(targets, report.rows_in);
        let rejected = rejected(world, &report).await;
        for reason in &report.reasons {
            assert!(!reason.text.is_empty(), "{reason:?}");
            if !matches!(reason.code.as_str(), "member_key_missing" | "duplicate_member_row") {
                let key = (reason.kind.name().to_owned(), reason.code.clone());
                assert_eq!(rejected.get(&key), Some(&reason.rows), "{reason:?}");
            }
        }
        let not_applied = [OutcomeKind::Skipped, OutcomeKind::Rejected, OutcomeKind::Deferred];
        let not_applied: u64 = not_applied.into_iter().map(|kind| report.counts.of(kind)).sum();
        assert_eq!(report.reasons.iter().map(|reason| reason.rows).sum::<u64>(), not_applied);
        assert_eq!(rejected.values().sum::<u64>() + query, not_applied, "{rejected:?}");
        Self { run, report, rejected }
    }

    /// Checks that the run succeeded with exactly these counts.
    #[track_caller]
    pub(crate) fn succeeded(&self, expected: Counts) {
        assert_eq!((self.run.state, &self.run.failure), (RunState::Succeeded, &None));
        assert_eq!(self.report.counts, expected, "{:?}", self.report.reasons);
    }

    /// Checks that the run failed with this code and a text with all of these words.
    #[track_caller]
    pub(crate) fn failed(&self, code: &str, words: &[&str]) {
        assert_eq!(self.run.state, RunState::Failed);
        let failure = self.run.failure.as_ref().unwrap();
        assert_eq!(failure.code.as_str(), code, "{}", failure.text);
        for word in words {
            assert!(failure.text.contains(word), "no {word:?} in {:?}", failure.text);
        }
    }

    /// Checks that the run was canceled by the test, with exactly these counts.
    #[track_caller]
    pub(crate) fn canceled(&self, expected: Counts) {
        self.canceled_by("the test", expected);
    }

    /// Checks that the run was canceled by this user, with exactly these counts.
    #[track_caller]
    pub(crate) fn canceled_by(&self, who: &str, expected: Counts) {
        assert_eq!((self.run.state, &self.run.failure), (RunState::Canceled, &None));
        assert_eq!(self.report.counts, expected, "{:?}", self.report.reasons);
        assert_eq!(self.because("run_canceled"), expected.deferred);
        let notices = self.report.notices.join("\n");
        assert!(notices.contains(who), "{notices}");
    }

    /// Checks that the run has the same results as another one.
    #[track_caller]
    pub(crate) fn is_as(&self, expected: &Self) {
        assert_eq!(self.report.counts, expected.report.counts);
        assert_eq!(self.report.reasons, expected.report.reasons);
        assert_eq!(self.rejected, expected.rejected);
        assert_eq!(self.run.state, expected.run.state);
        assert_eq!(self.report.targets[0].delivered, expected.report.targets[0].delivered);
    }

    /// How many rows were not applied for a reason.
    pub(crate) fn because(&self, code: &str) -> u64 {
        self.report.reasons.iter().filter(|reason| reason.code == code).map(|reason| reason.rows).sum()
    }
}

/// Reads the CSV of rejected rows.
async fn rejected(world: &World, report: &Report) -> BTreeMap<(String, String), u64> {
    let mut counted = BTreeMap::new();
    let Some(key) = &report.rejected_key else { return counted };
    let bytes = world.data().get(key).await.unwrap();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        for column in ["target_list", "operation", "outcome", "code", "reason"] {
            assert!(!row[column].is_empty(), "{column} of {row:?}");
        }
        *counted.entry((row["outcome"].clone(), row["code"].clone())).or_insert(0) += 1;
    }
    counted
}
