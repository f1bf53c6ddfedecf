//! A contact's plain fields, packed into one allocation: a million contacts have to fit beside everything else.

/// A plain field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    FirstName,
    LastName,
    Address,
    City,
    State,
    Country,
    CountryCode,
    PostalCode,
    Birthdate,
    Gender,
}

impl Field {
    pub(super) const ALL: [Self; 10] = [
        Self::FirstName,
        Self::LastName,
        Self::Address,
        Self::City,
        Self::State,
        Self::Country,
        Self::CountryCode,
        Self::PostalCode,
        Self::Birthdate,
        Self::Gender,
    ];

    /// Its name in the API.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::FirstName => "firstName",
            Self::LastName => "lastName",
            Self::Address => "address",
            Self::City => "city",
            Self::State => "state",
            Self::Country => "country",
            Self::CountryCode => "countryCode",
            Self::PostalCode => "postalCode",
            Self::Birthdate => "birthdate",
            Self::Gender => "gender",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    fn number(self) -> u8 {
        Self::ALL.iter().zip(0..).find(|(field, _)| **field == self).map_or(u8::MAX, |(_, number)| number)
    }
}

/// The texts of the fields that a contact has: for each its number, its length in four bytes, and its bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Profile(Box<[u8]>);

impl Profile {
    pub(super) fn iter(&self) -> impl Iterator<Item = (Field, &str)> {
        let mut rest: &[u8] = &self.0;
        std::iter::from_fn(move || {
            let (number, behind) = rest.split_first()?;
            let (length, behind) = behind.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            let (text, behind) = behind.split_at_checked(length)?;
            rest = behind;
            Some((*Field::ALL.get(usize::from(*number))?, std::str::from_utf8(text).ok()?))
        })
    }

    /// The same with these fields set.
    pub(super) fn with(&self, changes: &[(Field, String)]) -> Self {
        let mut bytes = Vec::with_capacity(self.0.len());
        let is_set = |field: Field| changes.iter().any(|(change, _)| *change == field);
        let kept = self.iter().filter(|(field, _)| !is_set(*field));
        for (field, text) in kept.chain(changes.iter().map(|(field, text)| (*field, text.as_str()))) {
            let Ok(length) = u32::try_from(text.len()) else {
                continue;
            };
            bytes.push(field.number());
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        Self(bytes.into_boxed_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_set_and_kept() {
        let set = |field, text: &str| (field, text.to_owned());
        let profile = Profile::default().with(&[set(Field::City, "Åre"), set(Field::State, "")]);
        let profile = profile.with(&[set(Field::City, "Oslo"), set(Field::Gender, "f")]);
        let fields: Vec<_> = profile.iter().map(|(field, text)| (field.name(), text)).collect();
        assert_eq!(fields, [("state", ""), ("city", "Oslo"), ("gender", "f")]);
        for field in Field::ALL {
            assert_eq!(Field::of_name(field.name()), Some(field));
        }
    }
}
