//! Data governance when definitions are saved: an export that breaks a rule is refused, with the lineage of the data.
//!
//! Each run checks its export again, so a segment that cannot be checked now yields a warning and not an error.

mod change_check;
mod columns;
mod readings;
mod refusal;

pub(crate) use change_check::{Change, check_change};

use crate::Api;
use crate::problem::Problem;
use readings::{Answer, Question};
use refusal::{Place, refuse};
use relay_model::catalog::{Connection, Export, Policy, Segment, Source};
use relay_model::governance::{Case, ColumnsRead, Violation};
use relay_model::{ConnectionId, ExportId, MarketingAction, SegmentId};
use std::collections::{BTreeMap, BTreeSet};

/// The policies, and the definitions that they are checked against.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// The sources by id.
    pub(crate) sources: BTreeMap<String, Source>,
    /// The segments that the exports use.
    pub(crate) segments: BTreeMap<SegmentId, Segment>,
    /// The connections of the exports.
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    /// The policies.
    pub(crate) policies: Vec<Policy>,
}

/// The result of checking exports against the rules.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// The rules that the exports break.
    pub(crate) violations: Vec<Violation>,
    /// The segments that cannot be checked now and may break a rule.
    pub(crate) unknown: Vec<Unknown>,
}

/// A segment of an export whose column lineage is not available.
#[derive(Debug)]
pub(crate) struct Unknown {
    pub(crate) segment: SegmentId,
    pub(crate) export: ExportId,
    pub(crate) why: String,
}

impl Findings {
    /// Returns one warning for each segment that could not be checked.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warning = |unknown: &Unknown| {
            let Unknown { segment, export, why } = unknown;
            format!(
                "the policies were not checked for segment \"{segment}\" of export \"{export}\": {why}; the next run \
                 checks them before it sends anything"
            )
        };
        self.unknown.iter().map(warning).collect()
    }
}

impl Rules {
    /// Returns whether any column has a label. Without labels, no rule can be broken.
    fn has_labels(&self) -> bool {
        self.sources.values().any(|source| !source.data_labels.is_empty())
            || self.segments.values().filter_map(Segment::upload).any(|upload| !upload.data_labels.is_empty())
    }

    /// Combines an export with the rules that apply to it.
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

    /// Returns the segments of an export, each once. Segments that are missing from the catalog are left out; other checks
    /// report them.
    pub(crate) fn segments_of<'a>(&'a self, export: &Export) -> impl Iterator<Item = &'a Segment> {
        let ids: BTreeSet<&SegmentId> = export.segments.iter().map(|entry| &entry.segment).collect();
        let found: Vec<&Segment> = ids.into_iter().filter_map(|id| self.segments.get(id)).collect();
        found.into_iter()
    }
}

/// Refuses an enabled export that breaks a rule. For a disabled export, the violations are warnings.
pub(crate) async fn check_export_policies(api: &Api, export: &Export) -> Result<Vec<String>, Problem> {
    let data = data_of(api, export).await?;
    if !data.has_labels() {
        return Ok(Vec::new());
    }
    let rules = with_policies(api, data, export).await?;
    let findings = find_violations(api, &rules, std::slice::from_ref(export)).await;
    let mut warnings = findings.warnings();
    if export.enabled {
        refuse(&findings.violations, Place::Export(export))?;
    } else {
        let warning = |violation: &Violation| format!("the export cannot be enabled as it is: {violation}");
        warnings.extend(findings.violations.iter().map(warning));
    }
    Ok(warnings)
}

/// Reads the rules that apply to one export.
pub(crate) async fn rules_of(api: &Api, export: &Export) -> Result<Rules, Problem> {
    let data = data_of(api, export).await?;
    with_policies(api, data, export).await
}

/// Reads the sources by id. Unreadable sources are left out: the check of the segments that read them reports them.
async fn readable_sources(api: &Api) -> Result<BTreeMap<String, Source>, Problem> {
    let readable = api.requests.catalog.list::<Source>().await?.into_iter().flatten();
    Ok(readable.map(|saved| (saved.document.id.to_string(), saved.document)).collect())
}

/// Reads every policy. An unreadable policy is an error, because it may be the one that is broken.
async fn policies(api: &Api) -> Result<Vec<Policy>, Problem> {
    let all = api.requests.catalog.list::<Policy>().await?.into_iter();
    Ok(all.map(|saved| saved.map(|saved| saved.document)).collect::<Result<_, _>>()?)
}

/// Reads the sources and the segments of an export, which show whether any column has a label.
async fn data_of(api: &Api, export: &Export) -> Result<Rules, Problem> {
    let mut rules = Rules { sources: readable_sources(api).await?, ..Rules::default() };
    let ids: BTreeSet<&SegmentId> = export.segments.iter().map(|entry| &entry.segment).collect();
    for id in ids {
        if let Some(saved) = api.requests.catalog.find::<Segment>(id.as_str()).await? {
            rules.segments.insert(id.clone(), saved.document);
        }
    }
    Ok(rules)
}

/// Adds the policies and the export's connection.
async fn with_policies(api: &Api, data: Rules, export: &Export) -> Result<Rules, Problem> {
    let mut rules = Rules { policies: policies(api).await?, ..data };
    if let Some(id) = &export.connection
        && let Some(saved) = api.requests.catalog.find::<Connection>(id.as_str()).await?
    {
        rules.connections.insert(id.clone(), saved.document);
    }
    Ok(rules)
}

/// Checks exports against the rules. Asks the query engine only for segments that could break a rule and whose lineage is
/// not stored yet.
async fn find_violations(api: &Api, rules: &Rules, exports: &[Export]) -> Findings {
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
    let answers = api.readings(&rules.sources, &questions).await;
    let mut findings = Findings::default();
    for (case, segment) in suspects {
        match columns_read(&case, segment, &answers) {
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

/// Returns the column lineage of each segment of an export, or why it is not available.
pub(crate) async fn lineage_of(
    api: &Api,
    rules: &Rules,
    export: &Export,
) -> BTreeMap<SegmentId, Result<ColumnsRead, String>> {
    let case = rules.case(export);
    let segments: Vec<&Segment> = rules.segments_of(export).collect();
    let asked = segments.iter().filter(|segment| segment.upload().is_none());
    let questions = asked.map(|segment| (Question::of(segment, export), *segment)).collect();
    let answers = api.readings(&rules.sources, &questions).await;
    let read = |segment: &Segment| (segment.id.clone(), columns_read(&case, segment, &answers));
    segments.into_iter().map(read).collect()
}

fn columns_read(
    case: &Case<'_>,
    segment: &Segment,
    answers: &BTreeMap<Question, Answer>,
) -> Result<ColumnsRead, String> {
    if let Some(read) = case.read_of_upload(segment) {
        return Ok(read);
    }
    let answer = answers.get(&Question::of(segment, case.export));
    answer.cloned().unwrap_or_else(|| Err("the query engine was not asked".to_owned()))
}
