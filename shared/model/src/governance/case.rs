//! Checks one export against the policies.

use super::reading::ColumnsRead;
use super::violation::{UsedColumn, Violated, Violation};
use crate::catalog::{Export, Origin, Policy, Segment, Source};
use crate::{DataLabel, MarketingAction, SourceId};
use std::collections::{BTreeMap, BTreeSet};

/// An export with everything that decides whether it is allowed, except the columns that its segments read.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The export.
    pub export: &'a Export,
    /// What its connection uses data for.
    pub marketing_actions: &'a BTreeSet<MarketingAction>,
    /// The sources by their ids, with the labels of their columns.
    pub sources: &'a BTreeMap<String, Source>,
    /// The policies.
    pub policies: &'a [Policy],
}

impl Case<'_> {
    /// Returns whether no policy can be violated, whatever columns of its sources the segment reads. It
    /// needs no lineage, and is usually true.
    #[must_use]
    pub fn is_harmless(&self, segment: &Segment) -> bool {
        self.possible_violations(segment).is_empty()
    }

    /// Returns the violations if the segment read every labelled column of its sources and exported all of
    /// them. No other violations are possible.
    #[must_use]
    pub fn possible_violations(&self, segment: &Segment) -> Vec<Violation> {
        self.held_against(segment, &self.at_worst(segment))
    }

    /// Returns the violations by the columns that a segment reads. Labels are combined within a segment
    /// only, as in Adobe Experience Platform.
    /// <https://experienceleague.adobe.com/en/docs/experience-platform/data-governance/enforcement/auto-enforcement>
    #[must_use]
    pub fn violations(&self, segment: &Segment, read: &ColumnsRead) -> Vec<Violation> {
        self.held_against(segment, &self.used_columns(segment, read))
    }

    /// Returns the columns that a custom upload's segment reads, which needs no query engine. `None` for
    /// any other segment.
    #[must_use]
    pub fn read_of_upload(&self, segment: &Segment) -> Option<ColumnsRead> {
        segment.upload().map(|upload| ColumnsRead::of_upload(upload, &self.export.attributes()))
    }

    /// Returns the columns that a segment reads, with their labels.
    #[must_use]
    pub fn used_columns(&self, segment: &Segment, read: &ColumnsRead) -> Vec<UsedColumn> {
        let used = read.columns().map(|(source, column, attributes)| UsedColumn {
            source: source.to_owned(),
            column: column.to_owned(),
            data_labels: labels(self.sources, segment, source, column),
            leaves_as: attributes.clone(),
        });
        used.collect()
    }

    /// Returns the columns as if every labelled one were exported in every attribute.
    fn at_worst(&self, segment: &Segment) -> Vec<UsedColumn> {
        if let Some(read) = self.read_of_upload(segment) {
            return self.used_columns(segment, &read);
        }
        let attributes: BTreeSet<String> = self.export.attributes().into_iter().collect();
        let sources = self.sources.values().filter(|source| may_read(segment, &source.id));
        let columns = sources.flat_map(|source| {
            source.data_labels.columns().map(|(column, labels)| UsedColumn {
                source: source.id.to_string(),
                column: column.to_owned(),
                data_labels: labels.clone(),
                leaves_as: attributes.clone(),
            })
        });
        columns.collect()
    }

    fn held_against(&self, segment: &Segment, used: &[UsedColumn]) -> Vec<Violation> {
        let labels: BTreeSet<&DataLabel> = used.iter().flat_map(|column| &column.data_labels).collect();
        let violation = |violated: Violated, forbidden: BTreeSet<DataLabel>, columns: Vec<UsedColumn>| {
            let (segment, export) = (segment.id.clone(), self.export.id.clone());
            let connection = self.export.connection.clone();
            Violation { violated, data_labels: forbidden, columns, segment, export, connection }
        };
        let mut found = Vec::new();
        let never: Vec<UsedColumn> = used
            .iter()
            .filter(|column| {
                !column.leaves_as.is_empty() && column.data_labels.iter().any(DataLabel::is_never_exported)
            })
            .cloned()
            .collect();
        if !never.is_empty() {
            let labels = never.iter().flat_map(|column| &column.data_labels);
            let labels = labels.filter(|label| label.is_never_exported()).cloned().collect();
            found.push(violation(Violated::NeverExported, labels, never));
        }
        for policy in self.policies {
            if !policy.enabled || !policy.is_about(self.marketing_actions) {
                continue;
            }
            let broken =
                policy.forbids.iter().filter(|one| one.all_of.iter().all(|label| labels.contains(label)));
            let forbidden: BTreeSet<DataLabel> = broken.flat_map(|one| &one.all_of).cloned().collect();
            if forbidden.is_empty() {
                continue;
            }
            let has_any = |column: &&UsedColumn| !column.data_labels.is_disjoint(&forbidden);
            let columns = used.iter().filter(has_any).cloned().collect();
            found.push(violation(Violated::policy(policy, self.marketing_actions), forbidden, columns));
        }
        found
    }
}

/// Returns the attributes whose values derive from columns that must never be exported (C12). Previews hide
/// them too.
#[must_use]
pub fn withheld(
    segment: &Segment,
    read: &ColumnsRead,
    sources: &BTreeMap<String, Source>,
) -> BTreeSet<String> {
    let never = read.columns().filter(|(source, column, _)| {
        labels(sources, segment, source, column).iter().any(DataLabel::is_never_exported)
    });
    never.flat_map(|(_, _, attributes)| attributes).cloned().collect()
}

/// Returns whether the engine may read a source for a segment. It errs on the side of true.
#[must_use]
pub fn may_read(segment: &Segment, source: &SourceId) -> bool {
    let id = source.as_str();
    // Only the engine resolves whether a name is a CTE or a source, but a name missing from the text is
    // neither.
    if let Ok(Origin::Selection(selection)) = segment.origin()
        && selection.query.contains(id)
    {
        return true;
    }
    // A query that cannot be parsed here may name any source.
    segment.sources().map_or(true, |named| named.contains(id))
}

/// Returns the labels of a column that a segment reads.
fn labels(
    sources: &BTreeMap<String, Source>,
    segment: &Segment,
    source: &str,
    column: &str,
) -> BTreeSet<DataLabel> {
    match segment.upload() {
        Some(upload) => upload.data_labels.of(column),
        None => sources.get(source).map(|source| source.data_labels.of(column)).unwrap_or_default(),
    }
}

#[cfg(test)]
#[path = "case_tests.rs"]
mod tests;
