//! Generated customers, as messy as real ones.

use fastrand::Rng;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use sandbox::dynamics365_sales::Guid;

const FIRST_NAMES: [&str; 24] = [
    "Anna",
    "José",
    "Zoë",
    "Łukasz",
    "Nguyễn",
    "François",
    "Søren",
    "Πηνελόπη",
    "Дмитрий",
    "李",
    "さくら",
    "민준",
    "محمد",
    "שרה",
    "राहुल",
    "Ólafur",
    "Bob \"Bobby\"",
    "O'Neil",
    "Jean-Luc",
    "Ana Maria",
    "Ümit",
    "Ґанна",
    "ธนา",
    "Mc,Donald",
];
const LAST_NAMES: [&str; 16] = [
    "Smith",
    "García",
    "Müller",
    "Kowalski",
    "O'Brien",
    "D'Angelo",
    "van der Berg",
    "Παπαδόπουλος",
    "Иванова",
    "王",
    "佐藤",
    "김",
    "الأحمد",
    "Łęcki",
    "Smith, Jr.",
    "de la Cruz",
];
const CITIES: [&str; 10] = [
    "London",
    "São Paulo",
    "København",
    "Kraków",
    "東京",
    "Αθήνα",
    "New York, NY",
    "",
    "Saint-Étienne",
    "القاهرة",
];

/// A generated customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// The customer id.
    pub id: String,
    /// The e-mail address as typed in.
    pub email: Option<String>,
    /// The name.
    pub name: String,
    /// The address, which may have line breaks.
    pub address: String,
    /// The city, which may be empty.
    pub city: String,
    /// Loyalty points; `0` is a value.
    pub points: Option<i64>,
    /// The birthday.
    pub birthday: Option<Date>,
    /// Whether the person asked for the newsletter.
    pub newsletter: bool,
    /// The id of the contact in Dynamics 365 Sales as copied by hand, if any.
    pub contact_id: Option<String>,
    /// How often the profile is in the lake.
    pub copies: usize,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The order's id.
    pub id: String,
    /// The customer.
    pub customer_id: String,
    /// The amount in cents.
    pub cents: u64,
}

/// Customers and their orders at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct People {
    /// The customers, by id.
    pub persons: Vec<Person>,
    /// Their orders.
    pub orders: Vec<Order>,
}

impl People {
    /// Generates `count` customers.
    #[must_use]
    pub fn new(count: u32, rng: &mut Rng) -> Self {
        let mut people = Self::default();
        people.grow(count, rng);
        people
    }

    /// Generates `count` more.
    pub fn grow(&mut self, count: u32, rng: &mut Rng) {
        for _ in 0..count {
            let number = self.persons.len() + 1;
            let mut person = person(number, rng);
            // The same person under a second customer id, with another spelling of the address.
            if rng.f64() < 0.01
                && let Some(twin) = rng.choice(&self.persons)
            {
                person.email = twin.email.as_ref().map(|email| email.to_uppercase());
                person.contact_id = twin.contact_id.as_ref().map(|id| id.to_uppercase());
            }
            for order in 0..rng.usize(0..6) {
                let id = format!("O{number:07}-{order}");
                self.orders.push(Order { id, customer_id: person.id.clone(), cents: rng.u64(500..40_000) });
            }
            self.persons.push(person);
        }
    }

    /// Returns the customers who asked for the newsletter.
    pub fn subscribers(&self) -> impl Iterator<Item = &Person> {
        self.persons.iter().filter(|person| person.newsletter)
    }

    /// Returns what each customer has spent, in cents.
    #[must_use]
    pub fn spent_cents(&self) -> std::collections::BTreeMap<&str, u64> {
        let mut spent = std::collections::BTreeMap::new();
        for order in &self.orders {
            *spent.entry(order.customer_id.as_str()).or_insert(0) += order.cents;
        }
        spent
    }

    /// Returns random distinct customers.
    pub fn some(
        &mut self,
        share: f64,
        rng: &mut Rng,
        mut change: impl FnMut(&mut Person, &mut Rng),
    ) -> usize {
        let mut changed = 0;
        for person in &mut self.persons {
            if rng.f64() < share {
                change(person, rng);
                changed += 1;
            }
        }
        changed
    }
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    rng.choice(from).copied().unwrap_or_default()
}

fn person(number: usize, rng: &mut Rng) -> Person {
    let address = match rng.u8(0..8) {
        0 => format!("{} High Street,\nFlat \"{}\"", rng.u16(1..400), rng.u8(1..9)),
        1 => format!("Rua das Flores, n.º {}; 2.º Esq.\r\nLisboa", rng.u16(1..400)),
        2 => format!("ул. Пушкина, д. {}", rng.u16(1..400)),
        3 => String::new(),
        4 => format!("{} {}", rng.u16(1..400), "Very Long Avenue ".repeat(20)),
        _ => format!("{} Market Square", rng.u16(1..400)),
    };
    Person {
        id: format!("C{number:07}"),
        email: email(number, rng),
        name: format!("{} {}", pick(rng, &FIRST_NAMES), pick(rng, &LAST_NAMES)),
        address,
        city: pick(rng, &CITIES).to_owned(),
        points: match rng.u8(0..4) {
            0 => None,
            1 => Some(0),
            _ => Some(rng.i64(1..5_000)),
        },
        birthday: match rng.u8(0..10) {
            0 => None,
            // A placeholder for "unknown", before the start of the destination's calendar.
            1 => Some(date(1800, 1, 1)),
            _ => date(1940, 1, 1).checked_add(rng.i64(0..24_000).days()).ok(),
        },
        newsletter: rng.f64() < 0.7,
        contact_id: contact_id(number, rng),
        copies: if rng.f64() < 0.01 { 2 } else { 1 },
    }
}

fn email(number: usize, rng: &mut Rng) -> Option<String> {
    Some(match rng.u8(0..100) {
        0..=2 => return None,
        3 => String::new(),
        4 => format!("person{number}[at]example.com"),
        5 => format!("person{number}@"),
        6 => format!("person {number}@example.com"),
        7 => format!("pérson{number}@example.com"),
        8..=20 => format!("  Person.{number}+News@Example.COM "),
        21..=25 => format!("o'brien{number}@example.ie"),
        _ => format!("person{number}@mail{}.example.com", number % 7),
    })
}

/// Half of the customers are contacts in Dynamics 365 Sales, with the id in various notations.
fn contact_id(number: usize, rng: &mut Rng) -> Option<String> {
    let id = Guid::numbered(u64::try_from(number).unwrap_or_default()).to_string();
    match rng.u8(0..100) {
        0..=49 => None,
        50 => Some(format!("CRM-{number:06}")),
        51 => id.get(..id.len() - 1).map(str::to_owned),
        52 => Some(String::new()),
        53..=57 => Some(id.to_uppercase()),
        58..=62 => Some(format!(" {{{id}}}")),
        _ => Some(id),
    }
}
