//! Pieces of Markdown.

/// Appends a piece to a page.
pub(super) fn append(text: &mut String, piece: &str) {
    text.push_str(piece);
}

/// A table; cells may hold Markdown, and their line breaks and bars are made harmless.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(N));
    for row in rows {
        let cells = row.map(|cell| self::cell(&cell));
        append(&mut text, &format!("| {} |\n", cells.join(" | ")));
    }
    text
}

fn cell(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace('|', "\\|")
}

/// Inline code; nothing for an empty text.
pub(super) fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

/// The anchor that Git hosts give to a heading.
pub(super) fn anchor(heading: &str) -> String {
    let kept = |character: char| match character {
        ' ' => Some('-'),
        character if character.is_alphanumeric() || matches!(character, '-' | '_') => Some(character),
        _ => None,
    };
    heading.to_lowercase().chars().filter_map(kept).collect()
}

/// The first letter in upper case, and a full stop at the end.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return String::new() };
    let end = if text.ends_with(['.', ':', '!', '?']) { "" } else { "." };
    format!("{}{}{end}", first.to_uppercase(), characters.as_str())
}
