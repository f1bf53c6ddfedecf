//! How the server behaves where the vendor's documents leave a choice, its limits, and how fast its time runs.

use super::endpoint::Endpoint;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The settings of a Marketo sandbox. `Options::default()` has the documented limits and the strictest reading
/// elsewhere. All times are vendor time: what they take here is divided by `time_scale`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// TCP port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// How many seconds of vendor time pass in one of ours: 1 is real time, 20 is twenty times faster.
    pub time_scale: f64,
    /// Milliseconds that each call takes.
    pub latency_ms: u64,
    /// Milliseconds that the calls of some kinds take instead.
    pub latency_ms_of: BTreeMap<Endpoint, u64>,
    /// Calls that one instance takes within any window of `rate_window_ms`; one more is a 606.
    pub rate_calls: usize,
    /// Length of the rolling window in milliseconds.
    pub rate_window_ms: u64,
    /// Whether calls that were refused count in the window.
    pub refused_calls: RefusedCalls,
    /// Calls that may be handled at one time; one more is a 615.
    pub concurrency: usize,
    /// Calls of one day; one more is a 607.
    pub daily_quota: usize,
    /// When the quota begins anew, in minutes after midnight UTC: 360 is midnight Central Standard Time.
    pub quota_resets_at_utc_minute: u16,
    /// Lifetime of access tokens in milliseconds.
    pub token_ms: u64,
    /// Which time `expires_in` is told in.
    pub expires_in: ExpiresIn,
    /// Whether the identity endpoint reads a form as well as the query.
    pub identity_form: IdentityForm,
    /// Largest body taken, in bytes; a larger one is a 413.
    pub largest_body_bytes: usize,
    /// Largest file of an import, in bytes.
    pub largest_import_bytes: usize,
    /// Longest path and query taken, in bytes; a longer one is a 414.
    pub longest_uri_bytes: usize,
    /// Whether texts are the same whatever their case when leads are looked for.
    pub key_case: KeyCase,
    /// What several records with one key in one call do.
    pub repeated_keys: RepeatedKeys,
    /// What a field that does not exist does to a call.
    pub unknown_fields: UnknownFields,
    /// What a value for a field of the company does.
    pub company_fields: CompanyFields,
    /// Whether creating calls have to say the partition when there are several.
    pub partition_name: PartitionName,
    /// What adding a lead that is on the list already is answered with.
    pub existing_members: ExistingMembers,
    /// How folder types are written.
    pub folder_types: FolderTypes,
    /// Imports that run at one time.
    pub imports_running: usize,
    /// Imports that run or wait; one more is a 1016.
    pub imports_at_most: usize,
    /// Rows that one import takes in a second.
    pub import_rows_per_second: u32,
    /// Milliseconds that an import waits at least before it runs.
    pub import_queue_ms: u64,
    /// What an import does with a row in which a value of an optional field is wrong.
    pub import_bad_values: BadValues,
    /// What an empty cell of an import does.
    pub import_empty_cells: EmptyCells,
    /// Extracts that run at one time.
    pub exports_running: usize,
    /// Extracts that run or wait; one more is a 1029.
    pub exports_at_most: usize,
    /// Rows that an extract writes in a second.
    pub export_rows_per_second: u32,
    /// Milliseconds that an extract waits at least before it runs.
    pub export_queue_ms: u64,
    /// How often the status of an extract is brought up to date, in milliseconds.
    pub export_status_ms: u64,
    /// Bytes of extracts in one day.
    pub export_bytes_a_day: usize,
    /// What other users of the instance use up.
    pub others: OtherUsers,
    /// How many requests are kept for looking at; the oldest go first.
    pub logged_requests: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            time_scale: 1.0,
            latency_ms: 0,
            latency_ms_of: BTreeMap::new(),
            rate_calls: 100,
            rate_window_ms: 20_000,
            refused_calls: RefusedCalls::Counted,
            concurrency: 10,
            daily_quota: 50_000,
            quota_resets_at_utc_minute: 360,
            token_ms: 3_600_000,
            expires_in: ExpiresIn::Ours,
            identity_form: IdentityForm::Refused,
            largest_body_bytes: 1024 * 1024,
            largest_import_bytes: 10 * 1024 * 1024,
            longest_uri_bytes: 8 * 1024,
            key_case: KeyCase::Ignored,
            repeated_keys: RepeatedKeys::Duplicates,
            unknown_fields: UnknownFields::SkipRecord,
            company_fields: CompanyFields::SkipRecord,
            partition_name: PartitionName::Optional,
            existing_members: ExistingMembers::Skipped,
            folder_types: FolderTypes::Capitalised,
            imports_running: 2,
            imports_at_most: 10,
            import_rows_per_second: 1000,
            import_queue_ms: 2000,
            import_bad_values: BadValues::FailRow,
            import_empty_cells: EmptyCells::Ignored,
            exports_running: 2,
            exports_at_most: 10,
            export_rows_per_second: 5000,
            export_queue_ms: 10_000,
            export_status_ms: 60_000,
            export_bytes_a_day: 500 * 1024 * 1024,
            others: OtherUsers::default(),
            logged_requests: 0,
        }
    }
}

