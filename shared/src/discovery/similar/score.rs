//! How well members are told from others.

use super::super::sample::{Sample, to_float};

/// Of a member and somebody else of the part that was kept back, how often the member has the higher score, from 0 to 1;
/// the same score counts half. (The area under the receiver operating characteristic.)
pub(super) fn separation(sample: &Sample, scores: &[f64], kept_back: u8) -> f64 {
    let mut tried: Vec<(f64, bool)> = scores
        .iter()
        .zip(&sample.marks)
        .zip(&sample.parts)
        .filter(|(_, part)| **part == kept_back)
        .map(|((score, is_member), _)| (*score, *is_member))
        .collect();
    tried.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let (mut others_below, mut members, mut won) = (0_u64, 0_u64, 0.0);
    for tie in tried.chunk_by(|(one, _), (other, _)| one.total_cmp(other).is_eq()) {
        let tie_members =
            u64::try_from(tie.iter().filter(|(_, is_member)| *is_member).count()).unwrap_or(u64::MAX);
        let tie_others = u64::try_from(tie.len()).unwrap_or(u64::MAX).saturating_sub(tie_members);
        won += to_float(tie_members) * (to_float(others_below) + to_float(tie_others) / 2.0);
        others_below += tie_others;
        members += tie_members;
    }
    let pairs = to_float(members) * to_float(others_below);
    if pairs > 0.0 { won / pairs } else { 0.5 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separation_is_the_share_of_pairs_in_the_right_order() {
        let check = |rows: &[(f64, bool)], expected: f64| {
            let scores: Vec<f64> = rows.iter().map(|(score, _)| *score).collect();
            let marks: Vec<bool> = rows.iter().map(|(_, mark)| *mark).collect();
            let sample = Sample { parts: vec![0; marks.len()], marks, ..Sample::default() };
            let found = separation(&sample, &scores, 0);
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
