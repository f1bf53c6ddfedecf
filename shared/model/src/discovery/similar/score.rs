//! How well members are told from others.

use super::super::sample::{Sample, to_float};

/// How well members are told from others, by those whom the model had not seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Separation {
    /// Of a member and somebody else, how often the member has the higher score, from 0 to 1; the same score counts half.
    /// (The area under the receiver operating characteristic.)
    pub(super) separation: f64,
    /// The standard error of what a coin would give of so many. (That of the Mann-Whitney statistic.)
    pub(super) error: f64,
}

impl Separation {
    pub(super) fn of(sample: &Sample, scores: &[Option<f64>]) -> Self {
        let rows = scores.iter().zip(&sample.marks);
        let mut tried: Vec<(f64, bool)> =
            rows.filter_map(|(score, is_member)| Some(((*score)?, *is_member))).collect();
        tried.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let (mut others_below, mut members, mut won) = (0_u64, 0_u64, 0.0);
        for tie in tried.chunk_by(|(one, _), (other, _)| one.total_cmp(other).is_eq()) {
            let of_members = tie.iter().filter(|(_, is_member)| *is_member).count();
            let tie_members = u64::try_from(of_members).unwrap_or(u64::MAX);
            let tie_others = u64::try_from(tie.len()).unwrap_or(u64::MAX).saturating_sub(tie_members);
            won += to_float(tie_members) * (to_float(others_below) + to_float(tie_others) / 2.0);
            others_below += tie_others;
            members += tie_members;
        }
        let (some, rest) = (to_float(members), to_float(others_below));
        if some * rest <= 0.0 {
            return Self { separation: 0.5, error: 0.5 };
        }
        Self { separation: won / (some * rest), error: ((some + rest + 1.0) / (12.0 * some * rest)).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separation_is_the_share_of_pairs_in_the_right_order() {
        let check = |rows: &[(f64, bool)], expected: f64| {
            let scores: Vec<Option<f64>> = rows.iter().map(|(score, _)| Some(*score)).collect();
            let marks: Vec<bool> = rows.iter().map(|(_, mark)| *mark).collect();
            let sample = Sample { parts: vec![0; marks.len()], marks, ..Sample::default() };
            let found = Separation::of(&sample, &scores).separation;
            assert!((found - expected).abs() < 1e-9, "{rows:?}: {found}");
        };
        check(&[(0.9, true), (0.1, false)], 1.0);
        check(&[(0.1, true), (0.9, false)], 0.0);
        check(&[(0.5, true), (0.5, false)], 0.5);
        check(&[(0.9, true), (0.5, true), (0.5, false), (0.1, false)], 0.875);
        check(&[(0.9, true)], 0.5);
        check(&[], 0.5);
    }
}