/// What somebody else takes of the limits that all users of an instance share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OtherUsers {
    /// Calls in each rate window.
    pub rate_calls: usize,
    /// Calls in flight.
    pub concurrency: usize,
    /// Imports that run or wait.
    pub imports: usize,
}

/// How fast the server is and how much it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// As [`Options::latency_ms`]; nothing given: stays.
    pub latency_ms: Option<u64>,
    /// As [`Options::latency_ms_of`]; the kinds not given stay.
    pub latency_ms_of: BTreeMap<Endpoint, u64>,
    /// As [`Options::rate_calls`].
    pub rate_calls: Option<usize>,
    /// As [`Options::rate_window_ms`].
    pub rate_window_ms: Option<u64>,
    /// As [`Options::concurrency`].
    pub concurrency: Option<usize>,
    /// As [`Options::daily_quota`].
    pub daily_quota: Option<usize>,
    /// As [`Options::import_rows_per_second`].
    pub import_rows_per_second: Option<u32>,
}

macro_rules! choice {
    ($(#[$documentation:meta])* $name:ident { $($(#[$variant_documentation:meta])* $variant:ident,)+ }) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_documentation])* $variant,)+ }
    };
}

choice! {
    /// The part of refused calls in the rate limit. The documents speak of the calls of the last seconds only.
    RefusedCalls {
        /// Each call that arrives counts: whoever goes on at once stays refused.
        Counted,
        /// Only calls that were let in count.
        Free,
    }
}
choice! {
    /// The time of `expires_in`; the same at a scale of 1.
    ExpiresIn {
        /// Seconds of the caller's clock until the token is really over.
        Ours,
        /// Seconds of vendor time, which pass faster.
        Vendor,
    }
}
choice! {
    /// How the identity endpoint is told the credentials.
    IdentityForm {
        /// In the query only, as the specification has it.
        Refused,
        /// In a form of a POST as well.
        Accepted,
    }
}
choice! {
    /// Comparing texts; the documents are silent.
    KeyCase {
        /// `A@example.com` finds `a@example.com`.
        Ignored,
        /// It does not.
        Significant,
    }
}
choice! {
    /// Records with the same new key in one call.
    RepeatedKeys {
        /// Each makes a lead, as it would in calls that overlap.
        Duplicates,
        /// The second is an update of the first.
        Applied,
        /// Every one beyond the first is skipped with 1036.
        Refused,
    }
}
choice! {
    /// A field in a record that the instance does not have.
    UnknownFields {
        /// The record is skipped with 1006.
        SkipRecord,
        /// The call is refused with 1006.
        WholeCall,
    }
}
choice! {
    /// A value for a field that belongs to the company.
    CompanyFields {
        /// The record is skipped with 1021.
        SkipRecord,
        /// The value is stored.
        Accepted,
    }
}
choice! {
    /// `partitionName` of a call that may create leads.
    PartitionName {
        /// Without it leads go to the first partition.
        Optional,
        /// Without it the call is refused with 1009 when there are several.
        Required,
    }
}
choice! {
    /// Adding somebody who is on the list; only `added` and `skipped` are documented.
    ExistingMembers {
        /// `skipped`, without reasons.
        Skipped,
        /// `added`.
        Added,
    }
}
choice! {
    /// `type` of a folder in answers.
    FolderTypes {
        /// `Folder`
        Capitalised,
        /// `FOLDER`, which has been seen too.
        UpperCase,
    }
}
choice! {
    /// A wrong value of an optional field in an import.
    BadValues {
        /// The row fails.
        FailRow,
        /// The row is imported without the value, and is among the warnings.
        WarnAndDrop,
    }
}
choice! {
    /// An empty cell in an import.
    EmptyCells {
        /// The old value stays.
        Ignored,
        /// The old value goes.
        Clear,
    }
}
