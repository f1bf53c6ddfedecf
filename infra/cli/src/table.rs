//! Tables on a terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use jiff::Timestamp;

/// Formats rows under headings. Numeric columns are right-aligned.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let headings = headings.map(str::to_owned).to_vec();
    flexible_table(&headings, &rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>())
}

/// Formats a table with a number of columns unknown at compile time.
pub(crate) fn flexible_table(headings: &[String], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(headings);
    for row in rows {
        table.add_row(row.iter().map(|cell| one_line(cell)));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        let mut cells =
            rows.iter().filter_map(|row| row.get(index)).filter(|cell| !cell.is_empty()).peekable();
        let has_cells = cells.peek().is_some();
        let is_number =
            |cell: &String| cell.bytes().all(|byte| byte.is_ascii_digit() || b",.%".contains(&byte));
        if has_cells && cells.all(is_number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// Removes control characters: cell content is untrusted and could move the cursor.
fn one_line(cell: &str) -> String {
    cell.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// Formats a number with separators: `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a timestamp as `2026-11-22 06:30Z`. Other text is returned unchanged.
pub(crate) fn minute(moment: &str) -> String {
    match moment.parse::<Timestamp>() {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%MZ").to_string(),
        Err(_) => moment.to_owned(),
    }
}

/// Formats a duration: `1 h 5 min`, `42 s`.
pub(crate) fn duration(seconds: u64) -> String {
    match seconds {
        0..=89 => format!("{seconds} s"),
        90..=5_399 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned() {
        let row = |name: &str, rows: &str| [name.to_owned(), rows.to_owned()];
        let text = table(["name", "rows"], &[row("a", "1,200"), row("größe\u{1b}[2J", "5")]);
        assert_eq!(text, "name        rows\na          1,200\ngröße [2J      5");
        assert_eq!(table(["name"], &[]), "name");
    }

    #[test]
    fn numbers_and_times() {
        let check = |number, expected: &str| assert_eq!(grouped(number), expected);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(1_234_567, "1,234,567");
        let check = |seconds, expected: &str| assert_eq!(duration(seconds), expected);
        check(0, "0 s");
        check(89, "89 s");
        check(90, "2 min");
        check(5_400, "1 h 30 min");
        let check = |moment, expected: &str| assert_eq!(minute(moment), expected);
        check("2026-11-22T06:30:59.999Z", "2026-11-22 06:30Z");
        check("", "");
        check("soon", "soon");
    }
}
