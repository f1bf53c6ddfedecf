//! Invented people with valid values, so that the counts of a test follow from its text.

use local::demo::Person;
use std::collections::BTreeSet;

/// The person with this number. All values can be delivered.
pub(crate) fn person(number: u64) -> Person {
    Person {
        id: format!("P{number:07}"),
        email: Some(format!("person{number}@mail.example.com")),
        name: format!("First{number} Last{number}"),
        address: String::new(),
        city: format!("City {}", number % 5),
        points: i64::try_from(number % 3).ok(),
        birthday: None,
        newsletter: true,
        contact_id: None,
        copies: 1,
    }
}

/// This many people.
pub(crate) fn persons(count: u64) -> Vec<Person> {
    (1..=count).map(person).collect()
}

/// The addresses of the people with the newsletter flag.
pub(crate) fn emails<'a>(people: impl IntoIterator<Item = &'a Person>) -> BTreeSet<String> {
    people.into_iter().filter(|person| person.newsletter).filter_map(|person| person.email.clone()).collect()
}
