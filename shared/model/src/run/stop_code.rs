//! The stable codes of a run's failure, of a person request's failure, and of errors that a step retries.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Declares the codes. The doc comment of each variant is its explanation, so the reference page cannot diverge from it.
macro_rules! stop_codes {
    ($($(#[doc = $explanation:literal])+ $variant:ident = $code:literal,)+) => {
        /// Says why a step stopped or is retried. Serialised as a `snake_case` string.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum StopCode {
            $($(#[doc = $explanation])+ #[serde(rename = $code)] $variant,)+
            /// Another version of Segment Relay wrote a code that this version does not know. Read the text beside it.
            #[serde(rename = "unknown", other)]
            Unknown,
        }

        impl StopCode {
            /// Every code, in the order of the reference page.
            pub const ALL: &[Self] = &[$(Self::$variant,)+ Self::Unknown];

            /// Returns the code as it appears in runs, reports, logs and the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                    Self::Unknown => "unknown",
                }
            }

            /// Returns when the code occurs and what to do about it.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($explanation),+).trim_ascii(),)+
                    Self::Unknown => {
                        "Another version of Segment Relay wrote a code that this version does not know. Read the text \
                         beside it."
                    }
                }
            }
        }
    };
}

stop_codes! {
    // Definitions and consent.
    /// A stored definition is not valid JSON of its kind. Save it again.
    CatalogMalformed = "catalog_malformed",
    /// A field of a definition has an invalid value. Correct the field that the text names.
    CatalogFieldInvalid = "catalog_field_invalid",
    /// A definition refers to another one that does not exist. Create it, or correct the reference.
    CatalogMissing = "catalog_missing",
    /// The connection has no consent, so no data may leave through it. Record the consent on the connection.
    ConsentMissing = "consent_missing",
    /// The export violates a data usage policy. Change the mapping, the segment or the policy that the text names.
    PolicyViolated = "policy_violated",
    /// The mapping names a field that the destination does not have. Correct the mapping.
    MappingUnknownField = "mapping_unknown_field",
    /// The mapping names an attribute that the segment does not have. Correct the mapping or the segment's query.
    MappingUnknownAttribute = "mapping_unknown_attribute",
    /// Two attributes are mapped to one field. Remove one of them.
    MappingSameField = "mapping_same_field",

    // Queries and sources.
    /// The segment's query is empty. Write one SELECT.
    QueryEmpty = "query_empty",
    /// The segment's query is longer than the limit. Shorten it, or move a part of it to a table of the lake.
    QueryTooLong = "query_too_long",
    /// The segment's query has a syntax error. Correct it at the line and column in the text.
    QuerySyntax = "query_syntax",
    /// The segment's query has several statements. Keep one SELECT.
    QuerySeveralStatements = "query_several_statements",
    /// The segment's query is not a SELECT. WITH and UNION are allowed, other statements are not.
    QueryNotASelect = "query_not_a_select",
    /// The segment's query is nested too deeply. Split it into named parts (WITH).
    QueryTooDeep = "query_too_deep",
    /// The segment's query names a source that is not declared. Declare the source, or correct its name.
    QueryUnknownSource = "query_unknown_source",
    /// The segment's query names a column that does not exist. Correct the name.
    QueryUnknownColumn = "query_unknown_column",
    /// The segment's query names a column that several tables have. Write it as table.column.
    QueryAmbiguousColumn = "query_ambiguous_column",
    /// The segment's query is valid SQL, but it cannot be planned. Change what the text names.
    QueryNotPlannable = "query_not_plannable",
    /// The result of the segment's query has two columns of the same name. Rename one of them with AS.
    QueryDuplicateColumn = "query_duplicate_column",
    /// The result of the segment's query lacks the member key. Select it.
    QueryMemberKeyMissing = "query_member_key_missing",
    /// The result of the segment's query lacks a mapped attribute. Select it, or remove it from the mapping.
    QueryAttributeMissing = "query_attribute_missing",
    /// A mapped column is called `member_key` and is not the member key. Rename it with AS.
    QueryReservedColumn = "query_reserved_column",
    /// A column has a type that cannot be exported, such as a list. Convert it as the text says.
    QueryUnsupportedColumn = "query_unsupported_column",
    /// The query met a value that it cannot process, such as a text that is not a number. Change the expression.
    QueryBadValue = "query_bad_value",
    /// The query needs more memory than the snapshot function has. Filter earlier, or select fewer columns.
    QueryOutOfMemory = "query_out_of_memory",
    /// The query needs more temporary disk space than the snapshot function has. Filter before joining or sorting.
    QueryOutOfDisk = "query_out_of_disk",
    /// The query exceeded its time limit. Check its join conditions.
    QueryTimeLimit = "query_time_limit",
    /// The query engine failed. The step is retried; if it fails again, report it with the log.
    QueryEngineFailed = "query_engine_failed",
    /// The name of a source is not an identifier. Rename the source.
    SourceNameInvalid = "source_name_invalid",
    /// The deployment cannot read the source's bucket. Add the bucket to the deployment's parameters.
    SourceBucketUnreachable = "source_bucket_unreachable",
    /// No object of the source's format exists under its prefix. Correct the prefix, or write the table.
    SourceMissing = "source_missing",
    /// The source's bucket does not exist. Correct the source.
    SourceBucketMissing = "source_bucket_missing",
    /// The snapshot function's role may not read the source. Grant it s3:ListBucket and s3:GetObject.
    SourceAccessDenied = "source_access_denied",
    /// The source's prefix holds something that its format does not allow. The text says what.
    SourceInvalid = "source_invalid",
    /// An object of the source does not match its format or schema. Write the object again.
    SourceObjectInvalid = "source_object_invalid",
    /// An object of the source changed while it was read. The step is retried; if it fails again, start a run later.
    SourceChanged = "source_changed",
    /// The source's bucket does not respond. The step is retried; if it fails again, start a run later.
    SourceUnavailable = "source_unavailable",

    // Snapshots and uploads.
    /// The snapshot could not be written to the temporary disk. The step is retried; give the function more storage.
    SnapshotNotWritten = "snapshot_not_written",
    /// The snapshot could not be read from the temporary disk. The step is retried.
    SnapshotUnreadable = "snapshot_unreadable",
    /// A stored snapshot is damaged or not sorted. Start a new run.
    SnapshotDamaged = "snapshot_damaged",
    /// A stored snapshot manifest is damaged. Start a new run, or upload the file again.
    ManifestDamaged = "manifest_damaged",
    /// A snapshot manifest could not be serialised. This is an internal error: report it with the log.
    ManifestUnwritable = "manifest_unwritable",
    /// The segment is a custom upload and has no file yet. Upload one.
    SegmentNeverUploaded = "segment_never_uploaded",
    /// The segment's custom upload has expired. Upload a new file.
    UploadExpired = "upload_expired",
    /// The uploaded file could not be read to its end. The step is retried.
    UploadUnreadable = "upload_unreadable",
    /// Reading the uploaded file panicked. The step is retried; if it fails again, report it with the log.
    UploadPanicked = "upload_panicked",
    /// Writing the members for a download panicked. This is an internal error: report it with the log.
    DownloadPanicked = "download_panicked",
    /// A stored answer of the query engine is damaged. Send the request again.
    AnswerDamaged = "answer_damaged",
    /// The query engine gave an answer of another kind than the request. This is an internal error: report it with the log.
    AnswerMismatched = "answer_mismatched",
    /// An answer of the query engine could not be serialised. This is an internal error: report it with the log.
    AnswerUnwritable = "answer_unwritable",

    // Caps, guards and target lists.
    /// The export has more profiles than its cap. Narrow its segments, or set `cap.over` to `truncate`.
    CapExceeded = "cap_exceeded",
    /// The removal that the guard held was refused, so nothing was sent. Correct the segment and start a new run.
    RemovalRefused = "removal_refused",
    /// Two segments name one target list in two spellings. Write its id the same way for both.
    ListNamedTwice = "list_named_twice",
    /// The target list belongs to another export. Put both segments into one export.
    ListTaken = "list_taken",

    // Connections and destinations.
    /// The HTTP client could not be created. This is an error of the deployment: report it with the log.
    HttpClient = "http_client",
    /// The configured address of a destination is not allowed. Correct the deployment's parameters.
    EndpointInvalid = "endpoint_invalid",
    /// The function was deployed without a destination's address. Deploy it again from the template.
    EndpointMissing = "endpoint_missing",
    /// The destination did not respond to a connection test in time. Try again.
    DestinationSlow = "destination_slow",
    /// The settings of the connection or the options of the export are invalid. Correct what the text names.
    SettingsInvalid = "settings_invalid",
    /// The destination rejects the credentials, or none are stored. Store new credentials.
    AuthenticationFailed = "authentication_failed",
    /// The credentials lack a permission. Grant it at the destination.
    PermissionMissing = "permission_missing",
    /// The target list does not exist, or the credentials cannot see it. Create it, or choose another list.
    ListMissing = "list_missing",
    /// The destination throttles the calls. The step is retried; the next run sends what is left.
    RateLimited = "rate_limited",
    /// The destination's daily quota is spent. The run continues when the quota is reset.
    QuotaSpent = "quota_spent",
    /// The destination is busy with another job. The step is retried; the next run sends what is left.
    DestinationBusy = "destination_busy",
    /// The request is larger than the destination accepts. Map fewer or shorter fields.
    RequestTooLarge = "request_too_large",
    /// The destination rejects the request as a whole. The text has the destination's reason.
    RequestInvalid = "request_invalid",
    /// The destination did not respond in time. The step is retried; the next run sends what is left.
    Timeout = "timeout",
    /// The destination is unavailable. The step is retried; the next run sends what is left.
    DestinationUnavailable = "destination_unavailable",
    /// The destination sent a response that its documentation does not describe. Report it with the log.
    AnswerUnknown = "answer_unknown",

    // The progress of a run.
    /// A step did not end within its time, although it was retried. Give its function more memory or time.
    StepNeverEnds = "step_never_ends",
    /// The run is in another state than the step expects. The step is retried.
    StepIncomplete = "step_incomplete",
    /// Batches returned no results for a day, so their rows are deferred. Look into the dead-letter queue.
    BatchesLost = "batches_lost",
    /// The worker of a batch died in each attempt, so its rows are deferred. Look into the worker's log.
    WorkerKeepsDying = "worker_keeps_dying",
    /// The run changed its state while it was canceled. Cancel it again.
    RunMoves = "run_moves",
    /// The results of the run to retry have been deleted. Start a run of the whole export instead.
    RetryExpired = "retry_expired",
    /// A batch has fewer results than rows. The batch is retried.
    ResultsIncomplete = "results_incomplete",
    /// The outcomes of the run do not add up to its rows, so the delivered state stays as it was. Report it with the log.
    AccountsDoNotAddUp = "accounts_do_not_add_up",
    /// The delivered state of a target list changed while the run was under way. Start a new run.
    DeliveredStateMoved = "delivered_state_moved",

    // Stored objects.
    /// A stored object does not exist. It may have been deleted by the bucket's lifecycle: start a new run.
    ObjectMissing = "object_missing",
    /// The definitions that the run began with are not stored. Start a new run.
    DefinitionMissing = "definition_missing",
    /// The definitions that the run began with cannot be read. Start a new run.
    DefinitionDamaged = "definition_damaged",
    /// The definitions of the run could not be serialised. This is an internal error: report it with the log.
    DefinitionUnwritable = "definition_unwritable",
    /// The findings of a dry run cannot be read. Start a new dry run.
    FindingsDamaged = "findings_damaged",
    /// The findings of a dry run could not be serialised. This is an internal error: report it with the log.
    FindingsUnwritable = "findings_unwritable",
    /// The plan of a run cannot be read. Start a new run.
    PlanDamaged = "plan_damaged",
    /// The plan of a run could not be serialised. This is an internal error: report it with the log.
    PlanUnwritable = "plan_unwritable",
    /// A prepared target list could not be serialised. This is an internal error: report it with the log.
    TargetUnwritable = "target_unwritable",
    /// The job of a batch could not be serialised. This is an internal error: report it with the log.
    JobUnwritable = "job_unwritable",
    /// The report of a run could not be serialised. This is an internal error: report it with the log.
    ReportUnwritable = "report_unwritable",
    /// A queue message could not be serialised. This is an internal error: report it with the log.
    MessageUnwritable = "message_unwritable",
    /// A queue message cannot be read. Another version may have sent it: start a new run.
    MessageMalformed = "message_malformed",
    /// A stored batch cannot be read. Start a new run.
    BatchDamaged = "batch_damaged",
    /// The stored results of a batch do not match its rows. Start a new run.
    ResultsDamaged = "results_damaged",
    /// A stored row that needed no call cannot be read. Start a new run.
    SettledDamaged = "settled_damaged",
    /// A temporary file of the delta cannot be read. Start a new run.
    SpoolDamaged = "spool_damaged",
    /// The delivered state of a target list is damaged. Restore the object from its earlier version.
    DeliveredStateDamaged = "delivered_state_damaged",

    // The deployment.
    /// An AWS service did not respond, or refused the call. The step is retried; check the function's role.
    CloudUnavailable = "cloud_unavailable",
    /// An item of the ledger cannot be read. Report it with the log.
    LedgerDamaged = "ledger_damaged",
    /// The ledger did not respond, or refused the call. The step is retried; check the function's role.
    LedgerUnavailable = "ledger_unavailable",
    /// The temporary disk failed or is full. The step is retried; give the function more temporary storage.
    Disk = "disk",
    /// The clock's time is outside of the supported range. The step is retried.
    Clock = "clock",
    /// The operating system returned no random bytes. The step is retried.
    Randomness = "randomness",
    /// Computing the delta panicked. This is an internal error: report it with the log.
    DeltaPanicked = "delta_panicked",
    /// Counting the members panicked. This is an internal error: report it with the log.
    CountPanicked = "count_panicked",
    /// Merging the outcomes panicked. This is an internal error: report it with the log.
    MergePanicked = "merge_panicked",
    /// Reading the results of the run to retry panicked. This is an internal error: report it with the log.
    RetryPanicked = "retry_panicked",

    // Privacy.
    /// The key of the exclusions is missing. Restore the object that the text names.
    ExclusionKeyMissing = "exclusion_key_missing",
    /// The key of the exclusions is damaged. Restore the object that the text names.
    ExclusionKeyDamaged = "exclusion_key_damaged",
    /// There are more exclusions than a function can hold in memory. The text has the limit.
    TooManyExclusions = "too_many_exclusions",
    /// The Idempotency-Key was used for another request about a person. Use a new key.
    IdempotencyKeyReused = "idempotency_key_reused",
    /// A stored request about a person cannot be read. Make the request again.
    RequestDamaged = "request_damaged",
    /// A request about a person could not be serialised. This is an internal error: report it with the log.
    RequestUnwritable = "request_unwritable",
    /// The stored state of a request about a person cannot be read. Make the request again.
    StateDamaged = "state_damaged",
    /// The state of a request about a person could not be serialised. This is an internal error: report it with the log.
    StateUnwritable = "state_unwritable",
    /// A stored list of rejected rows cannot be read. Delete the object, which is in the log.
    RejectedDamaged = "rejected_damaged",
    /// Searching for a person panicked. Make the request again; if it fails again, report it with the log.
    SearchPanicked = "search_panicked",
    /// More records are kept about the person than one document may have. The text has the limit.
    TooManyRecords = "too_many_records",
    /// The request about a person exceeded the time of one invocation. Give the function more memory.
    TookTooLong = "took_too_long",
    /// The records found about a person could not be serialised. This is an internal error: report it with the log.
    FoundUnwritable = "found_unwritable",
}

impl fmt::Display for StopCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_a_distinct_snake_case_string_with_an_explanation() {
        let mut seen = BTreeSet::new();
        for code in StopCode::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} is there twice");
            assert!(text.chars().all(|one| one.is_ascii_lowercase() || one == '_'), "{text}");
            let explanation = code.explanation();
            assert!(explanation.ends_with('.') && explanation.trim() == explanation, "{text}: {explanation}");
            let stored = serde_json::to_string(code).unwrap();
            assert_eq!(stored, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<StopCode>(&stored).unwrap(), *code);
        }
    }

    #[test]
    fn a_code_of_another_version_is_unknown() {
        assert_eq!(serde_json::from_str::<StopCode>("\"of_next_year\"").unwrap(), StopCode::Unknown);
    }
}
