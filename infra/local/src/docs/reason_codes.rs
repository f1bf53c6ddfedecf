//! The page of reason codes. `SECTIONS` is the table of the codes of rows and uploads, and a test compares it with the
//! sources; the codes of runs are those of [`StopCode`].

use super::markdown::{append, code, table};
use relay_model::run::StopCode;

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
    let rows = StopCode::ALL.iter().map(|stop| [code(stop.as_str()), stop.explanation().to_owned()]);
    append(
        &mut text,
        &format!("\n## Runs and requests\n\n{RUNS}\n\n{}", table(["code", "meaning, and what to do"], rows)),
    );
    text
}

/// What the codes of runs have in common.
const RUNS: &str = "A run, a step or a request about a person that stopped shows its code in `failure`. A step that \
    retries logs the code and repeats the work on its own.";
