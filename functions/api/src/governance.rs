//! Data governance where definitions are saved: what would break a rule is refused, and told with the way that the data
//! would take. Each run holds its export against the rules again, so what cannot be found out here is a warning.

mod changes;
mod columns;
mod readings;
mod refusal;

use crate::Api;
use crate::problem::Problem;
use readings::{Answer, Question};
use relay_model::catalog::{Connection, Export, Policy, Segment, Source};
use relay_model::governance::{Case, ColumnsRead, Violation};
use relay_model::{ConnectionId, ExportId, MarketingAction, SegmentId};
use std::collections::{BTreeMap, BTreeSet};

/// What exports are held against.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// The sources by their ids.
    pub(crate) sources: BTreeMap<String, Source>,
    /// The segments that the exports use.
    pub(crate) segments: BTreeMap<SegmentId, Segment>,
    /// The connections that they go to.
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    /// The policies.
    pub(crate) policies: Vec<Policy>,
}

/// What was found of exports.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// The rules that they break.
    pub(crate) violations: Vec<Violation>,
    /// What could not be found out now, though it may break a rule.
    pub(crate) unknown: Vec<Unknown>,
}

/// A segment of an export of which nobody can say now what it reads.
#[derive(Debug)]
pub(crate) struct Unknown {
    pub(crate) segment: SegmentId,
    pub(crate) export: ExportId,
    pub(crate) why: String,
}

impl Findings {
    /// What people should know of a change that is made all the same.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warning = |unknown: &Unknown| {
            let Unknown { segment, export, why } = unknown;
            format!(
                "not checked whether policies let export \"{export}\" use what segment \"{segment}\" reads: {why}; its \
                 next run finds out before anything is sent"
            )
        };
        self.unknown.iter().map(warning).collect()
    }
}

impl Rules {
    /// Whether some column has a label: without one nothing is forbidden.
    fn has_labels(&self) -> bool {
        self.sources.values().any(|source| !source.data_labels.is_empty())
            || self.segments.values().filter_map(Segment::upload).any(|upload| !upload.data_labels.is_empty())
    }

    /// An export and what it is held against.
    pub(crate) fn case<'a>(&'a self, export: &'a Export) -> Case<'a> {
        static NO_ACTIONS: BTreeSet<MarketingAction> = BTreeSet::new();
        let connection = export.connection.as_ref().and_then(|id| self.connections.get(id));
        Case {
            export,
            marketing_actions: connection.map_or(&NO_ACTIONS, |connection| &connection.marketing_actions),
            sources: &self.sources,
            policies: &self.policies,
        }
    }

    /// The segments of an export, each once. One that is not in the catalog is told elsewhere.
    pub(crate) fn segments_of<'a>(&'a self, export: &Export) -> impl Iterator<Item = &'a Segment> {
        let ids: BTreeSet<&SegmentId> = export.segments.iter().map(|entry| &entry.segment).collect();
        let found: Vec<&Segment> = ids.into_iter().filter_map(|id| self.segments.get(id)).collect();
        found.into_iter()
    }
}

impl Api {
    /// The sources, by their ids. One that cannot be read is in the way of the segments that use it.
    async fn sources_by_id(&self) -> Result<BTreeMap<String, Source>, Problem> {
        let readable = self.requests.catalog.list::<Source>().await?.into_iter().flatten();
        Ok(readable.map(|saved| (saved.document.id.to_string(), saved.document)).collect())
    }

    /// Every policy. One that cannot be read may be the one that is broken.
    async fn policies(&self) -> Result<Vec<Policy>, Problem> {
        let all = self.requests.catalog.list::<Policy>().await?.into_iter();
        Ok(all.map(|saved| saved.map(|saved| saved.document)).collect::<Result<_, _>>()?)
    }

