//! The values of one lead, packed into one block of memory: a million leads have to fit.

use super::fields::FieldNumber;

/// For each value the field's number and the length, two bytes each, and the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Values(Box<[u8]>);

/// New texts of fields; none takes the value away.
pub(super) type Changes = Vec<(FieldNumber, Option<Box<str>>)>;

impl Values {
    pub(super) fn get(&self, field: FieldNumber) -> Option<&str> {
        self.iter().find(|(number, _)| *number == field).map(|(_, text)| text)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (FieldNumber, &str)> {
        let mut rest: &[u8] = &self.0;
        std::iter::from_fn(move || {
            let (number, after) = rest.split_first_chunk::<2>()?;
            let (length, after) = after.split_first_chunk::<2>()?;
            let (text, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            rest = after;
            Some((u16::from_le_bytes(*number), std::str::from_utf8(text).ok()?))
        })
    }

    /// The same values with some changed.
    pub(super) fn changed(&self, changes: &Changes) -> Self {
        let mut bytes = Vec::with_capacity(self.0.len() + 16 * changes.len());
        for (number, text) in self.iter() {
            if !changes.iter().any(|(changed, _)| *changed == number) {
                push(&mut bytes, number, text);
            }
        }
        for (number, text) in changes {
            if let Some(text) = text {
                push(&mut bytes, *number, text);
            }
        }
        Self(bytes.into_boxed_slice())
    }
}

fn push(bytes: &mut Vec<u8>, number: FieldNumber, text: &str) {
    // Longer texts do not get here: the longest type is 30,000 bytes.
    let Ok(length) = u16::try_from(text.len()) else {
        return;
    };
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_changed_added_and_taken_away() {
        let text = |text: &str| Some(Box::from(text));
        let values =
            Values::default().changed(&vec![(1, text("a@example.com")), (7, text("Zoë")), (3, text(""))]);
        let values = values.changed(&vec![(7, None), (1, text("b@example.com")), (9, text("new"))]);
        let all: Vec<_> = values.iter().collect();
        assert_eq!(all, [(3, ""), (1, "b@example.com"), (9, "new")]);
        assert_eq!((values.get(9), values.get(7)), (Some("new"), None));
    }
}
