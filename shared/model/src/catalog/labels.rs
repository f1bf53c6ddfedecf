//! Labels for sorting definitions.

use std::collections::BTreeSet;

/// The maximum number of labels of a definition.
pub(super) const MAX_LABELS: usize = 20;
/// The maximum length of a label, in characters.
const MAX_LABEL_CHARACTERS: usize = 50;

/// Checks labels; returns the field's path and the problem.
pub(super) fn validate(labels: &[String]) -> Result<(), (String, String)> {
    if labels.len() > MAX_LABELS {
        let problem = format!("has {} labels; the maximum is {MAX_LABELS}", labels.len());
        return Err(("labels".to_owned(), problem));
    }
    let mut seen = BTreeSet::new();
    for (index, label) in labels.iter().enumerate() {
        let problem = if label.trim().is_empty() {
            "must not be empty"
        } else if label.trim() != label {
            "must not begin or end with a space"
        } else if label.contains(char::is_control) {
            "must not have control characters"
        } else if label.chars().count() > MAX_LABEL_CHARACTERS {
            "must not be longer than 50 characters"
        } else if !seen.insert(label) {
            "is listed twice"
        } else {
            continue;
        };
        return Err((format!("labels[{index}]"), problem.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(labels: &[&str], expected: Option<(&str, &str)>) {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        let found = validate(&labels).err();
        let found = found.as_ref().map(|(field, problem)| (field.as_str(), problem.as_str()));
        assert_eq!(found, expected, "{labels:?}");
    }

    #[test]
    fn labels_are_a_few_short_words() {
        check(&[], None);
        check(&["Wien", "wien", "q4 2026", &"ö".repeat(50)], None);
        check(&["a", ""], Some(("labels[1]", "must not be empty")));
        check(&[" a"], Some(("labels[0]", "must not begin or end with a space")));
        check(&["a\u{7}b"], Some(("labels[0]", "must not have control characters")));
        check(&[&"ö".repeat(51)], Some(("labels[0]", "must not be longer than 50 characters")));
        check(&["a", "b", "a"], Some(("labels[2]", "is listed twice")));
        let many: Vec<String> = (0..=MAX_LABELS).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        check(&many[1..], None);
        check(&many, Some(("labels", "has 21 labels; the maximum is 20")));
    }
}
