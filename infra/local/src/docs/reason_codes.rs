//! The page of reason codes. `SECTIONS` is the one table of them; a test compares it with the sources.

use super::markdown::{append, code, table};

/// A code with its effect, its meaning and what to do about it.
pub(super) type Entry = (&'static str, &'static str, &'static str, &'static str);

/// Codes that belong together.
pub(super) struct Section {
    /// The heading.
    title: &'static str,
    /// What the codes have in common, and where they are shown.
    about: &'static str,
    /// The codes.
    pub(super) entries: &'static [Entry],
}

const INTRODUCTION: &str = "# Reason codes

A row that was not applied carries a code and a sentence, in `rejected.csv` and in the report's totals. A run that failed
carries a code and a sentence in `failure`. Codes are stable; sentences are for people and may change. Effects on a row are
explained in [Outcomes](../concepts/outcomes.md): `skipped`, `rejected` and `deferred`. Effects on a run: *stops* ends the
run as failed, *retries* repeats the step on its own.
";

#[rustfmt::skip] // One entry per line.
pub(super) const SECTIONS: &[Section] = &[
    Section {
        title: "Rows: checks before sending",
        about: "Segment Relay settles these rows itself; the destination never sees them.",
        entries: &[
            ("match_key_missing", "skipped", "The profile has no value for the match key.", "Complete the profile, or filter it out in the segment."),
            ("match_key_invalid", "rejected", "The match key contains control characters.", "Correct the value in the lake."),
            ("match_key_too_long", "rejected", "The match key is longer than the destination's field.", "Correct the value in the lake."),
            ("match_key_not_a_number", "rejected", "The match key is not a whole number above zero.", "Map the destination's own id as match key."),
            ("match_key_not_a_guid", "rejected", "The match key is not a GUID.", "Map the contact id of Dynamics 365 Sales as match key."),
            ("match_key_taken_over", "skipped", "A former member's match key now belongs to another member, so the person stays on the list.", "Nothing."),
            ("email_invalid", "rejected", "The e-mail address is not valid.", "Correct the address in the lake."),
            ("email_too_long", "rejected", "The e-mail address is longer than 254 bytes.", "Correct the address in the lake."),
            ("email_not_ascii", "rejected", "The e-mail address has characters that the destination does not accept.", "Use the ASCII form of the address."),
            ("duplicate_member", "skipped", "An earlier segment of the export has the member for the same target list.", "Nothing; the member is sent once."),
            ("duplicate_match_key", "skipped", "Another member has the same match key for the same list. The first by member key is sent.", "Merge the two profiles."),
            ("duplicate_member_row", "skipped", "The query returned several rows with one member key. The first is sent.", "Make the query return one row per member."),
            ("member_key_missing", "rejected", "The query returned rows without a member key. The report counts them; `rejected.csv` cannot list them.", "Exclude such rows in the query."),
            ("over_cap", "skipped", "The member comes after the first members that `cap: {over: truncate}` lets through.", "Narrow the segment, or split the export."),
            ("value_missing", "rejected", "A field that is mapped with `if_null: reject` has no value.", "Complete the profile, or choose `omit` or `clear`."),
            ("value_too_long", "rejected", "A value is longer than its field.", "Shorten it, or map it with `if_invalid: truncate`."),
            ("value_not_a_number", "rejected", "A value is not a number.", "Correct it, or map it with `if_invalid: omit`."),
            ("value_not_an_integer", "rejected", "A value is not a whole number that the field can hold.", "Correct it, or map it with `if_invalid: omit`."),
            ("value_not_a_boolean", "rejected", "A value is neither true nor false.", "Correct it, or map it with `if_invalid: omit`."),
            ("value_not_a_date", "rejected", "A value is not a date that the field accepts.", "Write dates as `YYYY-MM-DD`."),
            ("value_not_a_moment", "rejected", "A value is not a time with its zone.", "Write times as `2026-02-28T10:00:00Z`."),
            ("value_not_an_option", "rejected", "A value is not one of the field's options.", "Add the option at the destination, or correct the value."),
            ("value_not_an_email", "rejected", "A value of an e-mail field is not an address in ASCII.", "Correct it, or map it with `if_invalid: omit`."),
            ("row_too_large", "rejected", "The row alone is larger than a request may be.", "Map fewer or shorter attributes."),
            ("not_sent", "deferred", "The row's batch had no result when the run ended.", "Nothing; the next run sends the row again."),
            ("run_canceled", "deferred", "The run was canceled before the destination acknowledged the row.", "Nothing; the next run sends it again."),
        ],
    },
    Section {
        title: "Rows: Marketo Engage",
        about: "`marketo_NNNN` is the code that Marketo returned for the row. Codes without an entry are deferred.",
        entries: &[
            ("marketo_1001", "rejected", "A value has the wrong type.", "Correct the value or the mapping."),
            ("marketo_1003", "rejected", "Marketo does not accept a value.", "Correct the value that the reason names."),
            ("marketo_1004", "skipped", "The person is not in Marketo, or not visible to the API user.", "Expected with `match_only`. Otherwise check the API user's workspaces."),
            ("marketo_1006", "rejected", "The account has no such field.", "Correct the mapping."),
            ("marketo_1007", "rejected", "Several people in Marketo have this match key.", "Merge them in Marketo."),
            ("marketo_1008", "rejected", "The API user may not see the partition of the person.", "Give its role access to the partition."),
            ("marketo_1010", "rejected", "The person is in another partition than the export's.", "Check `options.partition`."),
            ("marketo_1018", "rejected", "The account's CRM owns the person's record.", "Change the person in the CRM."),
            ("marketo_1021", "rejected", "Company fields cannot be written with people.", "Remove them from the mapping."),
            ("marketo_1036", "deferred", "The request contained the person twice.", "Nothing; the next run sends the row again."),
            ("marketo_1077", "rejected", "A value is longer than its field.", "Shorten it, or map it with `if_invalid: truncate`."),
            ("marketo_import_refused", "rejected", "A bulk import refused the row.", "Correct the field that the reason names."),
            ("failure_not_named", "deferred", "The destination reported failures without saying which rows failed.", "Nothing; the next run sends the rows again."),
            ("answer_incomplete", "deferred", "The response does not say what became of the row.", "Nothing; the next run sends the row again."),
            ("key_has_comma", "rejected", "The match key contains a comma, which separates values in Marketo's lookup.", "Use a match key without commas."),
        ],
    },
    Section {
        title: "Rows: Campaign Monitor",
        about: "`campaign_monitor_NNN` is the code that Campaign Monitor returned for the row. Codes without an entry are deferred.",
        entries: &[
            ("campaign_monitor_1", "rejected", "Campaign Monitor does not accept the e-mail address.", "Correct the address in the lake."),
            ("campaign_monitor_204", "skipped", "The person is on the suppression list.", "Nothing; they are not put back."),
            ("campaign_monitor_205", "skipped", "The person was deleted from the list, not by an export.", "Add them at Campaign Monitor if they are to return."),
            ("campaign_monitor_206", "skipped", "The person has unsubscribed from the list.", "Nothing; they are not put back."),
            ("campaign_monitor_207", "skipped", "Mail to the person has bounced.", "Correct the address."),
            ("campaign_monitor_208", "skipped", "The person has not yet confirmed the subscription.", "Nothing; the next run tries again."),
            ("campaign_monitor_220", "rejected", "The mobile number is not in international form.", "Correct the number."),
            ("campaign_monitor_221", "rejected", "Neither the e-mail address nor the mobile number is accepted.", "Correct both."),
            ("campaign_monitor_unsubscribed", "skipped", "A former member has unsubscribed, so the removal leaves them as they are.", "Nothing."),
            ("campaign_monitor_bounced", "skipped", "A former member's mail has bounced, so the removal leaves them as they are.", "Nothing."),
            ("campaign_monitor_suppressed", "skipped", "A former member is on the suppression list, so the removal leaves them as they are.", "Nothing."),
        ],
    },
    Section {
        title: "Rows: Omnisend",
        about: "`omnisend_NNN` is the HTTP status of the item in its batch. Statuses without an entry are deferred.",
        entries: &[
            ("omnisend_400", "rejected", "Omnisend does not accept the contact.", "See Store settings, API issues at Omnisend for the field."),
            ("omnisend_422", "rejected", "Omnisend does not accept the contact.", "See Store settings, API issues at Omnisend for the field."),
            ("omnisend_not_told", "deferred", "The batch ended without a result for the contact.", "Nothing; the next run sends it again."),
            ("omnisend_too_late", "deferred", "The batch did not end in time.", "Nothing, or raise `gives_up_after_minutes`."),
            ("omnisend_too_many_tags", "rejected", "The contact has as many tags as one request may contain.", "Remove tags from the contact."),
            ("omnisend_tag_stays", "deferred", "Omnisend kept the tag although the contact was written without it.", "Use the dialect `2026-03-15`."),
        ],
    },
    Section {
        title: "Rows: Dynamics 365 Sales",
        about: "`dynamics365_sales_XXXXXXXX` is Dataverse's error code in hexadecimal.",
        entries: &[
            ("not_in_sales", "skipped", "There is no contact with this id. Exports never create contacts.", "Create the contact in Dynamics 365 Sales."),
            ("contact_inactive", "skipped", "The contact is inactive.", "Activate it in Dynamics 365 Sales."),
            ("dynamics365_sales_80040203", "rejected", "Dataverse does not accept the contact.", "See the reason's text."),
            ("dynamics365_sales_80040265", "rejected", "A plug-in of the organisation refused the change.", "Ask the organisation's administrator."),
            ("dynamics365_sales_80048306", "rejected", "The application user has no access to the contact.", "Give its security role organisation level."),
        ],
    },
    Section {
        title: "Calls to a destination",
        about: "A run stops with one of these codes when every row is affected. A row is deferred with it when only its batch is.",
        entries: &[
            ("settings_invalid", "stops", "The settings of the connection or the options of the export are wrong.", "Correct the field that the text names."),
            ("authentication_failed", "stops", "The credentials are missing or not accepted.", "Store valid ones: `segment-relay connections credentials ID`."),
            ("permission_missing", "stops", "The credentials lack a right.", "Grant the right that the text names."),
            ("list_missing", "stops", "The target list does not exist.", "Check the id of the list."),
            ("rate_limited", "retries", "Too many calls in too short a time.", "Nothing, or lower `rate` if other integrations share the account."),
            ("quota_spent", "waits", "The calls of the day are used up. The run continues after the destination's reset.", "Nothing, or set `daily_calls`."),
            ("destination_busy", "retries", "The destination has to finish something first, or the list is locked.", "Nothing; for a locked list, unlock it."),
            ("request_too_large", "stops", "The request is larger than the destination accepts.", "Lower the connection's limit that the text names."),
            ("request_invalid", "stops", "The destination does not accept the request, and no row is to blame.", "Report it with the run's id."),
            ("timeout", "retries", "No response in time.", "Nothing."),
            ("destination_unavailable", "retries", "The destination cannot respond now.", "Nothing."),
            ("answer_unknown", "retries", "The response is not one that the destination documents.", "Check the address of the connection."),
        ],
    },
    Section {
        title: "Runs: definitions and limits",
        about: "These end a run until a definition is changed or an operator acts.",
        entries: &[
            ("cap_exceeded", "stops", "More profiles than the cap. Nothing was sent.", "Narrow the segments, or set `cap: {over: truncate}`."),
            ("removal_refused", "stops", "An operator rejected the removals of a held run. Nothing was sent.", "Check the segment."),
            ("consent_missing", "stops", "The connection has no consent.", "`segment-relay connections consent ID --text TEXT`."),
            ("policy_violated", "stops", "The export uses data that a policy forbids.", "Change the mapping, the query or the policy that the text names."),
            ("list_taken", "stops", "The target list belongs to another export.", "Put both segments into one export."),
            ("list_named_twice", "stops", "Two spellings in one export are the same list.", "Write the list's id in the same way."),
            ("mapping_unknown_field", "stops", "The destination has no such field.", "Correct the mapping."),
            ("mapping_unknown_attribute", "stops", "The segment has no such attribute.", "Add the column to the query."),
            ("mapping_same_field", "stops", "Two attributes are mapped to one field.", "Remove one."),
            ("segment_never_uploaded", "stops", "A custom upload has no usable file yet.", "Put a file under `uploads/SEGMENT/`."),
            ("upload_expired", "stops", "The upload has expired.", "Put a new file."),
            ("retry_expired", "stops", "The results of the run to retry have been deleted.", "Start an ordinary run."),
            ("catalog_malformed", "stops", "A definition is not valid.", "Save it again."),
            ("catalog_field_invalid", "stops", "A field of a definition is not valid.", "Correct the field that the text names."),
            ("catalog_missing", "stops", "A definition that another one names does not exist.", "Create it, or remove the reference."),
            ("definition_missing", "stops", "The definitions as the run found them are gone.", "Start another run."),
            ("endpoint_missing", "stops", "The function was deployed without the address of Campaign Monitor.", "Set the parameter `CampaignMonitorEndpoint`."),
            ("endpoint_invalid", "stops", "An address is not valid.", "Correct the parameter or the setting."),
            ("too_many_exclusions", "stops", "More people would be excluded than the limit.", "Lift exclusions of people who are no longer in the lake."),
            ("exclusion_key_missing", "stops", "The key of the exclusions is not in the data bucket.", "Restore the object, or lift all erasures and request them again."),
            ("exclusion_key_damaged", "stops", "The key of the exclusions is damaged.", "Restore the object."),
        ],
    },
    Section {
        title: "Runs: queries and sources",
        about: "Saving a segment reports most of these before any run.",
        entries: &[
            ("query_empty", "stops", "The query is empty.", "Write one `SELECT`."),
            ("query_not_a_select", "stops", "The statement is not a `SELECT`.", "Write one `SELECT`; `WITH` and `UNION` are allowed."),
            ("query_several_statements", "stops", "The text has several statements.", "Keep one."),
            ("query_syntax", "stops", "The query has a syntax error.", "Correct it at the position that the text names."),
            ("query_too_deep", "stops", "The query is nested too deeply.", "Split it with `WITH`."),
            ("query_too_long", "stops", "The query is too long.", "Shorten it."),
            ("query_unknown_source", "stops", "The query names a table that is not a source.", "Declare the source."),
            ("query_unknown_column", "stops", "No table in scope has the column.", "Use one of the columns that the text lists."),
            ("query_ambiguous_column", "stops", "Several tables have the column.", "Qualify it: `table.column`."),
            ("query_not_plannable", "stops", "The query cannot be planned.", "Follow the planner's message."),
            ("query_duplicate_column", "stops", "The result has two columns with one name.", "Rename one with `AS`."),
            ("query_member_key_missing", "stops", "The member key is not in the result.", "Select it."),
            ("query_attribute_missing", "stops", "A mapped attribute is not in the result.", "Select it, or remove the mapping."),
            ("query_reserved_column", "stops", "An attribute is named `member_key` and is not the member key.", "Rename it with `AS`."),
            ("query_unsupported_column", "stops", "A column is a list, a structure or binary.", "Extract a scalar value."),
            ("query_bad_value", "stops", "An operation met a value that it cannot process.", "Use `TRY_CAST`, or filter the value out."),
            ("query_out_of_memory", "stops", "The query needs more memory than allowed.", "Filter earlier, or raise `SnapshotMemoryMegabytes`."),
            ("query_out_of_disk", "stops", "The query needs more temporary disk than allowed.", "Filter earlier, or raise `SnapshotStorageMegabytes`."),
            ("query_time_limit", "stops", "The query did not finish in time.", "Check the join conditions."),
            ("query_engine_failed", "retries", "The query engine failed; the query is not the cause.", "Report it if it persists."),
            ("rules_wrong_type", "stops", "An operator does not fit the type of its column.", "Use an operator that the text names."),
            ("source_missing", "stops", "There are no objects of the format under the source's location.", "Check the location and the format."),
            ("source_bucket_missing", "stops", "The bucket does not exist.", "Check the location."),
            ("source_bucket_unreachable", "stops", "This deployment cannot read the bucket.", "Use the bucket of `LakeBucketName`."),
            ("source_access_denied", "stops", "The snapshot function may not read the location.", "Grant it `s3:ListBucket` and `s3:GetObject`, and the KMS key (`LakeKeyArn`)."),
            ("source_invalid", "stops", "The location holds something other than plain objects of the format.", "Follow the text."),
            ("source_object_invalid", "stops", "An object is not what the source's format says.", "Replace or move the object."),
            ("source_name_invalid", "stops", "The name of a source is not an identifier.", "Rename the source."),
            ("source_changed", "retries", "An object was replaced during reading.", "Nothing."),
            ("source_unavailable", "retries", "S3 does not respond.", "Nothing."),
            ("snapshot_not_written", "retries", "The snapshot could not be written to the temporary disk.", "Raise `SnapshotStorageMegabytes` if it persists."),
        ],
    },
    Section {
        title: "Runs: the service itself",
        about: "Failures of AWS services or of Segment Relay. Rows that are not acknowledged are sent by the next run.",
        entries: &[
            ("accounts_do_not_add_up", "stops", "The outcomes do not add up to the rows of the run.", "Report it with the run's id."),
            ("delivered_state_moved", "stops", "The delivered state is no longer the one that the run started from.", "Start another run."),
            ("step_never_ends", "stops", "A step was repeated for hours without finishing.", "Give its function more memory or time."),
            ("batches_lost", "stops", "Batches returned no results for a day. Their rows are deferred.", "See the dead-letter queue."),
            ("worker_keeps_dying", "deferred", "The worker of a batch was killed each time.", "Raise `PushMemoryMegabytes`."),
            ("calls_throttled", "log", "The destination throttled calls.", "Nothing."),
            ("cloud_unavailable", "retries", "An AWS service does not respond.", "Nothing."),
            ("ledger_unavailable", "retries", "DynamoDB does not respond.", "Nothing."),
            ("disk", "retries", "The temporary disk failed or is full.", "Raise the function's storage if it persists."),
            ("clock", "retries", "The clock of the function is out of range.", "Nothing."),
            ("randomness", "retries", "The system returned no random bytes.", "Nothing."),
            ("results_incomplete", "retries", "A batch has fewer results than rows.", "Report it if it persists."),
            ("run_moves", "retries", "The run changed its state while it was being canceled.", "Cancel it again."),
            ("step_incomplete", "retries", "An earlier step of the run has not finished.", "Nothing."),
            ("object_missing", "stops", "An object of the run has been deleted.", "Start another run."),
            ("upload_unreadable", "retries", "An uploaded file could not be read to its end.", "Nothing; put it again if it persists."),
            ("snapshot_unreadable", "retries", "A snapshot could not be read.", "Nothing."),
            ("snapshot_damaged", "stops", "A snapshot is damaged or not sorted.", "Start another run; report it if it persists."),
            ("batch_damaged", "stops", "A batch cannot be read.", "Start another run; report it if it persists."),
            ("ledger_damaged", "stops", "An item of the ledger cannot be read.", "Report it with the run's id."),
            ("definition_damaged", "stops", "The stored definitions of the run cannot be read.", "Start another run."),
            ("manifest_damaged", "stops", "A manifest cannot be read.", "Start another run."),
            ("plan_damaged", "stops", "The plan of the run cannot be read.", "Start another run."),
            ("settled_damaged", "stops", "A settled row cannot be read.", "Start another run."),
            ("results_damaged", "stops", "The results of a batch cannot be read.", "Report it with the run's id."),
            ("spool_damaged", "stops", "A temporary file of the delta cannot be read.", "Start another run."),
            ("delivered_state_damaged", "stops", "The delivered state cannot be read.", "Report it with the run's id."),
            ("findings_damaged", "stops", "The result of a dry run cannot be read.", "Start another dry run."),
            ("preview_damaged", "stops", "The result of a preview cannot be read.", "Start another preview."),
            ("message_malformed", "stops", "A message cannot be read.", "Report it with the run's id."),
        ],
    },
    Section {
        title: "Requests about a person",
        about: "Shown by the commands about a person. What such a request has done stays done, and an erased person stays excluded.",
        entries: &[
            ("took_too_long", "stops", "There is more to read than one invocation has time for.", "Request it again."),
            ("too_many_records", "stops", "More records than one document may contain.", "Use the member key instead of the match key."),
            ("idempotency_key_reused", "refused", "The `Idempotency-Key` was used for another request about a person.", "Use a new key."),
            ("rejected_damaged", "stops", "A list of rejected rows cannot be read.", "Report it with the request's id."),
            ("request_damaged", "stops", "The stored request cannot be read.", "Request it again."),
            ("state_damaged", "stops", "The stored state of the request cannot be read.", "Request it again."),
        ],
    },
    Section {
        title: "Custom uploads: the whole file",
        about: "Shown in `uploaded/SEGMENT/UPLOAD.json`. The segment keeps its members.",
        entries: &[
            ("segment_missing", "refused", "There is no such segment.", "Define it with `upload`, then put the file again."),
            ("segment_invalid", "refused", "The definition of the segment cannot be read.", "Save it again."),
            ("segment_is_query", "refused", "The segment is defined by a query.", "Define it with `upload`."),
            ("file_too_large", "refused", "The file is larger than 1,000,000,000 bytes.", "Split the segment."),
            ("file_empty", "refused", "The file has no header row.", "Add one."),
            ("file_not_text", "refused", "The file contains NUL characters.", "Save it as CSV in UTF-8; UTF-16 needs a byte order mark."),
            ("header_too_long", "refused", "The header row is longer than 64 KiB.", "Check that the file is a CSV."),
            ("header_quote_not_closed", "refused", "A quote in the header row is not closed.", "Close it."),
            ("header_encoding", "refused", "The header row has characters that are not in the encoding.", "Save the file in UTF-8."),
            ("too_many_columns", "refused", "The header row has more than 25 columns.", "Remove columns."),
            ("column_name_invalid", "refused", "The name of a column is empty or has spaces or dashes.", "Rename it, for example `First_Name`."),
            ("column_named_twice", "refused", "Two columns have one name.", "Rename one."),
            ("column_missing", "refused", "A column that the segment names is not in the file.", "Add it, or change the segment."),
            ("quotes_not_closed", "refused", "So many quotes are not closed that the file cannot be read.", "Check the quotes around the line that the text names."),
            ("no_good_line", "refused", "No line can be used.", "See the list of bad lines."),
        ],
    },
    Section {
        title: "Custom uploads: single lines",
        about: "Shown in `uploaded/SEGMENT/UPLOAD.bad-lines.csv` with line and column, never with the value. The line is left out.",
        entries: &[
            ("too_few_values", "left out", "Fewer values than columns.", "Quote line breaks within values."),
            ("too_many_values", "left out", "More values than columns.", "Quote separators within values."),
            ("too_long", "left out", "The line is longer than 64 KiB.", "Shorten it."),
            ("quote_not_closed", "left out", "A quote is not closed within 64 KiB.", "Close it; double quotes within quoted values."),
            ("not_text", "left out", "Bytes that are not characters of the encoding.", "Save the file in UTF-8."),
            ("nul_character", "left out", "A NUL character.", "Remove it."),
            ("identity_missing", "left out", "The identity is empty.", "Fill it in."),
            ("member_key_missing", "left out", "The member key is empty.", "Fill it in."),
            ("not_a_text", "left out", "Not a text.", "Correct the value."),
            ("not_an_integer", "left out", "Not a whole number of 64 bits.", "Write `-12`."),
            ("not_a_decimal", "left out", "Not a number.", "Write `12.50`, without thousands separators."),
            ("not_a_boolean", "left out", "Not one of true, false, yes, no, 1, 0.", "Correct the value."),
            ("not_a_date", "left out", "Not a date.", "Write `2026-11-21`."),
            ("not_a_datetime", "left out", "Not a time.", "Write `2026-11-21T10:00:00Z`."),
        ],
    },
];

pub(super) fn render() -> String {
    let mut text = INTRODUCTION.to_owned();
    for section in SECTIONS {
        let rows = section.entries.iter().map(|(name, effect, meaning, remedy)| {
            [code(name), (*effect).to_owned(), (*meaning).to_owned(), (*remedy).to_owned()]
        });
        let rows = table(["code", "effect", "meaning", "what to do"], rows);
        append(&mut text, &format!("\n## {}\n\n{}\n\n{rows}", section.title, section.about));
    }
    text.push_str(INTERNAL);
    text
}

const INTERNAL: &str = "
Codes that end in `_unwritable` or `_panicked`, and `http_client`, are internal errors: report them with the run's id.
";
