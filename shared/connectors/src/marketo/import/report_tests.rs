use super::*;
use relay_model::{Operation, OutcomeKind};

fn file(rows: &[[&str; 3]]) -> ImportFile {
    let header = ["email", "firstName", "city"].map(str::to_owned).to_vec();
    let rows = rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
    ImportFile::from_parts(header, rows)
}

#[track_caller]
fn check(rows: &[[&str; 3]], report: &str, expected: &[OutcomeKind]) {
    let file = file(rows);
    let failed = count(&file, report.as_bytes());
    let status = ImportStatus {
        batch_id: 1,
        status: "Complete".to_owned(),
        num_of_leads_processed: u64::try_from(rows.len() - failed).unwrap(),
        num_of_rows_failed: u64::try_from(failed).unwrap(),
        num_of_rows_with_warning: 0,
    };
    let results = results(&status, &file, report.as_bytes());
    let kinds: Vec<_> = results.iter().map(|result| result.outcome.kind(Operation::Add)).collect();
    assert_eq!(kinds, expected, "{report}");
}

#[test]
fn a_report_is_read_by_the_names_of_its_columns() {
    use OutcomeKind::{Added, Rejected};
    let rows = [["a@example.com", "Ann", "Rome"], ["b@example.com", "Bob", "Oslo"]];
    let second = &[Added, Rejected];
    check(&rows, "email,firstName,city,Import Failure Reason\nb@example.com,Bob,Oslo,No", second);
    check(&rows, "city,email,Import Failure Reason\nOslo,b@example.com,No", second);
    check(&rows, "firstName,city,Import Failure Reason\nBob,Oslo,No", second);
    check(
        &rows,
        "\u{feff}email,firstName,city,Import Failure Reason\r\nb@example.com,Bob,Oslo,No\r\n",
        second,
    );
    check(&rows, "email,firstName,city,Why\nb@example.com,Robert,Oslo,No", second);
    check(&rows, "email,firstName,city,Import Failure Reason\n", &[Added, Added]);
    check(&rows, "", &[Added, Added]);
}

#[test]
fn identical_rows_are_refused_as_often_as_the_report_says() {
    use OutcomeKind::{Added, Rejected};
    let twin = ["a@example.com", "Ann", "Rome"];
    let other = ["a@example.com", "Anna", "Rome"];
    let header = "email,firstName,city,Import Failure Reason";
    let line = "a@example.com,Ann,Rome,No";
    check(&[twin, twin, twin], &format!("{header}\n{line}\n{line}"), &[Rejected, Rejected, Added]);
    let third = "a@example.com,Anna,Rome,No";
    check(&[twin, other, twin], &format!("{header}\n{third}"), &[Added, Rejected, Added]);
    let changed = "a@example.com,ANN,Rome,No";
    check(&[twin, other], &format!("{header}\n{line}\n{changed}"), &[Rejected, Rejected]);
}

#[test]
fn counts_add_up_with_and_without_what_failed() {
    let check = |processed: u64, failed: u64, expected: bool| {
        let status = ImportStatus {
            batch_id: 1,
            status: String::new(),
            num_of_leads_processed: processed,
            num_of_rows_failed: failed,
            num_of_rows_with_warning: 0,
        };
        assert_eq!(adds_up(&status, 10), expected, "{processed} {failed}");
    };
    check(10, 0, true);
    check(9, 1, true);
    check(10, 1, true);
    check(9, 0, false);
    check(8, 1, false);
    check(11, 0, false);
}