    /// The sources, and the segments of an export: enough to know whether there are labels.
    async fn data_of(&self, export: &Export) -> Result<Rules, Problem> {
        let mut rules = Rules { sources: self.sources_by_id().await?, ..Rules::default() };
        let ids: BTreeSet<&SegmentId> = export.segments.iter().map(|entry| &entry.segment).collect();
        for id in ids {
            if let Some(saved) = self.requests.catalog.find::<Segment>(id.as_str()).await? {
                rules.segments.insert(id.clone(), saved.document);
            }
        }
        Ok(rules)
    }

    /// What one export is held against.
    pub(crate) async fn rules_of(&self, export: &Export) -> Result<Rules, Problem> {
        let data = self.data_of(export).await?;
        self.with_policies(data, [export]).await
    }

    /// The policies, and the connections of exports.
    async fn with_policies<'a>(
        &self,
        data: Rules,
        exports: impl IntoIterator<Item = &'a Export>,
    ) -> Result<Rules, Problem> {
        let mut rules = Rules { policies: self.policies().await?, ..data };
        let ids: BTreeSet<&ConnectionId> =
            exports.into_iter().filter_map(|export| export.connection.as_ref()).collect();
        for id in ids {
            if let Some(saved) = self.requests.catalog.find::<Connection>(id.as_str()).await? {
                rules.connections.insert(id.clone(), saved.document);
            }
        }
        Ok(rules)
    }

    /// What all exports are held against.
    async fn all_rules(&self) -> Result<Rules, Problem> {
        let catalog = &self.requests.catalog;
        let segments = catalog.list::<Segment>().await?.into_iter().flatten();
        let connections = catalog.list::<Connection>().await?.into_iter().flatten();
        Ok(Rules {
            sources: self.sources_by_id().await?,
            segments: segments.map(|saved| (saved.document.id.clone(), saved.document)).collect(),
            connections: connections.map(|saved| (saved.document.id.clone(), saved.document)).collect(),
            policies: self.policies().await?,
        })
    }

    /// Holds exports against the rules. The query engine is asked only of segments that could break one, and only where it
    /// has not been before.
    pub(crate) async fn hold(&self, rules: &Rules, exports: &[Export]) -> Findings {
        let mut questions: BTreeMap<Question, &Segment> = BTreeMap::new();
        let mut suspects = Vec::new();
        for export in exports {
            let case = rules.case(export);
            for segment in rules.segments_of(export).filter(|segment| !case.is_harmless(segment)) {
                suspects.push((case, segment));
                if segment.upload().is_none() {
                    questions.insert(Question::of(segment, export), segment);
                }
            }
        }
        let answers = self.readings(&rules.sources, &questions).await;
        let mut findings = Findings::default();
        for (case, segment) in suspects {
            match read(&case, segment, &answers) {
                Ok(read) => findings.violations.extend(case.violations(segment, &read)),
                Err(why) => findings.unknown.push(Unknown {
                    segment: segment.id.clone(),
                    export: case.export.id.clone(),
                    why,
                }),
            }
        }
        findings
    }

    /// What each segment of an export reads, or why nobody can say.
    pub(crate) async fn readings_of(
        &self,
        rules: &Rules,
        export: &Export,
    ) -> BTreeMap<SegmentId, Result<ColumnsRead, String>> {
        let case = rules.case(export);
        let segments: Vec<&Segment> = rules.segments_of(export).collect();
        let asked = segments.iter().filter(|segment| segment.upload().is_none());
        let questions = asked.map(|segment| (Question::of(segment, export), *segment)).collect();
        let answers = self.readings(&rules.sources, &questions).await;
        segments.into_iter().map(|segment| (segment.id.clone(), read(&case, segment, &answers))).collect()
    }
}

fn read(
    case: &Case<'_>,
    segment: &Segment,
    answers: &BTreeMap<Question, Answer>,
) -> Result<ColumnsRead, String> {
    if let Some(read) = case.read_of_upload(segment) {
        return Ok(read);
    }
    let answer = answers.get(&Question::of(segment, case.export));
    answer.cloned().unwrap_or_else(|| Err("nobody has asked the query engine".to_owned()))
}
