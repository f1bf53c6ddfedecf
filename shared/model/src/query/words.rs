//! Helpers for messages: short lists, and suggestions for mistyped names.

/// The number of names in a message; the others are only counted.
const NAMES_SHOWN: usize = 40;

/// Formats the names separated by commas, or "none"; long lists end with the number of omitted names.
#[must_use]
pub fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<&str> = names.iter().take(NAMES_SHOWN).map(String::as_str).collect();
    match names.len().saturating_sub(NAMES_SHOWN) {
        0 => shown.join(", "),
        rest => format!("{} and {rest} more", shown.join(", ")),
    }
}

/// Returns "; did you mean x?" if one of the names is close to the written one, or an empty text.
#[must_use]
pub fn suggestion(written: &str, names: &[String]) -> String {
    closest(written, names).map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

/// Returns the most similar name: equal without case, or with about a third of it mistyped.
fn closest<'a>(written: &str, names: &'a [String]) -> Option<&'a str> {
    let written = written.to_lowercase();
    names
        .iter()
        .take(2_000)
        .map(|name| (distance(&written, &name.to_lowercase()), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= (name.chars().count() + 1) / 3)
        .map(|(_, name)| name.as_str())
}

/// Returns the Levenshtein distance in characters. Long names are not compared, because the cost grows with
/// the length.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().take(64).enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        let mut next = vec![before];
        for (other, above) in right.iter().zip(row.iter().skip(1)) {
            before = (diagonal + usize::from(letter != *other)).min(*above + 1).min(before + 1);
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Returns one line of at most `characters` characters, without control characters.
#[must_use]
pub fn one_line(text: &str, characters: usize) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut cut: String = joined.chars().filter(|letter| !letter.is_control()).take(characters).collect();
    if cut.chars().count() < joined.chars().count() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, expected: &str) {
        let names: Vec<String> = ["customer_id", "email", "FirstName", "id"].map(str::to_owned).to_vec();
        assert_eq!(suggestion(written, &names), expected, "{written}");
    }

    #[test]
    fn the_closest_name_is_suggested_and_far_ones_are_not() {
        check("emial", "; did you mean email?");
        check("EMAIL", "; did you mean email?");
        check("firstname", "; did you mean FirstName?");
        check("customerid", "; did you mean customer_id?");
        check("postal_code", "");
        check("", "");
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let names: Vec<String> = (0..42).map(|number| format!("c{number}")).collect();
        assert!(listed(&names).ends_with("c39 and 2 more"));
        assert_eq!(listed(&[]), "none");
    }
}
